//! The library `cmsgpack`: values as MessagePack.

mod pack;
mod unpack;

use super::making::{library, set};
use crate::lua::machine::{Definition, State};
use crate::lua::value::Value;

const FUNCTIONS: &[Definition] = &[
    Definition::new("pack", pack::pack),
    Definition::new("unpack", unpack::unpack),
    Definition::new("unpack_one", unpack::unpack_one),
    Definition::new("unpack_limit", unpack::unpack_limit),
];

/// Puts the library into the globals.
pub(super) fn install(state: &mut State) {
    let library = library(state, "cmsgpack", FUNCTIONS);
    let texts = [
        ("_NAME", "cmsgpack"),
        ("_VERSION", "lua-cmsgpack 0.4.0"),
        ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
        ("_DESCRIPTION", "MessagePack C implementation for Lua"),
    ];
    for (name, text) in texts {
        let text = Value::String(state.heap.string(text.as_bytes()));
        set(state, library, name, text);
    }
}
