//! The functions of the table `redis`.

use alloc::vec::Vec;

use super::machines::Function;
use super::order;
use super::running::{Pending, Running};
use super::{convert, lines, name, number};
use crate::command::table;
use crate::lua::Value;

/// The longest command, in bytes: a script may name one long string many times.
const COMMAND_BYTES_MAX: usize = 512 << 20;

/// The outcome of a call.
#[derive(Debug)]
pub(super) enum Done {
    /// It returns a value.
    Answer(Value),
    /// It returns nothing.
    Nothing,
    /// It raises an error with this text.
    Throw(Vec<u8>),
    /// A command is to be run.
    Command(Pending),
}

fn throw(text: &str) -> Done {
    Done::Throw(text.as_bytes().to_vec())
}

/// Runs a function whose arguments stand ready in the machine.
pub(super) fn run(running: &mut Running, function: Function) -> Done {
    let arguments = running.machine.arguments().to_vec();
    let texts = arguments
        .iter()
        .filter_map(|one| running.machine.bytes(*one));
    let bytes: usize = texts.map(<[u8]>::len).sum();
    // A digest costs as much for a byte as an instruction does; others copy.
    let bytes_per_unit = if function == Function::Sha1Hex { 1 } else { 16 };
    running.machine.charge(bytes as u64 / bytes_per_unit);
    match function {
        Function::Call => command(running, &arguments, true),
        Function::PCall => command(running, &arguments, false),
        Function::ErrorReply => error_reply(running, &arguments),
        Function::StatusReply => {
            let [text @ Value::String(_)] = arguments[..] else {
                return wrong_arguments(running);
            };
            let table = running.machine.table();
            running.machine.set_field(table, "ok", text);
            Done::Answer(table)
        }
        Function::Sha1Hex => {
            let [value] = arguments[..] else {
                return throw("ERR wrong number of arguments");
            };
            let mut text = Vec::new();
            running.machine.text(value, &mut text);
            Done::Answer(running.machine.string(&name::of(&text)))
        }
        Function::Log => log(running, &arguments),
        Function::SetResp => match arguments[..] {
            [version] => match running.machine.number(version).map(number::integer) {
                Some(2) => set_resp(running, false),
                Some(3) => set_resp(running, true),
                _ => throw("ERR RESP version must be 2 or 3."),
            },
            _ => throw("ERR redis.setresp() requires one argument."),
        },
        Function::Breakpoint => Done::Answer(Value::Boolean(false)),
        Function::Debug => Done::Nothing,
        Function::SetRepl => match arguments[..] {
            [Value::Number(flags)] if (0.0..=3.0).contains(&flags) => Done::Nothing,
            [_] => throw(
                "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
            ),
            _ => throw("ERR redis.set_repl() requires two arguments."),
        },
        Function::ReplicateCommands => Done::Answer(Value::Boolean(true)),
        Function::AclCheckCmd => acl_check_cmd(running, &arguments),
        Function::Register => {
            throw("ERR redis.register_function can only be called on FUNCTION LOAD command")
        }
    }
}

fn set_resp(running: &mut Running, speaks_resp3: bool) -> Done {
    running.speaks_resp3 = speaks_resp3;
    Done::Nothing
}

fn wrong_arguments(running: &mut Running) -> Done {
    let text = b"ERR wrong number or type of arguments";
    Done::Answer(convert::error_value(&mut running.machine, text))
}

/// An error as a value: its text has a code in front, or gets the usual one.
fn error_reply(running: &mut Running, arguments: &[Value]) -> Done {
    let [text @ Value::String(_)] = *arguments else {
        return wrong_arguments(running);
    };
    let text = running.machine.bytes(text).unwrap_or_default();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let text = text.trim_ascii_end();
    let has_code = text.contains(&b' ');
    let code: &[u8] = if has_code { b"" } else { b"ERR " };
    let whole = [code, text].concat();
    Done::Answer(convert::error_value(&mut running.machine, &whole))
}

/// A script writes a line into the server's log.
fn log(running: &mut Running, arguments: &[Value]) -> Done {
    match lines::of(&mut running.machine, arguments, &mut running.written) {
        Ok(line) => {
            running.lines.extend(line);
            Done::Nothing
        }
        Err(text) => throw(text),
    }
}

fn acl_check_cmd(running: &mut Running, arguments: &[Value]) -> Done {
    let words = match words(running, arguments) {
        Ok(words) => words,
        Err(text) => return throw(text),
    };
    // There is one user, who may do everything.
    let name = words
        .ranges
        .first()
        .map(|range| &words.buffer[range.start as usize..range.end as usize]);
    match name.and_then(table::find) {
        Some(_) => Done::Answer(Value::Boolean(true)),
        None => throw("ERR Invalid command passed to redis.acl_check_cmd()"),
    }
}

/// The words of a command.
fn words(running: &Running, arguments: &[Value]) -> Result<Pending, &'static str> {
    if arguments.is_empty() {
        return Err("ERR Please specify at least one argument for this redis lib call");
    }
    let mut pending = Pending::default();
    for argument in arguments {
        let from = pending.buffer.len() as u32;
        match *argument {
            Value::Number(number) => {
                let text = number::argument(number);
                pending.buffer.extend_from_slice(&text);
            }
            value => match running.machine.bytes(value) {
                Some(bytes) => {
                    let whole = pending.buffer.len() + bytes.len();
                    if !running.machine.has_room(whole) {
                        return Err("ERR not enough memory");
                    }
                    pending.buffer.extend_from_slice(bytes);
                }
                None => {
                    return Err("ERR Lua redis lib command arguments must be strings or integers");
                }
            },
        }
        if pending.buffer.len() > COMMAND_BYTES_MAX {
            return Err("ERR the command of a script is too long");
        }
        pending.ranges.push(from..pending.buffer.len() as u32);
    }
    Ok(pending)
}

fn command(running: &mut Running, arguments: &[Value], raises: bool) -> Done {
    let mut pending = match words(running, arguments) {
        Ok(pending) => pending,
        Err(text) if raises => return throw(text),
        Err(text) => {
            let error = convert::error_value(&mut running.machine, text.as_bytes());
            return Done::Answer(error);
        }
    };
    pending.raises = raises;
    walk_whole(&mut pending);
    Done::Command(pending)
}

/// An iteration is run to its end at once, from whatever cursor: the place at which it would be cut
/// depends on the member.
fn walk_whole(pending: &mut Pending) {
    let word = |place: usize| {
        let range = pending.ranges.get(place)?;
        pending.buffer.get(range.start as usize..range.end as usize)
    };
    let order = word(0).and_then(table::find).and_then(order::of);
    if !order.is_some_and(|order| order.is_walk()) {
        return;
    }
    for more in [&b"COUNT"[..], b"9223372036854775807"] {
        let from = pending.buffer.len() as u32;
        pending.buffer.extend_from_slice(more);
        pending.ranges.push(from..pending.buffer.len() as u32);
    }
}
