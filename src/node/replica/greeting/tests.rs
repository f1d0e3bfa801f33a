//! Members go on with those of their own group alone, and no bytes are misread.

use super::*;
use alloc::vec;
use proptest::prelude::*;

const GROUP: ClusterId = ClusterId(77);

fn founders() -> Vec<(NodeId, Incarnation)> {
    (1..=3)
        .map(|id| (NodeId(id), Incarnation(100 + id)))
        .collect()
}

fn greeting(id: u64, standing: Standing) -> Greeting {
    Greeting {
        line: Line::Control,
        id: NodeId(id),
        incarnation: Incarnation(100 + id),
        applied: LogIndex(0),
        address: ":16379".into(),
        clients: "10.0.0.1:6379".into(),
        standing,
        contacts: vec![Contact {
            id: NodeId(9),
            address: "example.org:1".into(),
        }],
        admission: Admission::Unasked,
        entry_versions: (1, 1),
        speaks: 0,
    }
}

fn member(id: u64) -> Greeting {
    let standing = Standing::Member {
        cluster: GROUP,
        founders: founders(),
    };
    Greeting {
        applied: LogIndex(50),
        ..greeting(id, standing)
    }
}

fn forming(id: u64) -> Greeting {
    let with = vec![NodeId(1), NodeId(2), NodeId(3)];
    greeting(id, Standing::Forming { with })
}

fn joining(id: u64, cluster: Option<ClusterId>) -> Greeting {
    greeting(id, Standing::Joining { cluster })
}

fn judged(own: &Greeting, other: &Greeting) -> Result<(), Refusal> {
    own.judge(&founders(), other)
}

#[test]
fn those_of_one_group_go_on_and_so_do_those_who_form_one() {
    assert_eq!(judged(&member(1), &member(2)), Ok(()));
    assert_eq!(forming(1).judge(&[], &forming(2)), Ok(()));
    assert_eq!(judged(&member(1), &joining(4, None)), Ok(()));
    assert_eq!(joining(4, Some(GROUP)).judge(&[], &member(1)), Ok(()));
}

#[test]
fn a_newcomer_that_does_not_know_what_the_group_speaks_is_told_so_by_both() {
    let speaks = |of: Greeting, speaks| Greeting { speaks, ..of };
    let group = speaks(member(1), 2);
    let refused = Refusal::Entries {
        speaks: 2,
        known: (1, 1),
    };
    for newcomer in [joining(4, None), joining(4, Some(GROUP)), forming(2)] {
        assert_eq!(judged(&group, &newcomer), Err(refused.clone()));
        assert_eq!(newcomer.judge(&[], &group), Err(refused.clone()));
        let mut newer = newcomer;
        newer.entry_versions = (1, 2);
        assert_eq!(judged(&group, &newer), Ok(()));
        newer.entry_versions = (3, 4);
        assert!(judged(&group, &newer).is_err());
    }
    let text = alloc::format!("{refused}");
    assert!(text.contains("version 2 of entries") && text.contains("1 to 1"));
    // A member hears of it, and stops by itself.
    assert_eq!(judged(&group, &member(2)), Ok(()));
    // Before it has loaded its state a member does not know what is spoken.
    assert_eq!(judged(&speaks(member(1), 0), &joining(4, None)), Ok(()));
}

#[test]
fn who_was_away_while_the_group_was_formed_is_still_one_of_it() {
    assert_eq!(judged(&member(1), &forming(2)), Ok(()));
    assert_eq!(forming(2).judge(&[], &member(1)), Ok(()));
    let mut wiped = forming(2);
    wiped.incarnation = Incarnation(5);
    assert_eq!(judged(&member(1), &wiped), Err(Refusal::AlreadyFormed));
    assert_eq!(wiped.judge(&[], &member(1)), Err(Refusal::AlreadyFormed));
}

#[test]
fn who_does_not_belong_is_told_why() {
    assert_eq!(
        judged(&member(1), &member(1)),
        Err(Refusal::SameNumber(NodeId(1)))
    );
    let mut stranger = member(2);
    stranger.standing = Standing::Member {
        cluster: ClusterId(1),
        founders: founders(),
    };
    assert_eq!(judged(&member(1), &stranger), Err(Refusal::OtherGroup));
    assert_eq!(
        judged(&member(1), &joining(4, Some(ClusterId(1)))),
        Err(Refusal::OtherGroup)
    );
    let with = vec![NodeId(1), NodeId(2)];
    let two = greeting(2, Standing::Forming { with: with.clone() });
    assert_eq!(judged(&forming(1), &two), Err(Refusal::OtherPeers(with)));
    assert_eq!(
        judged(&forming(1), &joining(4, None)),
        Err(Refusal::NoGroup)
    );
}

#[test]
fn another_disk_under_an_old_number_is_told_only_by_who_knows_more() {
    let mut wiped = joining(2, Some(GROUP));
    wiped.incarnation = Incarnation(5);
    assert_eq!(
        judged(&member(1), &wiped),
        Err(Refusal::OtherDisk(NodeId(2)))
    );
    // The group may have taken it in while this member was away.
    wiped.applied = LogIndex(60);
    assert_eq!(judged(&member(1), &wiped), Ok(()));
    // One that only asks hears from the leader whether it is taken.
    let mut asking = joining(2, None);
    asking.incarnation = Incarnation(5);
    assert_eq!(judged(&member(1), &asking), Ok(()));
}

#[test]
fn neighbouring_versions_find_the_one_that_both_know() {
    let speaker = |versions| Preface {
        versions,
        nonce: [7; 16],
    };
    assert_eq!(speaker((1, 2)).common_version(&speaker((2, 3))), Ok(2));
    assert_eq!(speaker((1, 1)).common_version(&speaker((1, 4))), Ok(1));
    let refused = speaker((1, 1)).common_version(&speaker((2, 3)));
    assert_eq!(refused, Err(Refusal::Version((2, 3))));
}

#[test]
fn a_host_that_is_not_named_is_the_one_that_the_connection_shows() {
    assert_eq!(seen_from(":7", "10.0.0.9"), "10.0.0.9:7");
    assert_eq!(seen_from(":7", "::1"), "[::1]:7");
    assert_eq!(seen_from("example.org:7", "10.0.0.9"), "example.org:7");
}

#[test]
fn greetings_and_prefaces_come_back_as_they_were() {
    for greeting in [
        member(1),
        forming(2),
        joining(0, None),
        joining(4, Some(GROUP)),
    ] {
        let bytes = greeting.encode();
        assert_eq!(Greeting::decode(&bytes), Some(greeting));
        for cut in 0..bytes.len() {
            assert_eq!(Greeting::decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }
    let preface = Preface {
        versions: VERSIONS,
        nonce: [3; 16],
    };
    assert_eq!(Preface::decode(&preface.encode()), Some(preface));
    let mut other = preface.encode();
    other[0] ^= 1;
    assert_eq!(Preface::decode(&other), None);
}

proptest! {
    #[test]
    fn any_bytes_are_a_greeting_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(greeting) = Greeting::decode(&bytes) {
            prop_assert_eq!(Greeting::decode(&greeting.encode()), Some(greeting));
        }
    }
}
