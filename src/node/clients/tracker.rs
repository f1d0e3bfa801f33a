//! The keys that clients keep, and the prefixes of which they hear: who is to be told of a change.
//!
//! A key is known by its name alone, whatever its database, as in Redis. A client that goes is not
//! looked for: it is passed over when its keys change, or when there are too many.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::mem;
use core::ops::Bound;

use bytes::Bytes;

use crate::ids::ConnId;
use crate::limits::TRACKED_BYTES_MAX;
use crate::store::Touched;

/// About what a key takes besides its bytes, and what each of those takes that keep it.
const KEY_BYTES: usize = 100;
const HOLDER_BYTES: usize = 20;

/// The clients that keep a key, by slot.
pub(super) type Holders = BTreeSet<(u32, ConnId)>;

/// A thing of which clients are to be told.
#[derive(Clone, Debug)]
pub(super) enum Invalid {
    /// Keys that were touched, and by which client.
    Touched {
        keys: VecDeque<Touched>,
        by: Option<(u32, ConnId)>,
    },
    /// A key that these clients keep.
    Key {
        key: Box<[u8]>,
        holders: Holders,
        by: Option<(u32, ConnId)>,
    },
    /// Keys with a prefix, as a message names them: those who hear of them, from this slot on.
    Prefixed {
        prefix: Box<[u8]>,
        body: Bytes,
        by: Option<(u32, ConnId)>,
        from: u32,
    },
    /// All keys: those who track, from this slot on.
    All { from: u32 },
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
    /// Keys that nobody keeps any more, until they are freed in steps.
    forgotten: VecDeque<BTreeMap<Box<[u8]>, Holders>>,
    /// Those who hear of keys with a prefix.
    pub(super) prefixes: BTreeMap<Box<[u8]>, BTreeSet<u32>>,
    /// The slots of those who track.
    pub(super) slots: BTreeSet<u32>,
    /// In order.
    pub(super) pending: VecDeque<Invalid>,
    /// The bytes of what is pending.
    pub(super) pending_bytes: usize,
}

impl Tracker {
    /// How many keys are kept, and how many times.
    pub(super) fn sizes(&self) -> [usize; 2] {
        [self.keys.len(), self.items]
    }

    /// The memory that it takes, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.pending_bytes
    }

    /// A client keeps a key from now on.
    pub(super) fn keep(&mut self, key: &[u8], holder: (u32, ConnId)) {
        let is_new = if let Some(holders) = self.keys.get_mut(key) {
            holders.insert(holder)
        } else {
            self.bytes += KEY_BYTES + key.len();
            self.keys.insert(key.into(), BTreeSet::from([holder]));
            true
        };
        if is_new {
            self.bytes += HOLDER_BYTES;
            self.items += 1;
        }
    }

    /// Those who keep a key, which they keep no more.
    pub(super) fn take(&mut self, key: &[u8]) -> Holders {
        let holders = self.keys.remove(key);
        if let Some(holders) = &holders {
            self.items -= holders.len();
            self.bytes -= KEY_BYTES + key.len() + holders.len() * HOLDER_BYTES;
        }
        holders.unwrap_or_default()
    }

    /// Returns true if more keys are kept than may be, or some are left that nobody keeps.
    pub(super) fn is_over(&self, most: usize) -> bool {
        let is_many = match most {
            _ if self.slots.is_empty() => !self.keys.is_empty(),
            0 => false,
            most => self.keys.len() > most,
        };
        is_many || self.bytes > TRACKED_BYTES_MAX || !self.forgotten.is_empty()
    }

    /// Makes room: the next key is kept no more.
    pub(super) fn make_room(&mut self) {
        if let Some(old) = self.forgotten.front_mut() {
            if old.pop_first().is_none() {
                self.forgotten.pop_front();
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
        self.pending_bytes += KEY_BYTES + key.len();
        let by = None;
        self.pending.push_back(Invalid::Key { key, holders, by });
    }

    /// Nobody keeps anything any more.
    pub(super) fn forget_all(&mut self) {
        self.forgotten.push_back(mem::take(&mut self.keys));
        (self.items, self.bytes) = (0, 0);
    }

    /// A key is on its way to its holders, or is there.
    pub(super) fn key_is_pending(&mut self, key: &[u8], is_pending: bool) {
        let bytes = KEY_BYTES + key.len();
        if is_pending {
            self.pending_bytes += bytes;
        } else {
            self.pending_bytes -= bytes;
        }
    }
}
