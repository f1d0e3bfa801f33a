//! Members of a set that are looked for in other sets, one set after the other.

use alloc::vec::Vec;
use core::ops::Range;

/// Some members, with their scores where they have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    members: Vec<(Range<usize>, f64)>,
}

impl Batch {
    /// How many members are left.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns true if none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The bytes of all members that were added.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a member.
    pub(super) fn push(&mut self, member: &[u8], score: f64) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(member);
        self.members.push((start..self.bytes.len(), score));
    }

    /// Lets each member have the score that `score` returns for it, and drops those without.
    pub(super) fn retain(&mut self, mut score: impl FnMut(&[u8], f64) -> Option<f64>) {
        let Self { bytes, members } = self;
        members.retain_mut(|(range, own)| {
            let new = score(&bytes[range.clone()], *own);
            *own = new.unwrap_or(*own);
            new.is_some()
        });
    }

    /// The members that are left, in the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], f64)> {
        let members = self.members.iter();
        members.map(|(range, score)| (&self.bytes[range.clone()], *score))
    }

    /// Forgets all members.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.members.clear();
    }
}
