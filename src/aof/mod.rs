//! Durability: records, segments, bases and the manifest; knows bytes and files, not what they
//! mean.
//!
//! Everything here is a state machine that speaks `DiskOp`: a `Recovery` reads what a directory
//! holds and becomes a `Log`, which appends, syncs and rewrites. docs/PERSISTENCE.md draws the
//! files byte by byte.

mod failure;
mod image;
mod incoming;
pub mod log;
pub mod manifest;
mod owing;
mod prepare;
mod reader;
pub mod record;
pub mod recover;
mod repair;
pub mod rewrite;
mod scan;
mod segment;
mod sync;
#[cfg(test)]
mod tests;
mod writing;

pub use failure::Failure;
pub use image::Image;
pub use incoming::{Incoming, NoBase, Piece};
pub use log::{Log, LogSize};
pub use manifest::Debt;
pub use record::Restated;
pub use recover::{Damage, Event, Recovery};
pub use rewrite::RewriteState;
pub use writing::BodyPart;

use alloc::vec::Vec;

use crate::disk::DiskOp;
use crate::ids::Ticket;

/// When a record counts as persisted (`appendfsync`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// When it is synced.
    Always,
    /// When its write has completed; synced every second.
    EverySecond,
    /// When its write has completed; synced when the operating system likes.
    No,
}

/// What a log is told before it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When a record counts as persisted.
    pub policy: Policy,
    /// The size to which a new segment is preallocated, in bytes.
    pub segment_bytes: u64,
    /// An entry of this size is written in pieces of this size, in bytes.
    pub piece_bytes: usize,
    /// What a fresh directory's manifest says about its owner.
    pub identity: Vec<u8>,
}

/// One operation that the disk is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Under which its outcome is told.
    pub ticket: Ticket,
    /// The operation.
    pub op: DiskOp,
}

/// Draws tickets and gathers operations.
#[derive(Clone, Debug, Default)]
struct Tickets(u64);

impl Tickets {
    fn ask(&mut self, op: DiskOp, out: &mut Vec<Op>) -> Ticket {
        self.0 += 1;
        let ticket = Ticket(self.0);
        out.push(Op { ticket, op });
        ticket
    }
}
