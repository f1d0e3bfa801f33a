//! The failures that a fleet has found, read from its output.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use mutate::ended;

use super::program::{Program, said_any};

/// How much longer than it was given a fleet may take before a run of it is held to be endless.
const GRACE: Duration = Duration::from_mins(1);
/// Its time is that of a core, of which it may have no more than this part.
const SHARERS: u32 = 4;

/// A failure that a fleet has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catch {
    pub(super) id: String,
    pub(super) seed: u64,
    pub(super) profile: String,
    /// Runs until then.
    pub(super) runs: u64,
    /// In which event of its run it showed.
    pub(super) event: u64,
    /// How much time of a core all these took.
    pub(super) busy: Duration,
}

/// The shrunk form of a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shrunk {
    pub(super) faults: u64,
    pub(super) operations: u64,
    pub(super) seconds: f64,
}

/// The eyes with which a fleet looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eyes {
    All,
    /// Those of clients alone.
    Clients,
}

impl Eyes {
    /// The flag of a run, if it needs one.
    pub(super) fn flag(self) -> Option<&'static str> {
        (self == Self::Clients).then_some("--black-box")
    }
}

/// The output of a fleet that stops at its first failure, and after so much time of a core, if any
/// is given.
pub(super) fn fleet(
    simulator: &Program,
    seeds: Range<u64>,
    profiles: &[&str],
    eyes: Eyes,
    time: Option<Duration>,
) -> Result<String, String> {
    let mut fleet = simulator.command();
    let seeds = format!("{}..{}", seeds.start, seeds.end);
    fleet.args(["fleet", "--fail-fast", "--jobs", "1", "--seeds", &seeds]);
    fleet.args(eyes.flag());
    for profile in profiles {
        fleet.args(["--profile", profile]);
    }
    let Some(time) = time else {
        return Ok(said_any(&mut fleet).unwrap_or_default());
    };
    fleet.args(["--core-time", &format!("{}s", time.as_secs().max(1))]);
    let ended = ended(fleet, time * SHARERS + GRACE).map_err(|error| error.to_string())?;
    ended
        .map(|(_, said)| said)
        .ok_or_else(|| "a run of it has no end".to_owned())
}

/// The failure in what a fleet printed.
pub(super) fn caught(said: &str) -> Option<Catch> {
    let id = said.lines().next()?.split(' ').next()?;
    let named = |line: &'_ str| {
        let line = line.strip_prefix("reproduce: sim ")?.to_owned();
        Some(line.split_once(' ')?.1.to_owned())
    };
    let named = said.lines().find_map(named)?;
    let mut words = named.split(' ');
    Some(Catch {
        id: id.to_owned(),
        seed: words.next()?.parse().ok()?,
        profile: words.nth(1)?.to_owned(),
        runs: runs_of(said),
        event: number_behind(said, "event=").unwrap_or(u64::MAX),
        busy: busy_of(said),
    })
}

pub(super) fn runs_of(said: &str) -> u64 {
    number_behind(said, "runs=").unwrap_or(0)
}

/// How much time of a core the runs took.
pub(super) fn busy_of(said: &str) -> Duration {
    let line = said.lines().find(|line| line.starts_with("runs="));
    let mut words = line.unwrap_or_default().split(' ');
    let seconds = words.find_map(|word| word.strip_prefix("busy=")?.strip_suffix('s'));
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or_default())
}

/// The number behind a mark with which a line begins.
fn number_behind(said: &str, mark: &str) -> Option<u64> {
    let rest = said.lines().find_map(|line| line.strip_prefix(mark))?;
    rest.split(' ').next()?.parse().ok()
}

/// Shrinks a failure into a file.
pub(super) fn shrunk(
    simulator: &Program,
    catch: &Catch,
    time: Duration,
    file: &Path,
) -> Option<Shrunk> {
    let mut shrink = simulator.command();
    shrink
        .args(["shrink", &catch.seed.to_string(), "--brief"])
        .args(["--profile", &catch.profile])
        .args(["--time", &format!("{}s", time.as_secs())])
        .arg("--output")
        .arg(file);
    let said = said_any(&mut shrink)?;
    let value = |name: &str| {
        let mut words = said.split_whitespace();
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    Some(Shrunk {
        faults: value("faults")?.parse().ok()?,
        operations: value("operations")?.parse().ok()?,
        seconds: value("seconds")?.parse().ok()?,
    })
}
