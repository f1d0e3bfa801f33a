//! Large entries in parts: what is too long for one append goes to a member piece by piece.
//!
//! A part names the place before its entry and the whole entry but its payload, of which it holds a
//! piece. The receiver gathers pieces in order and says after each how many bytes it has; when it
//! has all of them the entry is taken as one append with it would be. So no frame is longer than a
//! piece, nothing that is decisive waits behind a long one, and a large entry that takes longer
//! than an election timeout to arrive is seen to move. An entry is one thing wherever it is found
//! (thesis 3.5: index and term name it), so that pieces of several leaders go together.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::checksum::Running;
use crate::ids::LogIndex;
use crate::time::{Mono, Stamp};

use super::entry::KnownSum;
use super::log::TermAt;
use super::message::{Append, Message, Part, Place};
use super::progress::{Peer, Progress};
use super::settings::Settings;
use super::wire::WireError;
use super::{Entry, Kind, Member, Raft};

/// So many pieces may be on their way to a member.
const PIECES_IN_FLIGHT: u64 = 4;

/// A large entry on its way to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parting {
    /// Which entry.
    index: LogIndex,
    /// So many bytes of its payload were sent.
    sent: u64,
    /// So many have come.
    come: u64,
}

/// A large entry of which a part is here.
#[derive(Clone, Debug)]
pub(super) struct Arriving {
    place: Place,
    stamp: Stamp,
    length: u64,
    payload: Vec<u8>,
    sum: Running,
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

    /// Whether all of a payload of this length has come.
    pub(super) fn is_over(&self, length: usize) -> bool {
        self.come >= length as u64
    }

    /// Whether something was sent that has not come.
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

impl Settings {
    /// Whether an entry goes in parts. What Raft says to itself is never so long.
    pub(super) fn is_large(&self, entry: &Entry) -> bool {
        entry.kind == Kind::Normal
            && entry.encoded_bytes() > self.append_bytes.max(self.chunk_bytes)
    }
}

impl Peer {
    /// The large entry that is on its way to it.
    pub(super) fn parted(&self) -> Option<LogIndex> {
        match &self.progress {
            Progress::Replicate { parting, .. } => parting.map(|parting| parting.index),
            _ => None,
        }
    }

    /// It has so many bytes of a large entry's payload.
    fn part_came(&mut self, index: LogIndex, bytes: u64, now: Mono) {
        let Progress::Replicate {
            parting: Some(parting),
            ..
        } = &mut self.progress
        else {
            return;
        };
        // Where it has all it may have had it before: then nothing more is sent of it.
        if parting.index == index && bytes > parting.come {
            // What another leader has sent before need not be sent again.
            (parting.come, parting.sent) = (bytes, parting.sent.max(bytes));
            self.moved = now;
        }
    }
}

impl Raft {
    /// A member has so many bytes of a large entry.
    pub(super) fn on_part_reply(&mut self, from: Member, place: Place, bytes: u64) {
        let (now, term_at) = (self.now, self.log.term_at(place.0));
        if term_at == TermAt::Known(place.1)
            && let Some(peer) = self.peer(from)
        {
            peer.part_came(place.0, bytes, now);
        }
    }

    /// Takes a piece of a large entry of the leader, and the entry with its last one. Of the log
    /// before it says what an append without entries would say.
    pub(super) fn on_part(&mut self, from: Member, part: &Part) -> Result<(), WireError> {
        let index = part.prev.0.0.checked_add(1).ok_or(WireError::Corrupt)?;
        let place = (LogIndex(index), part.term);
        let is_here = self.log.term_at(place.0) == TermAt::Known(place.1);
        let known = if is_here { place } else { part.prev };
        self.on_append(from, &mut part.as_append(known, Vec::new()))?;
        if is_here {
            let bytes = part.length;
            self.send(from, &Message::PartReply { place, bytes }, self.term_seq);
        }
        let goes_on = self.log.term_at(part.prev.0) == TermAt::Known(part.prev.1);
        if is_here || !goes_on || self.is_installing() {
            return Ok(());
        }
        let mut arriving = self
            .arriving
            .take_if(|arriving| {
                (arriving.place, arriving.stamp, arriving.length)
                    == (place, part.stamp, part.length)
            })
            .unwrap_or_else(|| Box::new(Arriving::new(place, part)));
        if part.offset == arriving.payload.len() as u64 {
            arriving.take(&part.data);
        }
        let bytes = arriving.payload.len() as u64;
        self.send(from, &Message::PartReply { place, bytes }, self.term_seq);
        if bytes < part.length {
            self.arriving = Some(arriving);
            return Ok(());
        }
        self.arriving = None;
        let entries = [arriving.into_entry()].into();
        self.on_append(from, &mut part.as_append(part.prev, entries))
    }
}

impl Arriving {
    fn new(place: Place, part: &Part) -> Self {
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

    fn take(&mut self, piece: &[u8]) {
        if self.payload.is_empty() {
            // Room is not memory before it is written to; where there is none it grows by and by.
            let _ = self.payload.try_reserve_exact(self.length as usize);
        }
        self.sum.add(piece);
        self.payload.extend_from_slice(piece);
    }

    fn into_entry(self) -> Entry {
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

impl Part {
    /// The append that says the same of the leader's log, with these entries.
    fn as_append(&self, prev: Place, entries: Vec<Entry>) -> Append {
        Append {
            prev,
            commit: self.commit,
            round: self.round,
            entries,
        }
    }
}
