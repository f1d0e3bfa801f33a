//! An entry that is being applied, and how far that has come.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use crate::ids::LogIndex;
use crate::resp::reply::Protocol;

use super::batch::Waiter;

/// An entry that is being applied.
#[derive(Clone, Debug)]
pub(super) struct Applying {
    pub(super) index: LogIndex,
    pub(super) payload: Bytes,
    /// The place in it at which the next command begins.
    pub(super) at: usize,
    /// The next command's place.
    pub(super) place: u32,
    /// This member's clients who proposed it; on another member, and in recovery, there are none,
    /// and the replies go nowhere.
    pub(super) waiters: Vec<Waiter>,
    /// How many of them have had what they wait for.
    pub(super) settled: usize,
    /// The command in the middle of which it stands.
    pub(super) middle: Option<Middle>,
    /// How many of the next commands' keys were read ahead, or need not be.
    pub(super) fetched: usize,
}

/// A command or transaction that is not at its end.
#[derive(Clone, Debug)]
pub(super) struct Middle {
    pub(super) waiter: Option<Waiter>,
    pub(super) db: u32,
    pub(super) ranges: Vec<Range<u32>>,
    /// The reply so far, and the place at which that to the present command begins.
    pub(super) out: Vec<u8>,
    pub(super) mark: usize,
    /// The steps of a transaction.
    pub(super) steps: Option<Steps>,
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) count: u32,
    pub(super) next: u32,
    /// The step before `next` stands in its middle.
    pub(super) is_cut: bool,
    /// How the next is answered: HELLO and CLIENT REPLY may change it on the way.
    pub(super) protocol: Protocol,
    pub(super) is_silent: bool,
}

impl Applying {
    /// An entry whose first command begins at `at` in its payload.
    pub(super) fn new(index: LogIndex, payload: Bytes, at: usize, waiters: Vec<Waiter>) -> Self {
        Self {
            index,
            payload,
            at,
            place: 0,
            waiters,
            settled: 0,
            middle: None,
            fetched: 1,
        }
    }

    /// The commands that are not applied yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.payload.get(self.at..).unwrap_or_default()
    }

    /// The next of its clients that is owed something, where `wanted` says so.
    pub(super) fn waiter(&mut self, wanted: impl Fn(&Waiter) -> bool) -> Option<Waiter> {
        let next = self.waiters.get(self.settled).filter(|w| wanted(w))?;
        self.settled += 1;
        Some(next.clone())
    }
}
