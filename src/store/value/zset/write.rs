//! Sorted sets as they are changed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::made::NewZset;
use super::table::Sorted;
use super::{Zset, packed};
use crate::store::dict::Place;
use crate::store::encoding::Encoding;
use crate::store::kind::Kind;
use crate::store::slot::Slot;
use crate::store::value::parts::Parts;
use crate::store::value::{Large, Value};
use crate::store::{DbId, Store, WrongType};
use crate::time::Stamp;

impl Store {
    /// The sorted set at `key`; an error where it holds another type.
    pub fn zset(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<Zset<'_>>, WrongType> {
        self.get_as(db, key, at, Value::as_zset)
    }

    /// The live sorted set at `key`, to be changed; `None` where the key is absent, an error where
    /// it holds another type.
    pub fn zset_mut<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<Option<ZsetMut<'a>>, WrongType> {
        let slot = self.slot(db, key, at, |value| value.as_zset().is_some())?;
        Ok(slot.map(ZsetMut))
    }

    /// The sorted set at `key`, to be changed; where it is absent, the first member makes it (with
    /// no expiry).
    pub fn zset_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<ZsetMut<'a>, WrongType> {
        let slot = self.slot_or_new(db, key, at, |value| value.as_zset().is_some())?;
        Ok(ZsetMut(slot))
    }

    /// A sorted set to be made, without members.
    #[must_use]
    pub fn new_zset(&self) -> NewZset {
        NewZset::new((self.tables, self.borders), self.epoch)
    }

    /// Lets a key hold the set with no expiry, whatever it held. Without members, the key goes
    /// away.
    pub fn put_zset(&mut self, db: DbId, key: &[u8], made: NewZset, at: Stamp) {
        if made.is_empty() {
            self.remove(db, key, at);
            return;
        }
        self.put_made((db, key), None, made.into_made());
    }
}

/// A sorted set, to be changed. The key goes away with the last member.
#[derive(Debug)]
pub struct ZsetMut<'a>(Slot<'a>);

impl ZsetMut<'_> {
    /// The set as it is now; `None` where it has no member (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<Zset<'_>> {
        self.0.value()?.as_zset()
    }

    /// The score of a member.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.read()?.score(member)
    }

    /// How many members it has now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().map_or(0, Zset::len)
    }

    /// Returns true if it has no member now, and so the key does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives a member a score, which is a number; whether that changes anything.
    pub fn set(&mut self, member: &[u8], score: f64) -> bool {
        self.update(member, |_| Some(score))
    }

    /// Gives a member the score, which is a number, that `choose` makes of the one it has, or of
    /// none, where it makes one; whether that changes anything.
    pub fn update(
        &mut self,
        member: &[u8],
        choose: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> bool {
        let found = self.0.find();
        let held = found.and_then(|place| self.0.value_at(place).as_zset());
        let before = self.0.encoding(found).unwrap_or(Encoding::Listpack);
        if let Some(place) = found
            && held.is_some_and(|held| held.as_packed().is_none())
        {
            let Some(len) = self.update_table(place, member, choose) else {
                return false;
            };
            let encoding = self.0.borders().zset.after(before, len, member.len());
            if encoding != before {
                self.0.set_encoding(place, encoding);
            }
            return true;
        }
        let old = held.and_then(|zset| zset.score(member));
        let Some(score) = choose(old).filter(|score| old != Some(*score)) else {
            return false;
        };
        let len = held.map_or(0, Zset::len) + usize::from(old.is_none());
        let encoding = self.0.borders().zset.after(before, len, member.len());
        let mut scratch = self.0.take_scratch();
        let old = old.map(|old| (old, member));
        let most = self.0.tables().small_items_max;
        let packed = self.packed(found).unwrap_or(packed::EMPTY);
        if packed::replace(packed, old, Some((score, member)), most, &mut scratch) {
            let kind = Kind::PackedZset.with(encoding);
            self.0.put_small(found, kind, &scratch);
        } else {
            let place = self.enlarge(found, encoding);
            self.update_table(place, member, |_| Some(score));
        }
        self.0.keep_scratch(scratch);
        true
    }

    /// Lets a table and a tree take the place of the packed form.
    fn enlarge(&mut self, found: Option<Place>, encoding: Encoding) -> Place {
        let mut sorted = Sorted::empty(self.0.tables());
        for (score, member) in packed::iter(self.packed(found).unwrap_or(packed::EMPTY)) {
            sorted.add(member, score, self.0.epoch());
        }
        self.0
            .enlarge(found, Large::Sorted(Box::new(sorted)), encoding)
    }

    /// The packed form, also of a set that is absent; `None` where it is a table.
    fn packed(&self, found: Option<Place>) -> Option<&[u8]> {
        match found.map(|place| self.0.value_at(place)) {
            None => Some(packed::EMPTY),
            Some(Value::Zset(zset)) => zset.as_packed(),
            Some(_) => None,
        }
    }

    /// Returns how many members there are then, where anything has changed.
    fn update_table(
        &mut self,
        place: Place,
        member: &[u8],
        choose: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Option<usize> {
        self.0.change_parts(place, |large, cover| {
            let Large::Sorted(sorted) = large else {
                return None;
            };
            sorted.update(member, choose, cover)?;
            Some(sorted.len())
        })
    }

    /// Removes a member; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let (Some(place), Some(old)) = (self.0.find(), self.score(member)) else {
            return false;
        };
        let mut scratch = self.0.take_scratch();
        let is_packed = self.packed(Some(place)).map(|packed| {
            packed::replace(packed, Some((old, member)), None, 0, &mut scratch);
        });
        match is_packed {
            Some(()) if packed::len(&scratch) == 0 => self.0.remove(place),
            Some(()) => {
                let encoding = self.0.encoding(Some(place)).unwrap_or_default();
                let kind = Kind::PackedZset.with(encoding);
                self.0.put_small(Some(place), kind, &scratch);
            }
            None => self.remove_from_table(place, member),
        }
        self.0.keep_scratch(scratch);
        true
    }

    fn remove_from_table(&mut self, place: Place, member: &[u8]) {
        let left = self.0.change_parts(place, |large, cover| {
            let Large::Sorted(sorted) = large else {
                return None;
            };
            sorted.remove(member, cover)
        });
        if left == Some(0) {
            self.0.remove_empty(place);
        }
    }

    /// Removes the member at a rank, and returns it with its score.
    pub fn remove_at(&mut self, rank: usize) -> Option<(Vec<u8>, f64)> {
        let (member, score) = self.read()?.walk(rank).next()?;
        let member = member.to_vec();
        self.remove(&member);
        Some((member, score))
    }
}
