//! One key, to be changed by those who know its type.
//!
//! Writing through a slot covers what a base still owes, keeps the key's expiry, tells those who
//! watch the key, and counts the change. A large value is changed part by part, and the parts that
//! change are covered first (`Cover`).

use alloc::vec::Vec;
use core::mem;

use super::base::Covering;
use super::big::Kept;
use super::dict::{Place, Tables};
use super::encoding::{Borders, Encoding};
use super::entry::{Draft, Held};
use super::kind::Kind;
use super::value::{Large, Value};
use super::{DbId, Store, WrongType};
use crate::time::Stamp;

/// A key that is absent or alive.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    store: &'a mut Store,
    db: DbId,
    key: &'a [u8],
    hash: u64,
}

impl Store {
    /// The value at `key` as one of a type, which `of` reads; an error where it is of another one.
    pub(super) fn get_as<'a, T>(
        &'a self,
        db: DbId,
        key: &[u8],
        at: Stamp,
        of: fn(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, WrongType> {
        let value = self.get(db, key, at);
        value.map(|value| of(value).ok_or(WrongType)).transpose()
    }

    /// The slot of a live key; `None` where it is absent, an error where it is not what `is` asks
    /// for.
    pub(super) fn slot<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
        is: fn(Value<'_>) -> bool,
    ) -> Result<Option<Slot<'a>>, WrongType> {
        match self.get(db, key, at).map(is) {
            None => Ok(None),
            Some(true) => Ok(Some(Slot::new(self, db, key))),
            Some(false) => Err(WrongType),
        }
    }

    /// As `slot`, also of a key that is absent; one that is dead is freed.
    pub(super) fn slot_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
        is: fn(Value<'_>) -> bool,
    ) -> Result<Slot<'a>, WrongType> {
        match self.get(db, key, at).map(is) {
            None => self.drop_dead(db, key, at),
            Some(true) => {}
            Some(false) => return Err(WrongType),
        }
        Ok(Slot::new(self, db, key))
    }
}

impl<'a> Slot<'a> {
    /// The slot of a key that is not dead, or was freed just now.
    pub(super) fn new(store: &'a mut Store, db: DbId, key: &'a [u8]) -> Self {
        let hash = store.dict(db).hash(key);
        Self {
            store,
            db,
            key,
            hash,
        }
    }

    /// How tables are made.
    pub(super) fn tables(&self) -> Tables {
        self.store.tables
    }

    /// The epoch that new parts of large values bear.
    pub(super) fn epoch(&self) -> u8 {
        self.store.epoch
    }

