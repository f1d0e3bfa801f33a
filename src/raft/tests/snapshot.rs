//! States that stand in for entries: sent in pieces, resumed, put in force, never in the way.

use super::net::{Net, member};
use super::replication::storm;
use super::world::World;
use crate::ids::{LogIndex, NodeId, Term};
use crate::raft::message::{Append, Message};
use crate::raft::*;
use crate::time::Stamp;
use bytes::Bytes;

/// A calm group of three in which one member has slept while the others forgot what it lacks.
fn sleeper(seed: u64) -> (Net, NodeId, NodeId) {
    let mut net = Net::new(
        seed,
        3,
        World {
            keeps_nothing: true,
            ..World::CALM
        },
    );
    let leader = net.run_to_leader();
    let lagging = NodeId(1 + leader.0 % 3);
    net.run_ms(100);
    net.isolate(lagging);
    for payload in 0..20 {
        net.propose(leader, payload).unwrap();
        net.run_ms(2);
    }
    net.run_ms(100);
    (net, leader, lagging)
}

fn offers(net: &Net) -> usize {
    let said = net.trace.as_ref().unwrap().iter();
    said.filter(|(_, _, message)| matches!(message, Message::SnapshotOffer { .. }))
        .count()
}

fn chunk_offsets(net: &Net) -> Vec<u64> {
    let said = net.trace.as_ref().unwrap().iter();
    said.filter_map(|(_, _, message)| match message {
        Message::SnapshotChunk(chunk) => Some(chunk.offset),
        _ => None,
    })
    .collect()
}

#[test]
fn a_member_that_slept_too_long_is_sent_a_state_in_pieces() {
    let (mut net, leader, lagging) = sleeper(1);
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_ms(1000);
    assert_eq!(net.installed, 1);
    assert_eq!(offers(&net), 1);
    assert!(chunk_offsets(&net).len() >= 3);
    let last = net.propose(leader, 1).unwrap();
    net.run_ms(100);
    assert_eq!(net.hosts[&lagging].applied, last);
    assert_eq!(net.installed, 1, "and goes on with appends");
}

#[test]
fn one_piece_at_a_time_and_appends_do_not_wait_for_it() {
    let (mut net, leader, lagging) = sleeper(2);
    net.cut.clear();
    net.world.delay_us = 5000;
    net.run_until(|net| net.raft(leader).snapshots_in_use().count() == 1);
    net.trace = Some(Vec::new());
    let before = net.raft(leader).commit();
    for payload in 0..10 {
        net.propose(leader, payload).unwrap();
        net.run_ms(3);
    }
    assert!(net.raft(leader).commit() > before, "others go on");
    net.run_ms(500);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&lagging].applied, last);
    let mut pending = 0;
    for (_, _, message) in net.trace.as_ref().unwrap() {
        match message {
            Message::SnapshotChunk(_) => pending += 1,
            Message::ChunkReply { .. } => pending = 0,
            _ => {}
        }
        assert!(pending <= 1);
    }
}

#[test]
fn a_lost_piece_is_sent_again_and_not_those_before_it() {
    let (mut net, leader, lagging) = sleeper(3);
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_until(|net| chunk_offsets(net).len() == 2);
    net.lose_flights();
    net.run_ms(1000);
    let offsets = chunk_offsets(&net);
    assert_eq!(offsets[..3], [0, 16, 16], "{offsets:?}");
    assert_eq!(net.installed, 1);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&lagging].applied, last);
}

