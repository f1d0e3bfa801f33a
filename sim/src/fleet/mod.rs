//! Many runs side by side, and what the campaign has seen.

mod done;
mod limit;
mod progress;
mod state;
mod summary;
mod tally;

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::report;
use crate::run::{self, Order};
use crate::scenario::Profile;
use crate::stopwatch::Stopwatch;
use limit::Limit;
use progress::Progress;
use tally::Tally;

/// How often what was done is saved.
const SAVED_EVERY: Duration = Duration::from_secs(1);

/// The arguments of `sim fleet`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The range of seeds, the second not included.
    #[arg(long, value_parser = crate::cli::seeds, default_value = "0..1000")]
    seeds: Range<u64>,
    /// Run for this long instead of a number of seeds (`30s`, `10m`, `2h`).
    #[arg(long, value_parser = crate::cli::duration)]
    time: Option<Duration>,
    /// Run for this long of a core for each job instead: what else the machine does counts for
    /// nothing.
    #[arg(long, value_parser = crate::cli::duration, conflicts_with = "time")]
    core_time: Option<Duration>,
    /// How many runs at a time.
    #[arg(long, default_value_t = crate::cli::cores())]
    jobs: usize,
    /// The profiles; by default all but `sync`.
    #[arg(long, value_enum)]
    profile: Vec<Profile>,
    /// Stop after this many distinct failures: each invariant counts once for each profile.
    #[arg(long, value_name = "N")]
    failures: Option<u64>,
    /// Stop at the first failure.
    #[arg(long, conflicts_with = "failures")]
    fail_fast: bool,
    /// Judge only what clients saw.
    #[arg(long, conflicts_with = "state")]
    black_box: bool,
    /// Fail (16) unless each class of faults, each goal and each rare state was met: for campaigns
    /// of an hour.
    #[arg(long)]
    demand_states: bool,
    /// Write a summary as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the progress in this file, and resume from it.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Which runs there are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plan {
    seeds: Range<u64>,
    profiles: Vec<Profile>,
}

impl Plan {
    /// The `number`-th run; profiles take turns on the same seed.
    fn order(&self, number: u64) -> Option<Order> {
        let kinds = self.profiles.len() as u64;
        let seed = self.seeds.start.checked_add(number / kinds)?;
        let profile = self.profiles[(number % kinds) as usize];
        (seed < self.seeds.end).then_some(Order::quiet(seed, profile))
    }

    /// How many there are.
    fn runs(&self) -> u64 {
        let seeds = self.seeds.end - self.seeds.start;
        seeds.saturating_mul(self.profiles.len() as u64)
    }
}

/// Runs the campaign and gives its exit code.
pub(crate) fn sail(args: &Args) -> u8 {
    let profiles = if args.profile.is_empty() {
        Profile::ALL.to_vec()
    } else {
        args.profile.clone()
    };
    // With a time there is no end of seeds.
    let seeds = match limit(args) {
        Some(_) => args.seeds.start..u64::MAX,
        None => args.seeds.clone(),
    };
    let plan = Plan { seeds, profiles };
    let tally = match &args.state {
        Some(path) if path.exists() => state::read(path, &plan),
        _ => Ok(Tally::default()),
    };
    let ended = tally.and_then(|tally| run_all(args, &plan, tally));
    ended.unwrap_or_else(|why| {
        report::aside(&why);
        2
    })
}

/// When it ends before its seeds do.
fn limit(args: &Args) -> Option<Limit> {
    let of_cores = |time: Duration| Limit::Cores(time * args.jobs.max(1) as u32);
    let wall = args.time.map(Limit::Wall);
    wall.or_else(|| args.core_time.map(of_cores))
}

/// Runs what is left to be run, and concludes.
fn run_all(args: &Args, plan: &Plan, tally: Tally) -> Result<u8, String> {
    let (watch, limit) = (Stopwatch::start(), limit(args));
    let before = tally.wall;
    let most = args.failures.unwrap_or(u64::MAX);
    let most = if args.fail_fast { 1 } else { most };
    let next = AtomicU64::new(tally.done.first_left());
    let done_before = tally.done.clone();
    let fleet = Mutex::new(Fleet {
        tally,
        progress: Progress::new(plan, limit),
        saved: Duration::ZERO,
        unsaved: None,
    });
    let lock = || fleet.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(order) = plan.order(number) else {
                        break;
                    };
                    let black_box = args.black_box;
                    let order = Order { black_box, ..order };
                    let is_over = {
                        let fleet = lock();
                        limit.is_some_and(|limit| limit.is_reached(&fleet.tally))
                            || fleet.tally.distinct() >= most
                    };
                    if is_over {
                        break;
                    }
                    if done_before.contains(number) {
                        continue;
                    }
                    let outcome = run::run(order);
                    let mut fleet = lock();
                    fleet.tally.add(number, &outcome);
                    if let Some(failure) = outcome.failure() {
                        fleet.progress.tell(&failure);
                    }
                    fleet.tally.wall = before + watch.elapsed();
                    fleet.has_run(args, plan, watch);
                }
            });
        }
    });
    let mut fleet = fleet.into_inner().unwrap_or_else(PoisonError::into_inner);
    fleet.progress.end();
    if let Some(why) = fleet.unsaved {
        return Err(why);
    }
    if let Some(path) = &args.state {
        state::write(path, plan, &fleet.tally)?;
    }
    let code = summary::print(&fleet.tally, args.demand_states);
    if let Some(path) = &args.json {
        let text = format!(
            "{}\n",
            summary::json(plan, &fleet.tally, (code, args.demand_states))
        );
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(code)
}

/// The state that the workers share.
struct Fleet {
    tally: Tally,
    progress: Progress,
    /// When the state was saved last, since the start.
    saved: Duration,
    /// Why it cannot be saved.
    unsaved: Option<String>,
}

impl Fleet {
    /// One more run has ended: it is told, and saved now and then.
    fn has_run(&mut self, args: &Args, plan: &Plan, watch: Stopwatch) {
        let now = watch.elapsed();
        self.progress.show(&self.tally, now);
        if let Some(path) = args
            .state
            .as_ref()
            .filter(|_| now >= self.saved + SAVED_EVERY)
        {
            self.saved = now;
            self.unsaved = state::write(path, plan, &self.tally).err();
        }
    }
}
