//! Frames: what is sent is what arrives, and nothing else does.

use std::collections::BTreeSet;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::raft::message::{Append, Chunk, EntryId, Envelope, Message, Part, SnapshotId};
use crate::raft::wire::{WIRE_VERSION, WireError, decode, encode};
use crate::raft::*;
use crate::time::Stamp;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

fn any_member() -> impl Strategy<Value = Member> {
    (any::<u64>(), any::<u64>()).prop_map(|(id, incarnation)| Member {
        id: NodeId(id),
        incarnation: Incarnation(incarnation),
    })
}

fn any_envelope() -> impl Strategy<Value = Envelope> {
    (any::<u64>(), any_member(), any_member(), any::<u64>()).prop_map(
        |(cluster, from, to, term)| Envelope {
            cluster: ClusterId(cluster),
            from,
            to,
            term: Term(term),
        },
    )
}

fn any_place() -> impl Strategy<Value = EntryId> {
    (any::<u64>(), any::<u64>()).prop_map(|(index, term)| (LogIndex(index), Term(term)))
}

fn any_snapshot() -> impl Strategy<Value = SnapshotId> {
    (any_place(), any::<u64>(), any::<u64>()).prop_map(|(base, bytes, sum)| SnapshotId {
        base,
        bytes,
        sum,
    })
}

fn any_part() -> impl Strategy<Value = Part> {
    let data = proptest::collection::vec(any::<u8>(), 1..40);
    (any_place(), any::<[u32; 6]>(), data).prop_map(|(prev, numbers, data)| {
        let [commit, round, later, stamp, before, behind] = numbers.map(|n| u64::from(n >> 2));
        Part {
            prev,
            commit: LogIndex(commit),
            round,
            term: Term(prev.1.0.saturating_add(later)),
            stamp: Stamp(stamp),
            length: before + data.len() as u64 + behind,
            offset: before,
            data: data.into(),
        }
    })
}

fn any_append() -> impl Strategy<Value = Append> {
    let entry = (0_u64..3, any::<u64>(), any::<Vec<u8>>(), any::<bool>());
    let entries = proptest::collection::vec(entry, 0..6);
    (
        0_u64..1 << 40,
        0_u64..1 << 40,
        any::<u64>(),
        any::<u64>(),
        entries,
    )
        .prop_map(|(index, term, commit, round, entries)| {
            let (mut at, mut of) = (index, term);
            let entries = entries.into_iter().map(|(by, stamp, payload, noop)| {
                at += 1;
                of += by;
                Entry {
                    term: Term(of),
                    index: LogIndex(at),
                    stamp: Stamp(stamp),
                    kind: if noop {
                        EntryKind::Noop
                    } else {
                        EntryKind::Normal
                    },
                    payload: payload.into(),
                    known: KnownSum::default(),
                }
            });
            Append {
                prev: (LogIndex(index), Term(term)),
                commit: LogIndex(commit),
                round,
                entries: entries.collect(),
            }
        })
}

fn any_message() -> impl Strategy<Value = Message> {
    let chunk = (any_snapshot(), any::<u64>(), any::<Vec<u8>>());
    prop_oneof![
        (any::<u64>(), any_place()).prop_map(|(term, last)| Message::PreVote {
            prospective: Term(term),
            last
        }),
        (any::<u64>(), any::<bool>()).prop_map(|(term, granted)| Message::PreVoteReply {
            prospective: Term(term),
            granted
        }),
        (any_place(), any::<bool>()).prop_map(|(last, transfer)| Message::Vote { last, transfer }),
        any::<bool>().prop_map(|granted| Message::VoteReply { granted }),
        any_append().prop_map(Message::Append),
        any::<u64>().prop_map(|index| Message::Accepted {
            index: LogIndex(index)
        }),
        (any::<u64>(), any_place()).prop_map(|(at, hint)| Message::Rejected {
            at: LogIndex(at),
            hint
        }),
        (any::<[u64; 3]>(), any::<Option<u32>>()).prop_map(
            |([commit, round, echo], led_before)| Message::Heartbeat {
                commit: LogIndex(commit),
                round,
                echo,
                led_before: led_before.map(u64::from),
            }
        ),
        any::<([u64; 4], [bool; 2])>().prop_map(
            |([round, received, durable, token], [is_strained, contradicts])| {
                Message::HeartbeatReply {
                    round,
                    received: LogIndex(received),
                    durable: LogIndex(durable),
                    token,
                    is_strained,
                    contradicts,
                }
            }
        ),
        Just(Message::TimeoutNow),
        (any_place(), any_place()).prop_map(|(held, last)| Message::Reminder { held, last }),
        any_part().prop_map(Message::Part),
        (any_place(), any::<u64>()).prop_map(|(place, bytes)| Message::PartReply { place, bytes }),
        (any_snapshot(), 1_u64..).prop_map(|(id, member)| Message::SnapshotOffer {
            id,
            membership: Membership::alone(NodeId(member))
        }),
        chunk.prop_map(|(id, offset, data)| Message::SnapshotChunk(Chunk {
            id,
            offset,
            data: data.into()
        })),
        (any_snapshot(), any::<u64>()).prop_map(|(id, offset)| Message::ChunkReply { id, offset }),
    ]
}

