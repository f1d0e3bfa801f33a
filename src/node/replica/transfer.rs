//! Leadership is transferred away from a member whose disk is strained.

use core::time::Duration;

use crate::node::effect::Note;
use crate::node::{Node, Phase};
use crate::raft::Raft;

/// How long to wait before a transfer that nobody has taken is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long to wait after a slow disk, which may be slow everywhere.
const SLOW_AGAIN_AFTER: Duration = Duration::from_mins(1);

impl Node {
    /// Looks at the disk, and transfers leadership where another member had better lead.
    pub(super) fn transfer_if_strained(&mut self) {
        let oldest = self.replica.oldest_on_its_way();
        self.replica.strain.watch(oldest, self.now.mono);
        let is_strained = self.no_space() || self.is_slow();
        let now = self.now.mono;
        // One that was slow a while ago goes on to lead.
        let had_better = self.no_space() || self.replica.strain.keeps_waiting(now);
        let may_now = had_better && self.is_master() && self.may_transfer();
        let Some(raft) = &mut self.replica.raft else {
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
            self.replica.strain.again_at = now + wait;
            self.note(Note::Transferring { target, no_space });
        }
    }

    fn may_transfer(&self) -> bool {
        let serves = self.phase == Phase::Serving && self.replica.leadership.leaving.is_none();
        serves && self.now.mono >= self.replica.strain.again_at
    }

    /// Returns true if the log has no room.
    pub fn no_space(&self) -> bool {
        self.log_trouble().is_some()
    }

    /// Why writes are to be refused, if the log has no room: not as long as another member is
    /// about to take them, or may be.
    pub(in crate::node) fn refuses_writes(&self) -> Option<&'static str> {
        let why = self.log_trouble()?;
        let raft = self.replica.raft.as_ref();
        let has_transferred = raft.is_some_and(Raft::is_transferring)
            || self.may_transfer() && raft.is_some_and(Raft::has_unstrained_voter);
        (!has_transferred).then_some(why)
    }

    /// Returns true if the disk was slow a while ago, or is.
    pub(in crate::node) fn is_slow(&self) -> bool {
        self.replica.strain.is_slow()
    }
}
