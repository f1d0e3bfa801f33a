//! A large entry on its way in parts: how far its leader is, and what of it has come.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::checksum::Running;
use crate::ids::LogIndex;
use crate::time::Stamp;

use super::entry::{Entry, EntryKind, KnownSum};
use super::message::{EntryId, Part};
use super::settings::Settings;

/// So many pieces may be on their way to a member.
const PIECES_IN_FLIGHT: usize = 4;

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
    pub(super) place: EntryId,
    pub(super) stamp: Stamp,
    pub(super) length: u64,
    pub(super) payload: Vec<u8>,
    pub(super) sum: Running,
    /// Pieces that have overtaken one before them, and where each begins: no more than may be on
    /// their way.
    ahead: Vec<(u64, Bytes)>,
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
        if self.sent.saturating_sub(self.come) >= most.saturating_mul(PIECES_IN_FLIGHT as u64) {
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
    pub(super) fn new(place: EntryId, part: &Part) -> Self {
        Self {
            place,
            stamp: part.stamp,
            length: part.length,
            payload: Vec::new(),
            sum: Running::new(),
            ahead: Vec::new(),
        }
    }

    /// How much of the payload is here, from its beginning on.
    pub(super) fn come(&self) -> u64 {
        self.payload.len() as u64
    }

    /// Takes the piece that begins at `offset`. One that has overtaken another is kept until that
    /// is here: were it given up, both would be sent again only after an election timeout.
    pub(super) fn take(&mut self, offset: u64, piece: &Bytes) {
        if offset > self.come() {
            let is_new = self.ahead.iter().all(|(known, _)| *known != offset);
            if is_new && self.ahead.len() < PIECES_IN_FLIGHT {
                self.ahead.push((offset, piece.clone()));
            }
            return;
        }
        self.add(offset, piece);
        while let Some(at) = self.ahead.iter().position(|(at, _)| *at <= self.come()) {
            let (offset, piece) = self.ahead.swap_remove(at);
            self.add(offset, &piece);
        }
    }

    /// Adds what is new of a piece that begins no further than what is here ends.
    fn add(&mut self, offset: u64, piece: &[u8]) {
        let known = usize::try_from(self.come() - offset).unwrap_or(usize::MAX);
        let new = piece.get(known..).unwrap_or_default();
        let room = self.length.saturating_sub(self.come());
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let new = &new[..new.len().min(room)];
        if self.payload.is_empty() {
            // Room is not memory before it is written to; where there is none it grows by and by.
            let _ = self.payload.try_reserve_exact(self.length as usize);
        }
        self.sum.add(new);
        self.payload.extend_from_slice(new);
    }

    pub(super) fn into_entry(self) -> Entry {
        let (index, term) = self.place;
        Entry {
            term,
            index,
            stamp: self.stamp,
            kind: EntryKind::Normal,
            known: KnownSum(Some(self.sum.sum())),
            payload: Bytes::from(self.payload),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Term;

    const LENGTH: usize = 10;

    fn arriving() -> Arriving {
        let part = Part {
            prev: (LogIndex(0), Term(0)),
            commit: LogIndex(0),
            round: 0,
            term: Term(1),
            stamp: Stamp(0),
            length: LENGTH as u64,
            offset: 0,
            data: Bytes::new(),
        };
        Arriving::new((LogIndex(1), Term(1)), &part)
    }

    #[test]
    fn pieces_that_overtake_each_other_are_put_in_order() {
        let whole = Bytes::from_static(b"abcdefghij");
        // The last is short, and one of another leader lies across two of them.
        let pieces = [(0, 3), (3, 6), (6, 9), (9, LENGTH), (2, 7)];
        for order in 0..5usize.pow(4) {
            let places: Vec<usize> = (0..4).map(|digit| order / 5usize.pow(digit) % 5).collect();
            let mut arriving = arriving();
            let mut take = |(from, to): (usize, usize)| {
                arriving.take(from as u64, &whole.slice(from..to));
                assert!(arriving.ahead.len() <= PIECES_IN_FLIGHT);
                let come = arriving.come() as usize;
                assert_eq!(arriving.payload, whole[..come]);
                come
            };
            let come = places.iter().map(|place| take(pieces[*place])).last();
            if (0..4).all(|place| places.contains(&place)) {
                assert_eq!(come, Some(LENGTH), "{places:?}");
            }
            for piece in pieces {
                take(piece);
            }
            let entry = arriving.into_entry();
            let mut sum = Running::new();
            sum.add(&whole);
            assert_eq!(
                (entry.payload, entry.known),
                (whole.clone(), KnownSum(Some(sum.sum())))
            );
        }
    }
}
