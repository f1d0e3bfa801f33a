//! The printed lines: of a trace, and the last ones of a run that has failed.

use std::io::Write as _;

use crate::judge::invariant::Id;

/// Prints a line; a reader that has gone away is no reason to fail.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Shows that a line is waited for.
pub(crate) fn prompt() {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(b"> ");
    let _ = out.flush();
}

/// Prints a line for whoever waits, beside the output.
pub(crate) fn aside(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The exit code that a broken invariant deserves.
pub(crate) fn code(id: Id) -> u8 {
    match id {
        Id::J3 | Id::L1 | Id::L2 | Id::L3 | Id::L4 | Id::L5 | Id::L6 | Id::L7 => 12,
        Id::C1 => 11,
        Id::P2 => 13,
        _ => 10,
    }
}

/// The report of a run that has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) seed: u64,
    /// The profile's name.
    pub(crate) profile: &'static str,
    /// Only what clients saw was judged.
    pub(crate) black_box: bool,
    pub(crate) id: Id,
    pub(crate) text: String,
    /// How many events there were.
    pub(crate) events: u64,
    /// Simulated time, in nanoseconds.
    pub(crate) time: u64,
    pub(crate) digest: String,
    /// The faults that fired, by class.
    pub(crate) faults: String,
}

impl Failure {
    /// The last lines of the run, which has this name on a command line.
    pub(crate) fn print(&self, name: &str) {
        line(&format!("{} {}", self.id, self.id.name()));
        line(&format!("  {}", self.text));
        line(&format!(
            "event={} time={:.6}s seed={} digest={} faults: {}",
            self.events,
            self.time as f64 / 1e9,
            self.seed,
            self.digest,
            self.faults
        ));
        line(&format!("reproduce: {}", self.reproduce(name)));
        if !self.black_box {
            line(&format!("page: sim view {name} -o sim.html"));
        }
    }

    /// The command that shows it again.
    pub(crate) fn reproduce(&self, name: &str) -> String {
        if self.black_box {
            format!("sim run {name} --black-box")
        } else {
            format!("sim replay {name} --trace")
        }
    }

    /// How a command line names the run.
    pub(crate) fn name(&self) -> String {
        format!("{} --profile {}", self.seed, self.profile)
    }
}
