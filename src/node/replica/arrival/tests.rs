//! Processes that come to a group, with everything between them that can go wrong.

use alloc::vec;

use proptest::prelude::*;

use super::*;

const GROUP: ClusterId = ClusterId(77);
const HOST: &str = "10.0.0.9";

fn at(ms: u64) -> Mono {
    Mono::from_millis(ms)
}

fn others(of: u64, all: u64) -> BTreeMap<NodeId, String> {
    let others = (1..=all).filter(|id| *id != of);
    others.map(|id| (NodeId(id), address(id))).collect()
}

fn address(id: u64) -> String {
    format!("10.0.0.{id}:1")
}

fn life(id: u64) -> Incarnation {
    Incarnation(100 + id)
}

fn founder(id: u64, all: u64) -> Arrival {
    Arrival::forming(NodeId(id), life(id), &others(id, all), at(0))
}

fn newcomer(id: u64) -> Arrival {
    let wanted = match id {
        0 => Wanted::Any,
        id => Wanted::Named(NodeId(id)),
    };
    joining(wanted)
}

fn joining(wanted: Wanted) -> Arrival {
    Arrival::joining(wanted, life(50), &address(1), &BTreeMap::new(), at(0))
}

fn member(id: u64, admission: Admission) -> Greeting {
    let founders = (1..=3).map(|id| (NodeId(id), life(id))).collect();
    Greeting {
        line: Line::Control,
        id: NodeId(id),
        incarnation: life(id),
        applied: LogIndex(9),
        address: ":1".into(),
        clients: ":2".into(),
        standing: Standing::Member {
            cluster: GROUP,
            founders,
        },
        contacts: vec![crate::node::replica::greeting::Contact {
            id: NodeId(3),
            address: address(3),
        }],
        admission,
        entry_versions: (1, 1),
        speaks: 1,
    }
}

fn dials(wishes: &[Wish]) -> Vec<&str> {
    let dialled = wishes.iter().filter_map(|wish| match wish {
        Wish::Dial(address) => Some(&address[..]),
        _ => None,
    });
    dialled.collect()
}

fn entered(wishes: &[Wish]) -> Option<&Group> {
    wishes.iter().find_map(|wish| match wish {
        Wish::Enter(group) => Some(group),
        _ => None,
    })
}

fn given_up(wishes: &[Wish]) -> Option<&str> {
    wishes.iter().find_map(|wish| match wish {
        Wish::GiveUp(why) => Some(&why[..]),
        _ => None,
    })
}

#[test]
fn those_who_form_a_group_come_to_the_same_one() {
    let mut all: Vec<Arrival> = (1..=3).map(|id| founder(id, 3)).collect();
    let said: Vec<Greeting> = all.iter().map(Arrival::greeting).collect();
    let mut groups = Vec::new();
    for (own, arrival) in (1..).zip(&mut all) {
        assert_eq!(dials(&arrival.next(at(0))).len(), 2);
        for other in (1..=3).filter(|id| *id != own) {
            assert_eq!(entered(&arrival.next(at(1))), None);
            arrival.heard(at(1), &address(other), HOST, &said[other as usize - 1]);
        }
        let wishes = arrival.next(at(2));
        groups.push(entered(&wishes).cloned().expect("it knows all"));
        // It says so once, and dials nobody any more.
        assert_eq!(arrival.next(at(60_000)), []);
    }
    assert!(
        groups
            .iter()
            .all(|group| group.cluster == groups[0].cluster)
    );
    assert!(
        groups
            .iter()
            .all(|group| group.founders == groups[0].founders)
    );
    // One that forms a group of its own waits for nobody.
    assert!(entered(&founder(1, 1).next(at(0))).is_some());
}

#[test]
fn one_that_was_away_is_told_by_a_member_and_a_wiped_one_is_not() {
    let mut away = founder(2, 3);
    away.heard(at(1), &address(3), HOST, &member(3, Admission::Unasked));
    let wishes = away.next(at(1));
    assert_eq!(entered(&wishes).map(|group| group.cluster), Some(GROUP));
    let mut wiped = Arrival::forming(NodeId(2), life(9), &others(2, 3), at(0));
    wiped.heard(at(1), &address(3), HOST, &member(3, Admission::Unasked));
    let wishes = wiped.next(at(1));
    assert!(
        given_up(&wishes).is_some_and(|why| why.contains("use --join")),
        "{wishes:?}"
    );
}

