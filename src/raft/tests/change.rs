//! Members that come and go, and leadership that is transferred.

use super::net::{Net, member};
use super::world::World;
use crate::ids::{Incarnation, NodeId};
use crate::raft::message::Message;
use crate::raft::role::Role;
use crate::raft::*;

const FOUR: NodeId = NodeId(4);

/// A calm group of three that has a leader, and a fourth host with an empty disk.
fn three_and_one(seed: u64) -> (Net, NodeId) {
    let mut net = Net::new(seed, 3, World::CALM);
    let leader = net.run_to_leader();
    net.join(member(4));
    (net, leader)
}

fn voters(membership: &Membership) -> Vec<u64> {
    membership.voters().map(|id| id.0).collect()
}

#[test]
fn a_learner_learns_is_promoted_and_votes() {
    let (mut net, leader) = three_and_one(1);
    net.propose(leader, 1).unwrap();
    assert_eq!(
        net.change(leader, &[MembershipChange::Promote(FOUR)]),
        Err(ChangeRefused::Unfit(Unfit::Unknown(FOUR)))
    );
    net.change(leader, &[MembershipChange::AddLearner(member(4))])
        .unwrap();
    assert_eq!(
        net.change(leader, &[MembershipChange::Promote(FOUR)]),
        Err(ChangeRefused::Pending)
    );
    net.run_ms(2);
    net.run_ms(200);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&FOUR].applied, last);
    assert!(!net.raft(FOUR).may_campaign());
    net.change(leader, &[MembershipChange::Promote(FOUR)])
        .unwrap();
    assert!(net.raft(leader).in_force().is_joint(), "in force at append");
    net.run_ms(200);
    for id in 1..=4 {
        let raft = net.raft(NodeId(id));
        assert!(!raft.in_force().is_joint(), "left by itself");
        assert_eq!(voters(raft.membership()), [1, 2, 3, 4]);
    }
    assert!(net.raft(FOUR).may_campaign());
}

#[test]
fn a_learner_that_lags_gets_no_vote() {
    let (mut net, leader) = three_and_one(2);
    net.isolate(FOUR);
    net.change(leader, &[MembershipChange::AddLearner(member(4))])
        .unwrap();
    net.run_ms(100);
    assert_eq!(
        net.change(leader, &[MembershipChange::Promote(FOUR)]),
        Err(ChangeRefused::Lagging(FOUR))
    );
    net.cut.clear();
    net.run_ms(300);
    assert!(
        net.change(leader, &[MembershipChange::Promote(FOUR)])
            .is_ok()
    );
}

/// Else one word of an operator would stop a group that goes on with the members it has.
#[test]
fn nobody_is_removed_where_too_few_would_be_left_who_answer() {
    let (mut net, leader) = three_and_one(8);
    let well = NodeId(1 + leader.0 % 3);
    let silent = NodeId(1 + well.0 % 3);
    net.isolate(silent);
    net.run_ms(1000);
    for id in [well, leader] {
        let removed = net.change(leader, &[MembershipChange::Remove(id)]);
        assert_eq!(removed, Err(ChangeRefused::TooFew(silent)));
    }
    let swapped = [MembershipChange::AddLearner(member(4))];
    assert!(
        net.change(leader, &swapped).is_ok(),
        "a learner counts for nothing"
    );
    net.run_ms(300);
    net.change(leader, &[MembershipChange::Remove(silent)])
        .unwrap();
    net.run_ms(300);
    net.change(leader, &[MembershipChange::Promote(FOUR)])
        .unwrap();
    net.run_ms(300);
    net.change(leader, &[MembershipChange::Remove(well)])
        .unwrap();
    net.run_ms(300);
    assert_eq!(voters(net.raft(leader).membership()), [leader.0, 4]);
}

/// It gives every member an election timeout to answer, and a change must not rely on that.
#[test]
fn a_leader_of_a_moment_counts_nobody_who_has_not_answered_it() {
    let (mut net, leader) = three_and_one(8);
    let well = NodeId(1 + leader.0 % 3);
    let silent = NodeId(1 + well.0 % 3);
    net.isolate(silent);
    net.run_ms(1000);
    net.transfer(leader, Some(well)).unwrap();
    while !net.raft(well).is_leader() || !net.raft(well).has_committed_own_term() {
        net.run_ms(1);
    }
    let removed = net.change(well, &[MembershipChange::Remove(leader)]);
    assert_eq!(removed, Err(ChangeRefused::TooFew(silent)));
}

