//! A key of a table by chance, each as likely as any other.
//!
//! Tables with the same keys can be split in other ways: one has grown, another was loaded from a
//! base. The choice must be the same all the same, since SPOP is applied by every member, and again
//! from the log. So it goes by the hashes of keys alone and never by segments. The range of hashes
//! is cut into cells by the leading bits, into so many that about a thousand keys share one, and
//! each of those into small cells by the leading bits of the low half, for by these a segment finds
//! its keys without looking at them. A cell is drawn, and a rank in it that may be beyond its end:
//! then nothing is chosen, and the draw is made again (rejection sampling).

use alloc::vec::Vec;
use core::iter;

use rand_chacha::rand_core::Rng;

use super::super::entry::{Boxed, View};
use super::Dict;
use super::segment::{Segment, turned};
use super::slots::{HASH_BITS, part};
use crate::rng::{self, below};

/// There are at least as many keys in a cell on average, and less than twice as many.
const CELL_BITS: u32 = 10;
/// The ranks in a cell. One in 10^16 has more keys at an average of 2,048 (Poisson), of which the
/// last are then never chosen from there.
const CELL_RANKS: u64 = 2432;
/// As `CELL_BITS`, of a small cell.
const SMALL_BITS: u32 = 3;
/// The ranks in a small cell. One in 10^18 has more keys at an average of 16.
const SMALL_RANKS: u64 = 64;
/// After so many draws the next key that is wanted will do: nearly all are unwanted.
const DRAWS_MAX: u32 = 256;

/// How a table of so many keys is cut into cells.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// The leading bits that the hashes of a cell share.
    bits: u32,
    /// The leading bits that their low halves share in a small cell.
    small_bits: u32,
}

impl Cut {
    fn of(len: u64) -> Self {
        let bits = len.max(1).ilog2().saturating_sub(CELL_BITS);
        let in_cell = (len >> bits).max(1);
        let small_bits = in_cell.ilog2().saturating_sub(SMALL_BITS).min(HASH_BITS);
        Self { bits, small_bits }
    }

    /// How many small cells there are.
    fn cells(self) -> u64 {
        1 << (self.bits + self.small_bits)
    }
}

/// The hashes of a small cell, or of a whole one.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// How many leading bits they share.
    bits: u32,
    first: u64,
    last: u64,
    /// The first and the last of the parts of them by which a segment finds its keys.
    parts: (u32, u32),
}

impl Cell {
    /// The whole cell of a number, of which there are two to the power of `bits`.
    fn new(number: u64, bits: u32) -> Self {
        // Two shifts, since there may be no bits and a shift by 64 is none.
        let first = (number << 1) << (63 - bits);
        Self {
            bits,
            first,
            last: first | u64::MAX >> bits,
            parts: (0, (1 << HASH_BITS) - 1),
        }
    }

    /// One of its small cells.
    fn small(self, number: u64, bits: u32) -> Self {
        let rest = HASH_BITS - bits;
        let first = (number as u32) << rest;
        let parts = (first, first | ((1 << rest) - 1));
        Self { parts, ..self }
    }

    fn has(&self, hash: u64) -> bool {
        let part = part(turned(hash));
        (self.first..=self.last).contains(&hash) && (self.parts.0..=self.parts.1).contains(&part)
    }
}

/// The segment of a key, and its place there.
type Stand = (usize, u32);

impl<L: Boxed> Segment<L> {
    /// Returns true if its keys belong to other cells too, or are found by parts of other hashes.
    fn is_mixed(&self, cell: Cell) -> bool {
        self.is_deep() || u32::from(self.depth) < cell.bits
    }
}

impl<L: Boxed> Dict<L> {
    /// One of those that `wanted` accepts, each as likely as any other. The bits of `draw` decide,
    /// and which keys there are; how the table is split does not.
    pub(in super::super) fn random(
        &self,
        draw: u64,
        wanted: &dyn Fn(&View<'_, L>) -> bool,
    ) -> Option<View<'_, L>> {
        if self.is_empty() {
            return None;
        }
        if self.hasher.lets_collide() {
            return self.any_of_all(draw, wanted);
        }
        let cut = Cut::of(self.len());
        // Of a table that is one small cell every rank is there.
        let ranks = if cut.cells() == 1 {
            self.len()
        } else {
            SMALL_RANKS
        };
        let mut draws = rng::keyed(draw, 0, 0, 0);
        let mut cell = None;
        for _ in 0..DRAWS_MAX {
            let drawn = draws.next_u64();
            let Some(whole) = cell else {
                let drawn = below(drawn, CELL_RANKS << cut.bits);
                let drawn_cell = Cell::new(drawn / CELL_RANKS, cut.bits);
                let is_there = cut.bits == 0 || drawn % CELL_RANKS < self.keys_in(drawn_cell);
                cell = is_there.then_some(drawn_cell);
                continue;
            };
            let drawn = below(drawn, ranks << cut.small_bits);
            let small = whole.small(drawn / ranks, cut.small_bits);
            let rank = (drawn % ranks) as usize;
            if let Some(view) = self.ranked(small, rank) {
                if wanted(&view) {
                    return Some(view);
                }
                cell = None;
            }
        }
        self.next_wanted(draw, wanted)
    }

