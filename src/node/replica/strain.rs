//! A member whose disk is strained, which has no room for the log or keeps it waiting, had better
//! not lead: it says so to the others, and a leader transfers leadership to a voter that is not
//! strained, where a majority of the voters is not.
//!
//! Leadership does not go back and forth: it goes only to a member that is not strained, and
//! where all are, or too many to commit anything without this one, it stays.

use core::time::Duration;

use crate::ids::PersistSeq;
use crate::time::Mono;

/// How long the disk may leave the oldest record that waits for it unanswered.
const SLOW_AFTER: Duration = Duration::from_secs(1);
/// How long a disk that was slow must be quick before it is believed to be well.
const WELL_AFTER: Duration = Duration::from_secs(10);
/// A process that did not look for so long stood still itself.
const ABSENT: Duration = Duration::from_millis(500);
/// The strain that a member's disk is under.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Strain {
    /// The oldest record that waits for the disk, and since when it is that.
    oldest: Option<(PersistSeq, Mono)>,
    /// The disk was slow, and until when it is taken to be.
    slow_until: Option<Mono>,
    /// When leadership may be transferred next.
    pub(super) again_at: Mono,
    /// When this was looked at last.
    looked: Mono,
}

impl Strain {
    /// Returns true if the disk has kept the log waiting for long.
    pub(super) fn keeps_waiting(&self, now: Mono) -> bool {
        self.oldest
            .is_some_and(|(_, since)| now.since(since) >= SLOW_AFTER)
    }

    /// Finds out how long the disk has kept the log waiting, whose oldest record on its way is
    /// `oldest`.
    pub(super) fn watch(&mut self, oldest: Option<PersistSeq>, now: Mono) {
        let was_here = now.since(core::mem::replace(&mut self.looked, now)) < ABSENT;
        self.oldest = match (oldest, self.oldest) {
            (Some(seq), Some((known, since))) if seq == known && was_here => Some((seq, since)),
            (oldest, _) => oldest.map(|seq| (seq, now)),
        };
        if self.keeps_waiting(now) {
            self.slow_until = Some(now + WELL_AFTER);
        } else if self.slow_until.is_some_and(|until| until <= now) {
            self.slow_until = None;
        }
    }

    /// Returns true if the disk was slow a while ago, or is.
    pub(super) fn is_slow(&self) -> bool {
        self.slow_until.is_some()
    }
}
