//! A set that is being made and that no key holds yet.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::large::Table;
use super::small::{Added, Small};
use crate::store::big::{self, Made};
use crate::store::dict::Tables;
use crate::store::encoding::{Borders, Encoding};
use crate::store::kind::Kind;
use crate::store::value::Large;
use crate::store::value::parts::Parts;
use crate::store::value::string::parse_i64;

/// A set of its own, which takes the place of a key's value when it is done.
#[derive(Clone, Debug)]
pub struct NewSet {
    kept: Kept,
    tables: Tables,
    borders: Borders,
    encoding: Encoding,
    epoch: u8,
    scratch: Vec<u8>,
}

/// How its members are kept.
#[derive(Clone, Debug)]
enum Kept {
    Small(Kind, Vec<u8>),
    Table(Box<Table>),
}

impl NewSet {
    /// One without members, small as that kind is; `empty` is its form without members.
    pub(super) fn new(
        kind: Kind,
        empty: &[u8],
        (tables, borders): (Tables, Borders),
        epoch: u8,
    ) -> Self {
        Self {
            kept: Kept::Small(kind, empty.to_vec()),
            tables,
            borders,
            encoding: kind.encoding(),
            epoch,
            scratch: Vec::new(),
        }
    }

    /// The value that it is now.
    pub(super) fn into_made(self) -> Made {
        let kept = match self.kept {
            Kept::Small(kind, bytes) => big::Kept::Small(kind.with(self.encoding), bytes),
            Kept::Table(table) => big::Kept::Large(Large::SetTable(table), self.encoding),
        };
        let epoch = self.epoch;
        Made { kept, epoch }
    }

    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.kept {
            Kept::Small(kind, bytes) => Small::of(*kind, bytes).len(),
            Kept::Table(table) => table.len(),
        }
    }

    /// Returns true if it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if it is large, so that freeing it takes a while.
    #[must_use]
    pub fn is_large(&self) -> bool {
        matches!(self.kept, Kept::Table(_))
    }

    /// Adds a member. Returns true if it is new.
    pub fn add(&mut self, member: &[u8]) -> bool {
        let is_new = self.keep(member);
        if is_new && self.encoding != Encoding::Table {
            let is_number = parse_i64(member).is_some();
            let held = match &self.kept {
                Kept::Small(kind, bytes) => Small::of(*kind, bytes).longest_number(),
                Kept::Table(_) => 0,
            };
            let longest = member.len().max(held);
            let len = self.len();
            self.encoding = self
                .borders
                .set_after(self.encoding, len, is_number, longest);
        }
        is_new
    }

    fn keep(&mut self, member: &[u8]) -> bool {
        let (kind, bytes) = match &mut self.kept {
            Kept::Table(table) => return table.add((member, &[]), self.epoch).is_some(),
            Kept::Small(kind, bytes) => (kind, bytes),
        };
        let small = Small::of(*kind, bytes);
        match small.add(member, self.tables.small_items_max, &mut self.scratch) {
            Added::Known => false,
            Added::As(new) => {
                *kind = new;
                mem::swap(bytes, &mut self.scratch);
                true
            }
            Added::TooLarge => {
                let mut table = small.to_table(self.tables, self.epoch);
                let is_new = table.add((member, &[]), self.epoch).is_some();
                self.kept = Kept::Table(Box::new(table));
                is_new
            }
        }
    }

    /// Frees as much as `budget` allows, and takes that off it. Returns true if anything is left.
    pub fn dismantle(&mut self, budget: &mut usize) -> bool {
        match &mut self.kept {
            Kept::Small(..) => false,
            Kept::Table(table) => table.dismantle(budget),
        }
    }
}
