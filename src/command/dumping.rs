//! A payload on its way out of the store or into it, from piece to piece of a long command.

use alloc::vec::Vec;

use crate::rdb::Reading;

/// A payload that is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Dumping {
    pub(super) bytes: Vec<u8>,
    /// The place at which the walk over the value goes on.
    pub(super) cursor: u64,
    /// All of the value is written.
    pub(super) is_whole: bool,
    pub(super) summed: Summed,
}

/// The checksum of the first bytes of a payload.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summed {
    pub(super) count: usize,
    pub(super) sum: u64,
}

/// A payload that is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Restoring {
    pub(super) stage: Stage,
    pub(super) summed: Summed,
    pub(super) reading: Option<Reading>,
    /// How many items were read.
    pub(super) items: u64,
}

/// The stages of RESTORE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Arguments and the version are looked at.
    #[default]
    Look,
    /// The checksum is made.
    Sum,
    /// The items are read, to see whether they are any.
    Check,
    /// They are written.
    Write,
}
