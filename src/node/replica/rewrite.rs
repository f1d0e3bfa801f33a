//! The state of a rewrite of the log.

use alloc::vec::Vec;
use core::time::Duration;

use crate::ids::LogIndex;
use crate::time::Mono;

use super::base::BaseHead;

/// How long after a failed rewrite one may begin for a member that waits for a state. Each that
/// fails has cost a segment.
const RETRY_FOR_MEMBERS: Duration = Duration::from_secs(5);

/// The state of a rewrite.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Rewrite {
    /// Somebody asked for one.
    pub(in crate::node) wanted: bool,
    /// The entry whose state is being written.
    pub(in crate::node) running: Option<LogIndex>,
    /// The head of the base.
    pub(super) head: Option<BaseHead>,
    /// All of the state has been handed over.
    pub(super) whole: bool,
    /// The base takes another piece at once.
    pub(super) hungry: bool,
    pub(super) piece: Vec<u8>,
    /// When the last one ended well, in seconds since the Unix epoch; 0: never.
    pub(in crate::node) saved_at_s: u64,
    pub(in crate::node) last_failed: bool,
    /// After a failure: how long none begins by itself, and since when.
    pub(super) pause: Option<(Duration, Mono)>,
    pub(in crate::node) count: u64,
    /// When the one that runs began, and how long the last one took.
    pub(in crate::node) began: Mono,
    pub(in crate::node) took: Option<Duration>,
    /// How much had changed when the last one began that ended well, and when the running one did.
    pub(in crate::node) changes: (u64, u64),
}

impl Rewrite {
    pub(in crate::node) fn wants_turn(&self) -> bool {
        self.running.is_some() && self.hungry && !self.whole
    }

    /// Returns true if the last one has failed so lately that none is begun for members that wait.
    pub(super) fn has_just_failed(&self, now: Mono) -> bool {
        self.pause
            .is_some_and(|(_, since)| now.since(since) < RETRY_FOR_MEMBERS)
    }
}
