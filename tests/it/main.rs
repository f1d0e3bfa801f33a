//! The integration tests, as one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it stands; clippy knows that only inside of test functions"
)]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "these tests meet the machine: processes, sockets, threads and its clock"
)]

mod allocations;
mod bare;
mod calls;
mod channels;
mod check;
mod clock_jumps;
mod cluster;
mod commands;
mod company;
mod configuration;
mod core_speed;
mod docs;
mod endings;
mod eviction;
mod fairness;
mod faults;
mod formats;
mod freeing;
mod full_disk;
mod info;
mod layers;
mod loading;
mod pauses;
mod pipeline;
mod process;
mod quorums;
mod replay;
mod restart;
mod room;
mod scripting;
mod scripts;
mod secrets;
mod slowlog;
mod small_scope;
mod stalls;
mod three_nodes;
mod transcripts;
mod waits;
mod watch;
