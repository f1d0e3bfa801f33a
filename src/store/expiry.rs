//! When keys expire, and the upkeep that frees what is dead.

use alloc::vec::Vec;

use super::dict::Dict;
use super::{DbId, Store};
use crate::time::Stamp;

/// The result of `expire_due`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Dead keys that were freed.
    pub freed: u64,
    /// True if more are due at the same stamp.
    pub more: bool,
}

impl Store {
    /// The time at which a present key expires, be it dead already or not; `None` also where it is
    /// absent.
    #[must_use]
    pub fn expiry(&self, db: DbId, key: &[u8]) -> Option<Stamp> {
        self.view(db, key)?.expiry
    }

    /// How many keys of `db` have an expiry, dead ones that are not freed yet included.
    #[must_use]
    pub fn volatile_len(&self, db: DbId) -> u64 {
        self.dict(db).volatile()
    }

    /// The mean of the times at which keys of `db` expire; `None` where none does.
    #[must_use]
    pub fn mean_expiry(&self, db: DbId) -> Option<Stamp> {
        self.dict(db).mean_expiry()
    }

    /// Sets the expiry of a live key, or takes it away; whether the key was there. A time that is
    /// not after `at` leaves the key dead, and not yet freed.
    pub fn set_expiry(&mut self, db: DbId, key: &[u8], expiry: Option<Stamp>, at: Stamp) -> bool {
        let Some(place) = self.find_live(db, key, at) else {
            return false;
        };
        let view = self.dict(db).view(place);
        let (before, is_big) = (view.expiry, view.is_boxed());
        if before.or(expiry).is_some() {
            self.touches.key(db, key);
        }
        if before == expiry {
            return true;
        }
        if is_big {
            self.cover_head(db, place);
        } else {
            self.cover_block(db, place);
        }
        self.changes += 1;
        self.warm(db, place);
        self.dict_mut(db).set_expiry(place, expiry);
        true
    }

    /// Frees keys that are dead at `now`, doing at most about `budget` units of work (a unit is a
    /// key looked at or freed; one segment of a table is always looked at whole). It changes
    /// nothing that a read at `now` or later can see.
    pub fn expire_due(&mut self, now: Stamp, budget: usize) -> Expired {
        let mut done = Expired::default();
        let mut left = budget.max(1);
        for db in 0..self.databases.len() {
            while left > 0 {
                let Some((looked, freed)) = self.sweep(db as DbId, now) else {
                    break;
                };
                left = left.saturating_sub(looked.max(1));
                done.freed += freed as u64;
            }
        }
        if done.freed > 0 {
            self.upkeep.happened();
        }
        done.more = self.next_expiry().is_some_and(|time| time <= now);
        done
    }

    /// Frees what is dead in one segment; how many keys were looked at, and how many freed.
    fn sweep(&mut self, db: DbId, now: Stamp) -> Option<(usize, usize)> {
        let Self {
            databases,
            base,
            epoch,
            touches,
            ..
        } = self;
        let mut boxes = Vec::new();
        let swept = databases[db as usize].sweep(
            now,
            &mut |draft| {
                if touches.is_end(draft.expiry) {
                    touches.ended(db, draft.key);
                }
                if let Some(base) = base
                    && draft.epoch != *epoch
                {
                    base.cover_draft(db, draft);
                }
            },
            &mut boxes,
        );
        for big in boxes {
            if self.touches.is_end(big.head.expiry) {
                self.touches.ended(db, &big.head.key);
            }
            self.retire(db, big);
        }
        swept
    }

    /// A time at or before the earliest expiry of any key; `None` where no key expires. It may be
    /// earlier than the truth until `expire_due` has looked.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Stamp> {
        self.databases.iter().filter_map(Dict::next_expiry).min()
    }
}
