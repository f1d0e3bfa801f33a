//! The figures of the papers, played through: logs that part and agree again, entries of old terms,
//! and members that are removed by an entry which not everybody has.

use super::net::{Net, member};
use super::world::World;
use crate::ids::{LogIndex, NodeId, Term};
use crate::raft::log::TermAt;
use crate::raft::message::Message;
use crate::raft::*;
use crate::time::Stamp;
use bytes::Bytes;

/// A group that is about to start, whose disks hold entries of these terms and were last in `term`.
fn group(seed: u64, logs: &[&[u64]], term: u64, world: World) -> Net {
    let mut net = Net::new(seed, logs.len() as u64, world);
    for (id, log) in (1..).zip(logs) {
        net.crash(NodeId(id));
        let entries = (1..).zip(*log).map(|(index, of)| Entry {
            term: Term(*of),
            index: LogIndex(index),
            stamp: Stamp(0),
            kind: EntryKind::Normal,
            payload: Bytes::from(alloc::format!("{of}/{index}")),
            known: KnownSum::default(),
        });
        let disk = &mut net.hosts.get_mut(&NodeId(id)).unwrap().disk;
        disk.term = Term(term);
        disk.entries = entries.collect();
    }
    net.lose_flights();
    net
}

fn terms(net: &mut Net, id: NodeId) -> Vec<u64> {
    let disk = &net.hosts[&id].disk.entries;
    disk.iter().map(|entry| entry.term.0).collect()
}

const FIGURE_7: [&[u64]; 7] = [
    &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    &[1, 1, 1, 4, 4, 5, 5, 6, 6],
    &[1, 1, 1, 4],
    &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    &[1, 1, 1, 4, 4, 4, 4],
    &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
];

#[test]
fn figure_7_whatever_the_others_hold_in_the_end_they_hold_what_the_leader_has() {
    let mut led_by_first = 0;
    for seed in 0..60 {
        let mut net = group(seed, &FIGURE_7, 7, World::CALM);
        net.start_all();
        let leader = net.run_to_leader();
        net.run_ms(1500);
        let agreed = terms(&mut net, leader);
        for id in 1..=7 {
            assert_eq!(terms(&mut net, NodeId(id)), agreed, "seed {seed}");
        }
        // Whoever leads had what the first seven entries of a majority can have committed.
        let (own, rest) = agreed.split_at(FIGURE_7[leader.0 as usize - 1].len());
        assert_eq!(own, FIGURE_7[leader.0 as usize - 1]);
        assert!(rest.iter().all(|term| *term >= 8), "{rest:?}");
        assert!(
            ![3, 6, 7].contains(&leader.0),
            "its log is too short or old"
        );
        led_by_first += u32::from(leader == NodeId(1));
    }
    assert!(led_by_first > 0);
}

#[test]
fn figure_8_an_entry_of_an_old_term_is_not_committed_by_counting() {
    // LogCabin did that once. (c): the first leads in term 4 and has brought its entry of term 2 to
    // a majority. (d): the fifth comes back and supersedes it, (e): or it does not.
    for is_superseded in [true, false] {
        let logs: [&[u64]; 5] = [&[1, 2], &[1, 2], &[1], &[1], &[1, 3]];
        let mut net = group(0, &logs, 3, World::CALM);
        let [one, two, three] = [1, 2, 3].map(NodeId);
        for id in [one, two, three] {
            net.start(id);
        }
        net.run_ms(200);
        net.raft(one).pre_campaign();
        net.settle(one);
        net.run_until(|net| net.raft(one).is_leader());
        assert_eq!(net.raft(one).term(), Term(4));
        // Everybody's answer for the entry of term 2 arrives; nothing of term 4 leaves.
        net.isolate(one);
        net.lose_flights();
        for id in [two, three] {
            net.send(id, one, &Message::Accepted { index: LogIndex(2) });
        }
        net.run_ms(1);
        assert_eq!(
            net.raft(one).log.term_at(LogIndex(2)),
            TermAt::Known(Term(2))
        );
        assert_eq!(net.raft(one).commit(), LogIndex(0));
        net.cut.clear();
        if is_superseded {
            net.crash(one);
            net.crash(two);
            net.start(NodeId(4));
            net.start(NodeId(5));
            let leader = net.run_to_leader();
            assert_eq!(leader, NodeId(5));
            net.start_all();
            net.run_ms(1000);
            assert!(terms(&mut net, one).starts_with(&[1, 3]));
        } else {
            net.run_ms(1000);
            assert_eq!(terms(&mut net, three)[..3], [1, 2, 4]);
            assert_eq!(net.raft(one).commit(), LogIndex(3));
            net.crash(one);
            net.start(NodeId(4));
            net.start(NodeId(5));
            let leader = net.run_to_leader();
            assert!(
                [two, three].contains(&leader),
                "the fifth cannot be elected"
            );
        }
    }
}

