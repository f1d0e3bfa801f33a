//! The memory of one table: pages of one size, cut from spans that come from the system and go back
//! to it whole.
//!
//! A page is named by a handle, so that it can move: when many are free, a table lets those of the
//! last spans move into the free ones of the first, and the spans that this empties are given back.
//! Nothing here grows by being copied to where there is more room. A table that is too small for a
//! page has a span of its own, in one of few sizes: most tables are one hash with few fields.
//!
//! Which page is handed out follows from what was taken and given before, and from nothing else.
//! Hence two tables with the same history hold the same number of bytes.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The size of a page. An allocator holds it without loss, sixteen make a segment of usual keys,
/// and it is sixteen times the longest block in it, so that little is lost at its end.
pub(super) const PAGE_BYTES: usize = 4096;
/// The size of a page for longer blocks, a quarter of it at most.
pub(super) const WIDE_BYTES: usize = 16 << 10;
/// The most bytes of a span of pages. With more, an allocator keeps spans together in regions of
/// some MiB, each of which stays while one of its spans does.
const SPAN_BYTES_MAX: usize = 64 << 10;
/// The sizes of all pages. Those that are neither of the two above have a span of their own, and
/// are as allocators have them, a quarter apart.
const SIZES: [u16; 35] = [
    32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024,
    1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192, 10240, 12288, 14336,
    16384,
];
/// The classes of the two sizes that share spans, and how many bits of a place they take.
const NARROW: usize = 26;
const WIDE: usize = 34;

const INDEX_BITS: u32 = 4;
const SPAN_BITS: u32 = 22;

/// Names a page: from the top its class, which is the place of its size in `SIZES`, its span, and
/// where it begins in the span, in narrow pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handle(u32);

impl Handle {
    /// The name of no page.
    pub(super) const NONE: Self = Self(u32::MAX);

    fn new(class: usize, span: usize, index: usize) -> Self {
        Self(
            (class as u32) << (INDEX_BITS + SPAN_BITS) | (span as u32) << INDEX_BITS | index as u32,
        )
    }

    fn class(self) -> usize {
        (self.0 >> (INDEX_BITS + SPAN_BITS)) as usize
    }

    fn span(self) -> usize {
        (self.0 >> INDEX_BITS) as usize & ((1 << SPAN_BITS) - 1)
    }

    /// How many bytes it has.
    pub(super) fn len(self) -> usize {
        usize::from(SIZES[self.class()])
    }

    /// Returns the offset at which it begins in the bytes of its span.
    pub(super) fn begin(self) -> usize {
        (self.0 & ((1 << INDEX_BITS) - 1)) as usize * PAGE_BYTES
    }

    /// Its number among the pages of its span.
    fn index(self) -> usize {
        self.begin() / self.len()
    }
}

/// The smallest class of at least so many bytes.
fn class_of(bytes: usize) -> usize {
    SIZES.partition_point(|size| usize::from(*size) < bytes)
}

/// How many bytes the smallest page has that has at least so many.
pub(super) fn size_of_page(bytes: usize) -> usize {
    usize::from(SIZES[class_of(bytes)])
}

/// Some pages that are one piece of memory; no bytes: a number that is not in use.
#[derive(Clone, Debug, Default)]
struct Span {
    bytes: Box<[u8]>,
    /// A bit for each of its pages that is free, where it is one of a shelf.
    free: u16,
    /// How many pages of a shelf it has.
    pages: u8,
    /// The class of its pages.
    class: u8,
}

impl Span {
    fn is_free(&self) -> bool {
        self.free_pages() == usize::from(self.pages)
    }

    fn free_pages(&self) -> usize {
        self.free.count_ones() as usize
    }
}

/// A set of numbers of which the least is asked for.
#[derive(Clone, Debug, Default)]
struct Numbers(Vec<u64>);

impl Numbers {
    #[cfg(test)]
    fn contains(&self, number: usize) -> bool {
        self.0
            .get(number / 64)
            .is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn first(&self) -> Option<usize> {
        let word = self.0.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.0[word].trailing_zeros() as usize)
    }

