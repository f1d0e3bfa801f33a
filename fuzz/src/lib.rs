//! The bodies of the fuzz targets: functions of bytes that panic when a promise is broken.
//!
//! They know no fuzzer, so that `cargo test` replays what fuzzing has found on any toolchain.

pub mod aof_mutate;
pub mod aof_recover;
mod bytes;
pub mod command_line;
pub mod command_model;
pub mod config_file;
pub mod decisions;
pub mod disk;
mod frames;
pub mod lua_run;
mod model;
pub mod raft_disk;
pub mod raft_frames;
mod raft_host;
pub mod raft_wire;
pub mod rdb_restore;
pub mod resp_parse;
pub mod resp_split;
pub mod served;

/// A target's name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets; a corpus is a folder of this name.
pub const TARGETS: [Target; 12] = [
    ("resp_parse", resp_parse::run),
    ("resp_split", resp_split::run),
    ("command_model", command_model::run),
    ("aof_recover", aof_recover::run),
    ("aof_mutate", aof_mutate::run),
    ("raft_wire", raft_wire::run),
    ("raft_frames", raft_frames::run),
    ("decisions", decisions::run),
    ("config_file", config_file::run),
    ("command_line", command_line::run),
    ("rdb_restore", rdb_restore::run),
    ("lua_run", lua_run::run),
];
