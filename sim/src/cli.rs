//! The command line: what can be asked of the simulator.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::goals::{Fault, Goal};
use crate::judge::invariant::Id;
use crate::run::{EVENTS, Order};
use crate::scenario::Profile;
use crate::shrink::Budget;
use crate::states::RareState;
use crate::subject::Subject;
use crate::{
    check, fleet, linear, mine, model, mutants, replay, report, run, scripts, serve, view,
};

/// Simulates Seedis from a seed: under a virtual clock, on a fake disk, with unruly clients.
#[derive(Debug, Parser)]
#[command(name = "sim", after_help = EXITS)]
struct Cli {
    #[command(subcommand)]
    command: Verb,
}

const EXITS: &str = "Exit: 0 pass, 2 usage, 10 safety, 11 linearizability, 12 liveness, 13 panic, \
    14 non-determinism, 15 too many histories were given up on, 16 a fault class or goal was \
    never reached, 17 a planted bug was not found, 18 a file is stale, or the seed to shrink \
    passes.";

/// How much is printed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Log {
    /// The last lines.
    Last,
    /// A line for each event.
    Full,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs one seed; without a seed, draws one and prints it first and last.
    Run {
        /// The seed.
        seed: Option<u64>,
        /// The profile: what the run is about.
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
        /// Stop after this many events.
        #[arg(long, default_value_t = EVENTS)]
        events: u64,
        /// Print what happens.
        #[arg(long)]
        trace: bool,
        /// Print a line for each event, with a column for each member.
        #[arg(long, value_enum)]
        log: Option<Log>,
        /// Judge only what clients saw: answers that no order explains, elements lost or given
        /// twice, replies that cannot be read, and a server that dies or does not answer.
        #[arg(long)]
        black_box: bool,
    },
    /// Runs many seeds.
    Fleet(fleet::Args),
    /// Finds what holds in every turn of clean runs: candidates for invariants.
    Mine {
        /// The range of seeds, the second not included.
        #[arg(long, value_parser = seeds, default_value = "0..300")]
        seeds: Range<u64>,
        /// The profile: one with a group.
        #[arg(long, value_enum, default_value = "raft")]
        profile: Profile,
        /// Write what has held to this file.
        #[arg(long, value_name = "FILE", conflicts_with = "against")]
        write: Option<PathBuf>,
        /// Find when the relations of this file break, and when an invariant does: for a build
        /// with a bug.
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Opens a port through which real clients reach a simulated group, or replays a session.
    Serve(serve::Args),
    /// Judges whether a history of clients, as a test of real processes writes it, is linearizable.
    Judge(linear::file::Args),
    /// Replays a seed or a `.sim` file: to its end, up to an event, or step by step.
    Replay {
        /// A seed, or the name of a `.sim` file.
        what: String,
        /// The profile of the seed.
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
        /// Stop after this event.
        #[arg(long)]
        until: Option<u64>,
        /// Print what happens.
        #[arg(long)]
        trace: bool,
        /// Print each fault that struck, as lines of a `.sim` file; only for a seed.
        #[arg(long)]
        faults: bool,
        /// Start after this event.
        #[arg(long)]
        goto: Option<u64>,
        /// Step through it by hand: next, back, goto, break, continue, why, state, diff, faults.
        #[arg(short, long)]
        interactive: bool,
    },
    /// Writes the page of a run: one HTML file that explains how a failure came about.
    View {
        /// A seed, or the name of a `.sim` file.
        what: String,
        /// The file to write.
        #[arg(short, long, default_value = "sim.html")]
        output: PathBuf,
        /// The profile: what the run is about.
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
        /// How many events before the end are shown in every detail.
        #[arg(long, default_value_t = 10_000)]
        events: u64,
    },
    /// Compares the state after two events of one seed, or the runs of two seeds.
    Diff {
        /// The seed.
        seed: u64,
        /// An event; or, if no other event is given, a second seed.
        first: u64,
        /// A later event.
        second: Option<u64>,
        /// The profile: what the run is about.
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
        /// The profile of the second run, if it differs.
        #[arg(long, value_enum)]
        against: Option<Profile>,
    },
    /// Reduces a failing seed to a `.sim` file with few faults and few requests.
    Shrink {
        /// The seed.
        seed: u64,
        /// The profile under which it fails.
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
        /// The file to write; by default `PROFILE-SEED.sim`.
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// How long to search at most.
        #[arg(long, value_parser = duration, default_value = "60s")]
        time: Duration,
        /// How many runs at a time.
        #[arg(long, default_value_t = cores())]
        jobs: usize,
        /// One line for other programs.
        #[arg(long, hide = true)]
        brief: bool,
    },
    /// Replays all `.sim` files of a directory; each must pass.
    Regressions {
        /// The directory.
        #[arg(default_value = "sim/regressions")]
        directory: PathBuf,
    },
    /// Checks determinism: runs each seed again, in reversed order and in another process.
    Check {
        /// The range of seeds, the second not included.
        #[arg(long, value_parser = seeds, default_value = "1..20")]
        seeds: Range<u64>,
        /// The profile: what the run is about.
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
    },
    /// Prints the output of the second process of `check`.
    #[command(hide = true)]
    Digests {
        #[arg(long, value_parser = seeds)]
        seeds: Range<u64>,
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
    },
    /// The digest behind each event of a seed.
    #[command(hide = true)]
    Chain {
        seed: u64,
        #[arg(long, value_enum, default_value = "smoke")]
        profile: Profile,
    },
    /// Plants each bug of `sim/mutants` in a copy of the tree and runs seeds until one finds it.
    /// Bugs that change bodies of functions alone share one build.
    Mutants {
        /// The names of bugs; by default all.
        names: Vec<String>,
        /// Give up on a bug after this many seeds.
        #[arg(long, default_value_t = 3000)]
        seeds: u64,
        /// Give up on a bug after so much time of a core from each starting point, instead of after
        /// seeds.
        #[arg(long, value_parser = duration, conflicts_with = "seeds")]
        time: Option<Duration>,
        /// Hunt each bug from this many starting points.
        #[arg(long, default_value_t = 1)]
        starts: u64,
        /// Shrink one failure of each bug, for this long.
        #[arg(long, value_parser = duration)]
        shrink: Option<Duration>,
        /// Write the table into this page, between its two marks.
        #[arg(long)]
        write: Option<PathBuf>,
        /// Do not hunt: replay the shrunk failure of each, `sim/mutants/NAME.sim`.
        #[arg(long, conflicts_with_all = ["seeds", "time", "starts", "shrink", "write"])]
        replay: bool,
        /// Hunt each bug once more from its first starting point, judged only by what clients saw.
        #[arg(long)]
        black_box: bool,
    },
    /// Lists the faults and goals, in words.
    Faults,
    /// Lists the invariants, in words.
    Invariants,
}