    fn insert(&mut self, number: usize) {
        if self.0.len() <= number / 64 {
            self.0.resize(number / 64 + 1, 0);
        }
        self.0[number / 64] |= 1 << (number % 64);
    }

    fn remove(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word &= !(1 << (number % 64));
        }
    }
}

/// The spans of many pages of one size.
#[derive(Clone, Debug, Default)]
struct Shelf {
    /// The spans of which pages are free.
    open: Numbers,
    /// How many pages all spans have together, and how many are free.
    pages: usize,
    free: usize,
    /// A page came back since `surplus` was called.
    asks: bool,
}

impl Shelf {
    /// How many pages the next span has: a sixteenth of what there is, in few sizes.
    fn next_pages(&self, page_bytes: usize) -> usize {
        let pages = (self.pages / 16).clamp(1, SPAN_BYTES_MAX / page_bytes);
        let low_bits = pages.ilog2().saturating_sub(2);
        pages >> low_bits << low_bits
    }
}

/// From which of the spans of one size on all shall be emptied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surplus {
    pub(super) wide: bool,
    pub(super) first: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    spans: Vec<Span>,
    /// The numbers of spans that are not in use.
    absent: Numbers,
    narrow: Shelf,
    wide: Shelf,
    /// The bytes of all spans.
    bytes: usize,
}

impl Pool {
    /// The bytes of memory that it takes, itself not included.
    pub(super) fn memory(&self) -> usize {
        // Asked of every database behind every turn.
        let words =
            self.narrow.open.0.capacity() + self.wide.open.0.capacity() + self.absent.0.capacity();
        self.bytes + self.spans.capacity() * size_of::<Span>() + words * size_of::<u64>()
    }

    /// The bytes of pages that are free.
    pub(super) fn free_bytes(&self) -> usize {
        self.narrow.free * PAGE_BYTES + self.wide.free * WIDE_BYTES
    }

    /// A copy without spans, to which `copy_on` adds them.
    pub(super) fn hollow(&self) -> Self {
        Self {
            spans: Vec::with_capacity(self.spans.len()),
            absent: self.absent.clone(),
            narrow: self.narrow.clone(),
            wide: self.wide.clone(),
            bytes: 0,
        }
    }

    /// Adds the next span to such a copy. Returns its bytes; `None` if the copy has all.
    pub(super) fn copy_on(&self, copy: &mut Self) -> Option<usize> {
        let span = self.spans.get(copy.spans.len())?.clone();
        let bytes = span.bytes.len();
        copy.bytes += bytes;
        copy.spans.push(span);
        Some(bytes)
    }

    /// The shelf of a class of pages.
    fn shelf(&mut self, class: usize) -> Option<&mut Shelf> {
        match class {
            NARROW => Some(&mut self.narrow),
            WIDE => Some(&mut self.wide),
            _ => None,
        }
    }

    /// The bytes among which a page stands, from `Handle::begin` on.
    pub(super) fn bytes(&self, page: Handle) -> &[u8] {
        &self.spans[page.span()].bytes
    }

    /// As `bytes`, to be changed.
    pub(super) fn bytes_mut(&mut self, page: Handle) -> &mut [u8] {
        &mut self.spans[page.span()].bytes
    }

    /// The bytes of a page.
    pub(super) fn page(&self, page: Handle) -> &[u8] {
        let begin = page.begin();
        &self.bytes(page)[begin..begin + page.len()]
    }

    /// As `page`, to be changed.
    pub(super) fn page_mut(&mut self, page: Handle) -> &mut [u8] {
        let begin = page.begin();
        &mut self.bytes_mut(page)[begin..begin + page.len()]
    }

