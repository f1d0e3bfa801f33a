//! A sorted set that is being made and that no key holds yet.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::table::Sorted;
use super::{Zset, packed};
use crate::store::big::{self, Made};
use crate::store::dict::Tables;
use crate::store::encoding::{Borders, Encoding};
use crate::store::kind::Kind;
use crate::store::value::Large;
use crate::store::value::parts::{Cover, Parts};

/// A sorted set of its own, which takes the place of a key's value when it is done.
#[derive(Clone, Debug)]
pub struct NewZset {
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
    Packed(Vec<u8>),
    Sorted(Box<Sorted>),
}

/// No base owes anything of a set that no key holds.
struct Uncovered(u8);

impl Cover for Uncovered {
    fn epoch(&self) -> u8 {
        self.0
    }

    fn part(&mut self, _: u8, _: impl FnOnce(&mut Vec<u8>)) {}
}

impl NewZset {
    /// One without members.
    pub(super) fn new((tables, borders): (Tables, Borders), epoch: u8) -> Self {
        Self {
            kept: Kept::Packed(packed::EMPTY.to_vec()),
            tables,
            borders,
            encoding: Encoding::Listpack,
            epoch,
            scratch: Vec::new(),
        }
    }

    /// The value that it is now.
    pub(super) fn into_made(self) -> Made {
        let kept = match self.kept {
            Kept::Packed(packed) => big::Kept::Small(Kind::PackedZset.with(self.encoding), packed),
            Kept::Sorted(sorted) => big::Kept::Large(Large::Sorted(sorted), self.encoding),
        };
        let epoch = self.epoch;
        Made { kept, epoch }
    }

    /// The set as it is now; `None` where it has no member.
    #[must_use]
    pub fn read(&self) -> Option<Zset<'_>> {
        let zset = match &self.kept {
            Kept::Packed(packed) => Zset::packed(packed),
            Kept::Sorted(sorted) => Zset::sorted(sorted),
        };
        (!zset.is_empty()).then_some(zset)
    }

    /// How many members it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().map_or(0, Zset::len)
    }

    /// Returns true if it has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if it is large, so that freeing it takes a while.
    #[must_use]
    pub fn is_large(&self) -> bool {
        matches!(self.kept, Kept::Sorted(_))
    }

    /// Gives a member the score, which is a number, that `score` makes of the one it has, or of
    /// none.
    pub fn put(&mut self, member: &[u8], score: impl FnOnce(Option<f64>) -> f64) {
        let old = self.read().and_then(|zset| zset.score(member));
        let new = score(old);
        if old.map(f64::to_bits) == Some(new.to_bits()) {
            return;
        }
        let len = self.len() + usize::from(old.is_none());
        self.encoding = self.borders.zset.after(self.encoding, len, member.len());
        if let Kept::Packed(packed) = &mut self.kept {
            let held = old.map(|old| (old, member));
            let most = self.tables.small_items_max;
            if packed::replace(packed, held, Some((new, member)), most, &mut self.scratch) {
                mem::swap(packed, &mut self.scratch);
                return;
            }
            let mut sorted = Sorted::empty(self.tables);
            for (score, member) in packed::iter(packed) {
                sorted.add(member, score, self.epoch);
            }
            self.kept = Kept::Sorted(Box::new(sorted));
        }
        if let Kept::Sorted(sorted) = &mut self.kept {
            let mut cover = Uncovered(self.epoch);
            // The other zero is another score, and equal to this one.
            if old == Some(new) {
                sorted.remove(member, &mut cover);
            }
            if old.is_none() || old == Some(new) {
                sorted.add(member, new, self.epoch);
            } else {
                sorted.update(member, |_| Some(new), &mut cover);
            }
        }
    }

    /// Frees as much as `budget` allows, and takes that off it. Returns true if anything is left.
    pub fn dismantle(&mut self, budget: &mut usize) -> bool {
        match &mut self.kept {
            Kept::Packed(_) => false,
            Kept::Sorted(sorted) => sorted.dismantle(budget),
        }
    }
}