#[test]
fn thesis_4_2_2_a_member_that_is_removed_may_still_have_to_lead() {
    // The removed leader alone has the entry that removes it, and the others need its vote.
    let mut net = Net::new(3, 2, World::CALM);
    let leader = net.run_to_leader();
    let other = NodeId(3 - leader.0);
    net.run_ms(100);
    net.change(leader, &[MembershipChange::Remove(leader)])
        .unwrap();
    net.run_until(|net| !net.raft(leader).in_force().is_joint());
    net.isolate(leader);
    net.lose_flights();
    net.run_ms(20);
    assert_eq!(
        net.hosts[&leader].disk.entries.last().map(|e| e.kind),
        Some(EntryKind::Membership)
    );
    assert!(net.raft(other).in_force().is_joint());
    net.crash(leader);
    net.start(leader);
    net.run_ms(1000);
    assert_eq!(net.raft(leader).leader(), None);
    assert_eq!(net.raft(other).leader(), None);
    net.cut.clear();
    net.run_ms(3000);
    // It led once more, to commit its own removal.
    assert_eq!(net.leader(), Some(other));
    let left: Vec<NodeId> = net.raft(other).membership().voters().collect();
    assert_eq!(left, [other]);
}

#[test]
fn thesis_4_2_3_who_was_removed_and_does_not_know_deposes_nobody() {
    // Figure 4.7: the entry that removes a member is in the leader's log alone, and the member
    // hears nothing any more.
    let mut net = Net::new(3, 4, World::CALM);
    let leader = net.run_to_leader();
    net.run_ms(100);
    let term = net.raft(leader).term();
    let gone = NodeId(1 + leader.0 % 4);
    net.cut.push((leader, gone));
    net.change(leader, &[MembershipChange::Remove(gone)])
        .unwrap();
    net.run_ms(5000);
    assert_eq!(net.raft(leader).membership().voters().count(), 3);
    assert!(net.raft(gone).may_campaign(), "it does not know");
    assert_eq!(
        (net.leader(), net.raft(leader).term()),
        (Some(leader), term)
    );
}

#[test]
fn a_new_sole_voter_does_not_undercut_the_lease_of_who_made_it_one() {
    let mut net = Net::new(5, 2, World::CALM);
    let leader = net.run_to_leader();
    let other = NodeId(3 - leader.0);
    net.run_ms(100);
    net.change(leader, &[MembershipChange::Remove(leader)])
        .unwrap();
    net.run_until(|net| net.raft(other).in_force().is_sole_voter(other));
    // It holds the entry that leaves it alone, and the leader does not know that yet.
    net.cut.push((other, leader));
    net.run_until(|net| {
        net.raft(other).last() == net.hosts[&other].disk.entries.last().unwrap().index
    });
    net.crash(other);
    net.start(other);
    let now = net.local(leader);
    assert!(net.raft(leader).has_lease(now));
    // Every event on the way asks whether two rely on a lease.
    net.run_ms(150);
    assert!(!net.raft(other).is_leader());
    net.run_ms(1000);
    assert!(net.raft(other).is_leader());
}

#[test]
fn ongaro_2015_two_leaders_change_members_and_their_quorums_meet_all_the_same() {
    // With changes of single members: one leader adds the fifth and reaches the fifth alone;
    // another removes the first with the majority of what it knows; the first then wins with the
    // fourth and fifth. The joint membership and the no-op forbid it, each by itself.
    let adds: &[MembershipChange] = &[MembershipChange::Promote(NodeId(5))];
    let also_adds: &[MembershipChange] = &[MembershipChange::Promote(NodeId(6))];
    for (first_does, removes) in [(adds, true), (adds, false), (also_adds, true)] {
        let mut net = Net::new(11, 4, World::CALM);
        let one = net.run_to_leader();
        for id in [5, 6] {
            net.join(member(id));
            net.change(one, &[MembershipChange::AddLearner(member(id))])
                .unwrap();
            net.run_ms(300);
        }
        let new = NodeId(if first_does == adds { 5 } else { 6 });
        let others: Vec<NodeId> = (1..=4).map(NodeId).filter(|id| *id != one).collect();
        let four = others[2];
        // The first and the new one hear each other only.
        let part = |net: &mut Net, ids: &[NodeId]| {
            net.cut.clear();
            let all: Vec<NodeId> = net.hosts.keys().copied().collect();
            for a in &all {
                for b in &all {
                    if ids.contains(a) != ids.contains(b) {
                        net.cut.push((*a, *b));
                    }
                }
            }
            net.lose_flights();
        };
        part(&mut net, &[one, new]);
        net.change(one, first_does).unwrap();
        net.run_ms(100);
        assert!(net.raft(new).in_force().is_joint());
        let two = net.run_to_second_leader(one);
        let second = if removes {
            [MembershipChange::Remove(one)]
        } else {
            [MembershipChange::Remove(four)]
        };
        let done = net.change(two, &second);
        assert!(done.is_ok() || done == Err(ChangeRefused::Pending));
        net.run_ms(500);
        assert!(!net.raft(two).in_force().is_joint());
        let committed = net.committed.len();
        // Now the first, the fourth and the new one are by themselves.
        part(&mut net, &[one, four, new]);
        net.run_ms(3000);
        for id in [one, four, new] {
            let raft = net.raft(id);
            assert!(!raft.is_leader(), "it has no majority of the old half");
        }
        part(&mut net, &[]);
        net.run_ms(3000);
        assert!(net.committed.len() >= committed);
        let leader = net.leader().unwrap();
        let index = net.propose(leader, 1).unwrap();
        net.run_ms(300);
        assert!(net.raft(leader).commit() >= index);
    }
}
