//! The target `raft_frames`; what it does stands in the library.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| seedis_fuzz::raft_frames::run(data));

#[cfg(not(fuzzing))]
fn main() {}
