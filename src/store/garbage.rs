//! Removed values that are too large to be freed at once.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::big::{Big, Kept};
use super::dict::Dict;
use super::value::Large;

/// A unit of work frees about so many bytes, or one piece that is larger.
const UNIT_BYTES: usize = 16 << 10;
/// The most pieces that count as one unit because they are small.
const PIECES_PER_UNIT: usize = 16;

/// Tables and large values that nobody sees any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Garbage {
    tables: VecDeque<Dict<Big>>,
    large: VecDeque<Large>,
    bytes: usize,
    /// Large values that take less than this are freed at once, and count as one unit of work.
    at_once_bytes: usize,
}

impl Garbage {
    pub(super) fn new(at_once_bytes: usize) -> Self {
        Self {
            at_once_bytes,
            ..Self::default()
        }
    }

    /// Frees a table later, or now where it holds nothing.
    pub(super) fn table(&mut self, table: Dict<Big>) {
        if !table.is_empty() {
            self.bytes += table.memory();
            self.tables.push_back(table);
        }
    }

    /// Frees a box now or later.
    pub(super) fn big(&mut self, big: Box<Big>) {
        if let Kept::Large(large, _) = big.kept {
            self.large(large);
        }
    }

    /// Frees a large value, or what was cut off one, now or later.
    pub(super) fn large(&mut self, large: Large) {
        if large.memory() >= self.at_once_bytes {
            self.bytes += large.memory();
            self.large.push_back(large);
        }
    }

    /// Frees segments and parts of large values until about `budget` of them and of boxes are
    /// gone, or more where they are small; whether more are left.
    pub(super) fn step(&mut self, budget: usize) -> bool {
        let mut left = budget.max(1);
        while left > 0
            && let Some(large) = self.large.front_mut()
        {
            let before = large.memory();
            let mut unused = left;
            let more = large.dismantle(&mut unused);
            self.bytes = self.bytes - before + large.memory();
            left -= cost(left - unused, before.saturating_sub(large.memory()));
            if !more && let Some(gone) = self.large.pop_front() {
                self.bytes -= gone.memory();
            }
        }
        while left > 0
            && let Some(table) = self.tables.front_mut()
        {
            left -= 1;
            let before = table.memory();
            let boxes = table.dismantle();
            self.bytes = self.bytes - before + table.memory();
            let Some(boxes) = boxes else {
                if let Some(gone) = self.tables.pop_front() {
                    self.bytes -= gone.memory();
                }
                continue;
            };
            left = left.saturating_sub(boxes.len());
            for big in boxes {
                self.big(big);
            }
        }
        !self.tables.is_empty() || !self.large.is_empty()
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes
    }

    /// As `memory`, counted anew.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let tables: usize = self.tables.iter().map(Dict::recount_bytes).sum();
        tables + self.large.iter().map(Large::recount).sum::<usize>()
    }
}

/// The units that so many pieces of a large value cost that took so many bytes.
fn cost(pieces: usize, bytes: usize) -> usize {
    let least = pieces.div_ceil(PIECES_PER_UNIT);
    bytes.div_ceil(UNIT_BYTES).clamp(least, pieces.max(least))
}
