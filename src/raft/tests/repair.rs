//! A member that has lost entries: it takes what it is sent, and neither votes nor campaigns before
//! its log is as far as it was.

use bytes::Bytes;

use crate::ids::{Incarnation, LogIndex, NodeId, Term};
use crate::raft::message::{Append, Envelope, Message};
use crate::raft::*;
use crate::time::{Mono, Stamp};

fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id),
    }
}

fn entry(term: u64, index: u64) -> Entry {
    Entry {
        term: Term(term),
        index: LogIndex(index),
        stamp: Stamp(0),
        kind: Kind::Normal,
        payload: Bytes::new(),
        known: KnownSum::default(),
    }
}

/// A member of three that held entries up to (term 3, entry 4), has entries 1 and 2 of term 2 left,
/// and was last heard in term 5, in which it voted for 3.
fn damaged() -> Raft {
    let settings = Settings {
        id: NodeId(1),
        incarnation: Incarnation(1),
        ..Settings::default()
    };
    let restart = Restart {
        term: Term(5),
        vote: Some(NodeId(3)),
        commit: LogIndex(2),
        base: (LogIndex(0), Term(0)),
        membership: Membership::of([1, 2, 3].map(member).to_vec()).unwrap(),
        tail: [1, 2].map(|index| entry(2, index)).to_vec(),
        restate: true,
        owes: Some((LogIndex(4), Term(3))),
    };
    Raft::new(settings, restart, Mono(0))
}

fn at(ms: u64) -> Mono {
    Mono::from_millis(ms)
}

/// What it answers, once all that it has handed over is durable.
fn told(raft: &mut Raft, ms: u64, from: u64, term: u64, message: &Message) -> Vec<Message> {
    let envelope = Envelope {
        cluster: Settings::default().cluster,
        from: member(from),
        to: member(1),
        term: Term(term),
    };
    let frame = wire::encode(&envelope, message);
    raft.step(at(ms), NodeId(from), &frame).unwrap();
    spoken(raft)
}

fn spoken(raft: &mut Raft) -> Vec<Message> {
    while let Some(handed) = raft.unpersisted() {
        let seq = handed.seq;
        raft.persisted(seq);
    }
    let mut out = Vec::new();
    raft.messages(&mut out);
    let decoded = out
        .iter()
        .map(|out| wire::decode(&Bytes::from(out.frame.clone())).unwrap().1);
    decoded.collect()
}

fn append(prev: (u64, u64), entries: &[(u64, u64)]) -> Message {
    Message::Append(Append {
        prev: (LogIndex(prev.0), Term(prev.1)),
        commit: LogIndex(0),
        round: 0,
        entries: entries.iter().map(|(t, i)| entry(*t, *i)).collect(),
    })
}

fn vote_for(last: (u64, u64)) -> Message {
    Message::Vote {
        last: (LogIndex(last.0), Term(last.1)),
        transfer: true,
    }
}

const YES: Message = Message::VoteReply { granted: true };
const NO: Message = Message::VoteReply { granted: false };

#[test]
fn what_it_knows_of_term_and_vote_it_writes_down_before_it_speaks() {
    let mut raft = damaged();
    let handed = raft.unpersisted().unwrap();
    assert!(handed.must_sync);
    assert_eq!((handed.term, handed.vote), (Term(5), Some(NodeId(3))));
}

#[test]
fn it_votes_for_nobody_however_good_the_candidate_is() {
    let mut raft = damaged();
    assert!(raft.is_repairing());
    let asked = Message::PreVote {
        prospective: Term(9),
        last: (LogIndex(9), Term(8)),
    };
    let refused = Message::PreVoteReply {
        prospective: Term(9),
        granted: false,
    };
    assert_eq!(told(&mut raft, 1000, 2, 8, &asked), [refused]);
    assert_eq!(told(&mut raft, 1000, 2, 9, &vote_for((9, 8))), [NO]);
    assert_eq!((raft.term(), raft.vote()), (Term(9), None));
}

#[test]
fn it_does_not_campaign_by_itself_nor_when_told_to() {
    let mut raft = damaged();
    raft.tick(at(60_000));
    assert_eq!(raft.deadline(), None);
    assert!(told(&mut raft, 60_000, 2, 6, &Message::TimeoutNow).is_empty());
    assert_eq!((raft.role(), raft.term()), (RoleName::Follower, Term(6)));
}

#[test]
fn entries_of_its_old_term_pay_only_as_far_as_it_was() {
    let mut raft = damaged();
    let accepted = |index| Message::Accepted {
        index: LogIndex(index),
    };
    let taken = told(&mut raft, 1, 2, 6, &append((2, 2), &[(3, 3)]));
    assert!(taken.contains(&accepted(3)), "what it holds it says");
    assert!(raft.is_repairing());
    told(&mut raft, 2, 2, 6, &append((3, 3), &[(3, 4)]));
    assert!(!raft.is_repairing());
    assert_eq!(told(&mut raft, 1000, 3, 7, &vote_for((4, 3))), [YES]);
}

#[test]
fn one_entry_of_a_later_term_pays_all() {
    let mut raft = damaged();
    told(&mut raft, 1, 2, 6, &append((2, 2), &[(6, 3)]));
    assert!(!raft.is_repairing());
    assert_eq!(told(&mut raft, 1000, 3, 7, &vote_for((4, 3))), [NO]);
    assert_eq!(told(&mut raft, 1000, 3, 7, &vote_for((3, 6))), [YES]);
}

#[test]
fn entries_that_are_not_durable_pay_nothing() {
    let mut raft = damaged();
    spoken(&mut raft);
    let envelope = Envelope {
        cluster: Settings::default().cluster,
        from: member(2),
        to: member(1),
        term: Term(6),
    };
    let frame = wire::encode(&envelope, &append((2, 2), &[(6, 3)]));
    raft.step(at(1), NodeId(2), &frame).unwrap();
    let seq = raft.unpersisted().unwrap().seq;
    assert!(raft.is_repairing());
    raft.persisted(seq);
    assert!(!raft.is_repairing());
}

#[test]
fn a_state_that_is_later_pays() {
    let mut raft = damaged();
    let membership = Membership::of([1, 2, 3].map(member).to_vec()).unwrap();
    assert!(raft.installed((LogIndex(3), Term(3)), membership.clone()));
    assert!(raft.is_repairing());
    assert!(raft.installed((LogIndex(9), Term(3)), membership));
    assert!(!raft.is_repairing());
}

#[test]
fn who_has_all_that_it_owed_owes_nothing_after_a_restart() {
    let membership = Membership::of([1, 2, 3].map(member).to_vec()).unwrap();
    for (last, owes) in [
        ((4, 3), false),
        ((3, 3), true),
        ((1, 4), false),
        ((9, 2), true),
    ] {
        let restart = Restart {
            term: Term(5),
            vote: None,
            commit: LogIndex(0),
            base: (LogIndex(last.0), Term(last.1)),
            membership: membership.clone(),
            tail: Vec::new(),
            restate: false,
            owes: Some((LogIndex(4), Term(3))),
        };
        let settings = Settings {
            id: NodeId(1),
            incarnation: Incarnation(1),
            ..Settings::default()
        };
        let raft = Raft::new(settings, restart, Mono(0));
        assert_eq!(raft.is_repairing(), owes, "{last:?}");
    }
}