#[test]
fn a_newcomer_asks_all_until_the_leader_has_given_it_a_number() {
    let mut one = newcomer(0);
    assert_eq!(dials(&one.next(at(0))), [address(1)]);
    one.heard(
        at(1),
        &address(1),
        "10.0.0.1",
        &member(1, Admission::Elsewhere),
    );
    // It has heard of another.
    assert_eq!(dials(&one.next(at(1))), [address(3)]);
    one.heard(at(2), &address(3), "10.0.0.3", &member(3, Admission::Soon));
    assert_eq!(dials(&one.next(at(2))), [""; 0]);
    // The one that was asked first dies meanwhile.
    assert_eq!(one.deadline(), at(51));
    assert_eq!(dials(&one.next(at(52))), [address(1), address(3)]);
    one.failed(at(53), &address(1), Failed::Lost("gone".into()));
    one.heard(
        at(54),
        &address(3),
        "10.0.0.3",
        &member(3, Admission::Given(NodeId(7))),
    );
    let wishes = one.next(at(54));
    let group = entered(&wishes).expect("it has a number");
    assert_eq!((group.id, group.cluster), (NodeId(7), GROUP));
    assert!(group.founders.contains(&(NodeId(3), life(3))));
    assert_eq!(one.id(), NodeId(7));
}

#[test]
fn a_number_that_another_disk_has_ends_it_and_so_does_one_of_its_own() {
    let mut one = newcomer(2);
    one.heard(
        at(1),
        &address(1),
        HOST,
        &member(1, Admission::Taken(NodeId(2))),
    );
    assert!(given_up(&one.next(at(1))).is_some_and(|why| why.contains("RAFT REMOVE 2")));
    let mut one = newcomer(4);
    one.heard(
        at(1),
        &address(1),
        HOST,
        &member(1, Admission::Given(NodeId(5))),
    );
    assert!(given_up(&one.next(at(1))).is_some_and(|why| why.contains("member 5")));
    let mut one = newcomer(0);
    one.failed(at(1), &address(1), Failed::TurnedAway("no".into()));
    assert!(given_up(&one.next(at(1))).is_some_and(|why| why.ends_with("refused this member: no")));
}

#[test]
fn a_number_that_it_was_only_given_it_does_not_insist_on() {
    let mut one = joining(Wanted::Given(NodeId(2)));
    assert_eq!(one.greeting().id, NodeId(2));
    let taken = member(1, Admission::Taken(NodeId(2)));
    one.heard(at(1), &address(1), HOST, &taken);
    assert_eq!(
        (given_up(&one.next(at(1))), one.greeting().id),
        (None, NodeId(0))
    );
    let given = member(1, Admission::Given(NodeId(9)));
    one.heard(at(2), &address(1), HOST, &given);
    let wishes = one.next(at(2));
    assert_eq!(entered(&wishes).map(|group| group.id), Some(NodeId(9)));
    // It was given another already, and has ended before it heard of that.
    let mut one = joining(Wanted::Given(NodeId(2)));
    one.heard(at(1), &address(1), HOST, &given);
    let wishes = one.next(at(1));
    assert_eq!(entered(&wishes).map(|group| group.id), Some(NodeId(9)));
}

/// The leader may be the very one that has the number, at an address that others tell.
#[test]
fn it_hears_that_its_number_is_taken_from_the_one_that_has_it() {
    let mut one = newcomer(3);
    one.next(at(0));
    one.heard(
        at(1),
        &address(1),
        "10.0.0.1",
        &member(1, Admission::Elsewhere),
    );
    assert_eq!(dials(&one.next(at(2))), [address(3)]);
    assert_eq!(
        member(3, Admission::Unasked).judge(&[], &one.greeting()),
        Ok(())
    );
    one.heard(
        at(3),
        &address(3),
        HOST,
        &member(3, Admission::Taken(NodeId(3))),
    );
    assert!(given_up(&one.next(at(3))).is_some_and(|why| why.contains("RAFT REMOVE 3")));
}

#[test]
fn only_the_one_that_was_named_can_turn_it_away() {
    let mut one = newcomer(0);
    one.heard(at(1), &address(1), HOST, &member(1, Admission::Elsewhere));
    one.failed(at(2), &address(3), Failed::TurnedAway("it is old".into()));
    assert_eq!(given_up(&one.next(at(2))), None);
    // Another group at an address that was heard of is none to come into.
    let mut stranger = member(3, Admission::Given(NodeId(9)));
    stranger.standing = Standing::Member {
        cluster: ClusterId(1),
        founders: vec![(NodeId(3), life(3))],
    };
    one.heard(at(3), &address(3), HOST, &stranger);
    let wishes = one.next(at(3));
    assert!(entered(&wishes).is_none() && given_up(&wishes).is_none());
}

