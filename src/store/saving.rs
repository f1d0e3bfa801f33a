//! Bases as the owner of a store asks for them: begun, written in pieces, given up.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Store;
use super::base::Base;
use crate::time::Stamp;

/// So many bases may be given up in a row before stamps could be mistaken for later ones.
const GIVEN_UP_MAX: u8 = 250;

impl Store {
    /// Begins a base: the state as it is at `at`, which is now, will be handed out in pieces while
    /// the store goes on changing. A base that was under way is aborted.
    pub fn base_begin(&mut self, at: Stamp) {
        self.base_abort();
        if self.given_up >= GIVEN_UP_MAX {
            // An unbounded walk, after hundreds of bases of which none came to its end.
            for dict in &mut self.databases {
                dict.restamp(self.epoch);
            }
            self.given_up = 0;
        }
        self.epoch = self.epoch.wrapping_add(1);
        self.base = Some(Box::new(Base::new(at)));
    }

    /// Returns true while a base is under way.
    #[must_use]
    pub fn base_running(&self) -> bool {
        self.base.is_some()
    }

    /// Appends the next piece of the base to `sink`, about `budget` bytes of it; whether more will
    /// come. If it returns false, the base is complete (and no longer under way).
    pub fn base_step(&mut self, sink: &mut Vec<u8>, budget: usize) -> bool {
        let Some(mut base) = self.base.take() else {
            return false;
        };
        let (tables, garbage) = (&mut self.databases, &mut self.garbage);
        let digest = base.write(sink, budget, self.epoch, tables, garbage);
        if digest.is_some() {
            self.base_digest = digest;
            self.given_up = 0;
            return false;
        }
        self.base = Some(base);
        true
    }

    /// The digest of the state in the base that was written or loaded last, as `digest` would have
    /// given it at its beginning; `None` while one is being loaded, and where there was none.
    #[must_use]
    pub fn base_digest(&self) -> Option<u128> {
        self.base_digest
    }

    /// Gives up a base that is under way.
    pub fn base_abort(&mut self) {
        let Some(base) = self.base.take() else {
            return;
        };
        self.given_up += 1;
        base.give_up(&mut self.garbage);
    }

    /// The bytes of old states that wait for `base_step` because their keys were changed before the
    /// base came to them. If they are too many, writes should pause.
    ///
    /// Removed values that are only kept longer are not counted: they take no more memory than
    /// before.
    #[must_use]
    pub fn base_preimage_bytes(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.preimage_bytes())
    }
}
