//! The members that a member has known to lead, and when: where it may send its clients.

use std::collections::{BTreeMap, VecDeque};

use seedis::ids::NodeId;

/// How many changes of the leader that a member knows are kept.
const LEADERS_KEPT: usize = 64;

/// The members to which a member may send its clients.
#[derive(Clone, Debug, Default)]
pub(super) struct Redirects {
    /// The addresses of the members that it has met, by number.
    met: BTreeMap<NodeId, String>,
    /// The addresses of those that it knew to lead, and since when, in nanoseconds; nothing where
    /// it knew none, or led itself.
    leaders: VecDeque<(u64, Option<String>)>,
}

impl Redirects {
    /// The member hears the address of another.
    pub(super) fn meets(&mut self, other: NodeId, address: &str) {
        self.met.insert(other, address.to_owned());
    }

    /// The member knows this one to lead.
    pub(super) fn follows(&mut self, leader: Option<NodeId>, time: u64) {
        let address = leader.and_then(|leader| self.met.get(&leader)).cloned();
        if self.leaders.back().is_none_or(|(_, last)| *last != address) {
            self.leaders.push_back((time, address));
        }
        if self.leaders.len() > LEADERS_KEPT {
            self.leaders.pop_front();
        }
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
