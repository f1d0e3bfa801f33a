//! A large sorted set: a table from members to scores, and a tree of both in their order.
//!
//! The table is what a base holds, part by part; the tree follows from it.

use alloc::vec::Vec;

use super::tree::Tree;
use crate::store::dict::Tables;
use crate::store::value::hash::Table;
use crate::store::value::parts::{Cover, Parts, Show};

/// Members with their scores, found by either.
#[derive(Clone, Debug)]
pub(in crate::store) struct Sorted {
    scores: Table,
    pub(super) tree: Tree,
}

/// The score that a table holds.
fn score(bytes: &[u8]) -> f64 {
    bytes
        .first_chunk()
        .map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
}

impl Sorted {
    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    /// The score of a member.
    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(score)
    }

    /// Shows about `count` members from `cursor` on, as `Store::scan` does.
    pub(super) fn scan(&self, cursor: u64, count: usize, show: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.scores.scan(cursor, count, &mut |member, value| {
            show(member, score(value));
        })
    }

    /// Gives a member the score that `choose` makes of the one it has, or of none; `None` where
    /// that is none, or the same.
    pub(in crate::store) fn update(
        &mut self,
        member: &[u8],
        choose: impl FnOnce(Option<f64>) -> Option<f64>,
        cover: &mut impl Cover,
    ) -> Option<()> {
        let (mut old, mut new) = (None, 0.0);
        self.scores.update(member, cover, |held| {
            old = held.map(score);
            new = choose(old).filter(|new| old != Some(*new))?;
            Some(new.to_le_bytes())
        })?;
        if let Some(old) = old {
            self.tree.remove((old, member));
        }
        self.tree.insert((new, member));
        Some(())
    }

    /// Removes a member; how many are left. `None` where it was not there.
    pub(in crate::store) fn remove(
        &mut self,
        member: &[u8],
        cover: &mut impl Cover,
    ) -> Option<usize> {
        let old = self.score(member)?;
        self.scores.remove(member, cover)?;
        self.tree.remove((old, member));
        Some(self.len())
    }

    /// Adds a member; `None` where it is there, or its score is none.
    pub(super) fn add(&mut self, member: &[u8], new: f64, epoch: u8) -> Option<()> {
        if new.is_nan() {
            return None;
        }
        self.scores.add((member, &new.to_le_bytes()), epoch)?;
        self.tree.insert((new, member));
        Some(())
    }
}

/// A part is some members, each with its score behind it.
impl Parts for Sorted {
    const TYPE: &'static str = "zset";

    fn empty(tables: Tables) -> Self {
        Self {
            scores: Table::empty(tables),
            tree: Tree::new(tables.tree_children_max),
        }
    }

    fn memory(&self) -> usize {
        self.scores.memory() + self.tree.memory()
    }

    #[cfg(test)]
    fn recount(&self) -> usize {
        self.scores.recount() + self.tree.recount()
    }

    #[cfg(test)]
    fn check(&self) {
        self.scores.check();
        self.tree.check();
        assert_eq!(self.scores.len(), self.tree.len());
        for (score, member) in self.tree.walk(0) {
            assert_eq!(self.score(member), Some(score));
        }
    }

    fn share(&mut self) {}

    fn hollow(&self) -> Option<Self> {
        Some(Self {
            scores: self.scores.hollow()?,
            tree: self.tree.hollow(),
        })
    }

    fn copy_on(&self, copy: &mut Self, epoch: u8) -> Option<usize> {
        let bytes = self.scores.copy_on(&mut copy.scores, epoch);
        bytes.or_else(|| self.tree.copy_on(&mut copy.tree))
    }

    fn unshared_memory(&self) -> usize {
        self.memory()
    }

    fn restamp(&mut self, epoch: u8) {
        self.scores.restamp(epoch);
    }

    fn write_part(&mut self, from: u64, epoch: u8, room: usize, part: &mut Vec<u8>) -> Option<u64> {
        self.scores.write_part(from, epoch, room, part)
    }

    fn load_part(&mut self, mut part: &[u8], epoch: u8) -> Option<()> {
        while !part.is_empty() {
            let (member, value) = Table::take_pair(&mut part)?;
            let score = f64::from_le_bytes(value.try_into().ok()?);
            self.add(member, score, epoch)?;
        }
        Some(())
    }

    fn show_part(part: &[u8], show: Show<'_>) {
        Table::show_part(part, show);
    }

    fn dismantle(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 && self.tree.dismantle() {
            *budget -= 1;
        }
        *budget == 0 || self.scores.dismantle(budget)
    }
}
