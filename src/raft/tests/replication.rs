//! Replication: logs agree, what is committed stays, and what was lost on the way comes again.

use super::net::Net;
use super::world::World;
use crate::ids::{LogIndex, NodeId};
use crate::raft::message::Message;
use crate::raft::*;

/// Proposals, crashes and cuts, then peace; everything committed is everywhere in the end.
pub(super) fn storm(seed: u64, count: u64, world: World, steps: u64) -> Net {
    let mut net = Net::new(seed, count, world);
    let mut payload = 0;
    if seed % 2 == 1 {
        for host in net.hosts.values_mut() {
            host.settings.append_bytes = 44;
            let raft = host.raft.as_mut().expect("all have just begun");
            raft.settings.append_bytes = 44;
        }
    }
    for _ in 0..steps {
        let ms = net.below(60);
        net.run_ms(ms);
        let id = NodeId(1 + net.below(count));
        match net.below(24) {
            0 => net.isolate(id),
            1 | 2 => net.cut.clear(),
            3 => {
                let other = NodeId(1 + net.below(count));
                net.cut.push((id, other));
            }
            4 if net.hosts[&id].raft.is_some() => net.crash(id),
            5 if net.hosts[&id].raft.is_some() => {
                net.hosts.get_mut(&id).unwrap().disk_stuck = true;
            }
            4..=9 if net.hosts[&id].raft.is_none() => net.start(id),
            _ => {
                if net.hosts[&id].raft.is_some() {
                    let batch = net.below(6);
                    for _ in 0..batch {
                        payload += 1;
                        let _ = net.propose(id, payload);
                    }
                }
            }
        }
        net.check_log_matching();
    }
    net.make_peace();
    let leader = net.run_to_leader();
    let index = net.propose(leader, u64::MAX).unwrap();
    net.run_ms(3000);
    for host in net.hosts.values() {
        assert!(
            host.applied >= index,
            "seed {seed}: {} lags",
            host.member.id
        );
    }
    net
}

#[test]
fn everything_committed_is_everywhere_after_a_storm() {
    let mut committed = 0;
    for seed in 0..200 {
        let net = storm(seed, 1 + seed % 5, World::ROUGH, 150);
        committed += net.committed.len();
    }
    assert!(
        committed > 5000,
        "the storms let something through: {committed}"
    );
}

#[test]
fn appends_are_pipelined_and_gathered() {
    let mut net = Net::new(
        1,
        3,
        World {
            delay_us: 5000,
            ..World::CALM
        },
    );
    let leader = net.run_to_leader();
    net.run_ms(100);
    net.trace = Some(Vec::new());
    let before = net.committed.len();
    // Nothing is answered within this moment.
    for payload in 0..20 {
        net.raft(leader)
            .propose(crate::time::Stamp(0), payload.to_string().into())
            .unwrap();
    }
    net.settle(leader);
    let said = net.trace.as_ref().unwrap();
    let sizes: Vec<usize> = said
        .iter()
        .filter_map(|(_, _, message)| match message {
            Message::Append(append) => Some(append.entries.len()),
            _ => None,
        })
        .collect();
    assert_eq!(
        sizes, [4; 6],
        "three appends of four entries to each of two members"
    );
    net.run_ms(100);
    assert_eq!(net.committed.len(), before + 20);
}

#[test]
fn one_answer_serves_all_appends_of_a_sync() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let follower = NodeId(1 + leader.0 % 3);
    net.hosts.get_mut(&follower).unwrap().disk_stuck = true;
    for payload in 0..3 {
        net.propose(leader, payload).unwrap();
        net.run_ms(2);
    }
    net.trace = Some(Vec::new());
    net.hosts.get_mut(&follower).unwrap().disk_stuck = false;
    net.run_ms(20);
    let said = net.trace.take().unwrap();
    let answers = said.iter().filter(|(from, _, message)| {
        *from == follower && matches!(message, Message::Accepted { .. })
    });
    assert!(answers.count() <= 3);
}

