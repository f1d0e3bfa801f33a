//! A member that has lost entries: it takes what it is sent, and neither votes nor campaigns before
//! its log is as far as it was.

use bytes::Bytes;

use crate::ids::{Incarnation, LogIndex, NodeId, Term};
use crate::raft::message::{Append, Envelope, Message};
use crate::raft::*;
use crate::time::{Mono, Stamp};

pub(super) fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id),
    }
}

pub(super) fn entry(term: u64, index: u64) -> Entry {
    Entry {
        term: Term(term),
        index: LogIndex(index),
        stamp: Stamp(0),
        kind: EntryKind::Normal,
        payload: Bytes::new(),
        known: KnownSum::default(),
    }
}

/// Member 1 of three, as it begins with what its disk remembers.
pub(super) fn started(restart: Restart) -> Raft {
    let settings = Settings {
        id: NodeId(1),
        incarnation: Incarnation(1),
        ..Settings::default()
    };
    Raft::new(settings, restart, Mono(0))
}

/// The memory of a disk that knows of no loss: entries 1 to 3 of term 2.
pub(super) fn remembered(term: u64) -> Restart {
    Restart {
        term: Term(term),
        vote: None,
        commit: LogIndex(0),
        base: (LogIndex(0), Term(0)),
        membership: Membership::of([1, 2, 3].map(member).to_vec()).unwrap(),
        tail: [1, 2, 3].map(|index| entry(2, index)).to_vec(),
        restate: false,
        owes: None,
    }
}

/// A member of three that held entries up to (term 3, entry 4), has entries 1 and 2 of term 2 left,
/// and was last heard in term 5, in which it voted for 3.
fn damaged() -> Raft {
    started(Restart {
        term: Term(5),
        vote: Some(NodeId(3)),
        commit: LogIndex(2),
        base: (LogIndex(0), Term(0)),
        membership: Membership::of([1, 2, 3].map(member).to_vec()).unwrap(),
        tail: [1, 2].map(|index| entry(2, index)).to_vec(),
        restate: true,
        owes: Some((LogIndex(4), Term(3))),
    })
}

pub(super) fn at(ms: u64) -> Mono {
    Mono::from_millis(ms)
}

