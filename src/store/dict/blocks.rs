//! The blocks of one segment, in pages of its table's pool.
//!
//! A block stands whole in one page, behind those that came before it. The room of a freed block is
//! a gap, into which only the block in front of it may grow; when gaps are too much, `Segment` lets
//! the page with most of them be packed, or emptied into the others where it finds room there. A
//! segment with one page has a smaller one while that will do.
//!
//! Longer blocks have pages of their own, which are wider: so little is lost at the end of each.

#[cfg(test)]
use alloc::vec::Vec;

use super::super::entry::{Header, gap, put_gap};
use super::pool::{Handle, PAGE_BYTES, Pool, WIDE_BYTES, size_of_page};
use super::slots::{CAPACITY_MAX, PLACE_BITS, Position, Slots};

/// The longest block of a narrow page.
pub(super) const NARROW_BLOCK_MAX: usize = PAGE_BYTES / 16;
/// More blocks than a page has as a rule: room for so many is made at once, and for all that there
/// can be only where they are more.
const BLOCKS_USUAL: usize = 256;
/// The most pages of a segment. A full one has `PAGES_FULL` and what one change adds; packed anew,
/// each of its pages but the last is filled to three quarters at least, since a block is at most a
/// quarter of a page: so this is enough for any two that become one, or one that becomes two.
const PAGES_MAX: usize = 31;
/// A segment with more pages is split before it has so many keys.
const PAGES_FULL: usize = 20;
/// A segment of one page takes this much more than it needs.
const MORE: usize = 8;

/// Set in the place of what stands in no narrow page: in a wide one, or in a box.
const BESIDE: u32 = 1 << (PLACE_BITS - 1);
/// Set beside that where it is a wide page.
const IN_WIDE: u32 = 1 << (PLACE_BITS - 2);
/// The place of a key: which kind of page, or which box.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Narrow,
    Wide,
    /// In the box of this number.
    Box(usize),
}

/// The kind of a place.
pub(super) fn at(place: u32) -> At {
    if place & BESIDE == 0 {
        At::Narrow
    } else if place & IN_WIDE != 0 {
        At::Wide
    } else {
        At::Box((place & !BESIDE) as usize)
    }
}

/// The place of the box of this number.
pub(super) fn place_of_box(number: usize) -> u32 {
    BESIDE | number as u32
}

/// Returns true if a block of so many bytes stands in a wide page.
pub(super) fn is_wide(length: usize) -> bool {
    length > NARROW_BLOCK_MAX
}

#[derive(Clone, Copy, Debug)]
struct Page {
    handle: Handle,
    /// Behind its last block.
    used: u16,
    /// The bytes of gaps in it.
    freed: u16,
}

const NO_PAGE: Page = Page {
    handle: Handle::NONE,
    used: 0,
    freed: 0,
};

impl Page {
    fn room(self) -> usize {
        if self.handle == Handle::NONE {
            return 0;
        }
        self.handle.len() - usize::from(self.used)
    }

    fn live(self) -> usize {
        usize::from(self.used - self.freed)
    }
}

/// How far a walk over blocks has come: a page, and an offset in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    page: usize,
    offset: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Blocks<const WIDE: bool> {
    /// The first is none, so that no place is 0.
    pages: [Page; PAGES_MAX + 1],
    /// How many pages there are, and the number of the last.
    count: u8,
    last: u8,
    /// The one that was written to last.
    open: u8,
    /// The sums of all pages.
    used: u32,
    freed: u32,
}

impl<const WIDE: bool> Blocks<WIDE> {
    const BYTES: usize = if WIDE { WIDE_BYTES } else { PAGE_BYTES };
    /// A place tells where a block begins in units of so many bits; a block takes whole ones.
    const UNIT_BITS: u32 = if WIDE { 3 } else { 0 };
    const OFFSET_BITS: u32 = Self::BYTES.ilog2() - Self::UNIT_BITS;
    const MARK: u32 = if WIDE { BESIDE | IN_WIDE } else { 0 };

    pub(super) fn new() -> Self {
        Self {
            pages: [NO_PAGE; PAGES_MAX + 1],
            count: 0,
            last: 0,
            open: 0,
            used: 0,
            freed: 0,
        }
    }

    fn place(page: usize, offset: usize) -> u32 {
        Self::MARK | (page as u32) << Self::OFFSET_BITS | (offset >> Self::UNIT_BITS) as u32
    }