    /// Takes a page of at least so many bytes, of which there are at most `WIDE_BYTES`. Its
    /// contents are arbitrary.
    pub(super) fn take(&mut self, bytes: usize) -> Handle {
        let class = class_of(bytes);
        let size = usize::from(SIZES[class]);
        let Some(shelf) = self.shelf(class) else {
            return Handle::new(class, self.add(class, size, 0), 0);
        };
        let number = if let Some(number) = shelf.open.first() {
            number
        } else {
            let pages = shelf.next_pages(size);
            self.add(class, pages * size, pages)
        };
        let span = &mut self.spans[number];
        let index = span.free.trailing_zeros() as usize;
        span.free &= span.free - 1;
        let is_full = span.free == 0;
        if let Some(shelf) = self.shelf(class) {
            shelf.free -= 1;
            if is_full {
                shelf.open.remove(number);
            }
        }
        Handle::new(class, number, index * (size / PAGE_BYTES))
    }

    /// Adds a span of so many bytes, with so many pages of a shelf.
    fn add(&mut self, class: usize, bytes: usize, pages: usize) -> usize {
        self.bytes += bytes;
        let span = Span {
            bytes: alloc::vec![0; bytes].into_boxed_slice(),
            free: (1u32 << pages).wrapping_sub(1) as u16,
            pages: pages as u8,
            class: class as u8,
        };
        let number = if let Some(number) = self.absent.first() {
            self.absent.remove(number);
            self.spans[number] = span;
            number
        } else {
            let number = self.spans.len();
            assert!(number < 1 << SPAN_BITS, "a table of a quarter TiB");
            self.spans.push(span);
            number
        };
        if let Some(shelf) = self.shelf(class) {
            shelf.pages += pages;
            shelf.free += pages;
            shelf.open.insert(number);
        }
        number
    }

    /// Gives a page back.
    pub(super) fn give(&mut self, page: Handle) {
        let (number, class) = (page.span(), page.class());
        let span = &mut self.spans[number];
        if span.pages == 0 {
            self.drop_span(number);
            return;
        }
        let bit = 1 << page.index();
        assert!(span.free & bit == 0, "a page is given back once");
        span.free |= bit;
        let empty = span.is_free().then_some(usize::from(span.pages));
        let Some(shelf) = self.shelf(class) else {
            return;
        };
        shelf.free += 1;
        shelf.asks = true;
        let live = shelf.pages - shelf.free;
        // A few are kept: what comes and goes shall not go to the system each time.
        if empty.is_some_and(|pages| shelf.free - pages >= live / 64) {
            self.drop_span(number);
        } else {
            shelf.open.insert(number);
        }
    }

    fn drop_span(&mut self, number: usize) {
        let gone = core::mem::take(&mut self.spans[number]);
        self.bytes -= gone.bytes.len();
        if let Some(shelf) = self.shelf(usize::from(gone.class)) {
            shelf.pages -= usize::from(gone.pages);
            shelf.free -= gone.free_pages();
            shelf.open.remove(number);
        }
        self.absent.insert(number);
        while self.spans.last().is_some_and(|last| last.bytes.is_empty()) {
            self.spans.pop();
            self.absent.remove(self.spans.len());
        }
        let words = self.spans.len().div_ceil(64);
        if self.spans.capacity() > 4 * self.spans.len() + 16 {
            self.spans.shrink_to(2 * self.spans.len());
            for numbers in [&mut self.narrow.open, &mut self.wide.open, &mut self.absent] {
                numbers.0.truncate(words);
                numbers.0.shrink_to(2 * words);
            }
        }
    }

    /// Returns the first span from which on all shall be emptied, where so many pages are free that
    /// spans can be emptied.
    pub(super) fn surplus(&mut self) -> Option<Surplus> {
        [false, true].into_iter().find_map(|wide| {
            let first = self.surplus_of(if wide { WIDE } else { NARROW })?;
            Some(Surplus { wide, first })
        })
    }

