//! Sorting in steps: runs that are sorted at once, and then merged, always two neighbours into one.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::mem;

/// So many entries are sorted at once.
const RUN: usize = 64;
/// So many comparisons cost about as much as a small request.
const COMPARISONS_PER_WORK: usize = 8;

/// Entries on their way into order. Equal ones stay in the order in which they came.
#[derive(Clone, Debug)]
pub(in crate::command) struct Merging<T> {
    entries: Vec<T>,
    /// The entries of this pass that are merged.
    merged: Vec<T>,
    /// How many entries the runs have that are merged now; 0: they are yet to be made.
    width: usize,
    /// The begin of the two runs that are merged now, or of the run that is made next.
    begin: usize,
    /// The next entries of both.
    next: [usize; 2],
}

impl<T> Default for Merging<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            merged: Vec::new(),
            width: 0,
            begin: 0,
            next: [0; 2],
        }
    }
}

impl<T: Copy> Merging<T> {
    /// Makes room for so many entries at once, so that none is moved later.
    pub(in crate::command) fn reserve(&mut self, entries: usize) {
        self.entries.reserve_exact(entries);
    }

    /// Adds an entry.
    pub(in crate::command) fn push(&mut self, entry: T) {
        self.entries.push(entry);
    }

    /// The entries, in order once no step is left.
    pub(in crate::command) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// The work of the next step; `None` if all entries are in order.
    pub(in crate::command) fn work(&self) -> Option<usize> {
        let is_done = self.width >= self.entries.len() || self.entries.len() < 2;
        (!is_done).then_some(RUN / COMPARISONS_PER_WORK)
    }

    /// Does a step.
    pub(in crate::command) fn step(&mut self, order: &mut dyn FnMut(&T, &T) -> Ordering) {
        let len = self.entries.len();
        if self.width == 0 {
            let end = len.min(self.begin + RUN);
            self.entries[self.begin..end].sort_by(&mut *order);
            self.begin = end;
            if end == len {
                self.widen(RUN);
            }
            return;
        }
        for _ in 0..RUN {
            let ends = [1, 2].map(|runs| len.min(self.begin + runs * self.width));
            let [one, other] = self.next;
            let takes_one = one < ends[0]
                && (other >= ends[1] || order(&self.entries[one], &self.entries[other]).is_le());
            let taken = usize::from(!takes_one);
            self.merged.push(self.entries[self.next[taken]]);
            self.next[taken] += 1;
            if self.next == ends {
                self.begin = ends[1];
                self.next = [0, 1].map(|runs| len.min(self.begin + runs * self.width));
            }
            if self.merged.len() == len {
                mem::swap(&mut self.entries, &mut self.merged);
                self.merged.clear();
                self.widen(2 * self.width);
                return;
            }
        }
    }

    fn widen(&mut self, width: usize) {
        (self.width, self.begin) = (width, 0);
        self.next = [0, width.min(self.entries.len())];
        if self.merged.capacity() == 0 && width < self.entries.len() {
            self.merged.reserve_exact(self.entries.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_stable_sort(keys in vec(0u16..300, 0..1200)) {
            let mut merging = Merging::default();
            for (place, key) in keys.iter().enumerate() {
                merging.push((*key, place));
            }
            let mut steps = 0;
            while merging.work().is_some() {
                merging.step(&mut |one, other| one.0.cmp(&other.0));
                steps += 1;
            }
            let mut sorted: Vec<_> = keys.iter().copied().zip(0..).collect();
            sorted.sort_unstable();
            prop_assert_eq!(merging.entries(), &sorted[..]);
            prop_assert!(steps <= keys.len().div_ceil(RUN) * 7);
        }
    }
}
