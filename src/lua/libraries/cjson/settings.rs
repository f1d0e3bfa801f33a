//! The settings of `cjson`, in a table that no script sees; they begin anew with each script.

use alloc::string::String;

use crate::lua::libraries::making::upvalue;
use crate::lua::machine::{Call, Outcome, State, Thrown};
use crate::lua::value::{TableRef, Value};

/// The settings, each with its number, and the value that it begins with.
#[derive(Clone, Copy)]
pub(super) enum Setting {
    SparseConverts,
    SparseRatio,
    SparseSafe,
    EncodeDepth,
    DecodeDepth,
    Precision,
    KeepsBuffer,
    EncodesInvalid,
    DecodesInvalid,
}

/// The values in the order of the settings.
pub(super) const DEFAULTS: [f64; 9] = [0.0, 2.0, 10.0, 1000.0, 1000.0, 14.0, 1.0, 0.0, 1.0];

/// The deepest nesting that a script may ask for.
const DEPTH_MAX: i64 = 1000;

/// The value that stands for null.
pub(super) fn null(state: &State, call: Call) -> Value {
    upvalue(state, call, 1)
}

fn settings(state: &State, call: Call) -> Option<TableRef> {
    match upvalue(state, call, 0) {
        Value::Table(settings) => Some(settings),
        _ => None,
    }
}

pub(super) fn get(state: &State, call: Call, setting: Setting) -> f64 {
    let key = Value::Number(f64::from(setting as u32 + 1));
    match settings(state, call).map(|settings| state.raw_get(settings, key)) {
        Some(Value::Number(value)) => value,
        _ => DEFAULTS[setting as usize],
    }
}

fn put(state: &mut State, call: Call, setting: Setting, value: f64) {
    if let Some(settings) = settings(state, call) {
        let key = Value::Number(f64::from(setting as u32 + 1));
        state.heap.set_as_host(settings, key, Value::Number(value));
    }
}

/// Sets a whole number within bounds, where one is given, and answers what is in force.
fn integer(
    state: &mut State,
    call: Call,
    at: usize,
    setting: Setting,
    (least, most): (i64, i64),
) -> Result<Value, Thrown> {
    if !state.argument(call, at).is_nil() {
        let value = state.integer_argument(call, at)?;
        if !(least..=most).contains(&value) {
            let text = alloc::format!("expected integer between {least} and {most}");
            return Err(state.argument_error(at, &text));
        }
        put(state, call, setting, value as f64);
    }
    Ok(Value::Number(get(state, call, setting)))
}

/// Sets a truth, where one is given, and answers what is in force.
fn truth(state: &mut State, call: Call, at: usize, setting: Setting) -> Result<Value, Thrown> {
    option(state, call, at, setting, &["off", "on"])
}

/// Sets one of some options, the first of which is false and the second true, and answers what is
/// in force.
fn option(
    state: &mut State,
    call: Call,
    at: usize,
    setting: Setting,
    options: &[&str],
) -> Result<Value, Thrown> {
    match state.argument(call, at) {
        Value::Nil => {}
        Value::Boolean(is_on) => put(state, call, setting, f64::from(u8::from(is_on))),
        given => {
            let text = match given {
                Value::String(text) => state.bytes(text),
                _ => return Err(state.type_error(call, at, "string")),
            };
            let place = options.iter().position(|one| one.as_bytes() == text);
            let Some(place) = place else {
                let text = String::from_utf8_lossy(text);
                let text = alloc::format!("invalid option '{text}'");
                return Err(state.argument_error(at, &text));
            };
            put(state, call, setting, place as f64);
        }
    }
    match get(state, call, setting) as usize {
        place @ 0..=1 => Ok(Value::Boolean(place == 1)),
        place => state.new_string(options.get(place).copied().unwrap_or_default().as_bytes()),
    }
}

pub(super) fn encode_sparse_array(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let most = (0, i64::from(i32::MAX));
    let converts = truth(state, call, 0, Setting::SparseConverts)?;
    let ratio = integer(state, call, 1, Setting::SparseRatio, most)?;
    let safe = integer(state, call, 2, Setting::SparseSafe, most)?;
    Ok(Outcome::Many(alloc::vec![converts, ratio, safe]))
}

pub(super) fn encode_max_depth(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    integer(state, call, 0, Setting::EncodeDepth, (1, DEPTH_MAX)).map(Outcome::One)
}

pub(super) fn decode_max_depth(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    integer(state, call, 0, Setting::DecodeDepth, (1, DEPTH_MAX)).map(Outcome::One)
}

pub(super) fn encode_number_precision(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    integer(state, call, 0, Setting::Precision, (1, 16)).map(Outcome::One)
}

pub(super) fn encode_keep_buffer(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    truth(state, call, 0, Setting::KeepsBuffer).map(Outcome::One)
}

pub(super) fn encode_invalid_numbers(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let options = ["off", "on", "null"];
    option(state, call, 0, Setting::EncodesInvalid, &options).map(Outcome::One)
}

pub(super) fn decode_invalid_numbers(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    truth(state, call, 0, Setting::DecodesInvalid).map(Outcome::One)
}
