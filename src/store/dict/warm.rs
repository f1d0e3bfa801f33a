//! The uses of keys, as they are noted beside them.

use super::super::entry::{Boxed, Draft, Expires, Header};
use super::super::heat::Heat;
use super::blocks::{At, at};
use super::pool::Pool;
use super::segment::{Segment, WIDE_BLOCK_MAX};
use super::slots::{self, Slot};
use super::{CHUNK, Dict, Place};

impl<L: Boxed> Segment<L> {
    /// The notes on the uses of a key.
    fn heat(&self, pool: &Pool, slot: Slot) -> Option<Heat> {
        let place = slots::place(slot);
        if let At::Box(number) = at(place) {
            return self.bigs[number].heat();
        }
        let (bytes, at) = self.at(pool, place);
        Header::read(bytes, at).heat(bytes)
    }

    /// Gives a block room for what is noted of its uses.
    fn heat_up(&mut self, pool: &mut Pool, slot: Slot, heat: Heat) {
        let heat = Some(heat);
        self.copy_with::<WIDE_BLOCK_MAX>(pool, slot, |draft| Draft { heat, ..draft });
    }
}

impl<L: Expires> Segment<L> {
    /// Notes something else of the uses of a key, if there is room for it.
    fn set_heat(&mut self, pool: &mut Pool, slot: Slot, heat: Heat) {
        let place = slots::place(slot);
        if let At::Box(number) = at(place) {
            self.bigs[number].set_heat(Some(heat));
            return;
        }
        let (bytes, at) = self.at_mut(pool, place);
        Header::read(bytes, at).set_heat(bytes, heat);
    }
}

impl<L: Boxed> Dict<L> {
    /// The notes on the uses of a key.
    pub(in super::super) fn heat(&self, place: Place) -> Option<Heat> {
        self.segment(place.segment).heat(&self.pool, place.slot)
    }
}

impl<L: Expires> Dict<L> {
    /// Notes something else of the uses of a key, if there is room for it.
    pub(in super::super) fn set_heat(&mut self, place: Place, heat: Heat) {
        let segment = &mut self.chunks[place.segment / CHUNK][place.segment % CHUNK];
        segment.set_heat(&mut self.pool, place.slot, heat);
    }

    /// Gives a block room for what is noted of its uses.
    pub(in super::super) fn heat_up(&mut self, place: Place, heat: Heat) {
        self.on(place.segment, |segment, pool, _| {
            segment.heat_up(pool, place.slot, heat);
        });
        self.fit(place.segment);
        self.settle();
    }
}
