//! When an entry counts as persisted, alone and in company.
//!
//! Alone, `appendfsync` says so. What a member says to others it must never forget, or two leaders
//! may count it for different entries: in a group an entry counts when it is synced, and whoever
//! has acknowledged more than that syncs it before anybody joins.

use crate::aof;
use crate::node::Node;
use crate::raft::MembershipChange;
use crate::session::Blocked;

impl Node {
    /// Notes that this member is not alone. Who has had company goes on as if it had: others may
    /// come back and hold it to what it once said.
    pub(in crate::node) fn join_group(&mut self) {
        let raft = self.commit.raft.as_ref();
        if raft.is_some_and(|raft| !raft.in_force().is_alone(self.config.id)) {
            self.leadership.grouped = true;
        }
        self.apply_policy();
    }

    /// Tells the log when entries count from now on.
    pub(in crate::node) fn apply_policy(&mut self) {
        let policy = if self.leadership.grouped || self.leadership.first_change.is_some() {
            aof::Policy::Always
        } else {
            self.config.fsync.into()
        };
        if let Some(log) = &mut self.commit.log {
            log.set_policy(policy);
        }
    }

    /// Whether no entry counts that the disk may still lose.
    pub(in crate::node) fn is_synced(&self) -> bool {
        let log = self.commit.log.as_ref();
        log.is_none_or(aof::Log::is_synced)
    }

    /// Begins the change by which this member ceases to be alone as soon as all that it has
    /// acknowledged is synced.
    pub(in crate::node) fn change_when_synced(&mut self, change: MembershipChange) {
        self.leadership.first_change = Some(change);
        self.apply_policy();
    }

    /// Begins that change when it is time.
    pub(in crate::node) fn begin_first_change(&mut self) {
        if !self.is_synced() {
            return;
        }
        let Some(change) = self.leadership.first_change.take() else {
            return;
        };
        if let Err(refusal) = self.begin_change(change) {
            self.end_waits_with(Blocked::Change, Some(&refusal));
        }
        self.apply_policy();
    }
}
