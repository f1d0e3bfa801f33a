//! An entry and its one encoding, which is the same on disk and on the wire.
//!
//! ```text
//! 0   8  term          24  4  length of the payload
//! 8   8  index         28  1  kind
//! 16  8  stamp         29  n  payload
//! ..  8  CRC-64/XZ over all of it
//! ```
//!
//! The checksum is made when the entry is proposed and travels with it; numbers are little-endian.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::checksum::{crc64, joined};
use crate::ids::{LogIndex, Term};
use crate::time::Stamp;

use super::corrupt::Corrupt;
use super::membership::Membership;

/// The encoding before the payload.
pub const HEAD_BYTES: usize = 29;
/// The encoding behind the payload.
pub const SUM_BYTES: usize = 8;
/// The encoding of an entry without payload.
pub(super) const ENTRY_BYTES_MIN: usize = HEAD_BYTES + SUM_BYTES;

/// The purpose of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Its payload is for the state machine.
    Normal,
    /// It only lets a new leader commit what its predecessors have left (thesis 6.4).
    Noop,
    /// Its payload is the group's new membership.
    Membership,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The term of the leader that proposed it.
    pub term: Term,
    /// Its place in the log.
    pub index: LogIndex,
    /// Replicated time.
    pub stamp: Stamp,
    /// The purpose of the entry.
    pub kind: EntryKind,
    /// The content; the log does not look into it.
    pub payload: Bytes,
    /// The sum of its payload, where somebody has gone through a large one already.
    pub known: KnownSum,
}

/// The sum of a payload alone, where it is known. It follows from the payload, so that two entries
/// do not differ by it.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownSum(pub Option<u64>);

impl PartialEq for KnownSum {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KnownSum {}

impl Entry {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(&self.head());
        out.extend_from_slice(&self.payload);
        let sum = checksum(&out[from..]);
        out.extend_from_slice(&sum.to_le_bytes());
    }

    /// The part of its encoding before the payload.
    pub fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let numbers = [self.term.0, self.index.0, self.stamp.0];
        for (place, number) in head.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        head[24..28].copy_from_slice(&(self.payload.len() as u32).to_le_bytes());
        head[28] = match self.kind {
            EntryKind::Normal => 0,
            EntryKind::Noop => 1,
            EntryKind::Membership => 2,
        };
        head
    }

    /// The sum of the payload alone.
    pub fn payload_sum(&self) -> u64 {
        self.known.0.unwrap_or_else(|| checksum(&self.payload))
    }

    /// The part of its encoding after the payload; the sum of the payload is `payload_sum`.
    pub fn tail(&self, payload_sum: u64) -> [u8; SUM_BYTES] {
        let sum = joined(checksum(&self.head()), payload_sum, self.payload.len());
        sum.to_le_bytes()
    }

    /// How many bytes its encoding has.
    pub fn encoded_bytes(&self) -> usize {
        ENTRY_BYTES_MIN + self.payload.len()
    }

    /// Takes one entry off the front of `bytes`; its payload is a copy.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, Corrupt> {
        let (body, rest) = split(bytes)?;
        let payload = Bytes::copy_from_slice(&body[HEAD_BYTES..]);
        let entry = Self::from_body(body, payload)?;
        *bytes = rest;
        Ok(entry)
    }

    /// Takes one entry off the front of `bytes`; its payload shares their memory.
    pub fn decode_shared(bytes: &mut Bytes) -> Result<Self, Corrupt> {
        let (body, _) = split(bytes)?;
        let length = body.len();
        let entry = Self::from_body(body, bytes.slice(HEAD_BYTES..length))?;
        *bytes = bytes.slice(length + SUM_BYTES..);
        Ok(entry)
    }

    fn from_body(body: &[u8], payload: Bytes) -> Result<Self, Corrupt> {
        let kind = match body[28] {
            0 => EntryKind::Normal,
            1 => EntryKind::Noop,
            2 => EntryKind::Membership,
            _ => return Err(Corrupt),
        };
        let number = |at: usize| {
            let bytes = body[at..at + 8].try_into();
            bytes.map(u64::from_le_bytes).map_err(|_| Corrupt)
        };
        let entry = Self {
            term: Term(number(0)?),
            index: LogIndex(number(8)?),
            stamp: Stamp(number(16)?),
            kind,
            payload,
            known: KnownSum::default(),
        };
        // What an entry of membership says takes effect when it is appended: too late for doubt.
        if kind == EntryKind::Membership {
            Membership::decode(&entry.payload)?;
        }
        Ok(entry)
    }

    /// The membership that it brings into force, if it brings one.
    pub fn membership(&self) -> Option<Membership> {
        match self.kind {
            EntryKind::Membership => Membership::decode(&self.payload).ok(),
            EntryKind::Normal | EntryKind::Noop => None,
        }
    }
}

/// The head and payload of the entry at the front, with the right checksum behind it, and what
/// follows.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Corrupt> {
    let length = bytes.get(24..28).and_then(|b| b.try_into().ok());
    let length = length.map(u32::from_le_bytes).ok_or(Corrupt)?;
    let end = HEAD_BYTES.checked_add(length as usize).ok_or(Corrupt)?;
    let (body, rest) = bytes.split_at_checked(end).ok_or(Corrupt)?;
    let (sum, rest) = rest.split_first_chunk::<SUM_BYTES>().ok_or(Corrupt)?;
    if checksum(body) == u64::from_le_bytes(*sum) {
        Ok((body, rest))
    } else {
        Err(Corrupt)
    }
}

pub(super) fn checksum(bytes: &[u8]) -> u64 {
    crc64(&[], bytes)
}

/// The size of entries as they are encoded, in bytes.
pub(super) fn bytes(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::encoded_bytes).sum()
}
