//! Bugs that other implementations had, each by its name here: what they did must not happen.

use super::net::{CLUSTER, Net, member};
use super::world::World;
use crate::ids::{Incarnation, LogIndex, NodeId, Term};
use crate::raft::message::{Append, Class, Message};
use crate::raft::*;
use crate::time::{Mono, Stamp};
use bytes::Bytes;

/// A calm group of three with a leader and something committed.
fn three(seed: u64) -> (Net, NodeId, NodeId, NodeId) {
    let mut net = Net::new(seed, 3, World::CALM);
    let leader = net.run_to_leader();
    net.propose(leader, 1).unwrap();
    net.run_ms(200);
    let one = NodeId(1 + leader.0 % 3);
    (net, leader, one, NodeId(6 - leader.0 - one.0))
}

#[test]
fn redisraft_followers_apply_what_they_log_though_nothing_more_is_proposed() {
    let (mut net, leader, one, other) = three(1);
    let index = net.propose(leader, 2).unwrap();
    net.run_ms(110);
    assert_eq!(net.hosts[&one].applied, index);
    assert_eq!(net.hosts[&other].applied, index);
}

#[test]
fn redisraft_applied_entries_are_given_once_in_a_life_and_none_is_skipped() {
    // The network asserts order and count at every entry; here over restarts and a new base.
    let (mut net, leader, one, _) = three(2);
    for payload in 0..10 {
        net.propose(leader, payload).unwrap();
        net.run_ms(100);
        if payload == 5 {
            net.compact(one);
        }
        net.crash(one);
        net.start(one);
    }
    net.run_ms(500);
    assert_eq!(net.hosts[&one].applied, net.hosts[&leader].applied);
}

#[test]
fn redisraft_one_change_of_voters_at_a_time_and_after_a_restart_too() {
    let (mut net, leader, one, other) = three(3);
    net.change(leader, &[MembershipChange::Remove(one)])
        .unwrap();
    let second = [MembershipChange::Remove(other)];
    assert_eq!(net.change(leader, &second), Err(ChangeRefused::Pending));
    let is_there = |net: &mut Net, id| net.raft(id).in_force().is_joint();
    net.run_until(|net| is_there(net, one) && is_there(net, other));
    assert!(net.raft(leader).in_force().is_joint());
    net.crash(leader);
    net.start(leader);
    net.run_until(|net| net.leader().is_some());
    let leader = net.leader().unwrap();
    assert!(net.raft(leader).in_force().is_joint(), "as its log says");
    assert_eq!(net.change(leader, &second), Err(ChangeRefused::TooEarly));
    net.run_until(|net| net.raft(leader).has_committed_own_term());
    assert_eq!(net.change(leader, &second), Err(ChangeRefused::Pending));
    net.run_ms(300);
    assert_eq!(net.raft(leader).membership().voters().count(), 2);
}

#[test]
fn redisraft_a_vote_outlives_a_state_that_is_put_in_force() {
    // They lost it when the log was rewritten.
    let (mut net, leader, one, other) = three(4);
    net.isolate(one);
    net.run_ms(10);
    let term = Term(net.raft(leader).term().0 + 5);
    net.cut.clear();
    let base = net.raft(leader).log.last();
    let last = (LogIndex(base.0.0 + 10), term);
    net.lose_flights();
    let question = Message::Vote {
        last,
        transfer: true,
    };
    net.send_in_term(other, one, term, &question);
    net.run_until(|net| net.raft(one).vote() == Some(other));
    let membership = net.raft(leader).membership().clone();
    net.isolate(one);
    let raft = net.raft(one);
    raft.installed((LogIndex(base.0.0 + 5), base.1), membership);
    assert_eq!((raft.term(), raft.vote()), (term, Some(other)));
}

#[test]
fn redisraft_a_new_member_under_an_old_number_inherits_nothing() {
    let (mut net, leader, one, _) = three(5);
    net.change(leader, &[MembershipChange::Remove(one)])
        .unwrap();
    net.run_ms(300);
    net.crash(one);
    let reborn = Member {
        id: one,
        incarnation: Incarnation(777),
    };
    net.join(reborn);
    net.change(leader, &[MembershipChange::AddLearner(reborn)])
        .unwrap();
    net.run_ms(300);
    // What the old life said and what was said to it is refused by both sides.
    let index = net.raft(leader).last();
    let old = message::Envelope {
        cluster: CLUSTER,
        from: member(one.0),
        to: net.hosts[&leader].member,
        term: net.raft(leader).term(),
    };
    let frame = wire::encode(&old, &Message::Accepted { index });
    net.propose(leader, 9).unwrap();
    net.inject(one, leader, frame);
    net.run_ms(300);
    let to_old = message::Envelope {
        from: old.to,
        to: old.from,
        ..old
    };
    let frame = Bytes::from(wire::encode(&to_old, &Message::TimeoutNow));
    let now = net.local(one);
    let refused = net.raft(one).step_shared(now, leader, &frame);
    assert_eq!(refused, Err(WireError::WrongAddressee));
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&one].applied, last);
}

