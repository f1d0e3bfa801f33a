//! Hashes as they are changed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Hash, Table};
use crate::store::dict::Place;
use crate::store::encoding::Encoding;
use crate::store::kind::Kind;
use crate::store::slot::Slot;
use crate::store::value::parts::Parts;
use crate::store::value::{Large, Value, packed};
use crate::store::{DbId, Store, WrongType};
use crate::time::Stamp;

impl Store {
    /// The hash at `key`; an error where it holds another type.
    pub fn hash(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<Hash<'_>>, WrongType> {
        self.get_as(db, key, at, Value::as_hash)
    }

    /// The live hash at `key`, to be changed; `None` where the key is absent, an error where it
    /// holds another type.
    pub fn hash_mut<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<Option<HashMut<'a>>, WrongType> {
        let slot = self.slot(db, key, at, |value| value.as_hash().is_some())?;
        Ok(slot.map(HashMut))
    }

    /// The hash at `key`, to be changed; where it is absent, the first field that is set makes it
    /// (with no expiry).
    pub fn hash_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<HashMut<'a>, WrongType> {
        let slot = self.slot_or_new(db, key, at, |value| value.as_hash().is_some())?;
        Ok(HashMut(slot))
    }
}

/// A hash, to be changed. The key goes away with the last field.
#[derive(Debug)]
pub struct HashMut<'a>(Slot<'a>);

impl HashMut<'_> {
    /// The hash as it is now; `None` where it has no field (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<Hash<'_>> {
        self.0.value()?.as_hash()
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

    /// Returns true if it has no field now, and so the key does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets a field; whether it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.0.touch_to_write();
        let mut scratch = self.0.take_scratch();
        let new = self.set_with(field, value, &mut scratch);
        self.0.keep_scratch(scratch);
        new
    }

    fn set_with(&mut self, field: &[u8], value: &[u8], scratch: &mut Vec<u8>) -> bool {
        let fits = packed::fits(field, value);
        let longest = field.len().max(value.len());
        let found = self.0.find();
        let Some(packed) = self.packed(found) else {
            let new = self.set_in_table(found, field, value);
            if let Some(place) = found {
                let len = self.0.value_at(place).as_hash().map_or(0, Hash::len);
                self.0
                    .set_encoding(place, self.encoding_after(found, len, longest));
            }
            return new;
        };
        let held = packed::find(packed, field);
        if held.is_some_and(|held| held.value(packed) == value) {
            return false;
        }
        let new = held.is_none();
        let len = packed::len(packed) + usize::from(new);
        let encoding = self.encoding_after(found, len, longest);
        if fits && len <= self.0.tables().small_items_max {
            packed::set(packed, held, (field, value), scratch);
            let kind = Kind::PackedHash.with(encoding);
            self.0.put_small(found, kind, scratch);
            return new;
        }
        let mut table = Table::empty(self.0.tables());
        for pair in packed::iter(packed) {
            table.add(pair, self.0.epoch());
        }
        let place = self
            .0
            .enlarge(found, Large::HashTable(Box::new(table)), encoding);
        self.set_in_table(Some(place), field, value)
    }

    /// The encoding with so many fields, after one was set that is, with its value, no longer than
    /// that.
    fn encoding_after(&self, found: Option<Place>, len: usize, longest: usize) -> Encoding {
        let before = self.0.encoding(found).unwrap_or(Encoding::Listpack);
        self.0.borders().hash.after(before, len, longest)
    }

    /// The packed form, also of a hash that is absent; `None` where it is a table.
    fn packed(&self, found: Option<Place>) -> Option<&[u8]> {
        match found.map(|place| self.0.value_at(place)) {
            None => Some(packed::EMPTY),
            Some(Value::Hash(hash)) => hash.as_packed(),
            Some(_) => None,
        }
    }

    fn set_in_table(&mut self, place: Option<Place>, field: &[u8], value: &[u8]) -> bool {
        let set = place.and_then(|place| {
            self.0.change_parts(place, |large, cover| {
                let Large::HashTable(table) = large else {
                    return None;
                };
                table.set(field, value, cover)
            })
        });
        set == Some(true)
    }

    /// Removes a field; whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let Some(place) = self.0.find() else {
            return false;
        };
        let mut scratch = self.0.take_scratch();
        let removed = match self.packed(Some(place)) {
            None => self.remove_from_table(place, field),
            Some(packed) => {
                let encoding = self.0.encoding(Some(place)).unwrap_or_default();
                let removed = packed::remove(packed, field, &mut scratch);
                if removed && packed::len(&scratch) == 0 {
                    self.0.remove(place);
                } else if removed {
                    let kind = Kind::PackedHash.with(encoding);
                    self.0.put_small(Some(place), kind, &scratch);
                }
                removed
            }
        };
        self.0.keep_scratch(scratch);
        removed
    }

    fn remove_from_table(&mut self, place: Place, field: &[u8]) -> bool {
        let left = self.0.change_parts(place, |large, cover| {
            let Large::HashTable(table) = large else {
                return None;
            };
            table.remove(field, cover)
        });
        if left == Some(0) {
            self.0.remove_empty(place);
        }
        left.is_some()
    }
}
