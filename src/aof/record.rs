//! One record: what stands on disk between two markers, and how it is told from what only looks
//! like one.
//!
//! ```text
//! 0   4  start marker 5E ED A0 F1
//! 4   4  length of the payload, little-endian
//! 8   n  payload
//! ..  8  CRC-64/XZ over file number, offset in the file and payload
//! ..  4  end marker F1 A0 ED 5E
//! ```
//!
//! The checksum covers the place, so that a record that was written to, or read from, the wrong
//! place is none.

use alloc::vec::Vec;

use crate::checksum::crc64;
use crate::copying;
use crate::ids::{LogIndex, NodeId, Term};
use crate::take;

/// The first bytes of a record.
pub const START: [u8; 4] = [0x5e, 0xed, 0xa0, 0xf1];
/// The last bytes of a record.
pub const END: [u8; 4] = [0xf1, 0xa0, 0xed, 0x5e];
/// The bytes that a record needs besides its payload.
pub const FRAME_BYTES: usize = 20;
/// The head of a log record's payload, in bytes.
pub const HEAD_BYTES: usize = 56;
/// Added to a base's number, so that a record of a base is none of a segment.
const BASE_PLACE: u64 = 1 << 63;

/// A place in the log: a segment and an offset in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// Bytes from its start.
    pub offset: u64,
}

impl Position {
    /// A place in a base file.
    pub fn in_base(number: u64, offset: u64) -> Self {
        Self {
            segment: number | BASE_PLACE,
            offset,
        }
    }
}

/// The values that every record repeats, so that one damaged record cannot make a member forget its
/// vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restated {
    /// The present term.
    pub term: Term,
    /// The vote of that term.
    pub vote: Option<NodeId>,
    /// Up to which entry the log is known to be committed.
    pub commit: LogIndex,
}

/// The head of a log record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The checksum of the record before; 0 for the first.
    pub predecessor: u64,
    /// Up to where the log was known to be synced when this was written.
    pub synced: Position,
    /// Term, vote and commit.
    pub restated: Restated,
    /// The last entry that the log held with this record.
    pub last: LogIndex,
}

impl Head {
    fn encode(&self) -> [u8; HEAD_BYTES] {
        let numbers = [
            self.predecessor,
            self.synced.segment,
            self.synced.offset,
            self.restated.term.0,
            self.restated.vote.map_or(0, |id| id.0),
            self.restated.commit.0,
            self.last.0,
        ];
        let mut bytes = [0; HEAD_BYTES];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// The head and the body of a log record's payload.
    pub fn decode(payload: &[u8]) -> Option<(Self, &[u8])> {
        let mut rest = payload;
        let head = Self {
            predecessor: take::u64(&mut rest)?,
            synced: Position {
                segment: take::u64(&mut rest)?,
                offset: take::u64(&mut rest)?,
            },
            restated: Restated {
                term: Term(take::u64(&mut rest)?),
                vote: Some(NodeId(take::u64(&mut rest)?)).filter(|vote| vote.0 != 0),
                commit: LogIndex(take::u64(&mut rest)?),
            },
            last: LogIndex(take::u64(&mut rest)?),
        };
        Some((head, rest))
    }
}

/// Appends a record and gives its checksum.
pub fn put(out: &mut Vec<u8>, place: Position, payload: &[&[u8]]) -> u64 {
    out.extend_from_slice(&START);
    let length: usize = payload.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).expect("a turn's entries are far below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    let from = out.len();
    for part in payload {
        copying::append(out, part);
    }
    let sum = checksum(place, &out[from..]);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&END);
    sum
}

/// Appends the beginning of a log record whose payload, head included, will have `length` bytes:
/// up to its body. Gives the checksum up to there.
pub(super) fn begin_log(out: &mut Vec<u8>, place: Position, head: &Head, length: usize) -> u64 {
    out.extend_from_slice(&START);
    let length = u32::try_from(length).expect("an entry is far below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
    let head = head.encode();
    out.extend_from_slice(&head);
    checksum(place, &head)
}

/// Appends the end of a log record: the checksum of all of it, the marker.
pub(super) fn end_log(out: &mut Vec<u8>, sum: u64) {
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&END);
}

