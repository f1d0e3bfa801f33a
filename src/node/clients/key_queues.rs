//! The clients that wait for each key, in the order in which they came.
//!
//! A client stands in the queue of each of its keys, by the number of its request. While something
//! is on its way to it, it stands in none of them: its place is kept by that number. All that is
//! done here costs no more than finding a key among all and a number among those of one queue.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::command::wait::Awaited;
use crate::session::key_wait::Taking;

/// The clients that wait for one key to hold a value of one type.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// Slots by the number of the request.
    waiting: BTreeMap<u64, u32>,
    /// How many elements those may take whose requests are on their way.
    taking: u64,
    /// The numbers of those of these that may find nothing, and stand here again: of the last batch
    /// that has any here, and of others.
    unsure: [BTreeSet<u64>; 2],
    /// The number of that batch.
    batch: u64,
}

impl Queue {
    fn is_unused(&self) -> bool {
        self.waiting.is_empty() && self.taking == 0 && !self.is_unsure()
    }

    fn is_unsure(&self) -> bool {
        self.unsure.iter().any(|numbers| !numbers.is_empty())
    }

    /// Returns true if one that came before `ticket` may stand here again, but for those of a
    /// batch.
    fn is_in_doubt(&self, ticket: u64, batch: u64) -> bool {
        let [last, others] = &self.unsure;
        let is_before = |of: &BTreeSet<u64>| of.first().is_some_and(|first| *first < ticket);
        is_before(others) || self.batch != batch && is_before(last)
    }
}

/// A key that somebody waits for.
#[derive(Clone, Debug, Default)]
struct Waited {
    queues: [Queue; Awaited::COUNT],
    /// The ordinal of the last command proposed that may let this key hold anything.
    made: u64,
}

impl Waited {
    fn is_awaited(&self) -> bool {
        self.queues.iter().any(|queue| !queue.waiting.is_empty())
    }
}

/// All queues.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyQueues {
    keys: BTreeMap<u32, BTreeMap<Box<[u8]>, Waited>>,
    last_ticket: u64,
    /// How many keys there are with somebody in one of their queues.
    awaited: usize,
}

/// A place in a queue: the database, the key, and the type of value.
pub(super) type At<'a> = (u32, &'a [u8], Awaited);

impl KeyQueues {
    /// Returns true if nobody waits for a key, and nothing is on its way to anybody who did.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys somebody waits for.
    pub(super) fn awaited(&self) -> usize {
        self.awaited
    }

    /// The number of a request that comes now.
    pub(super) fn next_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    fn get(&self, db: u32, key: &[u8]) -> Option<&Waited> {
        self.keys.get(&db)?.get(key)
    }

