//! From MessagePack to values.

use alloc::vec::Vec;

use crate::lua::machine::{Call, Outcome, State, Thrown};
use crate::lua::value::Value;

/// The deepest nesting of what is read.
const NESTING_MAX: usize = 128;
/// The most values that one call returns: more find no room on the stack.
const VALUES_MAX: usize = 7000;
/// So many bytes cost one instruction.
const BYTES_PER_UNIT: u64 = 16;

/// Why bytes are no values.
enum Bad {
    Missing,
    Format,
    Thrown(Thrown),
}

impl From<Thrown> for Bad {
    fn from(thrown: Thrown) -> Self {
        Self::Thrown(thrown)
    }
}

pub(super) fn unpack(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let (values, _) = values(state, call, 0, 0)?;
    Ok(Outcome::Many(values))
}

pub(super) fn unpack_one(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let offset = state.integer_or(call, 1, 0)?;
    behind(state, call, 1, offset)
}

pub(super) fn unpack_limit(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let limit = state.integer_argument(call, 1)?;
    let offset = state.integer_or(call, 2, 0)?;
    behind(state, call, limit, offset)
}

/// The values behind the offset at which the next begins, or -1 at the end.
fn behind(state: &mut State, call: Call, limit: i64, offset: i64) -> Result<Outcome, Thrown> {
    let (mut values, next) = values(state, call, limit, offset)?;
    let next = next.map_or(-1.0, |next| next as f64);
    values.insert(0, Value::Number(next));
    Ok(Outcome::Many(values))
}

fn values(
    state: &mut State,
    call: Call,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Value>, Option<usize>), Thrown> {
    let text = state.string_argument(call, 0)?;
    state.with_copy(text, |state, text| values_in(state, &text, limit, offset))
}

fn values_in(
    state: &mut State,
    text: &[u8],
    limit: i64,
    offset: i64,
) -> Result<(Vec<Value>, Option<usize>), Thrown> {
    state.charge(text.len() as u64 / BYTES_PER_UNIT);
    if offset < 0 || limit < 0 {
        let text = alloc::format!(
            "Invalid request to unpack with offset of {offset} and limit of {}.",
            text.len()
        );
        return Err(state.error(&text));
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    if offset > text.len() {
        let text = alloc::format!(
            "Start offset {offset} greater than input length {}.",
            text.len()
        );
        return Err(state.error(&text));
    }
    let most = if limit == 0 { i64::MAX } else { limit };
    let mut rest = &text[offset..];
    let mut found = Vec::new();
    while !rest.is_empty() && (found.len() as i64) < most {
        if found.len() == VALUES_MAX {
            return Err(state.error("too many results to unpack"));
        }
        match take(state, &mut rest, 0) {
            Ok(value) => found.push(value),
            Err(Bad::Missing) => return Err(state.error("Missing bytes in input.")),
            Err(Bad::Format) => return Err(state.error("Bad data format in input.")),
            Err(Bad::Thrown(thrown)) => return Err(thrown),
        }
    }
    let next = (!rest.is_empty()).then(|| text.len() - rest.len());
    Ok((found, next))
}

fn bytes<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], Bad> {
    let (bytes, behind) = rest.split_at_checked(len).ok_or(Bad::Missing)?;
    *rest = behind;
    Ok(bytes)
}

fn number(rest: &mut &[u8], len: usize) -> Result<u64, Bad> {
    let bytes = bytes(rest, len)?;
    Ok(bytes
        .iter()
        .fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// A number of so many bytes of which the first bit is the sign.
fn signed(rest: &mut &[u8], len: usize) -> Result<f64, Bad> {
    let unused = 64 - 8 * len as u32;
    let number = number(rest, len)?;
    Ok(((number << unused) as i64 >> unused) as f64)
}

fn take(state: &mut State, rest: &mut &[u8], depth: usize) -> Result<Value, Bad> {
    if depth > NESTING_MAX {
        return Err(Bad::Format);
    }
    state.charge(1);
    state.check_room(0)?;
    let mark = bytes(rest, 1)?[0];
    Ok(match mark {
        0..=0x7f => Value::Number(f64::from(mark)),
        0xe0..=0xff => Value::Number(f64::from(mark as i8)),
        0x80..=0x8f => return map(state, rest, usize::from(mark & 15), depth),
        0x90..=0x9f => return list(state, rest, usize::from(mark & 15), depth),
        0xa0..=0xbf => return text(state, rest, usize::from(mark & 31)),
        0xc0 => Value::Nil,
        0xc2 | 0xc3 => Value::Boolean(mark == 0xc3),
        0xca => Value::Number(f64::from(f32::from_bits(number(rest, 4)? as u32))),
        0xcb => Value::Number(f64::from_bits(number(rest, 8)?)),
        0xcc..=0xcf => Value::Number(number(rest, 1 << (mark - 0xcc))? as f64),
        0xd0..=0xd3 => Value::Number(signed(rest, 1 << (mark - 0xd0))?),
        0xc4..=0xc6 | 0xd9..=0xdb => {
            let size = if mark < 0xd0 {
                mark - 0xc4
            } else {
                mark - 0xd9
            };
            let len = number(rest, 1 << size)? as usize;
            return text(state, rest, len);
        }
        0xdc | 0xdd => {
            let len = number(rest, 2 << (mark - 0xdc))? as usize;
            return list(state, rest, len, depth);
        }
        0xde | 0xdf => {
            let len = number(rest, 2 << (mark - 0xde))? as usize;
            return map(state, rest, len, depth);
        }
        _ => return Err(Bad::Format),
    })
}

fn text(state: &mut State, rest: &mut &[u8], len: usize) -> Result<Value, Bad> {
    let text = bytes(rest, len)?;
    Ok(state.new_string(text)?)
}

fn list(state: &mut State, rest: &mut &[u8], len: usize, depth: usize) -> Result<Value, Bad> {
    let table = state.new_table();
    for place in 1..=len {
        let item = take(state, rest, depth + 1)?;
        state.raw_set(table, Value::Number(place as f64), item)?;
    }
    Ok(Value::Table(table))
}

fn map(state: &mut State, rest: &mut &[u8], len: usize, depth: usize) -> Result<Value, Bad> {
    let table = state.new_table();
    for _ in 0..len {
        let key = take(state, rest, depth + 1)?;
        let value = take(state, rest, depth + 1)?;
        state.raw_set(table, key, value)?;
    }
    Ok(Value::Table(table))
}
