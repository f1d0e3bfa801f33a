//! Sets as they are changed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Set;
use super::integers;
use super::made::NewSet;
use super::packed;
use super::small::{Added, Small};
use crate::store::dict::Place;
use crate::store::encoding::Encoding;
use crate::store::kind::Kind;
use crate::store::slot::Slot;
use crate::store::value::string::parse_i64;
use crate::store::value::{Large, Value};
use crate::store::{DbId, NewExpiry, Store, WrongType};
use crate::time::Stamp;

impl Store {
    /// The set at `key`; an error where it holds another type.
    pub fn set(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<Set<'_>>, WrongType> {
        self.get_as(db, key, at, Value::as_set)
    }

    /// The live set at `key`, to be changed; `None` where the key is absent, an error where it
    /// holds another type.
    pub fn set_mut<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<Option<SetMut<'a>>, WrongType> {
        let slot = self.slot(db, key, at, |value| value.as_set().is_some())?;
        Ok(slot.map(SetMut::new))
    }

    /// The set at `key`, to be changed; where it is absent, the first member that is added makes it
    /// (with no expiry).
    pub fn set_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<SetMut<'a>, WrongType> {
        let slot = self.slot_or_new(db, key, at, |value| value.as_set().is_some())?;
        Ok(SetMut::new(slot))
    }

    /// A set to be made, without members.
    #[must_use]
    pub fn new_set(&self) -> NewSet {
        self.new_set_of(Kind::Integers, integers::EMPTY)
    }

    /// A set to be made for members of another one, without any yet: it is small as that one is,
    /// and packed if that one is a table.
    #[must_use]
    pub fn new_set_like(&self, other: Set<'_>) -> NewSet {
        match other.small() {
            Some(Small::Integers(_)) => self.new_set(),
            Some(Small::Packed(_)) | None => self.new_set_of(Kind::PackedSet, packed::EMPTY),
        }
    }

    fn new_set_of(&self, kind: Kind, empty: &[u8]) -> NewSet {
        NewSet::new(kind, empty, (self.tables, self.borders), self.epoch)
    }

    /// Lets a key hold the set, whatever it held. Without members, the key goes away.
    pub fn put_set(&mut self, db: DbId, key: &[u8], made: NewSet, expiry: NewExpiry, at: Stamp) {
        if made.is_empty() {
            self.remove(db, key, at);
            return;
        }
        let expiry = match expiry {
            NewExpiry::Never => None,
            NewExpiry::At(time) => Some(time),
            NewExpiry::Keep => {
                let before = self.find_live(db, key, at);
                before.and_then(|place| self.dict(db).view(place).expiry)
            }
        };
        self.put_made((db, key), expiry, made.into_made());
    }
}

/// A set, to be changed. The key goes away with the last member.
#[derive(Debug)]
pub struct SetMut<'a> {
    slot: Slot<'a>,
    /// How many members are expected to come, where the set is absent.
    expected: usize,
}

impl<'a> SetMut<'a> {
    fn new(slot: Slot<'a>) -> Self {
        Self { slot, expected: 1 }
    }

