//! A group of one: it leads when its vote is durable, and commits when its entries are.

use crate::ids::{LogIndex, NodeId, PersistSeq, Term};
use crate::raft::*;
use crate::time::{Mono, Stamp};
use bytes::Bytes;
use proptest::prelude::*;

const ME: NodeId = NodeId(1);

fn restart(tail: Vec<Entry>) -> Restart {
    Restart {
        term: tail.last().map_or(Term(0), |entry| entry.term),
        vote: None,
        commit: LogIndex(0),
        base: (LogIndex(0), Term(0)),
        membership: Membership::alone(ME),
        tail,
        restate: false,
        owes: None,
    }
}

fn sole(tail: Vec<Entry>) -> Raft {
    let settings = Settings {
        id: ME,
        ..Settings::default()
    };
    Raft::new(settings, restart(tail), Mono(0))
}

fn entry(term: u64, index: u64) -> Entry {
    Entry {
        term: Term(term),
        index: LogIndex(index),
        stamp: Stamp(index),
        kind: EntryKind::Normal,
        payload: Bytes::copy_from_slice(&index.to_le_bytes()),
        known: KnownSum::default(),
    }
}

/// Hands over what is new and gives its number, whether it must be synced, and how many entries it
/// holds.
fn hand_over(raft: &mut Raft) -> Option<(PersistSeq, bool, usize)> {
    let unpersisted = raft.unpersisted()?;
    Some((
        unpersisted.seq,
        unpersisted.must_sync,
        unpersisted.entries.len(),
    ))
}

#[test]
fn it_leads_only_when_its_vote_is_durable() {
    let mut raft = sole(Vec::new());
    assert_eq!((raft.term(), raft.vote()), (Term(1), Some(ME)));
    let vote = hand_over(&mut raft);
    assert_eq!(vote, Some((PersistSeq(1), true, 0)));
    assert!(!raft.is_leader());
    assert!(raft.propose(Stamp(1), Bytes::new()).is_err());
    raft.persisted(PersistSeq(1));
    assert!(raft.is_leader());
    // The first entry is its own term's, and nothing is committed before that one is durable.
    assert_eq!(hand_over(&mut raft), Some((PersistSeq(2), false, 1)));
    assert_eq!(raft.next_committed(), None);
    raft.persisted(PersistSeq(2));
    assert_eq!(
        raft.next_committed().map(|e| (e.kind, e.index)),
        Some((EntryKind::Noop, LogIndex(1)))
    );
}

#[test]
fn entries_of_old_terms_are_committed_by_the_own_terms_first() {
    let mut raft = sole(vec![entry(3, 1), entry(3, 2)]);
    assert_eq!(raft.term(), Term(4));
    assert_eq!(raft.next_committed(), None, "durable, but of an old term");
    hand_over(&mut raft);
    raft.persisted(PersistSeq(1));
    assert_eq!(raft.next_committed(), None, "the no-op is not durable yet");
    hand_over(&mut raft);
    raft.persisted(PersistSeq(2));
    let applied: Vec<u64> = core::iter::from_fn(|| raft.next_committed())
        .map(|e| e.index.0)
        .collect();
    assert_eq!(applied, [1, 2, 3]);
}

#[test]
fn persisting_is_cumulative_and_in_order() {
    let mut raft = sole(Vec::new());
    hand_over(&mut raft);
    raft.persisted(PersistSeq(1));
    let mut proposed = Vec::new();
    for n in 0..3 {
        proposed.push(raft.propose(Stamp(n), Bytes::new()).expect("it leads"));
        hand_over(&mut raft);
    }
    assert_eq!(raft.commit(), LogIndex(0));
    raft.persisted(PersistSeq(3));
    assert_eq!(raft.commit(), proposed[1]);
    raft.persisted(PersistSeq(4));
    assert_eq!(raft.commit(), proposed[2]);
}

proptest! {
    #[test]
    fn an_entry_is_decoded_as_it_was_encoded(
        term: u64,
        index: u64,
        stamp: u64,
        kind in 0..2,
        payload: Vec<u8>,
    ) {
        let kind = if kind == 0 { EntryKind::Normal } else { EntryKind::Noop };
        let entry = Entry {
            term: Term(term),
            index: LogIndex(index),
            stamp: Stamp(stamp),
            kind,
            payload: payload.into(),
            known: KnownSum::default(),
        };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        bytes.extend_from_slice(b"next");
        let mut rest = &bytes[..];
        prop_assert_eq!(Entry::decode(&mut rest), Ok(entry));
        prop_assert_eq!(rest, b"next");
    }

    #[test]
    fn bytes_that_are_no_entry_are_refused(mut bytes: Vec<u8>, at: usize, bit in 0_u8..8) {
        prop_assert!(Entry::decode(&mut &bytes[..]).is_err());
        bytes.clear();
        entry(1, 2).encode(&mut bytes);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(Entry::decode(&mut &bytes[..]).is_err());
    }
}