#[test]
fn another_leader_goes_on_with_the_same_state() {
    for same in [true, false] {
        let (mut net, leader, lagging) = sleeper(4);
        let target = NodeId(6 - leader.0 - lagging.0);
        net.trace = Some(Vec::new());
        net.cut.clear();
        net.run_until(|net| chunk_offsets(net).len() == 2);
        let old = net.raft(lagging).receiving().unwrap();
        net.crash(leader);
        net.run_until(|net| net.raft(target).is_leader());
        net.trace = Some(Vec::new());
        if !same {
            // Under the same place, but not byte by byte what the first leader sent.
            let membership = net.raft(target).membership().clone();
            let id = SnapshotId {
                sum: !old.sum,
                ..old
            };
            net.send(target, lagging, &Message::SnapshotOffer { id, membership });
        }
        net.run_ms(1500);
        // Nothing was committed in between, so that the target's state is the same.
        assert_eq!(chunk_offsets(&net).contains(&0), !same);
        assert_eq!(net.installed, 1);
        assert_eq!(net.hosts[&lagging].applied, net.hosts[&target].applied);
    }
}

#[test]
fn a_receiver_that_dies_in_the_middle_begins_anew() {
    let (mut net, leader, lagging) = sleeper(4);
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_until(|net| chunk_offsets(net).len() == 2);
    net.crash(lagging);
    net.start(lagging);
    net.run_ms(1500);
    let zeros = chunk_offsets(&net).into_iter().filter(|at| *at == 0);
    assert_eq!(zeros.count(), 2);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&lagging].applied, last);
}

#[test]
fn a_state_that_says_nothing_new_is_answered_and_not_taken() {
    let (mut net, leader, lagging) = sleeper(5);
    net.cut.clear();
    net.run_ms(1000);
    let applied = net.hosts[&lagging].applied;
    for back in [0, 1, 5] {
        net.trace = Some(Vec::new());
        let index = LogIndex(applied.0 - back);
        let id = SnapshotId {
            base: (index, net.committed[index.0 as usize - 1].0),
            bytes: 100,
            sum: 7,
        };
        let membership = net.raft(leader).membership().clone();
        net.send(leader, lagging, &Message::SnapshotOffer { id, membership });
        net.run_ms(2);
        assert_eq!(net.raft(lagging).receiving(), None);
        let said = net.trace.as_ref().unwrap();
        let index = applied;
        assert!(
            said.iter()
                .any(|(_, _, m)| *m == Message::Accepted { index })
        );
    }
    assert_eq!(net.installed, 1);
}

#[test]
fn while_a_state_is_put_in_force_the_log_stands_still() {
    let (mut net, leader, lagging) = sleeper(6);
    net.cut.clear();
    net.world.sync_us = 0;
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = true;
    net.run_until(|net| net.raft(lagging).is_installing());
    let (commit, last) = (net.raft(lagging).commit(), net.raft(lagging).last());
    let term = net.raft(leader).term();
    net.propose(leader, 1).unwrap();
    net.run_ms(3000);
    assert_eq!(net.raft(lagging).commit(), commit);
    assert_eq!(net.raft(lagging).last(), last);
    assert_eq!(net.raft(leader).term(), term, "and it disturbs nobody");
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = false;
    net.run_ms(1000);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&lagging].applied, last);
}

#[test]
fn a_tail_that_follows_on_the_state_is_kept() {
    for follows in [true, false] {
        let mut net = Net::new(7, 3, World::CALM);
        let leader = net.run_to_leader();
        let lagging = NodeId(1 + leader.0 % 3);
        net.run_ms(100);
        for payload in 0..10 {
            net.propose(leader, payload).unwrap();
        }
        // The entries arrive, but not that they are committed.
        net.run_until(|net| net.raft(lagging).last() == net.raft(leader).last());
        net.isolate(lagging);
        net.lose_flights();
        net.cut
            .retain(|(from, to)| *from == lagging || *to == lagging);
        net.run_ms(100);
        let (commit, last) = (net.raft(lagging).commit(), net.raft(lagging).last());
        assert!(commit.0 + 3 < last.0);
        net.cut.clear();
        let index = LogIndex(last.0 - 2);
        let mut term = net.raft(leader).term();
        if !follows {
            term = term.next();
        }
        let membership = net.raft(leader).membership().clone();
        let raft = net.raft(lagging);
        assert!(raft.installed((index, term), membership));
        assert_eq!(raft.commit(), index);
        assert_eq!(raft.applied, index);
        let left = if follows { last } else { index };
        assert_eq!(raft.last(), left);
    }
}