    /// The value as it is now.
    pub(super) fn value(&self) -> Option<Value<'_>> {
        let view = self.store.dict(self.db).get(self.hash, self.key)?;
        Some(view.value())
    }

    /// The present place of the key.
    pub(super) fn find(&self) -> Option<Place> {
        self.store.dict(self.db).find(self.hash, self.key)
    }

    /// The value at a place where the key was found.
    pub(super) fn value_at(&self, place: Place) -> Value<'_> {
        self.store.dict(self.db).view(place).value()
    }

    /// The encoding of the collection that the key holds; `None` where it is absent.
    pub(super) fn encoding(&self, place: Option<Place>) -> Option<Encoding> {
        Some(self.store.dict(self.db).view(place?).encoding())
    }

    /// Up to where collections have which encoding.
    pub(super) fn borders(&self) -> &Borders {
        &self.store.borders
    }

    /// Lets the collection at a place have an encoding.
    pub(super) fn set_encoding(&mut self, place: Place, encoding: Encoding) {
        if self.encoding(Some(place)) == Some(encoding) {
            return;
        }
        let mut scratch = self.take_scratch();
        if let Held::Block(kind, value) = self.store.dict(self.db).view(place).held {
            scratch.clear();
            scratch.extend_from_slice(value);
            self.put(Some(place), kind.with(encoding), &scratch);
        } else {
            self.store.set_encoding(self.db, place, encoding);
        }
        self.keep_scratch(scratch);
    }

    /// Bytes to write a small value in; to be given back.
    pub(super) fn take_scratch(&mut self) -> Vec<u8> {
        mem::take(&mut self.store.scratch)
    }

    /// Gives the bytes back.
    pub(super) fn keep_scratch(&mut self, scratch: Vec<u8>) {
        self.store.keep_scratch(scratch);
    }

    /// A command writes here, and be it what is there already: those who watch the key are told.
    pub(super) fn touch(&mut self) {
        self.store.touches.key(self.db, self.key);
    }

    /// The same before anything is written, where the key may not be there yet.
    pub(super) fn touch_to_write(&mut self) {
        if self.store.touches.listens() && self.find().is_none() {
            self.store.touches.new_key(self.db, self.key);
        } else {
            self.touch();
        }
    }

    fn changed(&mut self) {
        self.store.changes += 1;
        self.touch();
    }

    /// Lets the key hold a small value, which differs from what it holds.
    pub(super) fn put_small(&mut self, place: Option<Place>, kind: Kind, value: &[u8]) {
        if place.is_none() {
            self.store.touches.new_key(self.db, self.key);
        }
        self.put(place, kind, value);
        self.changed();
    }

    /// Lets a large value with the same items take the place of what the key holds, or one without
    /// items that of nothing. Returns where it stands.
    pub(super) fn enlarge(
        &mut self,
        place: Option<Place>,
        large: Large,
        encoding: Encoding,
    ) -> Place {
        let expiry = self.expiry(place);
        let (db, key) = (self.db, self.key);
        if place.is_none() {
            self.store.touches.new_key(db, key);
        }
        let large = (large, encoding);
        self.store.put_large(db, place, key, expiry, large);
        self.find().expect("it was inserted just now")
    }

    /// Changes parts of a large value. If `change` returns something, something has changed.
    pub(super) fn change_parts<R>(
        &mut self,
        place: Place,
        change: impl FnOnce(&mut Large, &mut Covering<'_>) -> Option<R>,
    ) -> Option<R> {
        let done = self.store.change_parts(self.db, place, change).flatten();
        if done.is_some() {
            self.changed();
        }
        done
    }

    /// Changes a large value; a base that is under way gets it as a whole before. If `change`
    /// returns something, something has changed.
    pub(super) fn change_large<R>(
        &mut self,
        place: Place,
        change: impl FnOnce(&mut Large) -> Option<R>,
    ) -> Option<R> {
        let done = self.store.change_whole(self.db, place, |kept| match kept {
            Kept::Large(large, _) => change(large),
            Kept::Small(..) => None,
        });
        if done.is_some() {
            self.changed();
        }
        done
    }

    /// Lets a small value with the same items take the place of a large one.
    pub(super) fn shrink(&mut self, place: Place, kind: Kind, value: &[u8]) {
        self.put(Some(place), kind, value);
    }

    fn put(&mut self, place: Option<Place>, kind: Kind, value: &[u8]) {
        let draft = Draft {
            kind,
            epoch: self.store.epoch,
            expiry: self.expiry(place),
            heat: None,
            key: self.key,
            value,
        };
        self.store.put(self.db, self.hash, place, &draft);
    }

    /// Frees what was cut off a large value, later where it is much.
    pub(super) fn discard(&mut self, cut: Large) {
        self.store.garbage.large(cut);
    }

    /// Takes the key out.
    pub(super) fn remove(&mut self, place: Place) {
        self.store.take(self.db, place);
        self.changed();
    }

    /// Takes the key out, of whose value the change before has left nothing.
    pub(super) fn remove_empty(&mut self, place: Place) {
        self.store.take(self.db, place);
    }

    fn expiry(&self, place: Option<Place>) -> Option<Stamp> {
        self.store.dict(self.db).expiry(place?)
    }
}