/// Its answers, once all that it has handed over is durable.
pub(super) fn told(
    raft: &mut Raft,
    ms: u64,
    from: u64,
    term: u64,
    message: &Message,
) -> Vec<Message> {
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

pub(super) fn spoken(raft: &mut Raft) -> Vec<Message> {
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

pub(super) fn append(prev: (u64, u64), entries: &[(u64, u64)]) -> Message {
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

/// A member of three that leads in term 7, and the frames of the others.
pub(super) struct Leading(pub(super) Raft);

impl Leading {
    pub(super) fn new() -> Self {
        let mut raft = started(remembered(6));
        for ms in (0..=1000).step_by(50) {
            raft.tick(at(ms));
        }
        for id in [2, 3] {
            let granted = true;
            let prospective = Term(7);
            let yes = Message::PreVoteReply {
                prospective,
                granted,
            };
            told(&mut raft, 1000, id, 6, &yes);
        }
        told(&mut raft, 1000, 3, 7, &YES);
        assert!(raft.is_leader());
        Self(raft)
    }

    pub(super) fn hears(&mut self, message: &Message) -> Vec<Message> {
        told(&mut self.0, 1010, 2, 7, message)
    }
}

pub(super) fn rejected(at: u64, hint: (u64, u64)) -> Message {
    let hint = (LogIndex(hint.0), Term(hint.1));
    let at = LogIndex(at);
    Message::Rejected { at, hint }
}

pub(super) fn accepted(index: u64) -> Message {
    let index = LogIndex(index);
    Message::Accepted { index }
}

pub(super) fn follows(received: u64) -> Message {
    Message::HeartbeatReply {
        round: 1,
        received: LogIndex(received),
        durable: LogIndex(0),
        token: 1,
        is_strained: false,
        contradicts: false,
    }
}

fn reminder(held: (u64, u64), last: (u64, u64)) -> Message {
    Message::Reminder {
        held: (LogIndex(held.0), Term(held.1)),
        last: (LogIndex(last.0), Term(last.1)),
    }
}

fn is_reminder(message: &Message) -> bool {
    matches!(message, Message::Reminder { .. })
}

#[test]
fn who_rejects_what_it_has_acknowledged_is_reminded_until_it_holds_that_again() {
    let mut leader = Leading::new();
    leader.hears(&accepted(4));
    leader.0.propose(Stamp(1), Bytes::new()).unwrap();
    spoken(&mut leader.0);
    // It has begun anew, and must show what it holds: nobody suspects it yet.
    assert!(!leader.hears(&follows(0)).iter().any(is_reminder));
    let reminded = reminder((4, 7), (5, 7));
    assert!(leader.hears(&rejected(4, (2, 2))).contains(&reminded));
    assert!(leader.hears(&follows(0)).contains(&reminded));
    assert!(leader.hears(&follows(0)).contains(&reminded));
    leader.hears(&accepted(4));
    assert!(!leader.hears(&follows(4)).iter().any(is_reminder));
}

#[test]
fn who_has_acknowledged_nothing_of_what_it_rejects_is_not_reminded() {
    let mut leader = Leading::new();
    let said = leader.hears(&rejected(3, (1, 2)));
    assert!(!said.iter().any(is_reminder));
    leader.hears(&accepted(1));
    let said = leader.hears(&follows(1));
    assert!(!said.iter().any(is_reminder));
}

/// The same as `damaged`, of an older copy: it knows of nothing that is lost.
fn put_back() -> Raft {
    started(remembered(4))
}

#[test]
fn who_lacks_what_it_has_acknowledged_is_under_repair_and_votes_for_nobody() {
    for held in [(4, 7), (4, 0), (3, 7)] {
        let mut raft = put_back();
        told(&mut raft, 1, 2, 7, &reminder(held, (6, 7)));
        assert!(raft.is_repairing(), "{held:?}");
        let loss = raft.take_loss().unwrap();
        assert_eq!((loss.acknowledged.0, loss.last.0), (held.0, 3));
        assert_eq!(loss.owes, (LogIndex(6), Term(7)));
        assert_eq!(raft.take_loss(), None);
        assert_eq!((raft.term(), raft.vote()), (Term(7), Some(NodeId(2))));
        assert_eq!(told(&mut raft, 1000, 3, 8, &vote_for((9, 7))), [NO]);
        told(&mut raft, 1001, 3, 8, &append((3, 2), &[(7, 4), (7, 5)]));
        assert!(raft.is_repairing());
        told(&mut raft, 1002, 3, 8, &append((5, 7), &[(7, 6)]));
        assert!(!raft.is_repairing());
    }
}

#[test]
fn who_holds_what_it_is_reminded_of_heeds_it_not() {
    let mut raft = put_back();
    for held in [(3, 2), (3, 0), (1, 2)] {
        told(&mut raft, 1, 2, 7, &reminder(held, (6, 7)));
        assert_eq!((raft.is_repairing(), raft.vote()), (false, None));
    }
    let membership = Membership::of([1, 2, 3].map(member).to_vec()).unwrap();
    assert!(raft.installed((LogIndex(9), Term(5)), membership));
    told(&mut raft, 1, 2, 7, &reminder((8, 5), (9, 7)));
    assert!(!raft.is_repairing(), "a state has it");
}

#[test]
fn a_reminder_of_another_term_or_of_more_than_there_is_changes_nothing() {
    let mut raft = put_back();
    told(&mut raft, 1, 2, 7, &append((3, 2), &[]));
    assert!(
        !told(&mut raft, 1, 3, 6, &reminder((4, 6), (4, 6)))
            .iter()
            .any(is_reminder)
    );
    assert!(!raft.is_repairing());
    let envelope = Envelope {
        cluster: Settings::default().cluster,
        from: member(2),
        to: member(1),
        term: Term(7),
    };
    for (held, last) in [((4, 7), (3, 7)), ((4, 7), (5, 6)), ((4, 7), (5, 8))] {
        let frame = wire::encode(&envelope, &reminder(held, last));
        let done = raft.step(at(2), NodeId(2), &frame);
        assert_eq!(done, Err(WireError::Contradiction));
        assert!(!raft.is_repairing());
    }
}

#[test]
fn who_knows_of_its_loss_owes_no_more_for_being_reminded() {
    let mut raft = damaged();
    told(&mut raft, 1, 2, 7, &reminder((4, 3), (9, 7)));
    assert_eq!(
        (raft.owes(), raft.take_loss()),
        (Some((LogIndex(4), Term(3))), None)
    );
    told(&mut raft, 1, 2, 7, &reminder((8, 7), (9, 7)));
    assert_eq!(raft.owes(), Some((LogIndex(9), Term(7))));
    told(&mut raft, 1, 2, 7, &reminder((8, 7), (12, 7)));
    assert_eq!(raft.owes(), Some((LogIndex(9), Term(7))));
}
