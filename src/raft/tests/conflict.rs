//! Logs that contradict each other, as an older copy of a member's disk leaves them: both members
//! say so, and neither takes the other for one that has its entries.

use bytes::Bytes;

use super::repair::{Leading, accepted, append, at, follows, member, remembered, spoken, started};
use super::repair::{entry, rejected, told};
use crate::ids::{LogIndex, NodeId, Term};
use crate::raft::message::{Envelope, Message, Part};
use crate::raft::*;
use crate::time::Stamp;

fn heartbeat() -> Message {
    Message::Heartbeat {
        commit: LogIndex(0),
        round: 1,
        echo: 0,
        led_before: None,
    }
}

/// Tells a member something that it does not take.
fn refused(raft: &mut Raft, from: u64, term: u64, message: &Message) {
    let envelope = Envelope {
        cluster: Settings::default().cluster,
        from: member(from),
        to: member(1),
        term: Term(term),
    };
    let frame = wire::encode(&envelope, message);
    let done = raft.step(at(1), NodeId(from), &frame);
    assert_eq!(done, Err(WireError::Contradiction));
}

fn says_it_contradicts(raft: &mut Raft, from: u64, term: u64) -> bool {
    let said = told(raft, 1, from, term, &heartbeat());
    let contradicts = |message: &Message| match message {
        Message::HeartbeatReply { contradicts, .. } => Some(*contradicts),
        _ => None,
    };
    said.iter()
        .find_map(contradicts)
        .expect("a heartbeat is answered")
}

#[test]
fn a_member_says_once_that_its_leader_contradicts_what_is_committed() {
    for contradiction in [append((3, 5), &[]), append((1, 2), &[(5, 2), (5, 3)])] {
        let commit = LogIndex(3);
        let mut raft = started(Restart {
            commit,
            ..remembered(4)
        });
        assert!(!says_it_contradicts(&mut raft, 2, 7));
        refused(&mut raft, 2, 7, &contradiction);
        assert!(raft.contradicts_leader());
        assert!(says_it_contradicts(&mut raft, 2, 7));
        let conflict = raft.take_conflict().expect("it is told");
        assert_eq!((conflict.leader, conflict.own), (NodeId(2), Term(2)));
        assert_eq!(conflict.leaders, Term(5));
        // The same again, and in a later term, is no news.
        refused(&mut raft, 2, 7, &contradiction);
        refused(&mut raft, 2, 8, &contradiction);
        assert!(raft.contradicts_leader());
        assert_eq!(raft.take_conflict(), None);
        // Another leader may agree.
        told(&mut raft, 2, 3, 9, &append((3, 2), &[(9, 4)]));
        assert!(!raft.contradicts_leader());
        assert!(!says_it_contradicts(&mut raft, 3, 9));
        assert_eq!((raft.last(), raft.take_conflict()), (LogIndex(4), None));
    }
}

#[test]
fn a_leader_that_is_told_of_a_contradiction_says_so_once() {
    let mut leader = Leading::new();
    let contradicts = |contradicts| {
        let Message::HeartbeatReply {
            round,
            received,
            durable,
            token,
            is_strained,
            ..
        } = follows(0)
        else {
            unreachable!("that is what it makes");
        };
        Message::HeartbeatReply {
            round,
            received,
            durable,
            token,
            is_strained,
            contradicts,
        }
    };
    leader.hears(&contradicts(false));
    assert!(!leader.0.is_contradicted_by(NodeId(2)));
    leader.hears(&contradicts(true));
    leader.hears(&contradicts(true));
    assert!(leader.0.is_contradicted_by(NodeId(2)));
    assert_eq!(leader.0.take_contradicting(), Some(NodeId(2)));
    assert_eq!(leader.0.take_contradicting(), None);
    leader.hears(&contradicts(false));
    assert!(!leader.0.is_contradicted_by(NodeId(2)));
}

