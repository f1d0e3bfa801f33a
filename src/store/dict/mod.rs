//! A table of keys that grows and shrinks by small parts, in the order of their hashes.
//!
//! A directory of the leading bits of the hash leads to segments of a few hundred keys each. A
//! segment that is full is split by the next bit, two neighbours that are nearly empty become one,
//! and only the directory (four bytes a segment or so) is ever doubled or halved as a whole. So no
//! insertion costs more than one segment, however many keys there are. And since a segment is a
//! range of hashes, a place in the table can be named by a hash: a walk from hash to hash meets
//! every key that is there all the time, whatever is split or joined meanwhile.

mod minima;
mod segment;
mod walk;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher as _};

use foldhash::fast::FixedState;

use super::entry::{Big, Draft, View};
use crate::time::Stamp;
use minima::{Minima, NEVER};
use segment::{BYTES_FEW, KEYS_FEW, Segment, Slot};

pub(super) use walk::{Item, Iter};

/// Segments are kept in chunks, so that no list of all of them is ever moved.
const CHUNK: usize = 256;
/// The directory has at most this many times as many places as there are segments, as a power of
/// two.
const SPARSE_BITS: u8 = 12;

/// The keyed hash that orders a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasher(u64);

impl Hasher {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn hash(self, key: &[u8]) -> u64 {
        let mut hasher = FixedState::with_seed(self.0).build_hasher();
        hasher.write(key);
        hasher.finish()
    }
}

/// Where a key stands; good until the table changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    segment: usize,
    slot: Slot,
    hash: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Dict {
    hasher: Hasher,
    depth: u8,
    /// The segment of each value of the leading `depth` bits.
    directory: Vec<u32>,
    chunks: Vec<Vec<Segment>>,
    /// How many segments there are of each depth.
    of_depth: [u32; 33],
    /// The earliest expiry in each segment, or an earlier time.
    earliest: Minima,
    len: u64,
    volatile: u64,
    /// What all segments take together.
    segment_bytes: usize,
    /// How many keys were moved by splits, joins and tidying.
    #[cfg(test)]
    pub(super) moved: usize,
}

impl Dict {
    pub(super) fn new(hasher: Hasher) -> Self {
        let mut dict = Self {
            hasher,
            depth: 0,
            directory: alloc::vec![0],
            chunks: Vec::new(),
            of_depth: [0; 33],
            earliest: Minima::default(),
            len: 0,
            volatile: 0,
            segment_bytes: 0,
            #[cfg(test)]
            moved: 0,
        };
        dict.push(Segment::new(0, 0));
        dict
    }

    /// A copy whose keys bear `epoch`.
    pub(super) fn copy(&self, epoch: u8) -> Self {
        let mut copy = Self {
            hasher: self.hasher,
            depth: self.depth,
            directory: self.directory.clone(),
            chunks: Vec::new(),
            of_depth: [0; 33],
            earliest: Minima::default(),
            len: self.len,
            volatile: self.volatile,
            segment_bytes: 0,
            #[cfg(test)]
            moved: 0,
        };
        for number in 0..self.segments() {
            copy.push(self.segment(number).copy(epoch));
        }
        copy
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many keys have an expiry.
    pub(super) fn volatile(&self) -> u64 {
        self.volatile
    }

    /// The hash of a key, to be reckoned once for all that is done to it.
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }

    /// The bytes of memory that it takes, itself not included.
    pub(super) fn memory(&self) -> usize {
        self.segment_bytes
            + self.segments() * size_of::<Segment>()
            + self.directory.capacity() * 4
            + self.earliest.memory()
    }

