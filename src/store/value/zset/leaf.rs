//! A leaf of the tree: members with their scores, in their order, in one run of bytes.
//!
//! An entry is the score in eight bytes, the length of the member, and the member.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::varint;

/// A member with its score.
pub(super) type Entry<'a> = (f64, &'a [u8]);

/// The order of a sorted set: by score, and by member where scores are equal.
pub(super) fn order(one: Entry<'_>, other: Entry<'_>) -> Ordering {
    let scores = one.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal);
    scores.then_with(|| one.1.cmp(other.1))
}

/// A score, and a member or some first bytes of one.
pub(super) type Key = (f64, Box<[u8]>);

/// A key that the first of two entries is below, and the other is not: no more of that than tells
/// them apart.
fn between(low: Entry<'_>, high: Entry<'_>) -> Key {
    if low.0 < high.0 {
        return (high.0, Box::default());
    }
    let shared = low
        .1
        .iter()
        .zip(high.1)
        .take_while(|(low, high)| low == high);
    let own = high.1.len().min(shared.count() + 1);
    (high.0, high.1[..own].into())
}

/// The most bytes of a leaf that has more than one entry: as long as its steps are those in which
/// allocators hand out memory.
pub(super) const LEAF_BYTES_MAX: usize = 1024;
/// Leaves grow by this many bytes.
const STEP_BYTES: usize = 128;
/// The most bytes in front of a member.
const HEAD_BYTES_MAX: usize = 13;
/// The most entries of a leaf: none is shorter than nine bytes.
pub(super) const LEAF_ENTRIES_MAX: usize = LEAF_BYTES_MAX / 9 + 1;

/// Some entries in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    bytes: Vec<u8>,
    count: usize,
}

impl Leaf {
    /// How many entries it has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How long the run is, in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of memory that it takes beside itself: by its length, since the room that a clone
    /// has is another.
    pub(super) fn memory(&self) -> usize {
        self.bytes.len().next_multiple_of(STEP_BYTES)
    }

    /// The entries in order.
    pub(super) fn iter(&self) -> Entries<'_> {
        Entries(&self.bytes)
    }

    /// How many entries lie in front of the first that is not `before`, and where that stands.
    pub(super) fn partition(&self, before: &dyn Fn(Entry<'_>) -> bool) -> (usize, usize) {
        let (mut nth, mut entries) = (0, self.iter());
        loop {
            let at = self.bytes.len() - entries.0.len();
            match entries.next() {
                Some(entry) if before(entry) => nth += 1,
                _ => return (nth, at),
            }
        }
    }

    /// Returns true if an entry more finds room.
    pub(super) fn has_room(&self, entry: Entry<'_>) -> bool {
        self.count == 0 || self.bytes.len() + HEAD_BYTES_MAX + entry.1.len() <= LEAF_BYTES_MAX
    }

    /// Adds an entry, which is not there.
    pub(super) fn insert(&mut self, entry: Entry<'_>) {
        let (_, at) = self.partition(&|held| order(held, entry).is_lt());
        let before = self.bytes.len();
        self.make_room(entry.1.len() + HEAD_BYTES_MAX);
        self.bytes.extend_from_slice(&entry.0.to_le_bytes());
        varint::put_bytes(&mut self.bytes, entry.1);
        let own = self.bytes.len() - before;
        self.bytes[at..].rotate_right(own);
        self.count += 1;
    }

    /// Removes an entry; whether it was there.
    pub(super) fn remove(&mut self, entry: Entry<'_>) -> bool {
        let (_, at) = self.partition(&|held| order(held, entry).is_lt());
        let mut rest = Entries(&self.bytes[at..]);
        if rest.next().is_none_or(|held| order(held, entry).is_ne()) {
            return false;
        }
        let end = self.bytes.len() - rest.0.len();
        self.bytes.drain(at..end);
        self.count -= 1;
        if self.bytes.capacity() - self.bytes.len() > 2 * STEP_BYTES {
            *self = Self::of(&self.bytes, self.count);
        }
        true
    }

    /// Takes the second half off, since there is no room for `entry`; returns it with a key between
    /// both.
    ///
    /// At the end of the tree nothing is taken off, so that entries that come in order leave full
    /// leaves behind; and a long entry alone is not halved. Then one of both is empty, in which
    /// `entry` belongs.
    pub(super) fn split(&mut self, entry: Entry<'_>, is_last: bool) -> (Self, Key) {
        let (nth, _) = self.partition(&|held| order(held, entry).is_lt());
        let cut = if self.count == 1 || is_last && nth == self.count {
            nth
        } else {
            self.middle()
        };
        let mut entries = self.iter();
        let low = match cut.checked_sub(1) {
            Some(last) => entries.nth(last).unwrap_or(entry),
            None => entry,
        };
        let at = self.bytes.len() - entries.0.len();
        let key = between(low, entries.next().unwrap_or(entry));
        let half = Self::of(&self.bytes[at..], self.count - cut);
        *self = Self::of(&self.bytes[..at], cut);
        (half, key)
    }

    /// How many entries the first half has; neither half is empty.
    fn middle(&self) -> usize {
        let (mut nth, mut entries) = (0, self.iter());
        while nth == 0 || nth + 1 < self.count && entries.0.len() > self.bytes.len() / 2 {
            entries.next();
            nth += 1;
        }
        nth
    }

    /// A leaf of so many entries. It has memory of its own: allocators give back little of what
    /// shrinks where it stands.
    fn of(entries: &[u8], count: usize) -> Self {
        let mut leaf = Self::default();
        leaf.make_room(entries.len());
        leaf.bytes.extend_from_slice(entries);
        leaf.count = count;
        leaf
    }

    /// Adds the entries of the leaf behind.
    pub(super) fn append(&mut self, next: &Self) {
        self.make_room(next.bytes.len());
        self.bytes.extend_from_slice(&next.bytes);
        self.count += next.count;
    }

    fn make_room(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let room = needed.next_multiple_of(STEP_BYTES);
            self.bytes.reserve_exact(room - self.bytes.len());
        }
    }
}

/// Entries of a leaf.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let (score, mut rest) = self.0.split_first_chunk()?;
        // Most members are shorter than a length of two bytes can tell.
        let member = match *rest.first()? {
            len @ ..0x80 => {
                let (member, behind) = rest[1..].split_at_checked(usize::from(len))?;
                rest = behind;
                member
            }
            _ => varint::take_bytes(&mut rest)?,
        };
        self.0 = rest;
        Some((f64::from_le_bytes(*score), member))
    }
}
