//! Reads: they see what was written before they were asked, or they are refused.

use super::net::Net;
use super::world::World;
use crate::ids::NodeId;
use crate::raft::message::Message;
use crate::raft::*;

#[test]
fn reads_of_one_moment_share_a_round() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    net.trace = Some(Vec::new());
    let now = net.local(leader);
    let reads = [7, 7, 8];
    for read in reads {
        net.raft(leader).read(now, read);
    }
    let mut out = Vec::new();
    net.raft(leader).messages(&mut out);
    let heartbeats = out
        .iter()
        .filter(|outgoing| outgoing.class == Class::Control);
    assert_eq!(heartbeats.count(), 2, "one question to each of two members");
    for outgoing in out {
        net.inject(leader, outgoing.to, outgoing.frame);
    }
    let mut done = Vec::new();
    while done.len() < 3 {
        net.step_one_without_settling();
        net.raft(leader).ready_reads(&mut done);
    }
    assert!(done.iter().all(|read| read.outcome.is_ok()));
    assert_eq!(done.iter().map(|read| read.id).collect::<Vec<_>>(), reads);
}

#[test]
fn a_read_rides_on_an_append() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let now = net.local(leader);
    net.raft(leader).read(now, 1);
    net.raft(leader)
        .propose(crate::time::Stamp(0), "x".into())
        .unwrap();
    let mut out = Vec::new();
    net.raft(leader).messages(&mut out);
    assert!(out.iter().all(|outgoing| outgoing.class == Class::Append));
    assert_eq!(out.len(), 2);
}

#[test]
fn a_sole_voter_reads_at_once_but_not_before_its_own_term_is_committed() {
    let mut net = Net::new(
        1,
        1,
        World {
            sync_us: 50_000,
            ..World::CALM
        },
    );
    let id = NodeId(1);
    while net.leader().is_none() {
        net.run_ms(1);
    }
    net.read(id);
    assert!(net.granted.is_empty());
    net.run_ms(60);
    assert_eq!(net.granted.len(), 1);
    net.read(id);
    assert_eq!(net.granted.len(), 2);
}

#[test]
fn no_read_before_the_first_commit_of_the_own_term() {
    // etcd #12680: the commit index of a new leader may lag behind what was acknowledged.
    let mut net = Net::new(2, 3, World::CALM);
    let first = net.run_to_leader();
    net.propose(first, 1).unwrap();
    net.run_ms(20);
    net.crash(first);
    net.world.delay_us = 10_000;
    while net.leader().is_none() {
        net.run_ms(1);
    }
    let second = net.leader().unwrap();
    let other = NodeId(6 - first.0 - second.0);
    net.hosts.get_mut(&other).unwrap().disk_stuck = true;
    assert!(!net.raft(second).has_committed_own_term());
    net.read(second);
    net.run_ms(300);
    assert!(
        net.granted.is_empty(),
        "heartbeats are answered, nothing is committed"
    );
    net.hosts.get_mut(&other).unwrap().disk_stuck = false;
    net.run_ms(100);
    assert_eq!(net.granted.len(), 1);
}

