//! Leadership when not everybody hears everybody (Howard and Abraham 2020), and when all want to
//! lead.

use super::net::Net;
use super::world::World;
use crate::ids::NodeId;

fn link(net: &mut Net, one: NodeId, other: NodeId) {
    let both = [(one, other), (other, one)];
    net.cut.retain(|pair| !both.contains(pair));
}

fn cut_all(net: &mut Net) {
    let ids: Vec<NodeId> = net.hosts.keys().copied().collect();
    for id in ids {
        net.isolate(id);
    }
}

#[test]
fn the_only_member_that_hears_a_majority_comes_to_lead() {
    // The leader hears one other; that one hears everybody.
    for seed in 0..20 {
        let mut net = Net::new(seed, 5, World::CALM);
        let leader = net.run_to_leader();
        net.run_ms(100);
        let centre = NodeId(1 + leader.0 % 5);
        cut_all(&mut net);
        for id in 1..=5 {
            link(&mut net, centre, NodeId(id));
        }
        net.run_ms(4000);
        assert_eq!(net.leader(), Some(centre), "seed {seed}");
        let term = net.raft(centre).term();
        let index = net.propose(centre, 1).unwrap();
        net.run_ms(4000);
        assert!(net.raft(centre).commit() >= index);
        assert_eq!(net.raft(centre).term(), term, "and nobody disturbs it");
    }
}

#[test]
fn in_a_chain_the_leader_stays() {
    // One end leads, the other end does not hear it but hears who does.
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let term = net.raft(leader).term();
    let far = NodeId(1 + leader.0 % 3);
    net.cut = vec![(leader, far), (far, leader)];
    let before = net.committed.len();
    for payload in 0..50 {
        net.propose(leader, payload).unwrap();
        net.run_ms(100);
    }
    assert_eq!(
        (net.leader(), net.raft(leader).term()),
        (Some(leader), term)
    );
    assert_eq!(net.committed.len(), before + 50);
    // When the leader dies, both ends' neighbour and the far end go on.
    net.crash(leader);
    assert_ne!(net.run_to_leader(), leader);
}

#[test]
fn a_ring_of_five_has_one_leader_or_none_but_commits_after_it_heals() {
    let mut net = Net::new(2, 5, World::CALM);
    net.run_to_leader();
    cut_all(&mut net);
    for id in 1..=5 {
        link(&mut net, NodeId(id), NodeId(1 + id % 5));
    }
    // Everybody hears a majority: itself and two neighbours.
    net.run_ms(10_000);
    let leader = net.leader().expect("each has a majority of its own");
    let index = net.propose(leader, 1).unwrap();
    net.run_ms(300);
    assert!(net.raft(leader).commit() >= index);
    net.cut.clear();
    net.run_ms(3000);
    assert!(net.hosts.values().all(|host| host.applied >= index));
}

#[test]
fn a_leader_that_is_heard_but_hears_nobody_gives_way() {
    for seed in 0..20 {
        let mut net = Net::new(seed, 3, World::CALM);
        let leader = net.run_to_leader();
        net.run_ms(100);
        for id in 1..=3 {
            net.cut.push((NodeId(id), leader));
        }
        net.run_ms(2500);
        let second = net.leader().expect("others can");
        assert_ne!(second, leader);
        let index = net.propose(second, 1).unwrap();
        net.run_ms(100);
        assert!(net.raft(second).commit() >= index);
    }
}

#[test]
fn a_member_that_hears_nobody_but_is_heard_disturbs_nobody() {
    let mut net = Net::new(3, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let term = net.raft(leader).term();
    let deaf = NodeId(1 + leader.0 % 3);
    for id in 1..=3 {
        net.cut.push((NodeId(id), deaf));
    }
    net.run_ms(10_000);
    assert_eq!(
        (net.leader(), net.raft(leader).term()),
        (Some(leader), term)
    );
    net.cut.clear();
    net.run_ms(1000);
    assert_eq!(
        (net.leader(), net.raft(leader).term()),
        (Some(leader), term)
    );
}

#[test]
fn duelling_candidates_come_to_an_end() {
    // Messages take a good part of the spread of the timeouts, so that many campaign at once.
    let mut worst = 0;
    for seed in 0..100 {
        let world = World {
            delay_us: 40_000,
            ..World::CALM
        };
        let mut net = Net::new(seed, 2 + seed % 4, world);
        let began = net.now;
        net.run_until(|net| net.leader().is_some());
        worst = worst.max((net.now - began) / 1_000_000);
    }
    assert!(worst < 10 * 400, "{worst} ms");
}
