//! A large entry on its way in parts: how far its leader is, and what of it has come.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::checksum::Running;
use crate::ids::LogIndex;
use crate::time::Stamp;

use super::entry::{Entry, Kind, KnownSum};
use super::message::{Part, Place};
use super::settings::Settings;

/// So many pieces may be on their way to a member.
const PIECES_IN_FLIGHT: u64 = 4;

/// A large entry on its way to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parting {
    /// Which entry.
    pub(super) index: LogIndex,
    /// So many bytes of its payload were sent.
    pub(super) sent: u64,
    /// So many have come.
    pub(super) come: u64,
}

/// A large entry of which a part is here.
#[derive(Clone, Debug)]
pub(super) struct Arriving {
    pub(super) place: Place,
    pub(super) stamp: Stamp,
    pub(super) length: u64,
    pub(super) payload: Vec<u8>,
    pub(super) sum: Running,
}

/// The next piece of an entry, as a leader sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: usize,
    pub(super) end: usize,
}

impl Parting {
    pub(super) fn new(index: LogIndex) -> Self {
        Self {
            index,
            sent: 0,
            come: 0,
        }
    }

    /// Which entry.
    pub(super) fn index(&self) -> LogIndex {
        self.index
    }

    /// Returns true if all of a payload of this length has come.
    pub(super) fn is_over(&self, length: usize) -> bool {
        self.come >= length as u64
    }

    /// Returns true if something was sent that has not come.
    pub(super) fn is_waiting(&self) -> bool {
        self.come < self.sent
    }

    /// The piece to be sent now, of a payload of this length; it counts as sent.
    pub(super) fn next(&mut self, length: usize, settings: &Settings) -> Option<Piece> {
        let most = settings.chunk_bytes.max(1) as u64;
        if self.sent.saturating_sub(self.come) >= most.saturating_mul(PIECES_IN_FLIGHT) {
            return None;
        }
        let offset = self.sent;
        self.sent = (length as u64).min(offset + most);
        (offset < self.sent).then_some(Piece {
            offset: offset as usize,
            end: self.sent as usize,
        })
    }
}

impl Arriving {
    pub(super) fn new(place: Place, part: &Part) -> Self {
        Self {
            place,
            stamp: part.stamp,
            length: part.length,
            payload: Vec::new(),
            sum: Running::new(),
        }
    }

    /// Which entry.
    pub(super) fn index(&self) -> LogIndex {
        self.place.0
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        if self.payload.is_empty() {
            // Room is not memory before it is written to; where there is none it grows by and by.
            let _ = self.payload.try_reserve_exact(self.length as usize);
        }
        self.sum.add(piece);
        self.payload.extend_from_slice(piece);
    }

    pub(super) fn into_entry(self) -> Entry {
        let (index, term) = self.place;
        Entry {
            term,
            index,
            stamp: self.stamp,
            kind: Kind::Normal,
            known: KnownSum(Some(self.sum.sum())),
            payload: Bytes::from(self.payload),
        }
    }
}
