//! Pages of the last spans move to the first, a few with each change, so that memory goes back.

use super::super::entry::Boxed;
use super::{CHUNK, Dict};

/// The most bytes of pages that one change lets move.
const BYTES_AT_ONCE: usize = 16 << 10;

impl<L: Boxed> Dict<L> {
    /// Lets some pages move to the front where many are free there, so that spans become empty.
    ///
    /// Called with each change that may free pages, so that what is held follows from the changes.
    pub(super) fn settle(&mut self) {
        if self.emptying.is_none() {
            self.emptying = self.pool.surplus().map(|surplus| (surplus, 0));
        }
        let Some((surplus, number)) = self.emptying else {
            return;
        };
        if number >= self.segments() {
            self.emptying = None;
            return;
        }
        let segment = &mut self.chunks[number / CHUNK][number % CHUNK];
        let done = segment.lower(&mut self.pool, surplus, BYTES_AT_ONCE);
        self.emptying = Some((surplus, number + usize::from(done)));
    }
}
