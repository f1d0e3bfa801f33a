//! The libraries of Lua 5.1, without what reads files, prints or looks at a clock.

mod base;
mod bit;
mod cjson;
mod cmsgpack;
mod coroutine;
mod loading;
pub(in crate::lua) mod making;
mod math;
mod os;
mod protected;
mod sorting;
mod string;
mod structs;
mod table;

use alloc::vec::Vec;

use super::machine::{Call, Definition, Outcome, State, Thrown};
use super::value::Value;
use making::{add, function, library, set, upvalue};

/// Puts all libraries into the globals.
pub(in crate::lua) fn install(state: &mut State) {
    let globals = state.globals;
    set(state, globals, "_G", Value::Table(globals));
    let version = Value::String(state.heap.string(b"Lua 5.1"));
    set(state, globals, "_VERSION", version);
    add(state, globals, base::FUNCTIONS);
    add(state, globals, protected::FUNCTIONS);
    add(state, globals, loading::FUNCTIONS);
    base::install_walks(state, globals);
    string::install(state);
    let table = library(state, "table", table::FUNCTIONS);
    add(state, table, sorting::FUNCTIONS);
    let math = library(state, "math", math::FUNCTIONS);
    math::install_numbers(state, math);
    library(state, "coroutine", coroutine::FUNCTIONS);
    library(state, "os", os::FUNCTIONS);
    library(state, "bit", bit::FUNCTIONS);
    library(state, "struct", structs::FUNCTIONS);
    cjson::install(state);
    cmsgpack::install(state);
}

/// A function that refuses to be asked for a name, with a text in front of the name.
pub(in crate::lua) fn refusal(state: &mut State, text: Value) -> Value {
    function(state, Definition::new("refuse", refuse), &[text])
}

fn refuse(state: &mut State, call: Call) -> Result<Outcome, Thrown> {
    let mut text = Vec::new();
    let reason = upvalue(state, call, 0);
    state.append_text(reason, &mut text);
    text.extend_from_slice(b" '");
    let name = state.argument(call, 1);
    state.append_text(name, &mut text);
    text.push(b'\'');
    Err(Thrown::Text(text, 1))
}
