//! The blocks of one segment, in pages of its table's pool.
//!
//! A block stands whole in one page, behind those that came before it. What is freed is marked;
//! `Segment` empties the page with most of that into the others when it is too much. A segment with
//! one page has a smaller one while that will do.

#[cfg(test)]
use alloc::vec::Vec;

use super::super::entry::Header;
use super::pool::{Handle, PAGE_BYTES, Pool};
use super::slots::PLACE_BITS;

/// The most pages of a segment. A full one has `PAGES_FULL` and what one change adds; packed anew,
/// each of its pages but the last is filled to three quarters at least, since a block is at most a
/// quarter of a page: so this is enough for any two that become one, or one that becomes two.
const PAGES_MAX: usize = 31;
/// A segment with more pages is split before it has so many keys.
const PAGES_FULL: usize = 20;
/// A segment of one page takes this much more than it needs.
const MORE: usize = 8;

/// The bits of a place that say where in a page a block begins.
const OFFSET_BITS: u32 = PAGE_BYTES.ilog2();
/// Set in the place of a box.
pub(super) const BIG: u32 = 1 << (PLACE_BITS - 1);

#[derive(Clone, Copy, Debug)]
struct Page {
    handle: Handle,
    /// Behind its last block.
    used: u16,
    /// The bytes of blocks in it that are freed.
    freed: u16,
}

const NO_PAGE: Page = Page {
    handle: Handle::NONE,
    used: 0,
    freed: 0,
};

#[derive(Clone, Debug)]
pub(super) struct Blocks {
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

/// The number of the page of a place.
pub(super) fn page_of(place: u32) -> usize {
    (place >> OFFSET_BITS) as usize
}

fn place(page: usize, offset: usize) -> u32 {
    (page as u32) << OFFSET_BITS | offset as u32
}

fn offset_of(place: u32) -> usize {
    place as usize & (PAGE_BYTES - 1)
}

impl Blocks {
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

    /// Whether there are so many that the segment should be split.
    pub(super) fn full(&self) -> bool {
        usize::from(self.count) > PAGES_FULL
    }

    /// The bytes of those that are not freed.
    pub(super) fn live_bytes(&self) -> usize {
        (self.used - self.freed) as usize
    }

    /// Where a block stands: among which bytes, and from where on.
    pub(super) fn at<'a>(&self, pool: &'a Pool, place: u32) -> (&'a [u8], usize) {
        let page = self.pages[page_of(place) & PAGES_MAX].handle;
        (pool.bytes(page), page.begin() + offset_of(place))
    }