    /// Changes the queue at a key. Of a key that is not here yet each of the `proposed` commands
    /// may make something.
    fn change(&mut self, (db, key, awaited): At<'_>, proposed: u64, by: impl FnOnce(&mut Queue)) {
        let keys = self.keys.entry(db).or_default();
        let Some(waited) = keys.get_mut(key) else {
            let mut waited = Waited {
                made: proposed,
                ..Waited::default()
            };
            by(&mut waited.queues[awaited as usize]);
            self.awaited += usize::from(waited.is_awaited());
            keys.insert(key.into(), waited);
            return;
        };
        let before = waited.is_awaited();
        by(&mut waited.queues[awaited as usize]);
        self.awaited += usize::from(waited.is_awaited());
        self.awaited -= usize::from(before);
        if waited.queues.iter().all(Queue::is_unused) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&db);
            }
        }
    }

    /// A client comes into a queue, or back into it.
    pub(super) fn add(&mut self, at: At<'_>, ticket: u64, slot: u32, proposed: u64) {
        self.change(at, proposed, |queue| {
            queue.waiting.insert(ticket, slot);
        });
    }

    /// A client leaves a queue.
    pub(super) fn remove(&mut self, at: At<'_>, ticket: u64) {
        self.change(at, 0, |queue| {
            queue.waiting.remove(&ticket);
        });
    }

    /// The request with this number is on its way, and takes so many elements.
    pub(super) fn takes(
        &mut self,
        at: At<'_>,
        ticket: u64,
        elements: u64,
        taking: Taking,
        proposed: u64,
    ) {
        self.change(at, proposed, |queue| {
            queue.taking += elements;
            let Taking::Perhaps { batch } = taking else {
                return;
            };
            if queue.batch != batch {
                queue.batch = batch;
                let [last, others] = &mut queue.unsure;
                others.append(last);
            }
            queue.unsure[0].insert(ticket);
        });
    }

    /// Such a request has come to its end.
    pub(super) fn took(&mut self, at: At<'_>, ticket: u64, elements: u64) {
        self.change(at, 0, |queue| {
            queue.taking -= elements;
            for numbers in &mut queue.unsure {
                numbers.remove(&ticket);
            }
        });
    }

    /// The client that has waited longest.
    pub(super) fn first(&self, (db, key, awaited): At<'_>) -> Option<u32> {
        let queue = &self.get(db, key)?.queues[awaited as usize];
        queue.waiting.first_key_value().map(|(_, slot)| *slot)
    }

    /// How many elements those may take whose requests are on their way.
    pub(super) fn taking(&self, (db, key, awaited): At<'_>) -> u64 {
        let waited = self.get(db, key);
        waited.map_or(0, |waited| waited.queues[awaited as usize].taking)
    }

    /// Returns true if one that came before `ticket` may be the first at a key again, when its
    /// request has found nothing; but for requests of a batch, between which nothing comes.
    pub(super) fn is_in_doubt(&self, (db, key, awaited): At<'_>, ticket: u64, batch: u64) -> bool {
        let waited = self.get(db, key);
        waited.is_some_and(|waited| waited.queues[awaited as usize].is_in_doubt(ticket, batch))
    }

    /// Returns true if a command behind the first `applied` ones may let a key hold something, but
    /// for those that certainly bring elements.
    pub(super) fn is_made(&self, (db, key, _): At<'_>, applied: u64) -> bool {
        self.get(db, key)
            .is_some_and(|waited| waited.made > applied)
    }

    /// Returns true if a key has a queue.
    pub(super) fn has(&self, db: u32, key: &[u8]) -> bool {
        self.get(db, key).is_some()
    }

    /// The command with this ordinal may let a key hold something.
    pub(super) fn may_be_made(&mut self, db: u32, key: &[u8], ordinal: u64) {
        let keys = self.keys.get_mut(&db);
        if let Some(waited) = keys.and_then(|keys| keys.get_mut(key)) {
            waited.made = ordinal;
        }
    }

    /// Returns true if the commands behind the first `applied` ones leave a key alone, but for
    /// those that certainly bring elements and those that take them: elements that are brought
    /// behind them are there for the first in the queue.
    pub(super) fn is_foreseeable(&self, (db, key, awaited): At<'_>, applied: u64) -> bool {
        self.get(db, key).is_some_and(|waited| {
            let queue = &waited.queues[awaited as usize];
            waited.made <= applied && !queue.is_unsure()
        })
    }

    /// The keys of a database that have a queue.
    pub(super) fn of(&self, db: u32) -> Vec<Box<[u8]>> {
        let keys = self.keys.get(&db).into_iter().flatten();
        keys.map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: At<'_> = (0, b"k", Awaited::List);
    const PERHAPS: Taking = Taking::Perhaps { batch: 1 };

    #[test]
    fn the_first_is_the_one_that_came_first_also_when_it_comes_back() {
        let mut queues = KeyQueues::default();
        let tickets: Vec<u64> = (0..3).map(|_| queues.next_ticket()).collect();
        for (ticket, slot) in tickets.iter().zip([7, 5, 6]) {
            queues.add(AT, *ticket, slot, 0);
        }
        assert_eq!(queues.first(AT), Some(7));
        queues.remove(AT, tickets[0]);
        queues.takes(AT, tickets[0], 1, PERHAPS, 0);
        assert_eq!((queues.first(AT), queues.taking(AT)), (Some(5), 1));
        queues.took(AT, tickets[0], 1);
        queues.add(AT, tickets[0], 7, 0);
        assert_eq!((queues.first(AT), queues.taking(AT)), (Some(7), 0));
    }

    #[test]
    fn lines_of_types_are_apart_and_a_key_is_counted_once() {
        let mut queues = KeyQueues::default();
        let zset = (0, &b"k"[..], Awaited::SortedSet);
        queues.add(AT, 1, 10, 0);
        queues.add(zset, 2, 20, 0);
        queues.add((3, b"k", Awaited::List), 3, 30, 0);
        assert_eq!(queues.awaited(), 2);
        assert_eq!((queues.first(AT), queues.first(zset)), (Some(10), Some(20)));
        queues.remove(AT, 1);
        assert_eq!((queues.awaited(), queues.first(AT)), (2, None));
        queues.remove(zset, 2);
        assert_eq!(queues.awaited(), 1);
        assert!(!queues.has(0, b"k"));
        queues.remove((3, b"k", Awaited::List), 3);
        assert!(queues.is_empty());
        assert_eq!(queues.awaited(), 0);
    }

    #[test]
    fn nothing_is_foreseen_while_something_else_may_come_first() {
        let mut queues = KeyQueues::default();
        // Five commands were proposed before anybody waited.
        queues.add(AT, 1, 10, 5);
        assert!(!queues.is_foreseeable(AT, 4));
        assert!(queues.is_foreseeable(AT, 5));
        queues.may_be_made(0, b"k", 7);
        assert!(!queues.is_foreseeable(AT, 6));
        assert!(queues.is_foreseeable(AT, 7));
        queues.takes(AT, 2, 1, PERHAPS, 7);
        assert!(!queues.is_foreseeable(AT, 7));
        queues.took(AT, 2, 1);
        queues.takes(AT, 2, 1, Taking::Surely, 7);
        assert!(queues.is_foreseeable(AT, 7));
        // Nobody waits for another key.
        assert!(!queues.is_foreseeable((0, b"l", Awaited::List), 7));
    }

    #[test]
    fn nobody_goes_before_one_that_may_come_back() {
        let mut queues = KeyQueues::default();
        queues.takes(AT, 3, 1, PERHAPS, 0);
        assert!(!queues.is_in_doubt(AT, 2, 2), "it came later");
        assert!(!queues.is_in_doubt(AT, 4, 1), "nothing comes between");
        assert!(queues.is_in_doubt(AT, 4, 2));
        queues.takes(AT, 2, 1, Taking::Perhaps { batch: 2 }, 0);
        assert!(queues.is_in_doubt(AT, 4, 2), "the first is there yet");
        assert!(!queues.is_in_doubt(AT, 3, 2));
        queues.took(AT, 3, 1);
        assert!(!queues.is_in_doubt(AT, 4, 2));
        assert!(queues.is_in_doubt(AT, 4, 3));
        queues.took(AT, 2, 1);
        assert!(queues.is_empty());
    }

    #[test]
    fn a_key_is_kept_while_something_is_on_its_way() {
        let mut queues = KeyQueues::default();
        queues.takes(AT, 1, 2, Taking::Surely, 0);
        assert!(queues.has(0, b"k"));
        assert_eq!((queues.awaited(), queues.of(0).len()), (0, 1));
        queues.took(AT, 1, 2);
        assert!(queues.is_empty());
    }
}
