//! When the node wants to be woken, and what it frees in small steps.

use core::time::Duration;

use crate::aof::Log;
use crate::raft::Raft;
use crate::time::{Deadline, Reason};

use super::clients::Paused;
use super::{Node, Phase};

/// A value of which a unit is freed has cost at least so much work to make: that many bytes are
/// copied with four times the work.
const WORK_PER_UNIT: usize = 16;

impl Node {
    /// When the node wants to be woken, and why.
    pub fn deadline(&self) -> Option<Deadline> {
        if self.phase == Phase::Stopped {
            return None;
        }
        let at_once = Deadline {
            at: self.now.mono,
            reason: Reason::LeftOver,
        };
        let left_over = self.has_left_over() || self.can_assemble();
        let left_over = left_over.then_some(at_once);
        let log = self.replica.log().and_then(Log::deadline);
        let raft = self.replica.raft().and_then(Raft::deadline);
        let raft = raft.map(|at| Deadline {
            at,
            reason: Reason::Raft,
        });
        [
            left_over,
            log,
            raft,
            self.expiry_deadline(),
            self.clients.deadline(),
            self.leaving_deadline(),
        ]
        .into_iter()
        .fold(None, Deadline::earlier)
    }

    fn has_left_over(&self) -> bool {
        self.requests.is_turn_awaited()
            || self.clients.has_publications(self.config.tracked_keys_max)
            || !self.replica.is_recovering()
                && (self.requests.wants_turn()
                    || self.clients.dirty_count() > 0
                    || self.clients.next_leaving().is_some()
                    || (!self.requests.is_batch_empty()
                        && self.replica.raft().is_some()
                        && !self.replica.is_holding_back())
                    || self.expiry_left_over
                    || self.replica.rewrite().wants_turn())
    }

    /// Returns true if dead keys are freed, and replicated time moved on for that, without being
    /// asked for. As in Redis a pause of writes is one of these as well.
    pub(in crate::node) fn frees_expired(&self) -> bool {
        self.active_expire && self.clients.paused() == Paused::Nothing
    }

    fn expiry_deadline(&self) -> Option<Deadline> {
        let tends = self.phase == Phase::Serving && self.frees_expired() && self.serves();
        if !tends || !self.is_settled() {
            return None;
        }
        let due = self.store.next_expiry()?;
        let wait = due.0.saturating_sub(self.clock().0);
        let mut at = self.now.mono + Duration::from_millis(wait);
        if due.0 <= self.now.wall_ms() {
            at = at.min(self.replicated.follows_at().unwrap_or(at));
        }
        let at = at.max(self.replica.next_time_entry());
        Some(Deadline {
            at,
            reason: Reason::Expiry,
        })
    }

    /// Frees, in bounded steps, what is dead by replicated time and what was cut loose.
    ///
    /// Removed values are freed as fast as the work of applying can remove more of them, also in
    /// recovery and while a command holds the store: otherwise clients that keep replacing large
    /// values would fill the memory.
    pub(in crate::node) fn expire_turn(&mut self) {
        const BUDGET: usize = 64;
        let budget = BUDGET + self.requests.take_unfreed_work() / WORK_PER_UNIT;
        let mut left = self.store.step(budget);
        if self.requests.is_held() {
            self.expiry_left_over |= left;
            return;
        }
        // Those who listen are told of what has gone before more goes.
        if self.frees_expired() && self.clients.has_happenings() {
            left |= self
                .store
                .next_expiry()
                .is_some_and(|time| time <= self.replicated.stamp());
        } else if self.frees_expired() {
            self.listen_to_store();
            let expired = self.store.expire_due(self.replicated.stamp(), BUDGET);
            self.metrics.expired(expired.freed);
            left |= expired.more;
            self.tell_ended();
            self.tell_events();
        }
        self.expiry_left_over = left;
    }
}
