//! The commands of Redis: a row in a table and a function for each.
//!
//! A command sees arguments, the store, replicated time, dice and a writer of replies. It never
//! learns who asked, on which connection, or whether its entry came from this member's clients or
//! from a log of last year.

pub mod args;
mod batch;
mod big;
mod bit_work;
mod bits;
mod cluster;
mod combining;
mod connection;
pub mod context;
mod counters;
mod dump;
mod dumping;
pub mod error;
pub mod event;
mod expiry;
mod extended;
pub mod flag;
mod found;
mod geo;
pub mod grammar;
pub mod group;
mod hashes;
mod hll;
pub mod key;
mod keys;
mod lcs;
mod list_search;
mod list_waits;
mod lists;
mod making;
mod object;
pub mod pace;
mod picks;
mod pubsub;
pub mod reach;
pub mod row;
mod scan;
pub mod scripting;
mod searching;
mod server;
mod set;
mod set_combine;
mod set_picks;
mod set_walk;
mod sets;
mod several;
mod sketching;
pub mod slot;
mod sort;
mod sorting;
mod strings;
mod subsequence;
pub mod table;
pub mod tip;
pub mod verb;
pub mod wait;
mod walk;
mod zset;

#[cfg(test)]
mod tests;
