//! Runs to their end: a seed as it was drawn, a `.sim` file as it is written, and the files that
//! stay.

use std::fs;
use std::path::{Path, PathBuf};

use crate::decisions::address::Address;
use crate::decisions::script::Script;
use crate::judge::invariant::Id;
use crate::report;
use crate::run::{self, Order, Outcome};
use crate::shrink::{self, Budget, Shrunk};
use crate::subject::Subject;

/// The exit code of a file that says nothing any more, and of a seed that passes.
const STALE: u8 = 18;

/// The outcome of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    /// It fails as it says.
    Reproduced,
    Passes,
    /// It passes, and some of its faults found nothing to strike.
    Stale {
        missed: usize,
        of: usize,
    },
    /// It fails, and otherwise than it says.
    Otherwise(Id),
}

impl Finding {
    fn of(script: &Script, outcome: &Outcome, applied: &[Option<Address>]) -> Self {
        let missed = applied.iter().filter(|applied| applied.is_none()).count();
        match &outcome.verdict {
            Err(violation) if violation.id == script.fires => Self::Reproduced,
            Err(violation) => Self::Otherwise(violation.id),
            Ok(()) if missed > 0 => Self::Stale {
                missed,
                of: applied.len(),
            },
            Ok(()) => Self::Passes,
        }
    }

    fn code(&self, outcome: &Outcome) -> u8 {
        match self {
            Self::Stale { .. } => STALE,
            _ => outcome.code(),
        }
    }

    fn words(&self, script: &Script) -> String {
        match self {
            Self::Reproduced => format!("reproduced: {}", script.fires),
            Self::Passes => "passes".to_owned(),
            Self::Stale { missed, of } => {
                format!("stale: {missed} of {of} faults no longer apply")
            }
            Self::Otherwise(id) => format!("fails with {id}, not with {}", script.fires),
        }
    }
}

/// Plays a script, and says what came of it and of its faults.
fn played(script: &Script, order: Order) -> Result<(Outcome, Finding, Vec<usize>), String> {
    let (outcome, applied) = run::play(script, order, u64::MAX)?;
    let finding = Finding::of(script, &outcome, &applied);
    let missed = (0..applied.len()).filter(|at| applied[*at].is_none());
    Ok((outcome, finding, missed.collect()))
}

/// Runs a seed or a file to its end, and gives the exit code.
pub(crate) fn play(subject: &Subject) -> u8 {
    let Some(script) = &subject.script else {
        let outcome = run::run(subject.order);
        outcome.print();
        return outcome.code();
    };
    let (outcome, finding, missed) = match played(script, subject.order) {
        Ok(played) => played,
        Err(why) => {
            report::aside(&why);
            return 2;
        }
    };
    for at in missed {
        let decision = &script.decisions[at];
        report::line(&format!("never applied: {decision}"));
    }
    outcome.print_as(subject.name());
    report::line(&finding.words(script));
    finding.code(&outcome)
}

/// Prints each fault that struck in a run of a seed, as a file would have it; gives the exit code.
pub(crate) fn faults(subject: &Subject) -> u8 {
    if subject.script.is_some() {
        report::aside("--faults needs a seed: a `.sim` file lists its faults itself");
        return 2;
    }
    let (outcome, _, record) = run::record(subject.order);
    for one in record.fired {
        let (event, time) = (one.event, one.time as f64 / 1e9);
        report::line(&format!("{event:>7} {time:>12.6}s {}", one.decision));
    }
    outcome.print();
    outcome.code()
}

/// Plays all files of a directory, and gives the exit code.
pub(crate) fn regressions(directory: &Path) -> u8 {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            report::aside(&format!("{}: {error}", directory.display()));
            return 2;
        }
    };
    let is_file = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "sim");
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.filter(is_file).collect();
    paths.sort();
    let mut worst = 0;
    for path in &paths {
        let name = path.display();
        let played = Subject::read_file(path).and_then(|subject| {
            let script = subject.script.as_ref().ok_or("no such file")?;
            let (outcome, finding, _) = played(script, subject.order)?;
            Ok((finding.words(script), finding.code(&outcome)))
        });
        let (words, code) = played.unwrap_or_else(|why| (why, 2));
        report::line(&format!("{name}: {words}"));
        worst = worst.max(code);
    }
    report::line(&format!("{} files", paths.len()));
    worst
}

/// Shrinks a seed into a file, and gives the exit code.
pub(crate) fn shrink(order: Order, budget: Budget, output: Option<PathBuf>, brief: bool) -> u8 {
    let shrunk = match shrink::shrink(order, budget) {
        Ok(shrunk) => shrunk,
        Err(why) => {
            report::aside(&why);
            return STALE;
        }
    };
    let name = format!("{}-{}.sim", order.profile.name(), order.seed);
    let path = output.unwrap_or_else(|| PathBuf::from(name));
    if let Err(error) = fs::write(&path, &shrunk.file) {
        report::aside(&format!("{}: {error}", path.display()));
        return 2;
    }
    let Shrunk {
        faults,
        operations,
        wall,
        trials,
        fires,
        file,
    } = shrunk;
    if !brief {
        report::line(file.trim_end());
        report::line("");
    }
    report::line(&format!(
        "fires={fires} faults={} operations={} seconds={:.1} runs={trials} faults-before={} \
         operations-before={}",
        faults[1],
        operations[1],
        wall.as_secs_f64(),
        faults[0],
        operations[0],
    ));
    if !brief {
        report::line(&format!("reproduce: sim replay {}", path.display()));
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All files of a directory of the simulator, and what comes of each.
    fn all_played(directory: &str) -> Vec<(PathBuf, Finding)> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let entries = fs::read_dir(directory).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sim"));
        let play = |path: PathBuf| {
            let subject = Subject::read_file(&path).unwrap();
            let (_, finding, _) = played(&subject.script.unwrap(), subject.order).unwrap();
            (path, finding)
        };
        paths.map(play).collect()
    }

    #[test]
    fn bugs_that_were_mended_stay_so() {
        for (path, finding) in all_played("regressions") {
            assert_eq!(finding, Finding::Passes, "{}", path.display());
        }
    }

    #[test]
    fn without_its_planted_bug_no_file_fails() {
        let played = all_played("mutants");
        assert!(!played.is_empty());
        for (path, finding) in played {
            let fails = matches!(finding, Finding::Reproduced | Finding::Otherwise(_));
            assert!(!fails, "{}: {finding:?}", path.display());
        }
    }

    #[test]
    fn a_fault_that_finds_nothing_to_strike_makes_a_file_stale() {
        let text = "fires R7\nfrom raft 1\nsteady\nset members 3\nset founders 3\nset runs 2s\n\
                    pause n1 at 1s: 20ms\nlose 900th piece n1>n2 in term 77\n";
        let script = Script::read(text).unwrap();
        let order = Order::quiet(script.seed, script.profile);
        let (_, finding, missed) = played(&script, order).unwrap();
        assert_eq!(missed, [1]);
        assert_eq!(finding, Finding::Stale { missed: 1, of: 2 });
        let words = finding.words(&script);
        assert_eq!(words, "stale: 1 of 2 faults no longer apply");
    }
}
