//! The target `command_line`; what it does stands in the library.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| seedis_fuzz::command_line::run(data));

#[cfg(not(fuzzing))]
fn main() {}
