//! The bodies of the fuzz targets: functions of bytes that panic when a promise is broken.
//!
//! They know no fuzzer, so that `cargo test` replays what fuzzing has found on any toolchain.

pub mod aof_mutate;
pub mod aof_recover;
mod bytes;
pub mod command_model;
pub mod disk;
mod model;
pub mod resp_parse;
pub mod resp_split;
pub mod served;

/// A target's name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets; a corpus is a folder of this name.
pub const TARGETS: [Target; 5] = [
    ("resp_parse", resp_parse::run),
    ("resp_split", resp_split::run),
    ("command_model", command_model::run),
    ("aof_recover", aof_recover::run),
    ("aof_mutate", aof_mutate::run),
];
