//! The library `cjson`.

mod decode;
mod encode;
mod settings;

use super::making::{function, set};
use crate::lua::heap::objects::Userdata;
use crate::lua::machine::{Definition, State};
use crate::lua::value::Value;
use settings::DEFAULTS;

const FUNCTIONS: &[Definition] = &[
    Definition::new("encode", encode::encode),
    Definition::new("decode", decode::decode),
    Definition::new("encode_sparse_array", settings::encode_sparse_array),
    Definition::new("encode_max_depth", settings::encode_max_depth),
    Definition::new("decode_max_depth", settings::decode_max_depth),
    Definition::new("encode_number_precision", settings::encode_number_precision),
    Definition::new("encode_keep_buffer", settings::encode_keep_buffer),
    Definition::new("encode_invalid_numbers", settings::encode_invalid_numbers),
    Definition::new("decode_invalid_numbers", settings::decode_invalid_numbers),
];

/// Puts the library into the globals.
pub(super) fn install(state: &mut State) {
    let (settings, library) = (state.new_table(), state.new_table());
    for (place, value) in (1_u32..).zip(DEFAULTS) {
        let key = Value::Number(f64::from(place));
        state.heap.set(settings, key, Value::Number(value));
    }
    let null = Value::Userdata(state.heap.new_userdata(Userdata { metatable: None }));
    for definition in FUNCTIONS {
        let value = function(state, *definition, &[Value::Table(settings), null]);
        set(state, library, definition.name, value);
    }
    set(state, library, "null", null);
    for (name, text) in [("_NAME", "cjson"), ("_VERSION", "2.1.0")] {
        let text = Value::String(state.heap.string(text.as_bytes()));
        set(state, library, name, text);
    }
    let globals = state.globals;
    set(state, globals, "cjson", Value::Table(library));
}
