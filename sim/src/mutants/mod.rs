//! Planted bugs: each patch of `sim/mutants/` is put on a copy of the tree, and a fleet must find
//! it.
//!
//! A patch has one line above its diff: what is broken, the invariants that may fire and the
//! profiles that find it, with bars between. The copy lies in the system's directory for temporary
//! files. All patches that change bodies of functions alone share one build, each behind a switch;
//! each of the others has its own. A kill counts only where the copy without the mutant passes the
//! same seed.
//!
//! A patch below `sim/mutants/simulator/` breaks the simulator instead: the line above its diff
//! says what it can no longer do and which mutants must live by that, with one bar between.

mod builds;
mod catch;
mod copy;
mod files;
mod patches;
mod program;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::judge::invariant::Id;
use crate::report;
use builds::Builds;
use catch::{Catch, Eyes, Shrunk, busy_of, caught, fleet, runs_of, shrunk};
pub(crate) use files::replay;
use patches::{Blind, Mutant, blinded, mutants};
use program::{Program, said_any};
use table::Row;

/// The exit code where a mutant lives, or the tree without one does not.
const LIVES: u8 = 17;
/// How far the starting points of a mutant lie apart.
const STRIDE: u64 = 1_000_000;

/// The bugs to hunt, and how.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The mutants by name; all, where none is given.
    pub(crate) names: Vec<String>,
    /// Give up on a bug after this many seeds.
    pub(crate) seeds: u64,
    /// Give up on a bug after so much time of a core instead of after seeds, and so with each pair
    /// of eyes.
    pub(crate) time: Option<Duration>,
    /// Hunt each bug from this many starting points.
    pub(crate) starts: u64,
    /// For how long to shrink a failure of each; not at all, where nothing is said.
    pub(crate) shrink: Option<Duration>,
    /// The page that shows the table.
    pub(crate) write: Option<PathBuf>,
    /// Hunt each bug once more, judged only by what clients saw.
    pub(crate) black_box: bool,
}

/// The outcome for one mutant.
#[derive(Clone, Debug, Default)]
struct Hunt {
    /// The catches, each with the seconds that it took.
    catches: Vec<(Catch, f64)>,
    /// The runs through which it lived, from each starting point where it was not caught.
    lived: Vec<u64>,
    shrunk: Option<Shrunk>,
    /// The invariant that clients alone saw broken, if one was, and after how many runs; nothing,
    /// where they were not asked.
    by_clients: Option<(Option<String>, u64)>,
}

/// Hunts all mutants of the plan, prints the table, and gives the exit code.
pub(crate) fn hunt(plan: &Plan) -> u8 {
    code(hunt_all(plan))
}

/// The exit code; what could not be done is said.
fn code(done: Result<u8, String>) -> u8 {
    done.unwrap_or_else(|why| {
        report::line(&why);
        LIVES
    })
}