    /// The number of the page of a place.
    fn page_of(place: u32) -> usize {
        (place >> Self::OFFSET_BITS) as usize & PAGES_MAX
    }

    fn offset_of(place: u32) -> usize {
        (place as usize & ((1 << Self::OFFSET_BITS) - 1)) << Self::UNIT_BITS
    }

    /// The bytes that a block of this length takes.
    fn taken(length: usize) -> usize {
        length.next_multiple_of(1 << Self::UNIT_BITS)
    }

    /// The bits that the places of a page have in common: a mask, and the bits under it.
    fn pattern(page: usize) -> (u32, u32) {
        let all = Self::place(PAGES_MAX, 0);
        (all | BESIDE, Self::place(page, 0))
    }

    /// Returns true if there are so many that the segment should be split.
    pub(super) fn full(&self) -> bool {
        usize::from(self.count) > PAGES_FULL
    }

    /// The bytes of those that are there.
    pub(super) fn live_bytes(&self) -> usize {
        (self.used - self.freed) as usize
    }

    /// Returns the place of a block: among which bytes, and from where on.
    pub(super) fn at<'a>(&self, pool: &'a Pool, place: u32) -> (&'a [u8], usize) {
        let page = self.pages[Self::page_of(place)].handle;
        (pool.bytes(page), page.begin() + Self::offset_of(place))
    }

    pub(super) fn at_mut<'a>(&self, pool: &'a mut Pool, place: u32) -> (&'a mut [u8], usize) {
        let page = self.pages[Self::page_of(place)].handle;
        (pool.bytes_mut(page), page.begin() + Self::offset_of(place))
    }

    fn header(&self, pool: &Pool, place: u32) -> Header {
        let (bytes, at) = self.at(pool, place);
        Header::read(bytes, at)
    }

    /// Makes a place for a block of so many bytes; `expected` are all that will be added soon, this
    /// one included.
    pub(super) fn add(&mut self, pool: &mut Pool, length: usize, expected: usize) -> u32 {
        let taken = Self::taken(length);
        let number = self.with_room(pool, taken, expected.max(taken));
        let page = &mut self.pages[number];
        let place = Self::place(number, usize::from(page.used));
        page.used += taken as u16;
        self.used += taken as u32;
        self.open = number as u8;
        place
    }

    fn with_room(&mut self, pool: &mut Pool, taken: usize, expected: usize) -> usize {
        let open = usize::from(self.open);
        if self.pages[open].room() >= taken {
            return open;
        }
        let mut numbers = 1..=usize::from(self.last);
        if let Some(number) = numbers.find(|number| self.pages[*number].room() >= taken) {
            return number;
        }
        if self.count == 0 {
            return self.push(pool.take(expected.min(Self::BYTES)));
        }
        let page = self.pages[open];
        if self.count == 1 && page.handle != Handle::NONE && page.handle.len() < Self::BYTES {
            // It moves to where there is room for it, which costs less than a page is large.
            let need = usize::from(page.used) + expected.max(usize::from(page.used) / MORE);
            let handle = pool.take(need.min(Self::BYTES));
            pool.copy((page.handle, 0), (handle, 0), usize::from(page.used));
            pool.give(page.handle);
            self.pages[open].handle = handle;
            if self.pages[open].room() >= taken {
                return open;
            }
        }
        self.push(pool.take(Self::BYTES))
    }

    fn push(&mut self, handle: Handle) -> usize {
        let free = (1..=PAGES_MAX).find(|number| self.pages[*number].handle == Handle::NONE);
        let number = free.expect("a segment is split before it has so many pages");
        self.pages[number] = Page { handle, ..NO_PAGE };
        self.last = self.last.max(number as u8);
        self.count += 1;
        number
    }

    /// Gives a block's bytes another length where it stands: a shorter one always, a longer one
    /// where it is the last of its page and finds room there, or a gap is behind it.
    pub(super) fn resize(
        &mut self,
        pool: &mut Pool,
        place: u32,
        old: usize,
        length: usize,
    ) -> bool {
        let (old, new) = (Self::taken(old), Self::taken(length));
        if old == new {
            return true;
        }
        let number = Self::page_of(place);
        let page = &mut self.pages[number];
        let (offset, used) = (Self::offset_of(place), usize::from(page.used));
        if offset + old == used {
            let fits = offset + new <= page.handle.len();
            if fits {
                page.used = (offset + new) as u16;
                self.used = self.used + new as u32 - old as u32;
            }
            return fits;
        }
        let bytes = pool.page_mut(page.handle);
        let mut free = 0;
        while old + free < new {
            let behind = offset + old + free;
            match (behind < used).then(|| gap(bytes, behind)).flatten() {
                Some(more) => free += more,
                None => return false,
            }
        }
        put_gap(&mut bytes[offset + new..offset + old + free]);
        page.freed = page.freed + old as u16 - new as u16;
        self.freed = self.freed + old as u32 - new as u32;
        true
    }

    /// Frees a block.
    pub(super) fn free(&mut self, pool: &mut Pool, place: u32) {
        let taken = Self::taken(self.header(pool, place).len());
        let number = Self::page_of(place);
        let page = &mut self.pages[number];
        let offset = Self::offset_of(place);
        if offset + taken == usize::from(page.used) {
            page.used -= taken as u16;
            self.used -= taken as u32;
        } else {
            put_gap(&mut pool.page_mut(page.handle)[offset..offset + taken]);
            page.freed += taken as u16;
            self.freed += taken as u32;
        }
        self.settle(pool, number);
    }

    /// Gives a page back in which no block is left.
    fn settle(&mut self, pool: &mut Pool, number: usize) {
        let page = &mut self.pages[number];
        if page.freed < page.used {
            return;
        }
        self.freed -= u32::from(page.freed);
        self.used -= u32::from(page.used);
        // The only one stays, so that a key that comes and goes costs nothing.
        let handle = if self.count == 1 {
            page.handle
        } else {
            pool.give(page.handle);
            self.count -= 1;
            Handle::NONE
        };
        *page = Page { handle, ..NO_PAGE };
    }

    /// The page with most gaps, where all of them are too much.
    fn sparsest(&self) -> Option<usize> {
        if self.freed <= 256 + self.used / 10 {
            return None;
        }
        let numbers = (1..=usize::from(self.last)).rev();
        numbers.max_by_key(|number| self.pages[*number].freed)
    }

    /// Closes the gaps of the page with most of them while all are too much: its blocks go to other
    /// pages, if those have room for about all of them, or else to its front. Returns how many
    /// blocks were moved.
    pub(super) fn tidy(&mut self, pool: &mut Pool, table: &Slots) -> usize {
        let mut moved = 0;
        while let Some(number) = self.sparsest() {
            let pattern = Self::pattern(number);
            let (mut few, mut many) = ([Position::default(); BLOCKS_USUAL], None);
            let count = table.positions(pool, pattern, &mut few);
            let found = if count < few.len() {
                &mut few[..count]
            } else {
                let many = many.insert([Position::default(); CAPACITY_MAX]);
                table.positions(pool, pattern, many);
                &mut many[..count]
            };
            if self.room_beside(number) > self.pages[number].live() {
                self.empty(pool, table, number, found);
            } else {
                self.pack(pool, table, number, found);
            }
            moved += count;
        }
        moved
    }

    /// The room in all pages but one, less what is lost at the end of each.
    fn room_beside(&self, number: usize) -> usize {
        let others = self.pages.iter().enumerate();
        let others = others.filter(|(other, _)| *other != number);
        let room = |(_, page): (usize, &Page)| page.room().saturating_sub(Self::BYTES / 16);
        others.map(room).sum()
    }

    fn empty(&mut self, pool: &mut Pool, table: &Slots, number: usize, found: &[Position]) {
        // It is full, so that nothing is added to it.
        let page = &mut self.pages[number];
        let rest = page.room() as u16;
        page.used += rest;
        page.freed += rest;
        self.used += u32::from(rest);
        self.freed += u32::from(rest);
        for position in found {
            let old = Self::place(number, position.rest() << Self::UNIT_BITS);
            let length = self.header(pool, old).len();
            let new = self.add(pool, length, length);
            pool.copy(self.locate(old), self.locate(new), length);
            table.set(pool, position.at(), new);
        }
        self.release(pool, number);
    }

    fn pack(&mut self, pool: &mut Pool, table: &Slots, number: usize, found: &mut [Position]) {
        let page = self.pages[number];
        // From the front on, so that nothing is written over that is still to be moved.
        found.sort_unstable();
        let mut end = 0;
        for position in found {
            let from = position.rest() << Self::UNIT_BITS;
            let bytes = pool.page_mut(page.handle);
            let length = Header::read(bytes, from).len();
            if from != end {
                bytes.copy_within(from..from + length, end);
                table.set(pool, position.at(), Self::place(number, end));
            }
            end += Self::taken(length);
        }
        assert_eq!(
            end,
            page.live(),
            "the hash table names all blocks of a page"
        );
        self.used -= u32::from(page.freed);
        self.freed -= u32::from(page.freed);
        self.open = number as u8;
        let mut handle = page.handle;
        let need = end + end / MORE;
        if self.count == 1 && size_of_page(need) < handle.len() {
            handle = pool.take(need);
            pool.copy((page.handle, 0), (handle, 0), end);
            pool.give(page.handle);
        }
        self.pages[number] = Page {
            handle,
            used: end as u16,
            freed: 0,
        };
    }

    /// A walk that takes all blocks out has come from a block to somewhere behind: a page that is
    /// done with is given back.
    pub(super) fn left(&mut self, pool: &mut Pool, place: u32, behind: Cursor) {
        if behind.page != Self::page_of(place) {
            self.release(pool, Self::page_of(place));
        }
    }

    /// Gives a page back that was emptied.
    fn release(&mut self, pool: &mut Pool, number: usize) {
        let page = core::mem::replace(&mut self.pages[number], NO_PAGE);
        self.used -= u32::from(page.used);
        self.freed -= u32::from(page.freed);
        self.count -= 1;
        pool.give(page.handle);
    }

    /// The page of a block, and where it begins there.
    pub(super) fn locate(&self, place: u32) -> (Handle, usize) {
        let page = self.pages[Self::page_of(place)].handle;
        (page, Self::offset_of(place))
    }

    /// The first block from somewhere on, and where to go on.
    pub(super) fn next(&self, pool: &Pool, from: Cursor) -> Option<(u32, Cursor)> {
        let (mut number, mut offset) = (from.page.max(1), from.offset);
        while number <= usize::from(self.last) {
            let page = &self.pages[number];
            let used = usize::from(page.used);
            while offset < used {
                let (bytes, at) = (pool.bytes(page.handle), page.handle.begin() + offset);
                if let Some(gap) = gap(bytes, at) {
                    offset += gap;
                    continue;
                }
                let found = Self::place(number, offset);
                let behind = offset + Self::taken(Header::read(bytes, at).len());
                let cursor = if behind < used {
                    Cursor {
                        page: number,
                        offset: behind,
                    }
                } else {
                    Cursor {
                        page: number + 1,
                        offset: 0,
                    }
                };
                return Some((found, cursor));
            }
            (number, offset) = (number + 1, 0);
        }
        None
    }

    /// Gives all pages back.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        for page in self.pages.iter().filter(|page| page.handle != Handle::NONE) {
            pool.give(page.handle);
        }
        *self = Self::new();
    }

    /// Lets pages move to spans in front of one, of so many bytes together; whether there was none
    /// left.
    pub(super) fn lower(&mut self, pool: &mut Pool, first: usize, mut most: usize) -> bool {
        for page in &mut self.pages[1..=usize::from(self.last)] {
            if most == 0 {
                return false;
            }
            if let Some(handle) = pool.lower(page.handle, first) {
                page.handle = handle;
                most = most.saturating_sub(Self::BYTES);
            }
        }
        true
    }

    /// The pages; checks what is known of them.
    #[cfg(test)]
    pub(super) fn recount(&self, pool: &Pool) -> Vec<Handle> {
        let mut handles = Vec::new();
        let (mut used, mut freed) = (0, 0);
        for (number, page) in self.pages.iter().enumerate() {
            if page.handle == Handle::NONE {
                assert_eq!((page.used, page.freed), (0, 0));
                continue;
            }
            assert!((1..=usize::from(self.last)).contains(&number));
            let bytes = pool.page(page.handle);
            let (mut at, mut dead) = (0, 0);
            while at < usize::from(page.used) {
                if let Some(gap) = gap(bytes, at) {
                    (at, dead) = (at + gap, dead + gap);
                } else {
                    let length = Header::read(bytes, at).len();
                    assert_eq!(is_wide(length), WIDE);
                    at += Self::taken(length);
                }
            }
            assert_eq!(
                (at, dead),
                (usize::from(page.used), usize::from(page.freed))
            );
            used += u32::from(page.used);
            freed += u32::from(page.freed);
            handles.push(page.handle);
        }
        assert_eq!((used, freed), (self.used, self.freed));
        assert_eq!(handles.len(), usize::from(self.count));
        handles
    }
}
