//! Hashes: small ones within one value, large ones as a table of their own.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::rng;
use crate::store::big::{Big, BigValue};
use crate::store::dict::{Dict, Place};
use crate::store::entry::{Draft, Kind, Stored};
use crate::store::value::packed;
use crate::store::{DbId, Store, WrongType, dict};
use crate::time::Stamp;

/// A hash, to be read. It is cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Hash<'a>(Kept<'a>);

#[derive(Clone, Copy, Debug)]
enum Kept<'a> {
    Packed(&'a [u8]),
    Table(&'a Dict),
}

impl<'a> Hash<'a> {
    pub(in crate::store) fn packed(packed: &'a [u8]) -> Self {
        Self(Kept::Packed(packed))
    }

    pub(in crate::store) fn table(fields: &'a Dict) -> Self {
        Self(Kept::Table(fields))
    }

    /// How many fields it has; never 0.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Kept::Packed(packed) => packed::len(packed),
            Kept::Table(fields) => fields.len() as usize,
        }
    }

    /// Whether it has no field.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value of a field.
    #[must_use]
    pub fn get(self, field: &[u8]) -> Option<&'a [u8]> {
        match self.0 {
            Kept::Packed(packed) => packed::get(packed, field),
            Kept::Table(fields) => Some(fields.get(fields.hash(field), field)?.field_value()),
        }
    }

    /// Whether it has the field.
    #[must_use]
    pub fn contains(self, field: &[u8]) -> bool {
        self.get(field).is_some()
    }

    /// All fields with their values, in an order that holds until the hash changes.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        match self.0 {
            Kept::Packed(packed) => Iter::Packed(packed::iter(packed)),
            Kept::Table(fields) => Iter::Table(fields.iter()),
        }
    }

    /// Shows about `count` fields from `cursor` on, and returns the cursor to go on with, as
    /// `Store::scan` does. A small hash is shown whole.
    pub fn scan(self, cursor: u64, count: usize, show: &mut dyn FnMut(&[u8], &[u8])) -> u64 {
        match self.0 {
            Kept::Packed(packed) => {
                for (field, value) in packed::iter(packed) {
                    show(field, value);
                }
                0
            }
            Kept::Table(fields) => fields.scan(cursor, count, &mut |view| {
                show(view.key, view.field_value());
                true
            }),
        }
    }

    /// A field chosen by the 64 random bits of `draw`, each as likely as any other; `None` only in
    /// an empty hash.
    #[must_use]
    pub fn random(self, draw: u64) -> Option<(&'a [u8], &'a [u8])> {
        match self.0 {
            Kept::Packed(packed) => {
                let nth = rng::below(draw, packed::len(packed) as u64);
                packed::iter(packed).nth(nth as usize)
            }
            Kept::Table(fields) => fields
                .random(draw, &|_| true)
                .map(|view| (view.key, view.field_value())),
        }
    }

    /// The encoding as OBJECT ENCODING names it: `listpack` or `hashtable`. As in Redis, a hash
    /// that was large once stays a table.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self.0 {
            Kept::Packed(_) => "listpack",
            Kept::Table(_) => "hashtable",
        }
    }
}

enum Iter<'a> {
    Packed(packed::Iter<'a>),
    Table(dict::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Packed(fields) => fields.next(),
            Self::Table(fields) => fields.next().map(|view| (view.key, view.field_value())),
        }
    }
}

impl Store {
    /// The live hash at `key`, to be changed; `None` where the key is absent, an error where it
    /// holds another type.
    pub fn hash_mut<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<Option<HashMut<'a>>, WrongType> {
        Ok(self
            .hash(db, key, at)?
            .is_some()
            .then(|| HashMut::new(self, db, key)))
    }

    /// The hash at `key`, to be changed; where it is absent, the first field that is set makes it
    /// (with no expiry).
    pub fn hash_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<HashMut<'a>, WrongType> {
        self.hash(db, key, at)?;
        self.drop_dead(db, key, at);
        Ok(HashMut::new(self, db, key))
    }
}

/// A hash, to be changed. The key goes away with the last field.
#[derive(Debug)]
pub struct HashMut<'a> {
    store: &'a mut Store,
    db: DbId,
    key: &'a [u8],
    hash: u64,
}

impl<'a> HashMut<'a> {
    fn new(store: &'a mut Store, db: DbId, key: &'a [u8]) -> Self {
        let hash = store.dict(db).hash(key);
        Self {
            store,
            db,
            key,
            hash,
        }
    }

    /// The hash as it is now; `None` where it has no field (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<Hash<'_>> {
        match self.store.dict(self.db).get(self.hash, self.key)?.stored {
            Stored::Packed(packed) => Some(Hash::packed(packed)),
            Stored::Table(fields) => Some(Hash::table(fields)),
            Stored::Integer(_) | Stored::Bytes(_) | Stored::Raw(_) | Stored::Rope(_) => None,
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.read()?.get(field)
    }