#[test]
fn everything_committed_is_everywhere_though_nobody_keeps_entries() {
    let (mut committed, mut installed) = (0, 0);
    for seed in 0..200 {
        let net = storm(seed, 2 + seed % 4, World::FORGETFUL, 150);
        committed += net.committed.len();
        installed += net.installed;
    }
    assert!(committed > 3000, "{committed}");
    assert!(installed > 150, "{installed}");
}

#[test]
fn a_group_of_one_that_kept_nothing_grows() {
    let mut net = Net::new(8, 1, World::CALM);
    let leader = net.run_to_leader();
    for payload in 0..10 {
        net.propose(leader, payload).unwrap();
        net.run_ms(2);
    }
    net.join(member(2));
    net.change(leader, &[MembershipChange::AddLearner(member(2))])
        .unwrap();
    net.run_ms(300);
    assert_eq!(net.installed, 1);
    net.change(leader, &[MembershipChange::Promote(NodeId(2))])
        .unwrap();
    net.run_ms(300);
    net.crash(leader);
    net.start(leader);
    let leader = net.run_to_leader();
    let last = net.propose(leader, 1).unwrap();
    net.run_ms(100);
    assert!(net.hosts.values().all(|host| host.applied == last));
}

/// A calm group that grows by a voter and shrinks by another, so that its log holds two joint
/// memberships and entries between them; the members that stay, and the last index.
fn changed(seed: u64) -> (Net, NodeId, LogIndex) {
    let mut net = Net::new(seed, 3, World::CALM);
    let leader = net.run_to_leader();
    net.join(member(4));
    let gone = NodeId(1 + leader.0 % 3);
    let steps: [&[MembershipChange]; 3] = [
        &[MembershipChange::AddLearner(member(4))],
        &[MembershipChange::Promote(NodeId(4))],
        &[MembershipChange::Remove(gone)],
    ];
    for (at, step) in steps.into_iter().enumerate() {
        net.change(leader, step).unwrap();
        net.propose(leader, at as u64).unwrap();
        net.run_ms(200);
        net.propose(leader, at as u64).unwrap();
        net.run_ms(20);
    }
    let last = net.raft(leader).last();
    assert!(last.0 > 10);
    (net, leader, last)
}

#[test]
fn snapshot_at_every_index_around_a_membership_change() {
    let (net, leader, last) = changed(20);
    let mut joint = 0;
    for index in 1..=last.0 {
        let (mut net, again, _) = changed(20);
        assert_eq!(leader, again);
        let index = LogIndex(index);
        let (term, membership) = (
            net.committed[index.0 as usize - 1].0,
            net.membership_at(index),
        );
        let membership = membership.clone();
        joint += u32::from(membership.is_joint());
        assert_eq!(
            Membership::decode(&membership.encode()),
            Ok(membership.clone())
        );
        // A fresh disk with that state and nothing behind it, under a follower that stays.
        let ids: Vec<NodeId> = net
            .raft(leader)
            .in_force()
            .members()
            .map(|m| m.id)
            .collect();
        let id = *ids.iter().find(|id| **id != leader).unwrap();
        net.crash(id);
        let disk = &mut net.hosts.get_mut(&id).unwrap().disk;
        disk.entries.clear();
        (disk.base, disk.membership) = ((index, term), membership.clone());
        net.start(id);
        assert_eq!(*net.raft(id).in_force(), membership);
        net.run_ms(1000);
        let (last, in_force) = (net.raft(leader).last(), net.raft(leader).in_force().clone());
        assert_eq!(net.hosts[&id].applied, last);
        assert_eq!(*net.raft(id).in_force(), in_force);
        // A snapshot of that snapshot.
        net.compact(id);
        net.crash(id);
        net.start(id);
        assert_eq!(*net.raft(id).in_force(), in_force);
    }
    assert!(joint >= 2, "{joint}");
    drop(net);
}

