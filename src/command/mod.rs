//! What Redis means: a row in a table and a function for each command.
//!
//! A command sees arguments, the store, replicated time, dice and a writer of replies. It never
//! learns who asked, on which connection, or whether its entry came from this member's clients or
//! from a log of last year.

pub mod args;
mod big;
mod connection;
pub mod context;
mod counters;
pub mod error;
mod expiry;
mod extended;
mod hashes;
pub mod key_flags;
mod keys;
mod lcs;
mod object;
pub mod pace;
mod scan;
mod server;
mod set;
pub mod slot;
mod strings;
pub mod table;

#[cfg(test)]
mod tests;
