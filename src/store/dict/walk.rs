//! Going through a table: all of it, from a hash on, by chance, by time, or stamping on the way.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::entry::{Big, Draft, View};
use super::minima::NEVER;
use super::segment::KEYS_MAX;
use super::{Dict, Segment};
use crate::rng;
use crate::time::Stamp;

/// A cursor of a scan has 48 bits: the leading ones of a hash, few enough for clients that read
/// numbers as floating point.
const CURSOR_SHIFT: u32 = 16;
/// The most segments that one call of a scan visits without finding anything.
const EMPTY_SEGMENTS_MAX: usize = 64;

impl Dict {
    /// Everything, segment by segment in the order of hashes.
    pub(in super::super) fn iter(&self) -> Iter<'_> {
        Iter {
            dict: self,
            next: Some(0),
            within: None,
        }
    }

    /// The hash behind a segment; `None` behind the last.
    fn behind(segment: &Segment) -> Option<u64> {
        if segment.depth == 0 {
            return None;
        }
        segment.prefix.checked_add(1 << (64 - segment.depth))
    }

    /// Shows what has a hash at or behind `cursor` (its leading 48 bits): `count` keys or some
    /// more, at least one segment where that has fewer. Returns the cursor to go on with, 0 at
    /// the end.
    ///
    /// Keys whose hashes share 48 bits are shown together. Hence a key that is there all the time
    /// is shown by the one call whose range holds its hash, be the segments what they may.
    pub(in super::super) fn scan<'a>(
        &'a self,
        cursor: u64,
        count: usize,
        show: &mut dyn FnMut(View<'a>) -> bool,
    ) -> u64 {
        let mut from = cursor << CURSOR_SHIFT;
        let mut left = count.max(1);
        let mut empty = 0;
        loop {
            let segment = self.segment(self.number(from));
            let mut found: Vec<(u64, View<'a>)> = segment
                .iter()
                .map(|view| (self.hasher.hash(view.key) >> CURSOR_SHIFT, view))
                .filter(|(place, _)| *place >= from >> CURSOR_SHIFT)
                .collect();
            let mut last = None;
            if found.len() > left {
                found.select_nth_unstable_by_key(left - 1, |(place, _)| *place);
                last = Some(found[left - 1].0);
            }
            if let Some(last) = last {
                found.retain(|(place, _)| *place <= last);
                // What the selection leaves behind has no order that anyone promises.
                found.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.key.cmp(other.key)));
            }
            for (_, view) in found {
                if show(view) {
                    left = left.saturating_sub(1);
                }
            }
            if let Some(last) = last {
                // Behind the very last place there is nothing.
                return (last + 1) & (u64::MAX >> CURSOR_SHIFT);
            }
            let Some(behind) = Self::behind(segment) else {
                return 0;
            };
            empty += 1;
            from = behind;
            if left == 0 || empty == EMPTY_SEGMENTS_MAX + count {
                return from >> CURSOR_SHIFT;
            }
        }
    }

    /// One of those that `wanted` accepts, each as likely as any other; the bits of `draw` decide.
    pub(in super::super) fn random(
        &self,
        draw: u64,
        wanted: &dyn Fn(&View<'_>) -> bool,
    ) -> Option<View<'_>> {
        if self.is_empty() {
            return None;
        }
        let segments = self.segments() as u64;
        let most = (0..self.segments().min(64))
            .map(|number| self.segment(number).len())
            .max()
            .unwrap_or(0)
            .max(if segments > 64 { KEYS_MAX } else { 1 });
        // A segment, and a place in it that may be beyond its end: so every key is as likely as any
        // other.
        for turn in 0..256 {
            let number = rng::below(rng::draw(draw, turn, 0, 0), segments) as usize;
            let place = rng::below(rng::draw(draw, turn, 1, 0), most as u64) as usize;
            let segment = self.segment(number);
            if place >= segment.len() {
                continue;
            }
            if let Some(view) = segment.iter().nth(place)
                && wanted(&view)
            {
                return Some(view);
            }
        }
        // Nearly all are unwanted: the next one that is wanted will do.
        let first = rng::below(draw, segments) as usize;
        (first..self.segments())
            .chain(0..first)
            .flat_map(|number| self.segment(number).iter())
            .find(wanted)
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
            .flat_map(|number| self.segment(number).iter())
            .filter(|view| !view.live(at))
            .count() as u64
    }

    /// Frees what is dead at `now` in one segment. Blocks are shown before, boxes are handed over.
    /// Returns how many keys were looked at and how many freed; `None` where none is due.
    pub(in super::super) fn sweep(
        &mut self,
        now: Stamp,
        show: &mut dyn FnMut(&Draft<'_>),
        retired: &mut Vec<Box<Big>>,
    ) -> Option<(usize, usize)> {
        let number = self.earliest.due(now.0)?;
        let looked = self.segment(number).len();
        let freed = self.on(number, |segment, hasher| {
            segment.sweep(now, show, retired, hasher)
        });
        self.len -= freed as u64;
        self.volatile -= freed as u64;
        let earliest = self.segment(number).earliest();
        self.earliest.set(number, earliest);
        if freed > 0 {
            self.shrink(number);
        }
        Some((looked, freed))
    }

    /// Goes through the segment at the hash `from`: shows the blocks that do not bear `epoch` and
    /// stamps them, then shows all boxes, until `show` says that it is enough. Returns where to
    /// go on: `from` itself where the segment is not done with, `None` behind the last.
    ///
    /// Whoever is shown a box stamps it, and changes neither its key nor its size.
    pub(in super::super) fn stamp(
        &mut self,
        from: u64,
        epoch: u8,
        show: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Option<u64> {
        let number = self.number(from);
        let segment = self.segment_mut(number);
        if !segment.stamp(epoch, &mut |draft| show(Item::Block(draft))) {
            return Some(from);
        }
        for boxed in segment.bigs_mut() {
            if !show(Item::Big(boxed)) {
                return Some(from);
            }
        }
        Self::behind(segment)
    }

    /// Lets everything bear `epoch`, boxes too.
    pub(in super::super) fn restamp(&mut self, epoch: u8) {
        for number in 0..self.segments() {
            let segment = self.segment_mut(number);
            segment.restamp(epoch);
            for big in segment.bigs_mut() {
                big.restamp(epoch);
            }
        }
    }

    /// Takes a table apart from its end: what one segment held in boxes; `None` when all is gone.
    pub(in super::super) fn dismantle(&mut self) -> Option<Vec<Box<Big>>> {
        let segment = self.pop()?;
        self.len -= segment.len() as u64;
        Some(segment.into_bigs())
    }
}

/// What `Dict::stamp` shows.
pub(in super::super) enum Item<'a> {
    Block(&'a Draft<'a>),
    Big(&'a mut Big),
}

/// What a table holds, in the order of segments.
#[derive(Clone, Debug)]
pub(in super::super) struct Iter<'a> {
    dict: &'a Dict,
    next: Option<u64>,
    within: Option<super::segment::Iter<'a>>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = View<'a>;

    fn next(&mut self) -> Option<View<'a>> {
        loop {
            if let Some(within) = &mut self.within
                && let Some(view) = within.next()
            {
                return Some(view);
            }
            let segment = self.dict.segment(self.dict.number(self.next?));
            self.next = Dict::behind(segment);
            self.within = Some(segment.iter());
        }
    }
}
