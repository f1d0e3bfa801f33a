//! The small forms of a set: integers alone, and any members within one run of bytes.

use alloc::vec::Vec;

use super::integers;
use super::large::Table;
use super::packed::{self, MEMBER_BYTES_MAX};
use crate::store::dict::Tables;
use crate::store::kind::Kind;
use crate::store::value::parts::Parts;
use crate::store::value::string::{Text, format_i64, parse_i64};

/// A small set, to be read.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Small<'a> {
    Integers(&'a [u8]),
    Packed(&'a [u8]),
}

/// Returns true if the bytes of that kind are integers.
fn is_of_integers(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Integers | Kind::ConvertedIntegers | Kind::ListpackIntegers
    )
}

/// The outcome of adding a member to a small set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It was there.
    Known,
    /// It was written, as a value of this kind.
    As(Kind),
    /// With it the set must be a table.
    TooLarge,
}

impl<'a> Small<'a> {
    /// A set without members: it becomes what the first member asks for.
    pub(super) const EMPTY: Small<'static> = Small::Integers(integers::EMPTY);

    /// The small set of that kind; its bytes must be sound, or those of an empty one.
    pub(super) fn of(kind: Kind, bytes: &'a [u8]) -> Self {
        if is_of_integers(kind) {
            Self::Integers(bytes)
        } else {
            Self::Packed(bytes)
        }
    }

    /// How long the longest of its integers is as text; 0 where it is packed.
    pub(super) fn longest_number(self) -> usize {
        match self {
            Self::Integers(integers) => {
                let mut ends = integers::iter(integers);
                let ends = [ends.next(), ends.next_back()];
                let len = |number| format_i64(number, &mut [0; 20]).len();
                ends.into_iter().flatten().map(len).max().unwrap_or(0)
            }
            Self::Packed(_) => 0,
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Self::Integers(integers) => integers::len(integers),
            Self::Packed(packed) => packed::len(packed),
        }
    }

    pub(super) fn contains(self, member: &[u8]) -> bool {
        match self {
            Self::Integers(integers) => {
                parse_i64(member).is_some_and(|number| integers::contains(integers, number))
            }
            Self::Packed(packed) => packed::contains(packed, member),
        }
    }

    /// The member at a place.
    pub(super) fn get(self, place: usize) -> Option<Text<'a>> {
        match self {
            Self::Integers(integers) => integers::get(integers, place).map(Text::Integer),
            Self::Packed(packed) => packed::iter(packed).nth(place).map(Text::Bytes),
        }
    }

    /// All members.
    pub(super) fn iter(self) -> impl Iterator<Item = Text<'a>> {
        let (integers, packed) = match self {
            Self::Integers(integers) => (Some(integers), None),
            Self::Packed(packed) => (None, Some(packed)),
        };
        let integers = integers.into_iter().flat_map(integers::iter);
        let packed = packed.into_iter().flat_map(packed::iter);
        integers.map(Text::Integer).chain(packed.map(Text::Bytes))
    }

    /// Writes to `out` what it becomes with one more member, where such a set has at most
    /// `items_max`, or four times as many integers.
    pub(super) fn add(self, member: &[u8], items_max: usize, out: &mut Vec<u8>) -> Added {
        match (self, parse_i64(member)) {
            (Self::Integers(integers), Some(number)) => {
                if integers::contains(integers, number) {
                    Added::Known
                } else if integers::len(integers) < 4 * items_max {
                    integers::add(integers, number, out);
                    Added::As(Kind::Integers)
                } else {
                    Added::TooLarge
                }
            }
            (Self::Packed(packed), _) if packed::contains(packed, member) => Added::Known,
            _ if self.len() >= items_max || member.len() > MEMBER_BYTES_MAX => Added::TooLarge,
            (Self::Packed(packed), _) => {
                packed::add(packed, member, out);
                Added::As(Kind::PackedSet)
            }
            (Self::Integers(integers), None) => {
                out.clear();
                out.extend_from_slice(packed::EMPTY);
                let mut text = [0; 20];
                for number in integers::iter(integers) {
                    packed::append(out, format_i64(number, &mut text));
                }
                packed::append(out, member);
                Added::As(Kind::PackedSet)
            }
        }
    }

    /// Writes to `out` what it becomes without a member, and returns its kind. `None` if the member
    /// is not there.
    pub(super) fn remove(self, member: &[u8], out: &mut Vec<u8>) -> Option<Kind> {
        match self {
            Self::Integers(integers) => {
                integers::remove(integers, parse_i64(member)?, out).then_some(Kind::Integers)
            }
            Self::Packed(packed) => packed::remove(packed, member, out).then_some(Kind::PackedSet),
        }
    }

    /// The same members in a table, whose parts bear `epoch`.
    pub(super) fn to_table(self, tables: Tables, epoch: u8) -> Table {
        let mut table = Table::empty(tables);
        for member in self.iter() {
            table.add((&member.as_bytes(&mut [0; 20]), &[]), epoch);
        }
        table
    }
}
