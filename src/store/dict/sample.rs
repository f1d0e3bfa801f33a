//! Some keys of a table by chance, cheaply: neighbours in one segment, which only their hashes have
//! brought together.
//!
//! Other than `random`, what is shown depends on how the table is split.

use super::super::entry::{Boxed, View};
use super::Dict;
use super::minima::NEVER;

/// The most keys of a segment that are looked at where few are wanted.
const LOOKS_MAX: usize = 64;
/// How many segments are tried before one is taken that is known to hold something.
const SEGMENTS_MAX: usize = 4;

impl<L: Boxed> Dict<L> {
    /// Shows keys that stand together, from a place on that `from` decides, until `show` says that
    /// it is enough or a few have been looked at. With `only_volatile` those have an expiry.
    /// Returns how many were looked at.
    pub(in super::super) fn sample(
        &mut self,
        from: u64,
        only_volatile: bool,
        show: &mut dyn FnMut(View<'_, L>) -> bool,
    ) -> usize {
        let (mut number, mut looks) = (self.at(from), 0);
        for _ in 0..SEGMENTS_MAX {
            let (looked, any) = self.sample_in(number, from, only_volatile, LOOKS_MAX, show);
            looks += looked;
            if any {
                return looks;
            }
            number = self.behind(number).unwrap_or_else(|| self.at(0));
        }
        // Few have what is wanted, or tests let hashes collide.
        let mut steps = 0;
        while let Some(number) = self.some_segment(from, only_volatile) {
            steps += 1;
            let (looked, any) = self.sample_in(number, from, only_volatile, usize::MAX, show);
            looks += looked;
            if any || steps == SEGMENTS_MAX || !only_volatile {
                break;
            }
            let earliest = self.segment(number).earliest(&self.pool);
            self.earliest.set(number, earliest);
        }
        looks
    }

    /// A segment that holds something, or as far as is known a key with an expiry.
    fn some_segment(&self, from: u64, only_volatile: bool) -> Option<usize> {
        if only_volatile {
            return self.earliest.due(NEVER - 1);
        }
        let all = self.segments();
        let first = (from % all.max(1) as u64) as usize;
        let mut numbers = (first..all).chain(0..first);
        numbers.find(|number| self.segment(*number).len() > 0)
    }

    /// Shows keys of one segment. Returns how many were looked at, and whether there were any that
    /// are wanted.
    fn sample_in(
        &self,
        number: usize,
        from: u64,
        only_volatile: bool,
        most: usize,
        show: &mut dyn FnMut(View<'_, L>) -> bool,
    ) -> (usize, bool) {
        if only_volatile && self.earliest.get(number) == NEVER {
            return (0, false);
        }
        let segment = self.segment(number);
        let (mut looked, mut any) = (0, false);
        segment.table.from(&self.pool, from as usize, |place| {
            looked += 1;
            let view = segment.view_at(&self.pool, place);
            let is_wanted = !only_volatile || view.expiry.is_some();
            any |= is_wanted;
            (!is_wanted || show(view)) && looked < most
        });
        (looked, any)
    }
}
