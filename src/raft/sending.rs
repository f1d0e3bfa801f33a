//! A state on its way to a member, and what its owner is asked for (thesis 5).

use alloc::boxed::Box;

use crate::ids::{LogIndex, NodeId};

use super::membership::Membership;
use super::message::SnapshotId;

/// A member lacks what the log no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotWanted {
    /// The member.
    pub to: NodeId,
    /// The state must include this entry: the log goes on behind it.
    pub at_least: LogIndex,
}

/// A piece of a state that is to be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkWanted {
    /// For whom.
    pub to: NodeId,
    /// Of which state.
    pub id: SnapshotId,
    /// From which byte on.
    pub offset: u64,
    /// How many bytes, never 0.
    pub bytes: usize,
}

/// How far the sending of a state has come.
#[derive(Clone, Debug)]
pub(super) enum Supply {
    /// The owner has been given no state to send.
    Wanted,
    /// This one is sent.
    Sending(Box<Sending>),
}

/// A state that is sent to a member.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) id: SnapshotId,
    pub(super) membership: Membership,
    pub(super) stage: Stage,
}

/// The next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The member is to be asked which byte it wants.
    Offer,
    /// It was asked.
    Offered,
    /// It wants this byte.
    Read(u64),
    /// The owner reads the piece that begins there.
    Reading(u64),
    /// The piece that ends there is on its way.
    Sent(u64),
    /// It has all and works on it.
    Taken,
}

impl Supply {
    /// The last entry of the state that is sent.
    pub(super) fn base(&self) -> Option<LogIndex> {
        match self {
            Self::Wanted => None,
            Self::Sending(sending) => Some(sending.id.base.0),
        }
    }

    /// Nothing has been heard for long: something was lost, or the member works. False where there
    /// is nothing to ask.
    pub(super) fn ask_again(&mut self) -> bool {
        match self {
            Self::Sending(sending) if !matches!(sending.stage, Stage::Reading(_)) => {
                sending.stage = Stage::Offer;
                true
            }
            _ => false,
        }
    }

    pub(super) fn sending(&mut self, id: &SnapshotId) -> Option<&mut Sending> {
        match self {
            Self::Sending(sending) if sending.id == *id => Some(sending),
            _ => None,
        }
    }
}

impl Sending {
    /// The member wants this byte; false if that is no news.
    pub(super) fn replied(&mut self, offset: u64) -> bool {
        let is_news = match self.stage {
            Stage::Offer | Stage::Offered => true,
            Stage::Sent(end) => offset == end,
            Stage::Read(_) | Stage::Reading(_) | Stage::Taken => false,
        };
        if is_news && offset <= self.id.bytes {
            self.stage = if offset == self.id.bytes {
                Stage::Taken
            } else {
                Stage::Read(offset)
            };
        }
        is_news
    }
}
