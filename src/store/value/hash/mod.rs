//! Hashes: small ones within one value, large ones as a table of their own.

pub(in crate::store) mod write;

use super::packed;
use super::parts::Show;
use super::table::{self, Pair};
use crate::rng;

/// The entries of a hash.
#[derive(Clone, Debug)]
pub(in crate::store) struct Fields;

impl table::Of for Fields {
    const TYPE: &'static str = "hash";
    const HAS_VALUES: bool = true;
}

/// A large hash.
pub(in crate::store) type Table = table::Table<Fields>;

/// A hash, to be read. It is cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Hash<'a>(Kept<'a>);

#[derive(Clone, Copy, Debug)]
enum Kept<'a> {
    Packed(&'a [u8]),
    Table(&'a Table),
}

impl<'a> Hash<'a> {
    pub(in crate::store) fn packed(packed: &'a [u8]) -> Self {
        Self(Kept::Packed(packed))
    }

    pub(in crate::store) fn table(fields: &'a Table) -> Self {
        Self(Kept::Table(fields))
    }

    /// How many fields it has; never 0.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Kept::Packed(packed) => packed::len(packed),
            Kept::Table(fields) => fields.len(),
        }
    }

    /// Returns true if it has no field.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value of a field.
    #[must_use]
    pub fn get(self, field: &[u8]) -> Option<&'a [u8]> {
        match self.0 {
            Kept::Packed(packed) => packed::get(packed, field),
            Kept::Table(fields) => fields.get(field),
        }
    }

    /// Returns true if it has the field.
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
            Kept::Table(fields) => fields.scan(cursor, count, show),
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
            Kept::Table(fields) => fields.random(draw),
        }
    }

    /// Returns true if it is kept in a table, over which a walk may be cut.
    #[must_use]
    pub fn is_large(self) -> bool {
        matches!(self.0, Kept::Table(_))
    }

    /// Shows its fields, as the parts of a base hold them.
    pub(in crate::store) fn show_items(self, show: Show<'_>) {
        for (field, value) in self.iter() {
            show(&[field, value]);
        }
    }

    /// The packed form, where it has that.
    fn as_packed(self) -> Option<&'a [u8]> {
        match self.0 {
            Kept::Packed(packed) => Some(packed),
            Kept::Table(_) => None,
        }
    }
}

enum Iter<'a> {
    Packed(packed::Iter<'a>),
    Table(table::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Packed(fields) => fields.next(),
            Self::Table(fields) => fields.next(),
        }
    }
}