    /// As `random`, where a test wants hashes to collide: then cells would be full or empty, and so
    /// all keys are looked at.
    #[cold]
    fn any_of_all(&self, draw: u64, wanted: &dyn Fn(&View<'_, L>) -> bool) -> Option<View<'_, L>> {
        let mut found: Vec<View<'_, L>> = self.iter().filter(wanted).collect();
        found.sort_unstable_by_key(|view| view.key);
        let rank = below(draw, found.len() as u64) as usize;
        (rank < found.len()).then(|| found.swap_remove(rank))
    }

    /// The key of this rank in a small cell, by its hash, and among equal hashes by itself; none
    /// where there are fewer, or too many to be ordered.
    fn ranked(&self, small: Cell, rank: usize) -> Option<View<'_, L>> {
        let mut found = [(0, (0, 0)); SMALL_RANKS as usize];
        let mut count = 0;
        self.each_in(small, &mut |stand| {
            if let Some((_, free)) = found.get_mut(count) {
                *free = stand;
            }
            count += 1;
        });
        if rank >= count {
            return None;
        }
        let view = |(number, place): Stand| self.segment(number).view_at(&self.pool, place);
        let found = found.get_mut(..count)?;
        for (hash, stand) in found.iter_mut() {
            *hash = self.hash(view(*stand).key);
        }
        found.sort_unstable_by(|(one, at), (other, by)| {
            let keys = || view(*at).key.cmp(view(*by).key);
            one.cmp(other).then_with(keys)
        });
        found.get(rank).map(|(_, stand)| view(*stand))
    }

    /// How many keys a cell has.
    fn keys_in(&self, cell: Cell) -> u64 {
        let mut keys = 0;
        for number in self.segments_of(cell) {
            let segment = self.segment(number);
            if segment.is_mixed(cell) {
                let hashes = segment.iter(&self.pool).map(|view| self.hash(view.key));
                keys += hashes.filter(|hash| cell.has(*hash)).count() as u64;
            } else {
                keys += segment.len() as u64;
            }
        }
        keys
    }

    /// Shows where the keys of a small cell stand.
    fn each_in(&self, small: Cell, show: &mut dyn FnMut(Stand)) {
        for number in self.segments_of(small) {
            let segment = self.segment(number);
            if segment.is_mixed(small) {
                segment
                    .table
                    .within(&self.pool, Cell::new(0, 0).parts, |place| {
                        let key = segment.view_at(&self.pool, place).key;
                        if small.has(self.hash(key)) {
                            show((number, place));
                        }
                    });
            } else {
                let show = |place| show((number, place));
                segment.table.within(&self.pool, small.parts, show);
            }
        }
    }

    /// The segments in which keys of a cell stand.
    fn segments_of(&self, cell: Cell) -> impl Iterator<Item = usize> {
        let first = Some(self.at(cell.first));
        let all = iter::successors(first, |number| self.behind(*number));
        all.take_while(move |number| self.segment(*number).prefix <= cell.last)
    }

    /// The first that is wanted at or behind a place in the order of the table, or else the first.
    #[cold]
    fn next_wanted(&self, from: u64, wanted: &dyn Fn(&View<'_, L>) -> bool) -> Option<View<'_, L>> {
        let least = |number: usize, from: u64| {
            let views = self.segment(number).iter(&self.pool);
            let ordered = views
                .filter(wanted)
                .map(|view| (self.hasher.order(view.key), view));
            let behind = ordered.filter(|(order, _)| *order >= from);
            behind.min_by(|(one, view), (other, with)| (one, view.key).cmp(&(other, with.key)))
        };
        let first = self.at(from);
        let behind = iter::successors(Some(first), |number| self.behind(*number));
        let all = iter::successors(Some(self.at(0)), |number| self.behind(*number));
        let mut found = behind
            .map(|number| least(number, from))
            .chain(all.map(|number| least(number, 0)));
        found.find_map(|found| Some(found?.1))
    }
}
