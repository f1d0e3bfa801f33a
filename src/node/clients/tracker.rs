//! The keys that clients keep, and the prefixes of which they hear: who is to be told of a change.
//!
//! A key is known by its name alone, whatever its database, as in Redis. A client that goes is not
//! looked for: it is passed over when its keys change, or when there are too many.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::mem;
use core::ops::Bound;

use bytes::Bytes;

use crate::limits::TRACKED_BYTES_MAX;
use crate::store::Touched;

use super::holders::{Client, Holders};
use super::notices::bytes_of;

/// About what a key takes besides its bytes.
const KEY_BYTES: usize = 100;

/// A thing of which clients are to be told.
#[derive(Clone, Debug)]
pub(super) enum Invalid {
    /// Keys that were touched, how many bytes they are, and by which client.
    Touched {
        keys: VecDeque<Touched>,
        bytes: usize,
        by: Option<Client>,
    },
    /// A key that these clients keep.
    Key {
        key: Box<[u8]>,
        holders: Holders,
        by: Option<Client>,
    },
    /// Keys with a prefix, as a message names them: those who hear of them, from this slot on.
    Prefixed {
        prefix: Box<[u8]>,
        body: Bytes,
        by: Option<Client>,
        from: u32,
    },
    /// All keys: those who track, from this slot on.
    All { from: u32 },
}

impl Invalid {
    /// The memory that it takes, in bytes.
    fn memory(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Touched { bytes, .. } => *bytes,
                Self::Key { key, holders, .. } => key.len() + holders.memory(),
                Self::Prefixed { prefix, body, .. } => prefix.len() + body.len(),
                Self::All { .. } => 0,
            }
    }
}

/// Things of which clients are to be told, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    queue: VecDeque<Invalid>,
    /// The bytes of all of them.
    bytes: usize,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn push_back(&mut self, last: Invalid) {
        self.bytes += last.memory();
        self.queue.push_back(last);
    }

    pub(super) fn push_front(&mut self, next: Invalid) {
        self.bytes += next.memory();
        self.queue.push_front(next);
    }

    pub(super) fn pop_front(&mut self) -> Option<Invalid> {
        let next = self.queue.pop_front()?;
        self.bytes -= next.memory();
        Some(next)
    }

    /// Adds keys that a client has touched, to those behind which nothing else is to be told.
    pub(super) fn add(&mut self, touched: impl Iterator<Item = Touched>, client: Option<Client>) {
        if let Some(Invalid::Touched { keys, bytes, by }) = self.queue.back_mut()
            && *by == client
        {
            let before = *bytes;
            for one in touched {
                *bytes += bytes_of(&one);
                keys.push_back(one);
            }
            self.bytes += *bytes - before;
            return;
        }
        let keys: VecDeque<Touched> = touched.collect();
        let bytes = keys.iter().map(bytes_of).sum();
        let by = client;
        self.push_back(Invalid::Touched { keys, bytes, by });
    }
}

/// Keys that nobody keeps any more, until they are freed in steps.
#[derive(Clone, Debug, Default)]
struct Forgotten {
    tables: VecDeque<BTreeMap<Box<[u8]>, Holders>>,
    bytes: usize,
}

/// The keys that clients keep, and all that they are still to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker {
    keys: BTreeMap<Box<[u8]>, Holders>,
    /// How many clients keep keys, each counted for each key.
    items: usize,
    bytes: usize,
    /// The key that has made room last.
    hand: Box<[u8]>,
    forgotten: Forgotten,
    /// Those who hear of keys with a prefix.
    pub(super) prefixes: BTreeMap<Box<[u8]>, BTreeSet<u32>>,
    /// The slots of those who track.
    pub(super) slots: BTreeSet<u32>,
    /// Nothing more is applied before these are told.
    pub(super) pending: Pending,
    /// A key that makes room: its holders hear of it when there is nothing else to be told.
    pub(super) leaving: Option<(Box<[u8]>, Holders)>,
}

impl Tracker {
    /// How many keys are kept, and how many times.
    pub(super) fn sizes(&self) -> [usize; 2] {
        [self.keys.len(), self.items]
    }

    /// The memory that it takes, in bytes.
    pub(super) fn memory(&self) -> usize {
        let leaving = self.leaving.as_ref();
        let leaving = leaving.map_or(0, |(key, holders)| entry_bytes(key, holders));
        self.bytes + self.pending.bytes + self.forgotten.bytes + leaving
    }

    /// A client keeps a key from now on.
    pub(super) fn keep(&mut self, key: &[u8], client: Client) {
        if let Some(holders) = self.keys.get_mut(key) {
            let before = holders.memory();
            if holders.insert(client) {
                self.items += 1;
                self.bytes += holders.memory() - before;
            }
            return;
        }
        let holders = Holders::One(client);
        self.items += 1;
        self.bytes += entry_bytes(key, &holders);
        self.keys.insert(key.into(), holders);
    }

    /// Those who keep a key, which they keep no more; nobody of it is told twice.
    pub(super) fn take(&mut self, key: &[u8]) -> Option<Holders> {
        let leaves = self.leaving.take_if(|(of, _)| **of == *key);
        let leaving = leaves.map(|(_, holders)| holders);
        let Some(mut holders) = self.keys.remove(key) else {
            return leaving;
        };
        self.items -= holders.len();
        self.bytes -= entry_bytes(key, &holders);
        if let Some(mut more) = leaving {
            while let Some(client) = more.pop_first() {
                holders.insert(client);
            }
        }
        Some(holders)
    }

