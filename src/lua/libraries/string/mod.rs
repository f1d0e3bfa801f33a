//! The library `string`.

mod formatting;
mod matching;
mod pattern;

use alloc::vec::Vec;

use crate::lua::libraries::making::{add, library, set};
use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::value::{TableRef, Value};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

/// The most bytes that `byte` gives as numbers.
const BYTES_MAX: usize = 7990;

const FUNCTIONS: &[Definition] = &[
    Definition::new("byte", byte),
    Definition::new("char", char),
    Definition::new("dump", dump),
    Definition::new("len", len),
    Definition::new("lower", |state, call| {
        map(state, call, |byte| byte.to_ascii_lowercase())
    }),
    Definition::new("rep", repeat),
    Definition::new("reverse", reverse),
    Definition::new("sub", sub),
    Definition::new("upper", |state, call| {
        map(state, call, |byte| byte.to_ascii_uppercase())
    }),
];

/// Puts the library into the globals, and makes it the index of all strings.
pub(super) fn install(state: &mut State) -> TableRef {
    let string = library(state, "string", FUNCTIONS);
    add(state, string, formatting::FUNCTIONS);
    add(state, string, matching::FUNCTIONS);
    // An older name of the same function.
    let name = Value::String(state.heap.string(b"gmatch"));
    let each_match = state.raw_get(string, name);
    set(state, string, "gfind", each_match);
    let metatable = state.new_table();
    set(state, metatable, "__index", Value::Table(string));
    state.string_metatable = Some(metatable);
    string
}

/// The part of a text of some length from `first` to `last`, which may count from its end.
fn range(first: i64, last: i64, length: usize) -> core::ops::Range<usize> {
    let length = length as i64;
    let place = |at: i64| {
        if at < 0 {
            at.saturating_add(length + 1).max(0)
        } else {
            at
        }
    };
    let (first, last) = (place(first).max(1), place(last).min(length));
    if first > last {
        return 0..0;
    }
    (first - 1) as usize..last as usize
}

fn len(state: &mut State, call: Call) -> Result {
    let string = state.string_argument(call, 0)?;
    Ok(Outcome::One(
        Value::Number(state.bytes(string).len() as f64),
    ))
}

fn sub(state: &mut State, call: Call) -> Result {
    let string = state.string_argument(call, 0)?;
    let (first, last) = (
        state.integer_argument(call, 1)?,
        state.integer_or(call, 2, -1)?,
    );
    let range = range(first, last, state.bytes(string).len());
    let part = state.substring(string, range.start, range.len())?;
    Ok(Outcome::One(part))
}

fn map(state: &mut State, call: Call, each: fn(&u8) -> u8) -> Result {
    let string = state.string_argument(call, 0)?;
    state.check_room(state.bytes(string).len())?;
    let mapped: Vec<u8> = state.bytes(string).iter().map(each).collect();
    state.charge(mapped.len() as u64 / 32);
    state.new_string_owned(mapped).map(Outcome::One)
}

fn reverse(state: &mut State, call: Call) -> Result {
    let string = state.string_argument(call, 0)?;
    state.check_room(state.bytes(string).len())?;
    let reversed: Vec<u8> = state.bytes(string).iter().rev().copied().collect();
    state.charge(reversed.len() as u64 / 32);
    state.new_string_owned(reversed).map(Outcome::One)
}

fn repeat(state: &mut State, call: Call) -> Result {
    let string = state.string_argument(call, 0)?;
    let count = usize::try_from(state.int_argument(call, 1)?).unwrap_or(0);
    let length = state.bytes(string).len();
    let total = length.saturating_mul(count);
    if length == 0 || total == 0 {
        return state.new_string(b"").map(Outcome::One);
    }
    state.check_room(total)?;
    state.charge(total as u64 / 32);
    let repeated = state.bytes(string).repeat(count);
    state.new_string_owned(repeated).map(Outcome::One)
}

fn byte(state: &mut State, call: Call) -> Result {
    let string = state.string_argument(call, 0)?;
    let first = state.integer_or(call, 1, 1)?;
    let last = state.integer_or(call, 2, first)?;
    let bytes = state.bytes(string);
    let range = range(first, last, bytes.len());
    if range.len() > BYTES_MAX {
        return Err(state.error("string slice too long"));
    }
    let part = bytes.get(range).unwrap_or_default();
    if let [byte] = part {
        return Ok(Outcome::One(Value::Number(f64::from(*byte))));
    }
    let values = part.iter().map(|byte| Value::Number(f64::from(*byte)));
    Ok(Outcome::Many(values.collect()))
}

fn char(state: &mut State, call: Call) -> Result {
    let mut bytes = Vec::with_capacity(call.count);
    for at in 0..call.count {
        match u8::try_from(state.int_argument(call, at)?) {
            Ok(byte) => bytes.push(byte),
            Err(_) => return Err(state.argument_error(at, "invalid value")),
        }
    }
    state.new_string_owned(bytes).map(Outcome::One)
}

fn dump(state: &mut State, call: Call) -> Result {
    state.function_argument(call, 0)?;
    Err(state.error("unable to dump given function"))
}