    /// The set as it is now; `None` where it has no member (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<Set<'_>> {
        self.slot.value()?.as_set()
    }

    /// How many members it has now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().map_or(0, Set::len)
    }

    /// Returns true if it has no member now, and so the key does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a member; whether it is new.
    pub fn add(&mut self, member: &[u8]) -> bool {
        let mut scratch = self.slot.take_scratch();
        let is_new = self.add_with(member, &mut scratch);
        self.slot.keep_scratch(scratch);
        is_new
    }

    fn add_with(&mut self, member: &[u8], scratch: &mut Vec<u8>) -> bool {
        let found = self.slot.find();
        let small = self.small(found);
        if small.is_none() && self.slot.encoding(found) == Some(Encoding::Table) {
            return self.add_to_table(found, member);
        }
        let encoding = self.encoding_with(found, member);
        let Some(small) = small else {
            let is_new = self.add_to_table(found, member);
            if let Some(place) = found.filter(|_| is_new) {
                self.slot.set_encoding(place, encoding);
            }
            return is_new;
        };
        match small.add(member, self.slot.tables().small_items_max, scratch) {
            Added::Known => false,
            Added::As(kind) => {
                self.slot.put_small(found, kind.with(encoding), scratch);
                true
            }
            Added::TooLarge => {
                let place = self.enlarge(found, encoding);
                self.add_to_table(Some(place), member)
            }
        }
    }

    /// The encoding with a member that is new.
    fn encoding_with(&self, found: Option<Place>, member: &[u8]) -> Encoding {
        let borders = self.slot.borders();
        let is_number = parse_i64(member).is_some();
        let held = found.and_then(|place| self.slot.value_at(place).as_set());
        let before = self
            .slot
            .encoding(found)
            .unwrap_or_else(|| borders.set_expecting(None, is_number, self.expected));
        let longest = member.len().max(match before {
            Encoding::Integers if !is_number => held.map_or(0, Set::longest_number),
            _ => 0,
        });
        let len = held.map_or(0, Set::len) + 1;
        borders.set_after(before, len, is_number, longest)
    }

    /// So many members are about to be added, of which this is the first. As in Redis, a set that
    /// would be large if they all were new is a table from the start.
    pub fn expect(&mut self, first: &[u8], count: usize) {
        if count == 1 && self.slot.borders().set_takes_one() {
            return;
        }
        let found = self.slot.find();
        let is_number = parse_i64(first).is_some();
        let before = self.slot.encoding(found);
        let encoding = self.slot.borders().set_expecting(before, is_number, count);
        match found {
            Some(place) => self.slot.set_encoding(place, encoding),
            None => self.expected = count,
        }
        let are_integers = match self.small(found) {
            None => return,
            Some(Small::Integers(_)) => found.is_some() || is_number,
            Some(Small::Packed(_)) => false,
        };
        let most = self.slot.tables().small_items_max;
        let most = if are_integers { 4 * most } else { most };
        if count > most {
            self.enlarge(found, encoding);
        }
    }

    /// Lets a small set, or one that is absent, be a table.
    fn enlarge(&mut self, found: Option<Place>, encoding: Encoding) -> Place {
        let small = self.small(found).unwrap_or(Small::EMPTY);
        let table = small.to_table(self.slot.tables(), self.slot.epoch());
        self.slot
            .enlarge(found, Large::SetTable(Box::new(table)), encoding)
    }

    /// The small form, also of a set that is absent; `None` where it is a table.
    fn small(&self, found: Option<Place>) -> Option<Small<'_>> {
        match found.map(|place| self.slot.value_at(place)) {
            None => Some(Small::EMPTY),
            Some(Value::Set(set)) => set.small(),
            Some(_) => None,
        }
    }

    fn add_to_table(&mut self, place: Option<Place>, member: &[u8]) -> bool {
        let added = place.and_then(|place| {
            self.slot.change_parts(place, |large, cover| {
                let Large::SetTable(table) = large else {
                    return None;
                };
                table.set(member, &[], cover)
            })
        });
        added == Some(true)
    }

    /// Removes a member; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let Some(place) = self.slot.find() else {
            return false;
        };
        let encoding = self.slot.encoding(Some(place)).unwrap_or_default();
        let mut scratch = self.slot.take_scratch();
        let removed = match self.small(Some(place)) {
            None => self.remove_from_table(place, member),
            Some(small) => {
                let is_last = small.len() == 1;
                let kind = small.remove(member, &mut scratch);
                match kind {
                    Some(_) if is_last => self.slot.remove(place),
                    Some(kind) => {
                        self.slot
                            .put_small(Some(place), kind.with(encoding), &scratch);
                    }
                    None => {}
                }
                kind.is_some()
            }
        };
        self.slot.keep_scratch(scratch);
        removed
    }

    fn remove_from_table(&mut self, place: Place, member: &[u8]) -> bool {
        let left = self.slot.change_parts(place, |large, cover| {
            let Large::SetTable(table) = large else {
                return None;
            };
            table.remove(member, cover)
        });
        if left == Some(0) {
            self.slot.remove_empty(place);
        }
        left.is_some()
    }
}