    fn surplus_of(&mut self, class: usize) -> Option<usize> {
        let shelf = self.shelf(class)?;
        if !core::mem::take(&mut shelf.asks) {
            return None;
        }
        let live = shelf.pages - shelf.free;
        if shelf.free <= shelf.next_pages(usize::from(SIZES[class])) + live / 32 {
            return None;
        }
        // From the end on as many as find room in front, and not more than half of that at once:
        // others take pages too.
        let (mut moving, mut free, mut first) = (0, shelf.free, None);
        for (number, span) in self.spans.iter().enumerate().rev() {
            if span.pages == 0 || usize::from(span.class) != class {
                continue;
            }
            let free_here = span.free_pages();
            moving += usize::from(span.pages) - free_here;
            free -= free_here;
            if moving > free {
                break;
            }
            first = Some(number);
            if moving > free / 2 {
                break;
            }
        }
        first
    }

    /// Moves a page of a span from `first` on to one in front; nothing where it stands in front, or
    /// none is free there.
    pub(super) fn lower(&mut self, page: Handle, first: usize) -> Option<Handle> {
        if page == Handle::NONE || page.span() < first {
            return None;
        }
        let shelf = self.shelf(page.class())?;
        shelf.open.first().filter(|span| *span < first)?;
        let new = self.take(page.len());
        self.copy((page, 0), (new, 0), page.len());
        self.give(page);
        Some(new)
    }

    /// Copies bytes from a place in one page to a place in another.
    pub(super) fn copy(&mut self, from: (Handle, usize), to: (Handle, usize), count: usize) {
        let [source, target] = [from, to].map(|(page, at)| page.begin() + at);
        if from.0.span() == to.0.span() {
            self.bytes_mut(to.0)
                .copy_within(source..source + count, target);
            return;
        }
        let span = core::mem::take(&mut self.spans[from.0.span()].bytes);
        self.bytes_mut(to.0)[target..target + count].copy_from_slice(&span[source..source + count]);
        self.spans[from.0.span()].bytes = span;
    }

    /// Gives a span back, whoever holds pages of it; whether there was one.
    pub(super) fn dismantle(&mut self) -> bool {
        let Some(last) = self.spans.len().checked_sub(1) else {
            return false;
        };
        self.drop_span(last);
        true
    }

    /// Checks the account against what is held.
    #[cfg(test)]
    pub(super) fn recount_bytes(&self) {
        let sum = |of: &dyn Fn(&Span) -> usize| self.spans.iter().map(of).sum::<usize>();
        assert_eq!(self.bytes, sum(&|span| span.bytes.len()));
        for (class, shelf) in [(NARROW, &self.narrow), (WIDE, &self.wide)] {
            let is = |span: &Span| usize::from(span.class) == class && span.pages > 0;
            let pages = sum(&|span| if is(span) { usize::from(span.pages) } else { 0 });
            let free = sum(&|span| if is(span) { span.free_pages() } else { 0 });
            assert_eq!((shelf.pages, shelf.free), (pages, free));
            for (number, span) in self.spans.iter().enumerate() {
                assert_eq!(shelf.open.contains(number), is(span) && span.free != 0);
            }
        }
        for (number, span) in self.spans.iter().enumerate() {
            assert_eq!(self.absent.contains(number), span.bytes.is_empty());
        }
    }

    /// Checks that these pages are in use, once each, and no others.
    #[cfg(test)]
    pub(super) fn recount_pages(&self, mut held: Vec<Handle>) {
        let count = held.len();
        held.sort_unstable();
        held.dedup();
        assert_eq!(held.len(), count, "two hold one page");
        for page in held {
            let span = &self.spans[page.span()];
            let inside = page.begin() + page.len() <= span.bytes.len();
            assert!(
                inside && usize::from(span.class) == page.class(),
                "it is gone"
            );
            assert!(
                span.free >> page.index() & 1 == 0,
                "a page is held that is free"
            );
        }
        let own = self.spans.iter();
        let own = own.filter(|span| span.pages == 0 && !span.bytes.is_empty());
        let shelves = [&self.narrow, &self.wide].map(|shelf| shelf.pages - shelf.free);
        let taken = shelves.iter().sum::<usize>() + own.count();
        assert_eq!(count, taken, "a page is neither free nor held");
    }
}
