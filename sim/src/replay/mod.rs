//! Playing again: a seed as it was drawn, or a `.sim` file as it is written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::decisions::address::Address;
use crate::decisions::script::Script;
use crate::judge::invariant::Id;
use crate::report;
use crate::run::{self, Order, Outcome};
use crate::scenario::Profile;
use crate::shrink::{self, Budget, Shrunk};

/// The exit code of a file that says nothing any more, and of a seed that passes.
const STALE: u8 = 18;

/// What came of a file.
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

fn read(path: &Path) -> Result<Script, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    Script::read(&text).map_err(|wrong| format!("{name}:{}: {}", wrong.line, wrong.why))
}

fn order_of(script: &Script, events: u64, trace: bool) -> Order {
    Order {
        seed: script.seed,
        profile: script.profile,
        events,
        trace,
        columns: false,
    }
}

/// Plays a seed or a file, and gives the exit code.
pub(crate) fn replay(what: &str, profile: Profile, events: u64, trace: bool, faults: bool) -> u8 {
    if let Ok(seed) = what.parse() {
        let order = Order {
            seed,
            profile,
            events,
            trace,
            columns: false,
        };
        let outcome = if faults {
            let (outcome, _, record) = run::record(order);
            for one in record.fired {
                let (event, time) = (one.event, one.time as f64 / 1e9);
                report::line(&format!("{event:>7} {time:>12.6}s {}", one.decision));
            }
            outcome
        } else {
            run::run(order)
        };
        outcome.print();
        return outcome.code();
    }
    let path = Path::new(what);
    let played = read(path).and_then(|script| {
        let (outcome, applied) = run::play(&script, order_of(&script, events, trace), u64::MAX)?;
        Ok((script, outcome, applied))
    });
    let (script, outcome, applied) = match played {
        Ok(played) => played,
        Err(why) => {
            report::aside(&why);
            return 2;
        }
    };
    let finding = Finding::of(&script, &outcome, &applied);
    let missed = script.decisions.iter().zip(&applied);
    for (decision, _) in missed.filter(|(_, applied)| applied.is_none()) {
        report::line(&format!("found nothing to strike: {decision}"));
    }
    outcome.print_with(&format!("sim replay {what} --trace"));
    report::line(&finding.words(&script));
    match finding {
        Finding::Stale { .. } => STALE,
        _ => outcome.code(),
    }
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
        let played = read(path).and_then(|script| {
            let (outcome, applied) =
                run::play(&script, order_of(&script, run::EVENTS, false), u64::MAX)?;
            let finding = Finding::of(&script, &outcome, &applied);
            let words = finding.words(&script);
            let code = match finding {
                Finding::Stale { .. } => STALE,
                _ => outcome.code(),
            };
            Ok((words, code))
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
    fn played(directory: &str) -> Vec<(PathBuf, Finding)> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let entries = fs::read_dir(directory).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sim"));
        let play = |path: PathBuf| {
            let script = read(&path).unwrap();
            let order = order_of(&script, run::EVENTS, false);
            let (outcome, applied) = run::play(&script, order, u64::MAX).unwrap();
            let finding = Finding::of(&script, &outcome, &applied);
            (path, finding)
        };
        paths.map(play).collect()
    }

    #[test]
    fn bugs_that_were_mended_stay_so() {
        for (path, finding) in played("regressions") {
            assert_eq!(finding, Finding::Passes, "{}", path.display());
        }
    }

    #[test]
    fn without_its_planted_bug_no_file_fails() {
        let played = played("mutants");
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
        let order = order_of(&script, run::EVENTS, false);
        let (outcome, applied) = run::play(&script, order, u64::MAX).unwrap();
        let finding = Finding::of(&script, &outcome, &applied);
        assert_eq!(finding, Finding::Stale { missed: 1, of: 2 });
        let words = finding.words(&script);
        assert_eq!(words, "stale: 1 of 2 faults no longer apply");
    }
}
