//! The settings of a member: its identity, its limits, what its disk remembers.

use alloc::vec::Vec;
use core::time::Duration;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, PersistSeq, Term};

use super::entry::Entry;
use super::membership::{Member, Membership};
use super::message::EntryId;

/// The identity of a member, its times and its limits.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its number in the group.
    pub id: NodeId,
    /// Which life of its disk this is.
    pub incarnation: Incarnation,
    /// The group.
    pub cluster: ClusterId,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The shortest time without a leader before a member campaigns, in milliseconds; the same for
    /// all members.
    pub election_ms_min: u64,
    /// The longest such time, in milliseconds.
    pub election_ms_max: u64,
    /// How often a leader shows itself, in milliseconds.
    pub heartbeat_ms: u64,
    /// The most entries of one append.
    pub append_entries: usize,
    /// The most bytes of one append; one entry may be larger.
    pub append_bytes: usize,
    /// The most appends on their way to one member.
    pub in_flight_appends: usize,
    /// The most bytes on their way to one member.
    pub in_flight_bytes: usize,
    /// How many bytes may wait for their commit before proposals are refused.
    pub uncommitted_bytes: usize,
    /// How many reads may wait.
    pub pending_reads: usize,
    /// By how much a clock may run off, in millionths; leases rely on it.
    pub drift_ppm: u64,
    /// How many bytes of applied entries are kept for members that lag.
    pub retained_bytes: usize,
    /// How many bytes of entries are kept while a member is being sent a state.
    pub fed_bytes: usize,
    /// The most bytes of one piece of a state.
    pub chunk_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            id: NodeId::default(),
            incarnation: Incarnation::default(),
            cluster: ClusterId::default(),
            seed: 0,
            election_ms_min: 200,
            election_ms_max: 400,
            heartbeat_ms: 50,
            append_entries: 4096,
            append_bytes: 1 << 20,
            in_flight_appends: 64,
            in_flight_bytes: 16 << 20,
            uncommitted_bytes: 128 << 20,
            pending_reads: 1 << 20,
            drift_ppm: 1000,
            retained_bytes: 64 << 20,
            fed_bytes: 256 << 20,
            chunk_bytes: 512 << 10,
        }
    }
}

impl Settings {
    pub(super) fn me(&self) -> Member {
        Member {
            id: self.id,
            incarnation: self.incarnation,
        }
    }

    pub(super) fn election_min(&self) -> Duration {
        Duration::from_millis(self.election_ms_min)
    }

    pub(super) fn election_max(&self) -> Duration {
        Duration::from_millis(self.election_ms_max.max(self.election_ms_min))
    }

    pub(super) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms)
    }
}

/// The data that a member's disk remembers.
#[derive(Clone, Debug)]
pub struct Restart {
    /// The last term.
    pub term: Term,
    /// The vote in that term.
    pub vote: Option<NodeId>,
    /// Up to where the log is known to be committed.
    pub commit: LogIndex,
    /// The last entry that the state machine holds.
    pub base: EntryId,
    /// The membership at that entry.
    pub membership: Membership,
    /// The entries behind it.
    pub tail: Vec<Entry>,
    /// Term and vote are not in the log any more: they are to be written again before anything is
    /// said of them.
    pub restate: bool,
    /// The last entry that the disk once held, where it has lost some: until the log is as far
    /// again this member neither votes nor campaigns.
    pub owes: Option<EntryId>,
}

/// Why a proposal was refused; it has certainly not happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another member leads, or none.
    NotLeader {
        /// The leader, if it is known.
        leader: Option<NodeId>,
    },
    /// Too much waits for its commit.
    Full,
    /// Leadership is being transferred.
    Transferring,
    /// The payload is longer than an entry can say (4 GiB).
    TooLong,
}

/// The data that must be written to the log in this turn.
#[derive(Debug)]
pub struct Unpersisted<'a> {
    /// The number of this hand-over, to be given back to `persisted`.
    pub seq: PersistSeq,
    /// The present term.
    pub term: Term,
    /// The vote in it.
    pub vote: Option<NodeId>,
    /// The commit index.
    pub commit: LogIndex,
    /// Term or vote are new: nothing of this counts before it is synced.
    pub must_sync: bool,
    /// New entries, in order; one whose index was there before supersedes it and all behind.
    pub entries: &'a [Entry],
}
