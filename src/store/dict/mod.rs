//! A table of keys that grows and shrinks by small parts, in the order of their hashes.
//!
//! A directory of the leading bits of the hash leads to segments of a few hundred keys each. A
//! segment that is full is split by the next bit, two neighbours that are nearly empty become one,
//! and only the directory (four bytes a segment or so) is ever doubled or halved as a whole. So no
//! insertion costs more than one segment, however many keys there are. And since a segment is a
//! range of hashes, a place in the table can be named by a hash: a walk from hash to hash meets
//! every key that is there all the time, whatever is split or joined meanwhile.

mod blocks;
mod chance;
mod copying;
mod deep;
mod divide;
mod fetch;
mod group;
mod hasher;
mod minima;
mod pool;
mod sample;
mod segment;
mod settle;
mod slots;
mod walk;
mod warm;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::entry::{Boxed, Draft, Expires, View};
use crate::time::Stamp;
use group::Group;
use hasher::Hasher;
use minima::{Minima, NEVER};
use pool::{Pool, Surplus};
use segment::{DEEP, Segment};
use slots::{KEYS_MAX, Slot};

pub use hasher::Tables;
#[cfg(test)]
pub(super) use segment::COMPARED;
#[cfg(test)]
pub(crate) use segment::FETCHED;
pub(super) use walk::{Item, Iter};

/// Segments are kept in chunks, so that no list of all of them is ever moved.
const CHUNK: usize = 256;
/// The directory has at most this many times as many places as there are segments, as a power of
/// two. Under a keyed hash two bits are used.
const SPARSE_BITS: u8 = 4;
/// The most bits of a hash by which the directory goes.
const DEPTH_MAX: u8 = 32;
/// Set in a cell of the directory that names a group of segments; the rest is its number.
const IN_GROUP: u32 = 1 << 31;

/// The place of a key; good until the table changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    segment: usize,
    slot: Slot,
}

impl Place {
    /// Returns true if it is that of a box.
    pub(super) fn is_boxed(self) -> bool {
        segment::is_boxed(self.slot)
    }
}

#[derive(Debug)]
pub(super) struct Dict<L> {
    hasher: Hasher,
    /// The most keys of a segment.
    keys_max: usize,
    /// The most segments that one call of a scan visits without finding anything.
    empty_segments_max: usize,
    depth: u8,
    /// The segment, or the group of segments, of each value of the leading `depth` bits.
    directory: Vec<u32>,
    chunks: Vec<Vec<Segment<L>>>,
    /// The pages of all segments.
    pool: Pool,
    /// While pages move to the front: which, and which segment is next.
    emptying: Option<(Surplus, usize)>,
    groups: Vec<Group>,
    /// The bytes of keys that tell segments of groups apart.
    edge_bytes: usize,
    /// How many segments and groups there are of each depth, and how many segments in groups.
    of_depth: [u32; DEEP as usize + 1],
    /// The earliest expiry in each segment, or an earlier time.
    earliest: Minima,
    len: u64,
    volatile: u64,
    /// The sum of all expiries.
    times: u128,
    /// The memory that all segments take together beside their pages, in bytes.
    segment_bytes: usize,
    /// How many keys were moved by splits, joins and tidying.
    #[cfg(test)]
    pub(super) moved: usize,
}

impl<L: Boxed> Dict<L> {
    pub(super) fn new(tables: Tables) -> Self {
        let mut dict = Self {
            hasher: Hasher::new(tables),
            keys_max: tables.segment_keys_max.clamp(1, KEYS_MAX - 1),
            empty_segments_max: tables.empty_segments_max,
            depth: 0,
            directory: alloc::vec![0],
            chunks: Vec::new(),
            pool: Pool::default(),
            emptying: None,
            groups: Vec::new(),
            edge_bytes: 0,
            of_depth: [0; DEEP as usize + 1],
            earliest: Minima::default(),
            len: 0,
            volatile: 0,
            times: 0,
            segment_bytes: 0,
            #[cfg(test)]
            moved: 0,
        };
        dict.push(Segment::new(0, 0));
        dict
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

    /// The mean of all expiries.
    pub(super) fn mean_expiry(&self) -> Option<Stamp> {
        let mean = self.times.checked_div(u128::from(self.volatile))?;
        Some(Stamp(mean as u64))
    }

    /// The hash of a key, to be reckoned once for all that is done to it.
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }

