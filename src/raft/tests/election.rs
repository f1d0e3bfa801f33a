//! Elections: one leader per term, whatever the network does, and a leader again when it stops.

use super::net::Net;
use super::world::World;
use crate::ids::NodeId;

#[test]
fn a_calm_group_elects_a_leader_and_keeps_it() {
    for count in 1..=5 {
        for seed in 0..20 {
            let mut net = Net::new(seed, count, World::CALM);
            let leader = net.run_to_leader();
            let term = net.raft(leader).term();
            net.run_ms(5000);
            assert_eq!(net.leader(), Some(leader));
            assert_eq!(net.raft(leader).term(), term, "seed {seed}");
        }
    }
}

#[test]
fn a_group_survives_storms_of_crashes_and_cuts() {
    for seed in 0..150 {
        let count = 1 + seed % 5;
        let mut net = Net::new(seed, count, World::ROUGH);
        for _ in 0..40 {
            let ms = net.below(150);
            net.run_ms(ms);
            let id = NodeId(1 + net.below(count));
            match net.below(5) {
                0 => net.isolate(id),
                1 => net.cut.clear(),
                2 if net.hosts[&id].raft.is_some() => net.crash(id),
                2 | 3 if net.hosts[&id].raft.is_none() => net.start(id),
                _ => {}
            }
            net.check_log_matching();
        }
        net.make_peace();
        net.run_to_leader();
    }
}

#[test]
fn a_member_that_was_cut_off_does_not_disturb_the_others() {
    for seed in 0..30 {
        let mut net = Net::new(seed, 3, World::CALM);
        let leader = net.run_to_leader();
        let term = net.raft(leader).term();
        let other = NodeId(1 + leader.0 % 3);
        net.isolate(other);
        net.run_ms(5000);
        assert_eq!(net.raft(other).term(), term, "it has only asked");
        net.cut.clear();
        net.run_ms(1000);
        assert_eq!(net.leader(), Some(leader));
        assert_eq!(net.raft(leader).term(), term);
    }
}

#[test]
fn a_leader_that_nobody_answers_gives_up_and_another_comes() {
    for seed in 0..30 {
        let mut net = Net::new(seed, 3, World::CALM);
        let leader = net.run_to_leader();
        net.isolate(leader);
        net.run_ms(450);
        assert!(!net.raft(leader).is_leader(), "seed {seed}");
        net.run_ms(1000);
        let other = net.leader();
        assert!(other.is_some() && other != Some(leader));
    }
}

#[test]
fn a_restarted_voter_keeps_silent_for_an_election_timeout() {
    let mut net = Net::new(3, 3, World::CALM);
    let leader = net.run_to_leader();
    let others: Vec<NodeId> = net
        .hosts
        .keys()
        .copied()
        .filter(|id| *id != leader)
        .collect();
    let term = net.raft(leader).term();
    net.isolate(leader);
    // Both others die and come back: the leader may still rely on what they acknowledged.
    for id in &others {
        net.crash(*id);
        net.start(*id);
    }
    net.run_ms(190);
    assert!(
        others
            .iter()
            .all(|id| net.hosts[id].raft.as_ref().unwrap().term() == term)
    );
    net.run_ms(2000);
    assert!(others.contains(&net.leader().unwrap()));
}

#[test]
fn vote_request_outlives_candidate() {
    // A candidate whose own vote never became durable may vote for another in the same term when
    // it comes back: its question must not have left.
    for seed in 0..50 {
        let mut net = Net::new(seed, 3, World::CALM);
        net.trace = Some(Vec::new());
        for host in net.hosts.values_mut() {
            host.disk_stuck = true;
        }
        net.run_ms(3000);
        let said = net.trace.take().unwrap();
        assert!(!said.is_empty());
        let votes = said.iter().filter(|(_, _, message)| {
            matches!(message, crate::raft::message::Message::Vote { .. })
        });
        assert_eq!(votes.count(), 0);
    }
}
