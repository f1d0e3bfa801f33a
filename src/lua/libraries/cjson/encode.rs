//! From values to JSON.

use alloc::format;
use alloc::vec::Vec;

use super::settings::{Setting, get, null};
use crate::lua::machine::{Call, Outcome, State, Thrown};
use crate::lua::number::format::general;
use crate::lua::value::{TableRef, Value};

/// So many bytes cost one instruction.
const BYTES_PER_UNIT: usize = 16;

/// A table as JSON sees it.
enum Form {
    /// A list of so many items, of which some may be missing.
    Array(usize),
    Object,
}

struct Encoder<'s> {
    state: &'s mut State,
    null: Value,
    depth_max: usize,
    sparse_converts: bool,
    sparse_ratio: f64,
    sparse_safe: f64,
    precision: usize,
    /// The fate of numbers that JSON does not have: an error (0), spelt (1) or null (2).
    invalid_numbers: u8,
    out: Vec<u8>,
    charged: usize,
}

pub(super) fn encode(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    if call.count != 1 {
        return Err(state.argument_error(0, "expected 1 argument"));
    }
    let value = state.argument(call, 0);
    let mut encoder = Encoder {
        null: null(state, call),
        depth_max: get(state, call, Setting::EncodeDepth) as usize,
        sparse_converts: get(state, call, Setting::SparseConverts) != 0.0,
        sparse_ratio: get(state, call, Setting::SparseRatio),
        sparse_safe: get(state, call, Setting::SparseSafe),
        precision: get(state, call, Setting::Precision) as usize,
        invalid_numbers: get(state, call, Setting::EncodesInvalid) as u8,
        state,
        out: Vec::new(),
        charged: 0,
    };
    encoder.value(value, 0)?;
    let out = encoder.out;
    Ok(Outcome::One(state.new_string_owned(out)?))
}

impl Encoder<'_> {
    fn refuse(&self, value: Value, why: &str) -> Thrown {
        let name = value.type_name();
        self.state.error(&format!("Cannot serialise {name}: {why}"))
    }

    /// Pays for what was written, and refuses what is too much.
    fn pay(&mut self) -> Result<(), Thrown> {
        let written = self.out.len() - self.charged;
        self.charged = self.out.len();
        self.state.charge(1 + (written / BYTES_PER_UNIT) as u64);
        self.state.check_room(self.out.len())
    }

    fn value(&mut self, value: Value, depth: usize) -> Result<(), Thrown> {
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Number(number) => self.number(number)?,
            Value::String(string) => {
                let text = self.state.bytes(string);
                escape(text, &mut self.out);
            }
            Value::Table(table) => return self.table(table, depth + 1),
            value if value == self.null => self.out.extend_from_slice(b"null"),
            value => return Err(self.refuse(value, "type not supported")),
        }
        self.pay()
    }

    fn number(&mut self, number: f64) -> Result<(), Thrown> {
        if !number.is_finite() {
            match self.invalid_numbers {
                0 => return Err(self.refuse(Value::Number(number), "must not be NaN or Inf")),
                2 => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                _ if number.is_nan() => {
                    self.out.extend_from_slice(b"nan");
                    return Ok(());
                }
                _ => {}
            }
        }
        general(number, self.precision, false, false, &mut self.out);
        Ok(())
    }

    fn table(&mut self, table: TableRef, depth: usize) -> Result<(), Thrown> {
        if depth > self.depth_max {
            let text = format!("Cannot serialise, excessive depth ({depth})");
            return Err(self.state.error(&text));
        }
        match self.form(table)? {
            Form::Array(len) => {
                self.out.push(b'[');
                for place in 1..=len {
                    if place > 1 {
                        self.out.push(b',');
                    }
                    let item = self.state.raw_get(table, Value::Number(place as f64));
                    self.value(item, depth)?;
                }
                self.out.push(b']');
            }
            Form::Object => {
                self.out.push(b'{');
                let (mut last, mut is_first) = (Value::Nil, true);
                while let Some((key, value)) = self.state.next(table, last)? {
                    if !is_first {
                        self.out.push(b',');
                    }
                    is_first = false;
                    self.key(key)?;
                    self.out.push(b':');
                    self.value(value, depth)?;
                    last = key;
                }
                self.out.push(b'}');
            }
        }
        self.pay()
    }

    fn key(&mut self, key: Value) -> Result<(), Thrown> {
        match key {
            Value::Number(number) => {
                self.out.push(b'"');
                self.number(number)?;
                self.out.push(b'"');
            }
            Value::String(string) => escape(self.state.bytes(string), &mut self.out),
            key => {
                let why = "table key must be a number or string";
                return Err(self.refuse(key, why));
            }
        }
        Ok(())
    }

    /// A table whose keys are all whole numbers from 1 on is a list, an empty one is none.
    fn form(&mut self, table: TableRef) -> Result<Form, Thrown> {
        let (mut most, mut items, mut last) = (0.0, 0_u64, Value::Nil);
        while let Some((key, _)) = self.state.next(table, last)? {
            match key {
                Value::Number(number) if number >= 1.0 && number == libm::floor(number) => {
                    most = number.max(most);
                }
                _ => return Ok(Form::Object),
            }
            items += 1;
            last = key;
        }
        self.state.charge(items);
        if items == 0 {
            return Ok(Form::Object);
        }
        let is_sparse = self.sparse_ratio > 0.0
            && most > items as f64 * self.sparse_ratio
            && most > self.sparse_safe;
        if is_sparse && !self.sparse_converts {
            return Err(self.refuse(Value::Table(table), "excessively sparse array"));
        }
        if is_sparse || most > 1e9 {
            return Ok(Form::Object);
        }
        Ok(Form::Array(most as usize))
    }
}

/// A text in quotes.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' | b'/' => out.extend_from_slice(&[b'\\', *byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 | 0x7f => {
                out.extend_from_slice(b"\\u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
            byte => out.push(*byte),
        }
    }
    out.push(b'"');
}