#[test]
fn a_state_of_a_joint_membership_keeps_both_halves() {
    // etcd dropped one. The receiver learns of the change by the state alone.
    let (mut net, leader, lagging) = sleeper(21);
    let gone = NodeId(6 - leader.0 - lagging.0);
    net.change(leader, &[MembershipChange::Remove(lagging)])
        .unwrap();
    net.run_until(|net| net.raft(gone).in_force().is_joint());
    net.run_until(|net| net.raft(leader).membership().is_joint());
    net.compact(leader);
    let joint = net.raft(leader).membership().clone();
    net.crash(leader);
    let disk = &net.hosts[&leader].disk;
    assert_eq!(disk.membership, joint);
    assert!(joint.voters().count() == 3 && joint.is_joint());
    net.cut.clear();
    net.start(leader);
    net.run_ms(5000);
    let leader = net.run_to_leader();
    assert!(
        !net.raft(leader).in_force().is_joint(),
        "left by whoever leads"
    );
    assert_eq!(net.raft(leader).in_force().voters().count(), 2);
}

#[test]
fn restart_at_every_log_position_around_one() {
    let (_, leader, last) = changed(22);
    for index in 0..=last.0 {
        for base in [0, index / 2, index] {
            let (mut net, _, _) = changed(22);
            let ids: Vec<NodeId> = net.hosts.keys().copied().collect();
            for id in ids.iter().copied() {
                net.crash(id);
            }
            // One that stays has lost all behind the index; the quorum still has it.
            let stays = |id: &&NodeId| **id != leader && net.membership_at(last).is_voter(**id);
            let id = *ids.iter().find(stays).unwrap();
            let place = |at: u64| {
                let at = LogIndex(at);
                let term =
                    at.0.checked_sub(1)
                        .map_or(Term(0), |at| net.committed[at as usize].0);
                (at, term)
            };
            let (place, membership) = (place(base), net.membership_at(LogIndex(base)).clone());
            let in_force = net.membership_at(LogIndex(index)).clone();
            let disk = &mut net.hosts.get_mut(&id).unwrap().disk;
            disk.entries
                .retain(|e| e.index.0 > base && e.index.0 <= index);
            (disk.base, disk.membership) = (place, membership);
            net.start(id);
            assert_eq!(*net.raft(id).in_force(), in_force);
            net.run_ms(1000);
            net.start_all();
            let leader = net.run_to_leader();
            net.run_ms(1000);
            let last = net.propose(leader, 1).unwrap();
            net.run_ms(1000);
            assert_eq!(net.hosts[&id].applied, last);
            assert_eq!(net.raft(id).in_force().voters().count(), 3);
        }
    }
}

#[test]
fn entries_behind_a_state_on_its_way_are_kept_for_its_receiver() {
    let (mut net, leader, lagging) = sleeper(23);
    net.cut.clear();
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = true;
    net.run_until(|net| net.raft(lagging).is_installing());
    for payload in 0..50 {
        net.propose(leader, payload).unwrap();
        net.run_ms(5);
        net.compact(leader);
    }
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = false;
    net.run_ms(1000);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&lagging].applied, last);
    assert_eq!(net.installed, 1, "one state is enough");
    net.propose(leader, 1).unwrap();
    net.run_ms(100);
    assert!(
        net.raft(leader).log.window().len() < 5,
        "and then they may go"
    );
}

