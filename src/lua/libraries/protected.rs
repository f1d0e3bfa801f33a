//! `pcall` and `xpcall`: calls whose errors are results.

use crate::lua::heap::thread::{Give, Scratch};
use crate::lua::machine::{Call, Definition, Outcome, Resumed, State, Thrown};
use crate::lua::value::Value;

type Result = core::result::Result<Outcome, Thrown>;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition {
        name: "pcall",
        run: protected,
        resume: Some(protected_resumed),
        catches: true,
    },
    Definition {
        name: "xpcall",
        run: handled,
        resume: Some(handled_resumed),
        catches: true,
    },
];

fn protected(state: &mut State, call: Call) -> Result {
    state.any_argument(call, 0)?;
    state.wait(call, call.count, Scratch::default())?;
    state.call(call.base, call.count - 1, Give::Native, None)?;
    Ok(Outcome::Later)
}

fn protected_resumed(state: &mut State, resumed: Resumed) -> Result {
    if resumed.is_error {
        let error = unwrapped(state, state.slot(resumed.from));
        return Ok(Outcome::Two(Value::Boolean(false), error));
    }
    good(state, resumed)
}

/// The field of an error that the host wants given instead of it.
fn unwrapped(state: &State, error: Value) -> Value {
    if let (Value::Table(table), Some(field)) = (error, state.error_field) {
        let text = state.heap.table(table).get_text(field);
        if let Value::String(_) = text {
            return text;
        }
    }
    error
}

/// True, and the results behind it.
fn good(state: &mut State, resumed: Resumed) -> Result {
    if resumed.count == 0 {
        return Ok(Outcome::One(Value::Boolean(true)));
    }
    // The function itself, or something of it, stood before its results.
    state.set_slot(resumed.from - 1, Value::Boolean(true));
    Ok(Outcome::Stack(resumed.from - 1, resumed.count + 1))
}

fn handled(state: &mut State, call: Call) -> Result {
    state.any_argument(call, 1)?;
    state.wait(call, 2, Scratch::default())?;
    let function = state.slot(call.base);
    state.call_with(function, &[], Give::Native)?;
    Ok(Outcome::Later)
}

fn handled_resumed(state: &mut State, resumed: Resumed) -> Result {
    let is_handling = state.scratch().numbers[0] > 0;
    match (resumed.is_error, is_handling) {
        (false, false) => good(state, resumed),
        (false, true) => Ok(Outcome::Two(
            Value::Boolean(false),
            state.first_result(resumed),
        )),
        (true, true) => failed_twice(state),
        (true, false) => {
            state.scratch().numbers[0] = 1;
            let error = state.slot(resumed.from);
            let handler = state.slot(resumed.base + 1);
            match state.call_with(handler, &[error], Give::Native) {
                Ok(()) => Ok(Outcome::Later),
                Err(_) => failed_twice(state),
            }
        }
    }
}

fn failed_twice(state: &mut State) -> Result {
    let text = state.new_string(b"error in error handling")?;
    Ok(Outcome::Two(Value::Boolean(false), text))
}
