//! What was removed and is too large to be freed at once.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use super::big::{Big, BigValue};
use super::dict::Dict;
use super::value::string::rope::Rope;

/// Tables with fewer keys than this are freed at once.
const KEYS_FREED_AT_ONCE: u64 = 64;

/// Chunks of a long string that count as one segment of a table.
const CHUNKS_AT_ONCE: usize = 16;

/// Tables and long strings that nobody sees any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Garbage {
    tables: VecDeque<Dict>,
    ropes: VecDeque<Rope>,
    bytes: usize,
}

impl Garbage {
    /// Frees a table now or later.
    pub(super) fn table(&mut self, table: Dict) {
        if table.len() >= KEYS_FREED_AT_ONCE || table.segments() > 1 {
            self.bytes += table.memory();
            self.tables.push_back(table);
        }
    }

    /// Frees a box now or later.
    pub(super) fn big(&mut self, big: Box<Big>) {
        match big.value {
            BigValue::Table(fields) => self.table(*fields),
            BigValue::Rope(rope) => {
                self.bytes += rope.memory();
                self.ropes.push_back(rope);
            }
            BigValue::Integer(_) | BigValue::Bytes(_) | BigValue::Raw(_) | BigValue::Packed(_) => {}
        }
    }

    /// Frees segments until about `budget` of them and of their boxes are gone; whether more are
    /// left.
    pub(super) fn step(&mut self, budget: usize) -> bool {
        let mut left = budget.max(1);
        while left > 0
            && let Some(rope) = self.ropes.front_mut()
        {
            left -= 1;
            let before = rope.memory();
            let more = rope.dismantle(CHUNKS_AT_ONCE);
            self.bytes = self.bytes - before + rope.memory();
            if !more && let Some(gone) = self.ropes.pop_front() {
                self.bytes -= gone.memory();
            }
        }
        while left > 0
            && let Some(table) = self.tables.front_mut()
        {
            left -= 1;
            let before = table.memory();
            let bigs = table.dismantle();
            self.bytes = self.bytes - before + table.memory();
            let Some(bigs) = bigs else {
                if let Some(gone) = self.tables.pop_front() {
                    self.bytes -= gone.memory();
                }
                continue;
            };
            left = left.saturating_sub(bigs.len());
            for big in bigs {
                self.big(big);
            }
        }
        !self.tables.is_empty() || !self.ropes.is_empty()
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes
    }

    /// As `memory`, counted anew.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let tables: usize = self.tables.iter().map(Dict::recount_bytes).sum();
        tables + self.ropes.iter().map(Rope::recount).sum::<usize>()
    }
}
