//! A member whose disk is strained, which has no room for the log or keeps it waiting, had better
//! not lead: it says so to the others, and a leader transfers leadership to a voter that is not
//! strained, where a majority of the voters is not.
//!
//! Leadership does not go back and forth: it goes only to a member that is not strained, and
//! where all are, or too many to commit anything without this one, it stays.

use core::time::Duration;

use crate::ids::PersistSeq;
use crate::node::effect::Note;
use crate::node::{Node, Phase};
use crate::raft::Raft;
use crate::time::Mono;

/// How long the disk may leave the oldest record that waits for it unanswered.
const SLOW_AFTER: Duration = Duration::from_secs(1);
/// How long a disk that was slow must be quick before it is believed to be well.
const WELL_AFTER: Duration = Duration::from_secs(10);
/// A process that did not look for so long stood still itself.
const ABSENT: Duration = Duration::from_millis(500);
/// How long to wait before a transfer that nobody has taken is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long to wait after a slow disk, which may be slow everywhere.
const SLOW_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// What a member knows of the strain that its disk is under.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::node) struct Strain {
    /// The oldest record that waits for the disk, and since when it is that.
    oldest: Option<(PersistSeq, Mono)>,
    /// The disk was slow, and until when it is taken to be.
    slow_until: Option<Mono>,
    /// When leadership may be transferred next.
    again_at: Mono,
    /// When this was looked at last.
    looked: Mono,
}

impl Strain {
    /// Whether the disk has kept the log waiting for long.
    fn keeps_waiting(&self, now: Mono) -> bool {
        self.oldest
            .is_some_and(|(_, since)| now.since(since) >= SLOW_AFTER)
    }
}

impl Node {
    /// Looks at the disk, and transfers leadership where another member had better lead.
    pub(in crate::node) fn transfer_if_strained(&mut self) {
        self.watch_disk();
        let is_strained = self.no_space() || self.is_slow();
        let now = self.now.mono;
        // One that was slow a while ago goes on to lead.
        let had_better = self.no_space() || self.commit.strain.keeps_waiting(now);
        let may_now = had_better && self.is_master() && self.may_transfer();
        let Some(raft) = &mut self.commit.raft else {
            return;
        };
        raft.set_strained(is_strained);
        if !may_now || raft.is_transferring() {
            return;
        }
        let Some(target) = raft.unstrained_voter() else {
            return;
        };
        if raft.transfer(Some(target)).is_ok() {
            let no_space = self.no_space();
            let wait = if no_space {
                AGAIN_AFTER
            } else {
                SLOW_AGAIN_AFTER
            };
            self.commit.strain.again_at = now + wait;
            self.note(Note::Transferring { target, no_space });
        }
    }

    fn may_transfer(&self) -> bool {
        let serves = self.phase == Phase::Serving && self.leadership.leaving.is_none();
        serves && self.now.mono >= self.commit.strain.again_at
    }

    /// Whether the log has no room.
    pub fn no_space(&self) -> bool {
        self.log_trouble().is_some()
    }

    /// Why writes are to be refused, if the log has no room: not as long as another member is
    /// about to take them, or may be.
    pub(in crate::node) fn refuses_writes(&self) -> Option<&'static str> {
        let why = self.log_trouble()?;
        let raft = self.commit.raft.as_ref();
        let has_transferred = raft.is_some_and(Raft::is_transferring)
            || self.may_transfer() && raft.is_some_and(Raft::has_unstrained_voter);
        (!has_transferred).then_some(why)
    }

    /// Finds out how long the disk has kept the log waiting.
    fn watch_disk(&mut self) {
        let now = self.now.mono;
        let oldest = self.commit.oldest_on_its_way();
        let strain = &mut self.commit.strain;
        let was_here = now.since(core::mem::replace(&mut strain.looked, now)) < ABSENT;
        strain.oldest = match (oldest, strain.oldest) {
            (Some(seq), Some((known, since))) if seq == known && was_here => Some((seq, since)),
            (oldest, _) => oldest.map(|seq| (seq, now)),
        };
        if strain.keeps_waiting(now) {
            strain.slow_until = Some(now + WELL_AFTER);
        } else if strain.slow_until.is_some_and(|until| until <= now) {
            strain.slow_until = None;
        }
    }

    /// Whether the disk was slow a while ago, or is.
    pub(in crate::node) fn is_slow(&self) -> bool {
        self.commit.strain.slow_until.is_some()
    }
}
