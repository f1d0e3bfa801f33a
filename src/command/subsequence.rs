//! The longest common subsequence of two strings, found in steps.

use alloc::vec;
use alloc::vec::Vec;

/// The lengths of the subsequences of all beginnings, reduced to what the way back asks of them.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The row above, overwritten from left to right; place 0 is the empty beginning.
    row: Vec<u32>,
    /// One bit for each pair of places: whether leaving a byte of the first string loses nothing,
    /// and leaving one of the second would. Empty where only the length is wanted.
    up: Vec<u64>,
    width: usize,
    /// How many pairs are done.
    pub(super) done: usize,
    /// The value above and to the left of the next pair.
    diagonal: u32,
}

impl Table {
    /// A table of which no pair is done.
    pub(super) fn new(a: &[u8], b: &[u8], with_way: bool) -> Self {
        let bits = if with_way { a.len() * b.len() } else { 0 };
        Self {
            row: vec![0; b.len() + 1],
            up: vec![0; bits.div_ceil(64)],
            width: b.len(),
            done: 0,
            diagonal: 0,
        }
    }

    /// How long the whole subsequence is.
    pub(super) fn len(&self) -> u32 {
        self.row[self.width]
    }

    /// Does so many pairs more, in one row; whether any is left.
    pub(super) fn advance(&mut self, a: &[u8], b: &[u8], most: usize) -> bool {
        if self.width == 0 || self.done == a.len() * self.width {
            return false;
        }
        let (i, first) = (self.done / self.width, self.done % self.width);
        let end = self.width.min(first.saturating_add(most.max(1)));
        let with_way = !self.up.is_empty();
        let (byte, row) = (a[i], &mut self.row);
        let mut diagonal = if first == 0 { 0 } else { self.diagonal };
        for j in first..end {
            let above = row[j + 1];
            let left = row[j];
            row[j + 1] = if byte == b[j] {
                diagonal + 1
            } else {
                if with_way && above > left {
                    let bit = i * self.width + j;
                    self.up[bit / 64] |= 1 << (bit % 64);
                }
                above.max(left)
            };
            diagonal = above;
        }
        self.diagonal = diagonal;
        self.done += end - first;
        true
    }

    fn goes_up(&self, i: usize, j: usize) -> bool {
        let bit = i * self.width + j;
        self.up[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// A stretch that both strings share: its first places, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) len: usize,
}

/// Walks from the ends to the fronts, as Redis does, and gives the stretches in that order.
pub(super) fn matches(table: &Table, a: &[u8], b: &[u8]) -> Vec<Match> {
    let mut found = Vec::new();
    let mut open: Option<Match> = None;
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            i -= 1;
            j -= 1;
            let len = open.map_or(0, |stretch| stretch.len) + 1;
            open = Some(Match { a: i, b: j, len });
        } else {
            found.extend(open.take());
            if table.goes_up(i - 1, j - 1) {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }
    found.extend(open);
    found
}
