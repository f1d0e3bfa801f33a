//! Planted bugs: each patch of `sim/mutants/` is put on a copy of the tree, and a fleet must find
//! it.
//!
//! A patch has one line above its diff: what is broken, the invariants that may fire and the
//! profiles that find it, with bars between. The copy lies in the system's directory for temporary
//! files; one directory of build products serves all mutants. A kill counts only where the copy
//! without the mutant passes the same seed.
//!
//! A patch below `sim/mutants/simulator/` breaks the simulator instead: the line above its diff
//! says what it can no longer do and which mutants must live by that, with one bar between.

mod catch;
mod copy;
mod patches;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum as _;

use crate::judge::invariant::Id;
use crate::report;
use crate::scenario::Profile;
use crate::stopwatch::Stopwatch;
use catch::{Catch, caught, fleet, runs_of};
use copy::{Copy, said_any};
use patches::{Blind, Mutant, blinded, mutants};
use table::Row;

/// The exit code where a mutant lives, or the tree without one does not.
const LIVES: u8 = 17;
/// How the report on a mutant begins that was not found.
const LIVING: &str = "LIVES";
/// How far the starting points of a mutant lie apart.
const STRIDE: u64 = 1_000_000;

/// What is to be hunted.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The mutants by name; all, where none is given.
    pub(crate) names: Vec<String>,
    /// The most seeds for each.
    pub(crate) seeds: u64,
    /// From how many starting points each is hunted.
    pub(crate) starts: u64,
    /// The page that shows the table.
    pub(crate) write: Option<PathBuf>,
}

/// Hunts all mutants of the plan, prints the table, and gives the exit code.
pub(crate) fn hunt(plan: &Plan) -> u8 {
    hunt_all(plan).unwrap_or_else(|why| {
        report::line(&why);
        LIVES
    })
}

fn hunt_all(plan: &Plan) -> Result<u8, String> {
    let root = root()?;
    let mutants = mutants(&root, &plan.names)?;
    report::aside("building the tree without a mutant");
    let copy = Copy::make(&root)?;
    report::line(&format!(
        "{:<32} {:<5} {:<7} {:>8} {:>7} {:>6}",
        "mutant", "fired", "profile", "seed", "runs", "s"
    ));
    let (mut good, mut fired, mut farthest) = (true, BTreeSet::new(), 0);
    let mut rows = Vec::new();
    for mutant in &mutants {
        match copy.hunt(mutant, plan) {
            Ok(catches) => {
                for (catch, seconds) in &catches {
                    report::line(&format!(
                        "{:<32} {:<5} {:<7} {:>8} {:>7} {seconds:>6.1}",
                        mutant.name, catch.id, catch.profile, catch.seed, catch.runs
                    ));
                    fired.insert(catch.id.clone());
                    farthest = farthest.max(catch.seed % STRIDE);
                }
                let row = Row::new(mutant, &catches);
                report::line(&row.told());
                rows.push(row);
            }
            Err(why) => {
                good = false;
                report::line(&format!("{:<32} {why}", mutant.name));
                report::line(&format!("    {}", mutant.words));
            }
        }
    }
    if let Some(page) = &plan.write {
        table::write(page, &rows)?;
    }
    for blind in blinded(&root, &plan.names)? {
        good &= copy.lets_live(&blind, &mutants, plan)?;
    }
    good &= copy.passes(farthest + 1, &mutants)?;
    if plan.names.is_empty() {
        let names = Id::ALL.iter().map(ToString::to_string);
        let silent: Vec<String> = names.filter(|id| !fired.contains(id)).collect();
        if !silent.is_empty() {
            report::line(&format!("no mutant made these fire: {}", silent.join(" ")));
            good = false;
        }
    }
    Ok(if good { 0 } else { LIVES })
}

/// The directory of the workspace: the first one from here upwards that holds the mutants.
fn root() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let root = here
        .ancestors()
        .find(|path| path.join("sim/mutants").is_dir());
    root.map(Path::to_path_buf)
        .ok_or_else(|| "there is no sim/mutants here or above".to_owned())
}

