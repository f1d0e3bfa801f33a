//! The settings of a log, fixed before it starts.

use alloc::vec::Vec;
use core::time::Duration;

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

impl Policy {
    /// How old what is unsynced may become; nothing where no sync is owed at a time of its own.
    pub(super) fn interval(self) -> Option<Duration> {
        match self {
            Self::EverySecond => Some(Duration::from_secs(1)),
            Self::Always | Self::No => None,
        }
    }

    /// Returns true if all is synced sooner or later.
    pub(super) fn syncs(self) -> bool {
        match self {
            Self::Always | Self::EverySecond => true,
            Self::No => false,
        }
    }
}

/// The settings of a log, fixed before it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When a record counts as persisted.
    pub policy: Policy,
    /// The size to which a new segment is preallocated, in bytes.
    pub segment_bytes: u64,
    /// An entry of this size is written in pieces of this size, in bytes.
    pub piece_bytes: usize,
    /// The most bytes that recovery asks for in one read.
    pub read_bytes: u32,
    /// The owner that a fresh directory's manifest names.
    pub identity: Vec<u8>,
}
