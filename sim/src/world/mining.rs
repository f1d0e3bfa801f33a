//! R28: relations between the figures of members, those that were adopted and those that a miner
//! looks for.

use super::World;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::relations::{Facts, Observed};

impl World {
    /// A member of a group has ended a turn.
    pub(super) fn check_relations(&mut self, number: usize) -> Verdict {
        if self.members.len() == 1 {
            return Ok(());
        }
        let member = &self.members[number];
        let raft = member.node.as_ref().and_then(|node| node.raft());
        let (Some(node), Some(raft)) = (&member.node, raft) else {
            return Ok(());
        };
        let membership = raft.in_force();
        let voters = membership
            .members()
            .filter(|other| membership.is_voter(other.id))
            .map(|other| other.incarnation.0);
        let observed = Observed {
            disk: member.incarnation().0,
            life: member.life,
            voters: voters.collect(),
            facts: Facts::of(node, raft, member.config.id.0),
        };
        if let Some(miner) = &mut self.miner {
            miner.saw(&observed, self.events);
        }
        match self.adopted.saw(&observed, self.events) {
            None => Ok(()),
            Some(relation) => {
                let text = format!("{relation}: member {number} has {:?}", observed.facts);
                Err(Violation::new(Id::R28, text))
            }
        }
    }
}
