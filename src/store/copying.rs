//! Values that are copied to another key: most of them at once, and large ones part by part.
//!
//! A large string and a large list share nearly all of what they hold with their copies. Of other
//! large values a copy is made on the side, and takes the place of a key's value when it is whole.

use core::mem;

use super::big::{Kept, Made, NewCopy};
use super::dict::Place;
use super::encoding::Encoding;
use super::entry::{Draft, Held};
use super::value::Large;
use super::{DbId, Store};
use crate::time::Stamp;

impl Store {
    /// Begins a copy of the live value at `from`, without any part of it; `None` if there is none,
    /// or one that `copy` copies at little cost.
    #[must_use]
    pub fn begin_copy(&self, db: DbId, from: &[u8], at: Stamp) -> Option<NewCopy> {
        let place = self.find_live(db, from, at)?;
        let (large, encoding) = self.large_at(db, place)?;
        Some(NewCopy {
            large: large.hollow()?,
            encoding,
            epoch: self.epoch,
        })
    }

    /// Adds some parts of the value at `from` to its copy. Returns how many bytes that has cost;
    /// `None` if the copy is whole. No key may have changed since it was begun.
    pub fn copy_on(&self, db: DbId, from: &[u8], copy: &mut NewCopy) -> Option<usize> {
        let (large, _) = self.large_at(db, self.find(db, from)?)?;
        large.copy_on(&mut copy.large, copy.epoch)
    }

    /// Lets a key hold a copy that is whole, whatever it held, with the expiry of the key from
    /// which it was made.
    pub fn put_copy(
        &mut self,
        (db, from): (DbId, &[u8]),
        (to_db, to): (DbId, &[u8]),
        copy: NewCopy,
    ) {
        let from = self.find(db, from);
        let expiry = from.and_then(|place| self.dict(db).expiry(place));
        let made = Made {
            kept: Kept::Large(copy.large, copy.encoding),
            epoch: copy.epoch,
        };
        self.touches.new_key(to_db, to);
        self.put_made((to_db, to), expiry, made);
    }

    fn large_at(&self, db: DbId, place: Place) -> Option<(&Large, Encoding)> {
        match self.dict(db).view(place).held {
            Held::Box(big) => match &big.kept {
                Kept::Large(large, encoding) => Some((large, *encoding)),
                Kept::Small(..) => None,
            },
            Held::Block(..) => None,
        }
    }

    /// Copies a live value with its expiry to another key, which is replaced; whether it was there.
    /// Copying a key to itself changes nothing.
    pub fn copy(&mut self, db: DbId, from: &[u8], to_db: DbId, to: &[u8], at: Stamp) -> bool {
        if self.find_live(db, from, at).is_none() {
            return false;
        }
        if (db, from) == (to_db, to) {
            return true;
        }
        if let Some(mut copy) = self.begin_copy(db, from, at) {
            while self.copy_on(db, from, &mut copy).is_some() {}
            self.put_copy((db, from), (to_db, to), copy);
            return true;
        }
        self.changes += 1;
        self.touches.new_key(to_db, to);
        if let Some(place) = self.find(to_db, to) {
            self.take(to_db, place);
        }
        let Some(place) = self.find(db, from) else {
            return false;
        };
        if place.is_boxed() {
            let epoch = self.epoch;
            let source = self.dict_mut(db);
            let mut copy = source.change_big(place, |big| big.copy(to, epoch));
            copy.head.heat = self.heat_of_written(to_db, None);
            let dict = self.dict_mut(to_db);
            let hash = dict.hash(to);
            dict.insert_big(hash, copy);
        } else {
            self.copy_block(db, place, to_db, to);
        }
        true
    }

    /// Writes a block under another key, which is absent.
    pub(super) fn copy_block(&mut self, db: DbId, place: Place, to_db: DbId, to: &[u8]) {
        let mut value = mem::take(&mut self.scratch);
        value.clear();
        let view = self.dict(db).view(place);
        let expiry = view.expiry;
        let Held::Block(kind, bytes) = view.held else {
            unreachable!("the caller has seen that it is a block");
        };
        value.extend_from_slice(bytes);
        let draft = Draft {
            kind,
            epoch: self.epoch,
            expiry,
            heat: None,
            key: to,
            value: &value,
        };
        let hash = self.dict(to_db).hash(to);
        self.put(to_db, hash, None, &draft);
        self.keep_scratch(value);
    }
}
