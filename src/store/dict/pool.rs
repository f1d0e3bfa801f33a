//! The memory of one table: pages of one size, cut from spans that come from the system and go back
//! to it whole.
//!
//! A page is named by a handle, so that it can move: when many are free, a table lets those of the
//! last spans move into the free ones of the first, and the spans that this empties are given back.
//! Nothing here grows by being copied to where there is more room. What is too small for a page has
//! a span of its own, in one of few sizes: most tables are one hash with few fields.
//!
//! Which page is handed out follows from what was taken and given before, and from nothing else.
//! Hence two members with the same history hold the same number of bytes.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The size of a page. An allocator holds it without loss, sixteen make a segment of usual keys,
/// and it is four times the longest block, so that little is lost at its end.
pub(super) const PAGE_BYTES: usize = 4096;
/// The most pages of a span. With more, an allocator keeps spans together in regions of some MiB,
/// each of which stays while one of its spans does.
const SPAN_PAGES_MAX: usize = 16;
/// The sizes of spans that are less than a page, of which the first is the class 1. They are those
/// of allocators, a quarter apart.
const CLASSES: [u16; 26] = [
    32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024,
    1280, 1536, 1792, 2048, 2560, 3072, 3584,
];

const INDEX_BITS: u32 = 4;
const SPAN_BITS: u32 = 23;

/// Names a page: from the top its class (0: a whole page), its span, and its place in the span.
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

    fn index(self) -> usize {
        (self.0 & ((1 << INDEX_BITS) - 1)) as usize
    }

    /// How many bytes it has.
    pub(super) fn len(self) -> usize {
        match self.class() {
            0 => PAGE_BYTES,
            class => usize::from(CLASSES[class - 1]),
        }
    }

    /// Where it begins in the bytes of its span.
    pub(super) fn begin(self) -> usize {
        self.index() * PAGE_BYTES
    }
}

/// The smallest size of at least so many bytes.
fn class_of(bytes: usize) -> usize {
    let class = CLASSES.partition_point(|size| usize::from(*size) < bytes);
    if class == CLASSES.len() { 0 } else { class + 1 }
}

/// Some pages that are one piece of memory; no bytes: a number that is not in use.
#[derive(Clone, Debug, Default)]
struct Span {
    bytes: Box<[u8]>,
    /// A bit for each of its whole pages that is free.
    free: u64,
}

impl Span {
    /// How many whole pages there are.
    fn pages(&self) -> usize {
        self.bytes.len() / PAGE_BYTES
    }