#[test]
fn logcabin_an_entry_above_every_limit_of_size_is_sent_and_none_is_skipped() {
    let (mut net, leader, one, _) = three(6);
    net.raft(leader).settings.append_bytes = 60;
    net.raft(leader).settings.in_flight_bytes = 60;
    for bytes in [10, 1000, 10, 5000, 0, 59, 60, 61] {
        let payload = Bytes::from(vec![7; bytes]);
        net.raft(leader).propose(Stamp(0), payload).unwrap();
        net.settle(leader);
    }
    net.run_ms(500);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&one].applied, last);
}

#[test]
fn openraft_1802_quorums_are_by_value_whatever_the_order_of_answers() {
    // Five members answer in an order that is not that of their numbers.
    let mut net = Net::new(7, 5, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(200);
    net.isolate(leader);
    let commit = net.raft(leader).commit();
    for payload in 0..8 {
        net.propose(leader, payload).unwrap();
    }
    net.lose_flights();
    net.hosts.get_mut(&leader).unwrap().disk_stuck = true;
    let others: Vec<NodeId> = (1..=5).map(NodeId).filter(|id| *id != leader).collect();
    for (id, up) in [(3, 8), (0, 2), (3, 8), (3, 1)] {
        let index = LogIndex(commit.0 + up);
        net.send(others[id], leader, &Message::Accepted { index });
        net.run_ms(1);
        assert_eq!(net.raft(leader).commit(), commit, "two are no quorum");
    }
}

#[test]
fn openraft_1808_a_state_replaces_a_membership_that_was_superseded() {
    let (mut net, leader, one, other) = three(8);
    net.isolate(leader);
    net.change(leader, &[MembershipChange::Remove(one)])
        .unwrap();
    net.run_ms(50);
    assert!(net.raft(leader).in_force().is_joint());
    let second = net.run_to_second_leader(leader);
    for payload in 0..5 {
        net.propose(second, payload).unwrap();
        net.run_ms(20);
    }
    net.compact(one);
    net.compact(other);
    net.cut.clear();
    net.run_ms(2000);
    assert_eq!(net.installed, 1);
    let raft = net.raft(leader);
    assert!(!raft.in_force().is_joint());
    assert_eq!(raft.in_force(), raft.membership());
    assert_eq!(raft.membership().voters().count(), 3);
}

#[test]
fn openraft_an_acknowledgement_of_an_older_term_moves_nothing() {
    let (mut net, leader, one, other) = three(9);
    let old = net.raft(leader).term();
    net.transfer(leader, Some(one)).unwrap();
    net.run_ms(200);
    assert_eq!(net.leader(), Some(one));
    net.isolate(one);
    let commit = net.raft(one).commit();
    let index = net.propose(one, 5).unwrap();
    net.lose_flights();
    net.send_in_term(other, one, old, &Message::Accepted { index });
    net.send_in_term(leader, one, old, &Message::Accepted { index });
    net.run_ms(5);
    assert_eq!(net.raft(one).commit(), commit);
}

#[test]
fn etcd_a_commit_index_beyond_the_entries_of_an_append_is_not_believed() {
    // And one that lags does not take back what is committed.
    let (mut net, leader, one, _) = three(10);
    let (commit, place) = (net.raft(one).commit(), net.raft(one).log.last());
    for said in [LogIndex(0), LogIndex(u64::MAX)] {
        let append = Append {
            prev: place,
            commit: said,
            round: 0,
            entries: Vec::new(),
        };
        net.send(leader, one, &Message::Append(append));
        let round = 0;
        net.send(
            leader,
            one,
            &Message::Heartbeat {
                commit: said,
                round,
                echo: 0,
                led_before: None,
            },
        );
        net.run_ms(1);
        assert_eq!(net.raft(one).commit(), commit);
    }
}

#[test]
fn etcd_no_counter_leaks_over_changes_of_leader() {
    // What counted as uncommitted, or on its way, was never given back.
    let mut net = Net::new(11, 3, World::CALM);
    for host in net.hosts.values_mut() {
        host.raft.as_mut().unwrap().settings.uncommitted_bytes = 2000;
    }
    for round in 0..30 {
        let leader = net.run_to_leader();
        net.run_ms(50);
        let mut proposed = 0;
        while net.propose(leader, round).is_ok() && proposed < 20 {
            proposed += 1;
        }
        assert_eq!(proposed, 20, "round {round}");
        if round % 2 == 0 {
            net.lose_flights();
        }
        let target = NodeId(1 + leader.0 % 3);
        let _ = net.transfer(leader, Some(target));
        net.run_ms(600);
    }
}

#[test]
fn etcd_two_reads_of_one_number_are_both_answered() {
    let (mut net, leader, _, _) = three(12);
    let now = net.local(leader);
    let raft = net.raft(leader);
    raft.read(now, 7);
    raft.read(now, 7);
    let mut done = Vec::new();
    raft.ready_reads(&mut done);
    assert!(done.is_empty());
    for _ in 0..50 {
        let mut out = Vec::new();
        net.raft(leader).messages(&mut out);
        for Outgoing { to, frame, .. } in out {
            net.inject(leader, to, frame);
        }
        net.step_one_without_settling();
        net.raft(leader).ready_reads(&mut done);
        if !done.is_empty() {
            break;
        }
    }
    let ids: Vec<u64> = done.iter().map(|read| read.id).collect();
    assert_eq!(ids, [7, 7]);
}

#[test]
fn nats_a_learner_that_restarts_does_not_elect_itself() {
    let mut net = Net::new(13, 1, World::CALM);
    let leader = net.run_to_leader();
    net.join(member(2));
    net.change(leader, &[MembershipChange::AddLearner(member(2))])
        .unwrap();
    net.propose(leader, 1).unwrap();
    net.run_ms(500);
    let two = NodeId(2);
    net.crash(leader);
    for _ in 0..5 {
        net.crash(two);
        net.start(two);
        net.run_ms(1000);
        assert_eq!(net.raft(two).role(), RoleName::Follower);
        assert_eq!(net.raft(two).deadline(), None);
    }
}

#[test]
fn willemt_learners_count_in_no_majority() {
    let (mut net, leader, one, other) = three(14);
    for id in [4, 5] {
        net.join(member(id));
        net.change(leader, &[MembershipChange::AddLearner(member(id))])
            .unwrap();
        net.run_ms(300);
    }
    net.crash(one);
    net.crash(other);
    let index = net.propose(leader, 1).unwrap();
    net.run_ms(200);
    assert!(net.raft(leader).commit() < index);
    net.run_ms(3000);
    assert_eq!(net.leader(), None, "nor do they keep a leader leading");
    net.start(one);
    let leader = net.run_to_leader();
    net.run_ms(100);
    assert!(net.raft(leader).commit() >= index);
}

#[test]
fn hashicorp_661_term_and_vote_are_handed_over_together() {
    let settings = Settings {
        id: NodeId(1),
        incarnation: Incarnation(10),
        cluster: CLUSTER,
        ..Settings::default()
    };
    let restart = Restart {
        term: Term(4),
        vote: None,
        commit: LogIndex(0),
        base: (LogIndex(0), Term(0)),
        membership: Membership::of((1..=3).map(member).collect()).unwrap(),
        tail: Vec::new(),
        restate: false,
        owes: None,
    };
    let mut raft = Raft::new(settings, restart, Mono(0));
    let envelope = message::Envelope {
        cluster: CLUSTER,
        from: member(2),
        to: member(1),
        term: Term(9),
    };
    let last = (LogIndex(0), Term(0));
    let question = Message::Vote {
        last,
        transfer: true,
    };
    let frame = wire::encode(&envelope, &question);
    raft.step(Mono(0), NodeId(2), &frame).unwrap();
    let mut out = Vec::new();
    raft.messages(&mut out);
    assert!(out.is_empty(), "nothing is said before it is durable");
    let new = raft.unpersisted().unwrap();
    assert_eq!(
        (new.term, new.vote, new.must_sync),
        (Term(9), Some(NodeId(2)), true)
    );
    let seq = new.seq;
    raft.persisted(seq);
    raft.messages(&mut out);
    assert!(matches!(&out[..], [one] if one.class == Class::Control));
}
