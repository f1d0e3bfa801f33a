//! Mined invariants: what has held in every turn of many clean runs, out of a small grammar of
//! relations between the figures of members, and how soon each breaks where a bug is planted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::relations::{Figure, Miner, Relation};
use crate::report;
use crate::run::{self, Order};
use crate::scenario::Profile;

/// A relation that was tested less often says little.
const TESTED_MIN: u64 = 1_000;

/// The runs to look at, and what to do with what holds in them.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The range of seeds, the second not included.
    pub(crate) seeds: Range<u64>,
    /// The profile: one with a group.
    pub(crate) profile: Profile,
    /// The file that is to hold what has held.
    pub(crate) write: Option<PathBuf>,
    /// The file of relations that are tried on a build with a bug.
    pub(crate) against: Option<PathBuf>,
}

/// Mines, or tries what was mined; gives the exit code.
pub(crate) fn mine(plan: &Plan) -> u8 {
    match &plan.against {
        None => dig(plan),
        Some(file) => match fs::read_to_string(file) {
            Ok(text) => try_out(plan, &text),
            Err(error) => failed(file, "read", &error),
        },
    }
}

fn failed(file: &Path, what: &str, error: &std::io::Error) -> u8 {
    let file = file.display();
    report::line(&format!("{file} cannot be {what}: {error}"));
    2
}

/// Finds what holds in all runs.
fn dig(plan: &Plan) -> u8 {
    let mut miner = Miner::new(Relation::all());
    let mut runs = 0;
    for seed in plan.seeds.clone() {
        let order = Order::quiet(seed, plan.profile);
        let (outcome, found) = run::mine(order, miner);
        miner = found;
        if outcome.verdict.is_err() {
            outcome.print();
            return outcome.code();
        }
        miner.ends(true);
        runs += 1;
    }
    let held: Vec<_> = miner
        .held()
        .filter(|(_, tested)| *tested >= TESTED_MIN)
        .collect();
    let mut text = String::new();
    for (relation, tested) in &held {
        let _ = writeln!(text, "{relation}\t{tested}");
    }
    for figure in Figure::ALL {
        report::line(&format!("{:12} {}", figure.key(), figure.words()));
    }
    report::line(text.trim_end());
    report::line(&format!("{} relations held in {runs} runs", held.len()));
    if let Some(file) = &plan.write
        && let Err(error) = fs::write(file, text)
    {
        return failed(file, "written", &error);
    }
    0
}

/// How often a relation broke, and how often it did so before an invariant.
#[derive(Clone, Copy, Debug, Default)]
struct Broken {
    runs: u64,
    first: u64,
}

/// Finds which relations break, and when.
fn try_out(plan: &Plan, text: &str) -> u8 {
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut relations = Relation::all();
    relations.retain(|relation| names.contains(&relation.to_string().as_str()));
    let mut miner = Miner::new(relations);
    let mut broken: BTreeMap<String, Broken> = BTreeMap::new();
    let mut failures = 0;
    for seed in plan.seeds.clone() {
        let order = Order::quiet(seed, plan.profile);
        let (outcome, found) = run::mine(order, miner);
        miner = found;
        let judged = outcome.verdict.is_err().then_some(outcome.events);
        failures += u64::from(judged.is_some());
        for (relation, event) in miner.ends(false) {
            let counts = broken.entry(relation.to_string()).or_default();
            counts.runs += 1;
            counts.first += u64::from(judged.is_none_or(|judged| event < judged));
        }
    }
    for (relation, Broken { runs, first }) in &broken {
        report::line(&format!("{relation}\t{runs}\t{first}"));
    }
    report::line(&format!("an invariant broke in {failures} runs"));
    0
}