proptest! {
    #[test]
    fn a_message_is_decoded_as_it_was_encoded(
        envelope in any_envelope(),
        message in any_message(),
    ) {
        let frame = Bytes::from(encode(&envelope, &message));
        prop_assert_eq!(decode(&frame), Ok((envelope, message)));
    }

    #[test]
    fn a_changed_bit_is_found(
        envelope in any_envelope(),
        message in any_message(),
        at: usize,
        bit in 0_u8..8,
    ) {
        let mut frame = encode(&envelope, &message);
        let at = at % frame.len();
        frame[at] ^= 1 << bit;
        prop_assert!(decode(&frame.into()).is_err());
    }

    #[test]
    fn a_frame_that_is_cut_or_too_long_is_refused(
        envelope in any_envelope(),
        message in any_message(),
        at: usize,
        more: u8,
    ) {
        let mut frame = encode(&envelope, &message);
        let cut = Bytes::copy_from_slice(&frame[..at % frame.len()]);
        prop_assert!(decode(&cut).is_err());
        frame.push(more);
        prop_assert!(decode(&frame.into()).is_err());
    }

    #[test]
    fn random_bytes_are_refused(mut bytes: Vec<u8>, kind in 0_u8..16) {
        prop_assert!(decode(&bytes.clone().into()).is_err());
        // As far as the numbers, if not the checksum, would let it come.
        if let Some(head) = bytes.get_mut(8..10) {
            head.copy_from_slice(&[WIRE_VERSION, kind]);
        }
        prop_assert!(decode(&bytes.into()).is_err());
    }

    #[test]
    fn entries_that_do_not_follow_are_refused(
        envelope in any_envelope(),
        append in any_append(),
        at: usize,
        index in 0_u64..1 << 40,
    ) {
        prop_assume!(!append.entries.is_empty());
        let mut append = append;
        let at = at % append.entries.len();
        prop_assume!(append.entries[at].index != LogIndex(index));
        append.entries[at].index = LogIndex(index);
        let frame = encode(&envelope, &Message::Append(append));
        prop_assert_eq!(decode(&frame.into()), Err(WireError::Corrupt));
    }

    #[test]
    fn an_entry_shares_the_memory_it_is_decoded_from(append in any_append()) {
        let mut bytes = Vec::new();
        for entry in &append.entries {
            entry.encode(&mut bytes);
        }
        let mut rest = Bytes::from(bytes);
        let memory = rest.as_ptr_range();
        for entry in &append.entries {
            let shared = Entry::decode_shared(&mut rest).unwrap();
            prop_assert_eq!(&shared, entry);
            prop_assert!(shared.payload.is_empty() || memory.contains(&shared.payload.as_ptr()));
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn another_version_is_named() {
    let member = Member::default();
    let envelope = Envelope {
        cluster: ClusterId(1),
        from: member,
        to: member,
        term: Term(1),
    };
    let mut frame = encode(&envelope, &Message::TimeoutNow);
    frame[8] = 2;
    assert_eq!(decode(&frame.into()), Err(WireError::Version(2)));
}

#[test]
fn terms_that_fall_are_refused() {
    let member = Member::default();
    let envelope = Envelope {
        cluster: ClusterId(1),
        from: member,
        to: member,
        term: Term(3),
    };
    let entry = Entry {
        term: Term(2),
        index: LogIndex(8),
        stamp: Stamp(0),
        kind: EntryKind::Noop,
        payload: Bytes::new(),
        known: KnownSum::default(),
    };
    let mut append = Append {
        prev: (LogIndex(7), Term(2)),
        commit: LogIndex(0),
        round: 0,
        entries: vec![entry],
    };
    let sent =
        |append: &Append| decode(&encode(&envelope, &Message::Append(append.clone())).into());
    assert!(sent(&append).is_ok());
    append.prev.1 = Term(3);
    assert_eq!(sent(&append), Err(WireError::Corrupt));
}

/// The kinds of messages: of a new one the compiler asks.
macro_rules! kinds {
    ($($kind:pat),*) => {
        const KINDS: &[&str] = &[$(stringify!($kind)),*];

        fn kind_of(message: &Message) -> &'static str {
            match message {
                $($kind => stringify!($kind),)*
            }
        }
    };
}

kinds!(
    Message::PreVote { .. },
    Message::PreVoteReply { .. },
    Message::Vote { .. },
    Message::VoteReply { .. },
    Message::Append(_),
    Message::Part(_),
    Message::PartReply { .. },
    Message::Accepted { .. },
    Message::Rejected { .. },
    Message::Heartbeat { .. },
    Message::HeartbeatReply { .. },
    Message::Reminder { .. },
    Message::TimeoutNow,
    Message::SnapshotOffer { .. },
    Message::SnapshotChunk(_),
    Message::ChunkReply { .. }
);

/// The tests above hold for the messages that they are given.
#[test]
fn messages_of_every_kind_are_tried() {
    let mut runner = TestRunner::deterministic();
    let mut tried = BTreeSet::new();
    for _ in 0..1000 {
        let message = any_message().new_tree(&mut runner).unwrap().current();
        tried.insert(kind_of(&message));
    }
    assert_eq!(tried, KINDS.iter().copied().collect());
}