    /// The bytes of memory that it takes, itself not included.
    pub(super) fn memory(&self) -> usize {
        self.pool.memory()
            + self.segment_bytes
            + self.segments() * size_of::<Segment<L>>()
            + self.directory.capacity() * 4
            + self.group_memory()
            + self.earliest.memory()
    }

    /// As `memory`, counted anew, also of a table that is being taken apart.
    #[cfg(test)]
    pub(super) fn recount_bytes(&self) -> usize {
        let all = (0..self.segments()).map(|number| self.segment(number).recount(&self.pool));
        assert_eq!(
            self.segment_bytes,
            all.map(|(bytes, _)| bytes).sum::<usize>()
        );
        self.pool.recount_bytes();
        self.memory()
    }

    /// As `memory`, counted anew; with the other counts, and who names whom.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let all = || (0..self.segments()).map(|number| self.segment(number));
        let views = || all().flat_map(|segment| segment.iter(&self.pool));
        assert_eq!(self.len, views().count() as u64);
        let times = || views().filter_map(|view| view.expiry);
        assert_eq!(self.volatile, times().count() as u64);
        assert_eq!(self.times, times().map(|time| u128::from(time.0)).sum());
        let counted = self.of_depth.iter().sum::<u32>() as usize;
        assert_eq!(counted, self.segments() + self.groups.len());
        for (number, segment) in all().enumerate() {
            assert!(self.earliest.get(number) <= segment.earliest(&self.pool));
            assert!(!segment.full(self.keys_max));
            for view in segment.iter(&self.pool) {
                let found = self.find(self.hash(view.key), view.key);
                assert_eq!(found.map(|place| place.segment), Some(number));
            }
            if !segment.is_deep() {
                self.check_cells(segment.prefix, segment.depth, number as u32);
            }
        }
        let pages: Vec<_> = all().map(|segment| segment.recount(&self.pool).1).collect();
        self.pool.recount_pages(pages.concat());
        let first = Some(self.at(0));
        let walked = core::iter::successors(first, |number| self.behind(*number));
        assert_eq!(walked.count(), self.segments());
        for (number, group) in (0..).zip(&self.groups) {
            self.check_cells(group.prefix, group.depth, number | IN_GROUP);
        }
        self.recount_bytes()
    }

    #[cfg(test)]
    fn check_cells(&self, prefix: u64, depth: u8, wanted: u32) {
        let first = self.index(prefix);
        let named = &self.directory[first..first + (1usize << (self.depth - depth))];
        assert!(named.iter().all(|named| *named == wanted));
    }

    /// By how many bits the directory goes.
    pub(super) fn depth(&self) -> u8 {
        self.depth
    }

    /// How many segments there are.
    pub(super) fn segments(&self) -> usize {
        match self.chunks.last() {
            None => 0,
            Some(last) => (self.chunks.len() - 1) * CHUNK + last.len(),
        }
    }

    fn segment(&self, number: usize) -> &Segment<L> {
        &self.chunks[number / CHUNK][number % CHUNK]
    }

    fn segment_mut(&mut self, number: usize) -> &mut Segment<L> {
        &mut self.chunks[number / CHUNK][number % CHUNK]
    }

    fn push(&mut self, segment: Segment<L>) -> usize {
        let number = self.segments();
        self.of_depth[usize::from(segment.depth)] += 1;
        self.segment_bytes += segment.memory();
        self.earliest.set(number, segment.earliest(&self.pool));
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
    fn replace(&mut self, number: usize, segment: Segment<L>) -> Segment<L> {
        self.of_depth[usize::from(segment.depth)] += 1;
        self.segment_bytes += segment.memory();
        self.earliest.set(number, segment.earliest(&self.pool));
        let old = core::mem::replace(self.segment_mut(number), segment);
        self.of_depth[usize::from(old.depth)] -= 1;
        self.segment_bytes -= old.memory();
        old
    }

    /// Takes the last segment out.
    fn pop(&mut self) -> Option<Segment<L>> {
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

    /// The segment of a key, and the hash under which it finds it.
    fn locate(&self, hash: u64, key: &[u8]) -> (usize, u64) {
        let cell = self.directory[self.index(hash)];
        if cell & IN_GROUP == 0 {
            (cell as usize, hash)
        } else {
            self.locate_deep(cell, hash, key)
        }
    }

    /// Lets what is found by a segment's range name it.
    fn enter(&mut self, number: usize) {
        let segment = self.segment(number);
        if segment.is_deep() {
            self.enter_deep(number);
        } else {
            self.fill(segment.prefix, segment.depth, number as u32);
        }
    }

    fn fill(&mut self, prefix: u64, depth: u8, cell: u32) {
        let first = self.index(prefix);
        self.directory[first..first + (1usize << (self.depth - depth))].fill(cell);
    }

    #[cfg(test)]
    fn count_moved(&mut self, keys: usize) {
        self.moved += keys;
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "only tests count")]
    fn count_moved(&self, _keys: usize) {}

    /// Changes one segment and keeps the account of memory.
    fn on<R>(
        &mut self,
        number: usize,
        change: impl FnOnce(&mut Segment<L>, &mut Pool, Hasher) -> R,
    ) -> R {
        let segment = &mut self.chunks[number / CHUNK][number % CHUNK];
        let before = segment.memory();
        let result = change(segment, &mut self.pool, self.hasher);
        let after = segment.memory();
        #[cfg(test)]
        {
            self.moved += core::mem::take(&mut self.segment_mut(number).moved);
        }
        self.segment_bytes = self.segment_bytes - before + after;
        result
    }

    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let (segment, hash) = self.locate(hash, key);
        let slot = self.segment(segment).find(&self.pool, hash, key)?;
        Some(Place { segment, slot })
    }

    pub(super) fn get(&self, hash: u64, key: &[u8]) -> Option<View<'_, L>> {
        self.get_placed(hash, key).map(|(_, view)| view)
    }

    /// As `get`, with the place of the key.
    pub(super) fn get_placed(&self, hash: u64, key: &[u8]) -> Option<(Place, View<'_, L>)> {
        let (segment, hash) = self.locate(hash, key);
        let (slot, view) = self.segment(segment).get(&self.pool, hash, key)?;
        Some((Place { segment, slot }, view))
    }

    /// The bytes of pages that no key takes.
    pub(super) fn free_bytes(&self) -> usize {
        self.pool.free_bytes()
    }

    pub(super) fn view(&self, place: Place) -> View<'_, L> {
        self.segment(place.segment).view(&self.pool, place.slot)
    }

    pub(super) fn expiry(&self, place: Place) -> Option<Stamp> {
        self.segment(place.segment).expiry(&self.pool, place.slot)
    }

    /// Adds a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, draft: &Draft<'_>) {
        let (number, hash) = self.locate(hash, draft.key);
        self.on(number, |segment, pool, _| {
            segment.insert(pool, hash, draft);
        });
        self.added(number, draft.expiry);
    }

    /// Adds a key that is not there.
    pub(super) fn insert_big(&mut self, hash: u64, big: Box<L>) {
        let (number, hash) = self.locate(hash, big.key());
        let expiry = big.expiry();
        self.on(number, |segment, pool, _| {
            segment.insert_big(pool, hash, big);
        });
        self.added(number, expiry);
    }

    fn added(&mut self, number: usize, expiry: Option<Stamp>) {
        self.len += 1;
        if let Some(time) = expiry {
            self.volatile += 1;
            self.times += u128::from(time.0);
            self.expires(number, time);
        }
        self.fit(number);
    }

    fn expires(&mut self, number: usize, time: Stamp) {
        if time.0 < self.earliest.get(number) {
            self.earliest.set(number, time.0);
        }
    }

    /// Writes a block in place of another with the same key. Neither may be a box.
    pub(super) fn rewrite(&mut self, place: Place, draft: &Draft<'_>) {
        let before = self.expiry(place);
        self.on(place.segment, |segment, pool, _| {
            segment.rewrite(pool, place.slot, draft);
        });
        self.expiry_changed(place, before, draft.expiry);
        self.fit(place.segment);
        self.settle();
    }

    fn expiry_changed(&mut self, place: Place, before: Option<Stamp>, after: Option<Stamp>) {
        self.volatile -= u64::from(before.is_some());
        self.times -= before.map_or(0, |time| u128::from(time.0));
        if let Some(time) = after {
            self.volatile += 1;
            self.times += u128::from(time.0);
            self.expires(place.segment, time);
        }
    }

    /// Changes a box, but neither its key nor its expiry.
    pub(super) fn change_big<R>(&mut self, place: Place, change: impl FnOnce(&mut L) -> R) -> R {
        self.on(place.segment, |segment, _, _| {
            segment.change_big(place.slot, change)
        })
    }

    /// Stamps a block.
    pub(super) fn set_epoch(&mut self, place: Place, epoch: u8) {
        let segment = &mut self.chunks[place.segment / CHUNK][place.segment % CHUNK];
        segment.set_epoch(&mut self.pool, place.slot, epoch);
    }

    /// Takes a key out; a box is handed over.
    pub(super) fn remove(&mut self, place: Place) -> Option<Box<L>> {
        let expiry = self.expiry(place);
        self.volatile -= u64::from(expiry.is_some());
        self.times -= expiry.map_or(0, |time| u128::from(time.0));
        self.len -= 1;
        let big = self.on(place.segment, |segment, pool, hasher| {
            segment.remove(pool, place.slot, hasher)
        });
        self.shrink(place.segment);
        self.settle();
        big
    }

    /// Splits a segment until no part of it is full.
    fn fit(&mut self, number: usize) {
        let mut number = number;
        while self.segment(number).full(self.keys_max) {
            let segment = self.segment(number);
            let (prefix, depth) = (segment.prefix, segment.depth);
            if !segment.is_deep() && depth == self.depth && !self.double() {
                self.begin_group(number);
                continue;
            }
            self.count_moved(self.segment(number).len());
            let (low, high) = if depth == DEEP {
                self.split_deep(number)
            } else {
                let empty = Segment::new(prefix, depth);
                let full = self.replace(number, empty);
                let (low, high) = full.split(&mut self.pool, self.hasher);
                self.replace(number, low);
                let high = self.push(high);
                self.enter(high);
                (number, high)
            };
            // It was full by one key, so that not both of its parts are.
            number = if self.segment(low).full(self.keys_max) {
                low
            } else {
                high
            };
        }
    }

    /// Doubles the directory, unless it is far too sparse already.
    fn double(&mut self) -> bool {
        let bits = self.segments().ilog2() as u8 + SPARSE_BITS;
        if self.depth >= bits.min(DEPTH_MAX) {
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
        loop {
            if self.segment(number).is_deep() {
                let Some((low, high)) = self.joinable_deep(number) else {
                    break;
                };
                number = self.join_deep(low, high);
                continue;
            }
            let Some(other) = self.joinable(number) else {
                break;
            };
            let (keep, give) = (number.min(other), number.max(other));
            let one = self.replace(keep, Segment::new(0, 0));
            let two = self.replace(give, Segment::new(0, 0));
            self.count_moved(one.len() + two.len());
            // By prefix, so that the order does not tell which of the two shrank.
            let (low, high) = if one.prefix < two.prefix {
                (one, two)
            } else {
                (two, one)
            };
            let whole = Segment::new(low.prefix, low.depth - 1);
            let whole = Segment::unite([low, high], whole, &mut self.pool, self.hasher);
            self.replace(keep, whole);
            self.enter(keep);
            self.drop_segment(give);
            number = keep;
        }
        while self.depth > 0 && self.of_depth[usize::from(self.depth)] == 0 {
            self.directory = self.directory.iter().step_by(2).copied().collect();
            self.depth -= 1;
        }
    }

    /// Keys that are few enough for one segment: two neighbours with no more together become one.
    fn keys_few(&self) -> usize {
        self.keys_max / 3
    }

    /// The neighbour with which a segment should be joined.
    fn joinable(&self, number: usize) -> Option<usize> {
        let segment = self.segment(number);
        let keys_few = self.keys_few();
        if segment.depth == 0 || !segment.is_few(keys_few / 2) {
            return None;
        }
        let other = self.at(segment.prefix ^ 1 << (64 - segment.depth));
        let neighbour = self.segment(other);
        let few = neighbour.depth == segment.depth && segment.is_few_with(neighbour, keys_few);
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

impl<L: Expires> Dict<L> {
    /// Gives a key another expiry, or none.
    pub(super) fn set_expiry(&mut self, place: Place, expiry: Option<Stamp>) {
        let (before, boxed) = (self.expiry(place), place.is_boxed());
        self.on(place.segment, |segment, pool, _| {
            if boxed {
                segment.change_big(place.slot, |big| big.set_expiry(expiry));
            } else {
                segment.set_expiry(pool, place.slot, expiry);
            }
        });
        self.expiry_changed(place, before, expiry);
        self.fit(place.segment);
        self.settle();
    }
}
