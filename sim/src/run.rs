//! One run from its seed to its verdict.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::decisions::address::Address;
use crate::decisions::script::Script;
use crate::decisions::{Decisions, Record};
use crate::goals::Goals;
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::judge::ledger::Found;
use crate::relations::Miner;
use crate::report::{self, Failure};
use crate::scenario::{Profile, Scenario};
use crate::stopwatch::CoreWatch;
use crate::subject::Subject;
use crate::workload::Kind;
use crate::world::World;

/// How many events a run has at most, unless told otherwise.
pub(crate) const EVENTS: u64 = 400_000;

/// The run that is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) seed: u64,
    pub(crate) profile: Profile,
    pub(crate) events: u64,
    pub(crate) trace: bool,
    pub(crate) columns: bool,
    /// Only what clients see is judged.
    pub(crate) black_box: bool,
}

/// The outcome of a run.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) order: Order,
    pub(crate) verdict: Verdict,
    pub(crate) digest: String,
    pub(crate) events: u64,
    /// Simulated time, in nanoseconds.
    pub(crate) time: u64,
    pub(crate) replies: u64,
    /// The time of a core that it took.
    pub(crate) busy: Duration,
    pub(crate) goals: Goals,
    /// The verdict on the clients' history.
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
pub(crate) fn guarded<T>(act: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        let words = PANIC.with(|words| words.borrow_mut().take());
        let words = words.unwrap_or_else(|| "a panic without a message".to_owned());
        Err(Violation::new(Id::P2, words.replace('\n', " ")))
    })
}

/// Runs one seed.
pub(crate) fn run(order: Order) -> Outcome {
    let mut scenario = Scenario::draw(order.seed, order.profile);
    if order.black_box {
        // Which message belongs to which request is known by the witness alone.
        let is_told = |kind| matches!(kind, Kind::Listener | Kind::Hearer | Kind::Keeper);
        scenario.clients.retain(|(kind, _)| !is_told(*kind));
    }
    run_world(order, World::new(scenario), u64::MAX).0
}

/// Runs one seed, and shows a miner each turn.
pub(crate) fn mine(order: Order, miner: Miner) -> (Outcome, Miner) {
    let mut world = World::new(Scenario::draw(order.seed, order.profile));
    world.miner = Some(Box::new(miner));
    let (outcome, mut world) = run_world(order, world, u64::MAX);
    let miner = world.miner.take().expect("it was put there above");
    (outcome, *miner)
}

/// Runs one seed, and keeps what was decided in it.
pub(crate) fn record(order: Order) -> (Outcome, Scenario, Record) {
    let scenario = Scenario::draw(order.seed, order.profile);
    let world = World::decided(scenario, Decisions::recorded());
    let (outcome, world) = run_world(order, world, u64::MAX);
    let record = world.decisions.record().cloned().unwrap_or_default();
    (outcome, world.scenario, record)
}

/// Plays a script up to a time, in nanoseconds; with it, where its faults came to pass.
pub(crate) fn play(
    script: &Script,
    order: Order,
    until: u64,
) -> Result<(Outcome, Vec<Option<Address>>), String> {
    let world = World::decided(script.scenario()?, script.play());
    let (outcome, world) = run_world(order, world, until);
    Ok((outcome, world.decisions.applied_ones().to_vec()))
}

fn run_world(order: Order, mut world: World, until: u64) -> (Outcome, World) {
    let watch = CoreWatch::start();
    world.trace = order.trace;
    world.columns = order.columns;
    world.black_box = order.black_box;
    let verdict = guarded(|| world.run(order.events, until));
    let outcome = Outcome {
        order,
        verdict,
        digest: world.digest.to_string(),
        events: world.events,
        time: world.time,
        replies: world.judge.replies,
        busy: watch.elapsed(),
        goals: world.goals().clone(),
        found: world.found,
        stands_still: world.stands_still.take(),
    };
    (outcome, world)
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
        self.verdict
            .as_ref()
            .map_or_else(|v| report::code(v.id), |()| 0)
    }

    /// The report of a run that has failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let violation = self.verdict.as_ref().err()?;
        Some(Failure {
            seed: self.order.seed,
            profile: self.order.profile.name(),
            black_box: self.order.black_box,
            id: violation.id,
            text: violation.text.clone(),
            events: self.events,
            time: self.time,
            digest: self.digest.clone(),
            faults: self.goals.faults_line(),
        })
    }

    /// The last lines of a run.
    pub(crate) fn print(&self) {
        self.print_as(Subject::from(self.order).name());
    }

    /// The last lines of a run that has this name on a command line.
    pub(crate) fn print_as(&self, name: &str) {
        let seed = self.order.seed;
        let simulated = self.time as f64 / 1e9;
        if let Some(failure) = self.failure() {
            failure.print(name);
            return;
        }
        if let Some(why) = &self.stands_still {
            report::line(&format!("no progress: {why}"));
        }
        let busy = self.busy.as_secs_f64();
        report::line(&format!(
            "pass seed={seed} digest={} events={} replies={} simulated={simulated:.1}s \
             busy={busy:.3}s acceleration={:.0} faults: {}",
            self.digest,
            self.events,
            self.replies,
            simulated / busy.max(1e-9),
            self.goals.faults_line()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_pass_under_every_profile_and_twice_alike() {
        for seed in 1..6 {
            for profile in Profile::ALL {
                let order = Order::quiet(seed, profile).upto(20_000);
                let (first, again) = (run(order), run(order));
                assert_eq!(first.verdict, Ok(()), "{order:?}");
                assert_eq!(first.digest, again.digest, "{order:?}");
                assert!(first.events > 100, "{order:?}");
            }
        }
    }
}