#[test]
fn it_says_for_whom_it_waits_and_why_and_not_too_often() {
    let mut one = founder(1, 3);
    one.next(at(0));
    one.heard(at(1), &address(2), HOST, &founder(2, 3).greeting());
    one.failed(at(1), &address(3), Failed::Lost("refused".into()));
    let mut told = Vec::new();
    for ms in (0..30_000).step_by(100) {
        for wish in one.next(at(ms)) {
            match wish {
                Wish::Dial(to) => one.failed(at(ms), &to, Failed::Lost("refused".into())),
                Wish::Tell(text) => told.push((ms, text)),
                other => panic!("{other:?}"),
            }
        }
    }
    let when: Vec<u64> = told.iter().map(|(ms, _)| *ms).collect();
    assert_eq!(when, [2000, 12_000, 22_000]);
    let text = &told[0].1;
    assert!(
        text.contains("member 3 at 10.0.0.3:1 cannot be reached: refused"),
        "{text}"
    );
    assert!(
        !text.contains("member 2") && text.contains("to end this wait"),
        "{text}"
    );
}

#[test]
fn a_dial_of_which_nothing_is_heard_is_made_again() {
    let mut one = newcomer(0);
    assert_eq!(dials(&one.next(at(0))).len(), 1);
    assert_eq!(dials(&one.next(at(9000))).len(), 0);
    assert_eq!(dials(&one.next(at(10_000))).len(), 1);
}

proptest! {
    /// All who hear enough of each other come into one group, and there is no other, in whichever
    /// order they hear each other and whoever begins again.
    #[test]
    fn no_order_makes_two_groups_of_one_list(
        steps in proptest::collection::vec((0_usize..4, 0_usize..4, 0_u8..10), 0..200),
        all in 1_u64..5,
    ) {
        let mut arrivals: Vec<Arrival> = (1..=all).map(|id| founder(id, all)).collect();
        let mut groups: Vec<Option<Group>> = vec![None; arrivals.len()];
        let mut now = 0;
        let count = arrivals.len();
        let settle = (0..count).flat_map(|a| (0..count).map(move |b| (a, b, 9)));
        for (from, to, what) in steps.into_iter().chain(settle) {
            let (from, to) = (from % count, to % count);
            now += 7;
            if what == 0 && groups[to].is_none() {
                // It has died, and its disk remembers the life that it has.
                arrivals[to] = founder(to as u64 + 1, all);
            } else if what == 1 {
                let address = address(from as u64 + 1);
                arrivals[to].failed(at(now), &address, Failed::Lost("lost".into()));
            } else if from != to {
                let mut said = arrivals[from].greeting();
                if let Some(group) = &groups[from] {
                    said.standing = Standing::Member {
                        cluster: group.cluster,
                        founders: group.founders.clone(),
                    };
                }
                if groups[to].is_none() {
                    let address = address(from as u64 + 1);
                    if what < 5 {
                        arrivals[to].visited(&said);
                    } else {
                        arrivals[to].heard(at(now), &address, HOST, &said);
                    }
                }
            }
            for (arrival, group) in arrivals.iter_mut().zip(&mut groups) {
                let wishes = arrival.next(at(now));
                prop_assert_eq!(given_up(&wishes), None);
                if let Some(entered) = entered(&wishes) {
                    *group = Some(entered.clone());
                }
            }
        }
        let first = groups[0].as_ref().map(|group| group.cluster);
        prop_assert!(first.is_some());
        prop_assert!(groups.iter().all(|group| group.as_ref().map(|g| g.cluster) == first));
    }

    /// An arrival ends at most once and its wishes stay bounded, whatever is said to it.
    #[test]
    fn nothing_that_is_said_makes_it_err(
        said in proptest::collection::vec((0_u64..6, 0_u8..6, 0_u64..4, any::<bool>()), 0..100),
        joins in any::<bool>(),
    ) {
        let mut one = if joins { newcomer(0) } else { founder(1, 3) };
        let mut ends = 0;
        for (step, (id, kind, number, dialled)) in said.into_iter().enumerate() {
            let now = at(step as u64 * 400);
            let admission = [
                Admission::Unasked,
                Admission::Elsewhere,
                Admission::Soon,
                Admission::Full,
                Admission::Given(NodeId(number + 1)),
                Admission::Taken(NodeId(number)),
            ][usize::from(kind)];
            let mut greeting = member(id, admission);
            if number == 0 {
                greeting.standing = founder(id.max(1), 3).standing();
            }
            if dialled {
                one.heard(now, &address(id), HOST, &greeting);
            } else if one.greeting().judge(&[], &greeting).is_ok() {
                one.visited(&greeting);
            }
            let wishes = one.next(now);
            prop_assert!(wishes.len() <= PEERS_KNOWN_MAX + 2);
            ends += usize::from(entered(&wishes).is_some() || given_up(&wishes).is_some());
            prop_assert!(ends == 0 || dials(&wishes).is_empty());
        }
        prop_assert!(ends <= 1);
    }
}
