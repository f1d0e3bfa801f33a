//! Raft messages drawn from the fuzzer's bytes: well-formed ones that may say anything.

use bytes::Bytes as Payload;
use seedis::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use seedis::raft::message::{Append, Chunk, EntryId, Envelope, Message, Part};
use seedis::raft::{Entry, EntryKind, KnownSum, Member, Membership, SnapshotId};
use seedis::time::Stamp;

use crate::bytes::Bytes;

/// The group that the drawn envelopes mostly belong to.
pub(crate) const CLUSTER: ClusterId = ClusterId(77);

/// The numbers that drawn numbers are near to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Near {
    pub(crate) term: u64,
    /// The end of a log.
    pub(crate) last: EntryId,
    pub(crate) commit: u64,
}

/// The member of a number, in its first life.
pub(crate) fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id * 10),
    }
}

/// A number: around a given one, small, or at an edge.
pub(crate) fn number(bytes: &mut Bytes<'_>, near: u64) -> u64 {
    match bytes.byte() {
        0xff => bytes.long(),
        0xfe => u64::MAX - u64::from(bytes.byte() % 4),
        byte @ 0xc0.. => u64::from(byte - 0xc0),
        byte @ 0x80.. => near.saturating_sub(u64::from(byte - 0x80) / 8),
        byte => near.saturating_add(u64::from(byte) / 16),
    }
}

/// An envelope for `to`, from another member.
pub(crate) fn envelope(bytes: &mut Bytes<'_>, to: Member, near: Near) -> Envelope {
    let mut envelope = Envelope {
        cluster: CLUSTER,
        from: member(2 + bytes.below(3) as u64),
        to,
        term: Term(number(bytes, near.term)),
    };
    match bytes.byte() {
        0xff => envelope.cluster = ClusterId(bytes.long()),
        0xfe => envelope.from.incarnation = Incarnation(bytes.long()),
        0xfd => envelope.to.incarnation = Incarnation(bytes.long()),
        0xfc => envelope.from.id = NodeId(number(bytes, 1)),
        _ => {}
    }
    envelope
}

/// Any message.
pub(crate) fn message(bytes: &mut Bytes<'_>, near: Near) -> Message {
    let index = |bytes: &mut Bytes<'_>| LogIndex(number(bytes, near.last.0.0));
    let flag = |bytes: &mut Bytes<'_>| bytes.below(2) == 1;
    match bytes.below(18) {
        0 => Message::PreVote {
            prospective: Term(number(bytes, near.term.saturating_add(1))),
            last: place(bytes, near),
        },
        1 => Message::PreVoteReply {
            prospective: Term(number(bytes, near.term.saturating_add(1))),
            granted: flag(bytes),
        },
        2 => Message::Vote {
            last: place(bytes, near),
            transfer: flag(bytes),
        },
        3 => Message::VoteReply {
            granted: flag(bytes),
        },
        4 => Message::Accepted {
            index: index(bytes),
        },
        5 => Message::Rejected {
            at: index(bytes),
            hint: place(bytes, near),
        },
        6 => Message::Heartbeat {
            commit: LogIndex(number(bytes, near.commit)),
            round: number(bytes, 0),
            echo: number(bytes, 0),
            led_before: flag(bytes).then(|| number(bytes, 0)),
        },
        7 => Message::HeartbeatReply {
            round: number(bytes, 0),
            received: index(bytes),
            durable: index(bytes),
            token: number(bytes, 0),
            is_strained: flag(bytes),
            contradicts: flag(bytes),
        },
        8 => Message::TimeoutNow,
        9 => Message::SnapshotOffer {
            id: snapshot_id(bytes, near),
            membership: membership(bytes),
        },
        10 => Message::SnapshotChunk(Chunk {
            id: snapshot_id(bytes, near),
            offset: number(bytes, 0),
            data: payload(bytes),
        }),
        11 => Message::ChunkReply {
            id: snapshot_id(bytes, near),
            offset: number(bytes, 0),
        },
        12 => {
            let prev = place(bytes, near);
            let data = payload(bytes);
            let offset = number(bytes, 0).min(1 << 10);
            Message::Part(Part {
                prev,
                commit: LogIndex(number(bytes, near.commit)),
                round: number(bytes, 0),
                term: Term(number(bytes, prev.1.0)),
                stamp: Stamp(u64::from(bytes.byte())),
                length: offset + data.len() as u64 + bytes.below(3) as u64,
                offset,
                data,
            })
        }
        13 => Message::PartReply {
            place: place(bytes, near),
            bytes: number(bytes, 0),
        },
        14 => Message::Reminder {
            held: place(bytes, near),
            last: place(bytes, near),
        },
        _ => Message::Append(append(bytes, near)),
    }
}

/// The name of a state; few enough for pieces to meet their offers.
pub(crate) fn snapshot_id(bytes: &mut Bytes<'_>, near: Near) -> SnapshotId {
    SnapshotId {
        base: place(bytes, near),
        bytes: number(bytes, 4),
        sum: u64::from(bytes.byte() % 2),
    }
}

fn place(bytes: &mut Bytes<'_>, near: Near) -> EntryId {
    match bytes.below(4) {
        0 => (LogIndex(0), Term(0)),
        1 => {
            let index = LogIndex(number(bytes, near.last.0.0));
            (index, Term(number(bytes, near.term)))
        }
        _ => near.last,
    }
}

fn payload(bytes: &mut Bytes<'_>) -> Payload {
    let len = bytes.below(12);
    Payload::copy_from_slice(bytes.take(len))
}

fn append(bytes: &mut Bytes<'_>, near: Near) -> Append {
    let prev = place(bytes, near);
    let mut append = Append {
        prev,
        commit: LogIndex(number(bytes, near.commit)),
        round: number(bytes, 0),
        entries: Vec::new(),
    };
    let (mut index, mut term) = prev;
    for _ in 0..bytes.below(5) {
        index = LogIndex(index.0.wrapping_add(1));
        if bytes.byte() > 0xc0 {
            term = Term(number(bytes, near.term));
        }
        append.entries.push(entry(bytes, index, term));
    }
    append
}

/// An entry of any kind.
pub(crate) fn entry(bytes: &mut Bytes<'_>, index: LogIndex, term: Term) -> Entry {
    let (kind, payload) = match bytes.below(8) {
        0 => (
            EntryKind::Membership,
            Payload::from(membership(bytes).encode()),
        ),
        1 => (EntryKind::Noop, Payload::new()),
        _ => (EntryKind::Normal, payload(bytes)),
    };
    Entry {
        term,
        index,
        stamp: Stamp(u64::from(bytes.byte())),
        kind,
        payload,
        known: KnownSum::default(),
    }
}

/// A membership of some of the members 1 to 5, as sound as the list allows.
pub(crate) fn membership(bytes: &mut Bytes<'_>) -> Membership {
    let (voters, others) = (bytes.byte(), bytes.byte());
    let of = |bits: u8| (1..=5).filter(move |id| bits >> id & 1 == 1).map(member);
    let voters: Vec<Member> = of(voters | (2 * u8::from(voters & 0x3e == 0))).collect();
    let outside = |member: &Member| !voters.contains(member);
    if others & 0xc0 == 0xc0 && others & 0x3e != 0 {
        Membership::Joint {
            new: of(others).collect(),
            old: voters,
            learners: Vec::new(),
        }
    } else {
        let learners = of(others).filter(outside).collect();
        Membership::Stable { voters, learners }
    }
}
