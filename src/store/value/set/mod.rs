//! Sets: small ones within one value, as integers if they are, and large ones as a table.

pub(in crate::store) mod integers;
mod large;
pub(in crate::store) mod made;
pub(in crate::store) mod packed;
mod small;
pub(in crate::store) mod write;

use super::parts::Show;
use super::string::Text;
use crate::rng;
use small::Small;

pub(in crate::store) use large::Table;

/// A set, to be read. It is cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a>(Kept<'a>);

#[derive(Clone, Copy, Debug)]
enum Kept<'a> {
    Small(Small<'a>),
    Table(&'a Table),
}

impl<'a> Set<'a> {
    pub(in crate::store) fn integers(integers: &'a [u8]) -> Self {
        Self(Kept::Small(Small::Integers(integers)))
    }

    pub(in crate::store) fn packed(packed: &'a [u8]) -> Self {
        Self(Kept::Small(Small::Packed(packed)))
    }

    pub(in crate::store) fn table(members: &'a Table) -> Self {
        Self(Kept::Table(members))
    }

    /// How many members it has; never 0.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Kept::Small(small) => small.len(),
            Kept::Table(members) => members.len(),
        }
    }

    /// Returns true if it has no member.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns true if it has the member.
    #[must_use]
    pub fn contains(self, member: &[u8]) -> bool {
        match self.0 {
            Kept::Small(small) => small.contains(member),
            Kept::Table(members) => members.get(member).is_some(),
        }
    }

    /// All members, in an order that holds until the set changes.
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> {
        let (small, table) = match self.0 {
            Kept::Small(small) => (Some(small), None),
            Kept::Table(members) => (None, Some(members)),
        };
        let small = small.into_iter().flat_map(Small::iter);
        let table = table.into_iter().flat_map(Table::iter);
        small.chain(table.map(|(member, _)| Text::Bytes(member)))
    }

    /// Shows about `count` members from `cursor` on, each once, and returns the cursor to go on
    /// with: the walk begins and ends with 0, and goes on as long as the set does not change.
    pub fn walk(self, cursor: u64, count: usize, show: &mut dyn FnMut(Text<'_>)) -> u64 {
        match self.0 {
            Kept::Small(small) => {
                let from = usize::try_from(cursor).unwrap_or(usize::MAX);
                small.iter().skip(from).take(count).for_each(show);
                let next = cursor.saturating_add(count as u64);
                if next < small.len() as u64 { next } else { 0 }
            }
            Kept::Table(members) => members.scan(cursor, count, &mut |member, _| {
                show(Text::Bytes(member));
            }),
        }
    }

    /// Shows about `count` members from `cursor` on, and returns the cursor to go on with, as
    /// `Store::scan` does. A small set is shown whole.
    pub fn scan(self, cursor: u64, count: usize, show: &mut dyn FnMut(Text<'_>)) -> u64 {
        match self.0 {
            Kept::Small(small) => {
                small.iter().for_each(show);
                0
            }
            Kept::Table(_) => self.walk(cursor, count, show),
        }
    }

    /// A member chosen by the 64 random bits of `draw`, each as likely as any other; `None` only in
    /// an empty set. Members of a group that hold the same set choose the same one, so that it may
    /// be taken out.
    #[must_use]
    pub fn random(self, draw: u64) -> Option<Text<'a>> {
        match self.0 {
            Kept::Small(small) => small.get(rng::below(draw, small.len() as u64) as usize),
            Kept::Table(members) => {
                let (member, _) = members.random(draw)?;
                Some(Text::Bytes(member))
            }
        }
    }

    /// Returns true if it is kept in a table, over which a walk may be cut.
    #[must_use]
    pub fn is_large(self) -> bool {
        matches!(self.0, Kept::Table(_))
    }

    /// Shows its members, as the parts of a base hold them.
    pub(in crate::store) fn show_items(self, show: Show<'_>) {
        for member in self.iter() {
            show(&[&member.as_bytes(&mut [0; 20])]);
        }
    }

    /// How long the longest of its integers is as text, where it is small and has no others.
    fn longest_number(self) -> usize {
        self.small().map_or(0, Small::longest_number)
    }

    /// The small form, where it has that.
    fn small(self) -> Option<Small<'a>> {
        match self.0 {
            Kept::Small(small) => Some(small),
            Kept::Table(_) => None,
        }
    }
}