/// Appends a log record and gives its checksum.
pub fn put_log(out: &mut Vec<u8>, place: Position, head: &Head, body: &[u8]) -> u64 {
    put(out, place, &[&head.encode(), body])
}

fn checksum(place: Position, payload: &[u8]) -> u64 {
    let mut prefix = [0; 16];
    prefix[..8].copy_from_slice(&place.segment.to_le_bytes());
    prefix[8..].copy_from_slice(&place.offset.to_le_bytes());
    crc64(&prefix, payload)
}

/// The content at a place in a segment.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A record; with its checksum and its length in bytes.
    Record {
        /// The payload.
        payload: &'a [u8],
        /// The checksum.
        sum: u64,
        /// The whole record's length.
        length: usize,
    },
    /// The start of one that may go on behind these bytes: so many are needed.
    Partial(usize),
    /// No record.
    Nothing,
}

/// Looks for a record at the start of `bytes`, which stand at `place` of their file.
pub fn find(bytes: &[u8], place: Position) -> Found<'_> {
    let known = bytes.len().min(4);
    if bytes[..known] != START[..known] {
        return Found::Nothing;
    }
    let Some(length) = bytes.get(4..8).and_then(|b| b.try_into().ok()) else {
        return Found::Partial(FRAME_BYTES);
    };
    let length = u32::from_le_bytes(length) as usize;
    let whole = length + FRAME_BYTES;
    let Some(record) = bytes.get(..whole) else {
        return Found::Partial(whole);
    };
    let (payload, tail) = record[8..].split_at(length);
    let (sum, end) = tail.split_at(8);
    let Ok(sum) = sum.try_into().map(u64::from_le_bytes) else {
        return Found::Nothing;
    };
    if end == END && checksum(place, payload) == sum {
        Found::Record {
            payload,
            sum,
            length: whole,
        }
    } else {
        Found::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> Head {
        Head {
            predecessor: 1,
            synced: Position {
                segment: 2,
                offset: 3,
            },
            restated: Restated {
                term: Term(4),
                vote: Some(NodeId(5)),
                commit: LogIndex(6),
            },
            last: LogIndex(7),
        }
    }

    const HERE: Position = Position {
        segment: 1,
        offset: 40,
    };

    proptest! {
        #[test]
        fn a_record_is_found_where_it_was_put_and_nowhere_else(body: Vec<u8>, other in 0_u64..100) {
            let mut bytes = Vec::new();
            let sum = put_log(&mut bytes, HERE, &head(), &body);
            match find(&bytes, HERE) {
                Found::Record { payload, sum: found, length } => {
                    prop_assert_eq!(Head::decode(payload), Some((head(), &body[..])));
                    prop_assert_eq!((found, length), (sum, bytes.len()));
                }
                other => prop_assert!(false, "{other:?}"),
            }
            if other != HERE.offset {
                let elsewhere = Position { offset: other, ..HERE };
                prop_assert_eq!(find(&bytes, elsewhere), Found::Nothing);
            }
        }

        #[test]
        fn a_flipped_bit_is_found(
            body in proptest::collection::vec(any::<u8>(), 0..40),
            at: usize,
            bit in 0_u8..8,
        ) {
            let mut bytes = Vec::new();
            put_log(&mut bytes, HERE, &head(), &body);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let found = matches!(find(&bytes, HERE), Found::Record { .. });
            prop_assert!(!found);
        }
    }

    #[test]
    fn a_record_that_is_cut_anywhere_is_partial() {
        let mut bytes = Vec::new();
        put_log(&mut bytes, HERE, &head(), b"body");
        for cut in 0..bytes.len() {
            let found = find(&bytes[..cut], HERE);
            assert!(matches!(found, Found::Partial(n) if n > cut), "{cut}");
        }
    }
}
