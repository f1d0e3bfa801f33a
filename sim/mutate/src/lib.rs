//! Plants bugs in the core, all in one build, each behind a switch; by rule, and lets the simulator
//! look for each.
//!
//! A comparison is turned, a statement left out, a condition never true, a function returns at
//! once: thousands of places. To build the simulator for each of them would take days. So all of
//! them are planted in one copy of the project, and that is built once. `sim mutants` does the same
//! with bugs that somebody has written as patches.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program beside the core: it reads and writes files, watches programs and prints"
)]

mod bug;
mod hunt;
mod results;
mod rewrite;
mod sites;
mod tree;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

use clap::Parser;

pub use hunt::ended;
pub use tree::{SWITCH, Tree};
pub use versions::{Bodies, changed, merged};

use bug::Bug;
use hunt::Outcome;
use results::Results;

/// Plants bugs in the core by rule, and lets the simulator look for each.
#[derive(Parser)]
#[command(name = "mutate", version)]
struct Arguments {
    /// The files or directories in which bugs are planted
    #[arg(default_values = ["src/raft", "src/aof", "src/store", "src/node", "src/session"])]
    paths: Vec<String>,
    /// How many of the bugs of each path are hunted, evenly spread; by default all
    #[arg(long)]
    sample: Option<usize>,
    /// How long simulated runs look for one bug, on one core
    #[arg(long, default_value_t = 20, value_name = "SECONDS")]
    time: u64,
    /// The seeds of the runs
    #[arg(long, default_value = "700000..800000")]
    seeds: String,
    /// The file with the outcomes; a hunt that was broken off goes on behind it
    #[arg(long, default_value = "target/mutate/results.tsv")]
    results: PathBuf,
    /// Only show what is known
    #[arg(long)]
    summary: bool,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mutate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let root = std::env::current_dir()?;
    let copy = root.join("target/mutate");
    fs::create_dir_all(&copy)?;
    let mut bugs = Vec::new();
    for path in &arguments.paths {
        let mut found = bug::bugs(&root, path)?;
        if let Some(count) = arguments.sample {
            found.sort_by_key(|bug| spread(&bug.name));
            found.truncate(count);
        }
        bugs.extend(found);
    }
    let mut results = Results::open(&arguments.results)?;
    let equivalent = results::equivalent(&root.join("sim/mutate/equivalent.txt"))?;
    if !arguments.summary {
        let tree = Tree::new(&root, &copy.join("tree"))?;
        println!("{} bugs", bugs.len());
        let planted = tree.plant(bugs.len(), |left| switched(&root, &bugs, left))?;
        let (simulator, tests) = (tree.simulator()?, tree.tests()?);
        let time = Duration::from_secs(arguments.time);
        let none = hunt::by_seeds(&simulator, usize::MAX, &arguments.seeds, time)?;
        if let Some(what) = none {
            let why = format!("the simulator fails without any bug: {what}");
            return Err(io::Error::other(why));
        }
        for number in planted {
            let bug = &bugs[number];
            if results.knows(&bug.name) {
                continue;
            }
            let outcome = match hunt::by_seeds(&simulator, number, &arguments.seeds, time)? {
                Some(what) => Outcome::Seed(what),
                None => match hunt::by_tests(&tests, number, Duration::from_mins(5))? {
                    Some(what) => Outcome::Test(what),
                    None => Outcome::Survived,
                },
            };
            println!("{}: {outcome}", bug.name);
            results.add(&bug.name, &outcome)?;
        }
    }
    println!("{}", results.summary(&bugs, &equivalent));
    Ok(())
}

/// The files with bugs, as they are with those that are left.
fn switched(
    root: &Path,
    bugs: &[Bug],
    left: &BTreeSet<usize>,
) -> io::Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<&String, Vec<(usize, &sites::Site)>> = BTreeMap::new();
    for (number, bug) in bugs.iter().enumerate() {
        let sites = files.entry(&bug.file).or_default();
        sites.extend(left.contains(&number).then_some((number, &bug.site)));
    }
    let files = files.into_iter().map(|(file, sites)| {
        let source = fs::read_to_string(root.join(file))?;
        Ok((file.clone(), rewrite::rewritten(&source, &sites)))
    });
    files.collect()
}

/// A number by which names are spread.
fn spread(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
