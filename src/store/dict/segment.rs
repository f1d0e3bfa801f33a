//! One part of a table: a few hundred keys whose hashes begin alike, found through one small hash
//! table.
//!
//! The table holds four bytes per key: where its block stands in the segment's own bytes, or which
//! of the segment's boxes it is. Blocks stand in the order in which they came. What is freed is
//! marked, and when a quarter is free the rest moves together. Whatever walks a segment walks its
//! bytes and never the hash table, so that no order depends on how the latter is made.

use alloc::boxed::Box;
use alloc::vec::Vec;
#[cfg(test)]
use core::cell::Cell;

use hashbrown::HashTable;

use super::super::entry::{Boxed, Draft, Header, View};
use super::hasher::{Hasher, begins_place};
use crate::time::Stamp;

/// A segment with more bytes in blocks than this is split before it has so many keys.
pub(super) const BYTES_MAX: usize = 128 << 10;
/// Bytes that are few enough for one segment: two neighbours with no more together become one.
pub(super) const BYTES_FEW: usize = 48 << 10;
/// The depth of a segment that no cell of the directory names, see `deep`.
pub(super) const DEEP: u8 = 33;

/// Set in a slot that names a box; the rest is its number.
const BIG: u32 = 1 << 31;

/// What the table holds of a key; good until the segment changes.
pub(super) type Slot = u32;

#[cfg(test)]
std::thread_local! {
    /// How many keys were compared with one that was looked for.
    pub(in super::super) static COMPARED: Cell<usize> = const { Cell::new(0) };
}

#[derive(Debug)]
pub(super) struct Segment<L> {
    /// Where the keys that belong here begin in the order of the table.
    pub(super) prefix: u64,
    /// The first of those keys, or some bytes before it, where the segment in front ends at the
    /// same place of that order. Hardly ever is it not empty.
    pub(super) edge: Box<[u8]>,
    /// How many leading bits of the prefix they share, or `DEEP`.
    pub(super) depth: u8,
    table: HashTable<Slot>,
    blocks: Vec<u8>,
    freed: usize,
    bigs: Vec<Box<L>>,
    big_bytes: usize,
    /// How many keys tidying moved.
    #[cfg(test)]
    pub(super) moved: usize,
}

/// All hashes of a segment share their leading bits, and the hash table takes its tag from there:
/// so it gets them turned, with the tag from the middle and the bucket from bits that no depth
/// reaches.
fn turned(hash: u64) -> u64 {
    hash.rotate_left(32)
}

fn key_at<'a, L: Boxed>(blocks: &'a [u8], bigs: &'a [Box<L>], slot: Slot) -> &'a [u8] {
    if slot & BIG == 0 {
        Header::read(blocks, slot as usize).key(blocks)
    } else {
        bigs[(slot & !BIG) as usize].key()
    }
}

impl<L: Boxed> Segment<L> {
    pub(super) fn new(prefix: u64, depth: u8) -> Self {
        Self {
            prefix,
            edge: Box::default(),
            depth,
            table: HashTable::new(),
            blocks: Vec::new(),
            freed: 0,
            bigs: Vec::new(),
            big_bytes: 0,
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

    /// Whether it wants to be split. With no more bytes than that, and one block on top, its slots
    /// have bits enough to tell where a block stands.
    pub(super) fn full(&self, keys_max: usize) -> bool {
        self.len() > keys_max || (self.used() > BYTES_MAX && self.len() > 1)
    }

    /// The bytes of its blocks.
    pub(super) fn used(&self) -> usize {
        self.blocks.len() - self.freed
    }

    /// The bytes of memory that it takes, itself not included.
    pub(super) fn memory(&self) -> usize {
        self.table.allocation_size()
            + self.blocks.capacity()
            + self.bigs.capacity() * size_of::<Box<L>>()
            + self.big_bytes
    }

    /// As `memory`, counted anew.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let bigs: usize = self.bigs.iter().map(|big| big.recount()).sum();
        assert_eq!(bigs, self.big_bytes);
        let freed: usize = headers(&self.blocks)
            .filter(Header::freed)
            .map(|header| header.len())
            .sum();
        assert_eq!(freed, self.freed);
        self.memory()
    }

    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Slot> {
        self.table
            .find(turned(hash), |&slot| {
                #[cfg(test)]
                COMPARED.set(COMPARED.get() + 1);
                key_at(&self.blocks, &self.bigs, slot) == key
            })
            .copied()
    }

    pub(super) fn view(&self, slot: Slot) -> View<'_, L> {
        if slot & BIG == 0 {
            View::of_block(&Header::read(&self.blocks, slot as usize), &self.blocks)
        } else {
            View::of_box(&self.bigs[(slot & !BIG) as usize])
        }
    }

