//! Majorities and changes of membership, held against those of the crate `raft`.

use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use raft::eraftpb::{ConfChangeSingle, ConfChangeType};
use raft::{Changer, ProgressTracker};
use seedis::ids::{Incarnation, NodeId};
use seedis::raft::{Member, Membership, MembershipChange, Tally, Unfit};

fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id),
    }
}

/// The numbers of the bits that are set.
fn ids(bits: u64) -> Vec<u64> {
    (1..64).filter(|id| bits >> id & 1 == 1).collect()
}

/// Our way from one set of voters to another, as it is in the middle.
fn ours(old: &[u64], new: &[u64]) -> Membership {
    let old_members = old.iter().copied().map(member).collect();
    let stable = Membership::of(old_members).unwrap();
    let gone = old.iter().filter(|id| !new.contains(id));
    let come: Vec<u64> = new.iter().filter(|id| !old.contains(id)).copied().collect();
    let mut changes: Vec<MembershipChange> = Vec::new();
    changes.extend(
        come.iter()
            .map(|id| MembershipChange::AddLearner(member(*id))),
    );
    changes.extend(come.iter().map(|id| MembershipChange::Promote(NodeId(*id))));
    changes.extend(gone.map(|id| MembershipChange::Remove(NodeId(*id))));
    match stable.enter_joint(&changes) {
        Err(Unfit::Nothing) => stable,
        joint => joint.unwrap(),
    }
}

fn single(kind: ConfChangeType, id: u64) -> ConfChangeSingle {
    let mut change = ConfChangeSingle::default();
    change.set_change_type(kind);
    change.set_node_id(id);
    change
}

/// Theirs.
fn theirs(old: &[u64], new: &[u64]) -> ProgressTracker {
    let mut tracker = ProgressTracker::new(1);
    for id in old {
        let change = [single(ConfChangeType::AddNode, *id)];
        let (conf, changes) = Changer::new(&tracker).simple(&change).unwrap();
        tracker.apply_conf(conf, changes, 1);
    }
    let add = |id: &u64| single(ConfChangeType::AddNode, *id);
    let remove = |id: &u64| single(ConfChangeType::RemoveNode, *id);
    let mut changes: Vec<_> = new.iter().map(add).collect();
    changes.extend(old.iter().filter(|id| !new.contains(id)).map(remove));
    let entered = Changer::new(&tracker).enter_joint(false, &changes);
    let (conf, changes) = entered.unwrap();
    tracker.apply_conf(conf, changes, 1);
    tracker
}

/// Both answer the same, for how far each voter is and what it has voted.
fn agree(
    ours: &Membership,
    theirs: &mut ProgressTracker,
    reached: &dyn Fn(u64) -> u64,
    vote: &dyn Fn(u64) -> Option<bool>,
) {
    theirs.reset_votes();
    for NodeId(id) in ours.voters() {
        theirs.get_mut(id).unwrap().matched = reached(id);
        if let Some(vote) = vote(id) {
            theirs.record_vote(id, vote);
        }
    }
    let (index, _) = theirs.maximal_committed_index();
    assert_eq!(ours.reached(&|id| reached(id.0)), index, "{ours:?}");
    let (_, _, tally) = theirs.tally_votes();
    let own = name(ours.tally(&|id| vote(id.0)));
    assert_eq!(own, tally.to_string(), "{ours:?}");
}

fn name(tally: Tally) -> &'static str {
    match tally {
        Tally::Won => "VoteWon",
        Tally::Lost => "VoteLost",
        Tally::Open => "VotePending",
    }
}

