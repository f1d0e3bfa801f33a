//! Reading ahead: the processor is sent for the memory of several keys at once, before each is
//! looked for.
//!
//! In a large table a look-up waits for memory twice in a row: for the slot of the key, and for its
//! block. One that knows which keys will be asked for next need not wait for each by itself. All
//! their slots are read first, then all their blocks: the reads of one pass do not depend on each
//! other, so that the processor has many of them under way at a time.

use core::hint::black_box;

use super::super::entry::Boxed;
use super::blocks::{At, at};
use super::pool::Pool;
#[cfg(test)]
use super::segment::FETCHED;
use super::segment::{Segment, turned};
use super::{Dict, IN_GROUP};
use crate::limits::KEYS_FETCHED;

/// A table of fewer segments lies in the processor's caches, and reading ahead gains nothing.
const SEGMENTS_MIN: usize = 32;

impl<L: Boxed> Segment<L> {
    fn fetch_slot(&self, pool: &Pool, hash: u64) {
        black_box(self.table.first(pool, turned(hash)));
    }

    fn fetch_block(&self, pool: &Pool, hash: u64) {
        self.table.find(pool, turned(hash), |place| {
            #[cfg(test)]
            FETCHED.set(FETCHED.get() + 1);
            match at(place) {
                At::Box(number) => _ = black_box(self.bigs.get(number)),
                At::Narrow | At::Wide => {
                    let (bytes, at) = self.at(pool, place);
                    _ = black_box(bytes.get(at).copied());
                }
            }
            true
        });
    }
}

impl<L: Boxed> Dict<L> {
    /// Returns true if it is so large that reading ahead is worth its price.
    pub(in super::super) fn is_far(&self) -> bool {
        self.segments() >= SEGMENTS_MIN
    }

    /// Reads where the first of these keys stand, if they are there. Nothing follows from it but
    /// that they are found sooner.
    pub(in super::super) fn fetch<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let (mut hashes, mut count) = ([0; KEYS_FETCHED], 0);
        for (hash, key) in hashes.iter_mut().zip(keys) {
            *hash = self.hash(key);
            count += 1;
        }
        // One alone gains nothing.
        if count < 2 {
            return;
        }
        let segments = || {
            hashes[..count].iter().filter_map(|hash| {
                let cell = self.directory[self.index(*hash)];
                let is_alone = cell & IN_GROUP == 0;
                is_alone.then(|| (self.segment(cell as usize), *hash))
            })
        };
        for (segment, hash) in segments() {
            segment.fetch_slot(&self.pool, hash);
        }
        for (segment, hash) in segments() {
            segment.fetch_block(&self.pool, hash);
        }
    }
}
