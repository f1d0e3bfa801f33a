//! Many runs side by side, and what the campaign has seen.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::goals::{Fault, Goal, Goals};
use crate::judge::ledger::Found;
use crate::report;
use crate::run::{self, EVENTS, Order, Outcome};
use crate::scenario::{Profile, has_log};
use crate::stopwatch::Stopwatch;

/// A campaign below so many runs need not have seen everything.
const TELLING_RUNS: u64 = 200;
/// Of so many histories one may be given up, and one more in any campaign.
const GAVE_UP_SHARE: u64 = 1000;
/// So many failures are shown in full.
const SHOWN: usize = 5;

/// What a fleet is to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seeds: Range<u64>,
    pub(crate) time: Option<Duration>,
    pub(crate) jobs: usize,
    pub(crate) profiles: Vec<Profile>,
    /// Stop at the first failure.
    pub(crate) fail_fast: bool,
}

#[derive(Default)]
struct Tally {
    runs: u64,
    simulated: u64,
    events: u64,
    replies: u64,
    /// Histories of clients that were judged, and those of them that were given up.
    histories: u64,
    gave_up: u64,
    goals: Goals,
    failures: Vec<Outcome>,
}

/// Runs the campaign and gives its exit code.
pub(crate) fn sail(plan: &Plan) -> u8 {
    let watch = Stopwatch::start();
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let done = AtomicU64::new(0);
    let jobs = plan.jobs.max(1);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(order) = order(plan, next.fetch_add(1, Ordering::Relaxed)) {
                    let late = plan.time.is_some_and(|time| watch.elapsed() >= time);
                    if late || done.load(Ordering::Relaxed) > 0 {
                        break;
                    }
                    let outcome = run::run(order);
                    let mut tally = tally
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    tally.runs += 1;
                    tally.simulated += outcome.time;
                    tally.events += outcome.events;
                    tally.replies += outcome.replies;
                    tally.goals.add(&outcome.goals);
                    tally.histories += u64::from(outcome.found != Found::Nothing);
                    tally.gave_up += u64::from(outcome.found == Found::GaveUp);
                    if outcome.verdict.is_err() {
                        done.fetch_add(u64::from(plan.fail_fast), Ordering::Relaxed);
                        tally.failures.push(outcome);
                    }
                    progress(&tally, watch);
                }
            });
        }
    });
    let tally = tally
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    conclude(tally, watch)
}

/// The `number`-th run of a plan; profiles take turns on the same seed.
fn order(plan: &Plan, number: u64) -> Option<Order> {
    let kinds = plan.profiles.len() as u64;
    let seed = plan.seeds.start.checked_add(number / kinds)?;
    let profile = plan.profiles[(number % kinds) as usize];
    (seed < plan.seeds.end).then_some(Order {
        seed,
        profile,
        events: EVENTS,
        trace: false,
        columns: false,
    })
}

fn progress(tally: &Tally, watch: Stopwatch) {
    if tally.runs.is_multiple_of(50) && std::io::stderr().is_terminal() {
        let wall = watch.elapsed().as_secs_f64().max(1e-9);
        let (runs, failures) = (tally.runs, tally.failures.len());
        let (speed, rate) = (tally.simulated as f64 / 1e9 / wall, runs as f64 / wall);
        report::aside(&format!(
            "{runs} runs, {failures} failures, {rate:.1}/s, {speed:.0} × real time"
        ));
    }
}

/// What of the faults and goals a campaign could have seen and has not.
fn missing(goals: &Goals) -> Vec<&'static str> {
    let with_log = [
        Fault::Stall,
        Fault::Full,
        Fault::Flip,
        Fault::SyncFails,
        Fault::DuringRecovery,
    ];
    let goals_with_log = [
        Goal::Loading,
        Goal::NoSpace,
        Goal::Recovered,
        Goal::Refused,
        Goal::Stopped,
    ];
    let strings = [Goal::WrongType];
    let log = has_log();
    let has_strings = seedis::command::table::find(b"set").is_some();
    let faults = Fault::ALL
        .iter()
        .filter(|fault| log || !with_log.contains(fault));
    let grouped = goals.goals.contains_key(&Goal::Elected);
    let alone = goals.goals.contains_key(&Goal::Recovered);
    let faults = faults
        .filter(|fault| {
            if fault.takes_a_group() {
                grouped
            } else {
                alone
            }
        })
        .filter(|fault| !goals.faults.contains_key(fault))
        .map(|fault| fault.key());
    let wanted = Goal::ALL
        .iter()
        .filter(|goal| log || !goals_with_log.contains(goal));
    let wanted = wanted.filter(|goal| has_strings || !strings.contains(goal));
    let wanted = wanted
        .filter(|goal| if goal.takes_a_group() { grouped } else { alone })
        .filter(|goal| !goals.goals.contains_key(goal))
        .map(|goal| goal.key());
    faults.chain(wanted).collect()
}

fn conclude(mut tally: Tally, watch: Stopwatch) -> u8 {
    tally
        .failures
        .sort_by_key(|outcome| (outcome.order.seed, outcome.order.profile as u8));
    for outcome in tally.failures.iter().take(SHOWN) {
        outcome.print();
    }
    let mut by_id: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for outcome in &tally.failures {
        if let Err(violation) = &outcome.verdict {
            let Order { seed, profile, .. } = outcome.order;
            let place = by_id.entry(violation.id.to_string()).or_default();
            place.push(format!("{seed}/{}", profile.name()));
        }
    }
    for (id, seeds) in &by_id {
        let first: Vec<&str> = seeds.iter().take(12).map(String::as_str).collect();
        report::line(&format!(
            "{id}: {} failures: {}",
            seeds.len(),
            first.join(" ")
        ));
    }
    let wall = watch.elapsed().as_secs_f64().max(1e-9);
    let simulated = tally.simulated as f64 / 1e9;
    report::line(&format!("faults: {}", tally.goals.faults_line()));
    let reached = tally
        .goals
        .goals
        .iter()
        .map(|(goal, count)| format!("{}={count}", goal.key()));
    report::line(&format!("goals: {}", reached.collect::<Vec<_>>().join(" ")));
    let missing = missing(&tally.goals);
    let telling = tally.runs >= TELLING_RUNS && !missing.is_empty();
    if telling {
        report::line(&format!("never seen: {}", missing.join(" ")));
    }
    report::line(&format!(
        "runs={} failures={} events={} replies={} simulated={simulated:.0}s wall={wall:.1}s \
         seeds/s={:.1} acceleration={:.0}",
        tally.runs,
        tally.failures.len(),
        tally.events,
        tally.replies,
        tally.runs as f64 / wall,
        simulated / wall
    ));
    let (histories, gave_up) = (tally.histories, tally.gave_up);
    report::line(&format!("histories={histories} gave-up={gave_up}"));
    let unknown = gave_up.saturating_sub(1) * GAVE_UP_SHARE > histories;
    let worst = tally.failures.iter().map(Outcome::code).min();
    worst.unwrap_or(match (unknown, telling) {
        (true, _) => 15,
        (false, true) => 16,
        (false, false) => 0,
    })
}
