//! One part of a table: a few hundred keys whose hashes begin alike, found through one small hash
//! table.
//!
//! Small values stand in blocks (`blocks`), large ones in boxes; the hash table (`slots`) says
//! which and where. A walk through a segment goes through its blocks and boxes and never through
//! the hash table, but when a tenth of a segment is gaps, the hash table names the blocks of the
//! page with most of them.

use alloc::boxed::Box;
use alloc::vec::Vec;
#[cfg(test)]
use core::cell::Cell;

use super::super::entry::{BLOCK_BYTES_MAX, Boxed, Draft, Header, View};
use super::super::heat::Heat;
use super::blocks::{At, Blocks, Cursor, NARROW_BLOCK_MAX, at, is_wide, place_of_box};
use super::hasher::{Hasher, begins_place};
use super::pool::{Handle, Pool, Surplus};
use super::slots::{self, Slot, Slots};
use crate::time::Stamp;

/// Bytes of blocks in narrow and in wide pages that are few enough for one segment: two neighbours
/// with no more together become one.
const BYTES_FEW: [usize; 2] = [32 << 10, 128 << 10];
/// The longest block: one that was as long as may be, and was given an expiry and room for its
/// heat.
pub(super) const WIDE_BLOCK_MAX: usize = BLOCK_BYTES_MAX + size_of::<Stamp>() + Heat::BYTES;
/// The depth of a segment that no cell of the directory names, see `deep`.
pub(super) const DEEP: u8 = 33;

#[cfg(test)]
std::thread_local! {
    /// How many keys were compared with one that was looked for.
    pub(in super::super) static COMPARED: Cell<usize> = const { Cell::new(0) };
    /// How many blocks and boxes were read ahead.
    pub(crate) static FETCHED: Cell<usize> = const { Cell::new(0) };
}

