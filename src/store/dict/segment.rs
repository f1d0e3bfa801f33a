//! One part of a table: a few hundred keys whose hashes begin alike, found through one small hash
//! table.
//!
//! Small values stand in blocks (`blocks`), large ones in boxes; the hash table (`slots`) says
//! which and where. What is freed is marked, and when a tenth is, the page with most of it is
//! emptied. Whatever walks a segment walks its blocks and boxes and never the hash table.

use alloc::boxed::Box;
use alloc::vec::Vec;
#[cfg(test)]
use core::cell::Cell;

use super::super::entry::{BLOCK_BYTES_MAX, Boxed, Draft, Header, View};
use super::blocks::{BIG, Blocks, page_of};
use super::hasher::{Hasher, begins_place};
#[cfg(test)]
use super::pool::Handle;
use super::pool::Pool;
use super::slots::{self, Slot, Slots};
use crate::time::Stamp;

/// Bytes that are few enough for one segment: two neighbours with no more together become one.
pub(super) const BYTES_FEW: usize = 32 << 10;
/// The depth of a segment that no cell of the directory names, see `deep`.
pub(super) const DEEP: u8 = 33;

#[cfg(test)]
std::thread_local! {
    /// How many keys were compared with one that was looked for.
    pub(in super::super) static COMPARED: Cell<usize> = const { Cell::new(0) };
}

#[derive(Debug)]
pub(super) struct Segment<L> {
    /// Where the keys that belong here begin in the order of the table.
    pub(super) prefix: u64,
    table: Slots,
    /// How many leading bits of the prefix they share, or `DEEP`.
    pub(super) depth: u8,
    blocks: Blocks,
    bigs: Vec<Box<L>>,
    big_bytes: usize,
    /// The first of those keys, or some bytes before it, where the segment in front ends at the
    /// same place of that order. Hardly ever is it not empty.
    pub(super) edge: Box<[u8]>,
    /// How many keys were moved from page to page.
    #[cfg(test)]
    pub(super) moved: usize,
}

/// All hashes of a segment share their leading bits, and the hash table looks at the leading bits
/// of what it gets: so it gets them turned, and begins with bits that no depth reaches.
fn turned(hash: u64) -> u64 {
    hash.rotate_left(32)
}

