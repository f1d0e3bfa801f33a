//! A member that was removed from its group: how it comes to know, and what it claims no longer.
//!
//! Its log ends with the entry that removed it, or before. It is told nothing any more, so that its
//! state stands still; its disk holds nothing that the group does not have.

use crate::ids::Incarnation;
use crate::raft::Membership;

use super::Node;
use super::effect::Note;

impl Node {
    /// Looks whether this member still belongs to the group. A removal counts when it is committed;
    /// a driver may remember one from an earlier life of the process.
    pub(super) fn tend_belonging(&mut self) {
        let Some(raft) = &self.commit.raft else {
            return;
        };
        let (id, life) = (self.config.id, raft.incarnation());
        let has = |membership: &Membership| {
            let own = membership.get(id);
            own.is_some_and(|own| own.incarnation == life || own.incarnation == Incarnation(0))
        };
        let (settled, in_force) = (has(raft.membership()), has(raft.in_force()));
        let process = &self.config.process;
        self.office.belonged |= settled || in_force || process.has_voted;
        let counts = !settled || process.was_removed;
        let is_removed = self.office.belonged && !in_force && counts && !raft.is_repairing();
        let was_removed = core::mem::replace(&mut self.office.is_removed, is_removed);
        if is_removed && !was_removed {
            self.note(Note::Removed { id });
        }
    }

    /// Whether this member was removed from its group.
    pub fn is_removed(&self) -> bool {
        self.office.is_removed
    }

    /// Whether the group, as far as this member knows, has it.
    pub fn belongs(&self) -> bool {
        let raft = self.commit.raft.as_ref();
        raft.is_some_and(|raft| {
            let life = raft.incarnation();
            let own = raft.in_force().get(self.config.id);
            own.is_some_and(|own| own.incarnation == life || own.incarnation == Incarnation(0))
        })
    }
}
