//! States for members to whom the log does not reach back: the base is read for them piece by
//! piece, and theirs is received, made durable, and recovered from (thesis 5).
//!
//! A state is the bytes of a base file, with the file's number in front, which its records need to
//! be checked.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::aof::{Incoming, Piece};
use crate::ids::{LogIndex, Ticket};
use crate::raft::{ChunkWanted, Membership, SnapshotId};

use super::base::{BaseHead, NoHead};

/// The bytes in front of a base file: its number.
pub(super) const NUMBER_BYTES: usize = 8;

/// The states on their way to other members, and the one that comes from one.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshots {
    /// The head of the base that counts.
    pub(super) head: Option<BaseHead>,
    /// Pieces that are being read.
    pub(super) reading: Vec<(Ticket, ChunkWanted)>,
    /// The number of a base that could not be read; 0 where there is none.
    pub(super) unreadable: u64,
    pub(super) incoming: Option<Arriving>,
}

/// The outcome of a read, if it was one of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceRead {
    /// It was not.
    Another,
    /// It has told Raft what there is, or that nothing is.
    Told,
    /// The base is no good, in the operating system's words.
    Unreadable(&'static str),
}

/// A state that is being received.
#[derive(Clone, Debug)]
pub(super) struct Arriving {
    pub(super) id: SnapshotId,
    /// The number, as far as it has come.
    pub(super) number: Vec<u8>,
    pub(super) base: Option<Incoming>,
    pub(super) head: Option<BaseHead>,
    /// Why its head cannot be read.
    pub(super) headless: Option<NoHead>,
    /// Pieces that the disk has no time for yet; their buffers are not kept.
    pub(super) pieces: VecDeque<Vec<u8>>,
    /// The log has begun a base for it.
    pub(super) begun: bool,
    /// The membership, once all has come.
    pub(super) whole: Option<Membership>,
    /// The log goes on behind it, and it is on its way to count.
    pub(super) finished: bool,
    /// It is to be forgotten as soon as the log has.
    pub(super) given_up: bool,
}

impl Arriving {
    pub(super) fn new(id: SnapshotId) -> Self {
        Self {
            id,
            number: Vec::new(),
            base: None,
            head: None,
            headless: None,
            pieces: VecDeque::new(),
            begun: false,
            whole: None,
            finished: false,
            given_up: false,
        }
    }

    /// Takes a piece of the stream; false where it is none of a base that stands where it should.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> bool {
        while self.number.len() < NUMBER_BYTES
            && let Some((first, rest)) = bytes.split_first()
        {
            self.number.push(*first);
            bytes = rest;
        }
        let Some(number) = self.number.first_chunk() else {
            return true;
        };
        let number = u64::from_le_bytes(*number);
        let base = self.base.get_or_insert_with(|| Incoming::new(number));
        let (head, headless, pieces) = (&mut self.head, &mut self.headless, &mut self.pieces);
        let taken = base.take(bytes, &mut |piece| match piece {
            Piece::Head(bytes) => match BaseHead::decode(bytes) {
                Ok(decoded) => *head = Some(decoded),
                Err(refused) => *headless = Some(refused),
            },
            Piece::State(bytes) => pieces.push_back(bytes.to_vec()),
        });
        let stands = |head: &BaseHead| (head.index, head.term) == self.id.base;
        let is_headed = self.head.as_ref().map_or(pieces.is_empty(), stands);
        taken.is_ok() && is_headed && self.headless.is_none()
    }

    /// Returns true if all has come and is what was promised.
    pub(super) fn is_good(&self) -> bool {
        let is_whole = self.base.as_ref().is_some_and(Incoming::is_whole);
        let same = |head: &BaseHead| {
            let membership = self.whole.as_ref().map(Membership::encode);
            membership.as_ref() == Some(&head.membership)
        };
        is_whole && self.head.as_ref().is_some_and(same)
    }
}

impl Snapshots {
    /// The entry at which the base stands that counts.
    pub(super) fn base_index(&self) -> LogIndex {
        self.head.as_ref().map_or(LogIndex(0), |head| head.index)
    }

    /// Returns true if a received state is taking the place of the log.
    pub(super) fn is_arriving(&self) -> bool {
        self.incoming.is_some()
    }
}
