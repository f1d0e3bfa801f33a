//! The entries that a member has lost after it had acknowledged them.

use crate::ids::LogIndex;

use super::membership::Member;
use super::message::EntryId;

/// Entries that a member has acknowledged and does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The leader to which it acknowledged them.
    pub leader: Member,
    /// The last that it acknowledged.
    pub acknowledged: LogIndex,
    /// The last that it holds.
    pub last: LogIndex,
    /// How far the log must come again.
    pub owes: EntryId,
}
