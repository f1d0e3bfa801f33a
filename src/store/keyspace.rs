//! Keys as wholes: removed, renamed, and emptied out.

use core::mem;

use super::dict::Dict;
use super::{DbId, Store};
use crate::limits::DATABASES;
use crate::time::Stamp;

impl Store {
    /// Removes `key`; whether it was there and live. A huge value is freed later, in steps.
    pub fn remove(&mut self, db: DbId, key: &[u8], at: Stamp) -> bool {
        let Some(place) = self.find(db, key) else {
            return false;
        };
        let live = self.dict(db).view(place).live(at);
        if live {
            self.changes += 1;
            self.touches.key(db, key);
        }
        self.take(db, place);
        live
    }

    /// Moves a live value with its expiry from one key to another, which is replaced; whether it
    /// was there. Renaming a key to itself changes nothing.
    pub fn rename(&mut self, db: DbId, from: &[u8], to_db: DbId, to: &[u8], at: Stamp) -> bool {
        if self.find_live(db, from, at).is_none() {
            self.drop_dead(db, from, at);
            return false;
        }
        if (db, from) == (to_db, to) {
            return true;
        }
        if let Some(place) = self.find(to_db, to) {
            self.take(to_db, place);
        }
        let Some(place) = self.find(db, from) else {
            return false;
        };
        self.changes += 1;
        self.touches.key(db, from);
        self.touches.new_key(to_db, to);
        if !place.is_boxed() {
            self.copy_block(db, place, to_db, to);
            // The copy may have moved what it was copied from.
            if let Some(place) = self.find(db, from) {
                self.take(db, place);
            }
        } else if let Some(mut big) = self.dict_mut(db).remove(place) {
            if let Some(base) = &mut self.base
                && big.head.done_epoch != self.epoch
            {
                base.note_move(self.epoch, db, &mut big.head, to_db, to);
            }
            big.head.key = to.into();
            let dict = self.dict_mut(to_db);
            let hash = dict.hash(to);
            dict.insert_big(hash, big);
        }
        true
    }

    /// Empties one database at once; its memory is freed later, in steps.
    pub fn flush(&mut self, db: DbId) {
        let empty = Dict::new(self.tables);
        if self.dict(db).is_empty() {
            return;
        }
        self.changes += 1;
        self.touches.database(db);
        let old = mem::replace(self.dict_mut(db), empty);
        match &mut self.base {
            Some(base) => base.detach(self.epoch, db, old, &mut self.garbage),
            None => self.garbage.table(old),
        }
    }

    /// Empties all databases at once; their memory is freed later, in steps.
    pub fn flush_all(&mut self) {
        for db in 0..DATABASES {
            self.flush(db);
        }
    }
}
