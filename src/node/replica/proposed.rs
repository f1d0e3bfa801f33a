//! Entries between their proposal and their application.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::ids::LogIndex;
use crate::node::requests::Waiter;
use crate::time::{Mono, Stamp};

/// How many bytes of entries WATCH looks through for a key.
pub(in crate::node) const SEARCHED_BYTES_MAX: usize = 256 << 10;
/// A committed entry.
#[derive(Debug)]
pub(in crate::node) struct Committed {
    pub(in crate::node) index: LogIndex,
    pub(in crate::node) stamp: Stamp,
    /// Empty where it is for Raft alone.
    pub(in crate::node) payload: Bytes,
}

/// An entry that was proposed, until it is applied.
#[derive(Clone, Debug)]
pub(super) struct Proposed {
    pub(super) index: LogIndex,
    /// When it was proposed.
    pub(super) at: Mono,
    pub(super) payload: Bytes,
    pub(super) waiters: Vec<Waiter>,
}
