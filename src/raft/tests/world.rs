//! How bad the world of the network is, and what its disks hold.

use crate::ids::{LogIndex, NodeId, PersistSeq, Term};
use crate::raft::message::EntryId;
use crate::raft::*;

/// How bad the world is.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// Messages of a hundred that are lost.
    pub(super) loss: u64,
    /// Messages of a hundred that come twice.
    pub(super) doubled: u64,
    /// The longest way of a message, in microseconds.
    pub(super) delay_us: u64,
    /// The longest sync, in microseconds.
    pub(super) sync_us: u64,
    /// Messages of one class between two members do not overtake each other, as on one connection.
    pub(super) in_order: bool,
    /// How far clocks run off, in millionths, to either side.
    pub(super) drift_ppm: u64,
    /// Members keep no applied entries in memory.
    pub(super) keeps_nothing: bool,
    /// Events of a hundred after which a member's disk gets a new base.
    pub(super) compacts: u64,
    /// Pieces of states, of a hundred, that a leader's owner cannot read any more, and whole states
    /// that a receiver's owner refuses.
    pub(super) spoils: u64,
}

impl World {
    pub(super) const CALM: Self = Self {
        loss: 0,
        doubled: 0,
        delay_us: 500,
        sync_us: 500,
        in_order: true,
        drift_ppm: 0,
        keeps_nothing: false,
        compacts: 0,
        spoils: 0,
    };
    pub(super) const ROUGH: Self = Self {
        loss: 10,
        doubled: 10,
        delay_us: 30_000,
        sync_us: 20_000,
        in_order: false,
        drift_ppm: 0,
        keeps_nothing: false,
        compacts: 0,
        spoils: 0,
    };
    /// Logs are cut wherever they may be.
    pub(super) const FORGETFUL: Self = Self {
        keeps_nothing: true,
        compacts: 5,
        spoils: 3,
        drift_ppm: 20_000,
        ..Self::ROUGH
    };
}

/// The data that a member's disk holds for certain.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    pub(super) commit: LogIndex,
    pub(super) base: EntryId,
    pub(super) membership: Membership,
    pub(super) entries: Vec<Entry>,
}

/// Something on its way to the disk.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) due: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    HandOver {
        seq: PersistSeq,
        term: Term,
        vote: Option<NodeId>,
        commit: LogIndex,
        entries: Vec<Entry>,
    },
    /// A state that was received; the entries behind it stay or go.
    Base {
        base: EntryId,
        membership: Membership,
        keeps_tail: bool,
    },
}

impl Disk {
    pub(super) fn take(&mut self, write: Write) {
        let entries = match write.what {
            What::HandOver {
                term,
                vote,
                commit,
                entries,
                ..
            } => {
                (self.term, self.vote, self.commit) = (term, vote, commit);
                entries
            }
            What::Base {
                base,
                membership,
                keeps_tail,
            } => {
                let is_kept = |entry: &Entry| keeps_tail && entry.index > base.0;
                self.entries.retain(is_kept);
                (self.base, self.membership) = (base, membership);
                return;
            }
        };
        for entry in entries {
            if entry.index <= self.base.0 {
                continue;
            }
            let at = (entry.index.0 - self.base.0.0 - 1) as usize;
            assert!(at <= self.entries.len(), "a gap on the disk");
            self.entries.truncate(at);
            self.entries.push(entry);
        }
    }

    pub(super) fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.0 {
            return Some(self.base.1);
        }
        let at = index.0.checked_sub(self.base.0.0 + 1)?;
        self.entries.get(at as usize).map(|entry| entry.term)
    }
}
