//! Frames: one message each, checksummed; the transport puts the length before it.
//!
//! ```text
//! 0   8  CRC-64/XZ over all behind it but entries     42  8  term
//! 8   1  version                                      50  8  group
//! 9   1  kind of message                              58  n  the message's own numbers
//! 10 16  sender: id, incarnation                      ..  m  entries, or a blob
//! 26 16  addressee
//! ```
//!
//! Entries carry their own checksums and are not summed twice. Numbers are little-endian and of
//! fixed width.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::take;
use crate::time::Stamp;

use super::corrupt::Corrupt;
use super::entry::{ENTRY_BYTES_MIN, Entry, checksum};
use super::membership::{Member, Membership};
use super::message::{Append, Chunk, EntryId, Envelope, Message, Part, SnapshotId};

/// The version of the frames that this code speaks.
pub const WIRE_VERSION: u8 = 1;

/// Stands for a time that is not known.
const NEVER: u64 = u64::MAX;

const SUM_BYTES: usize = 8;
const HEAD_BYTES: usize = 58;
const APPEND_BYTES: usize = HEAD_BYTES + 36;

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// It is none, or no longer what was sent.
    Corrupt,
    /// The sender speaks another version.
    Version(u8),
    /// It is of another group.
    WrongCluster,
    /// It is for another member, or for another life of this one.
    WrongAddressee,
    /// It is not from whom the transport says.
    WrongSender,
    /// It contradicts what is known to be agreed; nothing of it was done.
    Contradiction,
}

impl From<Corrupt> for WireError {
    fn from(Corrupt: Corrupt) -> Self {
        Self::Corrupt
    }
}

/// The frame of a message.
pub fn encode(envelope: &Envelope, message: &Message) -> Vec<u8> {
    encode_in(Vec::new(), envelope, message)
}

/// The frame of a message, in the memory of `buffer`.
pub(super) fn encode_in(buffer: Vec<u8>, envelope: &Envelope, message: &Message) -> Vec<u8> {
    match message {
        Message::Append(append) => {
            let (commit, round) = (append.commit, append.round);
            encode_append(
                buffer,
                envelope,
                append.prev,
                commit,
                round,
                &append.entries,
            )
        }
        Message::PreVote { prospective, last } => frame(
            buffer,
            envelope,
            1,
            &[prospective.0, last.0.0, last.1.0],
            &[],
        ),
        Message::PreVoteReply {
            prospective,
            granted,
        } => frame(
            buffer,
            envelope,
            2,
            &[prospective.0, u64::from(*granted)],
            &[],
        ),
        Message::Vote { last, transfer } => {
            let numbers = [last.0.0, last.1.0, u64::from(*transfer)];
            frame(buffer, envelope, 3, &numbers, &[])
        }
        Message::VoteReply { granted } => frame(buffer, envelope, 4, &[u64::from(*granted)], &[]),
        Message::Accepted { index } => frame(buffer, envelope, 6, &[index.0], &[]),
        Message::Rejected { at, hint } => {
            frame(buffer, envelope, 7, &[at.0, hint.0.0, hint.1.0], &[])
        }
        Message::Heartbeat {
            commit,
            round,
            echo,
            led_before,
        } => {
            let led_before = led_before.unwrap_or(NEVER);
            let numbers = [commit.0, *round, *echo, led_before];
            frame(buffer, envelope, 8, &numbers, &[])
        }
        Message::HeartbeatReply {
            round,
            received,
            durable,
            token,
            is_strained,
            contradicts,
        } => {
            // As long as all is well the frame is what members know that do not know of strain, and
            // as long as logs agree that of members that do not know of contradictions.
            let strain = u64::from(*is_strained);
            let numbers = [*round, received.0, durable.0, *token, strain, 1];
            let count = match (*is_strained, *contradicts) {
                (_, true) => 6,
                (true, false) => 5,
                (false, false) => 4,
            };
            frame(buffer, envelope, 9, &numbers[..count], &[])
        }
        Message::TimeoutNow => frame(buffer, envelope, 10, &[], &[]),
        Message::SnapshotOffer { id, membership } => {
            frame(buffer, envelope, 11, &numbers(id), &membership.encode())
        }
        Message::SnapshotChunk(chunk) => {
            let numbers = numbers_at(&chunk.id, chunk.offset);
            frame(buffer, envelope, 12, &numbers, &chunk.data)
        }
        Message::Part(part) => {
            let Part {
                prev,
                commit,
                round,
                term,
                stamp,
                length,
                offset,
                ref data,
            } = *part;
            let numbers = [
                prev.0.0, prev.1.0, commit.0, round, term.0, stamp.0, length, offset,
            ];
            frame(buffer, envelope, 14, &numbers, data)
        }
        Message::PartReply { place, bytes } => {
            let numbers = [place.0.0, place.1.0, *bytes];
            frame(buffer, envelope, 15, &numbers, &[])
        }
        Message::Reminder { held, last } => {
            let numbers = [held.0.0, held.1.0, last.0.0, last.1.0];
            frame(buffer, envelope, 16, &numbers, &[])
        }
        Message::ChunkReply { id, offset } => {
            frame(buffer, envelope, 13, &numbers_at(id, *offset), &[])
        }
    }
}