#[test]
fn a_member_that_claims_entries_which_no_leader_had_holds_none_of_those_that_come() {
    let mut leader = Leading::new();
    // An empty log is one that may be filled.
    leader.hears(&accepted(0));
    assert!(!leader.0.is_contradicted_by(NodeId(2)));
    // Its base is at entry 6, of a term that this leader does not know.
    leader.hears(&accepted(6));
    assert!(leader.0.is_contradicted_by(NodeId(2)));
    assert_eq!(leader.0.take_contradicting(), Some(NodeId(2)));
    for _ in 0..3 {
        leader.0.propose(Stamp(1), Bytes::new()).unwrap();
    }
    spoken(&mut leader.0);
    leader.hears(&accepted(6));
    assert_eq!(leader.0.held_by(NodeId(2)), LogIndex(0));
    assert!(leader.0.commit() < LogIndex(6));
    assert!(leader.0.is_contradicted_by(NodeId(2)));
    // What stands behind was compared.
    leader.hears(&accepted(7));
    assert_eq!(leader.0.held_by(NodeId(2)), LogIndex(7));
    assert!(!leader.0.is_contradicted_by(NodeId(2)));
}

#[test]
fn entries_of_one_place_that_differ_in_their_content_are_a_contradiction_for_good() {
    let other = Entry {
        stamp: Stamp(7),
        ..entry(2, 3)
    };
    let Message::Append(mut contradiction) = append((2, 2), &[(7, 4)]) else {
        unreachable!("that is what it makes");
    };
    contradiction.entries.insert(0, other);
    let mut raft = started(remembered(4));
    refused(&mut raft, 2, 7, &Message::Append(contradiction));
    assert_eq!(raft.last(), LogIndex(3));
    assert!(says_it_contradicts(&mut raft, 2, 7));
    let conflict = raft.take_conflict().expect("it is told");
    assert_eq!((conflict.own, conflict.leaders), (Term(2), Term(2)));
    // What follows goes on from a place that has the right term.
    refused(&mut raft, 2, 7, &append((3, 2), &[(7, 4)]));
    assert!(raft.contradicts_leader());
    told(&mut raft, 2, 3, 8, &append((3, 2), &[(8, 4)]));
    assert!(!raft.contradicts_leader());
}

#[test]
fn a_leader_sends_a_member_once_the_last_entry_that_both_have() {
    let mut leader = Leading::new();
    let firsts = |said: Vec<Message>| -> Vec<u64> {
        let first = |message| match message {
            Message::Append(append) => append.entries.first().map(|entry| entry.index.0),
            _ => None,
        };
        said.into_iter().filter_map(first).collect()
    };
    leader.hears(&rejected(3, (2, 2)));
    leader.hears(&follows(2));
    let said = leader.hears(&accepted(2));
    assert_eq!(firsts(said), [2]);
    let said = leader.hears(&accepted(2));
    assert_eq!(firsts(said), [0; 0]);
}

#[test]
fn a_large_entry_comes_in_pieces_to_where_another_leader_left_one() {
    let payload = Bytes::from_static(b"abcdefgh");
    // The member has an entry 3 of term 2, which was never committed.
    let mut raft = started(remembered(4));
    let piece = |offset: usize| {
        Message::Part(Part {
            prev: (LogIndex(2), Term(2)),
            commit: LogIndex(2),
            round: 1,
            term: Term(5),
            stamp: Stamp(0),
            length: payload.len() as u64,
            offset: offset as u64,
            data: payload.slice(offset..offset + 2),
        })
    };
    for offset in [0, 2, 4, 6] {
        let said = told(&mut raft, 1, 2, 5, &piece(offset));
        let bytes = offset as u64 + 2;
        let place = (LogIndex(3), Term(5));
        assert!(said.contains(&Message::PartReply { place, bytes }));
    }
    assert_eq!(raft.last(), LogIndex(3));
    let held = raft.log.window().last().expect("an entry");
    assert_eq!((held.term, &held.payload), (Term(5), &payload));
}
