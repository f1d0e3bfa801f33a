//! Leadership is transferred away from a member whose disk is strained.

use core::time::Duration;

use crate::node::effect::Note;
use crate::raft::Raft;
use crate::time::Mono;

use super::Replica;

/// How long to wait before a transfer that nobody has taken is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long to wait after a slow disk, which may be slow everywhere.
const SLOW_AGAIN_AFTER: Duration = Duration::from_mins(1);

impl Replica {
    /// Looks at the disk, and transfers leadership where another member had better lead.
    pub(super) fn transfer_if_strained(
        &mut self,
        now: Mono,
        (is_master, is_serving): (bool, bool),
    ) -> Option<Note> {
        let oldest = self.oldest_on_its_way();
        self.strain.watch(oldest, now);
        let is_strained = self.no_space() || self.is_slow();
        // One that was slow a while ago goes on to lead.
        let had_better = self.no_space() || self.strain.keeps_waiting(now);
        let may_now = had_better && is_master && self.may_transfer(now, is_serving);
        let raft = self.raft.as_mut()?;
        raft.set_strained(is_strained);
        if !may_now || raft.is_transferring() {
            return None;
        }
        let target = raft.unstrained_voter()?;
        raft.transfer(Some(target)).ok()?;
        let no_space = self.no_space();
        let wait = if no_space {
            AGAIN_AFTER
        } else {
            SLOW_AGAIN_AFTER
        };
        self.strain.again_at = now + wait;
        Some(Note::Transferring { target, no_space })
    }

    fn may_transfer(&self, now: Mono, is_serving: bool) -> bool {
        let serves = is_serving && self.leadership.leaving.is_none();
        serves && now >= self.strain.again_at
    }

    /// Returns true if the log has no room.
    pub(in crate::node) fn no_space(&self) -> bool {
        self.log_trouble().is_some()
    }

    /// Why writes are to be refused, if the log has no room: not as long as another member is
    /// about to take them, or may be.
    pub(in crate::node) fn refuses_writes(
        &self,
        now: Mono,
        is_serving: bool,
    ) -> Option<&'static str> {
        let why = self.log_trouble()?;
        let raft = self.raft.as_ref();
        let has_transferred = raft.is_some_and(Raft::is_transferring)
            || self.may_transfer(now, is_serving) && raft.is_some_and(Raft::has_unstrained_voter);
        (!has_transferred).then_some(why)
    }

    /// Returns true if the disk was slow a while ago, or is.
    pub(in crate::node) fn is_slow(&self) -> bool {
        self.strain.is_slow()
    }
}