fn frame(buffer: Vec<u8>, envelope: &Envelope, kind: u8, numbers: &[u64], blob: &[u8]) -> Vec<u8> {
    let mut out = buffer;
    out.clear();
    out.reserve(HEAD_BYTES + numbers.len() * 8 + blob.len());
    put_head(&mut out, envelope, kind);
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(blob);
    put_sum(&mut out);
    out
}

/// The frame of an `Append`, straight from the log, in the memory of `buffer`: one allocation at
/// most, whatever the entries are.
pub(super) fn encode_append(
    buffer: Vec<u8>,
    envelope: &Envelope,
    prev: EntryId,
    commit: LogIndex,
    round: u64,
    entries: &[Entry],
) -> Vec<u8> {
    let bytes: usize = entries.iter().map(Entry::encoded_bytes).sum();
    let mut out = buffer;
    out.clear();
    out.reserve(APPEND_BYTES + bytes);
    put_head(&mut out, envelope, 5);
    for number in [prev.0.0, prev.1.0, commit.0, round] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    put_sum(&mut out);
    for entry in entries {
        entry.encode(&mut out);
    }
    out
}

fn numbers(id: &SnapshotId) -> [u64; 4] {
    [id.base.0.0, id.base.1.0, id.bytes, id.sum]
}

fn numbers_at(id: &SnapshotId, offset: u64) -> [u64; 5] {
    let [index, term, bytes, sum] = numbers(id);
    [index, term, bytes, sum, offset]
}

