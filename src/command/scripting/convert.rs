//! Replies of commands as values of Lua.

use alloc::vec::Vec;

use crate::lua::{Machine, Value};

/// The deepest nesting of a reply that becomes a value.
const DEPTH_MAX: usize = 64;

/// The value that a whole reply is, if there is room for it; nil where it is no reply, which no
/// command writes.
pub(super) fn value_of(machine: &mut Machine, mut reply: &[u8]) -> Option<Value> {
    let value = take(machine, &mut reply, 0);
    let has_room = machine.has_room(0);
    has_room.then(|| value.unwrap_or(Value::Nil))
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\r')?;
    let (line, behind) = rest.split_at(end);
    *rest = behind.get(2..)?;
    Some(line)
}

fn number(line: &[u8]) -> Option<i64> {
    core::str::from_utf8(line).ok()?.parse().ok()
}

fn blob<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let bytes = rest.get(..len)?;
    *rest = rest.get(len + 2..)?;
    Some(bytes)
}

/// A table with this one field.
fn with_field(machine: &mut Machine, name: &str, value: Value) -> Value {
    let table = machine.table();
    machine.set_field(table, name, value);
    table
}

/// An error as a script sees it: the text without the mark in front.
pub(super) fn error_value(machine: &mut Machine, text: &[u8]) -> Value {
    let text = machine.string(text);
    with_field(machine, "err", text)
}

/// The text of an error that a script has failed with: it has a code in front.
pub(super) fn failure_text(machine: &Machine, error: Value) -> Vec<u8> {
    let mut text = Vec::new();
    let is_told = match error {
        Value::Table(_) => {
            let field = machine.get_field(error, "err");
            machine.text(field, &mut text)
        }
        error => {
            text.extend_from_slice(b"ERR ");
            let shown: &[u8] = match error {
                Value::Boolean(true) => b"true",
                Value::Boolean(false) => b"false",
                error if machine.text(error, &mut text) => b"",
                error => machine.type_name(error).as_bytes(),
            };
            text.extend_from_slice(shown);
            true
        }
    };
    if !is_told {
        text.extend_from_slice(b"ERR unknown error");
    }
    text
}

/// The value of the reply in front of `rest`.
fn take(machine: &mut Machine, rest: &mut &[u8], depth: usize) -> Option<Value> {
    if depth > DEPTH_MAX || !machine.has_room(0) {
        return None;
    }
    let (mark, behind) = rest.split_first()?;
    *rest = behind;
    let line = line(rest)?;
    Some(match mark {
        b'+' => {
            let text = machine.string(line);
            with_field(machine, "ok", text)
        }
        b'-' => error_value(machine, line),
        b':' => Value::Number(number(line)? as f64),
        b'$' => match number(line)? {
            ..0 => Value::Boolean(false),
            len => {
                let bytes = blob(rest, len as usize)?;
                machine.string(bytes)
            }
        },
        b'*' => match number(line)? {
            ..0 => Value::Boolean(false),
            len => {
                let table = machine.table();
                for place in 1..=len {
                    let item = take(machine, rest, depth + 1)?;
                    machine.set(table, Value::Number(place as f64), item);
                }
                table
            }
        },
        b'%' => {
            let map = machine.table();
            for _ in 0..number(line)? {
                let key = take(machine, rest, depth + 1)?;
                let value = take(machine, rest, depth + 1)?;
                machine.set(map, key, value);
            }
            with_field(machine, "map", map)
        }
        b'~' => {
            let set = machine.table();
            for _ in 0..number(line)? {
                let member = take(machine, rest, depth + 1)?;
                machine.set(set, member, Value::Boolean(true));
            }
            with_field(machine, "set", set)
        }
        b'_' => Value::Nil,
        b'#' => Value::Boolean(line == b"t"),
        b',' => {
            let number = core::str::from_utf8(line).ok()?.parse().ok()?;
            with_field(machine, "double", Value::Number(number))
        }
        b'(' => {
            let digits = machine.string(line);
            with_field(machine, "big_number", digits)
        }
        b'=' => {
            let bytes = blob(rest, usize::try_from(number(line)?).ok()?)?;
            let (format, text) = (bytes.get(..3)?, bytes.get(4..)?);
            let (format, text) = (machine.string(format), machine.string(text));
            let verbatim = with_field(machine, "string", text);
            machine.set_field(verbatim, "format", format);
            with_field(machine, "verbatim_string", verbatim)
        }
        _ => return None,
    })
}
