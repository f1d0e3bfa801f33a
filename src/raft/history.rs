//! Which membership is in force, and which were before it as far as they may come back.
//!
//! A membership is in force from the moment its entry is appended, not when it is committed (thesis
//! 4.1). An entry that a new leader supersedes takes its membership with it.

use alloc::vec::Vec;

use crate::ids::{Incarnation, LogIndex, NodeId};

use super::entry::Entry;
use super::membership::{Member, Membership};

#[derive(Clone, Debug)]
pub(super) struct History {
    /// The one at the last applied entry.
    settled: Membership,
    /// Those of later entries, in order.
    later: Vec<(LogIndex, Membership)>,
}

impl History {
    pub(super) fn new(mut settled: Membership, id: NodeId, incarnation: Incarnation) -> Self {
        settled.name_incarnation(id, incarnation);
        let later = Vec::new();
        Self { settled, later }
    }

    /// The membership in force.
    pub(super) fn in_force(&self) -> &Membership {
        let last = self.later.last();
        last.map_or(&self.settled, |(_, membership)| membership)
    }

    /// Returns true if this member may have to lead: it votes, or did until an entry that is not
    /// committed removed it. Without the latter a group can stand still: who was removed has the
    /// longer log, and whoever was not may need its vote (thesis 4.2.2).
    pub(super) fn may_lead(&self, me: &Member, commit: LogIndex) -> bool {
        let votes = |membership: &Membership| {
            membership.is_voter(me.id) && membership.get(me.id) == Some(me)
        };
        self.is_or_may_be_again(commit, votes)
    }

    /// Returns true if this member belongs to the group, or did until an entry that is not
    /// committed removed it.
    pub(super) fn belongs(&self, me: &Member, commit: LogIndex) -> bool {
        self.is_or_may_be_again(commit, |membership| membership.get(me.id) == Some(me))
    }

    fn is_or_may_be_again(&self, commit: LogIndex, is: impl Fn(&Membership) -> bool) -> bool {
        let is_open = self.unsettled().is_some_and(|index| index > commit);
        let was = || is(&self.settled) || self.later.iter().any(|(_, earlier)| is(earlier));
        is(self.in_force()) || is_open && was()
    }

    /// The entry that brought it into force, if that is not applied yet.
    pub(super) fn unsettled(&self) -> Option<LogIndex> {
        self.later.last().map(|(index, _)| *index)
    }

    /// The membership at the last applied entry.
    pub(super) fn settled(&self) -> &Membership {
        &self.settled
    }

    /// An entry was appended; true if it changes the membership.
    pub(super) fn appended(&mut self, entry: &Entry) -> bool {
        let Some(membership) = entry.membership() else {
            return false;
        };
        self.later.push((entry.index, membership));
        true
    }

    /// The entry at an index and all behind it are gone; true if that changes the membership.
    pub(super) fn truncated(&mut self, from: LogIndex) -> bool {
        let before = self.later.len();
        self.later.retain(|(index, _)| *index < from);
        self.later.len() != before
    }

    /// An entry was applied.
    pub(super) fn applied(&mut self, index: LogIndex) {
        while let Some((own, membership)) = self.later.first_mut() {
            if *own > index {
                return;
            }
            core::mem::swap(&mut self.settled, membership);
            self.later.remove(0);
        }
    }

    /// A state brings its own membership; what stood in entries up to it is forgotten, and what
    /// stood behind it, where the log was cut.
    pub(super) fn installed(&mut self, index: LogIndex, membership: Membership, is_cut: bool) {
        self.later.retain(|(own, _)| *own > index && !is_cut);
        self.settled = membership;
    }
}
