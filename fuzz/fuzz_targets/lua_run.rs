//! The target `lua_run`; what it does stands in the library.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| seedis_fuzz::lua_run::run(data));

#[cfg(not(fuzzing))]
fn main() {}
