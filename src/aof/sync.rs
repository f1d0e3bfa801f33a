//! When to sync: by policy, never two at a time, and with a short linger so that writers gather.
//!
//! A sync that starts the moment the last has ended would catch the few writers that are back
//! first, and let the others wait for two. So the next one waits until as many writers are back as
//! the last released, or for an eighth of the last one's duration.

use crate::ids::Ticket;
use crate::time::{Deadline, Mono, Reason};

use super::settings::Policy;

/// How many intervals a policy goes on without a sync before replies wait.
const STALLED_INTERVALS: u32 = 2;

/// When syncs happen.
#[derive(Clone, Debug)]
pub(super) struct Syncing {
    pub(super) policy: Policy,
    pub(super) in_flight: Option<(Ticket, Mono)>,
    /// The sync in flight covers all that was written before it.
    covers_all: bool,
    /// Everything written before that is synced.
    clean_at: Mono,
    /// Something must be synced whatever the policy.
    pub(super) forced: bool,
    /// Writers whose entries are not covered by a sync yet.
    arrived: u32,
    /// Writers that the sync in flight covers.
    covered: u32,
    /// Writers that the last sync has released.
    released: u32,
    linger_until: Mono,
}

impl Syncing {
    pub(super) fn new(policy: Policy, now: Mono) -> Self {
        Self {
            policy,
            in_flight: None,
            covers_all: false,
            clean_at: now,
            forced: false,
            arrived: 0,
            covered: 0,
            released: 0,
            linger_until: now,
        }
    }

    /// So many writers have brought something.
    pub(super) fn arrive(&mut self, count: u32) {
        self.arrived = self.arrived.saturating_add(count);
    }

    /// Nothing is unsynced: the clock of `EverySecond` begins with the next write.
    pub(super) fn is_clean(&mut self, now: Mono) {
        self.clean_at = now;
    }

    /// Returns true if a sync is to begin now, given that something is unsynced.
    pub(super) fn is_due(&self, now: Mono) -> bool {
        if self.in_flight.is_some() {
            return false;
        }
        self.forced
            || match self.policy {
                Policy::Always => self.arrived >= self.released || now >= self.linger_until,
                Policy::EverySecond | Policy::No => self.has_gone_for(now, 1),
            }
    }

    /// When a sync is due, given that something is unsynced.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        if self.in_flight.is_some() {
            return None;
        }
        let (at, reason) = match self.policy {
            Policy::Always => (self.linger_until, Reason::SyncLinger),
            Policy::EverySecond | Policy::No => (
                self.clean_at + self.policy.interval()?,
                Reason::SyncEverySecond,
            ),
        };
        Some(Deadline { at, reason })
    }

    /// A sync has begun; unless it covers all that is not synced, it makes nothing clean.
    pub(super) fn begin(&mut self, now: Mono, ticket: Ticket, covers_all: bool) {
        self.in_flight = Some((ticket, now));
        self.covers_all = covers_all;
        self.forced = false;
        self.covered = core::mem::take(&mut self.arrived);
    }

    /// The sync in flight has succeeded.
    pub(super) fn end(&mut self, now: Mono) {
        if let Some((_, begun)) = self.in_flight.take() {
            if self.covers_all {
                self.clean_at = begun;
            }
            self.released = core::mem::take(&mut self.covered);
            self.linger_until = now + now.since(begun) / 8;
        }
    }

    /// Returns true if a policy with an interval has gone so long without all being synced that
    /// replies must wait.
    pub(super) fn is_stalled(&self, now: Mono) -> bool {
        self.has_gone_for(now, STALLED_INTERVALS)
    }

    /// Returns true if what is unsynced has waited for so many intervals of the policy.
    fn has_gone_for(&self, now: Mono, intervals: u32) -> bool {
        let interval = self.policy.interval();
        interval.is_some_and(|interval| now.since(self.clean_at) >= interval * intervals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Mono {
        Mono(us * 1000)
    }

    fn ended(covered: u32) -> Syncing {
        let mut syncing = Syncing::new(Policy::Always, at(0));
        syncing.arrive(covered);
        assert!(syncing.is_due(at(0)));
        syncing.begin(at(0), Ticket(1), true);
        assert!(!syncing.is_due(at(900)));
        syncing.end(at(800));
        syncing
    }

    #[test]
    fn the_next_sync_waits_for_as_many_as_were_released() {
        let mut syncing = ended(3);
        syncing.arrive(2);
        assert!(!syncing.is_due(at(850)));
        syncing.arrive(1);
        assert!(syncing.is_due(at(850)));
    }

    #[test]
    fn it_waits_no_longer_than_an_eighth() {
        let mut syncing = ended(3);
        syncing.arrive(1);
        assert_eq!(syncing.deadline().map(|d| d.at), Some(at(900)));
        assert!(syncing.is_due(at(900)));
    }

    #[test]
    fn a_single_writer_never_waits() {
        let mut syncing = ended(1);
        syncing.arrive(1);
        assert!(syncing.is_due(at(801)));
    }
}
