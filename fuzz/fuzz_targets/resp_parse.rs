//! The target `resp_parse`; what it does stands in the library.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| seedis_fuzz::resp_parse::run(data));

#[cfg(not(fuzzing))]
fn main() {}
