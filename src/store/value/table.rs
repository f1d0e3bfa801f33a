//! A large collection: a table of names, each with a value behind it where its entries have one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::marker::PhantomData;

use crate::store::dict::{self, Dict, Item, Tables};
use crate::store::entry::{Boxed, Draft, Held, View};
use crate::store::kind::Kind;
use crate::store::value::parts::{Cover, Parts, Show};
use crate::time::Stamp;
use crate::varint;

/// The kind of entries that a table has.
pub(in crate::store) trait Of: Clone + Debug {
    /// The type as TYPE names it.
    const TYPE: &'static str;
    /// True if there is a value behind each name.
    const HAS_VALUES: bool;
}

/// The entries of a large collection.
#[derive(Clone, Debug)]
pub(in crate::store) struct Table<E>(Dict<Field>, PhantomData<E>);

/// An entry that does not fit a block.
#[derive(Clone, Debug)]
pub(in crate::store) struct Field {
    name: Box<[u8]>,
    value: Box<[u8]>,
    epoch: u8,
}

impl Boxed for Field {
    fn key(&self) -> &[u8] {
        &self.name
    }

    fn expiry(&self) -> Option<Stamp> {
        None
    }

    fn epoch(&self) -> u8 {
        self.epoch
    }

    fn restamp(&mut self, epoch: u8) {
        self.epoch = epoch;
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.value.len()
    }

    #[cfg(test)]
    fn recount(&self) -> usize {
        self.memory()
    }
}

/// A name with its value, which is empty where entries have none.
pub(in crate::store::value) type Pair<'a> = (&'a [u8], &'a [u8]);

fn pair<'a>(view: &View<'a, Field>) -> Pair<'a> {
    let value = match view.held {
        Held::Block(_, value) => value,
        Held::Box(field) => &field.value,
    };
    (view.key, value)
}

/// All names with their values.
#[derive(Clone, Debug)]
pub(in crate::store::value) struct Iter<'a>(dict::Iter<'a, Field>);

impl<'a> Iterator for Iter<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        self.0.next().as_ref().map(pair)
    }
}

impl<E: Of> Table<E> {
    pub(in crate::store::value) fn len(&self) -> usize {
        self.0.len() as usize
    }

    pub(in crate::store::value) fn get(&self, field: &[u8]) -> Option<&[u8]> {
        let view = self.0.get(self.0.hash(field), field)?;
        Some(pair(&view).1)
    }

    pub(in crate::store::value) fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    pub(in crate::store::value) fn scan(
        &self,
        cursor: u64,
        count: usize,
        show: &mut dyn FnMut(&[u8], &[u8]),
    ) -> u64 {
        self.0.scan(cursor, count, &mut |view| {
            let (field, value) = pair(&view);
            show(field, value);
            true
        })
    }

