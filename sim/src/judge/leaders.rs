//! The members that a member has known to lead, and when: where it may send its clients.

use std::collections::{BTreeMap, VecDeque};

use seedis::ids::{Incarnation, NodeId};
use seedis::raft::Raft;

/// How many changes of the leader that a member knows are kept.
const LEADERS_KEPT: usize = 64;

/// The members to which a member may send its clients.
#[derive(Clone, Debug, Default)]
pub(super) struct Redirects {
    /// The addresses of the members that it has met, by number and life of the disk.
    met: BTreeMap<(NodeId, Incarnation), String>,
    /// The life of each number that it has met last.
    latest: BTreeMap<NodeId, Incarnation>,
    /// The addresses of those that it knew to lead, and since when, in nanoseconds; nothing where
    /// it knew none, or led itself.
    leaders: VecDeque<(u64, Option<String>)>,
}

impl Redirects {
    /// The member hears the address of another.
    pub(super) fn meets(&mut self, other: (NodeId, Incarnation), address: &str) {
        self.met.insert(other, address.to_owned());
        self.latest.insert(other.0, other.1);
    }

    /// The member knows somebody to lead, or nobody.
    pub(super) fn follows(&mut self, raft: Option<&Raft>, time: u64) {
        let address = raft.and_then(|raft| self.address_of_leader(raft)).cloned();
        if self.leaders.back().is_none_or(|(_, last)| *last != address) {
            self.leaders.push_back((time, address));
        }
        if self.leaders.len() > LEADERS_KEPT {
            self.leaders.pop_front();
        }
    }

    /// The address that the leader has told with the disk that is a member, where it is one.
    fn address_of_leader(&self, raft: &Raft) -> Option<&String> {
        let leader = raft.leader()?;
        let member = raft.in_force().get(leader).map(|one| one.incarnation);
        // Who never had company is written down without the life of its disk.
        let member = member.filter(|life| *life != Incarnation(0));
        let life = member.or_else(|| self.latest.get(&leader).copied())?;
        self.met.get(&(leader, life))
    }

    /// The addresses of those that it knew to lead at some time since a moment; nothing where it
    /// knew none, or led itself.
    pub(super) fn since(&self, time: u64) -> Vec<Option<String>> {
        let before = self.leaders.partition_point(|(since, _)| *since <= time);
        let known = self.leaders.iter().skip(before.saturating_sub(1));
        let mut known: Vec<Option<String>> = known.map(|(_, address)| address.clone()).collect();
        if before == 0 {
            known.push(None);
        }
        known
    }
}
