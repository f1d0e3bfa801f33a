//! Which keys were touched, died or were missed, recorded while somebody listens.
//!
//! A key is touched by each write that Redis would tell those who watch it of: also where the same
//! is written again, and not where nothing is done. Freeing what is dead touches nothing; it is
//! told apart.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem;

use crate::ids::DbId;
use crate::limits::DATABASES;
use crate::time::Stamp;

/// A key of a database.
pub type Named = (DbId, Box<[u8]>);

/// A touched key, or all keys of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The database.
    pub db: DbId,
    /// The key; `None` where the whole database was emptied.
    pub key: Option<Box<[u8]>>,
    /// It was not there before.
    pub is_new: bool,
}

/// The keys touched since the last drain.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    listens: bool,
    all: Vec<Touched>,
    /// So many of them were touched by earlier calls of a script.
    all_before: usize,
    /// The time by which keys are dead whose end is recorded.
    ends_at: Option<Stamp>,
    ended: Vec<Named>,
    ended_before: usize,
    hears_misses: bool,
    missed: RefCell<Vec<Named>>,
}

impl Touches {
    /// Starts or stops recording touches; it begins stopped.
    pub(super) fn listen(&mut self, listens: bool) {
        self.listens = listens;
    }

    /// Returns true if touches are recorded.
    pub(super) fn listens(&self) -> bool {
        self.listens
    }

    /// Returns true if touches are recorded in a database. Scripts that are kept are no keys.
    fn listens_to(&self, db: DbId) -> bool {
        self.listens && db < DATABASES
    }

    /// Records which keys are freed that are dead by this time, or none.
    pub(super) fn hear_ends(&mut self, at: Option<Stamp>) {
        self.ends_at = at;
    }

    /// Starts or stops recording which keys are looked for in vain.
    pub(super) fn hear_misses(&mut self, hears: bool) {
        self.hears_misses = hears;
    }

    /// Takes what was touched since this was last called, in order.
    pub(super) fn take(&mut self) -> Vec<Touched> {
        self.all_before = 0;
        mem::take(&mut self.all)
    }

    /// The keys that the present call of a script has touched so far, and the dead ones that it has
    /// freed.
    pub(super) fn of_call(&self) -> (&[Touched], &[Named]) {
        let touched = self.all.get(self.all_before..).unwrap_or_default();
        let ended = self.ended.get(self.ended_before..).unwrap_or_default();
        (touched, ended)
    }

    /// A call of a script is at its end.
    pub(super) fn end_call(&mut self) {
        (self.all_before, self.ended_before) = (self.all.len(), self.ended.len());
    }

    /// Takes the dead keys that were freed.
    pub(super) fn take_ended(&mut self) -> Vec<Named> {
        self.ended_before = 0;
        mem::take(&mut self.ended)
    }

    /// Takes the keys that were looked for in vain, each once: some commands look several times.
    pub(super) fn take_missed(&mut self) -> Vec<Named> {
        let mut missed = mem::take(self.missed.get_mut());
        if missed.len() > 1 {
            let mut seen = BTreeSet::new();
            missed.retain(|named| seen.insert(named.clone()));
        }
        missed
    }

    fn is_last(&self, db: DbId, key: &[u8]) -> bool {
        let last = self.of_call().0.last();
        last.is_some_and(|last| last.db == db && last.key.as_deref() == Some(key))
    }

    /// A key was touched.
    pub(super) fn key(&mut self, db: DbId, key: &[u8]) {
        self.touch(db, key, false);
    }

    /// A key is touched that was not there.
    pub(super) fn new_key(&mut self, db: DbId, key: &[u8]) {
        self.touch(db, key, true);
    }

    /// A command that writes many fields of one hash touches it once, and one that removes a key
    /// before it makes it again has touched what was there.
    fn touch(&mut self, db: DbId, key: &[u8], is_new: bool) {
        if self.listens_to(db) && !self.is_last(db, key) {
            let key = Some(key.into());
            self.all.push(Touched { db, key, is_new });
        }
    }

    /// A database was emptied.
    pub(super) fn database(&mut self, db: DbId) {
        if self.listens_to(db) {
            self.all.push(Touched {
                db,
                key: None,
                is_new: false,
            });
        }
    }

    /// Returns true if the ends of keys are recorded.
    pub(super) fn hears_ends(&self) -> bool {
        self.ends_at.is_some()
    }

    /// Returns true if a key with this time is dead, and its end is to be recorded.
    pub(super) fn is_end(&self, expiry: Option<Stamp>) -> bool {
        self.ends_at
            .is_some_and(|at| expiry.is_some_and(|time| time <= at))
    }

    /// A dead key is freed.
    pub(super) fn ended(&mut self, db: DbId, key: &[u8]) {
        self.ended.push((db, key.into()));
    }

    /// A key was looked for in vain.
    pub(super) fn missed(&self, db: DbId, key: &[u8]) {
        if self.hears_misses {
            self.missed.borrow_mut().push((db, key.into()));
        }
    }
}
