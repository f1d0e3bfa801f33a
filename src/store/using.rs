//! Which keys are used, noted beside them for those who choose what is evicted.
//!
//! A write notes it where it puts its block. A read changes nothing, and so leaves behind where it
//! has found a key; when it is done, that is noted in the block, which is in the cache still.

use super::dict::Place;
use super::heat::{Heat, Tracking};
use super::{DbId, Store};
use crate::time::Stamp;

impl Store {
    /// The things that are noted of keys.
    #[must_use]
    pub fn tracking(&self) -> Tracking {
        self.using.tracking
    }

    /// Lets this be noted of keys from now on; older notes are taken for the same.
    pub fn set_tracking(&mut self, tracking: Tracking) {
        if self.using.tracking.is_on() != tracking.is_on() && !self.is_empty() {
            // Keys get room for it, or lose it, when they are used.
            self.upkeep.happened();
        }
        self.using.tracking = tracking;
    }

    /// Tells it the moment at which keys are used.
    pub fn at_moment(&mut self, now: Stamp) {
        self.using.now = now;
    }

    /// A read begins, of which keys are noted that it finds; to be ended by `end_read`.
    pub fn begin_read(&mut self, now: Stamp) {
        self.using.begin_read(now);
    }

    /// A read is at its end, or at that of a piece: what it has found is noted as used.
    pub fn end_read(&mut self) {
        if !self.using.end_read() {
            return;
        }
        let mut found = self.using.take_found();
        let mut bare = None;
        for (db, place) in found.drain(..) {
            if !self.warm(db, place) {
                bare = bare.or(Some((db, place)));
            }
        }
        self.using.give_back(found);
        // One that has no room gets some, and then no other place holds any more.
        if let Some((db, place)) = bare
            && let Some(heat) = self.using.used(None)
        {
            self.upkeep.happened();
            self.dict_mut(db).heat_up(place, heat);
        }
    }

    /// Notes that a key is used; false where it has no room for that.
    pub(super) fn warm(&mut self, db: DbId, place: Place) -> bool {
        if !self.using.tracking.is_on() {
            return true;
        }
        let before = self.dict(db).heat(place);
        if before.is_none() && !place.is_boxed() {
            return false;
        }
        if let Some(heat) = self.using.used(before) {
            self.dict_mut(db).set_heat(place, heat);
        }
        true
    }

    /// The notes on a key that is written at a place, or is new.
    pub(super) fn heat_of_written(&mut self, db: DbId, place: Option<Place>) -> Option<Heat> {
        if !self.using.tracking.is_on() {
            return None;
        }
        let before = place.and_then(|place| self.dict(db).heat(place));
        self.using.used(before)
    }

    /// Notes that a key was not used for so long, if that is what is noted.
    pub fn set_idle(&mut self, db: DbId, key: &[u8], idle_ms: u64) {
        let heat = self.using.tracking.idle(self.using.now, idle_ms);
        self.set_heat(db, key, heat);
    }

    /// Notes how often a key is used, as a logarithm, if that is what is noted.
    pub fn set_frequency(&mut self, db: DbId, key: &[u8], count: u8) {
        let heat = self.using.tracking.frequency(self.using.now, count);
        self.set_heat(db, key, heat);
    }

    fn set_heat(&mut self, db: DbId, key: &[u8], heat: Option<Heat>) {
        if let Some(heat) = heat
            && let Some(place) = self.find(db, key)
            && (place.is_boxed() || self.dict(db).heat(place).is_some())
        {
            self.dict_mut(db).set_heat(place, heat);
        }
    }

    /// How long a live key was not used, in milliseconds; `None` where it is absent, and nothing
    /// in that where it is not known.
    #[must_use]
    pub fn idle_ms(&self, db: DbId, key: &[u8], at: Stamp, now: Stamp) -> Option<u64> {
        let view = self.view(db, key).filter(|view| view.live(at))?;
        Some(view.heat.map_or(0, |heat| heat.idle_ms(now)))
    }

    /// How often a live key is used, as a logarithm; `None` where it is absent.
    #[must_use]
    pub fn frequency(&self, db: DbId, key: &[u8], at: Stamp, now: Stamp) -> Option<u8> {
        let view = self.view(db, key).filter(|view| view.live(at))?;
        let Tracking::Frequency { decay_minutes, .. } = self.using.tracking else {
            return Some(0);
        };
        Some(view.heat.map_or(0, |heat| heat.count(now, decay_minutes)))
    }
}
