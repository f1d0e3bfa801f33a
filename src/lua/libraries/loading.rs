//! `load` and `loadstring`: functions out of text.

use alloc::string::String;
use alloc::vec::Vec;

use crate::lua::compile::compile;
use crate::lua::heap::thread::{Give, Scratch};
use crate::lua::machine::{Call, Definition, Outcome, Request, Resumed, State, Thrown};
use crate::lua::value::Value;

type Result<T = Outcome> = core::result::Result<T, Thrown>;

/// The most characters of a chunk's name in an error.
const NAME_MAX: usize = 60;

/// The units of the budget that each byte of a source takes.
const UNITS_PER_BYTE: u64 = 2;
/// The most memory that a byte of a source takes while it is compiled, in bytes.
const CODE_PER_BYTE: usize = 32;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition {
        name: "load",
        run: load,
        resume: Some(load_resumed),
        catches: true,
    },
    Definition::new("loadstring", load_string),
];

fn load_string(state: &mut State, call: Call) -> Result {
    let source = state.string_argument(call, 0)?;
    let name = match state.argument(call, 1) {
        Value::Nil => source,
        _ => state.string_argument(call, 1)?,
    };
    admit(state, state.bytes(source).len())?;
    let source = state.bytes(source).to_vec();
    let name = shown_name(state.bytes(name));
    loaded(state, &source, &name, call.give)
}

fn load(state: &mut State, call: Call) -> Result {
    let reader = state.function_argument(call, 0)?;
    if !state.argument(call, 1).is_nil() {
        state.string_argument(call, 1)?;
    }
    state.wait(call, 2, Scratch::default())?;
    state.call_with(reader, &[], Give::Native)?;
    Ok(Outcome::Later)
}

fn load_resumed(state: &mut State, resumed: Resumed) -> Result {
    if resumed.is_error {
        return Ok(Outcome::Two(Value::Nil, state.slot(resumed.from)));
    }
    let kept = state.scratch().bytes.len();
    match state.first_result(resumed) {
        Value::Nil => {}
        Value::String(piece) => {
            let length = state.bytes(piece).len();
            state.keep_part(piece, 0..length)?;
        }
        Value::Number(_) => {
            let mut text = Vec::new();
            state.append_text(state.first_result(resumed), &mut text);
            state.keep(&text)?;
        }
        _ => {
            let text = state.new_string(b"reader function must return a string")?;
            return Ok(Outcome::Two(Value::Nil, text));
        }
    }
    if state.scratch().bytes.len() > kept {
        let reader = state.slot(resumed.base);
        state.call_with(reader, &[], Give::Native)?;
        return Ok(Outcome::Later);
    }
    let length = state.scratch().bytes.len();
    admit(state, length)?;
    let source = state.take_kept();
    let name = match state.slot(resumed.base + 1) {
        Value::String(name) => shown_name(state.bytes(name)),
        _ => String::from("(load)"),
    };
    let give = state.end_wait();
    match loaded(state, &source, &name, give)? {
        Outcome::Later => Ok(Outcome::Later),
        outcome => {
            state.give(give, outcome)?;
            Ok(Outcome::Later)
        }
    }
}

/// Refuses a source whose code could be too large.
fn admit(state: &mut State, length: usize) -> Result<()> {
    state.check_room(length.saturating_mul(CODE_PER_BYTE))?;
    state.charge(length as u64 * UNITS_PER_BYTE);
    Ok(())
}

fn loaded(state: &mut State, source: &[u8], name: &str, give: Give) -> Result {
    match compile(source, name) {
        Ok(chunk) => {
            state.check_room(chunk.bytes())?;
            let environment = state.environment();
            state.request = Some(Request::Load(chunk, environment, give));
            Ok(Outcome::Later)
        }
        Err(error) => {
            let message = state.new_string_owned(error.message)?;
            Ok(Outcome::Two(Value::Nil, message))
        }
    }
}

/// A chunk's name as errors show it: the name itself, or the first line of the source.
fn shown_name(name: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match name {
        [b'=', rest @ ..] => text(rest.get(..NAME_MAX - 1).unwrap_or(rest)),
        [b'@', rest @ ..] => {
            let room = NAME_MAX - " '...' ".len() - 1;
            match rest.len().checked_sub(room) {
                Some(from @ 1..) => alloc::format!("...{}", text(rest.get(from..).unwrap_or(rest))),
                _ => text(rest),
            }
        }
        _ => {
            let end = name.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let room = NAME_MAX - " [string \"...\"] ".len() - 1;
            let line = name
                .get(..end.unwrap_or(name.len()).min(room))
                .unwrap_or(name);
            let dots = if line.len() < name.len() { "..." } else { "" };
            alloc::format!("[string \"{}{dots}\"]", text(line))
        }
    }
}
