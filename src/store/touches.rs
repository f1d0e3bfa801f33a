//! Which keys were touched, recorded while somebody listens.
//!
//! A key is touched by each write that Redis would tell those who watch it of: also where the same
//! is written again, and not where nothing is done. Freeing what is dead touches nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::ids::DbId;

/// A touched key, or all keys of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The database.
    pub db: DbId,
    /// The key; `None` where the whole database was emptied.
    pub key: Option<Box<[u8]>>,
}

/// The keys touched since the last drain.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    listens: bool,
    all: Vec<Touched>,
}

impl Touches {
    /// Starts or stops recording touches; it begins stopped.
    pub(super) fn listen(&mut self, listens: bool) {
        self.listens = listens;
    }

    /// Takes what was touched since this was last called, in order.
    pub(super) fn take(&mut self) -> Vec<Touched> {
        mem::take(&mut self.all)
    }

    /// A key was touched.
    pub(super) fn key(&mut self, db: DbId, key: &[u8]) {
        if !self.listens {
            return;
        }
        // A command that writes many fields of one hash touches it once.
        let last = self.all.last();
        if !last.is_some_and(|last| last.db == db && last.key.as_deref() == Some(key)) {
            let key = Some(key.into());
            self.all.push(Touched { db, key });
        }
    }

    /// A database was emptied.
    pub(super) fn database(&mut self, db: DbId) {
        if self.listens {
            self.all.push(Touched { db, key: None });
        }
    }
}
