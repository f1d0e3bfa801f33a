//! Values of Lua as replies to a client.

use alloc::vec::Vec;

use super::number;
use crate::command::zset::score;
use crate::lua::{Machine, Value};
use crate::resp::reply::{Protocol, Reply};

/// The deepest nesting of a reply.
const DEPTH_MAX: usize = 512;

/// The fields by which a table is more than a list, in the order in which they are looked for.
const KINDS: [&str; 7] = [
    "err",
    "ok",
    "double",
    "map",
    "set",
    "big_number",
    "verbatim_string",
];

/// The way in which a value becomes a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answering {
    /// The script has asked for RESP3.
    pub(super) speaks_resp3: bool,
    /// The longest reply, in bytes.
    pub(super) bytes_max: usize,
}

/// Writes a value as a reply. False where that is too long: then part of it is written.
pub(super) fn write(
    machine: &Machine,
    value: Value,
    reply: &mut Reply<'_>,
    how: Answering,
) -> bool {
    let end = reply.mark().saturating_add(how.bytes_max);
    let mut writer = Writer {
        machine,
        reply: reply.reborrow(),
        how,
        end,
    };
    writer.value(value, 0)
}

struct Writer<'a, 'm> {
    machine: &'m Machine,
    reply: Reply<'a>,
    how: Answering,
    /// The length of the buffer beyond which the reply is too long.
    end: usize,
}

impl Writer<'_, '_> {
    fn value(&mut self, value: Value, depth: usize) -> bool {
        if depth > DEPTH_MAX {
            self.reply.error("ERR reached lua stack limit");
            return true;
        }
        match value {
            Value::Number(number) => self.reply.integer(number::integer(number)),
            Value::Boolean(is_true) if self.how.speaks_resp3 => self.reply.boolean(is_true),
            Value::Boolean(true) => self.reply.integer(1),
            Value::Table(_) => return self.table(value, depth),
            value => match self.machine.bytes(value) {
                Some(bytes) => self.reply.bulk(bytes),
                None => self.reply.null(),
            },
        }
        self.reply.mark() <= self.end
    }

    fn table(&mut self, table: Value, depth: usize) -> bool {
        for kind in KINDS {
            let field = self.machine.get_field(table, kind);
            if let Some(is_short) = self.special(kind, field, depth) {
                return is_short;
            }
        }
        let mut len = 0;
        while self.machine.get_index(table, len + 1) != Value::Nil {
            len += 1;
        }
        self.reply.array(len);
        (1..=len).all(|place| self.value(self.machine.get_index(table, place), depth + 1))
            && self.reply.mark() <= self.end
    }

    /// A table that is something else than a list because of this field; `None` where it is not.
    fn special(&mut self, kind: &str, field: Value, depth: usize) -> Option<bool> {
        match (kind, field) {
            ("err" | "ok" | "big_number", field) => {
                let bytes = self.machine.bytes(field)?;
                match kind {
                    "err" => self.reply.error_bytes(bytes),
                    "ok" => self.reply.simple_bytes(bytes),
                    _ => {
                        let clean = |b: &u8| if matches!(b, b'\r' | b'\n') { b' ' } else { *b };
                        let digits: Vec<u8> = bytes.iter().map(clean).collect();
                        self.reply.big_number_bytes(&digits);
                    }
                }
            }
            ("double", Value::Number(number)) if number.is_nan() => self.reply.double_text("nan"),
            ("double", Value::Number(number)) => score::answer(&mut self.reply, number),
            ("map", Value::Table(_)) => return Some(self.map(field, depth)),
            ("set", Value::Table(_)) => return Some(self.set(field, depth)),
            ("verbatim_string", Value::Table(_)) => {
                let format = self.machine.get_field(field, "format");
                let format = self.machine.bytes(format)?;
                // It has three letters; what is missing of them is left blank.
                let letter = |place: usize| *format.get(place).unwrap_or(&b' ');
                let format = [letter(0), letter(1), letter(2)];
                let text = self.machine.get_field(field, "string");
                let text = self.machine.bytes(text)?;
                self.reply.verbatim_bytes(format, text);
            }
            _ => return None,
        }
        Some(self.reply.mark() <= self.end)
    }

    fn map(&mut self, table: Value, depth: usize) -> bool {
        let (machine, mut last) = (self.machine, Value::Nil);
        let len = count(machine, table);
        self.reply.map(len);
        while let Some((key, value)) = machine.next(table, last) {
            if !self.value(key, depth + 1) || !self.value(value, depth + 1) {
                return false;
            }
            last = key;
        }
        true
    }

    fn set(&mut self, table: Value, depth: usize) -> bool {
        let (machine, mut last) = (self.machine, Value::Nil);
        let len = count(machine, table);
        self.reply.set(len);
        while let Some((key, _)) = machine.next(table, last) {
            if !self.value(key, depth + 1) {
                return false;
            }
            last = key;
        }
        true
    }
}

fn count(machine: &Machine, table: Value) -> usize {
    let (mut len, mut last) = (0, Value::Nil);
    while let Some((key, _)) = machine.next(table, last) {
        (len, last) = (len + 1, key);
    }
    len
}

/// Returns the version of RESP in which a script's client is answered where the script has asked
/// for this one.
pub(super) fn protocol(speaks_resp3: bool) -> Protocol {
    if speaks_resp3 {
        Protocol::Resp3
    } else {
        Protocol::Resp2
    }
}