#[test]
fn a_removed_follower_learns_it_and_disturbs_nobody() {
    let (mut net, leader) = three_and_one(3);
    let gone = NodeId(1 + leader.0 % 3);
    net.change(leader, &[MembershipChange::Remove(gone)])
        .unwrap();
    let speaks_to = |raft: &Raft| raft.audience().any(|one| one.id == gone);
    assert!(speaks_to(net.raft(leader)), "it is still to be told");
    net.run_ms(300);
    let raft = net.raft(gone);
    assert!(raft.membership().get(gone).is_none(), "it was told");
    let term = net.raft(leader).term();
    net.run_ms(3000);
    // It has nothing to do any more, and does not believe in a leader that says nothing.
    let raft = net.raft(gone);
    assert_eq!((raft.deadline(), raft.leader()), (None, None));
    assert_eq!(
        (net.leader(), net.raft(leader).term()),
        (Some(leader), term)
    );
    let Role::Leader(leadership) = &net.raft(leader).role else {
        panic!("it leads");
    };
    assert_eq!(leadership.peers.len(), 1, "and it is forgotten");
    assert!(!speaks_to(net.raft(leader)));
}

#[test]
fn a_removed_leader_transfers_leadership_when_that_is_committed() {
    for seed in 0..20 {
        let (mut net, leader) = three_and_one(seed);
        net.run_ms(100);
        net.change(leader, &[MembershipChange::Remove(leader)])
            .unwrap();
        assert!(net.raft(leader).is_leader());
        net.run_ms(30);
        assert!(!net.raft(leader).is_leader());
        // The target did not have to wait for an election timeout.
        let target = net.leader().expect("a target");
        assert_ne!(target, leader);
        net.propose(target, 1).unwrap();
        net.run_ms(1000);
        assert_eq!(voters(net.raft(target).membership()).len(), 2);
        assert_eq!(net.leader(), Some(target));
    }
}

#[test]
fn a_leader_that_is_no_voter_does_not_count_itself() {
    // Thesis 4.2.2: until the change is committed it leads a group of which it is no part.
    let mut net = Net::new(4, 2, World::CALM);
    let leader = net.run_to_leader();
    let other = NodeId(3 - leader.0);
    net.run_ms(100);
    net.change(leader, &[MembershipChange::Remove(leader)])
        .unwrap();
    // The joint membership needs both; then the new one needs the other alone.
    net.run_until(|net| !net.raft(leader).in_force().is_joint());
    net.hosts.get_mut(&other).unwrap().disk_stuck = true;
    let last = net.raft(leader).last();
    net.run_ms(100);
    assert!(net.raft(leader).log.durable() >= last);
    assert!(net.raft(leader).commit() < last);
    net.hosts.get_mut(&other).unwrap().disk_stuck = false;
    net.run_ms(1000);
    assert_eq!(net.leader(), Some(other));
    assert_eq!(voters(net.raft(other).membership()), [other.0]);
}

#[test]
fn a_joint_membership_is_left_by_another_leader() {
    for seed in 0..30 {
        let (mut net, leader) = three_and_one(seed);
        net.change(leader, &[MembershipChange::AddLearner(member(4))])
            .unwrap();
        net.run_ms(200);
        let gone = NodeId(1 + leader.0 % 3);
        let both = [
            MembershipChange::Promote(FOUR),
            MembershipChange::Remove(gone),
        ];
        net.change(leader, &both).unwrap();
        let ms = net.below(4);
        net.run_ms(ms);
        net.crash(leader);
        net.run_ms(3000);
        let target = net.leader().expect("three of four are there");
        let raft = net.raft(target);
        assert!(!raft.in_force().is_joint());
        net.propose(target, 1).unwrap();
        net.run_ms(100);
        assert_eq!(net.raft(target).commit(), net.raft(target).last());
    }
}

#[test]
fn a_change_that_is_superseded_is_taken_back() {
    // NATS did not: the change was cut off the log and stayed in force.
    let (mut net, first) = three_and_one(5);
    let gone = NodeId(1 + first.0 % 3);
    net.isolate(first);
    net.change(first, &[MembershipChange::Remove(gone)])
        .unwrap();
    assert!(net.raft(first).in_force().is_joint());
    net.run_ms(1500);
    let second = net.run_to_second_leader(first);
    net.cut.clear();
    net.run_ms(1000);
    for id in [first, second] {
        assert_eq!(voters(net.raft(id).in_force()), [1, 2, 3]);
        assert!(!net.raft(id).in_force().is_joint());
    }
    net.crash(first);
    net.start(first);
    assert_eq!(voters(net.raft(first).in_force()), [1, 2, 3]);
}

