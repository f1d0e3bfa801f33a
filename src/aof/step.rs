//! The steps before a log may be appended to, in order.

use crate::disk::{DiskOp, FileName};

/// One thing to be done before the log may be appended to.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// An operation.
    Do(DiskOp),
    /// Reads bytes of a file and writes them again where they were.
    ///
    /// A sync may have failed under a former process: some file systems then call pages clean that
    /// never reached the disk, and reading shows them from memory. Data that is written again is
    /// dirty again, and the sync after it tells.
    WriteAgain {
        file: FileName,
        offset: u64,
        end: u64,
    },
}