    pub(super) fn at_mut<'a>(&self, pool: &'a mut Pool, place: u32) -> (&'a mut [u8], usize) {
        let page = self.pages[page_of(place) & PAGES_MAX].handle;
        (pool.bytes_mut(page), page.begin() + offset_of(place))
    }

    pub(super) fn header(&self, pool: &Pool, place: u32) -> Header {
        let (bytes, at) = self.at(pool, place);
        Header::read(bytes, at)
    }

    fn room(&self, number: usize) -> usize {
        let page = &self.pages[number];
        if page.handle == Handle::NONE {
            return 0;
        }
        page.handle.len() - usize::from(page.used)
    }

    /// Makes a place for a block of so many bytes; `expected` are all that will be added soon, this
    /// one included.
    pub(super) fn add(&mut self, pool: &mut Pool, length: usize, expected: usize) -> u32 {
        let number = self.with_room(pool, length, expected.max(length));
        let page = &mut self.pages[number];
        let place = place(number, usize::from(page.used));
        page.used += length as u16;
        self.used += length as u32;
        self.open = number as u8;
        place
    }

    fn with_room(&mut self, pool: &mut Pool, length: usize, expected: usize) -> usize {
        let open = usize::from(self.open);
        if self.room(open) >= length {
            return open;
        }
        let mut numbers = 1..=usize::from(self.last);
        if let Some(number) = numbers.find(|number| self.room(*number) >= length) {
            return number;
        }
        if self.count == 0 {
            return self.push(pool.take(expected.min(PAGE_BYTES)));
        }
        let page = self.pages[open];
        if self.count == 1 && page.handle != Handle::NONE && page.handle.len() < PAGE_BYTES {
            // It moves to where there is room for it, which costs less than a page is large.
            let need = usize::from(page.used) + expected.max(usize::from(page.used) / MORE);
            let handle = pool.take(need.min(PAGE_BYTES));
            pool.copy((page.handle, 0), (handle, 0), usize::from(page.used));
            pool.give(page.handle);
            self.pages[open].handle = handle;
            if self.room(open) >= length {
                return open;
            }
        }
        self.push(pool.take(PAGE_BYTES))
    }

    fn push(&mut self, handle: Handle) -> usize {
        let free = (1..=PAGES_MAX).find(|number| self.pages[*number].handle == Handle::NONE);
        let number = free.expect("a segment is split before it has so many pages");
        self.pages[number] = Page { handle, ..NO_PAGE };
        self.last = self.last.max(number as u8);
        self.count += 1;
        number
    }

    /// Gives a block's bytes another length where it stands, if they are the last of their page and
    /// find room there.
    pub(super) fn resize(&mut self, pool: &Pool, place: u32, length: usize) -> bool {
        let (number, old) = (page_of(place), self.header(pool, place).len());
        let page = &mut self.pages[number];
        let (offset, used) = (offset_of(place), usize::from(page.used));
        if offset + old != used || offset + length > page.handle.len() {
            return false;
        }
        page.used = (offset + length) as u16;
        self.used = self.used + length as u32 - old as u32;
        true
    }

    /// Frees a block.
    pub(super) fn free(&mut self, pool: &mut Pool, place: u32) {
        let (bytes, at) = self.at_mut(pool, place);
        let header = Header::read(bytes, at);
        header.free(bytes);
        let (number, length) = (page_of(place), header.len());
        let page = &mut self.pages[number];
        if offset_of(place) + length == usize::from(page.used) {
            page.used -= length as u16;
            self.used -= length as u32;
        } else {
            page.freed += length as u16;
            self.freed += length as u32;
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

    /// The page that should be emptied: the one in which most is freed, where all is too much.
    pub(super) fn sparsest(&self) -> Option<usize> {
        if self.freed <= 256 + self.used / 10 {
            return None;
        }
        let numbers = (1..=usize::from(self.last)).rev();
        numbers.max_by_key(|number| self.pages[*number].freed)
    }

    /// Begins to empty a page: nothing is added to it any more. Returns how much it still holds.
    pub(super) fn close(&mut self, number: usize) -> usize {
        let page = &mut self.pages[number];
        let live = page.used - page.freed;
        let rest = page.handle.len() as u16 - page.used;
        page.used += rest;
        page.freed += rest;
        self.used += u32::from(rest);
        self.freed += u32::from(rest);
        if self.count == 1 {
            // What it is emptied into may be the only one again.
            self.count = 0;
        }
        usize::from(live)
    }

    /// Gives a page back that was emptied.
    pub(super) fn release(&mut self, pool: &mut Pool, number: usize) {
        let page = core::mem::replace(&mut self.pages[number], NO_PAGE);
        self.used -= u32::from(page.used);
        self.freed -= u32::from(page.freed);
        pool.give(page.handle);
        self.count = (1..=usize::from(self.last))
            .filter(|number| self.pages[*number].handle != Handle::NONE)
            .count() as u8;
    }

    /// Copies a block to where there is room for it, not in its page if that is closed; returns its
    /// new place, and its length.
    pub(super) fn move_block(
        &mut self,
        pool: &mut Pool,
        place: u32,
        expected: usize,
    ) -> (u32, usize) {
        let length = self.header(pool, place).len();
        let new = self.add(pool, length, expected);
        pool.copy(self.locate(place), self.locate(new), length);
        (new, length)
    }

    /// The page of a block, and where it begins there.
    pub(super) fn locate(&self, place: u32) -> (Handle, usize) {
        (self.pages[page_of(place)].handle, offset_of(place))
    }

    /// The first block from a place on that is not freed, and the place behind it; 0 is where to
    /// begin.
    pub(super) fn next(&self, pool: &Pool, from: u32) -> Option<(u32, u32)> {
        let (mut number, mut offset) = (page_of(from).max(1), offset_of(from));
        while number <= usize::from(self.last) {
            let page = &self.pages[number];
            while offset < usize::from(page.used) {
                let header = Header::read(pool.bytes(page.handle), page.handle.begin() + offset);
                let found = place(number, offset);
                offset += header.len();
                if !header.freed() {
                    return Some((found, self.behind(number, offset)));
                }
            }
            (number, offset) = (number + 1, 0);
        }
        None
    }

    /// The place behind a block.
    fn behind(&self, number: usize, offset: usize) -> u32 {
        if offset < usize::from(self.pages[number].used) {
            place(number, offset)
        } else {
            place(number + 1, 0)
        }
    }

    /// Gives all pages back.
    pub(super) fn clear(&mut self, pool: &mut Pool) {
        for page in self.pages.iter().filter(|page| page.handle != Handle::NONE) {
            pool.give(page.handle);
        }
        *self = Self::new();
    }

    /// Lets pages move to spans in front of one, at most so many; whether there was none left.
    pub(super) fn lower(&mut self, pool: &mut Pool, first: usize, most: &mut usize) -> bool {
        for page in &mut self.pages[1..=usize::from(self.last)] {
            if *most == 0 {
                return false;
            }
            if let Some(handle) = pool.lower(page.handle, first) {
                page.handle = handle;
                *most -= 1;
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
                let header = Header::read(bytes, at);
                dead += if header.freed() { header.len() } else { 0 };
                at = header.end();
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
