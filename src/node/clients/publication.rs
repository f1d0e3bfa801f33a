//! A message that is on its way to subscribers, and how far it has come.

use alloc::collections::VecDeque;

use bytes::Bytes;

use crate::command::verb::Topic;
use crate::ids::ConnId;
use crate::session::outbox::Shared;

/// A message and how far it has come.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) topic: Topic,
    pub(super) channel: Bytes,
    /// The channel and the message, as they stand at the end of what each subscriber is sent.
    pub(super) body: Shared,
    /// The client that has published it, if it is one of this member.
    pub(super) publisher: Option<(u32, ConnId)>,
    /// How many clients have it.
    pub(super) receivers: u64,
    pub(super) stage: Stage,
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

/// All messages that are on their way.
#[derive(Clone, Debug, Default)]
pub(super) struct Publishing {
    pub(super) queue: VecDeque<Publication>,
    /// The bytes of those in the queue that other members have told of.
    pub(super) told_bytes: usize,
    /// One of a transaction, and the client whose it is.
    pub(super) step: Option<((u32, ConnId), Publication)>,
    /// The work that this turn may still do.
    pub(super) left: usize,
    /// Bytes that were compared and are not counted as work yet.
    pub(super) compared: usize,
}

impl Publishing {
    /// All messages that are on their way.
    pub(super) fn all(&self) -> impl Iterator<Item = &Publication> {
        let step = self.step.iter().map(|(_, publication)| publication);
        self.queue.iter().chain(step)
    }

    pub(super) fn pay(&mut self, work: usize) {
        self.left = self.left.saturating_sub(work);
    }
}

impl Publication {
    /// How many bytes its subscribers share, if another member has told of it.
    pub(super) fn told_bytes(&self) -> usize {
        if self.publisher.is_none() {
            self.body.bytes.len()
        } else {
            0
        }
    }

    /// The number of the bytes that its subscribers share.
    pub(super) fn shared(&self) -> u64 {
        self.body.id
    }
}
