//! A small world whose decisions somebody else takes: a fuzzer that is guided by coverage.

use crate::guide;
use crate::scenario::{Profile, Scenario};
use crate::world::World;

/// How long clients ask, in nanoseconds of simulated time.
const DURATION: u64 = 1_500_000_000;
/// Stop after this many events.
const EVENTS: u64 = 8000;
/// How much more often things go wrong than in a run of full length.
const HASTE: u64 = 20;

/// The outcome of a small run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// How many events there were.
    pub events: u64,
    /// The digest of all that happened.
    pub digest: String,
}

/// Plays a run: the first byte chooses the profile, the second the seed, and the others turn its
/// decisions. An error says which invariant is broken, and how.
///
/// Panics where the core does.
pub fn play(bytes: &[u8]) -> Result<Played, String> {
    let [profile, seed, turns @ ..] = bytes else {
        return play(&[0, 0]);
    };
    let profile = Profile::ALL[usize::from(*profile) % Profile::ALL.len()];
    guide::steered(turns, || {
        let mut world = World::new(hurried(Scenario::draw(u64::from(*seed), profile)));
        let verdict = world.run(EVENTS, u64::MAX);
        match verdict {
            Ok(()) => Ok(Played {
                events: world.events,
                digest: world.digest.to_string(),
            }),
            Err(violation) => Err(format!("{} {}", violation.id, violation.text)),
        }
    })
}

/// The same in a small world and a short time: at most three members form a group, and what goes
/// wrong now and then goes wrong often.
fn hurried(mut scenario: Scenario) -> Scenario {
    for every in scenario.intervals() {
        *every = every.map(|mean| mean / HASTE);
    }
    scenario.newcomers_ask = scenario.newcomers_ask.map(|mean| mean / HASTE);
    let spares = scenario.members - scenario.founders;
    scenario.founders = scenario.founders.min(3);
    scenario.members = scenario.founders + spares.min(3 - scenario.founders);
    scenario.clients.truncate(3);
    for (_, shape) in &mut scenario.clients {
        shape.members = scenario.members as u64;
    }
    scenario.think /= 8;
    scenario.duration = DURATION;
    scenario
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_and_zeros_leave_the_seed_as_it_is() {
        let play = |bytes: &[u8]| play(bytes).expect("no invariant is broken");
        for profile in 0..5 {
            let plain = play(&[profile, 7]);
            assert!(plain.events > 100, "{plain:?}");
            assert_eq!(plain, play(&[profile, 7, 0, 0, 0]));
            let turned: Vec<u8> = [profile, 7].into_iter().chain(1..200).collect();
            assert_ne!(plain, play(&turned));
            assert_eq!(play(&turned), play(&turned));
        }
    }

    #[test]
    fn nobody_steers_when_a_steered_act_has_ended() {
        let steered = guide::steered(&[255], || guide::mask(1, 2, 3));
        assert_eq!(steered, u64::MAX);
        assert_eq!(guide::mask(1, 2, 3), 0);
        let panicked = std::panic::catch_unwind(|| guide::steered(&[255], || panic!("planted")));
        assert!(panicked.is_err());
        assert_eq!(guide::mask(1, 2, 3), 0);
    }
}