    pub(in crate::store::value) fn random(&self, draw: u64) -> Option<Pair<'_>> {
        self.0.random(draw, &|_| true).as_ref().map(pair)
    }

    /// Sets a field; whether it is new. `None` where it had that value.
    pub(in crate::store) fn set(
        &mut self,
        field: &[u8],
        value: &[u8],
        cover: &mut impl Cover,
    ) -> Option<bool> {
        let mut is_new = false;
        self.update(field, cover, |old| {
            is_new = old.is_none();
            (old != Some(value)).then_some(value)
        })?;
        Some(is_new)
    }

    /// Sets a field to the value that `new` makes of the one it has, or of none; nothing, and
    /// `None`, where it makes none.
    pub(in crate::store::value) fn update<V: AsRef<[u8]>>(
        &mut self,
        field: &[u8],
        cover: &mut impl Cover,
        new: impl FnOnce(Option<&[u8]>) -> Option<V>,
    ) -> Option<()> {
        let hash = self.0.hash(field);
        let found = self.0.find(hash, field);
        let value = if let Some(place) = found {
            let view = self.0.view(place);
            let value = new(Some(pair(&view).1))?;
            cover.part(view.epoch, |part| put_pair::<E>(part, pair(&view)));
            value
        } else {
            new(None)?
        };
        self.put(hash, found, (field, value.as_ref()), cover.epoch());
        Some(())
    }

    /// Removes a field; how many are left. `None` where it was not there.
    pub(in crate::store) fn remove(
        &mut self,
        field: &[u8],
        cover: &mut impl Cover,
    ) -> Option<usize> {
        let place = self.0.find(self.0.hash(field), field)?;
        let view = self.0.view(place);
        cover.part(view.epoch, |part| put_pair::<E>(part, pair(&view)));
        self.0.remove(place);
        Some(self.len())
    }

    /// Adds a field; `None` where it is there.
    pub(in crate::store::value) fn add(
        &mut self,
        (field, value): Pair<'_>,
        epoch: u8,
    ) -> Option<()> {
        let hash = self.0.hash(field);
        if self.0.find(hash, field).is_some() {
            return None;
        }
        self.put(hash, None, (field, value), epoch);
        Some(())
    }

    /// Takes a field with its value off the front of a part.
    pub(in crate::store::value) fn take_pair<'a>(part: &mut &'a [u8]) -> Option<Pair<'a>> {
        Some((varint::take_bytes(part)?, varint::take_bytes(part)?))
    }

    /// Lets a field have a value, where it is found at `found` or nowhere.
    fn put(&mut self, hash: u64, found: Option<dict::Place>, pair: Pair<'_>, epoch: u8) {
        let (field, value) = pair;
        let draft = Draft {
            kind: Kind::Bytes,
            epoch,
            expiry: None,
            heat: None,
            key: field,
            value,
        };
        let fits = draft.fits();
        match found {
            Some(place) if fits && !place.is_boxed() => {
                self.0.rewrite(place, &draft);
                return;
            }
            Some(place) => drop(self.0.remove(place)),
            None => {}
        }
        if fits {
            self.0.insert(hash, &draft);
        } else {
            let (name, value) = (field.into(), value.into());
            let field = Field { name, value, epoch };
            self.0.insert_big(hash, Box::new(field));
        }
    }
}

fn put_pair<E: Of>(part: &mut Vec<u8>, (name, value): Pair<'_>) {
    varint::put_bytes(part, name);
    if E::HAS_VALUES {
        varint::put_bytes(part, value);
    }
}

/// Takes an entry off the front of a part.
fn take_pair<'a, E: Of>(part: &mut &'a [u8]) -> Option<Pair<'a>> {
    let name = varint::take_bytes(part)?;
    let value = if E::HAS_VALUES {
        varint::take_bytes(part)?
    } else {
        &[]
    };
    Some((name, value))
}

/// A part is some names, each with its value behind it where entries have one.
impl<E: Of> Parts for Table<E> {
    const TYPE: &'static str = E::TYPE;

    fn empty(tables: Tables) -> Self {
        Self(Dict::new(tables), PhantomData)
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }

    #[cfg(test)]
    fn recount(&self) -> usize {
        self.0.recount_bytes()
    }

    #[cfg(test)]
    fn check(&self) {
        self.0.recount();
    }

    fn share(&mut self) {}

    fn hollow(&self) -> Option<Self> {
        Some(Self(self.0.hollow(), PhantomData))
    }

    fn copy_on(&self, copy: &mut Self, epoch: u8) -> Option<usize> {
        self.0.copy_on(&mut copy.0, Some(epoch))
    }

    fn unshared_memory(&self) -> usize {
        self.memory()
    }

    fn restamp(&mut self, epoch: u8) {
        self.0.restamp(epoch);
    }

    fn write_part(&mut self, from: u64, epoch: u8, room: usize, part: &mut Vec<u8>) -> Option<u64> {
        self.0.stamp(from, epoch, &mut |item| {
            match item {
                Item::Block(draft) => put_pair::<E>(part, (draft.key, draft.value)),
                Item::Box(field) if field.epoch == epoch => return true,
                Item::Box(field) => {
                    put_pair::<E>(part, (&field.name, &field.value));
                    field.epoch = epoch;
                }
            }
            part.len() < room
        })
    }

    fn load_part(&mut self, mut part: &[u8], epoch: u8) -> Option<()> {
        while !part.is_empty() {
            self.add(take_pair::<E>(&mut part)?, epoch)?;
        }
        Some(())
    }

    fn show_part(mut part: &[u8], show: Show<'_>) {
        while let Some((field, value)) = take_pair::<E>(&mut part) {
            if E::HAS_VALUES {
                show(&[field, value]);
            } else {
                show(&[field]);
            }
        }
    }

    fn dismantle(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 {
            let Some(fields) = self.0.dismantle() else {
                return false;
            };
            *budget = budget.saturating_sub(1 + fields.len());
        }
        true
    }
}
