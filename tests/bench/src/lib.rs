//! A lean load generator, and what it measures of servers that speak RESP.
//!
//! `docs/PERFORMANCE.md` says how to measure with it and what the columns mean. It knows Seedis
//! only as a program, as it knows the peers beside it: what holds for one holds for all.

mod cli;
pub mod compare;
pub mod cores;
pub mod counts;
pub mod failure;
pub mod load;
pub mod loads;
pub mod machine;
pub mod programs;
pub mod server;
pub mod statistics;
pub mod table;
pub mod tail;

pub use cli::main;
