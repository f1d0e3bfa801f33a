//! Trying what is left: candidates side by side, of which the first that fails alike is kept.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::Budget;
use super::progress::Progress;
use crate::decisions::address::Address;
use crate::decisions::script::Script;
use crate::run::{self, Order};
use crate::stopwatch::Stopwatch;

/// For how long behind the known failure another may come, in nanoseconds.
const LONGER: u64 = 1_000_000_000;

/// How a candidate failed: when, in how many events, and which of its faults came to pass.
#[derive(Clone, Debug)]
struct Failure {
    time: u64,
    applied: Vec<Option<Address>>,
}

/// The least that is known to fail, and how to look for less.
pub(super) struct Search {
    pub(super) best: Script,
    /// The addresses at which its faults were applied.
    pub(super) places: Vec<Address>,
    /// When the best fails.
    pub(super) time: u64,
    pub(super) trials: u64,
    order: Order,
    budget: Budget,
    watch: Stopwatch,
    progress: Progress,
}

impl Search {
    /// Begins with a whole run; fails where that passes when it is played.
    pub(super) fn new(script: Script, order: Order, budget: Budget) -> Result<Self, String> {
        let mut search = Self {
            best: script,
            places: Vec::new(),
            time: u64::MAX,
            trials: 0,
            order,
            budget,
            watch: Stopwatch::start(),
            progress: Progress::new(budget.time),
        };
        match search.trial(&search.best) {
            Some(failure) => {
                let script = search.best.clone();
                search.adopt(script, &failure);
                Ok(search)
            }
            None => Err(format!(
                "the recording of seed {} does not fail when it is replayed",
                order.seed
            )),
        }
    }

    /// Returns true if the time is over.
    pub(super) fn is_late(&self) -> bool {
        self.watch.elapsed() >= self.budget.time
    }

    /// Returns true if the best fails before all faults have ended.
    pub(super) fn fails_early(&self) -> bool {
        self.best
            .scenario()
            .is_ok_and(|scenario| self.time < scenario.duration)
    }

    fn trial(&self, script: &Script) -> Option<Failure> {
        // What clients have seen is judged at the end.
        let early = self.time != u64::MAX && self.fails_early();
        let until = if early { self.time + LONGER } else { u64::MAX };
        let (outcome, applied) = run::play(script, self.order, until).ok()?;
        let violation = outcome.verdict.err()?;
        (violation.id == script.fires).then_some(Failure {
            time: outcome.time,
            applied,
        })
    }

    /// Takes over what fails; faults that did not come to pass play no part.
    fn adopt(&mut self, mut script: Script, failure: &Failure) {
        let mut applied = failure.applied.iter();
        script
            .decisions
            .retain(|_| applied.next().is_none_or(Option::is_some));
        self.places = failure.applied.iter().flatten().cloned().collect();
        self.best = script;
        self.time = failure.time;
        self.progress.show(&self.best, self.trials);
    }

    /// The first of so many candidates that fails alike becomes the best; which one.
    pub(super) fn first(
        &mut self,
        count: usize,
        candidate: impl Fn(&Script, usize) -> Option<Script> + Sync,
    ) -> Option<usize> {
        let next = AtomicUsize::new(0);
        let first = AtomicUsize::new(usize::MAX);
        let trials = AtomicU64::new(0);
        let failures: Mutex<BTreeMap<usize, (Script, Failure)>> = Mutex::default();
        let look = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let beaten = number > first.load(Ordering::Relaxed);
                if number >= count || beaten || self.is_late() {
                    break;
                }
                let Some(script) = candidate(&self.best, number) else {
                    continue;
                };
                trials.fetch_add(1, Ordering::Relaxed);
                if let Some(failure) = self.trial(&script) {
                    first.fetch_min(number, Ordering::Relaxed);
                    let mut failures = failures
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    failures.insert(number, (script, failure));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.budget.jobs.min(count) {
                scope.spawn(look);
            }
            look();
        });
        self.trials += trials.into_inner();
        let failures = failures
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (number, (script, failure)) = failures.into_iter().next()?;
        self.adopt(script, &failure);
        Some(number)
    }

    /// Returns true if one candidate fails alike, and so becomes the best.
    pub(super) fn holds(&mut self, change: impl Fn(&mut Script) + Sync) -> bool {
        let candidate = |best: &Script, _| {
            let mut script = best.clone();
            change(&mut script);
            (script != *best).then_some(script)
        };
        self.first(1, candidate).is_some()
    }
}