impl<L: Boxed> Segment<L> {
    pub(super) fn new(prefix: u64, depth: u8) -> Self {
        Self {
            prefix,
            table: Slots::EMPTY,
            depth,
            blocks: Blocks::new(),
            bigs: Vec::new(),
            big_bytes: 0,
            edge: Box::default(),
            #[cfg(test)]
            moved: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no cell of the directory names it.
    pub(super) fn is_deep(&self) -> bool {
        self.depth == DEEP
    }

    /// Whether it begins within a place that a cursor can name.
    pub(super) fn begins_within_place(&self) -> bool {
        !self.edge.is_empty() || !begins_place(self.prefix)
    }

    /// Whether it wants to be split.
    pub(super) fn full(&self, keys_max: usize) -> bool {
        self.len() > keys_max || (self.blocks.full() && self.len() > 1)
    }

    /// The bytes of its blocks.
    pub(super) fn used(&self) -> usize {
        self.blocks.live_bytes()
    }

    /// The bytes of memory that it takes, itself and its pages not included.
    pub(super) fn memory(&self) -> usize {
        self.bigs.capacity() * size_of::<Box<L>>() + self.big_bytes
    }

    /// As `memory`, counted anew; with the pages that it holds.
    #[cfg(test)]
    pub(super) fn recount(&self, pool: &Pool) -> (usize, Vec<Handle>) {
        let bigs: usize = self.bigs.iter().map(|big| big.recount()).sum();
        assert_eq!(bigs, self.big_bytes);
        let mut pages = self.blocks.recount(pool);
        if self.table.page != Handle::NONE {
            pages.push(self.table.page);
        }
        let mut found: Vec<u32> = self.table.all(pool).into_iter().map(slots::place).collect();
        let mut held: Vec<u32> = (0..self.bigs.len() as u32)
            .map(|number| BIG | number)
            .collect();
        let mut at = 0;
        while let Some((place, behind)) = self.blocks.next(pool, at) {
            held.push(place);
            at = behind;
        }
        assert_eq!(found.len(), self.len());
        found.sort_unstable();
        held.sort_unstable();
        assert_eq!(
            found, held,
            "what is there is in the table, and nothing else"
        );
        (self.memory(), pages)
    }

    /// The key that stands at a place.
    fn key<'a>(&'a self, pool: &'a Pool, place: u32) -> &'a [u8] {
        if place & BIG == 0 {
            let (bytes, at) = self.blocks.at(pool, place);
            Header::read(bytes, at).key(bytes)
        } else {
            self.bigs[(place & !BIG) as usize].key()
        }
    }

    pub(super) fn find(&self, pool: &Pool, hash: u64, key: &[u8]) -> Option<Slot> {
        self.table.find(pool, turned(hash), |place| {
            #[cfg(test)]
            COMPARED.set(COMPARED.get() + 1);
            self.key(pool, place) == key
        })
    }

    pub(super) fn view<'a>(&'a self, pool: &'a Pool, slot: Slot) -> View<'a, L> {
        self.view_at(pool, slots::place(slot))
    }

    fn view_at<'a>(&'a self, pool: &'a Pool, place: u32) -> View<'a, L> {
        if place & BIG == 0 {
            let (bytes, at) = self.blocks.at(pool, place);
            View::of_block(&Header::read(bytes, at), bytes)
        } else {
            View::of_box(&self.bigs[(place & !BIG) as usize])
        }
    }

    /// All that it holds: the blocks page by page, then the boxes.
    pub(super) fn iter<'a>(&'a self, pool: &'a Pool) -> Iter<'a, L> {
        Iter {
            segment: self,
            pool,
            at: 0,
            big: 0,
        }
    }

    /// The earliest expiry in it, `u64::MAX` for none.
    pub(super) fn earliest(&self, pool: &Pool) -> u64 {
        self.iter(pool)
            .filter_map(|view| view.expiry)
            .map(|time| time.0)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Adds a block whose key is not there.
    pub(super) fn insert(&mut self, pool: &mut Pool, hash: u64, draft: &Draft<'_>) {
        let place = self.append(pool, draft);
        self.table.insert(pool, turned(hash), place);
    }

    /// Adds a box whose key is not there.
    pub(super) fn insert_big(&mut self, pool: &mut Pool, hash: u64, big: Box<L>) {
        let place = BIG | self.bigs.len() as u32;
        self.big_bytes += big.memory();
        self.bigs.push(big);
        self.table.insert(pool, turned(hash), place);
    }

    fn append(&mut self, pool: &mut Pool, draft: &Draft<'_>) -> u32 {
        let length = draft.len();
        let place = self.blocks.add(pool, length, length);
        let (bytes, at) = self.blocks.at_mut(pool, place);
        draft.write(&mut bytes[at..at + length]);
        place
    }

    /// Writes another block in place of one with the same key.
    pub(super) fn rewrite(&mut self, pool: &mut Pool, slot: Slot, draft: &Draft<'_>) {
        let (place, length) = (slots::place(slot), draft.len());
        let same = self.blocks.header(pool, place).len() == length;
        if same || self.blocks.resize(pool, place, length) {
            let (bytes, at) = self.blocks.at_mut(pool, place);
            draft.write(&mut bytes[at..at + length]);
            return;
        }
        self.blocks.free(pool, place);
        let new = self.append(pool, draft);
        self.table.relink(pool, slot, new);
        self.tidy(pool);
    }

    /// Gives a block another expiry.
    pub(super) fn set_expiry(&mut self, pool: &mut Pool, slot: Slot, expiry: Option<Stamp>) {
        let place = slots::place(slot);
        let (bytes, at) = self.blocks.at_mut(pool, place);
        if Header::read(bytes, at).overwrite_expiry(bytes, expiry) {
            return;
        }
        // One that was as long as may be, and was given an expiry, is longer by that.
        let mut copy = [0; BLOCK_BYTES_MAX + size_of::<Stamp>()];
        let (bytes, at) = self.blocks.at(pool, place);
        let header = Header::read(bytes, at);
        let copy = &mut copy[..header.len()];
        copy.copy_from_slice(header.block(bytes));
        let draft = Header::read(copy, 0).draft(copy);
        self.rewrite(pool, slot, &Draft { expiry, ..draft });
    }

    /// Takes a key out; a box is handed over.
    pub(super) fn remove(&mut self, pool: &mut Pool, slot: Slot, hasher: Hasher) -> Option<Box<L>> {
        self.table.remove(pool, slot);
        let place = slots::place(slot);
        if place & BIG == 0 {
            self.blocks.free(pool, place);
            self.tidy(pool);
            return None;
        }
        Some(self.take_big(pool, (place & !BIG) as usize, hasher))
    }

    /// Takes a box out that the table no longer names; the last one takes its number.
    fn take_big(&mut self, pool: &mut Pool, number: usize, hasher: Hasher) -> Box<L> {
        let big = self.bigs.swap_remove(number);
        self.big_bytes -= big.memory();
        if let Some(moved) = self.bigs.get(number) {
            let hash = hasher.slot(self.is_deep(), moved.key());
            let old = BIG | self.bigs.len() as u32;
            let slot = self.table.find(pool, turned(hash), |place| place == old);
            let slot = slot.expect("what a segment holds is in its table");
            self.table.relink(pool, slot, BIG | number as u32);
        }
        big
    }

    /// Changes a box, which keeps its key.
    pub(super) fn change_big<R>(&mut self, slot: Slot, change: impl FnOnce(&mut L) -> R) -> R {
        let place = slots::place(slot);
        assert!(place & BIG != 0, "only a box is changed in place");
        let big = &mut self.bigs[(place & !BIG) as usize];
        let before = big.memory();
        let result = change(big);
        self.big_bytes = self.big_bytes - before + big.memory();
        result
    }

    pub(super) fn set_epoch(&mut self, pool: &mut Pool, slot: Slot, epoch: u8) {
        let (bytes, at) = self.blocks.at_mut(pool, slots::place(slot));
        Header::read(bytes, at).set_epoch(bytes, epoch);
    }

    /// Shows each block that does not bear `epoch` and stamps it, until `show` says that it is
    /// enough; whether it came to the end.
    pub(super) fn stamp(
        &mut self,
        pool: &mut Pool,
        epoch: u8,
        show: &mut dyn FnMut(&Draft<'_>) -> bool,
    ) -> bool {
        let mut from = 0;
        while let Some((place, behind)) = self.blocks.next(pool, from) {
            from = behind;
            let (bytes, at) = self.blocks.at_mut(pool, place);
            let header = Header::read(bytes, at);
            if header.epoch() == epoch {
                continue;
            }
            let go_on = show(&header.draft(bytes));
            header.set_epoch(bytes, epoch);
            if !go_on {
                return false;
            }
        }
        true
    }

    /// The boxes, to be stamped: neither key nor size may change.
    pub(super) fn bigs_mut(&mut self) -> &mut [Box<L>] {
        &mut self.bigs
    }

    /// Frees all that is dead at `now`: blocks are shown first, boxes are handed over. Returns how
    /// many there were, and the sum of their times.
    pub(super) fn sweep(
        &mut self,
        pool: &mut Pool,
        now: Stamp,
        show: &mut dyn FnMut(&Draft<'_>),
        retired: &mut Vec<Box<L>>,
        hasher: Hasher,
    ) -> (usize, u128) {
        let (before, mut times) = (self.len(), 0);
        let mut due = |time: Option<Stamp>| {
            let time = time.filter(|time| *time <= now);
            times += time.map_or(0, |time| u128::from(time.0));
            time.is_some()
        };
        let mut from = 0;
        while let Some((place, behind)) = self.blocks.next(pool, from) {
            from = behind;
            let (bytes, at) = self.blocks.at(pool, place);
            let header = Header::read(bytes, at);
            if due(header.expiry(bytes)) {
                let draft = header.draft(bytes);
                show(&draft);
                let hash = hasher.slot(self.is_deep(), draft.key);
                self.unlink(pool, hash, place);
                self.blocks.free(pool, place);
            }
        }
        for number in (0..self.bigs.len()).rev() {
            if due(self.bigs[number].expiry()) {
                let hash = hasher.slot(self.is_deep(), self.bigs[number].key());
                self.unlink(pool, hash, BIG | number as u32);
                retired.push(self.take_big(pool, number, hasher));
            }
        }
        self.tidy(pool);
        (before - self.len(), times)
    }

    fn unlink(&mut self, pool: &mut Pool, hash: u64, wanted: u32) {
        let slot = self.table.find(pool, turned(hash), |place| place == wanted);
        let slot = slot.expect("what a segment holds is in its table");
        self.table.remove(pool, slot);
    }

    /// Splits it by the next bit of the hash.
    pub(super) fn split(self, pool: &mut Pool, hasher: Hasher) -> (Self, Self) {
        let bit = 1 << (63 - self.depth);
        let low = Self::new(self.prefix, self.depth + 1);
        let high = Self::new(self.prefix | bit, self.depth + 1);
        self.divide(pool, hasher, low, high, |_, hash| hash & bit != 0)
    }

    /// Gives what it holds to two others, to the second where `is_high` says so of a key and the
    /// hash under which they find it.
    pub(super) fn divide(
        self,
        pool: &mut Pool,
        hasher: Hasher,
        mut low: Self,
        mut high: Self,
        is_high: impl Fn(&[u8], u64) -> bool,
    ) -> (Self, Self) {
        let (keys, expected) = (self.len() / 2, self.used() / 2);
        for half in [&mut low, &mut high] {
            half.table.reserve(pool, keys);
        }
        let choose = |key: &[u8], hash| usize::from(is_high(key, hash));
        self.pour(pool, hasher, choose, &mut [&mut low, &mut high], expected);
        (low, high)
    }

    /// The union of some in their order, as one that begins and is found otherwise.
    pub(super) fn unite<const N: usize>(
        parts: [Self; N],
        mut whole: Self,
        pool: &mut Pool,
        hasher: Hasher,
    ) -> Self {
        let expected = parts.iter().map(Self::used).sum();
        whole.table.reserve(pool, parts.iter().map(Self::len).sum());
        for part in parts {
            part.pour(pool, hasher, |_, _| 0, &mut [&mut whole], expected);
        }
        whole
    }

    /// Gives all to others, each of which expects so many bytes; its pages go back one by one.
    fn pour(
        mut self,
        pool: &mut Pool,
        hasher: Hasher,
        choose: impl Fn(&[u8], u64) -> usize,
        into: &mut [&mut Self],
        expected: usize,
    ) {
        let is_deep = into.iter().any(|target| target.is_deep());
        let mut from = 0;
        while let Some((place, behind)) = self.blocks.next(pool, from) {
            let (bytes, at) = self.blocks.at(pool, place);
            let header = Header::read(bytes, at);
            let key = header.key(bytes);
            let hash = hasher.slot(is_deep, key);
            let target = &mut *into[choose(key, hash)];
            let new = target.blocks.add(pool, header.len(), expected);
            pool.copy(
                self.blocks.locate(place),
                target.blocks.locate(new),
                header.len(),
            );
            target.table.insert(pool, turned(hash), new);
            if page_of(behind) != page_of(place) {
                self.blocks.release(pool, page_of(place));
            }
            from = behind;
        }
        self.blocks.clear(pool);
        self.table.clear(pool);
        for big in self.bigs {
            let hash = hasher.slot(is_deep, big.key());
            into[choose(big.key(), hash)].insert_big(pool, hash, big);
        }
    }

    /// Stamps all blocks.
    pub(super) fn restamp(&mut self, pool: &mut Pool, epoch: u8) {
        self.stamp(pool, epoch, &mut |_| true);
    }

    /// The boxes of a segment that is given up, whatever becomes of its pages.
    pub(super) fn into_bigs(self) -> Vec<Box<L>> {
        self.bigs
    }

    /// Empties the page in which most is freed, where all of that is too much.
    fn tidy(&mut self, pool: &mut Pool) {
        while let Some(page) = self.blocks.sparsest() {
            let mut rest = self.blocks.close(page);
            let mut found = [0; slots::CAPACITY_MAX];
            let count = self
                .table
                .positions(pool, |place| page_of(place) == page, &mut found);
            for at in found[..count].iter().map(|at| usize::from(*at)) {
                let old = self.table.get(pool, at);
                let (new, length) = self.blocks.move_block(pool, old, rest);
                self.table.set(pool, at, new);
                rest -= length;
            }
            self.blocks.release(pool, page);
            #[cfg(test)]
            {
                self.moved += count;
            }
        }
    }

    /// Lets pages move to spans in front of one, at most so many; whether there was none left.
    pub(super) fn lower(&mut self, pool: &mut Pool, first: usize, mut most: usize) -> bool {
        if let Some(page) = pool.lower(self.table.page, first) {
            self.table.page = page;
        }
        self.blocks.lower(pool, first, &mut most)
    }
}

/// For a clone of the pool.
impl<L: Boxed + Clone> Clone for Segment<L> {
    fn clone(&self) -> Self {
        let bigs = self.bigs.clone();
        Self {
            prefix: self.prefix,
            table: self.table.clone(),
            depth: self.depth,
            blocks: self.blocks.clone(),
            big_bytes: bigs.iter().map(|big| big.memory()).sum(),
            bigs,
            edge: self.edge.clone(),
            #[cfg(test)]
            moved: 0,
        }
    }
}

/// What a segment holds.
#[derive(Clone, Debug)]
pub(in super::super) struct Iter<'a, L> {
    segment: &'a Segment<L>,
    pool: &'a Pool,
    at: u32,
    big: usize,
}

impl<'a, L: Boxed> Iterator for Iter<'a, L> {
    type Item = View<'a, L>;

    fn next(&mut self) -> Option<View<'a, L>> {
        if let Some((place, behind)) = self.segment.blocks.next(self.pool, self.at) {
            self.at = behind;
            return Some(self.segment.view_at(self.pool, place));
        }
        let big = self.segment.bigs.get(self.big)?;
        self.big += 1;
        Some(View::of_box(big))
    }
}