fn put_head(out: &mut Vec<u8>, envelope: &Envelope, kind: u8) {
    out.extend_from_slice(&[0; SUM_BYTES]);
    out.extend_from_slice(&[WIRE_VERSION, kind]);
    let Envelope {
        cluster,
        from,
        to,
        term,
    } = envelope;
    for number in [
        from.id.0,
        from.incarnation.0,
        to.id.0,
        to.incarnation.0,
        term.0,
        cluster.0,
    ] {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn put_sum(out: &mut [u8]) {
    let sum = checksum(&out[SUM_BYTES..]);
    out[..SUM_BYTES].copy_from_slice(&sum.to_le_bytes());
}

/// The kind of a message that `encode` has made a frame of.
pub(super) fn kind(frame: &[u8]) -> u8 {
    frame.get(SUM_BYTES + 1).copied().unwrap_or_default()
}

/// Returns true if a frame is a heartbeat, or an answer to one.
pub fn is_heartbeat(frame: &[u8]) -> bool {
    matches!(kind(frame), 8 | 9)
}

/// The bytes of a frame, and how its payloads are to be held.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame<'a> {
    /// They share its memory.
    Shared(&'a Bytes),
    /// They are one copy.
    Copied(&'a [u8]),
}

impl<'a> Frame<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }

    /// All behind `from`, to be held on to.
    fn rest(self, from: usize) -> Bytes {
        match self {
            Self::Shared(bytes) => bytes.slice(from.min(bytes.len())..),
            Self::Copied(bytes) => Bytes::copy_from_slice(bytes.get(from..).unwrap_or_default()),
        }
    }
}

/// The content of a frame. Payloads share its memory.
pub fn decode(frame: &Bytes) -> Result<(Envelope, Message), WireError> {
    decode_in(&mut Vec::new(), Frame::Shared(frame))
}

/// The content of a frame; an append takes the memory of `entries` for its own.
pub(super) fn decode_in(
    entries: &mut Vec<Entry>,
    whole: Frame<'_>,
) -> Result<(Envelope, Message), WireError> {
    let frame = whole.bytes();
    let version = *frame.get(SUM_BYTES).ok_or(WireError::Corrupt)?;
    if version != WIRE_VERSION {
        return Err(WireError::Version(version));
    }
    let kind = *frame.get(SUM_BYTES + 1).ok_or(WireError::Corrupt)?;
    let summed = if kind == 5 { APPEND_BYTES } else { frame.len() };
    let mut rest = frame.get(..summed).ok_or(WireError::Corrupt)?;
    if take(&mut rest)? != checksum(rest) {
        return Err(WireError::Corrupt);
    }
    rest = rest.get(2..).ok_or(WireError::Corrupt)?;
    let rest = &mut rest;
    let envelope = Envelope {
        from: take_member(rest)?,
        to: take_member(rest)?,
        term: Term(take(rest)?),
        cluster: ClusterId(take(rest)?),
    };
    let message = match kind {
        1 => Message::PreVote {
            prospective: Term(take(rest)?),
            last: take_entry_id(rest)?,
        },
        2 => Message::PreVoteReply {
            prospective: Term(take(rest)?),
            granted: take_flag(rest)?,
        },
        3 => Message::Vote {
            last: take_entry_id(rest)?,
            transfer: take_flag(rest)?,
        },
        4 => Message::VoteReply {
            granted: take_flag(rest)?,
        },
        5 => Message::Append(take_append(rest, entries, whole.rest(APPEND_BYTES))?),
        6 => Message::Accepted {
            index: LogIndex(take(rest)?),
        },
        7 => Message::Rejected {
            at: LogIndex(take(rest)?),
            hint: take_entry_id(rest)?,
        },
        8 => Message::Heartbeat {
            commit: LogIndex(take(rest)?),
            round: take(rest)?,
            echo: take(rest)?,
            led_before: Some(take(rest)?).filter(|nanos| *nanos != NEVER),
        },
        9 => Message::HeartbeatReply {
            round: take(rest)?,
            received: LogIndex(take(rest)?),
            durable: LogIndex(take(rest)?),
            token: take(rest)?,
            is_strained: !rest.is_empty() && take_flag(rest)?,
            contradicts: !rest.is_empty() && take_flag(rest)?,
        },
        10 => Message::TimeoutNow,
        11 => Message::SnapshotOffer {
            id: take_snapshot_id(rest)?,
            membership: Membership::decode(core::mem::take(rest))?,
        },
        12 => Message::SnapshotChunk(Chunk {
            id: take_snapshot_id(rest)?,
            offset: take(rest)?,
            data: whole.rest(frame.len() - core::mem::take(rest).len()),
        }),
        14 => {
            let prev = take_entry_id(rest)?;
            let (commit, round) = (LogIndex(take(rest)?), take(rest)?);
            let (term, stamp) = (Term(take(rest)?), Stamp(take(rest)?));
            let (length, offset) = (take(rest)?, take(rest)?);
            let data = whole.rest(frame.len() - core::mem::take(rest).len());
            // Terms never fall along a log, and an entry cannot say a greater length.
            let end = offset.checked_add(data.len() as u64);
            let fits = end.is_some_and(|end| end <= length) && u32::try_from(length).is_ok();
            if !fits || data.is_empty() || term < prev.1 {
                return Err(WireError::Corrupt);
            }
            Message::Part(Part {
                prev,
                commit,
                round,
                term,
                stamp,
                length,
                offset,
                data,
            })
        }
        15 => Message::PartReply {
            place: take_entry_id(rest)?,
            bytes: take(rest)?,
        },
        16 => Message::Reminder {
            held: take_entry_id(rest)?,
            last: take_entry_id(rest)?,
        },
        13 => Message::ChunkReply {
            id: take_snapshot_id(rest)?,
            offset: take(rest)?,
        },
        _ => return Err(WireError::Corrupt),
    };
    if rest.is_empty() {
        Ok((envelope, message))
    } else {
        Err(WireError::Corrupt)
    }
}

fn take_append(
    numbers: &mut &[u8],
    spare: &mut Vec<Entry>,
    mut entries: Bytes,
) -> Result<Append, Corrupt> {
    let prev = take_entry_id(numbers)?;
    let (commit, round) = (LogIndex(take(numbers)?), take(numbers)?);
    let count = take::u32(numbers).ok_or(Corrupt)? as usize;
    if count > entries.len() / ENTRY_BYTES_MIN {
        return Err(Corrupt);
    }
    let mut taken = core::mem::take(spare);
    taken.clear();
    taken.reserve(count);
    let mut append = Append {
        prev,
        commit,
        round,
        entries: taken,
    };
    let (mut index, mut term) = prev;
    for _ in 0..count {
        let entry = Entry::decode_shared(&mut entries)?;
        // Terms never fall along a log (thesis 3.5).
        if Some(entry.index.0) != index.0.checked_add(1) || entry.term < term {
            return Err(Corrupt);
        }
        (index, term) = (entry.index, entry.term);
        append.entries.push(entry);
    }
    if entries.is_empty() {
        Ok(append)
    } else {
        Err(Corrupt)
    }
}

fn take(bytes: &mut &[u8]) -> Result<u64, Corrupt> {
    take::u64(bytes).ok_or(Corrupt)
}

fn take_flag(bytes: &mut &[u8]) -> Result<bool, Corrupt> {
    match take(bytes)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Corrupt),
    }
}

fn take_entry_id(bytes: &mut &[u8]) -> Result<EntryId, Corrupt> {
    Ok((LogIndex(take(bytes)?), Term(take(bytes)?)))
}

fn take_snapshot_id(bytes: &mut &[u8]) -> Result<SnapshotId, Corrupt> {
    Ok(SnapshotId {
        base: take_entry_id(bytes)?,
        bytes: take(bytes)?,
        sum: take(bytes)?,
    })
}

fn take_member(bytes: &mut &[u8]) -> Result<Member, Corrupt> {
    Ok(Member {
        id: NodeId(take(bytes)?),
        incarnation: Incarnation(take(bytes)?),
    })
}
