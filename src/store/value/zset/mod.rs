//! Sorted sets: small ones within one value, large ones as a table and a tree.

#![allow(clippy::float_cmp, reason = "scores are equal or they are not")]

mod leaf;
pub(in crate::store) mod made;
pub(in crate::store) mod packed;
pub(in crate::store) mod table;
pub(in crate::store) mod tree;
pub(in crate::store) mod write;

use core::iter;

use super::parts::Show;
use table::Sorted;

/// A sorted set, to be read. It is cheap to copy.
///
/// Members stand in the order of their scores, and of their bytes where scores are equal; a rank
/// counts from 0.
#[derive(Clone, Copy, Debug)]
pub struct Zset<'a>(Kept<'a>);

#[derive(Clone, Copy, Debug)]
enum Kept<'a> {
    Packed(&'a [u8]),
    Sorted(&'a Sorted),
}

impl<'a> Zset<'a> {
    pub(in crate::store) fn packed(packed: &'a [u8]) -> Self {
        Self(Kept::Packed(packed))
    }

    pub(in crate::store) fn sorted(sorted: &'a Sorted) -> Self {
        Self(Kept::Sorted(sorted))
    }

    /// How many members it has; never 0.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Kept::Packed(packed) => packed::len(packed),
            Kept::Sorted(sorted) => sorted.len(),
        }
    }

    /// Returns true if it has no member.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    #[must_use]
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self.0 {
            Kept::Packed(packed) => {
                let mut entries = packed::iter(packed);
                entries
                    .find(|(_, held)| *held == member)
                    .map(|(score, _)| score)
            }
            Kept::Sorted(sorted) => sorted.score(member),
        }
    }

    /// How many members come before the first that is not `before`. A member that is before comes
    /// ahead of all that are not.
    pub fn partition(self, before: &dyn Fn(f64, &[u8]) -> bool) -> usize {
        match self.0 {
            Kept::Packed(packed) => {
                let entries = packed::iter(packed);
                entries
                    .take_while(|(score, member)| before(*score, member))
                    .count()
            }
            Kept::Sorted(sorted) => sorted
                .tree
                .partition(&|(score, member)| before(score, member)),
        }
    }

    /// The rank of a member.
    #[must_use]
    pub fn rank(self, member: &[u8]) -> Option<usize> {
        let own = (self.score(member)?, member);
        Some(self.partition(&|score, held| leaf::order((score, held), own).is_lt()))
    }

    /// The members from a rank on, with their scores.
    pub fn walk(self, rank: usize) -> impl Iterator<Item = (&'a [u8], f64)> {
        let entries = match self.0 {
            Kept::Packed(packed) => Steps::Packed(packed::iter(packed).skip(rank)),
            Kept::Sorted(sorted) => Steps::Tree(sorted.tree.walk(rank)),
        };
        entries.map(|(score, member)| (member, score))
    }

    /// Shows `count` members from the rank `from` on, and returns the rank to go on with, 0 at the
    /// end.
    pub fn show(self, from: u64, count: usize, show: &mut dyn FnMut(&[u8], f64)) -> u64 {
        let members = self.walk(from as usize).take(count);
        members.for_each(|(member, score)| show(member, score));
        let next = from.saturating_add(count as u64);
        if next < self.len() as u64 { next } else { 0 }
    }

    /// The members before a rank, the last first.
    pub fn walk_back(self, rank: usize) -> impl Iterator<Item = (&'a [u8], f64)> {
        let entries = match self.0 {
            Kept::Packed(packed) => {
                let (mut starts, mut count) = ([0; packed::MEMBERS_MAX], 0);
                let (all, mut entries) = (packed::iter(packed), packed::iter(packed));
                for start in &mut starts[..rank.min(packed::len(packed))] {
                    *start = (all.0.len() - entries.0.len()) as u16;
                    entries.next();
                    count += 1;
                }
                StepsBack::Packed(all.0, starts, count)
            }
            Kept::Sorted(sorted) => StepsBack::Tree(sorted.tree.walk_back(rank)),
        };
        entries.map(|(score, member)| (member, score))
    }

    /// Shows about `count` members from `cursor` on, and returns the cursor to go on with, as
    /// `Store::scan` does. A small set is shown whole.
    pub fn scan(self, cursor: u64, count: usize, show: &mut dyn FnMut(&[u8], f64)) -> u64 {
        match self.0 {
            Kept::Packed(packed) => {
                for (score, member) in packed::iter(packed) {
                    show(member, score);
                }
                0
            }
            Kept::Sorted(sorted) => sorted.scan(cursor, count, show),
        }
    }

    /// Shows its members, each with its score, as the parts of a base hold them.
    pub(in crate::store) fn show_items(self, show: Show<'_>) {
        for (member, score) in self.walk(0) {
            show(&[member, &score.to_le_bytes()]);
        }
    }

    /// The packed form, where it has that.
    fn as_packed(self) -> Option<&'a [u8]> {
        match self.0 {
            Kept::Packed(packed) => Some(packed),
            Kept::Sorted(_) => None,
        }
    }
}

enum Steps<'a> {
    Packed(iter::Skip<packed::Iter<'a>>),
    Tree(tree::Walk<'a>),
}

impl<'a> Iterator for Steps<'a> {
    type Item = leaf::Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Packed(entries) => entries.next(),
            Self::Tree(entries) => entries.next(),
        }
    }
}

enum StepsBack<'a> {
    /// Entries, where they begin, and how many are left.
    Packed(&'a [u8], [u16; packed::MEMBERS_MAX], usize),
    Tree(tree::WalkBack<'a>),
}

impl<'a> Iterator for StepsBack<'a> {
    type Item = leaf::Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Packed(entries, starts, left) => {
                *left = left.checked_sub(1)?;
                packed::Iter(&entries[usize::from(starts[*left])..]).next()
            }
            Self::Tree(entries) => entries.next(),
        }
    }
}