#[test]
fn a_learner_that_alone_has_the_latest_entries_leads_until_they_are_safe() {
    // The first leader's log makes it a voter and needs its vote. Its own log, longer, says that it
    // is none, so that it would refuse for ever and not campaign; whoever sent that is gone.
    let (mut net, first) = three_and_one(6);
    net.change(first, &[MembershipChange::AddLearner(member(4))])
        .unwrap();
    net.run_ms(200);
    net.isolate(first);
    net.change(first, &[MembershipChange::Promote(FOUR)])
        .unwrap();
    net.run_ms(5);
    net.run_until(|net| net.leader().is_some_and(|leader| leader != first));
    let second = net.leader().unwrap();
    let third = NodeId(6 - first.0 - second.0);
    net.isolate(third);
    net.lose_flights();
    let last = net.propose(second, 7).unwrap();
    net.run_until(|net| net.raft(FOUR).log.durable() == last);
    net.crash(second);
    net.cut.clear();
    net.isolate(second);
    assert!(net.raft(first).in_force().is_joint());
    assert!(!net.raft(FOUR).in_force().is_voter(FOUR));
    assert!(net.raft(third).last() < last);
    net.run_until(|net| net.leader() == Some(FOUR));
    net.run_ms(1000);
    let target = net.leader().unwrap();
    assert!(target == first || target == third);
    for id in [first, third, FOUR] {
        assert!(net.raft(id).commit() > last);
        assert_eq!(voters(net.raft(id).membership()), [1, 2, 3]);
    }
    assert!(
        !net.raft(FOUR).may_campaign(),
        "it is a learner again like any other"
    );
}

#[test]
fn no_change_before_the_first_commit_of_the_own_term() {
    // Ongaro's bug in single-server changes, 2015: without this two majorities may not meet.
    let mut net = Net::new(6, 3, World::CALM);
    for host in net.hosts.values_mut() {
        host.settings.election_ms_max = 400;
    }
    let first = net.run_to_leader();
    net.crash(first);
    net.world.delay_us = 10_000;
    while net.leader().is_none() {
        net.run_ms(1);
    }
    let second = net.leader().unwrap();
    let change = [MembershipChange::Remove(first)];
    assert_eq!(net.change(second, &change), Err(ChangeRefused::TooEarly));
    assert!(matches!(
        net.change(NodeId(6 - first.0 - second.0), &change),
        Err(ChangeRefused::NotLeader { .. })
    ));
    net.run_ms(200);
    assert!(net.change(second, &change).is_ok());
}

#[test]
fn a_new_disk_under_an_old_number_has_no_voice() {
    let mut net = Net::new(7, 3, World::CALM);
    let leader = net.run_to_leader();
    let wiped = NodeId(1 + leader.0 % 3);
    let other = NodeId(6 - leader.0 - wiped.0);
    net.crash(wiped);
    net.crash(other);
    let reborn = Member {
        id: wiped,
        incarnation: Incarnation(999),
    };
    net.join(reborn);
    // With the reborn one's voice there would be a quorum.
    let index = net.propose(leader, 1).unwrap();
    net.run_ms(2000);
    assert!(net.hosts.values().all(|host| host.applied < index));
    assert_eq!(net.leader(), None);
    net.start(other);
    let leader = net.run_to_leader();
    net.change(leader, &[MembershipChange::Remove(wiped)])
        .unwrap();
    net.run_ms(300);
    net.change(leader, &[MembershipChange::AddLearner(reborn)])
        .unwrap();
    net.run_ms(300);
    let last = net.raft(leader).last();
    assert_eq!(net.hosts[&wiped].applied, last);
}

#[test]
fn a_group_of_one_grows() {
    let mut net = Net::new(8, 1, World::CALM);
    let leader = net.run_to_leader();
    net.join(member(2));
    net.change(leader, &[MembershipChange::AddLearner(member(2))])
        .unwrap();
    net.propose(leader, 1).unwrap();
    net.run_ms(300);
    net.change(leader, &[MembershipChange::Promote(NodeId(2))])
        .unwrap();
    net.run_ms(300);
    assert_eq!(voters(net.raft(NodeId(2)).membership()), [1, 2]);
}

#[test]
fn leadership_goes_to_the_one_that_is_named() {
    for seed in 0..20 {
        let mut net = Net::new(seed, 3, World::CALM);
        let leader = net.run_to_leader();
        net.run_ms(100);
        let target = NodeId(1 + leader.0 % 3);
        // Under load: what was proposed before must reach the target first.
        for payload in 0..50 {
            net.propose(leader, payload).unwrap();
        }
        net.transfer(leader, Some(target)).unwrap();
        assert_eq!(net.propose(leader, 99), Err(Refused::Transferring));
        assert_eq!(
            net.transfer(leader, Some(target)),
            Err(TransferRefused::Transferring)
        );
        net.run_ms(100);
        assert_eq!(net.leader(), Some(target));
        net.propose(target, 100).unwrap();
        net.run_ms(100);
        assert!(net.committed.len() >= 53, "nothing was lost");
    }
}

