//! Coroutines, as scripts make and resume them.

use alloc::string::String;

use super::making::{function, upvalue};
use crate::lua::heap::thread::Status;
use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::value::{CoroutineRef, Value};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("create", create),
    Definition::new("resume", resume),
    Definition::new("running", running),
    Definition::new("status", status),
    Definition::new("wrap", wrap),
    Definition::new("yield", suspend),
];

/// A function written in Lua; others cannot be the body of a coroutine.
fn body(state: &State, call: Call) -> Result<Value> {
    match state.argument(call, 0) {
        body @ Value::Function(_) => Ok(body),
        _ => Err(state.argument_error(0, "Lua function expected")),
    }
}

fn create(state: &mut State, call: Call) -> Result {
    let body = body(state, call)?;
    Ok(Outcome::One(state.new_coroutine(body, false)))
}

fn wrap(state: &mut State, call: Call) -> Result {
    let body = body(state, call)?;
    let coroutine = state.new_coroutine(body, true);
    let resume = Definition::new("wrapped", resume_wrapped);
    Ok(Outcome::One(function(state, resume, &[coroutine])))
}

fn coroutine_argument(state: &State, call: Call) -> Result<CoroutineRef> {
    match state.argument(call, 0) {
        Value::Coroutine(coroutine) => Ok(coroutine),
        _ => Err(state.argument_error(0, "coroutine expected")),
    }
}

/// Why a coroutine cannot be resumed, if it cannot.
fn refusal(state: &State, coroutine: CoroutineRef) -> Option<String> {
    let status = state.status_of(coroutine);
    if status == Status::Suspended {
        return None;
    }
    Some(alloc::format!(
        "cannot resume {} coroutine",
        name_of(status)
    ))
}

fn name_of(status: Status) -> &'static str {
    match status {
        Status::Suspended => "suspended",
        Status::Running => "running",
        Status::Normal => "normal",
        Status::Dead => "dead",
    }
}

fn resume(state: &mut State, call: Call) -> Result {
    let coroutine = coroutine_argument(state, call)?;
    if let Some(why) = refusal(state, coroutine) {
        let why = state.new_string(why.as_bytes())?;
        return Ok(Outcome::Two(Value::Boolean(false), why));
    }
    state.resume(coroutine, call.base + 1, call.count - 1, call.give)?;
    Ok(Outcome::Later)
}

fn resume_wrapped(state: &mut State, call: Call) -> Result {
    let Value::Coroutine(coroutine) = upvalue(state, call, 0) else {
        return Ok(Outcome::Nothing);
    };
    if let Some(why) = refusal(state, coroutine) {
        return Err(state.error(&why));
    }
    state.resume(coroutine, call.base, call.count, call.give)?;
    Ok(Outcome::Later)
}

fn running(state: &mut State, _: Call) -> Result {
    Ok(match state.current {
        0 => Outcome::One(Value::Nil),
        current => Outcome::One(Value::Coroutine(CoroutineRef(current))),
    })
}

fn status(state: &mut State, call: Call) -> Result {
    let coroutine = coroutine_argument(state, call)?;
    let name = name_of(state.status_of(coroutine));
    state.new_string(name.as_bytes()).map(Outcome::One)
}

fn suspend(state: &mut State, call: Call) -> Result {
    if state.current == 0 {
        return Err(state.error("attempt to yield across metamethod/C-call boundary"));
    }
    state.suspend(call.base, call.count, call.give)?;
    Ok(Outcome::Later)
}