fn hunt_all(plan: &Plan) -> Result<u8, String> {
    let root = root()?;
    let mutants = mutants(&root, &plan.names)?;
    let builds = Builds::make(&root, &mutants)?;
    report::line(&format!(
        "{:<32} {:<5} {:<8} {:>8} {:>7} {:>6}",
        "mutant", "fired", "profile", "seed", "runs", "s"
    ));
    let (mut good, mut fired) = (true, BTreeSet::new());
    for mutant in &mutants {
        match builds.hunt(mutant, plan) {
            Ok(hunt) => {
                for (catch, seconds) in &hunt.catches {
                    report::line(&format!(
                        "{:<32} {:<5} {:<8} {:>8} {:>7} {seconds:>6.1}",
                        mutant.name, catch.id, catch.profile, catch.seed, catch.runs
                    ));
                    fired.insert(catch.id.clone());
                }
                good &= hunt.lived.is_empty();
                let row = Row::new(mutant, &hunt);
                report::line(&row.told());
                if let Some(page) = &plan.write {
                    table::write(page, &[row])?;
                }
            }
            Err(why) => {
                good = false;
                report::line(&format!("{:<32} {why}", mutant.name));
                report::line(&format!("    {}", mutant.words));
            }
        }
    }
    for blind in blinded(&root, &plan.names)? {
        good &= builds.lets_live(&blind, &mutants, plan)?;
    }
    if plan.names.is_empty() {
        let names = Id::ALL.iter().map(ToString::to_string);
        let silent: Vec<String> = names.filter(|id| !fired.contains(id)).collect();
        if !silent.is_empty() {
            report::line(&format!(
                "no planted bug made these fire: {}",
                silent.join(" ")
            ));
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
        .ok_or_else(|| "there is no folder sim/mutants here or above".to_owned())
}

impl Builds {
    /// Hunts one mutant from each starting point.
    fn hunt(&self, mutant: &Mutant, plan: &Plan) -> Result<Hunt, String> {
        self.with(mutant, |simulator| self.hunt_built(simulator, mutant, plan))
    }

    fn hunt_built(
        &self,
        simulator: &Program,
        mutant: &Mutant,
        plan: &Plan,
    ) -> Result<Hunt, String> {
        let mut hunt = Hunt::default();
        for start in 0..plan.starts.max(1) {
            match self.catch(simulator, mutant, start * STRIDE, plan, Eyes::All)? {
                Ok(catch) => {
                    let seconds = catch.busy.as_secs_f64();
                    hunt.catches.push((catch, seconds));
                }
                Err(runs) => hunt.lived.push(runs),
            }
        }
        if plan.black_box {
            let caught = self.catch(simulator, mutant, 0, plan, Eyes::Clients)?;
            hunt.by_clients = Some(match caught {
                Ok(catch) => (Some(catch.id), catch.runs),
                Err(runs) => (None, runs),
            });
        }
        if let Some(time) = plan.shrink {
            // The shortest run is the best to begin with; one that hangs on how bytes were cut does
            // not fail again when its record is played.
            let file = self.copy.file_of(&mutant.name);
            let mut catches: Vec<&Catch> = hunt.catches.iter().map(|(catch, _)| catch).collect();
            catches.sort_by_key(|catch| catch.event);
            let mut catches = catches.into_iter();
            hunt.shrunk = catches.find_map(|catch| {
                let shrunk = shrunk(simulator, catch, time, &file)?;
                self.is_harmless(&file).is_ok().then_some(shrunk)
            });
        }
        Ok(hunt)
    }

    /// Returns true if the mutants that a broken simulator cannot see live under it: each is hunted
    /// through as many seeds as its first starting point offers.
    fn lets_live(&self, blind: &Blind, mutants: &[Mutant], plan: &Plan) -> Result<bool, String> {
        self.blinded(&blind.path, || {
            let lets = mutants.iter().filter(|m| blind.lets.contains(&m.name));
            Ok(lets.fold(true, |good, mutant| {
                let (lives, how) = self.lives(mutant, plan);
                report::line(&format!("{:<32} {} {how}", blind.name, mutant.name));
                good & lives
            }))
        })
    }

    /// Returns true if nothing is caught from the first starting point, and the story of it.
    fn lives(&self, mutant: &Mutant, plan: &Plan) -> (bool, String) {
        let plan = Plan {
            starts: 1,
            shrink: None,
            black_box: false,
            ..plan.clone()
        };
        let found = self.hunt(mutant, &plan);
        match found.map(|hunt| hunt.catches.into_iter().next()) {
            Ok(None) => (true, "survives, as it must".to_owned()),
            Ok(Some((catch, _))) => {
                let Catch {
                    id, seed, profile, ..
                } = catch;
                (false, format!("is FOUND: {id}, seed {seed} of {profile}"))
            }
            Err(why) => (false, why),
        }
    }

    /// Sends a fleet out, and again behind each failure that does not count; where nothing is
    /// caught, through how many runs the mutant has lived.
    fn catch(
        &self,
        simulator: &Program,
        mutant: &Mutant,
        start: u64,
        plan: &Plan,
        eyes: Eyes,
    ) -> Result<Result<Catch, u64>, String> {
        let profiles: Vec<&str> = mutant.profiles.iter().map(|p| p.name()).collect();
        let mut busy = Duration::ZERO;
        // With a time there is no end of seeds.
        let end = plan.time.map_or(start + plan.seeds, |_| u64::MAX);
        let (mut from, mut runs) = (start, 0);
        while from < end {
            let time = plan.time.map(|time| time.saturating_sub(busy));
            if time.is_some_and(|left| left.is_zero()) {
                break;
            }
            let said = fleet(simulator, from..end, &profiles, eyes, time)?;
            (runs, busy) = (runs + runs_of(&said), busy + busy_of(&said));
            let Some(mut catch) = caught(&said) else {
                break;
            };
            from = catch.seed + 1;
            let seed = catch.seed.to_string();
            let mut again = self.copy.plain.command();
            again.args(["run", &seed, "--profile", &catch.profile]);
            again.args(eyes.flag());
            if said_any(&mut again)
                .is_none_or(|said| !said.lines().any(|line| line.starts_with("pass")))
            {
                report::aside(&format!(
                    "seed {seed} ({}) also fails without the planted bug, and does not count",
                    catch.profile
                ));
                continue;
            }
            (catch.runs, catch.busy) = (runs, busy);
            let Catch { id, profile, .. } = &catch;
            return if eyes == Eyes::Clients || mutant.ids.contains(id) {
                Ok(Ok(catch))
            } else {
                Err(format!(
                    "fires {id} (seed {seed}, {profile}), which its header does not name"
                ))
            };
        }
        Ok(Err(runs))
    }
}

fn names_in(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}
