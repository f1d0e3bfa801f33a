//! The standing of a member in its group: the leader, and its way out.

use alloc::vec::Vec;

use crate::ids::{ConnId, NodeId, Term};
use crate::raft::{MembershipChange, ReadDone};
use crate::time::Mono;

use super::base::Identity;

/// The step before a member stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Another is to take over.
    HandingOver,
    /// Clients are sent there.
    Showing {
        /// So long.
        until: Mono,
    },
    /// Entries that were proposed are to be committed.
    Settling {
        /// Until it steps down all the same.
        until: Mono,
    },
}

/// A member's knowledge of its group's leader, and of its own place.
#[derive(Clone, Debug, Default)]
pub(super) struct Leadership {
    /// The member's own name, once its disk has said so.
    pub(super) identity: Option<Identity>,
    /// The group has other members, or had.
    pub(super) grouped: bool,
    /// It was said to be under repair.
    pub(super) repairing: bool,
    /// It was said to lack what it had acknowledged.
    pub(super) lacks: bool,
    /// It belongs to the group, or did.
    pub(super) belonged: bool,
    /// It does no longer.
    pub(super) is_removed: bool,
    /// The first change of members, which waits for what a relaxed policy has not synced.
    pub(super) first_change: Option<MembershipChange>,
    /// The term in which this member serves as leader.
    pub(super) term: Option<Term>,
    /// The leader that the operator was told last, and its term.
    pub(super) told: Option<(NodeId, Term)>,
    /// The step before this member stops.
    pub(super) leaving: Option<Leaving>,
    /// The member that led last, as far as is known.
    pub(super) last_leader: Option<NodeId>,
    /// The last round of questions that was asked.
    pub(super) round: u64,
    /// Replies were held in this turn that wait for a majority: the next round is to be asked.
    pub(super) wants_round: bool,
    /// Replies were held in this turn that a lease may let go.
    pub(super) wants_lease: bool,
    /// Clients with held replies.
    pub(super) readers: Vec<(u32, ConnId)>,
    /// The outcomes of rounds; empty between turns.
    pub(super) reads_done: Vec<ReadDone>,
    /// The clocks at the end of the last turn: the wall's in microseconds, and the monotonic one.
    pub(super) clocks: (u64, Mono),
}

/// The host and the port of an address; the host of the sixth version without its brackets.
pub(in crate::node) fn endpoint(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some((host, port.parse().ok()?))
}
