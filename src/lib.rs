//! The core of Seedis: one pure state machine, and the pillars on which it stands.
//!
//! Modules stand in reading order. Nothing in here reads a clock, opens a file, owns a socket or
//! draws from an entropy pool: what happens comes in as an input, what is wanted goes out as an
//! effect. See docs/ARCHITECTURE.md.

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

// Ground.
pub mod checksum;
pub mod copying;
pub mod disk;
pub mod ids;
pub mod limits;
pub mod quoting;
pub mod rng;
pub mod take;
pub mod time;
pub mod varint;

// Pillars: none knows another.
pub mod aof;
pub mod lua;
pub mod raft;
pub mod rdb;
pub mod resp;
pub mod store;

// What Redis means.
pub mod command;

// One client.
pub mod session;

// The one server.
pub mod node;