#[derive(Debug)]
pub(super) struct Segment<L> {
    /// The place in the order of the table where the keys that belong here begin.
    pub(super) prefix: u64,
    pub(super) table: Slots,
    /// How many leading bits of the prefix they share, or `DEEP`.
    pub(super) depth: u8,
    pub(super) narrow: Blocks<false>,
    /// Not there in most segments.
    pub(super) wide: Option<Box<Blocks<true>>>,
    pub(super) bigs: Vec<Box<L>>,
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
pub(super) fn turned(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// Returns true if this is the slot of a box.
pub(super) fn is_boxed(slot: Slot) -> bool {
    matches!(at(slots::place(slot)), At::Box(_))
}

impl<L: Boxed> Segment<L> {
    pub(super) fn new(prefix: u64, depth: u8) -> Self {
        Self {
            prefix,
            table: Slots::EMPTY,
            depth,
            narrow: Blocks::new(),
            wide: None,
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

    /// Returns true if no cell of the directory names it.
    pub(super) fn is_deep(&self) -> bool {
        self.depth == DEEP
    }

    /// Returns true if it begins within a place that a cursor can name.
    pub(super) fn begins_within_place(&self) -> bool {
        !self.edge.is_empty() || !begins_place(self.prefix)
    }

    /// Returns true if it wants to be split.
    pub(super) fn full(&self, keys_max: usize) -> bool {
        let pages = self.narrow.full() || self.wide.as_ref().is_some_and(|wide| wide.full());
        self.len() > keys_max || (pages && self.len() > 1)
    }

    /// The bytes of its blocks in narrow and in wide pages.
    pub(super) fn used(&self) -> [usize; 2] {
        let wide = self.wide.as_ref().map_or(0, |wide| wide.live_bytes());
        [self.narrow.live_bytes(), wide]
    }

    /// Returns true if it may be joined with a neighbour: at most so many keys,
    /// and few bytes.
    pub(super) fn is_few(&self, keys: usize) -> bool {
        let used = self.used();
        self.len() <= keys && (0..2).all(|kind| used[kind] <= BYTES_FEW[kind] / 2)
    }

    /// Returns true if it has with another at most so many keys, and few bytes.
    pub(super) fn is_few_with(&self, other: &Self, keys: usize) -> bool {
        let (one, two) = (self.used(), other.used());
        self.len() + other.len() <= keys
            && (0..2).all(|kind| one[kind] + two[kind] <= BYTES_FEW[kind])
    }

    /// The bytes of memory that it takes, itself and its pages not included.
    pub(super) fn memory(&self) -> usize {
        let wide = self.wide.as_ref().map_or(0, |wide| size_of_val(&**wide));
        wide + self.bigs.capacity() * size_of::<Box<L>>() + self.big_bytes
    }

    /// As `memory`, counted anew; with the pages that it holds.
    #[cfg(test)]
    pub(super) fn recount(&self, pool: &Pool) -> (usize, Vec<Handle>) {
        let bigs: usize = self.bigs.iter().map(|big| big.recount()).sum();
        assert_eq!(bigs, self.big_bytes);
        let mut pages = self.narrow.recount(pool);
        if let Some(wide) = &self.wide {
            pages.extend(wide.recount(pool));
        }
        if self.table.page != Handle::NONE {
            pages.push(self.table.page);
        }
        let mut found: Vec<u32> = self.table.all(pool).into_iter().map(slots::place).collect();
        let mut held: Vec<u32> = (0..self.bigs.len()).map(place_of_box).collect();
        let mut from = Walk::default();
        while let Some((place, behind)) = self.next(pool, from) {
            held.push(place);
            from = behind;
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

    /// The first block from somewhere on, and where to go on.
    pub(super) fn next(&self, pool: &Pool, from: Walk) -> Option<(u32, Walk)> {
        if !from.wide
            && let Some((place, at)) = self.narrow.next(pool, from.at)
        {
            return Some((place, Walk { wide: false, at }));
        }
        let wide = self.wide.as_ref()?;
        let (place, at) = wide.next(
            pool,
            if from.wide {
                from.at
            } else {
                Cursor::default()
            },
        )?;
        Some((place, Walk { wide: true, at }))
    }

    /// Among which bytes a block stands, and from where on.
    pub(super) fn at<'a>(&self, pool: &'a Pool, place: u32) -> (&'a [u8], usize) {
        match (at(place), &self.wide) {
            (At::Narrow, _) => self.narrow.at(pool, place),
            (At::Wide, Some(wide)) => wide.at(pool, place),
            _ => unreachable!("the place is one of a block"),
        }
    }

    /// As `at`, to be changed.
    pub(super) fn at_mut<'a>(&self, pool: &'a mut Pool, place: u32) -> (&'a mut [u8], usize) {
        match (at(place), &self.wide) {
            (At::Narrow, _) => self.narrow.at_mut(pool, place),
            (At::Wide, Some(wide)) => wide.at_mut(pool, place),
            _ => unreachable!("the place is one of a block"),
        }
    }

    /// The key that stands at a place.
    fn key<'a>(&'a self, pool: &'a Pool, place: u32) -> &'a [u8] {
        if let At::Box(number) = at(place) {
            return self.bigs[number].key();
        }
        let (bytes, at) = self.at(pool, place);
        Header::read(bytes, at).key(bytes)
    }

    pub(super) fn find(&self, pool: &Pool, hash: u64, key: &[u8]) -> Option<Slot> {
        self.table.find(pool, turned(hash), |place| {
            #[cfg(test)]
            COMPARED.set(COMPARED.get() + 1);
            self.key(pool, place) == key
        })
    }

    /// A key with its value and its slot, if it is there.
    pub(super) fn get<'a>(
        &'a self,
        pool: &'a Pool,
        hash: u64,
        key: &[u8],
    ) -> Option<(Slot, View<'a, L>)> {
        let mut found = None;
        let slot = self.table.find(pool, turned(hash), |place| {
            #[cfg(test)]
            COMPARED.set(COMPARED.get() + 1);
            let At::Box(number) = at(place) else {
                let (bytes, at) = self.at(pool, place);
                let header = Header::read(bytes, at);
                let is = header.key(bytes) == key;
                if is {
                    found = Some(View::of_block(&header, bytes));
                }
                return is;
            };
            let big = &self.bigs[number];
            let is = big.key() == key;
            if is {
                found = Some(View::of_box(&**big));
            }
            is
        })?;
        Some((slot, found?))
    }

    pub(super) fn expiry(&self, pool: &Pool, slot: Slot) -> Option<Stamp> {
        let place = slots::place(slot);
        if let At::Box(number) = at(place) {
            return self.bigs[number].expiry();
        }
        let (bytes, at) = self.at(pool, place);
        Header::read(bytes, at).expiry(bytes)
    }

    pub(super) fn view<'a>(&'a self, pool: &'a Pool, slot: Slot) -> View<'a, L> {
        self.view_at(pool, slots::place(slot))
    }

    pub(super) fn view_at<'a>(&'a self, pool: &'a Pool, place: u32) -> View<'a, L> {
        if let At::Box(number) = at(place) {
            return View::of_box(&self.bigs[number]);
        }
        let (bytes, at) = self.at(pool, place);
        View::of_block(&Header::read(bytes, at), bytes)
    }

    /// All that it holds: the blocks page by page, then the boxes.
    pub(super) fn iter<'a>(&'a self, pool: &'a Pool) -> Iter<'a, L> {
        Iter {
            segment: self,
            pool,
            from: Walk::default(),
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
        let place = place_of_box(self.bigs.len());
        self.big_bytes += big.memory();
        if self.bigs.len() == self.bigs.capacity() {
            self.bigs.reserve_exact(1 + self.bigs.len() / 4);
        }
        self.bigs.push(big);
        self.table.insert(pool, turned(hash), place);
    }

    /// Makes a place for a block of so many bytes; of what is in narrow and in wide pages
    /// `expected` will be added soon.
    pub(super) fn add(&mut self, pool: &mut Pool, length: usize, expected: [usize; 2]) -> u32 {
        if is_wide(length) {
            let wide = self.wide.get_or_insert_with(|| Box::new(Blocks::new()));
            wide.add(pool, length, expected[1])
        } else {
            self.narrow.add(pool, length, expected[0])
        }
    }

    /// The page of a block, and where it begins there.
    pub(super) fn locate(&self, place: u32) -> (Handle, usize) {
        match (at(place), &self.wide) {
            (At::Wide, Some(wide)) => wide.locate(place),
            _ => self.narrow.locate(place),
        }
    }

    fn append(&mut self, pool: &mut Pool, draft: &Draft<'_>) -> u32 {
        let length = draft.len();
        let place = self.add(pool, length, [length; 2]);
        let (bytes, at) = self.at_mut(pool, place);
        draft.write(&mut bytes[at..at + length]);
        place
    }

    /// Gives a block another length where it stands, if that can be.
    fn resize(&mut self, pool: &mut Pool, place: u32, length: usize) -> bool {
        let (bytes, begin) = self.at_mut(pool, place);
        let old = Header::read(bytes, begin).len();
        if old == length {
            return true;
        }
        match (at(place), &mut self.wide) {
            (At::Narrow, _) if !is_wide(length) => self.narrow.resize(pool, place, old, length),
            (At::Wide, Some(wide)) if is_wide(length) => wide.resize(pool, place, old, length),
            _ => false,
        }
    }

    fn free(&mut self, pool: &mut Pool, place: u32) {
        match (at(place), &mut self.wide) {
            (At::Narrow, _) => self.narrow.free(pool, place),
            (At::Wide, Some(wide)) => wide.free(pool, place),
            _ => unreachable!("what is in a box is no block"),
        }
    }

    /// Writes another block in place of one with the same key.
    pub(super) fn rewrite(&mut self, pool: &mut Pool, slot: Slot, draft: &Draft<'_>) {
        let (place, length) = (slots::place(slot), draft.len());
        if self.resize(pool, place, length) {
            let (bytes, at) = self.at_mut(pool, place);
            draft.write(&mut bytes[at..at + length]);
        } else {
            self.free(pool, place);
            let new = self.append(pool, draft);
            self.table.relink(pool, slot, new);
        }
        self.tidy(pool);
    }

    /// Gives a block another expiry.
    pub(super) fn set_expiry(&mut self, pool: &mut Pool, slot: Slot, expiry: Option<Stamp>) {
        let (bytes, at) = self.at_mut(pool, slots::place(slot));
        let header = Header::read(bytes, at);
        if header.overwrite_expiry(bytes, expiry) {
            return;
        }
        // By way of the stack, since one pool has both.
        if is_wide(header.len()) {
            self.copy_with::<WIDE_BLOCK_MAX>(pool, slot, |draft| Draft { expiry, ..draft });
        } else {
            self.copy_with::<NARROW_BLOCK_MAX>(pool, slot, |draft| Draft { expiry, ..draft });
        }
    }

    /// Writes a block anew that is the same but for its head.
    pub(super) fn copy_with<const ROOM: usize>(
        &mut self,
        pool: &mut Pool,
        slot: Slot,
        change: impl FnOnce(Draft<'_>) -> Draft<'_>,
    ) {
        let mut copy = [0; ROOM];
        let (bytes, at) = self.at_mut(pool, slots::place(slot));
        let header = Header::read(bytes, at);
        let copy = &mut copy[..header.len()];
        copy.copy_from_slice(header.block(bytes));
        let draft = Header::read(copy, 0).draft(copy);
        self.rewrite(pool, slot, &change(draft));
    }

    /// Takes a key out; a box is handed over.
    pub(super) fn remove(&mut self, pool: &mut Pool, slot: Slot, hasher: Hasher) -> Option<Box<L>> {
        self.table.remove(pool, slot);
        let place = slots::place(slot);
        if let At::Box(number) = at(place) {
            return Some(self.take_big(pool, number, hasher));
        }
        self.free(pool, place);
        self.tidy(pool);
        None
    }

    /// Takes a box out that the table no longer names; the last one takes its number.
    fn take_big(&mut self, pool: &mut Pool, number: usize, hasher: Hasher) -> Box<L> {
        let big = self.bigs.swap_remove(number);
        self.big_bytes -= big.memory();
        if let Some(moved) = self.bigs.get(number) {
            let hash = hasher.slot(self.is_deep(), moved.key());
            let old = place_of_box(self.bigs.len());
            let slot = self.table.find(pool, turned(hash), |place| place == old);
            let slot = slot.expect("what a segment holds is in its table");
            self.table.relink(pool, slot, place_of_box(number));
        }
        big
    }

    /// Changes a box, which keeps its key.
    pub(super) fn change_big<R>(&mut self, slot: Slot, change: impl FnOnce(&mut L) -> R) -> R {
        let At::Box(number) = at(slots::place(slot)) else {
            unreachable!("only a box is changed in place");
        };
        let big = &mut self.bigs[number];
        let before = big.memory();
        let result = change(big);
        self.big_bytes = self.big_bytes - before + big.memory();
        result
    }

    pub(super) fn set_epoch(&mut self, pool: &mut Pool, slot: Slot, epoch: u8) {
        let (bytes, at) = self.at_mut(pool, slots::place(slot));
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
        let mut from = Walk::default();
        while let Some((place, behind)) = self.next(pool, from) {
            from = behind;
            let (bytes, at) = self.at_mut(pool, place);
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
        let mut from = Walk::default();
        while let Some((place, behind)) = self.next(pool, from) {
            from = behind;
            let (bytes, at) = self.at(pool, place);
            let header = Header::read(bytes, at);
            if due(header.expiry(bytes)) {
                let draft = header.draft(bytes);
                show(&draft);
                let hash = hasher.slot(self.is_deep(), draft.key);
                self.unlink(pool, hash, place);
                self.free(pool, place);
            }
        }
        for number in (0..self.bigs.len()).rev() {
            if due(self.bigs[number].expiry()) {
                let hash = hasher.slot(self.is_deep(), self.bigs[number].key());
                self.unlink(pool, hash, place_of_box(number));
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

    /// The boxes of a segment that is given up, whatever becomes of its pages.
    pub(super) fn into_bigs(self) -> Vec<Box<L>> {
        self.bigs
    }

    /// Closes gaps where there are too many.
    fn tidy(&mut self, pool: &mut Pool) {
        let moved = self.narrow.tidy(pool, &self.table);
        let moved_wide = match &mut self.wide {
            Some(wide) if wide.live_bytes() == 0 => {
                wide.clear(pool);
                self.wide = None;
                0
            }
            Some(wide) => wide.tidy(pool, &self.table),
            None => 0,
        };
        #[cfg(test)]
        {
            self.moved += moved + moved_wide;
        }
        #[cfg(not(test))]
        let _ = moved + moved_wide;
    }

    /// Lets pages move to spans in front of one, of so many bytes together; whether there was none
    /// left.
    pub(super) fn lower(&mut self, pool: &mut Pool, surplus: Surplus, most: usize) -> bool {
        if surplus.wide {
            return (self.wide.as_mut()).is_none_or(|wide| wide.lower(pool, surplus.first, most));
        }
        if let Some(page) = pool.lower(self.table.page, surplus.first) {
            self.table.page = page;
        }
        self.narrow.lower(pool, surplus.first, most)
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
            narrow: self.narrow.clone(),
            wide: self.wide.clone(),
            big_bytes: bigs.iter().map(|big| big.memory()).sum(),
            bigs,
            edge: self.edge.clone(),
            #[cfg(test)]
            moved: 0,
        }
    }
}

/// How far a walk over blocks has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    wide: bool,
    pub(super) at: Cursor,
}

/// The keys and values that a segment holds.
#[derive(Clone, Debug)]
pub(in super::super) struct Iter<'a, L> {
    segment: &'a Segment<L>,
    pool: &'a Pool,
    from: Walk,
    big: usize,
}

impl<'a, L: Boxed> Iterator for Iter<'a, L> {
    type Item = View<'a, L>;

    fn next(&mut self) -> Option<View<'a, L>> {
        if let Some((place, behind)) = self.segment.next(self.pool, self.from) {
            self.from = behind;
            return Some(self.segment.view_at(self.pool, place));
        }
        let big = self.segment.bigs.get(self.big)?;
        self.big += 1;
        Some(View::of_box(big))
    }
}