#[test]
fn a_slow_disk_delays_no_read() {
    let mut net = Net::new(3, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    for host in net.hosts.values_mut() {
        host.disk_stuck = true;
    }
    net.propose(leader, 1).unwrap();
    net.read(leader);
    net.run_ms(10);
    assert_eq!(net.granted.len(), 1);
}

#[test]
fn who_steps_down_refuses_its_reads() {
    let mut net = Net::new(4, 3, World::CALM);
    let leader = net.run_to_leader();
    net.isolate(leader);
    net.read(leader);
    net.run_ms(1000);
    assert_eq!((net.granted.len(), net.refused.len()), (0, 1));
    net.read(leader);
    assert_eq!(net.refused.len(), 2, "a follower reads nothing");
}

#[test]
fn a_read_under_a_paused_leader_is_not_stale() {
    // The leader stands still, another is elected and writes; then it goes on as if nothing were.
    let mut net = Net::new(5, 3, World::CALM);
    let first = net.run_to_leader();
    net.run_ms(100);
    net.isolate(first);
    net.pause(first);
    net.run_ms(1000);
    let second = net.run_to_second_leader(first);
    net.propose(second, 1).unwrap();
    net.run_ms(20);
    net.resume(first);
    let now = net.local(first);
    assert!(!net.raft(first).has_lease(now));
    net.read(first);
    net.cut.clear();
    net.run_ms(1000);
    assert_eq!((net.granted.len(), net.refused.len()), (0, 1));
}

fn storm_of_reads(seed: u64, world: World) -> Net {
    let count = 1 + seed % 5;
    let mut net = Net::new(seed, count, world);
    for payload in 0..150 {
        let ms = net.below(60);
        net.run_ms(ms);
        let id = NodeId(1 + net.below(count));
        let leader = net.leader().unwrap_or(id);
        match net.below(12) {
            0 => net.isolate(id),
            1 => net.cut.clear(),
            2 if net.hosts[&id].raft.is_some() => net.crash(id),
            2..=5 if net.hosts[&id].raft.is_none() => net.start(id),
            3..=7 if net.hosts[&leader].raft.is_some() => {
                net.read(leader);
                let _ = net.propose(leader, payload);
                net.read(leader);
            }
            _ if net.hosts[&id].raft.is_some() => {
                net.read(id);
            }
            _ => {}
        }
    }
    net
}

#[test]
fn no_read_is_stale_and_no_lease_is_held_by_two() {
    let (mut granted, mut leases) = (0, 0);
    for seed in 0..100 {
        let mut world = if seed % 2 == 0 {
            World::ROUGH
        } else {
            World::CALM
        };
        world.drift_ppm = 50_000;
        let net = storm_of_reads(seed, world);
        granted += net.granted.len();
        leases += net.leases;
    }
    assert!(granted > 1000 && leases > 10_000, "{granted} {leases}");
}

#[test]
fn a_lease_is_void_after_a_jump_of_the_clock_until_another_round() {
    let mut net = Net::new(6, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(200);
    let now = net.local(leader);
    assert!(net.raft(leader).has_lease(now));
    net.raft(leader).clock_jumped();
    assert!(!net.raft(leader).has_lease(now));
    net.run_ms(100);
    let now = net.local(leader);
    assert!(net.raft(leader).has_lease(now));
}

#[test]
fn a_vote_in_a_term_that_came_from_elsewhere_does_not_undercut_a_lease() {
    let mut net = Net::new(7, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let others: Vec<NodeId> = net
        .hosts
        .keys()
        .copied()
        .filter(|id| *id != leader)
        .collect();
    let (voter, candidate) = (others[0], others[1]);
    // The voter learns a later term by a late answer, and is then asked for its vote in that term.
    let later = net.raft(leader).term().next();
    let late = Message::PreVoteReply {
        prospective: later,
        granted: false,
    };
    net.send_in_term(candidate, voter, later, &late);
    net.run_ms(1);
    assert_eq!(net.raft(voter).term(), later);
    let last = net.raft(voter).log.last();
    net.send_in_term(
        candidate,
        voter,
        later,
        &Message::Vote {
            last,
            transfer: false,
        },
    );
    net.run_ms(1);
    assert_eq!(net.raft(voter).vote(), None);
}

/// A leader's next heartbeat for a member, which is not sent.
fn heartbeat(net: &mut Net, leader: NodeId, to: NodeId) -> Vec<u8> {
    let now = net.local(leader);
    let mut out = Vec::new();
    net.raft(leader).tick(crate::time::Mono(now.0 + 50_000_000));
    net.raft(leader).messages(&mut out);
    let small = out
        .into_iter()
        .find(|o| o.to == to && o.class == Class::Control);
    small.expect("a heartbeat").frame
}

#[test]
fn who_lags_knows_from_a_heartbeat_that_it_lags() {
    let mut net = Net::new(3, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let behind = NodeId(if leader == NodeId(3) { 2 } else { 3 });
    net.cut.push((leader, behind));
    net.propose(leader, 7).unwrap();
    net.run_ms(100);
    let (own, commit) = (net.raft(behind).commit(), net.raft(leader).commit());
    assert!(own < commit, "the others have committed it");
    // Only what is small comes through.
    let frame = heartbeat(&mut net, leader, behind);
    let here = net.local(behind);
    net.raft(behind).step(here, leader, &frame).unwrap();
    assert_eq!(net.raft(behind).commit(), own, "it lacks the entry");
    assert_eq!(net.raft(behind).known_commit(), commit);
}

/// How old, in milliseconds, a member's knowledge of what is committed is by its own account.
fn age_ms(net: &mut Net, id: NodeId) -> Option<u128> {
    let now = net.local(id);
    let since = net.raft(id).fresh_since()?;
    Some(now.since(since).as_millis())
}

#[test]
fn a_word_that_comes_late_is_not_taken_for_a_fresh_one() {
    let mut net = Net::new(8, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(500);
    let far = NodeId(if leader == NodeId(3) { 2 } else { 3 });
    let interval = net.raft(leader).settings.heartbeat().as_millis();
    assert!(age_ms(&mut net, far).unwrap() <= 4 * interval);
    let late = heartbeat(&mut net, leader, far);
    net.cut.extend([(leader, far), (far, leader)]);
    net.propose(leader, 7).unwrap();
    net.run_ms(3000);
    let commit = net.raft(leader).commit();
    net.inject(leader, far, late);
    net.cut.clear();
    net.step_one_without_settling();
    let raft = net.raft(far);
    assert!(raft.known_commit() < commit);
    assert!(age_ms(&mut net, far).is_none_or(|age| age >= 3000));
    net.run_ms(500);
    assert_eq!(net.raft(far).known_commit(), commit);
    assert!(age_ms(&mut net, far).unwrap() <= 4 * interval);
}

#[test]
fn a_leader_that_does_not_know_what_is_committed_does_not_say_from_when_it_knows() {
    let mut net = Net::new(9, 3, World::CALM);
    let first = net.run_to_leader();
    net.run_ms(200);
    let others = [1, 2, 3].map(NodeId).into_iter().filter(|id| *id != first);
    let others: Vec<NodeId> = others.collect();
    net.crash(first);
    net.run_until(|net| net.leader().is_some_and(|leader| leader != first));
    for id in &others {
        net.hosts.get_mut(id).unwrap().disk_stuck = true;
    }
    let second = net.leader().unwrap();
    let follower = others[usize::from(others[0] == second)];
    net.run_ms(500);
    assert_eq!(net.raft(follower).leader(), Some(second));
    assert!(!net.raft(second).has_committed_own_term());
    assert_eq!(net.raft(follower).fresh_since(), None);
    for id in &others {
        net.hosts.get_mut(id).unwrap().disk_stuck = false;
    }
    net.run_ms(500);
    assert!(age_ms(&mut net, follower).unwrap() < 300);
    net.raft(follower).clock_jumped();
    assert_eq!(net.raft(follower).fresh_since(), None);
}