    /// How many fields it has now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().map_or(0, Hash::len)
    }

    /// Whether it has no field now, and so the key does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets a field; whether it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.store.touches.key(self.db, self.key);
        let mut scratch = mem::take(&mut self.store.scratch);
        let new = self.set_with(field, value, &mut scratch);
        self.store.keep_scratch(scratch);
        new
    }

    fn set_with(&mut self, field: &[u8], value: &[u8], scratch: &mut Vec<u8>) -> bool {
        let fits = packed::fits(field, value);
        let found = self.store.dict(self.db).find(self.hash, self.key);
        let Some(place) = found else {
            if fits {
                packed::set(packed::EMPTY, field, value, scratch);
                self.put_packed(None, scratch);
            } else {
                let place = self.unpack(None);
                self.set_in_table(place, field, value);
            }
            self.store.changes += 1;
            return true;
        };
        let view = self.store.dict(self.db).view(place);
        let Stored::Packed(packed) = view.stored else {
            return self.set_in_table(place, field, value);
        };
        let old = packed::get(packed, field);
        if old == Some(value) {
            return false;
        }
        let new = old.is_none();
        if fits && (!new || packed::len(packed) < packed::FIELDS_MAX) {
            packed::set(packed, field, value, scratch);
            self.put_packed(Some(place), scratch);
            self.store.changes += 1;
        } else {
            let place = self.unpack(Some(place));
            self.set_in_table(place, field, value);
        }
        new
    }

    fn put_packed(&mut self, place: Option<Place>, packed: &[u8]) {
        let expiry = place.and_then(|place| self.store.dict(self.db).view(place).expiry);
        let draft = Draft {
            kind: Kind::Packed,
            epoch: self.store.epoch,
            expiry,
            key: self.key,
            value: packed,
        };
        self.store.put(self.db, self.hash, place, &draft);
    }

    /// Makes a table of a packed hash, or an empty one; where it stands then.
    fn unpack(&mut self, place: Option<Place>) -> Place {
        let Self {
            store,
            db,
            key,
            hash,
        } = self;
        let mut fields = Dict::new(store.tables);
        let mut expiry = None;
        if let Some(place) = place {
            let view = store.dict(*db).view(place);
            expiry = view.expiry;
            if let Stored::Packed(packed) = view.stored {
                for (field, value) in packed::iter(packed) {
                    let hash = fields.hash(field);
                    put_field(&mut fields, hash, None, field, value, store.epoch);
                }
            }
            store.take(*db, place);
        }
        let big = Big::new(key, expiry, store.epoch, BigValue::Table(Box::new(fields)));
        let dict = store.dict_mut(*db);
        dict.insert_big(*hash, big);
        dict.find(*hash, key).expect("it was inserted just now")
    }

    fn set_in_table(&mut self, place: Place, field: &[u8], value: &[u8]) -> bool {
        let Store {
            databases,
            base,
            epoch,
            changes,
            ..
        } = &mut *self.store;
        let (db, epoch) = (self.db, *epoch);
        databases[db as usize].change_big(place, |big| {
            let BigValue::Table(fields) = &big.value else {
                return false;
            };
            let hash = fields.hash(field);
            let found = fields.find(hash, field);
            if found.is_some_and(|place| fields.view(place).field_value() == value) {
                return false;
            }
            if let (Some(base), Some(place)) = (base, found) {
                base.cover_field(epoch, db, big, place);
            }
            let BigValue::Table(fields) = &mut big.value else {
                return false;
            };
            *changes += 1;
            put_field(fields, hash, found, field, value, epoch);
            found.is_none()
        })
    }

    /// Removes a field; whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let Some(place) = self.store.dict(self.db).find(self.hash, self.key) else {
            return false;
        };
        let mut scratch = mem::take(&mut self.store.scratch);
        let removed = match self.store.dict(self.db).view(place).stored {
            Stored::Packed(packed) => {
                let removed = packed::remove(packed, field, &mut scratch);
                if removed && packed::len(&scratch) == 0 {
                    self.store.take(self.db, place);
                } else if removed {
                    self.put_packed(Some(place), &scratch);
                }
                removed
            }
            Stored::Table(_) => self.remove_from_table(place, field),
            Stored::Integer(_) | Stored::Bytes(_) | Stored::Raw(_) | Stored::Rope(_) => false,
        };
        self.store.keep_scratch(scratch);
        if removed {
            self.store.changes += 1;
            self.store.touches.key(self.db, self.key);
        }
        removed
    }

    fn remove_from_table(&mut self, table: Place, field: &[u8]) -> bool {
        let Store {
            databases,
            base,
            epoch,
            ..
        } = &mut *self.store;
        let (db, epoch) = (self.db, *epoch);
        let left = databases[db as usize].change_big(table, |big| {
            let BigValue::Table(fields) = &big.value else {
                return None;
            };
            let place = fields.find(fields.hash(field), field)?;
            if let Some(base) = base {
                base.cover_field(epoch, db, big, place);
            }
            let BigValue::Table(fields) = &mut big.value else {
                return None;
            };
            fields.remove(place);
            Some(fields.len())
        });
        if left == Some(0) {
            self.store.take(db, table);
        }
        left.is_some()
    }
}

/// Lets `field` have a value, where it is found at `found` or nowhere.
pub(in crate::store) fn put_field(
    fields: &mut Dict,
    hash: u64,
    found: Option<Place>,
    field: &[u8],
    value: &[u8],
    epoch: u8,
) {
    let draft = Draft {
        kind: Kind::Bytes,
        epoch,
        expiry: None,
        key: field,
        value,
    };
    match found {
        Some(place) if draft.fits() && fields.view(place).big.is_none() => {
            fields.rewrite(place, &draft);
            return;
        }
        Some(place) => drop(fields.remove(place)),
        None => {}
    }
    if draft.fits() {
        fields.insert(hash, &draft);
    } else {
        let value = BigValue::Bytes(value.to_vec());
        fields.insert_big(hash, Big::new(field, None, epoch, value));
    }
}
