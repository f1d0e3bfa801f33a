//! Going forth and back in a run shows one and the same run.

use super::*;
use crate::run::Order;
use crate::scenario::Profile;

fn order(seed: u64, profile: Profile) -> Order {
    Order::quiet(seed, profile).upto(12_000)
}

#[test]
fn wherever_one_goes_the_world_is_that_of_the_run() {
    // In the last three a copy goes another way than the run, by how much memory it holds.
    for (seed, profile) in [
        (1, Profile::Raft),
        (6, Profile::Clocks),
        (3, Profile::Disk),
        (4, Profile::Clocks),
        (7, Profile::Smoke),
    ] {
        let chain = crate::run::chain(order(seed, profile));
        let mut timeline = Timeline::new(&order(seed, profile).into(), Keep::Sparse);
        timeline.goto_end();
        let end = timeline.event();
        assert_eq!(end, chain.len() as u64);
        for event in [end - 1, end - 1000, 1, 2, 5000, 4999, 3000, end, 7001, 7000] {
            timeline.goto(event.min(end));
            let wanted = chain[event.min(end) as usize - 1];
            assert_eq!(timeline.world.digest.bits(), wanted, "{profile:?} {event}");
        }
    }
}

#[test]
fn a_chain_of_causes_leads_back_to_what_moves_the_world_from_outside() {
    let mut timeline = Timeline::new(&order(1, Profile::Raft).into(), Keep::Sparse);
    timeline.goto(5000);
    for event in 1..5000 {
        let chain = timeline.chain(event);
        assert!(chain.windows(2).all(|two| two[0] > two[1]));
        let first = *chain.last().unwrap();
        let head = timeline.head(first).unwrap();
        assert!(
            head.what.is_origin() || head.cause == 0,
            "{event}: {head:?}"
        );
    }
}

#[test]
fn copies_stay_few_and_lie_closer_near_the_present() {
    let long = order(16, Profile::Raft).upto(60_000);
    let mut timeline = Timeline::new(&long.into(), Keep::Sparse);
    timeline.goto_end();
    let at = timeline.copies.events();
    assert!(at.len() <= 17, "{at:?}");
    let gaps: Vec<u64> = at.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(gaps.last(), Some(&500), "{at:?}");
    assert!(gaps[1] > 2000, "{at:?}");
}