    /// As `memory`, counted anew; with the other counts.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let all = || (0..self.segments()).map(|number| self.segment(number));
        assert_eq!(
            self.segment_bytes,
            all().map(Segment::recount).sum::<usize>()
        );
        assert_eq!(
            self.len,
            all().map(|segment| segment.len() as u64).sum::<u64>()
        );
        assert_eq!(self.of_depth.iter().sum::<u32>() as usize, self.segments());
        let mut volatile = 0;
        for number in 0..self.segments() {
            let segment = self.segment(number);
            volatile += segment.iter().filter(|view| view.expiry.is_some()).count() as u64;
            assert!(self.earliest.get(number) <= segment.earliest());
            let first = self.index(segment.prefix);
            let places = 1usize << (self.depth - segment.depth);
            let named = &self.directory[first..first + places];
            assert!(named.iter().all(|named| *named as usize == number));
        }
        assert_eq!(self.volatile, volatile);
        self.memory()
    }

    /// How many segments there are.
    pub(super) fn segments(&self) -> usize {
        match self.chunks.last() {
            None => 0,
            Some(last) => (self.chunks.len() - 1) * CHUNK + last.len(),
        }
    }

    fn segment(&self, number: usize) -> &Segment {
        &self.chunks[number / CHUNK][number % CHUNK]
    }

    fn segment_mut(&mut self, number: usize) -> &mut Segment {
        &mut self.chunks[number / CHUNK][number % CHUNK]
    }

    fn push(&mut self, segment: Segment) -> usize {
        let number = self.segments();
        self.of_depth[usize::from(segment.depth)] += 1;
        self.segment_bytes += segment.memory();
        self.earliest.set(number, segment.earliest());
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(segment),
            _ => {
                // The first one grows as it must, since most tables have one segment only.
                let room = if self.chunks.is_empty() { 1 } else { CHUNK };
                let mut chunk = Vec::with_capacity(room);
                chunk.push(segment);
                self.chunks.push(chunk);
            }
        }
        number
    }

    /// Puts another segment in place of one.
    fn replace(&mut self, number: usize, segment: Segment) -> Segment {
        self.of_depth[usize::from(segment.depth)] += 1;
        self.segment_bytes += segment.memory();
        self.earliest.set(number, segment.earliest());
        let old = core::mem::replace(self.segment_mut(number), segment);
        self.of_depth[usize::from(old.depth)] -= 1;
        self.segment_bytes -= old.memory();
        old
    }

    /// Takes the last segment out.
    fn pop(&mut self) -> Option<Segment> {
        let segment = self.chunks.last_mut()?.pop()?;
        if self.chunks.last().is_some_and(Vec::is_empty) {
            self.chunks.pop();
        }
        self.of_depth[usize::from(segment.depth)] -= 1;
        self.segment_bytes -= segment.memory();
        let number = self.segments();
        self.earliest.set(number, NEVER);
        Some(segment)
    }

    /// The place in the directory of a hash.
    fn index(&self, hash: u64) -> usize {
        // Two shifts, since the depth may be 0 and a shift by 64 is none.
        ((hash >> 1) >> (63 - self.depth)) as usize
    }

    fn number(&self, hash: u64) -> usize {
        self.directory[self.index(hash)] as usize
    }

    /// Lets every place of the directory in a segment's range name it.
    fn enter(&mut self, number: usize) {
        let segment = self.segment(number);
        let first = self.index(segment.prefix);
        let places = 1usize << (self.depth - segment.depth);
        self.directory[first..first + places].fill(number as u32);
    }

    /// Changes one segment and keeps the account of memory.
    fn on<R>(&mut self, number: usize, change: impl FnOnce(&mut Segment, Hasher) -> R) -> R {
        let hasher = self.hasher;
        let segment = self.segment_mut(number);
        let before = segment.memory();
        let result = change(segment, hasher);
        let after = segment.memory();
        #[cfg(test)]
        {
            self.moved += core::mem::take(&mut self.segment_mut(number).moved);
        }
        self.segment_bytes = self.segment_bytes - before + after;
        result
    }

    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let segment = self.number(hash);
        let slot = self.segment(segment).find(hash, key)?;
        Some(Place {
            segment,
            slot,
            hash,
        })
    }

    pub(super) fn get(&self, hash: u64, key: &[u8]) -> Option<View<'_>> {
        let segment = self.segment(self.number(hash));
        segment.find(hash, key).map(|slot| segment.view(slot))
    }

    pub(super) fn view(&self, place: Place) -> View<'_> {
        self.segment(place.segment).view(place.slot)
    }

    /// Adds a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, draft: &Draft<'_>) {
        let number = self.number(hash);
        self.on(number, |segment, hasher| {
            segment.insert(hash, draft, hasher);
        });
        self.added(hash, number, draft.expiry);
    }

    /// Adds a key that is not there.
    pub(super) fn insert_big(&mut self, hash: u64, big: Box<Big>) {
        let number = self.number(hash);
        let expiry = big.expiry;
        self.on(number, |segment, hasher| {
            segment.insert_big(hash, big, hasher);
        });
        self.added(hash, number, expiry);
    }

    fn added(&mut self, hash: u64, number: usize, expiry: Option<Stamp>) {
        self.len += 1;
        if let Some(time) = expiry {
            self.volatile += 1;
            self.expires(number, time);
        }
        self.fit(hash);
    }

    fn expires(&mut self, number: usize, time: Stamp) {
        if time.0 < self.earliest.get(number) {
            self.earliest.set(number, time.0);
        }
    }

    /// Writes a block in place of another with the same key. Neither may be a box.
    pub(super) fn rewrite(&mut self, place: Place, draft: &Draft<'_>) {
        let before = self.view(place).expiry;
        self.on(place.segment, |segment, hasher| {
            segment.rewrite(place.hash, place.slot, draft, hasher);
        });
        self.expiry_changed(place, before, draft.expiry);
        self.fit(place.hash);
    }

    /// Gives a key another expiry, or none.
    pub(super) fn set_expiry(&mut self, place: Place, expiry: Option<Stamp>) {
        let view = self.view(place);
        let (before, boxed) = (view.expiry, view.big.is_some());
        self.on(place.segment, |segment, hasher| {
            if boxed {
                segment.change_big(place.slot, |big| big.expiry = expiry);
            } else {
                segment.set_expiry(place.hash, place.slot, expiry, hasher);
            }
        });
        self.expiry_changed(place, before, expiry);
        self.fit(place.hash);
    }

    fn expiry_changed(&mut self, place: Place, before: Option<Stamp>, after: Option<Stamp>) {
        self.volatile -= u64::from(before.is_some());
        if let Some(time) = after {
            self.volatile += 1;
            self.expires(place.segment, time);
        }
    }

    /// Changes a box, but neither its key nor its expiry.
    pub(super) fn change_big<R>(&mut self, place: Place, change: impl FnOnce(&mut Big) -> R) -> R {
        self.on(place.segment, |segment, _| {
            segment.change_big(place.slot, change)
        })
    }

    /// Stamps a block.
    pub(super) fn set_epoch(&mut self, place: Place, epoch: u8) {
        self.segment_mut(place.segment).set_epoch(place.slot, epoch);
    }

    /// Takes a key out; a box is handed over.
    pub(super) fn remove(&mut self, place: Place) -> Option<Box<Big>> {
        self.volatile -= u64::from(self.view(place).expiry.is_some());
        self.len -= 1;
        let big = self.on(place.segment, |segment, hasher| {
            segment.remove(place.hash, place.slot, hasher)
        });
        self.shrink(place.segment);
        big
    }

    /// Splits the segment of `hash` until it is small enough.
    fn fit(&mut self, hash: u64) {
        loop {
            let number = self.number(hash);
            let segment = self.segment(number);
            if !segment.full() {
                return;
            }
            let (prefix, depth) = (segment.prefix, segment.depth);
            if depth == self.depth && !self.double() {
                return;
            }
            #[cfg(test)]
            {
                self.moved += self.segment(number).len();
            }
            let empty = Segment::new(prefix, depth);
            let (low, high) = self.replace(number, empty).split(self.hasher);
            self.replace(number, low);
            let high = self.push(high);
            self.enter(high);
        }
    }

    /// Doubles the directory, unless it is far too sparse already: then a segment grows beyond its
    /// bounds instead. Under a keyed hash that does not happen.
    fn double(&mut self) -> bool {
        let bits = self.segments().ilog2() as u8 + SPARSE_BITS;
        if self.depth >= bits.min(32) {
            return false;
        }
        let mut doubled = Vec::with_capacity(self.directory.len() * 2);
        doubled.extend(self.directory.iter().flat_map(|number| [*number, *number]));
        self.directory = doubled;
        self.depth += 1;
        true
    }

    /// Joins a segment with its neighbour while both are nearly empty.
    fn shrink(&mut self, number: usize) {
        let mut number = number;
        while let Some(other) = self.joinable(number) {
            let (keep, give) = (number.min(other), number.max(other));
            let one = self.replace(keep, Segment::new(0, 0));
            let two = self.replace(give, Segment::new(0, 0));
            #[cfg(test)]
            {
                self.moved += one.len() + two.len();
            }
            self.replace(keep, one.join(two, self.hasher));
            self.enter(keep);
            self.drop_segment(give);
            number = keep;
        }
        while self.depth > 0 && self.of_depth[usize::from(self.depth)] == 0 {
            self.directory = self.directory.iter().step_by(2).copied().collect();
            self.depth -= 1;
        }
    }

    /// The neighbour with which a segment should be joined.
    fn joinable(&self, number: usize) -> Option<usize> {
        let segment = self.segment(number);
        if segment.depth == 0 || segment.len() > KEYS_FEW / 2 || segment.used() > BYTES_FEW / 2 {
            return None;
        }
        let other = self.number(segment.prefix ^ 1 << (64 - segment.depth));
        let neighbour = self.segment(other);
        let few = neighbour.depth == segment.depth
            && segment.len() + neighbour.len() <= KEYS_FEW
            && segment.used() + neighbour.used() <= BYTES_FEW;
        few.then_some(other)
    }

    /// Forgets an empty segment that the directory no longer names; the last one takes its number.
    fn drop_segment(&mut self, number: usize) {
        let last = self.pop().expect("the number is one of a segment");
        if number < self.segments() {
            self.replace(number, last);
            self.enter(number);
        }
    }
}