#[test]
fn no_entry_is_taken_while_a_state_is_put_in_force() {
    let (mut net, leader, lagging) = sleeper(24);
    net.cut.clear();
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = true;
    net.run_until(|net| net.raft(lagging).is_installing());
    let (prev, commit) = (net.raft(lagging).log.last(), net.raft(lagging).commit());
    let index = prev.0.next();
    let append = Message::Append(Append {
        prev,
        commit: index,
        round: 0,
        entries: vec![Entry {
            term: net.raft(leader).term(),
            index,
            stamp: Stamp(0),
            kind: EntryKind::Normal,
            payload: Bytes::new(),
            known: KnownSum::default(),
        }],
    });
    net.send(leader, lagging, &append);
    net.run_ms(5);
    assert_eq!(net.raft(lagging).log.last(), prev);
    assert_eq!(net.raft(lagging).commit(), commit);
}

#[test]
fn an_answer_that_comes_twice_sends_no_piece_twice() {
    let (mut net, leader, lagging) = sleeper(25);
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_until(|net| chunk_offsets(net).len() == 2);
    let id = net.raft(lagging).receiving().unwrap();
    for offset in [16, 16, 0, 48] {
        net.send(lagging, leader, &Message::ChunkReply { id, offset });
    }
    net.run_ms(1000);
    let offsets = chunk_offsets(&net);
    assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
    assert_eq!(net.installed, 1);
}

#[test]
fn who_puts_a_state_in_force_does_not_campaign() {
    let (mut net, _, lagging) = sleeper(26);
    net.cut.clear();
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = true;
    net.run_until(|net| net.raft(lagging).is_installing());
    net.isolate(lagging);
    net.run_ms(3000);
    assert_eq!(net.raft(lagging).role(), RoleName::Follower);
    assert_eq!(net.raft(lagging).deadline(), None);
    net.hosts.get_mut(&lagging).unwrap().disk_stuck = false;
    net.run_ms(1000);
    assert_eq!(net.raft(lagging).role(), RoleName::PreCandidate);
}

#[test]
fn a_state_that_is_of_no_use_is_not_supplied() {
    let (mut net, leader, lagging) = sleeper(27);
    net.cut.clear();
    net.is_stingy = true;
    net.run_until(|net| net.raft(leader).snapshots_wanted().next().is_some());
    let wanted = net.raft(leader).snapshots_wanted().next().unwrap();
    assert_eq!(wanted.to, lagging);
    let membership = net.raft(leader).membership().clone();
    let raft = net.raft(leader);
    let unapplied = raft.propose(Stamp(0), Bytes::new()).unwrap();
    let (term, applied) = (raft.term(), raft.applied);
    let name = |index, term, bytes| SnapshotId {
        base: (index, term),
        bytes,
        sum: 0,
    };
    for useless in [
        name(unapplied, term, 10),
        name(applied, term.next(), 10),
        name(applied, term, 0),
        name(LogIndex(wanted.at_least.0 - 1), term, 10),
    ] {
        assert!(!raft.supply(lagging, useless, membership.clone()));
    }
    let useful = name(applied, term, 10);
    assert!(!raft.supply(NodeId(9), useful, membership.clone()));
    assert!(raft.supply(lagging, useful, membership.clone()));
    assert!(!raft.supply(lagging, useful, membership), "it has one");
}

#[test]
fn a_state_that_became_too_old_is_not_gone_on_with() {
    let (mut net, leader, lagging) = sleeper(28);
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_until(|net| chunk_offsets(net).len() == 2);
    let old = net.raft(lagging).receiving().unwrap();
    net.isolate(lagging);
    for payload in 0..20 {
        net.run_ms(50);
        net.propose(leader, payload).unwrap();
    }
    net.run_ms(100);
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_ms(1000);
    let said = net.trace.as_ref().unwrap();
    let again = |message: &Message| match message {
        Message::SnapshotOffer { id, .. } => *id == old,
        Message::SnapshotChunk(chunk) => chunk.id == old,
        _ => false,
    };
    assert!(!said.iter().any(|(_, _, message)| again(message)));
    assert_eq!(net.installed, 1);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&lagging].applied, last);
}