    fn is_free(&self) -> bool {
        self.free.count_ones() as usize == self.pages()
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

#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    spans: Vec<Span>,
    /// The spans of which whole pages are free.
    open: Numbers,
    /// The numbers of spans that are not in use.
    absent: Numbers,
    /// How many whole pages all spans have together, and how many are free.
    pages: usize,
    free: usize,
    /// The bytes of all spans.
    bytes: usize,
    /// Whether a page came back since somebody asked for `surplus`.
    asks: bool,
}

impl Pool {
    /// The bytes of memory that it takes, itself not included.
    pub(super) fn memory(&self) -> usize {
        let numbers = self.open.0.capacity() + self.absent.0.capacity();
        self.bytes + self.spans.capacity() * size_of::<Span>() + numbers * size_of::<u64>()
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

    /// Takes a page of at least so many bytes, of which there are at most `PAGE_BYTES`. What stands
    /// in it nobody knows.
    pub(super) fn take(&mut self, bytes: usize) -> Handle {
        let class = class_of(bytes);
        if class > 0 {
            let size = usize::from(CLASSES[class - 1]);
            return Handle::new(class, self.add(size), 0);
        }
        let span = self.open.first().unwrap_or_else(|| {
            let pages = self.next_pages();
            let span = self.add(pages * PAGE_BYTES);
            self.spans[span].free = u64::MAX >> (64 - pages);
            self.pages += pages;
            self.free += pages;
            self.open.insert(span);
            span
        });
        let free = &mut self.spans[span].free;
        let index = free.trailing_zeros() as usize;
        *free &= *free - 1;
        if *free == 0 {
            self.open.remove(span);
        }
        self.free -= 1;
        Handle::new(0, span, index)
    }

    /// How many pages the next span has: a sixteenth of what there is, in few sizes.
    fn next_pages(&self) -> usize {
        let pages = (self.pages / 16).clamp(1, SPAN_PAGES_MAX);
        let low_bits = pages.ilog2().saturating_sub(2);
        pages >> low_bits << low_bits
    }

    /// Adds a span.
    fn add(&mut self, bytes: usize) -> usize {
        self.bytes += bytes;
        let span = Span {
            bytes: alloc::vec![0; bytes].into_boxed_slice(),
            free: 0,
        };
        if let Some(number) = self.absent.first() {
            self.absent.remove(number);
            self.spans[number] = span;
            return number;
        }
        assert!(self.spans.len() < 1 << SPAN_BITS, "a table of half a TiB");
        self.spans.push(span);
        self.spans.len() - 1
    }

    /// Gives a page back.
    pub(super) fn give(&mut self, page: Handle) {
        let number = page.span();
        if page.class() > 0 {
            self.drop_span(number);
            return;
        }
        let span = &mut self.spans[number];
        assert!(
            span.free >> page.index() & 1 == 0,
            "a page is given back once"
        );
        span.free |= 1 << page.index();
        self.free += 1;
        self.asks = true;
        let (pages, live) = (span.pages(), self.pages - self.free);
        // A few are kept: what comes and goes shall not go to the system each time.
        if span.is_free() && self.free - pages >= live / 64 {
            self.drop_span(number);
        } else {
            self.open.insert(number);
        }
    }

    fn drop_span(&mut self, number: usize) {
        let gone = core::mem::take(&mut self.spans[number]);
        self.bytes -= gone.bytes.len();
        self.pages -= gone.pages();
        self.free -= gone.free.count_ones() as usize;
        self.open.remove(number);
        self.absent.insert(number);
        while self.spans.last().is_some_and(|last| last.bytes.is_empty()) {
            self.spans.pop();
            self.absent.remove(self.spans.len());
        }
        let words = self.spans.len().div_ceil(64);
        if self.spans.capacity() > 4 * self.spans.len() + 16 {
            self.spans.shrink_to(2 * self.spans.len());
            for numbers in [&mut self.open, &mut self.absent] {
                numbers.0.truncate(words);
                numbers.0.shrink_to(2 * words);
            }
        }
    }

    /// Where so many pages are free that spans can be emptied: the first span from which on all
    /// shall be.
    pub(super) fn surplus(&mut self) -> Option<usize> {
        if !core::mem::take(&mut self.asks) {
            return None;
        }
        let live = self.pages - self.free;
        if self.free <= self.next_pages() + live / 32 {
            return None;
        }
        // From the end on as many as find room in front, and not more than half of that at once:
        // others take pages too.
        let (mut moving, mut free, mut first) = (0, self.free, None);
        for (number, span) in self.spans.iter().enumerate().rev() {
            let pages = span.pages();
            if pages == 0 {
                continue;
            }
            let free_here = span.free.count_ones() as usize;
            moving += pages - free_here;
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
        if page == Handle::NONE || page.class() > 0 || page.span() < first {
            return None;
        }
        self.open.first().filter(|span| *span < first)?;
        let new = self.take(PAGE_BYTES);
        self.copy((page, 0), (new, 0), PAGE_BYTES);
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
        assert_eq!(self.pages, sum(&Span::pages));
        assert_eq!(self.free, sum(&|span| span.free.count_ones() as usize));
        for (number, span) in self.spans.iter().enumerate() {
            assert_eq!(self.open.contains(number), span.free != 0);
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
            assert!(inside, "a page is held that is gone");
            let free = page.class() == 0 && span.free >> page.index() & 1 == 1;
            assert!(!free, "a page is held that is free");
        }
        let small = |span: &&Span| (1..PAGE_BYTES).contains(&span.bytes.len());
        let taken = self.pages - self.free + self.spans.iter().filter(small).count();
        assert_eq!(count, taken, "a page is neither free nor held");
    }
}
