//! Clients that are looked at later, found by when and by what for.
//!
//! A turn must not cost more because many clients are idle or wait: it looks at those alone whose
//! time has come or whose event has happened.

use alloc::collections::BTreeSet;
use core::time::Duration;

use crate::ids::LogIndex;
use crate::session::Blocked;
use crate::time::Mono;

/// Blocked clients by what they wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    /// Those whose wait ends by itself, by when.
    timed: BTreeSet<(Mono, u32)>,
    /// Those that wait for so many members to hold an entry.
    members: BTreeSet<(usize, LogIndex, u32)>,
    /// Those that wait for a key, and have nothing on its way to them.
    keys: BTreeSet<u32>,
    /// Those that are told that they wait in vain: this member leads no more.
    leaving: BTreeSet<u32>,
    /// Those that wait for something to happen.
    events: BTreeSet<(Blocked, u32)>,
}

impl Waits {
    /// A client waits from now on.
    pub(super) fn add(&mut self, slot: u32, why: Blocked) {
        if let Some(until) = until(why) {
            self.timed.insert((until, slot));
        }
        match why {
            Blocked::Wait { wanted, index, .. } => {
                self.members.insert((wanted, index, slot));
            }
            Blocked::Keys { .. } => {
                self.keys.insert(slot);
            }
            Blocked::Sleep { .. } | Blocked::Served | Blocked::Publishing { .. } => {}
            event => {
                self.events.insert((event, slot));
            }
        }
    }

    /// A client waits no longer.
    pub(super) fn remove(&mut self, slot: u32, why: Blocked) {
        if let Some(until) = until(why) {
            self.timed.remove(&(until, slot));
        }
        match why {
            Blocked::Wait { wanted, index, .. } => {
                self.members.remove(&(wanted, index, slot));
                self.leaving.remove(&slot);
            }
            Blocked::Keys { .. } => {
                self.keys.remove(&slot);
                self.leaving.remove(&slot);
            }
            Blocked::Sleep { .. } | Blocked::Served | Blocked::Publishing { .. } => {}
            event => {
                self.events.remove(&(event, slot));
            }
        }
    }

    /// How many waits end by themselves.
    pub(super) fn timed(&self) -> usize {
        self.timed.len()
    }

    /// When the next wait ends by itself.
    pub(super) fn next(&self) -> Option<Mono> {
        self.timed.first().map(|(at, _)| *at)
    }

    /// A client whose time is up.
    pub(super) fn due(&self, now: Mono) -> Option<u32> {
        let first = self.timed.first().filter(|(at, _)| *at <= now);
        first.map(|(_, slot)| *slot)
    }

    /// A client that waits for this.
    pub(super) fn of(&self, event: Blocked) -> Option<u32> {
        self.first_of(event, event)
    }

    /// The client that has waited longest for the end of a pause.
    pub(super) fn next_postponed(&self) -> Option<u32> {
        let place = |place| Blocked::Paused { place };
        self.first_of(place(0), place(u64::MAX))
    }

    /// The first client that waits for one of these events, which stand from one to another.
    fn first_of(&self, from: Blocked, to: Blocked) -> Option<u32> {
        let mut all = self.events.range((from, 0)..=(to, u32::MAX));
        all.next().map(|(_, slot)| *slot)
    }

    /// All that wait for keys or members are to be told that they wait in vain.
    pub(super) fn all_leave(&mut self) {
        let members = core::mem::take(&mut self.members);
        self.leaving.append(&mut self.keys);
        self.leaving
            .extend(members.into_iter().map(|(_, _, slot)| slot));
    }

    /// A client that is to be told so.
    pub(super) fn next_leaving(&self) -> Option<u32> {
        self.leaving.first().copied()
    }

    /// Returns true if a client is to be told so.
    pub(super) fn is_leaving(&self, slot: u32) -> bool {
        self.leaving.contains(&slot)
    }

    /// A client whose entry is held by as many members as it waits for. An entry has at least as
    /// many holders as one behind it, so that of those who want the same number the first tells.
    pub(super) fn held(&self, most: usize, holders: impl Fn(LogIndex) -> usize) -> Option<u32> {
        let mut from = 0;
        while let Some((wanted, index, slot)) = self.members.range((from, LogIndex(0), 0)..).next()
            && *wanted <= most
        {
            if holders(*index) >= *wanted {
                return Some(*slot);
            }
            from = wanted + 1;
        }
        None
    }
}

/// When a wait ends by itself.
fn until(why: Blocked) -> Option<Mono> {
    match why {
        Blocked::Wait { until, .. } | Blocked::Keys { until } => until,
        Blocked::Sleep { until, .. } => Some(until),
        Blocked::Served
        | Blocked::Publishing { .. }
        | Blocked::Store
        | Blocked::Reload
        | Blocked::Rewrite
        | Blocked::Change
        | Blocked::Transfer
        | Blocked::Paused { .. }
        | Blocked::Configuration { .. } => None,
    }
}

/// Clients by when their silence is looked at: each at most once in the time that it may be silent,
/// however often it speaks.
#[derive(Clone, Debug, Default)]
pub(super) struct Silences {
    /// How long a client may be silent; zero: for ever, and nobody is here.
    pub(super) limit: Duration,
    due: BTreeSet<(Mono, u32)>,
}

impl Silences {
    /// A client is looked at then.
    pub(super) fn add(&mut self, at: Mono, slot: u32) {
        self.due.insert((at, slot));
    }

    /// A client is not looked at then.
    pub(super) fn remove(&mut self, at: Mono, slot: u32) {
        self.due.remove(&(at, slot));
    }

    /// Nobody is looked at.
    pub(super) fn clear(&mut self) {
        self.due.clear();
    }

    /// When the next client is looked at.
    pub(super) fn next(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes a client that is to be looked at by now.
    pub(super) fn take_due(&mut self, now: Mono) -> Option<u32> {
        let first = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&first);
        Some(first.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits_for(wanted: usize, index: u64) -> Blocked {
        Blocked::Wait {
            until: None,
            wanted,
            index: LogIndex(index),
        }
    }

    #[test]
    fn the_first_of_those_who_want_the_same_number_tells_of_all() {
        let mut waits = Waits::default();
        for (slot, wanted, index) in [(1, 1, 9), (2, 2, 5), (3, 2, 7), (4, 9, 1)] {
            waits.add(slot, waits_for(wanted, index));
        }
        let asked = core::cell::Cell::new(0);
        let holders = |index: LogIndex| {
            asked.set(asked.get() + 1);
            if index.0 <= 5 { 2 } else { 0 }
        };
        assert_eq!(waits.held(3, holders), Some(2));
        waits.remove(2, waits_for(2, 5));
        asked.set(0);
        assert_eq!(waits.held(3, holders), None);
        assert_eq!(asked.get(), 2, "one for each number that can be had");
    }

    #[test]
    fn who_is_due_comes_in_order_and_once() {
        let mut silences = Silences::default();
        for slot in [3, 1, 2] {
            silences.add(Mono::from_millis(u64::from(slot) * 10), slot);
        }
        let now = Mono::from_millis(20);
        assert_eq!(silences.take_due(now), Some(1));
        assert_eq!(silences.take_due(now), Some(2));
        assert_eq!(silences.take_due(now), None);
        assert_eq!(silences.next(), Some(Mono::from_millis(30)));
    }
}
