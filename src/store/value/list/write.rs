//! Lists as they are changed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::blocks::Blocks;
use super::{End, List, packed};
use crate::store::dict::Place;
use crate::store::kind::Kind;
use crate::store::slot::Slot;
use crate::store::value::string::Text;
use crate::store::value::{Large, Value};
use crate::store::{DbId, Store, WrongType};
use crate::time::Stamp;

impl Store {
    /// The list at `key`; an error where it holds another type.
    pub fn list(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<List<'_>>, WrongType> {
        self.get_as(db, key, at, Value::as_list)
    }

    /// The live list at `key`, to be changed; `None` where the key is absent, an error where it
    /// holds another type.
    pub fn list_mut<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<Option<ListMut<'a>>, WrongType> {
        let slot = self.slot(db, key, at, |value| value.as_list().is_some())?;
        Ok(slot.map(ListMut))
    }

    /// The list at `key`, to be changed; where it is absent, the first item that is pushed makes
    /// it (with no expiry).
    pub fn list_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<ListMut<'a>, WrongType> {
        let slot = self.slot_or_new(db, key, at, |value| value.as_list().is_some())?;
        Ok(ListMut(slot))
    }
}

/// A list, to be changed. The key goes away with the last item.
#[derive(Debug)]
pub struct ListMut<'a>(Slot<'a>);

impl ListMut<'_> {
    /// The list as it is now; `None` where it has no item (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<List<'_>> {
        self.0.value()?.as_list()
    }

    /// How many items it has now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().map_or(0, List::len)
    }

    /// Returns true if it has no item now, and so the key does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an item at one end.
    pub fn push(&mut self, item: &[u8], end: End) {
        self.change(
            |small, out| packed::push(small, item, end, out),
            |blocks| blocks.push(item, end),
        );
    }

    /// Takes an item off one end; whether there was one.
    pub fn pop(&mut self, end: End) -> bool {
        let len = self.len();
        if len == 0 {
            return false;
        }
        let index = match end {
            End::Front => 0,
            End::Back => len - 1,
        };
        self.change(
            |small, out| packed::splice(small, index, 1, None, out),
            |blocks| {
                blocks.pop(end);
            },
        );
        true
    }

    /// Lets the item at an index be another one; whether there is one at that index.
    pub fn set(&mut self, index: usize, item: &[u8]) -> bool {
        let Some(old) = self.read().and_then(|list| list.get(index)) else {
            return false;
        };
        if old.is(Text::of(item)) {
            self.0.touch();
            return true;
        }
        self.change(
            |small, out| packed::splice(small, index, 1, Some(item), out),
            |blocks| blocks.set(index, item),
        );
        true
    }

    /// Puts an item in front of the one at an index; at the length, behind the last.
    pub fn insert(&mut self, index: usize, item: &[u8]) {
        if index == self.len() {
            return self.push(item, End::Back);
        }
        self.change(
            |small, out| packed::splice(small, index, 0, Some(item), out),
            |blocks| blocks.insert(index, item),
        );
    }

    /// Removes items that are equal to `item`, at most `most`, from the index `from` on towards an
    /// end, in about a block of the list. Returns how many were removed, and the index at which to
    /// go on; `None` at the end.
    pub fn remove_equal(
        &mut self,
        item: &[u8],
        most: usize,
        from: usize,
        towards: End,
    ) -> (usize, Option<usize>) {
        let wanted = Text::of(item);
        let Some(list) = self.read() else {
            return (0, None);
        };
        let (matching, next) = list.matching(wanted, most, from, towards);
        if matching.is_empty() {
            return (0, next);
        }
        let is_gone = |nth: usize| matching.binary_search(&nth).is_ok();
        let removed = matching.len();
        self.change(
            |small, out| {
                packed::retain(small, out, |nth, _| !is_gone(nth));
                true
            },
            |blocks| blocks.remove(&matching),
        );
        let next = match towards {
            End::Back => next.map(|next| next - removed),
            End::Front => next,
        };
        (removed, next.filter(|next| *next < self.len()))
    }

    /// Keeps the items from `start` to `end`, which is not kept itself, and no others.
    pub fn trim(&mut self, start: usize, end: usize) {
        let len = self.len();
        let end = end.min(len);
        if start >= end {
            if let Some(place) = self.0.find() {
                self.0.remove(place);
            }
            return;
        }
        if (start, end) == (0, len) {
            self.0.touch();
            return;
        }
        let mut gone = Vec::new();
        self.change(
            |small, out| {
                packed::retain(small, out, |nth, _| (start..end).contains(&nth));
                true
            },
            |blocks| {
                gone.push(blocks.cut(len - end, End::Back));
                gone.push(blocks.cut(start, End::Front));
            },
        );
        for blocks in gone {
            self.0.discard(Large::List(Box::new(blocks)));
        }
    }

    /// Changes the list: `small` writes what a small one becomes, and says whether that is small
    /// still; `large` changes a large one.
    fn change(
        &mut self,
        small: impl FnOnce(&[u8], &mut Vec<u8>) -> bool,
        large: impl FnOnce(&mut Blocks),
    ) {
        let found = self.0.find();
        let mut scratch = self.0.take_scratch();
        let fits = self.packed(found).map(|packed| small(packed, &mut scratch));
        match (fits, found) {
            (Some(true), Some(place)) if packed::len(&scratch) == 0 => self.0.remove(place),
            (Some(true), _) => self.0.put_small(found, Kind::PackedList, &scratch),
            (Some(false), _) => {
                let packed = self.packed(found).unwrap_or(packed::EMPTY);
                let blocks = Blocks::of_run(packed::items(packed).0);
                let place = self.0.enlarge(found, Large::List(Box::new(blocks)));
                self.change_blocks(place, large);
            }
            (None, Some(place)) => self.change_blocks(place, large),
            (None, None) => {}
        }
        self.0.keep_scratch(scratch);
    }

    /// The packed form, also of a list that is absent; `None` where it is in blocks.
    fn packed(&self, found: Option<Place>) -> Option<&[u8]> {
        match found.map(|place| self.0.value_at(place)) {
            None => Some(packed::EMPTY),
            Some(Value::List(list)) => list.as_packed(),
            Some(_) => None,
        }
    }

    fn change_blocks(&mut self, place: Place, change: impl FnOnce(&mut Blocks)) {
        let left = self.0.change_large(place, |large| {
            let Large::List(blocks) = large else {
                return None;
            };
            change(blocks);
            Some((blocks.len(), blocks.small_run().map(packed::of_run)))
        });
        match left {
            Some((0, _)) => self.0.remove_empty(place),
            Some((_, Some(small))) => self.0.shrink(place, Kind::PackedList, &small),
            Some((_, None)) | None => {}
        }
    }
}
