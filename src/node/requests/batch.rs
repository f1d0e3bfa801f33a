//! The writes of a turn, until they become an entry, and the clients that wait for them.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::command::row::Row;
use crate::copying;
use crate::ids::ConnId;
use crate::limits;
use crate::resp::reply::Protocol;

/// A client that is owed something when a command, or a moment, of an entry is applied.
#[derive(Clone, Debug)]
pub(in crate::node) struct Waiter {
    pub(in crate::node) slot: u32,
    pub(in crate::node) conn: ConnId,
    /// The command of the entry.
    pub(super) place: u32,
    pub(super) protocol: Protocol,
    /// The client wants no reply.
    pub(super) silent: bool,
    /// Its command; none where it only waits for replicated time to reach the entry's stamp, with
    /// its request parked.
    pub(super) row: Option<&'static Row>,
}

impl Waiter {
    /// Returns true if it only waits for time.
    pub(super) fn is_parked(&self) -> bool {
        self.row.is_none()
    }
}

/// A command as an entry holds it.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    pub(super) payload: Bytes,
    /// Its checksum.
    pub(super) sum: u64,
}

/// A batch of so many bytes is given away with its memory, which costs less than a copy.
const GIVEN_BYTES: usize = 16 << 10;

/// The writes of this turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) count: u32,
    pub(super) waiters: Vec<Waiter>,
    /// In the place of `bytes`, a command that is an entry of its own.
    pub(super) whole: Option<Encoded>,
    /// Replicated time is to move even where nothing is written.
    pub(super) wants_time: bool,
}

/// A batch that is about to be proposed.
#[derive(Debug)]
pub(in crate::node) struct Gathered {
    /// An entry before that of the batch, so that what is large is not copied.
    pub(in crate::node) before: Option<Bytes>,
    pub(in crate::node) payload: Bytes,
    /// The checksum of the payload, where it is known.
    pub(in crate::node) sum: Option<u64>,
    pub(in crate::node) waiters: Vec<Waiter>,
    /// How many commands it holds.
    pub(in crate::node) count: u64,
}

impl Batch {
    /// Returns true if there is nothing to make an entry of.
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty() && !self.wants_time
    }

    /// Returns true if there are commands in it.
    pub(super) fn has_commands(&self) -> bool {
        self.whole.is_some() || !self.bytes.is_empty()
    }

    /// Returns true if the memory of the commands is given away with them: they are many bytes, and
    /// most of it.
    fn is_given(&self) -> bool {
        let len = self.bytes.len();
        len >= GIVEN_BYTES && len * 2 >= self.bytes.capacity()
    }

    /// Takes all of it, behind what the entry says first. `spare` is the next list of waiters.
    pub(super) fn take(&mut self, mut head: Vec<u8>, spare: Vec<Waiter>) -> Gathered {
        let (before, payload, sum) = match self.whole.take() {
            Some(Encoded { payload, sum }) => {
                let before = (!head.is_empty()).then(|| head.into());
                (before, payload, Some(sum))
            }
            None if head.is_empty() && self.is_given() => {
                (None, mem::take(&mut self.bytes).into(), None)
            }
            None if head.is_empty() => (None, Bytes::copy_from_slice(&self.bytes), None),
            None => {
                copying::append(&mut head, &self.bytes);
                (None, head.into(), None)
            }
        };
        let gathered = Gathered {
            before,
            payload,
            sum,
            waiters: mem::replace(&mut self.waiters, spare),
            count: u64::from(self.count),
        };
        self.bytes.clear();
        self.bytes.shrink_to(limits::ENTRY_BYTES_SOFT_MAX * 2);
        self.count = 0;
        self.wants_time = false;
        gathered
    }
}