#[test]
fn leadership_that_nobody_takes_is_kept_without_a_lease() {
    let mut net = Net::new(9, 3, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let target = NodeId(1 + leader.0 % 3);
    net.crash(target);
    net.propose(leader, 0).unwrap();
    net.transfer(leader, Some(target)).unwrap();
    net.run_ms(390);
    assert!(net.propose(leader, 1).is_err());
    net.run_ms(20);
    assert!(net.propose(leader, 1).is_ok());
    let now = net.local(leader);
    assert!(net.raft(leader).has_lease(now), "the target was never told");
    // The next one is told, but what it says is lost.
    let target = NodeId(6 - leader.0 - target.0);
    net.run_ms(20);
    net.cut.push((target, leader));
    net.lose_flights();
    net.transfer(leader, Some(target)).unwrap();
    net.lose_flights();
    net.cut.clear();
    net.run_ms(1000);
    assert_eq!(net.leader(), Some(leader));
    let now = net.local(leader);
    assert!(!net.raft(leader).has_lease(now), "for the rest of its term");
}

#[test]
fn leadership_goes_to_voters_only() {
    let (mut net, leader) = three_and_one(10);
    net.change(leader, &[MembershipChange::AddLearner(member(4))])
        .unwrap();
    net.run_ms(300);
    assert_eq!(
        net.transfer(leader, Some(FOUR)),
        Err(TransferRefused::Unknown)
    );
    assert_eq!(
        net.transfer(leader, Some(leader)),
        Err(TransferRefused::Unknown)
    );
    net.transfer(leader, None).unwrap();
    net.run_ms(100);
    assert!(
        net.leader()
            .is_some_and(|target| target != leader && target != FOUR)
    );
    // A learner that is told to campaign does not.
    let leader = net.leader().unwrap();
    net.send(leader, FOUR, &Message::TimeoutNow);
    net.run_ms(100);
    assert_eq!(net.leader(), Some(leader));
}

/// A generated life of a group whose members come and go; how many changes of membership there
/// were.
fn changing_group(seed: u64, world: World) -> (Net, u32) {
    let mut changes = 0;
    let mut net = Net::new(seed, 1 + seed % 4, world);
    for payload in 0..200 {
        let ms = net.below(60);
        net.run_ms(ms);
        let id = NodeId(1 + net.below(6));
        let is_there = net.hosts.contains_key(&id);
        let is_alive = is_there && net.hosts[&id].raft.is_some();
        let Some(leader) = net.leader() else {
            net.cut.clear();
            net.start_all();
            continue;
        };
        match net.below(20) {
            0 if is_there => net.isolate(id),
            1..=3 => net.cut.clear(),
            4 if is_alive => net.crash(id),
            5..=7 => net.start_all(),
            8 if !is_there => net.join(member(id.0)),
            9 | 10 if is_there => {
                let member = net.hosts[&id].member;
                let _ = net.change(leader, &[MembershipChange::AddLearner(member)]);
            }
            11 | 12 => {
                changes += u32::from(net.change(leader, &[MembershipChange::Promote(id)]).is_ok());
            }
            13 => {
                changes += u32::from(net.change(leader, &[MembershipChange::Remove(id)]).is_ok());
            }
            14 => {
                let _ = net.transfer(leader, Some(id));
            }
            15 if is_alive => {
                net.read(id);
            }
            _ => {
                let _ = net.propose(leader, payload);
            }
        }
        net.check_log_matching();
    }
    net.make_peace();
    // A leadership that was being transferred is taken or kept.
    net.run_ms(1000);
    let leader = net.run_to_leader();
    let index = net.propose(leader, u64::MAX).unwrap();
    net.run_ms(5000);
    let members = net.raft(leader).in_force().members();
    let members: Vec<NodeId> = members.map(|member| member.id).collect();
    for id in members {
        let host = &net.hosts[&id];
        assert!(host.applied >= index, "seed {seed}: {id} lags");
    }
    assert!(!net.raft(leader).in_force().is_joint());
    (net, changes)
}

#[test]
fn groups_change_while_everything_else_happens() {
    let mut changes = 0;
    for seed in 0..150 {
        let world = if seed % 3 == 0 {
            World::CALM
        } else {
            World::ROUGH
        };
        changes += changing_group(seed, world).1;
    }
    assert!(changes > 300, "{changes}");
}

#[test]
fn groups_change_though_nobody_keeps_entries() {
    let (mut changes, mut installed) = (0, 0);
    for seed in 0..150 {
        let (net, more) = changing_group(seed, World::FORGETFUL);
        changes += more;
        installed += net.installed;
    }
    assert!(changes > 200, "{changes}");
    assert!(installed > 200, "{installed}");
}
