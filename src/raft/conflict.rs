//! Logs that contradict each other: a leader's entries, and what is committed here.

use crate::ids::{LogIndex, NodeId, Term};

/// The first place found at which a leader's log differs from what is committed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The leader.
    pub leader: NodeId,
    /// The index.
    pub index: LogIndex,
    /// The term of the entry in this member's log.
    pub own: Term,
    /// The term of the entry in the leader's.
    pub leaders: Term,
}

/// The news of contradictions that the owner has not heard yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Conflicts {
    /// This member takes nothing from the present leader.
    pub(super) present: bool,
    /// An entry of this log is another than the leader's of the same term: that the terms of later
    /// ones agree means nothing.
    pub(super) is_lasting: bool,
    /// The last one that was found.
    pub(super) last: Option<Conflict>,
    pub(super) is_untold: bool,
    /// A member that contradicts this leader.
    pub(super) untold_member: Option<NodeId>,
}
