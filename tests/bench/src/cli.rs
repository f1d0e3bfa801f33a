//! The command line.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};

use crate::cores::Cores;
use crate::failure::{Failure, Result};
use crate::machine::Machine;
use crate::programs::Program;
use crate::server::Log;
use crate::tail::Situation;
use crate::{compare, counts, loads, tail};

/// Measures servers that speak RESP. docs/PERFORMANCE.md says how, and what the columns mean.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compares rates, processor time and latency under many loads, in turns.
    Compare(Compare),
    /// Compares the tail of latency of SETs at a given rate while something else happens.
    Tail(Tail),
    /// Counts system calls, syncs, bytes per key and instructions, and holds them to a file.
    Counts(counts::Asked),
    /// Prints the names of the loads.
    Loads,
}

/// The servers, and where the result goes.
#[derive(Debug, Args)]
struct Common {
    /// Our server; without it the one of this tree is built.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Another server beside it, by a name for the table; redis-server and valkey-server are
    /// found where the search path has them.
    #[arg(long, value_name = "NAME=PATH")]
    peer: Vec<String>,
    /// Measures our server alone.
    #[arg(long)]
    alone: bool,
    /// Rounds: each server has its turn in each.
    #[arg(long, default_value_t = 4)]
    rounds: u32,
    /// Keys that are there before.
    #[arg(long, default_value_t = 1_000_000)]
    keys: u64,
    /// The seed of the keys that are drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the table there as well.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Writes every round there.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Compare {
    #[command(flatten)]
    common: Common,
    /// The log of all servers.
    #[arg(long, value_enum, default_value_t = Log::Off)]
    log: Log,
    /// Loads whose name begins so; all of them without it.
    #[arg(long)]
    load: Vec<String>,
    /// How long a load lasts in each round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[derive(Debug, Args)]
struct Tail {
    #[command(flatten)]
    common: Common,
    /// The log of all servers; a rewrite has one that is synced every second if this is off.
    #[arg(long, value_enum, default_value_t = Log::Off)]
    log: Log,
    /// These situations; all of them without it.
    #[arg(long, value_enum)]
    situation: Vec<Situation>,
    /// SETs that are sent in a second.
    #[arg(long, default_value_t = 20_000.0)]
    rate: f64,
    /// How long they are sent.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::Compare(asked) => run_compare(&asked),
        What::Tail(asked) => run_tail(&asked),
        What::Counts(asked) => counts::run(&asked, &mut say),
        What::Loads => {
            for load in loads::LOADS {
                say(load.name);
            }
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; a reader that has gone is no failure.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

impl Common {
    fn programs(&self) -> Result<Vec<Program>> {
        if self.rounds == 0 || self.keys == 0 {
            return Err(Failure::new("--rounds and --keys are at least 1"));
        }
        let mut programs = vec![Program::ours(self.server.as_deref())?];
        if !self.alone {
            programs.extend(Program::peers(&self.peer)?);
        }
        Ok(programs)
    }

    /// Prints the table, and writes it where it is wanted.
    fn tell(&self, machine: &Machine, setting: &str, table: &str, rows: &Value) -> Result<()> {
        let text = format!("{}* {setting}\n\n{table}", machine.markdown());
        say(&text);
        if let Some(path) = &self.markdown {
            write(path, &text)?;
        }
        if let Some(path) = &self.json {
            let facts = machine.facts.iter();
            let facts = facts
                .map(|(name, fact)| ((*name).to_owned(), Value::from(fact.as_str())))
                .collect::<serde_json::Map<_, _>>();
            let all = json!({ "machine": facts, "setting": setting, "rows": rows });
            write(path, &format!("{all:#}\n"))?;
        }
        Ok(())
    }
}

fn run_compare(asked: &Compare) -> Result<()> {
    let machine = Machine::look();
    let settings = compare::Settings {
        programs: asked.common.programs()?,
        log: asked.log,
        rounds: asked.common.rounds,
        time: seconds(asked.seconds)?,
        keys: asked.common.keys,
        seed: asked.common.seed,
        cores: Cores::find()?,
    };
    let loads = loads::chosen(&asked.load);
    if loads.is_empty() {
        return Err(Failure::new(
            "no load has such a name: `bench loads` lists them",
        ));
    }
    let mut rows = Vec::new();
    for load in &loads {
        progress(load.name);
        rows.extend(compare::play(load, &settings)?);
    }
    let setting = setting(&asked.common, &settings.programs, settings.cores);
    let setting = format!(
        "{setting}, log {}, {} s each time",
        asked.log.name(),
        asked.seconds
    );
    let table = compare::table(&rows);
    asked
        .common
        .tell(&machine, &setting, &table, &compare::json(&rows))
}

fn run_tail(asked: &Tail) -> Result<()> {
    let machine = Machine::look();
    if !(asked.rate >= 1.0 && asked.rate <= 10e6) {
        return Err(Failure::new("--rate is between 1 and 10,000,000"));
    }
    let settings = tail::Settings {
        programs: asked.common.programs()?,
        log: asked.log,
        rounds: asked.common.rounds,
        rate: asked.rate,
        time: seconds(asked.seconds)?,
        keys: asked.common.keys,
        seed: asked.common.seed,
        cores: Cores::find()?,
    };
    let situations = if asked.situation.is_empty() {
        &Situation::ALL[..]
    } else {
        &asked.situation
    };
    let mut rows = Vec::new();
    for situation in situations {
        progress(situation.name());
        rows.extend(tail::play(*situation, &settings)?);
    }
    let setting = setting(&asked.common, &settings.programs, settings.cores);
    let setting = format!(
        "{setting}, log {}, {} SET/s for {} s",
        asked.log.name(),
        asked.rate,
        asked.seconds
    );
    let table = tail::table(&rows);
    asked
        .common
        .tell(&machine, &setting, &table, &tail::json(&rows))
}

fn progress(name: &str) {
    let _ = writeln!(std::io::stderr(), "… {name}");
}

fn seconds(seconds: f64) -> Result<Duration> {
    if (0.01..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(Failure::new("--seconds is between 0.01 and 3600"))
    }
}

fn setting(common: &Common, programs: &[Program], cores: Option<Cores>) -> String {
    let named = programs
        .iter()
        .map(|program| format!("{} {}", program.name, program.version));
    let pinned = cores.map_or("nothing pinned".to_owned(), |cores| {
        format!(
            "server on core {}, load on core {}",
            cores.server, cores.load
        )
    });
    let named = named.collect::<Vec<_>>().join(", ");
    format!(
        "{named}; {pinned}; {} keys, medians of {} rounds",
        common.keys, common.rounds
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Failure::from(error).during(&path.display().to_string()))
}
