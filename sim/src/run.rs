//! One run from its seed to its verdict.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::goals::Goals;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::judge::ledger::Found;
use crate::report;
use crate::scenario::{Profile, Scenario};
use crate::stopwatch::Stopwatch;
use crate::world::World;

/// How many events a run has at most, unless told otherwise.
pub(crate) const EVENTS: u64 = 200_000;

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) seed: u64,
    pub(crate) profile: Profile,
    pub(crate) events: u64,
    pub(crate) trace: bool,
    pub(crate) columns: bool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) order: Order,
    pub(crate) verdict: Verdict,
    pub(crate) digest: String,
    pub(crate) events: u64,
    /// Simulated time, in nanoseconds.
    pub(crate) time: u64,
    pub(crate) replies: u64,
    pub(crate) wall: Duration,
    pub(crate) goals: Goals,
    /// What came of the clients' history.
    pub(crate) found: Found,
    /// Why it ended although something was pending, where that is allowed.
    pub(crate) stands_still: Option<String>,
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the words of a panic for the report instead of printing them.
pub(crate) fn catch_panics() {
    std::panic::set_hook(Box::new(|info| {
        PANIC.with(|words| *words.borrow_mut() = Some(info.to_string()));
    }));
}

/// Does something that may panic in the core.
fn guarded<T>(act: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        let words = PANIC.with(|words| words.borrow_mut().take());
        let words = words.unwrap_or_else(|| "a panic without words".to_owned());
        Err(Violation::new(Id::P2, words.replace('\n', " ")))
    })
}

/// Runs one seed.
pub(crate) fn run(order: Order) -> Outcome {
    let watch = Stopwatch::start();
    let mut world = World::new(Scenario::draw(order.seed, order.profile));
    world.trace = order.trace;
    world.columns = order.columns;
    let verdict = guarded(|| world.run(order.events));
    Outcome {
        order,
        verdict,
        digest: world.digest.to_string(),
        events: world.events,
        time: world.time,
        replies: world.judge.replies,
        wall: watch.elapsed(),
        goals: world.goals().clone(),
        found: world.found,
        stands_still: world.stands_still.take(),
    }
}

/// The digest behind each event of a run.
pub(crate) fn chain(order: Order) -> Vec<u128> {
    let mut world = World::new(Scenario::draw(order.seed, order.profile));
    let mut chain = Vec::new();
    // How the run ends is not asked here: the chains are compared up to there.
    let _ = guarded(|| {
        while world.advance(order.events)? {
            chain.push(world.digest.bits());
        }
        Ok(())
    });
    chain
}

impl Outcome {
    /// The exit code that the verdict deserves.
    pub(crate) fn code(&self) -> u8 {
        match &self.verdict {
            Ok(()) => 0,
            Err(violation) => match violation.id {
                Id::L1 | Id::L2 | Id::L3 | Id::L4 | Id::L5 => 12,
                Id::C1 => 11,
                Id::P2 => 13,
                _ => 10,
            },
        }
    }

    /// The last lines of a run.
    pub(crate) fn print(&self) {
        let seed = self.order.seed;
        let simulated = self.time as f64 / 1e9;
        if let Err(violation) = &self.verdict {
            report::line(&format!("{} {}", violation.id, violation.id.name()));
            report::line(&format!("  {}", violation.text));
            report::line(&format!(
                "event={} time={simulated:.6}s seed={seed} digest={} faults: {}",
                self.events,
                self.digest,
                self.goals.faults_line()
            ));
            report::line(&format!("reproduce: {}", self.reproduce()));
            return;
        }
        if let Some(why) = &self.stands_still {
            report::line(&format!("stands still: {why}"));
        }
        let wall = self.wall.as_secs_f64();
        report::line(&format!(
            "pass seed={seed} digest={} events={} replies={} simulated={simulated:.1}s \
             wall={wall:.3}s acceleration={:.0} faults: {}",
            self.digest,
            self.events,
            self.replies,
            simulated / wall.max(1e-9),
            self.goals.faults_line()
        ));
    }

    /// The command that does it again.
    pub(crate) fn reproduce(&self) -> String {
        let Order { seed, profile, .. } = self.order;
        format!("sim run {seed} --profile {} --trace", profile.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_pass_under_every_profile_and_twice_alike() {
        for seed in 1..6 {
            for profile in Profile::ALL {
                let order = Order {
                    seed,
                    profile,
                    events: 20_000,
                    trace: false,
                    columns: false,
                };
                let (first, again) = (run(order), run(order));
                assert_eq!(first.verdict, Ok(()), "{}", first.reproduce());
                assert_eq!(first.digest, again.digest, "{}", first.reproduce());
                assert!(first.events > 100, "{}", first.reproduce());
            }
        }
    }
}
