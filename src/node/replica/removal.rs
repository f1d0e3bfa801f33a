//! A member that was removed from its group: how it comes to know, and what it claims no longer.
//!
//! Its log ends with the entry that removed it, or before. It is told nothing any more, so that its
//! state stands still; its disk holds nothing that the group does not have.

use crate::ids::{Incarnation, NodeId};
use crate::node::config::Config;
use crate::node::effect::Note;
use crate::raft::{Membership, Raft};

use super::Replica;

impl Replica {
    /// Looks whether this member still belongs to the group. A removal counts when it is committed;
    /// a driver may remember one from an earlier life of the process.
    pub(super) fn tend_belonging(&mut self, config: &Config) -> Option<Note> {
        let raft = self.raft.as_ref()?;
        let id = config.id;
        let settled = has(raft.membership(), id, raft);
        let in_force = has(raft.in_force(), id, raft);
        let process = &config.process;
        self.leadership.belonged |= settled || in_force || process.has_voted;
        let counts = !settled || process.was_removed;
        let is_removed = self.leadership.belonged && !in_force && counts && !raft.is_repairing();
        let was_removed = core::mem::replace(&mut self.leadership.is_removed, is_removed);
        (is_removed && !was_removed).then_some(Note::Removed { id })
    }

    /// Returns true if this member was removed from its group.
    pub(in crate::node) fn is_removed(&self) -> bool {
        self.leadership.is_removed
    }

    /// Returns true if the group, as far as this member knows, has it.
    pub(in crate::node) fn belongs(&self, own: NodeId) -> bool {
        let raft = self.raft.as_ref();
        raft.is_some_and(|raft| has(raft.in_force(), own, raft))
    }

    /// Returns true if a member is of the group, or this one has still to tell it of its removal.
    pub(in crate::node) fn speaks_to(&self, id: NodeId) -> bool {
        let raft = self.raft.as_ref();
        raft.is_some_and(|raft| {
            raft.in_force().get(id).is_some() || raft.audience().any(|one| one.id == id)
        })
    }
}

/// Returns true if a membership has this member, in the present life of its disk.
fn has(membership: &Membership, id: NodeId, raft: &Raft) -> bool {
    let own = membership.get(id).map(|own| own.incarnation);
    own.is_some_and(|life| life == raft.incarnation() || life == Incarnation(0))
}
