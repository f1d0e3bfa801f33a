//! Uses of keys, as a member notes them, and the keys that a read has found.

use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem;

use super::dict::Place;
use super::heat::{Heat, Tracking};
use crate::ids::DbId;
use crate::time::Stamp;

/// The most keys of one command of which a use is noted.
const NOTED_MAX: usize = 1024;
/// The steps of a generator of numbers that only look random (SplitMix64, Steele and others 2014).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The way in which uses are noted, and the keys that a command has found.
#[derive(Clone, Debug, Default)]
pub(super) struct Using {
    pub(super) tracking: Tracking,
    /// The present moment, as the node has told it last.
    pub(super) now: Stamp,
    /// A read is run of which keys are noted.
    is_reading: bool,
    found: RefCell<Vec<(DbId, Place)>>,
    chance: u64,
}

impl Using {
    /// A read begins.
    pub(super) fn begin_read(&mut self, now: Stamp) {
        self.is_reading = self.tracking.notes_reads();
        self.now = now;
    }

    /// A read is at its end; false where nothing is noted of it.
    pub(super) fn end_read(&mut self) -> bool {
        mem::take(&mut self.is_reading)
    }

    /// The keys that the read has found; the list is to be given back.
    pub(super) fn take_found(&self) -> Vec<(DbId, Place)> {
        self.found.take()
    }

    /// An empty list is used again.
    pub(super) fn give_back(&self, found: Vec<(DbId, Place)>) {
        self.found.replace(found);
    }

    /// The next 64 bits of chance that decides nothing but what is noted and looked at.
    pub(super) fn draw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(STEP);
        let mixed = (self.chance ^ self.chance >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A read has found a key.
    pub(super) fn found(&self, db: DbId, place: Place) {
        if self.is_reading
            && let Ok(mut found) = self.found.try_borrow_mut()
            && found.len() < NOTED_MAX
        {
            found.push((db, place));
        }
    }

    /// The notes on a key that is used now, and of which this was noted before.
    pub(super) fn used(&mut self, before: Option<Heat>) -> Option<Heat> {
        if !self.tracking.is_on() {
            return None;
        }
        let draw = self.draw();
        self.tracking.used(before, self.now, draw)
    }
}