    /// Returns true if more keys are kept than may be, or some are left that nobody keeps.
    pub(super) fn is_over(&self, most: usize) -> bool {
        let is_many = match most {
            _ if self.slots.is_empty() => !self.keys.is_empty(),
            0 => false,
            most => self.keys.len() > most,
        };
        is_many
            || self.bytes > TRACKED_BYTES_MAX
            || !self.forgotten.tables.is_empty()
            || self.leaving.is_some()
    }

    /// Returns true if room is not made as fast as it is needed.
    pub(super) fn is_far_over(&self) -> bool {
        self.bytes > 2 * TRACKED_BYTES_MAX
    }

    /// Makes room: a key that was forgotten is freed, or else the next one leaves.
    pub(super) fn make_room(&mut self) {
        if let Some(old) = self.forgotten.tables.front_mut() {
            if let Some((key, holders)) = old.pop_first() {
                self.forgotten.bytes -= entry_bytes(&key, &holders);
            } else {
                self.forgotten.tables.pop_front();
            }
            return;
        }
        let behind = (Bound::Excluded(mem::take(&mut self.hand)), Bound::Unbounded);
        let next = self.keys.range::<Box<[u8]>, _>(behind).next();
        let Some(key) = next.or(self.keys.first_key_value()).map(|(key, _)| key) else {
            return;
        };
        let key = key.clone();
        self.hand.clone_from(&key);
        let holders = self.take(&key);
        self.leaving = holders.map(|holders| (key, holders));
    }

    /// Nobody keeps anything any more.
    pub(super) fn forget_all(&mut self) {
        self.leaving = None;
        if !self.keys.is_empty() {
            self.forgotten.bytes += self.bytes;
            self.forgotten.tables.push_back(mem::take(&mut self.keys));
        }
        (self.items, self.bytes) = (0, 0);
    }

    /// Shows the prefixes of a key that somebody hears of, the longest first. Returns how many were
    /// looked at: each that is none tells how much of the key the next may be at most.
    pub(super) fn each_prefix_of(&self, key: &[u8], mut show: impl FnMut(&[u8])) -> usize {
        let mut rest = key;
        for looked_at in 1.. {
            let until = (Bound::Unbounded, Bound::Included(rest));
            let Some((prefix, _)) = self.prefixes.range::<[u8], _>(until).next_back() else {
                return looked_at;
            };
            let alike = prefix
                .iter()
                .zip(rest)
                .take_while(|(one, other)| one == other);
            let alike = alike.count();
            if alike < prefix.len() {
                rest = &rest[..alike];
                continue;
            }
            show(prefix);
            let Some(shorter) = alike.checked_sub(1) else {
                return looked_at;
            };
            rest = &rest[..shorter];
        }
        0
    }
}

/// The memory of a key with those who keep it.
fn entry_bytes(key: &[u8], holders: &Holders) -> usize {
    KEY_BYTES + key.len() + holders.memory()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ConnId;

    const CLIENT: Client = (1, ConnId(1));

    #[test]
    fn what_is_taken_or_forgotten_is_counted_until_it_is_freed() {
        let mut tracker = Tracker::default();
        tracker.slots.insert(1);
        for nth in 0..100_u32 {
            for other in 0..nth {
                tracker.keep(&nth.to_le_bytes(), (other, ConnId(2)));
            }
            tracker.keep(&nth.to_le_bytes(), CLIENT);
        }
        let all = tracker.memory();
        assert_eq!(
            tracker.take(&9_u32.to_le_bytes()).map(|all| all.len()),
            Some(10)
        );
        let rest = tracker.memory();
        assert!(rest < all);
        tracker.forget_all();
        assert_eq!((tracker.memory(), tracker.sizes()), (rest, [0, 0]));
        let mut steps = 0;
        while tracker.is_over(0) {
            tracker.make_room();
            steps += 1;
        }
        assert_eq!((tracker.memory(), steps), (0, 100));
    }

    #[test]
    fn the_prefixes_of_a_key_are_found_without_a_look_at_all_others() {
        let mut tracker = Tracker::default();
        for nth in 0..10_000 {
            let prefix = alloc::format!("key:{nth}").into_bytes();
            tracker.prefixes.insert(prefix.into(), BTreeSet::from([1]));
        }
        for prefix in ["", "k", "key:1234", "key:12345:", "kez"] {
            let prefix = prefix.as_bytes().into();
            tracker.prefixes.insert(prefix, BTreeSet::from([1]));
        }
        let mut looked_at = 0;
        for key in [
            "",
            "k",
            "key:1234",
            "key:12345:6",
            "kf",
            "kez",
            "z",
            "a",
            "key:99999",
        ] {
            let mut found = Vec::new();
            let show = |prefix: &[u8]| found.push(prefix.to_vec());
            looked_at += tracker.each_prefix_of(key.as_bytes(), show);
            let all = tracker.prefixes.keys().rev();
            let wanted = all.filter(|prefix| key.as_bytes().starts_with(prefix));
            let wanted: Vec<_> = wanted.map(|prefix| prefix.to_vec()).collect();
            assert_eq!(found, wanted, "{key}");
        }
        assert!(looked_at < 60, "{looked_at}");
    }

    #[test]
    fn a_key_that_leaves_and_is_written_is_told_with_what_is_written() {
        let mut tracker = Tracker::default();
        tracker.keep(b"k", CLIENT);
        tracker.make_room();
        assert!(tracker.leaving.is_some() && tracker.is_over(0));
        tracker.keep(b"k", (2, ConnId(2)));
        assert_eq!(tracker.take(b"k").map(|all| all.len()), Some(2));
        assert!(tracker.leaving.is_none());
        assert_eq!(tracker.memory(), 0);
    }
}
