//! The meaning of entries has versions: a group applies by one that all its members know.
//!
//! The version is part of the replicated state. An entry raises it, which the leader proposes when
//! every member has said that it knows a later one; it is never lowered. So members of two
//! neighbouring versions may stand in one group, and none applies an entry in another way than the
//! others do.

use alloc::format;
use alloc::string::String;

use crate::ids::{LogIndex, Term};

/// The versions of entries that this code can apply, the oldest and the newest.
pub const ENTRY_VERSIONS: (u8, u8) = (1, 1);

/// The version by which a group applies its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryVersion {
    /// Its number.
    pub number: u8,
    /// The entry that has raised it; 0: none has, the group has begun with it.
    pub since: LogIndex,
}

impl Default for EntryVersion {
    fn default() -> Self {
        Self {
            number: 1,
            since: LogIndex(0),
        }
    }
}

impl EntryVersion {
    /// Why one that knows these versions cannot apply entries of this one, for its operator;
    /// nothing where it can.
    pub(in crate::node) fn beyond(self, (oldest, newest): (u8, u8)) -> Option<String> {
        let (number, since) = (self.number, self.since.0);
        if number > newest {
            Some(format!(
                "this group speaks version {number} of entries since entry {since}, this binary \
                 knows up to {newest}: upgrade it"
            ))
        } else if number < oldest {
            Some(format!(
                "this group speaks version {number} of entries, this binary knows none before \
                 {oldest}: run the version before it until RAFT INFO shows entry_version:{oldest} \
                 and a base is written behind that (RAFT SNAPSHOT), then upgrade"
            ))
        } else {
            None
        }
    }
}

/// The version of which a leader has proposed to raise its group, and the term in which it did.
pub(super) type Raising = Option<(Term, u8)>;
