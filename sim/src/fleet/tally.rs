//! The counts of a campaign so far.

use std::collections::BTreeMap;
use std::time::Duration;

use super::done::Done;
use crate::decisions::classes::classes;
use crate::goals::Goals;
use crate::judge::invariant::Id;
use crate::judge::ledger::Found;
use crate::report::Failure;
use crate::run::Outcome;
use crate::scenario::Scenario;

/// So many seeds of each kind of failure are named.
const NAMED: usize = 12;

/// Runs of one kind, and what they came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) runs: u64,
    pub(super) events: u64,
    /// In nanoseconds of simulated time.
    pub(super) simulated: u64,
    /// The time that they took of one core, in microseconds.
    pub(super) busy_us: u64,
}

impl Share {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.events += outcome.events;
        self.simulated += outcome.time;
        self.busy_us += outcome.busy.as_micros() as u64;
    }
}

/// Failures of one invariant under one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) count: u64,
    /// The lowest seeds.
    pub(super) seeds: Vec<u64>,
    /// That of the lowest of them.
    pub(super) first: Failure,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) done: Done,
    /// By the name of the profile.
    pub(super) shares: BTreeMap<&'static str, Share>,
    pub(super) replies: u64,
    /// Histories of clients that were judged, and those of them that were given up.
    pub(super) histories: u64,
    pub(super) gave_up: u64,
    pub(super) goals: Goals,
    /// How many runs have had a setting in a class of its values.
    pub(super) drawn: BTreeMap<(String, String), u64>,
    pub(super) failures: BTreeMap<(Id, &'static str), Kind>,
    /// By the clock on the wall, earlier sessions included.
    pub(super) wall: Duration,
}

impl Tally {
    /// One more run has ended.
    pub(super) fn add(&mut self, number: u64, outcome: &Outcome) {
        self.done.add(number);
        let profile = outcome.order.profile.name();
        self.shares.entry(profile).or_default().add(outcome);
        self.replies += outcome.replies;
        self.goals.add(&outcome.goals);
        let scenario = Scenario::draw(outcome.order.seed, outcome.order.profile);
        for drawn in classes(&scenario) {
            *self.drawn.entry(drawn).or_default() += 1;
        }
        self.histories += u64::from(outcome.found != Found::Nothing);
        self.gave_up += u64::from(outcome.found == Found::GaveUp);
        if let Some(failure) = outcome.failure() {
            self.failed(failure);
        }
    }

    fn failed(&mut self, failure: Failure) {
        let key = (failure.id, failure.profile);
        let kind = self.failures.entry(key).or_insert_with(|| Kind {
            count: 0,
            seeds: Vec::new(),
            first: failure.clone(),
        });
        kind.count += 1;
        let place = kind.seeds.partition_point(|seed| *seed < failure.seed);
        kind.seeds.insert(place, failure.seed);
        kind.seeds.truncate(NAMED);
        if failure.seed < kind.first.seed {
            kind.first = failure;
        }
    }

    /// All runs together.
    pub(super) fn total(&self) -> Share {
        let mut total = Share::default();
        for share in self.shares.values() {
            total.runs += share.runs;
            total.events += share.events;
            total.simulated += share.simulated;
            total.busy_us += share.busy_us;
        }
        total
    }

    /// How many runs have failed.
    pub(super) fn failed_runs(&self) -> u64 {
        self.failures.values().map(|kind| kind.count).sum()
    }

    /// How many kinds of failures there are: each invariant counts once under each profile.
    pub(super) fn distinct(&self) -> u64 {
        self.failures.len() as u64
    }
}
