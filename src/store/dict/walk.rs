//! Going through a table: all of it, from a hash on, by time, or stamping on the way.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::entry::{Boxed, Draft, View};
use super::hasher::{behind_place, order, place, place_begin};
use super::minima::NEVER;
use super::{CHUNK, Dict};
use crate::time::Stamp;

impl<L: Boxed> Dict<L> {
    /// Everything, segment by segment in the order of hashes.
    pub(in super::super) fn iter(&self) -> Iter<'_, L> {
        Iter {
            dict: self,
            next: Some(self.at(0)),
            within: None,
        }
    }

    /// Shows what stands at or behind the place that `cursor` names: `count` keys or some more, at
    /// least one segment where that has fewer. Returns the cursor to go on with, 0 at the end.
    ///
    /// Keys whose place is the same are shown together. Hence a key that is there all the time is
    /// shown by the one call whose range holds its place, be the segments what they may.
    pub(in super::super) fn scan<'a>(
        &'a self,
        cursor: u64,
        count: usize,
        show: &mut dyn FnMut(View<'a, L>) -> bool,
    ) -> u64 {
        let mut from = self.hasher.order_of(cursor);
        let mut left = count.max(1);
        let mut empty = 0;
        loop {
            let (found, next) = self.places_from(from);
            let (found, rest) = self.cut(found, from, left);
            for view in found {
                if show(view) {
                    left = left.saturating_sub(1);
                }
            }
            let Some(next) = rest.or(next) else {
                return 0;
            };
            empty += 1;
            from = next;
            if rest.is_some() || left == 0 || empty == self.empty_segments_max + count {
                return self.hasher.cursor(from);
            }
        }
    }

    /// Returns the contents of one segment, with those of the ones behind it that begin in the
    /// midst of a place, and where the next one begins. Of keys in front of `from` some are left
    /// out already.
    fn places_from(&self, from: u64) -> (Vec<(u64, View<'_, L>)>, Option<u64>) {
        let mut found = Vec::new();
        let mut number = self.at(from);
        loop {
            let views = self.segment(number).iter(&self.pool);
            let hashed = views.map(|view| (self.hasher.hash(view.key), view));
            found.extend(hashed.filter(|(hash, _)| order(*hash, u64::MAX) >= from));
            match self.behind(number) {
                Some(next) if self.segment(next).begins_within_place() => number = next,
                next => return (found, next.map(|next| self.segment(next).prefix)),
            }
        }
    }

    /// Of keys with their hashes the first ones from a place on, in order and by whole places, and
    /// where the rest begins.
    fn cut<'a>(
        &self,
        mut found: Vec<(u64, View<'a, L>)>,
        from: u64,
        count: usize,
    ) -> (impl Iterator<Item = View<'a, L>>, Option<u64>) {
        // Most of a segment is told apart by the first hash already.
        let mut rest = None;
        let few = count.saturating_add(1);
        if found.len() > few {
            let cut = |(hash, _): &(u64, View<'_, L>)| order(*hash, u64::MAX);
            found.select_nth_unstable_by_key(few - 1, cut);
            let (last, all) = (cut(&found[few - 1]), found.len());
            found.retain(|one| cut(one) <= last);
            rest = behind_place(last).filter(|_| found.len() < all);
        }
        for (hash, view) in &mut found {
            *hash = order(*hash, self.hasher.second(view.key));
        }
        found.retain(|(order, _)| *order >= from);
        // What the selection leaves behind has no order that anyone promises.
        found.sort_unstable_by(|(a, one), (b, other)| (a, one.key).cmp(&(b, other.key)));
        if found.len() > count {
            let last = found[count - 1].0;
            let shown = found.partition_point(|(order, _)| place(*order) <= place(last));
            if let Some((order, _)) = found.get(shown) {
                rest = Some(place_begin(*order));
            }
            found.truncate(shown);
        }
        (found.into_iter().map(|(_, view)| view), rest)
    }

    /// A time at or before the earliest expiry.
    pub(in super::super) fn next_expiry(&self) -> Option<Stamp> {
        let least = self.earliest.least();
        (least != NEVER).then_some(Stamp(least))
    }

    /// How many keys are dead at `at`: looks at the segments that hold any.
    pub(in super::super) fn dead(&self, at: Stamp) -> u64 {
        if self.next_expiry().is_none_or(|time| time > at) {
            return 0;
        }
        (0..self.segments())
            .filter(|number| self.earliest.get(*number) <= at.0)
            .flat_map(|number| self.segment(number).iter(&self.pool))
            .filter(|view| !view.live(at))
            .count() as u64
    }

    /// Frees what is dead at `now` in one segment. Blocks are shown before, boxes are handed over.
    /// Returns how many keys were looked at and how many freed; `None` where none is due.
    pub(in super::super) fn sweep(
        &mut self,
        now: Stamp,
        show: &mut dyn FnMut(&Draft<'_>),
        retired: &mut Vec<Box<L>>,
    ) -> Option<(usize, usize)> {
        let number = self.earliest.due(now.0)?;
        let looked = self.segment(number).len();
        let (freed, times) = self.on(number, |segment, pool, hasher| {
            segment.sweep(pool, now, show, retired, hasher)
        });
        self.len -= freed as u64;
        self.volatile -= freed as u64;
        self.times -= times;
        let earliest = self.segment(number).earliest(&self.pool);
        self.earliest.set(number, earliest);
        if freed > 0 {
            self.shrink(number);
        }
        self.settle();
        Some((looked, freed))
    }

    /// Goes through the segment at `from`, a place in the order of the table: shows the blocks that
    /// do not bear `epoch` and stamps them, then shows all boxes, until `show` says that it is
    /// enough. Returns where to go on: `from` itself where the segment is not done with, `None`
    /// behind the last.
    ///
    /// The caller stamps each box that it is shown, and changes neither its key nor its size.
    pub(in super::super) fn stamp(
        &mut self,
        from: u64,
        epoch: u8,
        show: &mut dyn FnMut(Item<'_, L>) -> bool,
    ) -> Option<u64> {
        let mut number = self.at(from);
        loop {
            let segment = &mut self.chunks[number / CHUNK][number % CHUNK];
            if !segment.stamp(&mut self.pool, epoch, &mut |draft| show(Item::Block(draft))) {
                return Some(from);
            }
            for boxed in segment.bigs_mut() {
                if !show(Item::Box(boxed)) {
                    return Some(from);
                }
            }
            match self.behind(number) {
                // Its beginning is none that a number could name.
                Some(next) if !self.segment(next).edge.is_empty() => number = next,
                next => return next.map(|next| self.segment(next).prefix),
            }
        }
    }

    /// Lets everything bear `epoch`, boxes too.
    pub(in super::super) fn restamp(&mut self, epoch: u8) {
        for number in 0..self.segments() {
            let segment = &mut self.chunks[number / CHUNK][number % CHUNK];
            segment.stamp(&mut self.pool, epoch, &mut |_| true);
            for big in segment.bigs_mut() {
                big.restamp(epoch);
            }
        }
    }

    /// Takes a table apart from its end: what one segment held in boxes, and then one span of pages
    /// after the other; `None` when all is gone.
    pub(in super::super) fn dismantle(&mut self) -> Option<Vec<Box<L>>> {
        match self.pop() {
            None => self.pool.dismantle().then(Vec::new),
            Some(segment) => {
                self.len -= segment.len() as u64;
                Some(segment.into_bigs())
            }
        }
    }
}

/// A block or a box that `Dict::stamp` shows.
pub(in super::super) enum Item<'a, L> {
    Block(&'a Draft<'a>),
    Box(&'a mut L),
}

/// The keys and values that a table holds, in the order of segments.
#[derive(Clone, Debug)]
pub(in super::super) struct Iter<'a, L> {
    dict: &'a Dict<L>,
    next: Option<usize>,
    within: Option<super::segment::Iter<'a, L>>,
}

impl<'a, L: Boxed> Iterator for Iter<'a, L> {
    type Item = View<'a, L>;

    fn next(&mut self) -> Option<View<'a, L>> {
        loop {
            if let Some(within) = &mut self.within
                && let Some(view) = within.next()
            {
                return Some(view);
            }
            let number = self.next?;
            self.next = self.dict.behind(number);
            self.within = Some(self.dict.segment(number).iter(&self.dict.pool));
        }
    }
}
