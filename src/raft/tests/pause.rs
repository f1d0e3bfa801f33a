//! Pauses of a process: what others say meanwhile is read before their silence counts.

use core::time::Duration;

use super::net::Net;
use super::world::World;
use crate::ids::NodeId;
use crate::raft::*;

const PAUSE: Duration = Duration::from_secs(5);

/// Time passes for a member that listens, and nobody says anything.
fn listen_ms(raft: &mut Raft, ms: u64) {
    for _ in 0..ms / 10 {
        let now = raft.now + Duration::from_millis(10);
        raft.tick(now);
    }
}

#[test]
fn a_leader_that_has_paused_waits_for_answers_before_it_steps_down() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let raft = net.raft(leader);
    let woken = raft.now + PAUSE;
    raft.tick(woken);
    assert!(raft.is_leader(), "its own pause is nobody's silence");
    listen_ms(raft, 1000);
    assert!(!raft.is_leader(), "silence counts while it listens");
}

#[test]
fn a_follower_that_has_paused_listens_before_it_campaigns() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let follower = (1..4).map(NodeId).find(|id| *id != leader).unwrap();
    let raft = net.raft(follower);
    let woken = raft.now + PAUSE;
    raft.tick(woken);
    assert_eq!(raft.role(), RoleName::Follower);
    listen_ms(raft, 1000);
    assert_ne!(raft.role(), RoleName::Follower);
}

#[test]
fn a_process_that_is_always_late_campaigns_all_the_same() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let follower = (1..4).map(NodeId).find(|id| *id != leader).unwrap();
    let raft = net.raft(follower);
    let campaigned = (0..20).any(|_| {
        let late = raft.deadline().unwrap() + Duration::from_millis(60);
        raft.tick(late);
        raft.role() != RoleName::Follower
    });
    assert!(campaigned);
}

#[test]
fn a_pause_lengthens_no_lease() {
    let mut net = Net::new(1, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(300);
    let raft = net.raft(leader);
    assert!(raft.has_lease(raft.now));
    let woken = raft.now + PAUSE;
    raft.tick(woken);
    assert!(raft.is_leader() && !raft.has_lease(woken));
}
