//! Memberships and their majorities, against a naive twin and against every way to break the bytes.

use alloc::collections::BTreeSet;

use crate::ids::{Incarnation, NodeId};
use crate::raft::*;
use proptest::prelude::*;

fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id * 100),
    }
}

/// A membership from bit sets of ids: voters, voters of the new half, learners.
fn membership(first: u16, second: Option<u16>, learners: u16) -> Membership {
    let list = |bits: u16| {
        (0..16)
            .filter(|bit| bits & (1 << bit) != 0)
            .map(|bit| member(bit + 1))
            .collect::<Vec<_>>()
    };
    let learners = list(learners & !first & !second.unwrap_or(0));
    match second {
        None => Membership::Stable {
            voters: list(first),
            learners,
        },
        Some(second) => Membership::Joint {
            old: list(first),
            new: list(second),
            learners,
        },
    }
}

fn any_membership() -> impl Strategy<Value = Membership> {
    (1_u16.., proptest::option::of(1_u16..), any::<u16>())
        .prop_map(|(first, second, learners)| membership(first, second, learners))
}

#[test]
fn an_even_group_needs_more_than_half() {
    let four = membership(0b1111, None, 0);
    let at = |values: [u64; 4]| four.reached(&|id| values[id.0 as usize - 1]);
    assert_eq!(at([9, 9, 1, 1]), 1);
    assert_eq!(at([9, 9, 2, 1]), 2);
    let votes = |votes: [Option<bool>; 4]| four.tally(&|id| votes[id.0 as usize - 1]);
    assert_eq!(votes([Some(true), Some(true), None, None]), Tally::Open);
    assert_eq!(
        votes([Some(true), Some(true), Some(true), None]),
        Tally::Won
    );
    assert_eq!(votes([Some(false), Some(false), None, None]), Tally::Lost);
}

#[test]
fn a_learner_counts_in_no_majority() {
    // willemt/raft counted one.
    let group = membership(0b011, None, 0b100);
    assert_eq!(group.reached(&|id| [9, 1, 9][id.0 as usize - 1]), 1);
    assert_eq!(
        group.tally(&|id| Some(id.0 != 2)),
        Tally::Lost,
        "one of two voters is against it"
    );
}

#[test]
fn a_joint_membership_needs_both_halves() {
    let joint = membership(0b0_0111, Some(0b1_1100), 0);
    let reached = |ids: &[u64]| joint.reached(&|id| u64::from(ids.contains(&id.0)));
    assert_eq!(reached(&[1, 2, 4]), 0, "only the old half");
    assert_eq!(reached(&[3, 4, 5]), 0, "only the new half");
    assert_eq!(reached(&[2, 3, 4]), 1);
}

#[test]
fn a_change_of_voters_is_joint_and_one_of_learners_is_not() {
    let three = membership(0b111, None, 0);
    let with_learner = three
        .enter_joint(&[MembershipChange::AddLearner(member(4))])
        .unwrap();
    assert_eq!(with_learner, membership(0b111, None, 0b1000));
    let joint = with_learner
        .enter_joint(&[
            MembershipChange::Promote(NodeId(4)),
            MembershipChange::Remove(NodeId(1)),
        ])
        .unwrap();
    assert_eq!(joint, membership(0b0111, Some(0b1110), 0));
    assert_eq!(joint.leave_joint(), Some(membership(0b1110, None, 0)));
    assert_eq!(three.leave_joint(), None);
}

#[test]
fn a_change_that_makes_no_sense_is_refused() {
    let group = membership(0b011, None, 0b100);
    let refused = |changes: &[MembershipChange]| group.enter_joint(changes).unwrap_err();
    let id = NodeId;
    assert_eq!(
        refused(&[MembershipChange::AddLearner(member(3))]),
        Unfit::Taken(id(3))
    );
    assert_eq!(
        refused(&[MembershipChange::AddLearner(member(0))]),
        Unfit::Taken(id(0))
    );
    assert_eq!(
        refused(&[MembershipChange::Promote(id(1))]),
        Unfit::Unknown(id(1))
    );
    assert_eq!(
        refused(&[MembershipChange::Remove(id(7))]),
        Unfit::Unknown(id(7))
    );
    assert_eq!(
        refused(&[
            MembershipChange::Remove(id(1)),
            MembershipChange::Remove(id(2))
        ]),
        Unfit::Size
    );
    assert_eq!(refused(&[]), Unfit::Nothing);
    let joint = group
        .enter_joint(&[MembershipChange::Promote(id(3))])
        .unwrap();
    assert_eq!(
        joint.enter_joint(&[MembershipChange::Remove(id(1))]),
        Err(Unfit::Joint)
    );
    // A new disk under an old number must wait until the old one has left.
    let swap = [
        MembershipChange::Remove(id(1)),
        MembershipChange::AddLearner(member(1)),
    ];
    assert_eq!(refused(&swap), Unfit::Taken(id(1)));
    let again = MembershipChange::AddLearner(member(4));
    let twice = [
        again,
        MembershipChange::Promote(id(4)),
        again,
        MembershipChange::Remove(id(4)),
    ];
    assert_eq!(refused(&twice), Unfit::Taken(id(4)));
}