impl Copy {
    /// Hunts one mutant from each starting point; what was caught, and in how many seconds.
    fn hunt(&self, mutant: &Mutant, plan: &Plan) -> Result<Vec<(Catch, f64)>, String> {
        self.patch(&mutant.path, false)?;
        let caught = self.build().and_then(|()| {
            let starts = (0..plan.starts.max(1)).map(|start| start * STRIDE);
            starts
                .map(|start| {
                    let watch = Stopwatch::start();
                    let catch = self.catch(mutant, start, plan.seeds)?;
                    Ok((catch, watch.elapsed().as_secs_f64()))
                })
                .collect()
        });
        self.patch(&mutant.path, true)?;
        caught
    }

    /// Whether the mutants that a broken simulator cannot see live under it: each is hunted through
    /// as many seeds as its first starting point offers.
    fn lets_live(&self, blind: &Blind, mutants: &[Mutant], plan: &Plan) -> Result<bool, String> {
        self.patch(&blind.path, false)?;
        let mut good = true;
        for mutant in mutants.iter().filter(|m| blind.lets.contains(&m.name)) {
            let found = self.hunt(
                mutant,
                &Plan {
                    starts: 1,
                    ..plan.clone()
                },
            );
            let lives = matches!(&found, Err(why) if why.starts_with(LIVING));
            let how = if lives {
                "lives, as it must"
            } else {
                "is FOUND"
            };
            report::line(&format!("{:<32} {} {how}", blind.name, mutant.name));
            good &= lives;
        }
        self.patch(&blind.path, true)?;
        Ok(good)
    }

    /// Sends a fleet out, and again behind each failure that does not count.
    fn catch(&self, mutant: &Mutant, start: u64, most: u64) -> Result<Catch, String> {
        let profiles: Vec<&str> = mutant.profiles.iter().map(|p| p.name()).collect();
        let (mut from, mut runs) = (start, 0);
        while from < start + most {
            let said = fleet(&self.simulator(), from, start + most, &profiles);
            runs += runs_of(&said);
            let Some(mut catch) = caught(&said) else {
                break;
            };
            from = catch.seed + 1;
            let seed = catch.seed.to_string();
            let mut again = Command::new(&self.plain);
            again.args(["run", &seed, "--profile", &catch.profile]);
            if said_any(&mut again)
                .is_none_or(|said| !said.lines().any(|line| line.starts_with("pass")))
            {
                report::aside(&format!(
                    "seed {seed} ({}) fails without a mutant too, and does not count",
                    catch.profile
                ));
                continue;
            }
            catch.runs = runs;
            let Catch { id, profile, .. } = &catch;
            return if mutant.ids.contains(id) {
                Ok(catch)
            } else {
                Err(format!(
                    "fires {id} (seed {seed}, {profile}), which its header does not name"
                ))
            };
        }
        Err(format!("{LIVING} after {runs} runs"))
    }

    /// Whether the tree without a mutant passes all seeds up to the farthest that killed one.
    fn passes(&self, seeds: u64, mutants: &[Mutant]) -> Result<bool, String> {
        let used = |profile: &Profile| mutants.iter().any(|m| m.profiles.contains(profile));
        let profiles = Profile::value_variants().iter().filter(|p| used(p));
        let profiles: Vec<&str> = profiles.map(|profile| profile.name()).collect();
        if profiles.is_empty() {
            return Err("there are no mutants".to_owned());
        }
        let said = fleet(&self.plain, 0, seeds, &profiles);
        let name = "(none)";
        match caught(&said) {
            None => {
                let runs = runs_of(&said);
                report::line(&format!("{name:<32} passes {runs} runs"));
                Ok(runs > 0)
            }
            Some(Catch {
                id, seed, profile, ..
            }) => {
                let see = format!("sim replay {seed} --profile {profile}");
                report::line(&format!("{name:<32} FAILS with {id}: {see}"));
                Ok(false)
            }
        }
    }
}

fn names_in(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}
