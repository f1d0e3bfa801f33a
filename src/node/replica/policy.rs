//! When an entry counts as persisted, alone and in company.
//!
//! Alone, `appendfsync` says so. In a group a member must never forget what it has said to others,
//! or two leaders may count it for different entries: there an entry counts when it is synced, and
//! whoever has acknowledged more than that syncs it before anybody joins.

use crate::aof;
use crate::node::config::Config;
use crate::raft::MembershipChange;

use super::Replica;

impl Replica {
    /// Notes that this member is not alone. A member that has had company goes on as if it had:
    /// others may come back and hold it to what it once said.
    pub(super) fn join_group(&mut self, config: &Config) {
        let raft = self.raft.as_ref();
        if raft.is_some_and(|raft| !raft.in_force().is_alone(config.id)) {
            self.leadership.grouped = true;
        }
        self.apply_policy(config);
    }

    /// Tells the log when entries count from now on.
    pub(in crate::node) fn apply_policy(&mut self, config: &Config) {
        let policy = if self.leadership.grouped || self.leadership.first_change.is_some() {
            aof::Policy::Always
        } else {
            config.fsync.into()
        };
        if let Some(log) = &mut self.log {
            log.set_policy(policy);
        }
    }

    /// Returns true if no entry counts that the disk may still lose.
    pub(in crate::node) fn is_synced(&self) -> bool {
        let log = self.log.as_ref();
        log.is_none_or(aof::Log::is_synced)
    }

    /// Begins the change by which this member ceases to be alone as soon as all that it has
    /// acknowledged is synced.
    pub(in crate::node) fn change_when_synced(
        &mut self,
        change: MembershipChange,
        config: &Config,
    ) {
        self.leadership.first_change = Some(change);
        self.apply_policy(config);
    }

    /// Takes that change when it is time to begin it.
    pub(super) fn take_first_change(&mut self) -> Option<MembershipChange> {
        if !self.is_synced() {
            return None;
        }
        self.leadership.first_change.take()
    }
}
