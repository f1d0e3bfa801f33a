//! Places for objects of one type, which a collector frees and a seal keeps.

use alloc::vec::Vec;

/// A place as the collector knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Free,
    Unseen,
    Reached,
}

/// Places that a reset leaves allocated.
const KEPT: usize = 4096;

/// Objects by their place; freed places are used again, the first of them first.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Slab<T> {
    items: Vec<T>,
    marks: Vec<Mark>,
    /// Places that can be used again, the first of them last.
    free: Vec<u32>,
    /// Objects below this place are permanent.
    sealed: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            marks: Vec::new(),
            free: Vec::new(),
            sealed: 0,
        }
    }
}

impl<T: Default> Slab<T> {
    /// Puts an object in; its place.
    #[inline]
    pub(in crate::lua) fn add(&mut self, item: T) -> u32 {
        if let Some(place) = self.free.pop() {
            if let (Some(old), Some(mark)) = (
                self.items.get_mut(place as usize),
                self.marks.get_mut(place as usize),
            ) {
                *old = item;
                *mark = Mark::Unseen;
            }
            return place;
        }
        self.items.push(item);
        self.marks.push(Mark::Unseen);
        (self.items.len() - 1) as u32
    }

    /// The object at a place that was given out.
    #[inline]
    pub(in crate::lua) fn at(&self, place: u32) -> &T {
        &self.items[place as usize]
    }

    /// The object at a place that was given out, to be changed.
    #[inline]
    pub(in crate::lua) fn at_mut(&mut self, place: u32) -> &mut T {
        &mut self.items[place as usize]
    }

    /// Returns true if the object is permanent.
    #[inline]
    pub(in crate::lua) fn is_sealed(&self, place: u32) -> bool {
        (place as usize) < self.sealed
    }

    /// Makes all that is there permanent.
    pub(in crate::lua) fn seal(&mut self) {
        self.sealed = self.items.len();
        self.free.clear();
    }

    /// Drops all that is not permanent, and room that few scripts need.
    pub(in crate::lua) fn reset(&mut self) {
        self.items.truncate(self.sealed);
        self.marks.truncate(self.sealed);
        self.free.clear();
        if self.items.capacity() > self.sealed + KEPT {
            self.items.shrink_to(self.sealed + KEPT);
            self.marks.shrink_to(self.sealed + KEPT);
            self.free.shrink_to(KEPT);
        }
    }

    /// How many places there are that are not permanent, free ones with them.
    pub(in crate::lua) fn unsealed_places(&self) -> usize {
        self.items.len() - self.sealed
    }

    /// How many places are free.
    #[inline]
    pub(in crate::lua) fn free_places(&self) -> usize {
        self.free.len()
    }

    /// Notes that an object is reached; true the first time.
    #[inline]
    pub(in crate::lua) fn reach(&mut self, place: u32) -> bool {
        match self.marks.get_mut(place as usize) {
            Some(mark @ Mark::Unseen) if place as usize >= self.sealed => {
                *mark = Mark::Reached;
                true
            }
            _ => false,
        }
    }

    /// Frees what was not reached, and tells `freed` of it.
    pub(in crate::lua) fn sweep(&mut self, mut freed: impl FnMut(&mut T)) {
        for place in self.sealed..self.items.len() {
            let (Some(mark), Some(item)) = (self.marks.get_mut(place), self.items.get_mut(place))
            else {
                continue;
            };
            match mark {
                Mark::Free => {}
                Mark::Reached => *mark = Mark::Unseen,
                Mark::Unseen => {
                    freed(item);
                    *item = T::default();
                    *mark = Mark::Free;
                }
            }
        }
        self.shorten();
        let places = (0_u32..).zip(&self.marks).skip(self.sealed);
        let free = places.filter(|(_, mark)| **mark == Mark::Free);
        self.free.clear();
        self.free.extend(free.map(|(place, _)| place));
        self.free.reverse();
        if self.free.capacity() / 4 > self.free.len() + KEPT {
            self.free.shrink_to(self.free.len() * 2);
        }
    }

    /// Gives up free places at the end.
    fn shorten(&mut self) {
        let last = self.marks.iter().rposition(|mark| *mark != Mark::Free);
        let kept = last.map_or(0, |last| last + 1).max(self.sealed);
        if kept == self.items.len() {
            return;
        }
        self.items.truncate(kept);
        self.marks.truncate(kept);
        if self.items.capacity() / 4 > kept + KEPT {
            self.items.shrink_to(kept * 2 + KEPT);
            self.marks.shrink_to(kept * 2 + KEPT);
        }
    }

    fn live_from(&self, from: usize) -> impl Iterator<Item = (u32, Mark)> + '_ {
        let marks = (0_u32..).zip(self.marks.iter().copied()).skip(from);
        marks.filter(|(_, mark)| *mark != Mark::Free)
    }

    /// The places of all that is there.
    pub(in crate::lua) fn places(&self) -> Vec<u32> {
        self.live_from(0).map(|(place, _)| place).collect()
    }

    /// The places of all that is not permanent.
    pub(in crate::lua) fn unsealed(&self) -> Vec<u32> {
        self.live_from(self.sealed)
            .map(|(place, _)| place)
            .collect()
    }

    /// The places of all that is permanent.
    pub(in crate::lua) fn sealed_places(&self) -> core::ops::Range<u32> {
        0..self.sealed as u32
    }

    /// The places of all that a sweep would free.
    pub(in crate::lua) fn unreached(&self) -> Vec<u32> {
        let live = self.live_from(self.sealed);
        live.filter(|(_, mark)| *mark == Mark::Unseen)
            .map(|(place, _)| place)
            .collect()
    }
}
