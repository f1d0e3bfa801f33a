//! `os.clock`, which counts instructions: there is no clock.

use crate::lua::machine::{Call, Definition, Outcome, State, Thrown};
use crate::lua::value::Value;

/// Instructions of one second of `os.clock`.
const INSTRUCTIONS_PER_S: f64 = 1e8;

pub(super) const FUNCTIONS: &[Definition] = &[Definition::new("clock", clock)];

fn clock(state: &mut State, _: Call) -> Result<Outcome, Thrown> {
    Ok(Outcome::One(Value::Number(
        state.used() as f64 / INSTRUCTIONS_PER_S,
    )))
}
