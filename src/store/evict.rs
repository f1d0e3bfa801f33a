//! Keys that may be missed: some are looked at by chance, and those that were chosen go.

use super::choice::{Candidate, Choice};
use super::entry::View;
use super::heat::Tracking;
use super::{Big, DbId, Store};
use crate::limits::DATABASES;
use crate::rng;
use crate::time::Stamp;

/// A key as one that may go; `None` where it may not.
fn candidate<'a>(
    choice: Choice,
    db: DbId,
    view: &View<'a, Big>,
    (tracking, at): (Tracking, Stamp),
) -> Option<Candidate<'a>> {
    let is_wanted = view.live(at) && (!choice.only_volatile || view.expiry.is_some());
    let coldness = match view.expiry {
        Some(expiry) if choice.by_expiry => u64::MAX - expiry.0,
        _ => tracking.coldness(view.heat, at),
    };
    is_wanted.then_some(Candidate {
        db,
        key: view.key,
        coldness,
        bytes: view.bytes(),
    })
}

impl Store {
    /// Returns true if there are keys of which some may go.
    #[must_use]
    pub fn has_evictable(&self, choice: Choice) -> bool {
        self.evictable(choice) > 0
    }

    fn evictable_in(&self, choice: Choice, db: DbId) -> u64 {
        if choice.only_volatile {
            self.volatile_len(db)
        } else {
            self.len(db)
        }
    }

    /// How many keys may go, dead ones that are not freed yet among them.
    #[must_use]
    pub fn evictable(&self, choice: Choice) -> u64 {
        (0..DATABASES).map(|db| self.evictable_in(choice, db)).sum()
    }

    /// Shows up to `count` keys that may go, taken by chance from a database that is taken by
    /// chance. Nothing is shown where what there is is dead, or hard to find. Returns how many were
    /// looked at.
    pub fn sample(
        &mut self,
        choice: Choice,
        count: usize,
        at: Stamp,
        show: &mut dyn FnMut(Candidate<'_>),
    ) -> usize {
        let (which, from) = (self.using.draw(), self.using.draw());
        let mut rank = rng::below(which, self.evictable(choice));
        let found = (0..DATABASES).map(|db| (db, self.evictable_in(choice, db)));
        let mut found = found.skip_while(|(_, keys)| {
            let is_before = rank >= *keys;
            rank -= if is_before { *keys } else { 0 };
            is_before
        });
        let Some((db, _)) = found.next() else {
            return 0;
        };
        drop(found);
        let known = (self.using.tracking, at);
        let mut left = count;
        self.databases[db as usize].sample(from, choice.only_volatile, &mut |view| {
            if let Some(candidate) = candidate(choice, db, &view, known) {
                left -= 1;
                show(candidate);
            }
            left > 0
        })
    }

    /// A key as it is now; `None` where it may not go any more.
    #[must_use]
    pub fn candidate<'a>(
        &'a self,
        db: DbId,
        key: &[u8],
        choice: Choice,
        at: Stamp,
    ) -> Option<Candidate<'a>> {
        let view = self.view(db, key)?;
        candidate(choice, db, &view, (self.using.tracking, at))
    }

    /// Takes out a live key that was chosen, as Redis's event `evicted` says; whether it was there.
    /// One that has lost its expiry meanwhile stays, where only keys with one may go.
    pub fn evict(&mut self, db: DbId, key: &[u8], only_volatile: bool, at: Stamp) -> bool {
        if only_volatile && self.expiry(db, key).is_none() {
            return false;
        }
        self.find_live(db, key, at).is_some() && self.remove(db, key, at)
    }

    /// The bytes that the store holds and will give back by itself: what was removed and is freed
    /// in steps, and what a base keeps until it is written.
    #[must_use]
    pub fn passing_memory(&self) -> usize {
        let base = self.base.as_ref().map_or(0, |base| base.memory());
        base + self.garbage.memory()
    }

    /// The bytes of pages that no key takes, and that the next ones will.
    #[must_use]
    pub fn free_memory(&self) -> usize {
        self.databases.iter().map(super::Dict::free_bytes).sum()
    }
}