    /// All that it holds: the blocks in the order in which they came, then the boxes.
    pub(super) fn iter(&self) -> Iter<'_, L> {
        Iter {
            segment: self,
            at: 0,
            big: 0,
        }
    }

    /// The earliest expiry in it, `u64::MAX` for none.
    pub(super) fn earliest(&self) -> u64 {
        self.iter()
            .filter_map(|view| view.expiry)
            .map(|time| time.0)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Adds a block whose key is not there.
    pub(super) fn insert(&mut self, hash: u64, draft: &Draft<'_>, hasher: Hasher) {
        let slot = self.append(draft);
        self.link(hash, slot, hasher);
    }

    /// Adds a box whose key is not there.
    pub(super) fn insert_big(&mut self, hash: u64, big: Box<L>, hasher: Hasher) {
        let slot = BIG | self.bigs.len() as Slot;
        self.big_bytes += big.memory();
        self.bigs.push(big);
        self.link(hash, slot, hasher);
    }

    fn append(&mut self, draft: &Draft<'_>) -> Slot {
        let slot = self.blocks.len() as Slot;
        grow(&mut self.blocks, draft.len());
        draft.write(&mut self.blocks);
        slot
    }

    fn link(&mut self, hash: u64, slot: Slot, hasher: Hasher) {
        let is_deep = self.is_deep();
        let Self {
            table,
            blocks,
            bigs,
            ..
        } = self;
        table.insert_unique(turned(hash), slot, |&slot| {
            turned(hasher.slot(is_deep, key_at(blocks, bigs, slot)))
        });
    }

    /// Writes another block in place of one with the same key.
    pub(super) fn rewrite(&mut self, hash: u64, slot: Slot, draft: &Draft<'_>, hasher: Hasher) {
        let header = Header::read(&self.blocks, slot as usize);
        if header.len() == draft.len() {
            draft.overwrite(&mut self.blocks[slot as usize..header.end()]);
            return;
        }
        header.free(&mut self.blocks);
        self.freed += header.len();
        let new = self.append(draft);
        self.relink(hash, slot, new);
        self.tidy(hasher);
    }

    /// Gives a block another expiry.
    pub(super) fn set_expiry(
        &mut self,
        hash: u64,
        slot: Slot,
        expiry: Option<Stamp>,
        hasher: Hasher,
    ) {
        let header = Header::read(&self.blocks, slot as usize);
        if header.overwrite_expiry(&mut self.blocks, expiry) {
            return;
        }
        // The block is copied behind all others as it is, and then given its new head.
        let draft = Draft {
            expiry,
            ..header.draft(&self.blocks)
        };
        let (head, length) = draft.head();
        let new = self.blocks.len() as Slot;
        let payload = header.payload();
        grow(&mut self.blocks, length + payload.len());
        self.blocks.extend_from_slice(&head[..length]);
        self.blocks.extend_from_within(payload);
        header.free(&mut self.blocks);
        self.freed += header.len();
        self.relink(hash, slot, new);
        self.tidy(hasher);
    }

    fn relink(&mut self, hash: u64, old: Slot, new: Slot) {
        let slot = self
            .table
            .find_mut(turned(hash), |&slot| slot == old)
            .expect("a slot that was found is in the table");
        *slot = new;
    }

    /// Takes a key out; a box is handed over.
    pub(super) fn remove(&mut self, hash: u64, slot: Slot, hasher: Hasher) -> Option<Box<L>> {
        let Ok(found) = self.table.find_entry(turned(hash), |&held| held == slot) else {
            unreachable!("a slot that was found is in the table");
        };
        found.remove();
        if slot & BIG == 0 {
            let header = Header::read(&self.blocks, slot as usize);
            header.free(&mut self.blocks);
            self.freed += header.len();
            self.tidy(hasher);
            return None;
        }
        Some(self.take_big((slot & !BIG) as usize, hasher))
    }

    /// Takes a box out that the table no longer names; the last one takes its number.
    fn take_big(&mut self, number: usize, hasher: Hasher) -> Box<L> {
        let big = self.bigs.swap_remove(number);
        self.big_bytes -= big.memory();
        if let Some(moved) = self.bigs.get(number) {
            let hash = hasher.slot(self.is_deep(), moved.key());
            let old = BIG | self.bigs.len() as Slot;
            self.relink(hash, old, BIG | number as Slot);
        }
        big
    }

    /// Changes a box, which keeps its key.
    pub(super) fn change_big<R>(&mut self, slot: Slot, change: impl FnOnce(&mut L) -> R) -> R {
        assert!(slot & BIG != 0, "only a box is changed in place");
        let big = &mut self.bigs[(slot & !BIG) as usize];
        let before = big.memory();
        let result = change(big);
        self.big_bytes = self.big_bytes - before + big.memory();
        result
    }

    pub(super) fn set_epoch(&mut self, slot: Slot, epoch: u8) {
        Header::read(&self.blocks, slot as usize).set_epoch(&mut self.blocks, epoch);
    }

    /// Shows each block that does not bear `epoch` and stamps it, until `show` says that it is
    /// enough; whether it came to the end.
    pub(super) fn stamp(&mut self, epoch: u8, show: &mut dyn FnMut(&Draft<'_>) -> bool) -> bool {
        let mut at = 0;
        while at < self.blocks.len() {
            let header = Header::read(&self.blocks, at);
            at = header.end();
            if header.freed() || header.epoch() == epoch {
                continue;
            }
            let go_on = show(&header.draft(&self.blocks));
            header.set_epoch(&mut self.blocks, epoch);
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
        let mut at = 0;
        while at < self.blocks.len() {
            let header = Header::read(&self.blocks, at);
            if !header.freed() && due(header.expiry(&self.blocks)) {
                let draft = header.draft(&self.blocks);
                show(&draft);
                let hash = hasher.slot(self.is_deep(), draft.key);
                self.unlink(hash, at as Slot);
                header.free(&mut self.blocks);
                self.freed += header.len();
            }
            at = header.end();
        }
        for number in (0..self.bigs.len()).rev() {
            if due(self.bigs[number].expiry()) {
                let hash = hasher.slot(self.is_deep(), self.bigs[number].key());
                self.unlink(hash, BIG | number as Slot);
                retired.push(self.take_big(number, hasher));
            }
        }
        self.tidy(hasher);
        (before - self.len(), times)
    }

    fn unlink(&mut self, hash: u64, slot: Slot) {
        let Ok(found) = self.table.find_entry(turned(hash), |&held| held == slot) else {
            unreachable!("what a segment holds is in its table");
        };
        found.remove();
    }

    /// Splits it by the next bit of the hash.
    pub(super) fn split(self, hasher: Hasher) -> (Self, Self) {
        let bit = 1 << (63 - self.depth);
        let low = Self::new(self.prefix, self.depth + 1);
        let high = Self::new(self.prefix | bit, self.depth + 1);
        self.divide(hasher, low, high, |_, hash| hash & bit != 0)
    }

    /// Gives what it holds to two others, to the second where `is_high` says so of a key and the
    /// hash under which they find it.
    pub(super) fn divide(
        self,
        hasher: Hasher,
        mut low: Self,
        mut high: Self,
        is_high: impl Fn(&[u8], u64) -> bool,
    ) -> (Self, Self) {
        for half in [&mut low, &mut high] {
            half.blocks
                .reserve_exact(self.used() / 2 + self.used() / 16);
            half.table = HashTable::with_capacity(self.len() / 2);
        }
        let choose = |key: &[u8], hash| usize::from(is_high(key, hash));
        self.pour(hasher, choose, &mut [&mut low, &mut high]);
        (low, high)
    }

    /// The union of some in their order, as one that begins and is found otherwise.
    pub(super) fn unite<const N: usize>(parts: [Self; N], mut whole: Self, hasher: Hasher) -> Self {
        let (used, len) = (parts.iter().map(Self::used), parts.iter().map(Self::len));
        whole.blocks.reserve_exact(used.sum());
        whole.table = HashTable::with_capacity(len.sum());
        for part in parts {
            part.pour(hasher, |_, _| 0, &mut [&mut whole]);
        }
        whole
    }

    fn pour(self, hasher: Hasher, choose: impl Fn(&[u8], u64) -> usize, into: &mut [&mut Self]) {
        let is_deep = into.iter().any(|target| target.is_deep());
        for header in headers(&self.blocks).filter(|header| !header.freed()) {
            let key = header.key(&self.blocks);
            let hash = hasher.slot(is_deep, key);
            let target = &mut *into[choose(key, hash)];
            let slot = target.blocks.len() as Slot;
            grow(&mut target.blocks, header.len());
            target.blocks.extend_from_slice(header.block(&self.blocks));
            target.link(hash, slot, hasher);
        }
        for big in self.bigs {
            let hash = hasher.slot(is_deep, big.key());
            into[choose(big.key(), hash)].insert_big(hash, big, hasher);
        }
    }

    /// Stamps all blocks.
    pub(super) fn restamp(&mut self, epoch: u8) {
        self.stamp(epoch, &mut |_| true);
    }

    /// The boxes of a segment that is given up.
    pub(super) fn into_bigs(self) -> Vec<Box<L>> {
        self.bigs
    }

    /// Moves the blocks together where a quarter of the bytes is freed.
    fn tidy(&mut self, hasher: Hasher) {
        if self.freed <= 256 + self.blocks.len() / 4 {
            return;
        }
        let keys = self.len();
        #[cfg(test)]
        {
            self.moved += keys;
        }
        // Room for half as many again, so that a table that shrank gives its memory back.
        if self.table.capacity() > 64 && self.table.capacity() / 4 > keys {
            self.table = HashTable::with_capacity(keys + keys / 2);
        } else {
            self.table.clear();
        }
        let (mut at, mut to) = (0, 0);
        while at < self.blocks.len() {
            let header = Header::read(&self.blocks, at);
            at = header.end();
            if header.freed() {
                continue;
            }
            let hash = hasher.slot(self.is_deep(), header.key(&self.blocks));
            self.blocks.copy_within(header.range(), to);
            self.link(hash, to as Slot, hasher);
            to += header.len();
        }
        self.blocks.truncate(to);
        self.freed = 0;
        if self.blocks.capacity() > to + to / 4 + 64 {
            self.blocks.shrink_to(to + to / 8);
        }
        for number in 0..self.bigs.len() {
            let hash = hasher.slot(self.is_deep(), self.bigs[number].key());
            self.link(hash, BIG | number as Slot, hasher);
        }
    }
}

impl<L: Boxed + Clone> Clone for Segment<L> {
    fn clone(&self) -> Self {
        let bigs = self.bigs.clone();
        Self {
            prefix: self.prefix,
            edge: self.edge.clone(),
            depth: self.depth,
            table: self.table.clone(),
            blocks: self.blocks.clone(),
            freed: self.freed,
            big_bytes: bigs.iter().map(|big| big.memory()).sum(),
            bigs,
            #[cfg(test)]
            moved: 0,
        }
    }
}

/// The headers of all blocks, freed ones included.
fn headers(blocks: &[u8]) -> impl Iterator<Item = Header> {
    let mut at = 0;
    core::iter::from_fn(move || {
        (at < blocks.len()).then(|| {
            let header = Header::read(blocks, at);
            at = header.end();
            header
        })
    })
}

/// Makes room for `more` bytes: an eighth at a time and not a half, since segments are many and
/// small.
fn grow(blocks: &mut Vec<u8>, more: usize) {
    if blocks.capacity() - blocks.len() < more {
        blocks.reserve_exact(more.max(blocks.len() / 8).max(64));
    }
}

/// What a segment holds.
#[derive(Clone, Debug)]
pub(in super::super) struct Iter<'a, L> {
    segment: &'a Segment<L>,
    at: usize,
    big: usize,
}

impl<'a, L: Boxed> Iterator for Iter<'a, L> {
    type Item = View<'a, L>;

    fn next(&mut self) -> Option<View<'a, L>> {
        let Segment { blocks, bigs, .. } = self.segment;
        while self.at < blocks.len() {
            let header = Header::read(blocks, self.at);
            self.at = header.end();
            if !header.freed() {
                return Some(View::of_block(&header, blocks));
            }
        }
        let big = bigs.get(self.big)?;
        self.big += 1;
        Some(View::of_box(big))
    }
}
