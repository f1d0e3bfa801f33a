//! Mined invariants: what has held in every turn of many clean runs, out of a small grammar of
//! relations between the figures of members, and how soon each breaks where a bug is planted.

mod facts;
mod miner;
mod relation;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;

pub(crate) use facts::Facts;
use facts::Figure;
pub(crate) use miner::{Miner, Observed};
use relation::Relation;

use crate::report;
use crate::run::{self, Order};
use crate::scenario::Profile;

/// A relation that was tested less often says little.
const TESTED_MIN: u64 = 1_000;

/// The arguments of `sim mine`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The range of seeds, the second not included.
    #[arg(long, value_parser = crate::cli::seeds, default_value = "0..300")]
    seeds: Range<u64>,
    /// The profile: one with a group.
    #[arg(long, value_enum, default_value = "raft")]
    profile: Profile,
    /// Write what has held to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "against")]
    write: Option<PathBuf>,
    /// Look when the relations of this file break, and when an invariant does: for a build with a
    /// bug.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

/// Mines, or tries what was mined.
pub(crate) fn mine(args: &Args) -> u8 {
    match &args.against {
        None => dig(args),
        Some(file) => match fs::read_to_string(file) {
            Ok(text) => try_out(args, &text),
            Err(error) => {
                report::line(&format!("{} cannot be read: {error}", file.display()));
                2
            }
        },
    }
}

/// Finds what holds in all runs.
fn dig(args: &Args) -> u8 {
    let mut miner = Miner::new(Relation::all());
    let mut runs = 0;
    for seed in args.seeds.clone() {
        let order = Order::quiet(seed, args.profile);
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
        text.push_str(&format!("{relation}\t{tested}\n"));
    }
    for figure in Figure::ALL {
        report::line(&format!("{:12} {}", figure.key(), figure.words()));
    }
    report::line(text.trim_end());
    report::line(&format!("{} relations held in {runs} runs", held.len()));
    if let Some(file) = &args.write
        && let Err(error) = fs::write(file, text)
    {
        report::line(&format!("{} cannot be written: {error}", file.display()));
        return 2;
    }
    0
}

/// How often a relation broke, and how often it did so before an invariant.
#[derive(Clone, Copy, Debug, Default)]
struct Broken {
    runs: u64,
    first: u64,
}

/// Looks which relations break, and when.
fn try_out(args: &Args, text: &str) -> u8 {
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    let mut relations = Relation::all();
    relations.retain(|relation| names.contains(&relation.to_string().as_str()));
    let mut miner = Miner::new(relations);
    let mut broken: BTreeMap<String, Broken> = BTreeMap::new();
    let mut failures = 0;
    for seed in args.seeds.clone() {
        let order = Order::quiet(seed, args.profile);
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
