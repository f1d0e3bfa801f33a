//! Functions and tables of libraries, made out of definitions.

use crate::lua::heap::objects::{Body, Native};
use crate::lua::machine::{Call, Definition, State};
use crate::lua::value::{TableRef, Value};

/// A table of functions under a global name.
pub(in crate::lua) fn library(state: &mut State, name: &str, functions: &[Definition]) -> TableRef {
    let table = state.new_table();
    add(state, table, functions);
    let globals = state.globals;
    set(state, globals, name, Value::Table(table));
    table
}

/// Puts functions into a table.
pub(in crate::lua) fn add(state: &mut State, table: TableRef, functions: &[Definition]) {
    for definition in functions {
        let value = function(state, *definition, &[]);
        set(state, table, definition.name, value);
    }
}

/// Sets a field.
pub(in crate::lua) fn set(state: &mut State, table: TableRef, name: &str, value: Value) {
    let name = Value::String(state.heap.string(name.as_bytes()));
    state.heap.set(table, name, value);
}

/// A function value of a definition, with values that it keeps.
pub(in crate::lua) fn function(
    state: &mut State,
    definition: Definition,
    upvalues: &[Value],
) -> Value {
    let place = place_of(state, definition);
    let native = Native {
        body: Body::Library(place),
        upvalues: upvalues.into(),
    };
    Value::Native(state.heap.new_native(native))
}

/// The place of a definition; one of the same name and function is the same.
fn place_of(state: &mut State, definition: Definition) -> u16 {
    let is_it = |known: &Definition| {
        known.name == definition.name && core::ptr::fn_addr_eq(known.run, definition.run)
    };
    if let Some(place) = state.definitions.iter().position(is_it) {
        return place as u16;
    }
    state.definitions.push(definition);
    (state.definitions.len() - 1) as u16
}

/// Changes a value that the called library function keeps.
pub(in crate::lua) fn set_upvalue(state: &mut State, call: Call, at: usize, value: Value) {
    if let Value::Native(native) = state.slot(call.base - 1)
        && let Some(kept) = state.heap.natives.at_mut(native.0).upvalues.get_mut(at)
    {
        *kept = value;
    }
}

/// A value that the called library function keeps.
pub(in crate::lua) fn upvalue(state: &State, call: Call, at: usize) -> Value {
    match state.slot(call.base - 1) {
        Value::Native(native) => {
            let upvalues = &state.heap.natives.at(native.0).upvalues;
            upvalues.get(at).copied().unwrap_or_default()
        }
        _ => Value::Nil,
    }
}
