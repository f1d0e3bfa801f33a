//! Shrinking: from a run that fails to a script of few faults and few requests that fails the same
//! way.
//!
//! All that was decided in the run is written down, and taken away piece by piece; what is left is
//! kept only where the same invariant fails. First whole classes of faults and whole clients, then
//! what lies behind the failure, then faults and requests one by one, then members, then values.

mod pieces;
mod progress;
mod search;
mod simplify;

use std::time::Duration;

use crate::decisions::decision::{Decision, Strike};
use crate::decisions::script::Script;
use crate::judge::invariant::Id;
use crate::run::{self, Order};
use crate::stopwatch::Stopwatch;
use search::Search;

/// Pieces of this size are fine enough at first.
const COARSE: usize = 24;
/// How often all is tried again at most.
const ROUNDS: usize = 4;

/// How long one may look, and how many runs side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) time: Duration,
    pub(crate) jobs: usize,
}

/// The rest of a run.
#[derive(Clone, Debug)]
pub(crate) struct Shrunk {
    /// Faults and requests, before and after.
    pub(crate) faults: [usize; 2],
    pub(crate) operations: [usize; 2],
    pub(crate) wall: Duration,
    /// How many runs it took.
    pub(crate) trials: u64,
    pub(crate) fires: Id,
    /// The text of a `.sim` file.
    pub(crate) file: String,
}

/// Shrinks a run that fails. Fails itself where the run passes, or its record does not fail alike.
pub(crate) fn shrink(order: Order, budget: Budget) -> Result<Shrunk, String> {
    let watch = Stopwatch::start();
    let (outcome, scenario, record) = run::record(order);
    let Err(violation) = outcome.verdict else {
        let (seed, profile) = (order.seed, order.profile.name());
        return Err(format!(
            "seed {seed} of {profile} passes: nothing to shrink"
        ));
    };
    let fires = violation.id;
    let mut script = Script::of_run(fires, &scenario, order.profile);
    script.decisions = record
        .fired
        .iter()
        .map(|one| one.decision.clone())
        .collect();
    script.acts = record.acts;
    let before = (script.decisions.len(), script.operations());
    let mut search = Search::new(script, order, budget)?;
    search.loosen(&record.fired);
    search.everything();
    let mut script = search.best;
    let (again, _) = run::play(&script, order, u64::MAX)?;
    let text = again.verdict.err().map(|violation| violation.text);
    script.remarks = remarks(fires, &text.unwrap_or(violation.text));
    Ok(Shrunk {
        faults: [before.0, script.decisions.len()],
        operations: [before.1, script.operations()],
        wall: watch.elapsed(),
        trials: search.trials,
        fires,
        file: script.to_string(),
    })
}

/// The first lines of a file: which invariant, and how that shows.
fn remarks(fires: Id, text: &str) -> Vec<String> {
    let mut lines = vec![format!("{fires}: {}", fires.name())];
    let mut line = String::new();
    for word in text.split_whitespace().take(40) {
        if line.len() + word.len() > 90 && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

impl Search {
    /// All steps, until nothing can be taken away any more or the time is over.
    fn everything(&mut self) {
        self.cut_tail();
        self.without_any_fault();
        self.window();
        self.classes();
        self.clients();
        self.acts(COARSE);
        self.steady();
        self.window();
        self.faults(COARSE);
        for _ in 0..ROUNDS {
            let before = self.size();
            self.faults(1);
            self.members();
            self.acts(1);
            self.classes();
            self.cut_tail();
            self.window();
            self.earlier();
            self.steady();
            if self.size() == before || self.is_late() {
                break;
            }
        }
        self.values();
        self.faults(1);
        self.acts(1);
        self.tighten();
    }

    /// The size of the file for a reader.
    fn size(&self) -> (usize, usize, String) {
        let members = self.best.setting("members").to_owned();
        (self.best.decisions.len(), self.best.acts.len(), members)
    }
}

/// The class of a decision: frames by what becomes of them and by their kind.
fn class(decision: &Decision) -> (std::mem::Discriminant<Strike>, Option<&'static str>) {
    let kind = match &decision.address {
        crate::decisions::address::Address::Frame { kind, .. } => Some(kind.name()),
        _ => None,
    };
    (std::mem::discriminant(&decision.strike), kind)
}
