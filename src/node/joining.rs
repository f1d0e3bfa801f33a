//! How somebody new comes into the group: first it learns the log, then it votes (thesis 4.2.1).
//!
//! A newcomer asks again and again, all whom it knows, until it votes. Whoever leads does the next
//! step if it can be done now, so that nothing has to be remembered when another leads.

use alloc::vec::Vec;

use crate::ids::{Incarnation, NodeId};
use crate::raft::{Change, Member};

use super::Node;
use super::greeting::Standing;

impl Node {
    /// What this member belongs to; nothing while its disk has not said so.
    pub fn standing_in_group(&self) -> Option<(Incarnation, Standing)> {
        let identity = self.office.identity.as_ref()?;
        let founders = crate::raft::Membership::decode(&identity.founders).ok()?;
        let founders: Vec<_> = founders
            .members()
            .map(|member| (member.id, member.incarnation))
            .collect();
        let cluster = identity.cluster;
        Some((identity.incarnation, Standing::Member { cluster, founders }))
    }

    /// Somebody who has connected wants to be a voter of this group.
    pub(super) fn wants_in(&mut self, id: NodeId) {
        let (Some(raft), Some(met)) = (&self.commit.raft, self.met.get(&id)) else {
            return;
        };
        let membership = raft.in_force();
        if !raft.is_leader() || membership.is_voter(id) || self.commit.log.is_none() {
            return;
        }
        let incarnation = met.incarnation;
        let change = match membership.get(id) {
            Some(_) => Change::Promote(id),
            None => Change::AddLearner(Member { id, incarnation }),
        };
        if !self.office.grouped && !self.is_synced() {
            if self.office.first_change.is_none() {
                self.change_when_synced(change);
            }
            return;
        }
        // What cannot be done now is asked for again.
        let _ = self.begin_change(change);
    }
}