#[test]
fn a_leader_commits_before_its_own_disk_has_synced() {
    let mut net = Net::new(4, 3, World::CALM);
    let leader = net.run_to_leader();
    net.hosts.get_mut(&leader).unwrap().disk_stuck = true;
    let index = net.propose(leader, 1).unwrap();
    net.run_ms(100);
    assert!(net.raft(leader).commit() >= index);
    assert!(net.raft(leader).log.durable() < index);
}

#[test]
fn a_slow_disk_of_a_follower_is_no_loss_and_deposes_nobody() {
    let mut net = Net::new(4, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(200);
    let term = net.raft(leader).term();
    let others: Vec<NodeId> = net
        .hosts
        .keys()
        .copied()
        .filter(|id| *id != leader)
        .collect();
    for id in &others {
        net.hosts.get_mut(id).unwrap().disk_stuck = true;
    }
    net.propose(leader, 1).unwrap();
    net.run_ms(200);
    net.trace = Some(Vec::new());
    net.run_ms(5000);
    let said = net.trace.take().unwrap();
    assert!(
        !said
            .iter()
            .any(|(_, _, message)| matches!(message, Message::Append(_)))
    );
    assert_eq!(
        (net.leader(), net.raft(leader).term()),
        (Some(leader), term)
    );
    assert!(net.raft(leader).commit() < net.raft(leader).last());
}

#[test]
fn a_lost_append_is_sent_again() {
    let mut net = Net::new(5, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let index = net.propose(leader, 1).unwrap();
    net.lose_flights();
    net.run_ms(1000);
    assert!(net.hosts.values().all(|host| host.applied >= index));
}

#[test]
fn a_long_lost_log_is_found_again_in_few_questions() {
    // A follower's tail is of a term that nobody else has seen.
    let mut net = Net::new(6, 3, World::CALM);
    let first = net.run_to_leader();
    net.isolate(first);
    for payload in 0..100 {
        net.propose(first, payload).unwrap();
    }
    net.run_ms(1500);
    let second = net.run_to_second_leader(first);
    for payload in 0..100 {
        net.propose(second, 1000 + payload).unwrap();
        net.run_ms(2);
    }
    net.trace = Some(Vec::new());
    net.cut.clear();
    net.run_ms(2000);
    let last = net.raft(second).last();
    assert_eq!(net.hosts[&first].applied, last);
    let said = net.trace.take().unwrap();
    let rejected = said
        .iter()
        .filter(|(_, _, message)| matches!(message, Message::Rejected { .. }));
    let rejected: Vec<_> = rejected.collect();
    assert!(rejected.len() <= 3, "{rejected:?}");
}

#[test]
fn too_much_uncommitted_is_refused_and_room_comes_back() {
    let mut net = Net::new(7, 3, World::CALM);
    let leader = net.run_to_leader();
    net.raft(leader).settings.uncommitted_bytes = 1000;
    net.isolate(leader);
    let mut proposed = 0;
    while net.propose(leader, proposed) != Err(Refused::Full) {
        proposed += 1;
        assert!(proposed < 100);
    }
    net.cut.clear();
    net.run_ms(1000);
    assert_eq!(net.leader(), Some(leader));
    assert!(net.propose(leader, 0).is_ok());
}

#[test]
fn a_follower_whose_disk_forgot_what_it_acknowledged_gets_it_again() {
    let mut net = Net::new(8, 3, World::CALM);
    let leader = net.run_to_leader();
    for payload in 0..10 {
        net.propose(leader, payload).unwrap();
    }
    net.run_ms(200);
    let follower = NodeId(1 + leader.0 % 3);
    net.crash(follower);
    let host = net.hosts.get_mut(&follower).unwrap();
    host.disk.entries.truncate(3);
    net.start(follower);
    net.run_ms(1000);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&follower].applied, last);
}

#[test]
fn a_message_from_a_log_that_is_not_this_one_moves_nothing() {
    let mut net = Net::new(9, 3, World::CALM);
    let leader = net.run_to_leader();
    let follower = NodeId(1 + leader.0 % 3);
    net.isolate(leader);
    net.propose(leader, 1).unwrap();
    let (commit, last) = (net.raft(leader).commit(), net.raft(leader).last());
    let index = LogIndex(last.0 + 5);
    net.send(follower, leader, &Message::Accepted { index });
    net.run_ms(1);
    assert_eq!(net.raft(leader).commit(), commit);
}
