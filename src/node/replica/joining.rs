//! How somebody new comes into the group: the leader gives it a number, it learns the log, then it
//! votes (thesis 4.2.1).
//!
//! A number is given by a committed change of members that names the life of the newcomer's disk,
//! so that no two can have the same. A newcomer asks again and again, all whom it knows, until it
//! votes. The leader does the next step if it can be done now, so that nothing has to be remembered
//! when another leads.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{Incarnation, NodeId};
use crate::node::replica::greeting::{Admission, Standing};
use crate::raft::{MEMBERS_MAX, Member, MembershipChange, Raft};

use super::Replica;

impl Replica {
    /// The group of this member; nothing while its disk has not said so.
    pub(in crate::node) fn standing_in_group(&self) -> Option<(Incarnation, Standing)> {
        let identity = self.leadership.identity.as_ref()?;
        let founders = crate::raft::Membership::decode(&identity.founders).ok()?;
        let founders: Vec<_> = founders
            .members()
            .map(|member| (member.id, member.incarnation))
            .collect();
        let cluster = identity.cluster;
        Some((identity.incarnation, Standing::Member { cluster, founders }))
    }

    /// The answer to a newcomer that has asked for a number, or for a certain one.
    ///
    /// Only the leader says which one it has: others may not know that it was removed since.
    pub(in crate::node) fn admission(&self, wanted: NodeId, incarnation: Incarnation) -> Admission {
        let Some(raft) = self.raft.as_ref().filter(|_| self.may_take_in()) else {
            return Admission::Elsewhere;
        };
        // One that was written down without the life of its disk is nobody's to be.
        let has_life = incarnation != Incarnation(0);
        let same_life = |member: &Member| has_life && member.incarnation == incarnation;
        let settled = raft.membership().members().find(|one| same_life(one));
        let in_force = raft.in_force();
        if let Some(member) = settled
            && in_force.get(member.id).is_some_and(same_life)
        {
            return Admission::Given(member.id);
        }
        let is_taken = in_force.get(wanted).is_some_and(|now| !same_life(now));
        if is_taken {
            Admission::Taken(wanted)
        } else if in_force.members().count() >= MEMBERS_MAX {
            Admission::Full
        } else {
            Admission::Soon
        }
    }

    /// For what this member waits that is to vote, for people.
    pub(in crate::node) fn waits_for_vote(&self, own: NodeId) -> String {
        let Some(raft) = &self.raft else {
            return "it is still reading its own files".to_owned();
        };
        let applied = self.applied.0;
        let known = raft.membership().get(own);
        let is_member = known.is_some_and(|known| known.incarnation == raft.incarnation());
        match raft.leader() {
            None => "no leader of the group is known".to_owned(),
            Some(leader) if is_member => format!(
                "member {} leads, and this learner has applied the log up to entry {applied}",
                leader.0
            ),
            Some(leader) => format!(
                "member {} leads, and up to entry {applied} the group did not have this disk as \
                 member {}",
                leader.0, own.0
            ),
        }
    }

    /// A newcomer asks for a number, or for a certain one: the change that gives it one, if it is
    /// to be begun now.
    pub(in crate::node) fn asks_for_number(
        &self,
        wanted: NodeId,
        incarnation: Incarnation,
    ) -> Option<MembershipChange> {
        let is_asked = self.admission(wanted, incarnation) == Admission::Soon;
        let raft = self.raft.as_ref().filter(|_| is_asked)?;
        let in_force = raft.in_force();
        // It is on its way.
        if in_force.members().any(|one| one.incarnation == incarnation) {
            return None;
        }
        let id = if wanted == NodeId(0) {
            self.free_number(raft)
        } else {
            wanted
        };
        Some(MembershipChange::AddLearner(Member { id, incarnation }))
    }

    /// A process that has greeted wants to be a voter of this group: the change that is its next
    /// step.
    pub(in crate::node) fn wants_in(&self, asks: Member) -> Option<MembershipChange> {
        let has_greeted = self.peers.of(&asks).is_some();
        let raft = self.raft.as_ref().filter(|_| has_greeted)?;
        let membership = raft.in_force();
        if !raft.is_leader() || membership.is_voter(asks.id) || self.log.is_none() {
            return None;
        }
        match membership.get(asks.id) {
            Some(known) if *known == asks => Some(MembershipChange::Promote(asks.id)),
            // The number has been given to another disk.
            Some(_) => None,
            None => Some(MembershipChange::AddLearner(asks)),
        }
    }

    /// Returns true if this member knows who belongs to the group, and may change it: it leads, and
    /// keeps a log.
    fn may_take_in(&self) -> bool {
        let raft = self.raft.as_ref();
        raft.is_some_and(Raft::is_leader) && self.serves() && self.log.is_some()
    }

    /// A number that nobody has, and that nobody who may still run is known to have had.
    fn free_number(&self, raft: &Raft) -> NodeId {
        let members = raft.in_force().members().map(|member| member.id);
        let settled = raft.membership().members().map(|member| member.id);
        let used: Vec<NodeId> = members.chain(settled).chain(self.peers.numbers()).collect();
        let next = used.iter().max().and_then(|last| last.0.checked_add(1));
        let free = || (1..=u64::MAX).find(|number| !used.contains(&NodeId(*number)));
        NodeId(next.or_else(free).unwrap_or(1))
    }
}
