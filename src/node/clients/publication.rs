//! A message that is on its way to subscribers, and how far it has come.

use alloc::collections::VecDeque;

use bytes::Bytes;

use crate::command::verb::Topic;
use crate::ids::ConnId;
use crate::limits::BYTES_PER_WORK;
use crate::session::outbox::Shared;

/// A message and how far it has come.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) topic: Topic,
    pub(super) channel: Bytes,
    /// The channel and the message, as they stand at the end of what each subscriber is sent.
    pub(super) body: Shared,
    pub(super) origin: Origin,
    /// How many clients have it.
    pub(super) receivers: u64,
    pub(super) stage: Stage,
}

/// The origin of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum Origin {
    /// A client of this member, which waits until its subscribers have it.
    Client(u32, ConnId),
    /// Another member has told of it.
    Member,
    /// A script, or something that was applied: nothing more is applied before its subscribers have
    /// it.
    Applied,
}

/// How far a message has come.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The subscribers of its channel, from this slot on.
    Channel(u32),
    /// The subscribers of patterns: those of the one behind the first, or the rest of those of the
    /// second, which matches.
    Patterns {
        behind: Option<Bytes>,
        within: Option<(Bytes, u32)>,
    },
}

/// Messages that are on their way, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    pub(super) queue: VecDeque<Publication>,
    /// The bytes that their subscribers share, but for those of clients.
    pub(super) bytes: usize,
}

impl Lane {
    pub(super) fn push(&mut self, last: Publication) {
        self.bytes += last.bytes();
        self.queue.push_back(last);
    }

    pub(super) fn pop(&mut self) -> Option<Publication> {
        let next = self.queue.pop_front()?;
        self.bytes -= next.bytes();
        Some(next)
    }

    pub(super) fn push_again(&mut self, next: Publication) {
        self.bytes += next.bytes();
        self.queue.push_front(next);
    }
}

/// All messages that are on their way.
///
/// Those of clients and of other members have a lane, and those of what was applied another. The
/// former come first in a turn, and leave a share of it to the latter: so neither keeps the other
/// out, and nobody keeps the log from being applied by publishing.
#[derive(Clone, Debug, Default)]
pub(super) struct Publishing {
    pub(super) outer: Lane,
    pub(super) applied: Lane,
    /// One of a transaction, and the client whose it is.
    pub(super) step: Option<((u32, ConnId), Publication)>,
    /// The work that this turn may still do, and how much of that is for what was applied.
    pub(super) left: usize,
    reserved: usize,
    /// Bytes that were compared and are not counted as work yet.
    compared: usize,
}

/// One of so many parts of the work of a turn is for what was applied.
const APPLIED_PART: usize = 4;

impl Publishing {
    /// All messages that are on their way.
    pub(super) fn all(&self) -> impl Iterator<Item = &Publication> {
        let step = self.step.iter().map(|(_, publication)| publication);
        let lanes = self.outer.queue.iter().chain(&self.applied.queue);
        lanes.chain(step)
    }

    /// The next turn may do so much.
    pub(super) fn begin_turn(&mut self, work: usize) {
        self.left = work;
        self.reserved = work.div_ceil(APPLIED_PART).min(work.saturating_sub(1));
    }

    pub(super) fn pay(&mut self, work: usize) {
        self.left = self.left.saturating_sub(work);
    }

    /// So many bytes were compared.
    pub(super) fn compare(&mut self, bytes: usize) {
        self.compared += bytes;
        self.pay(self.compared / BYTES_PER_WORK);
        self.compared %= BYTES_PER_WORK;
    }

    /// How much of the turn a message must leave to others.
    pub(super) fn least(&self, origin: Origin) -> usize {
        match origin {
            Origin::Client(..) | Origin::Member => self.reserved,
            Origin::Applied => 0,
        }
    }
}

impl Publication {
    /// How many bytes its subscribers share, if no client waits for that.
    fn bytes(&self) -> usize {
        match self.origin {
            Origin::Client(..) => 0,
            Origin::Member | Origin::Applied => self.body.bytes.len(),
        }
    }

    /// The number of the bytes that its subscribers share.
    pub(super) fn shared(&self) -> u64 {
        self.body.id
    }
}
