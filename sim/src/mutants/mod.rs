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

mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum as _;

use crate::digest::Digest;
use crate::judge::invariant::Id;
use crate::report;
use crate::scenario::Profile;
use crate::stopwatch::Stopwatch;
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

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    path: PathBuf,
    /// What is broken, in one sentence.
    words: String,
    /// The invariants that may fire.
    ids: Vec<String>,
    profiles: Vec<Profile>,
}

/// A patch that takes something from the simulator.
#[derive(Clone, Debug)]
struct Blind {
    name: String,
    path: PathBuf,
    /// The mutants that must live then.
    lets: Vec<String>,
}

/// A failure that a fleet has found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Catch {
    id: String,
    seed: u64,
    profile: String,
    /// Runs until then.
    runs: u64,
}

/// The copy of the tree and where it is built.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
    /// The simulator of the tree as it is.
    plain: PathBuf,
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

/// The patches asked for, in the order of their names.
fn mutants(root: &Path, names: &[String]) -> Result<Vec<Mutant>, String> {
    let paths = names_in(&root.join("sim/mutants"))?;
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_patch = path.extension().is_some_and(|ending| ending == "patch");
        if is_patch && (names.is_empty() || names.iter().any(|wanted| *wanted == name)) {
            let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
            all.push(Mutant::read(&name, &path, &text)?);
        }
    }
    match names
        .iter()
        .find(|name| !all.iter().any(|m| m.name == **name))
    {
        Some(name) => Err(format!("there is no sim/mutants/{name}.patch")),
        None => Ok(all),
    }
}

/// The patches to the simulator that have something to say about the mutants asked for.
fn blinded(root: &Path, names: &[String]) -> Result<Vec<Blind>, String> {
    let mut all = Vec::new();
    for path in names_in(&root.join("sim/mutants/simulator"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let head = text.lines().next().unwrap_or_default();
        let (_, lets) = head
            .split_once('|')
            .ok_or_else(|| format!("{name}.patch: its first line names no mutants"))?;
        let lets = lets.split_whitespace().map(str::to_owned);
        let lets = lets.filter(|name| names.is_empty() || names.contains(name));
        all.push(Blind {
            name: name.into_owned(),
            lets: lets.collect(),
            path,
        });
    }
    all.retain(|blind| !blind.lets.is_empty());
    Ok(all)
}

impl Mutant {
    fn read(name: &str, path: &Path, text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{name}.patch: {what}");
        let head = text.lines().next().unwrap_or_default();
        let parts: Vec<&str> = head.split('|').map(str::trim).collect();
        let [words, ids, profiles] = parts[..] else {
            return Err(wrong(
                "its first line is not: what is broken | invariants | profiles",
            ));
        };
        let known = |id: &&str| Id::ALL.iter().any(|known| known.to_string() == **id);
        if let Some(id) = ids.split_whitespace().find(|id| !known(id)) {
            return Err(wrong(&format!("there is no invariant {id}")));
        }
        let profiles: Result<Vec<Profile>, String> = profiles
            .split_whitespace()
            .map(|name| Profile::from_str(name, false).map_err(|error| wrong(&error)))
            .collect();
        Ok(Self {
            name: name.to_owned(),
            path: path.to_path_buf(),
            words: words.to_owned(),
            ids: ids.split_whitespace().map(str::to_owned).collect(),
            profiles: profiles?,
        })
    }
}

impl Copy {
    /// Copies the tree and builds it as it is.
    fn make(root: &Path) -> Result<Self, String> {
        let mut digest = Digest::new();
        digest.bytes(root.to_string_lossy().as_bytes());
        let name = format!("seedis-mutants-{:016x}", digest.bits() as u64);
        let base = std::env::temp_dir().join(name);
        let copy = Self {
            tree: base.join("tree"),
            target: base.join("target"),
            plain: base.join("sim-without-a-mutant"),
        };
        let failed = |error: std::io::Error| format!("{}: {error}", base.display());
        if copy.tree.exists() {
            fs::remove_dir_all(&copy.tree).map_err(failed)?;
        }
        copy_tree(root, &copy.tree)?;
        copy.build()?;
        fs::copy(copy.simulator(), &copy.plain).map_err(failed)?;
        Ok(copy)
    }

    fn simulator(&self) -> PathBuf {
        self.target.join("release/sim")
    }

    fn build(&self) -> Result<(), String> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--quiet", "--release", "--package", "sim"])
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            // A mutant lives for some hundred runs: what counts is how soon it is built.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "1");
        said(&mut cargo).map(|_| ()).map_err(|why| {
            let first = why.lines().find(|line| line.starts_with("error"));
            format!("does not build: {}", first.unwrap_or("cargo failed"))
        })
    }

    /// Puts a patch on the copy, or takes it off.
    fn patch(&self, path: &Path, back: bool) -> Result<(), String> {
        let mut git = Command::new("git");
        git.arg("apply")
            .args(back.then_some("--reverse"))
            .arg(path)
            .current_dir(&self.tree);
        // Whatever lies around the copy, it is no repository.
        if let Some(above) = self.tree.parent() {
            git.env("GIT_CEILING_DIRECTORIES", above);
        }
        said(&mut git)
            .map(|_| ())
            .map_err(|why| format!("the patch no longer applies: {}", why.trim()))
    }

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

/// What a fleet prints that stops at its first failure.
fn fleet(simulator: &Path, from: u64, to: u64, profiles: &[&str]) -> String {
    let mut fleet = Command::new(simulator);
    let seeds = format!("{from}..{to}");
    fleet.args(["fleet", "--fail-fast", "--jobs", "1", "--seeds", &seeds]);
    for profile in profiles {
        fleet.args(["--profile", profile]);
    }
    said_any(&mut fleet).unwrap_or_default()
}

/// The failure in what a fleet printed.
fn caught(said: &str) -> Option<Catch> {
    let id = said.lines().next()?.split(' ').next()?;
    let mut words = said
        .lines()
        .find_map(|line| line.strip_prefix("reproduce: sim replay "))?
        .split(' ');
    Some(Catch {
        id: id.to_owned(),
        seed: words.next()?.parse().ok()?,
        profile: words.nth(1)?.to_owned(),
        runs: runs_of(said),
    })
}

fn runs_of(said: &str) -> u64 {
    let line = said.lines().find_map(|line| line.strip_prefix("runs="));
    let number = line.and_then(|line| line.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What a command prints, whatever its exit code.
fn said_any(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a command prints; where it fails, its complaint.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn names_in(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Copies all but hidden files and build products.
fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(failed)?;
    for path in names_in(from)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" || name == "data" {
            continue;
        }
        let copy = to.join(&*name);
        if path.is_dir() {
            copy_tree(&path, &copy)?;
        } else {
            fs::copy(&path, &copy).map_err(failed)?;
        }
    }
    Ok(())
}
