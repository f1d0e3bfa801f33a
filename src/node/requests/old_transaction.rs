//! A transaction of reads on a member that does not lead: its commands, and how far it has come.

use alloc::vec::Vec;
use core::ops::Range;

use crate::ids::ConnId;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Protocol;

use super::entry::{Item, Reader};

/// A transaction of reads that is being run.
#[derive(Clone, Debug)]
pub(super) struct OldTransaction {
    pub(super) slot: u32,
    pub(super) conn: ConnId,
    /// Its commands, as `entry` encodes them.
    pub(super) commands: Vec<u8>,
    /// The place at which the next one begins.
    pub(super) at: usize,
    pub(super) count: u32,
    pub(super) next: u32,
    /// The step before `next`: its database, its words, and which of this member's reads it is.
    pub(super) db: u32,
    pub(super) ranges: Vec<Range<u32>>,
    pub(super) nth: u64,
    /// It stands in its middle.
    pub(super) is_cut: bool,
    /// The reply so far, and the place at which that to the present step begins.
    pub(super) out: Vec<u8>,
    pub(super) mark: usize,
    /// How the next step is answered: HELLO and CLIENT REPLY may change it on the way.
    pub(super) protocol: Protocol,
    pub(super) is_silent: bool,
    /// True if EXEC is answered at all.
    pub(super) was_silent: bool,
}

impl OldTransaction {
    pub(super) fn client(&self) -> (u32, ConnId) {
        (self.slot, self.conn)
    }

    /// Goes to the next step, and says what that costs; nothing at the end.
    pub(super) fn step(&mut self) -> Option<usize> {
        if self.next == self.count {
            return None;
        }
        let mut reader = Reader::at(&self.commands, self.at);
        let Some(Item::Command { db }) = reader.next(&mut self.ranges) else {
            return None;
        };
        let work = 1 + (reader.place() - self.at) / BYTES_PER_WORK;
        (self.at, self.db) = (reader.place(), db);
        self.next += 1;
        self.mark = self.out.len();
        Some(work)
    }
}