pub(crate) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("write seeds as A..B")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let (from, to) = (number(from)?, number(to)?);
    if from < to {
        Ok(from..to)
    } else {
        Err("this range has no seed".to_owned())
    }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.chars().last().unwrap_or_default();
    let scale = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Err("write a duration as 30s, 10m or 2h".to_owned()),
    };
    let number: u64 = text[..text.len() - 1]
        .parse()
        .map_err(|_| "no number".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(scale)))
}

/// Does what the command line says, and gives the exit code.
pub fn main() -> u8 {
    let cli = Cli::parse();
    run::catch_panics();
    match cli.command {
        Verb::Run {
            seed,
            profile,
            events,
            trace,
            log,
            black_box,
        } => {
            let given = seed.unwrap_or_else(drawn_seed);
            if seed.is_none() {
                report::line(&format!("seed={given}"));
            }
            let order = Order {
                seed: given,
                profile,
                events,
                trace,
                columns: log == Some(Log::Full),
                black_box,
            };
            let outcome = run::run(order);
            outcome.print();
            outcome.code()
        }
        Verb::Fleet(args) => fleet::sail(&args),
        Verb::Mine {
            seeds,
            profile,
            write,
            against,
        } => mine::mine(&mine::Plan {
            seeds,
            profile,
            write,
            against,
        }),
        Verb::Serve(args) => serve::serve(&args),
        Verb::Judge(args) => linear::file::judge_file(&args),
        Verb::Replay {
            what,
            profile,
            until,
            trace,
            faults,
            goto,
            interactive,
        } => subject(&what, profile, |subject| {
            if faults {
                return scripts::faults(&subject);
            }
            replay::replay(&replay::Way {
                subject,
                until,
                goto,
                trace,
                interactive,
            })
        }),
        Verb::View {
            what,
            output,
            profile,
            events,
        } => subject(&what, profile, |subject| {
            view::view(&subject, events, &output)
        }),
        Verb::Diff {
            seed,
            first,
            second,
            profile,
            against,
        } => {
            let order = Order::quiet(seed, profile);
            if let Some(second) = second {
                replay::compare_events(order, first, second)
            } else {
                let other = Order::quiet(first, against.unwrap_or(profile));
                replay::compare_runs(order, other)
            }
        }
        Verb::Shrink {
            seed,
            profile,
            output,
            time,
            jobs,
            brief,
        } => {
            let budget = Budget { time, jobs };
            scripts::shrink(Order::quiet(seed, profile), budget, output, brief)
        }
        Verb::Regressions { directory } => scripts::regressions(&directory),
        Verb::Check { seeds, profile } => check::check(seeds, profile),
        Verb::Digests { seeds, profile } => {
            check::print_digests(seeds, profile);
            0
        }
        Verb::Chain { seed, profile } => {
            check::print_chain(seed, profile);
            0
        }
        Verb::Mutants {
            names,
            replay: true,
            ..
        } => mutants::replay(&names),
        Verb::Mutants {
            names,
            seeds,
            time,
            starts,
            shrink,
            write,
            replay: false,
            black_box,
        } => mutants::hunt(&mutants::Plan {
            names,
            seeds,
            time,
            starts,
            shrink,
            write,
            black_box,
        }),
        Verb::Faults => {
            faults();
            0
        }
        Verb::Invariants => {
            for id in Id::ALL {
                report::line(&format!("{id:<3} {}\n    {}", id.name(), id.words()));
            }
            0
        }
    }
}

