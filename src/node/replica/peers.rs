//! The facts that peers have told when they connected.
//!
//! A number may have been given to another disk while the one that had it before still runs, and
//! greets too. So the last two lives of a number are kept apart: which of them counts depends on
//! the membership.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::ids::{Incarnation, NodeId};
use crate::raft::Member;

/// The facts that a peer has told.
#[derive(Clone, Debug)]
pub(in crate::node) struct Met {
    pub(in crate::node) incarnation: Incarnation,
    /// The address for its clients.
    pub(in crate::node) address: String,
    /// The port at which other members do.
    pub(in crate::node) cluster_port: u16,
    /// The versions of entries that it can apply, the oldest and the newest.
    pub(in crate::node) entry_versions: (u8, u8),
}

impl Met {
    /// Returns true if this disk is the member's. A member that never had company is written down
    /// without the life of its disk.
    fn is_of(&self, member: &Member) -> bool {
        [self.incarnation.0, 0].contains(&member.incarnation.0)
    }
}

/// The lives that have greeted with one number.
#[derive(Clone, Debug)]
struct Lives {
    last: Met,
    /// Another life, which has greeted before.
    other: Option<Met>,
}

/// Peers that have said who they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers(BTreeMap<NodeId, Lives>);

impl Peers {
    /// A peer has said who it is; `member` is the one that has this number.
    pub(super) fn meet(&mut self, id: NodeId, met: Met, member: Option<&Member>) {
        let Some(lives) = self.0.get_mut(&id) else {
            let lives = Lives {
                last: met,
                other: None,
            };
            self.0.insert(id, lives);
            return;
        };
        let before = core::mem::replace(&mut lives.last, met);
        let is_member = |met: &Met| member.is_some_and(|member| met.is_of(member));
        let keeps_other = lives.other.as_ref().is_some_and(is_member) && !is_member(&before);
        if before.incarnation != lives.last.incarnation && !keeps_other {
            lives.other = Some(before);
        }
    }

    /// The facts that the process has told that has greeted last with this number.
    pub(super) fn last(&self, id: NodeId) -> Option<&Met> {
        self.0.get(&id).map(|lives| &lives.last)
    }

    /// The facts that a member has told with its present disk.
    pub(super) fn of(&self, member: &Member) -> Option<&Met> {
        let lives = self.0.get(&member.id)?;
        let other = lives.other.as_ref();
        let mut known = core::iter::once(&lives.last).chain(other);
        known.find(|met| met.is_of(member))
    }

    /// The numbers with which somebody has greeted.
    pub(super) fn numbers(&self) -> impl Iterator<Item = NodeId> {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: NodeId = NodeId(4);

    fn met(life: u64, address: &str) -> Met {
        Met {
            incarnation: Incarnation(life),
            address: address.into(),
            cluster_port: 0,
            entry_versions: (1, 1),
        }
    }

    fn member(life: u64) -> Member {
        Member {
            id: ID,
            incarnation: Incarnation(life),
        }
    }

    fn address(peers: &Peers, life: u64) -> Option<&str> {
        peers.of(&member(life)).map(|met| met.address.as_str())
    }

    #[test]
    fn greetings_of_other_lives_do_not_take_the_place_of_a_members() {
        let mut peers = Peers::default();
        let now = member(5);
        peers.meet(ID, met(5, "new:1"), Some(&now));
        for life in [4, 3, 4] {
            peers.meet(ID, met(life, "old:1"), Some(&now));
            assert_eq!(address(&peers, 5), Some("new:1"));
        }
        assert_eq!(peers.last(ID).unwrap().incarnation, Incarnation(4));
        peers.meet(ID, met(5, "new:2"), Some(&now));
        peers.meet(ID, met(4, "old:2"), Some(&now));
        assert_eq!(address(&peers, 5), Some("new:2"));
        assert_eq!(address(&peers, 4), Some("old:2"));
    }

    #[test]
    fn one_that_greets_before_it_is_a_member_is_known_when_it_is() {
        let mut peers = Peers::default();
        peers.meet(ID, met(5, "new:1"), Some(&member(4)));
        peers.meet(ID, met(4, "old:1"), Some(&member(4)));
        assert_eq!(address(&peers, 5), Some("new:1"));
    }

    #[test]
    fn whoever_greets_is_a_member_without_a_life() {
        let mut peers = Peers::default();
        peers.meet(ID, met(5, "new:1"), None);
        assert_eq!(address(&peers, 0), Some("new:1"));
        assert_eq!(address(&peers, 6), None);
    }
}
