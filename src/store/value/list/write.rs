//! Lists as they are changed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::blocks::Blocks;
use super::{End, List, packed};
use crate::store::dict::Place;
use crate::store::encoding::Encoding;
use crate::store::kind::Kind;
use crate::store::slot::Slot;
use crate::store::value::string::Text;
use crate::store::value::{Large, Value};
use crate::store::{DbId, Store, WrongType};
use crate::time::Stamp;

/// The bytes of a piece beside its items, as Redis counts.
const PIECE_BYTES: usize = 7;

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
        Ok(slot.map(ListMut::new))
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
        Ok(ListMut::new(slot))
    }
}

/// A list, to be changed. The key goes away with the last item.
#[derive(Debug)]
pub struct ListMut<'a> {
    slot: Slot<'a>,
    /// The encoding with which it begins where it is absent.
    new: Encoding,
}

impl<'a> ListMut<'a> {
    fn new(slot: Slot<'a>) -> Self {
        Self {
            slot,
            new: Encoding::Listpack,
        }
    }

    /// The list as it is now; `None` where it has no item (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<List<'_>> {
        self.slot.value()?.as_list()
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
        self.make_room(item);
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
        self.come_back();
        true
    }

    /// Lets the item at an index be another one; whether there is one at that index.
    pub fn set(&mut self, index: usize, item: &[u8]) -> bool {
        let Some(old) = self.read().and_then(|list| list.get(index)) else {
            return false;
        };
        if old.is(Text::of(item)) {
            self.slot.touch();
            return true;
        }
        self.make_room(item);
        self.change(
            |small, out| packed::splice(small, index, 1, Some(item), out),
            |blocks| blocks.set(index, item),
        );
        self.come_back();
        true
    }

    /// Puts an item in front of the one at an index; at the length, behind the last.
    pub fn insert(&mut self, index: usize, item: &[u8]) {
        if index == self.len() {
            return self.push(item, End::Back);
        }
        self.make_room(item);
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
        self.come_back();
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
            if let Some(place) = self.slot.find() {
                self.slot.remove(place);
            }
            return;
        }
        if (start, end) == (0, len) {
            self.slot.touch();
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
        self.come_back();
        for blocks in gone {
            self.slot.discard(Large::List(Box::new(blocks)));
        }
    }

    /// Converts the list if it is too large for one piece with one more item, counted as Redis does
    /// before it takes that in.
    fn make_room(&mut self, item: &[u8]) {
        let found = self.slot.find();
        if self.slot.encoding(found) == Some(Encoding::Table) {
            return;
        }
        let borders = self.slot.borders();
        let list = found.and_then(|place| self.slot.value_at(place).as_list());
        let held = list.map_or(0, |list| list.run_bytes(borders.list_bytes_max()));
        let len = list.map_or(0, List::len) + 1;
        if borders.list_exceeds(PIECE_BYTES + held + item.len(), len) {
            match found {
                Some(place) => self.slot.set_encoding(place, Encoding::Table),
                None => self.new = Encoding::Table,
            }
        }
    }

    /// Lets a list that was converted and has become small be one piece again.
    fn come_back(&mut self) {
        let Some(place) = self.slot.find() else {
            return;
        };
        if self.slot.encoding(Some(place)) != Some(Encoding::Table) {
            return;
        }
        let borders = self.slot.borders();
        let is_back = self.slot.value_at(place).as_list().is_some_and(|list| {
            borders.list_comes_back(0, list.len()) && {
                let held = list.run_bytes(borders.list_bytes_max());
                borders.list_comes_back(PIECE_BYTES + held, list.len())
            }
        });
        if is_back {
            self.slot.set_encoding(place, Encoding::Listpack);
        }
    }

    /// Changes the list: `small` writes what a small one becomes, and says whether that is small
    /// still; `large` changes a large one.
    fn change(
        &mut self,
        small: impl FnOnce(&[u8], &mut Vec<u8>) -> bool,
        large: impl FnOnce(&mut Blocks),
    ) {
        let found = self.slot.find();
        let encoding = self.slot.encoding(found).unwrap_or(self.new);
        let kind = Kind::PackedList.with(encoding);
        let mut scratch = self.slot.take_scratch();
        let most = self.slot.tables().small_list_bytes_max;
        let fits = self.packed(found).map(|packed| {
            let shrinks = |scratch: &[u8]| scratch.len() <= packed.len();
            small(packed, &mut scratch) && (scratch.len() <= most || shrinks(&scratch))
        });
        match (fits, found) {
            (Some(true), Some(place)) if packed::len(&scratch) == 0 => self.slot.remove(place),
            (Some(true), _) => self.slot.put_small(found, kind, &scratch),
            (Some(false), _) => {
                let packed = self.packed(found).unwrap_or(packed::EMPTY);
                let blocks = Blocks::of_run(packed::items(packed).0, self.slot.tables());
                let large_list = Large::List(Box::new(blocks));
                let place = self.slot.enlarge(found, large_list, encoding);
                self.change_blocks(place, kind, large);
            }
            (None, Some(place)) => self.change_blocks(place, kind, large),
            (None, None) => {}
        }
        self.slot.keep_scratch(scratch);
    }

    /// The packed form, also of a list that is absent; `None` where it is in blocks.
    fn packed(&self, found: Option<Place>) -> Option<&[u8]> {
        match found.map(|place| self.slot.value_at(place)) {
            None => Some(packed::EMPTY),
            Some(Value::List(list)) => list.as_packed(),
            Some(_) => None,
        }
    }

    fn change_blocks(&mut self, place: Place, kind: Kind, change: impl FnOnce(&mut Blocks)) {
        let left = self.slot.change_large(place, |large| {
            let Large::List(blocks) = large else {
                return None;
            };
            change(blocks);
            Some((
                blocks.len(),
                blocks.small_run().map(|run| packed::of_run(&run)),
            ))
        });
        match left {
            Some((0, _)) => self.slot.remove_empty(place),
            Some((_, Some(small))) => self.slot.shrink(place, kind, &small),
            Some((_, None)) | None => {}
        }
    }
}