/// Does something with a run that was named, or says why there is none of that name.
fn subject(what: &str, profile: Profile, act: impl FnOnce(Subject) -> u8) -> u8 {
    match Subject::read(what, profile) {
        Ok(subject) => act(subject),
        Err(why) => {
            report::aside(&why);
            2
        }
    }
}

/// A seed that nobody gave: from the process and where it lies in memory, short enough to be read
/// aloud.
fn drawn_seed() -> u64 {
    let address = Box::new(0_u8);
    let here = std::ptr::from_ref(&*address).addr() as u64;
    crate::draws::mixed(here ^ u64::from(std::process::id()) << 32) >> 32
}

fn faults() {
    report::line("Faults; each class is on in half of the runs, with its own intensity:");
    for fault in Fault::ALL {
        report::line(&format!("  {:<12} {}", fault.key(), fault.words()));
    }
    report::line("Goals; a campaign of 200 runs or more must reach each of them:");
    for goal in Goal::ALL {
        report::line(&format!("  {:<14} {}", goal.key(), goal.words()));
    }
    report::line("Rare states; a fleet says how often it met each, and `--demand-states` fails:");
    for state in RareState::ALL {
        report::line(&format!("  {:<20} {}", state.key(), state.words()));
    }
    let unknown: Vec<&str> = model::strangers().iter().map(|row| row.name).collect();
    if !unknown.is_empty() {
        report::line(&format!(
            "Commands that the model does not have: {}",
            unknown.join(" ")
        ));
    }
}

/// As many as the machine has.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
