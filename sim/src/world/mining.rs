//! Shows a miner of relations what a member is behind a turn.

use super::World;
use super::arrivals::machine_of;
use crate::mine::{Facts, Observed};

impl World {
    /// A member has ended a turn.
    pub(super) fn show_miner(&mut self, number: usize) {
        let Some(miner) = &mut self.miner else {
            return;
        };
        let member = &self.members[number];
        let Some(node) = &member.node else {
            return;
        };
        let (Some(facts), Some(raft)) = (Facts::of(node, member.config.id.0), node.raft()) else {
            return;
        };
        let membership = raft.in_force();
        let voters = membership
            .members()
            .filter(|other| membership.is_voter(other.id))
            .map(|other| machine_of(other.incarnation));
        let observed = Observed {
            member: number,
            disk: member.incarnation().0,
            life: member.life,
            voters: voters.collect(),
            facts,
        };
        miner.saw(observed, self.events);
    }
}
