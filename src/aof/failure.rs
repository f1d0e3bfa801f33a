//! Why a log can no longer be believed, so that its node must stop.

use core::fmt;

use crate::disk::DiskError;

/// Why a node must stop: its log can no longer be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A sync has failed; what it should have made durable may be lost, and asking again would not
    /// tell.
    Sync(DiskError),
    /// A write has failed for another reason than a lack of space.
    Write(DiskError),
    /// The switch to a new base was under way, and which files count is not known.
    Switch(DiskError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, error) = match self {
            Self::Sync(error) => ("a sync of the log failed", error),
            Self::Write(error) => ("a write to the log failed", error),
            Self::Switch(error) => ("the switch to the rewritten log failed", error),
        };
        write!(f, "{what}: {}", error.words())?;
        f.write_str("; what was synced is not affected, start again when the disk works")
    }
}
