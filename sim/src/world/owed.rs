//! The notes on what members owe to each other, and what a group at rest was like.

use std::collections::BTreeMap;

use seedis::ids::{LogIndex, NodeId, Term};
use seedis::time::Stamp;

/// A former member that is still to be told that it is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    /// The entry by which it is none.
    pub(super) index: LogIndex,
    /// When it was none yet, by the leader's clock, in nanoseconds.
    pub(super) since: u64,
}

/// The state of a leader in its term.
#[derive(Clone, Debug, Default)]
pub(super) struct Leading {
    pub(super) life: u64,
    pub(super) term: Term,
    pub(super) members: Vec<NodeId>,
    pub(super) leaving: BTreeMap<NodeId, Leaving>,
    /// The clock at the last look.
    pub(super) looked: u64,
    /// Up to where others were told what is committed.
    pub(super) told: BTreeMap<NodeId, LogIndex>,
    /// The first entry in memory, and the largest that stood there.
    pub(super) first: Option<LogIndex>,
    pub(super) largest: usize,
    /// Since when it leads.
    pub(super) since: Option<(u64, u64)>,
}

/// The members when nobody asked for anything any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    pub(super) since: Option<u64>,
    /// The last entry that any member has applied.
    pub(super) applied: u64,
    /// The term in which somebody leads.
    pub(super) led: Option<Term>,
    /// When a member was sampled last, in nanoseconds.
    pub(super) sampled: u64,
    pub(super) next: Vec<Option<Stamp>>,
}