#[test]
fn too_many_members_are_refused() {
    let voters: Vec<Member> = (1..=MEMBERS_MAX as u64).map(member).collect();
    let full = Membership::of(voters.clone()).unwrap();
    assert_eq!(full.reached(&|id| id.0), 16);
    assert_eq!(
        full.enter_joint(&[MembershipChange::AddLearner(member(99))]),
        Err(Unfit::Size)
    );
    assert_eq!(
        Membership::of(voters.into_iter().chain([member(99)]).collect()),
        None
    );
    assert_eq!(Membership::of(Vec::new()), None);
    assert_eq!(Membership::of(vec![member(1), member(1)]), None);
}

proptest! {
    #[test]
    fn a_quorum_by_sorting_is_a_quorum_by_counting(
        group in any_membership(),
        values: [u64; 16],
    ) {
        let at = |id: NodeId| values[id.0 as usize - 1] % 8;
        prop_assert_eq!(group.reached(&at), group.reached_naively(&at));
    }

    #[test]
    fn a_tally_is_won_or_lost_only_for_good(
        group in any_membership(),
        votes: [Option<bool>; 16],
        others: [bool; 16],
    ) {
        let vote = |id: NodeId| votes[id.0 as usize - 1];
        let all = |id: NodeId| vote(id).or(Some(others[id.0 as usize - 1]));
        let (now, end) = (group.tally(&vote), group.tally(&all));
        prop_assert_ne!(end, Tally::Open);
        prop_assert!(now == Tally::Open || now == end);
        // Whoever has all votes wins; whoever has none loses.
        prop_assert_eq!(group.tally(&|_| Some(true)), Tally::Won);
        prop_assert_eq!(group.tally(&|_| Some(false)), Tally::Lost);
        // A vote is won exactly where the voters for it have reached what is asked.
        let reached = group.reached(&|id| u64::from(all(id) == Some(true)));
        prop_assert_eq!(end == Tally::Won, reached == 1);
    }

    #[test]
    fn two_quorums_of_neighbouring_memberships_meet(
        group in any_membership(),
        first: u16,
        second: u16,
        changed in 1_u64..17,
    ) {
        prop_assume!(!group.is_joint());
        let id = NodeId(changed);
        let change = match group.get(id) {
            None => MembershipChange::AddLearner(member(changed)),
            Some(_) if group.is_voter(id) => MembershipChange::Remove(id),
            Some(_) => MembershipChange::Promote(id),
        };
        let Ok(joint) = group.enter_joint(&[change]) else {
            return Ok(());
        };
        let end = joint.leave_joint().unwrap_or_else(|| joint.clone());
        for (a, b) in [(&group, &joint), (&joint, &end), (&joint, &joint)] {
            let is_in = |set: u16, id: NodeId| u64::from(set & (1 << (id.0 - 1)) != 0);
            let won = a.reached(&|id| is_in(first, id)) == 1
                && b.reached(&|id| is_in(second, id)) == 1;
            prop_assert!(!won || first & second != 0);
        }
    }

    #[test]
    fn changes_keep_a_model(steps: Vec<(u8, u64)>) {
        let mut group = Membership::of(vec![member(1)]).unwrap();
        let mut voters = BTreeSet::from([1]);
        let mut learners = BTreeSet::new();
        for (kind, id) in steps {
            let id = id % 9;
            let (change, possible) = match kind % 3 {
                0 => (
                    MembershipChange::AddLearner(member(id)),
                    id != 0 && !voters.contains(&id) && !learners.contains(&id),
                ),
                1 => (MembershipChange::Promote(NodeId(id)), learners.contains(&id)),
                _ => (
                    MembershipChange::Remove(NodeId(id)),
                    learners.contains(&id) || (voters.contains(&id) && voters.len() > 1),
                ),
            };
            let next = group.enter_joint(&[change]);
            prop_assert_eq!(next.is_ok(), possible);
            let Ok(next) = next else { continue };
            prop_assert_eq!(next.is_joint(), next.leave_joint().is_some());
            match kind % 3 {
                0 => assert!(learners.insert(id)),
                1 => {
                    learners.remove(&id);
                    voters.insert(id);
                }
                _ => {
                    learners.remove(&id);
                    voters.remove(&id);
                }
            }
            group = next.leave_joint().unwrap_or(next);
            prop_assert!(group.voters().map(|id| id.0).eq(voters.iter().copied()));
            prop_assert!(group.learners().iter().map(|m| m.id.0).eq(learners.iter().copied()));
        }
    }

    #[test]
    fn a_membership_is_decoded_as_it_was_encoded(group in any_membership()) {
        let bytes = group.encode();
        prop_assert_eq!(Membership::decode(&bytes), Ok(group));
        prop_assert!(Membership::decode(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn whatever_is_decoded_is_sound(group in any_membership(), at: usize, byte: u8) {
        let mut bytes = group.encode();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(other) = Membership::decode(&bytes) {
            prop_assert_eq!(other.encode(), bytes);
            prop_assert!(other.voters().count() > 0);
            let ids: BTreeSet<NodeId> = other.members().map(|m| m.id).collect();
            prop_assert_eq!(ids.len(), other.members().count());
        }
    }
}