#[test]
fn every_way_between_four_voters_counts_as_in_raft_rs() {
    for old in 1..16 {
        for new in 1..16 {
            let (old, new) = (ids(old << 1), ids(new << 1));
            let (ours, mut theirs) = (ours(&old, &new), theirs(&old, &new));
            for case in 0..81 {
                let digit = |id: u64| case / 3_u64.pow(id as u32 - 1) % 3;
                let vote = |id| [None, Some(false), Some(true)][digit(id) as usize];
                agree(&ours, &mut theirs, &digit, &vote);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn larger_groups_count_as_in_raft_rs(
        old in 1_u64..1 << 12,
        new in 1_u64..1 << 12,
        reached in proptest::collection::vec(0_u64..9, 13),
        votes in proptest::collection::vec(any::<Option<bool>>(), 13),
    ) {
        let (old, new) = (ids(old << 1), ids(new << 1));
        let (ours, mut theirs) = (ours(&old, &new), theirs(&old, &new));
        agree(&ours, &mut theirs, &|id| reached[id as usize], &|id| votes[id as usize]);
    }

    #[test]
    fn groups_change_as_in_raft_rs(
        steps in proptest::collection::vec(
            proptest::collection::vec((0_u8..3, 1_u64..7), 1..5),
            1..12,
        ),
    ) {
        let mut ours = Membership::of(vec![member(1), member(2), member(3)]).unwrap();
        let mut theirs = ProgressTracker::new(1);
        for id in 1..4 {
            let change = [single(ConfChangeType::AddNode, id)];
            let (conf, changes) = Changer::new(&theirs).simple(&change).unwrap();
            theirs.apply_conf(conf, changes, 1);
        }
        for step in steps {
            let own = step.iter().map(|(kind, id)| match kind {
                0 => MembershipChange::AddLearner(member(*id)),
                1 => MembershipChange::Promote(NodeId(*id)),
                _ => MembershipChange::Remove(NodeId(*id)),
            });
            let other = step.iter().map(|(kind, id)| single(match kind {
                0 => ConfChangeType::AddLearnerNode,
                1 => ConfChangeType::AddNode,
                _ => ConfChangeType::RemoveNode,
            }, *id));
            let other: Vec<_> = other.collect();
            let next = ours.enter_joint(&own.collect::<Vec<_>>());
            let entered = Changer::new(&theirs).enter_joint(false, &other);
            match next {
                Ok(next) => ours = next,
                // They take what is doubtful or changes nothing; we do not.
                Err(Unfit::Taken(_) | Unfit::Unknown(_) | Unfit::Nothing) => continue,
                Err(Unfit::Size) => {
                    prop_assert!(entered.is_err());
                    continue;
                }
                Err(Unfit::Joint) => unreachable!("it is left below"),
            }
            let (conf, changes) = entered.unwrap();
            theirs.apply_conf(conf, changes, 1);
            same_members(&ours, &theirs);
            if let Some(next) = ours.leave_joint() {
                ours = next;
            }
            let (conf, changes) = Changer::new(&theirs).leave_joint().unwrap();
            theirs.apply_conf(conf, changes, 1);
            same_members(&ours, &theirs);
            prop_assert_eq!(Membership::decode(&ours.encode()), Ok(ours.clone()));
        }
    }
}

fn same_members(ours: &Membership, theirs: &ProgressTracker) {
    let state = theirs.conf().to_conf_state();
    let sorted = |list: &[u64]| {
        let mut list = list.to_vec();
        list.sort_unstable();
        list
    };
    let numbers = |list: &[Member]| list.iter().map(|m| m.id.0).collect::<Vec<_>>();
    let (old, new, learners) = match ours {
        Membership::Stable { voters, learners } => (voters, voters, learners),
        Membership::Joint { old, new, learners } => (old, new, learners),
    };
    assert_eq!(numbers(new), sorted(state.get_voters()), "{ours:?}");
    if !state.get_voters_outgoing().is_empty() {
        let outgoing = sorted(state.get_voters_outgoing());
        assert_eq!(numbers(old), outgoing, "{ours:?}");
    }
    assert_eq!(numbers(learners), sorted(state.get_learners()), "{ours:?}");
    assert!(state.get_learners_next().is_empty());
}

/// The folder in which Cargo has unpacked the crate `raft`.
fn package() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--offline", "--locked"]);
    cargo.arg("--filter-platform=host-tuple");
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.split("\"manifest_path\":\"").skip(1);
    let mut paths = paths.filter_map(|rest| rest.split('"').next());
    let manifest = paths.find(|path| path.contains("/raft-0.7"));
    PathBuf::from(manifest.unwrap())
        .parent()
        .unwrap()
        .to_owned()
}

/// One case of the package's data files: a command line, and the last line of what is expected.
fn case(command: &str, expected: &str) -> bool {
    let argument = |name: &str| {
        let (_, rest) = command.split_once(&format!("{name}=("))?;
        let (list, _) = rest.split_once(')')?;
        Some(list.split([',', ' ']).filter(|word| !word.is_empty()))
    };
    let numbers = |name| -> Vec<u64> {
        let words = argument(name).into_iter().flatten();
        words.map(|word| word.parse().unwrap()).collect()
    };
    let (first, second) = (numbers("cfg"), numbers("cfgj"));
    let is_error = expected.starts_with("error");
    // A group without voters is none here.
    if is_error || first.is_empty() || (command.contains("cfgj") && second.is_empty()) {
        return false;
    }
    let ours = ours(&first, if second.is_empty() { &first } else { &second });
    let mut order = first;
    for id in second {
        if !order.contains(&id) {
            order.push(id);
        }
    }
    let of = |name: &str, id: NodeId| {
        let at = order.iter().position(|other| *other == id.0).unwrap();
        argument(name).unwrap().nth(at).filter(|word| *word != "_")
    };
    let answer = if command.starts_with("vote") {
        let vote = |id| of("votes", id).map(|word| word == "y");
        name(ours.tally(&vote)).to_owned()
    } else {
        let reached = |id| of("idx", id).map_or(0, |word| word.parse().unwrap());
        ours.reached(&reached).to_string()
    };
    assert_eq!(answer, expected, "{command}");
    true
}

#[test]
fn the_cases_of_raft_rs_hold() {
    let mut held = 0;
    for file in [
        "majority_commit",
        "majority_vote",
        "joint_commit",
        "joint_vote",
    ] {
        let path = package().join(format!("src/quorum/testdata/{file}.txt"));
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        while let Some(command) =
            lines.find(|l| l.starts_with("vote ") || l.starts_with("committed "))
        {
            let mut block = lines.by_ref().take_while(|line| !line.is_empty());
            let expected = block.by_ref().last().unwrap();
            held += u32::from(case(command, expected));
        }
    }
    println!("{held} cases");
    assert!(held > 90, "only {held} cases were understood");
}
