//! `sim judge`: a history that somebody else has written down.

use std::fs;
use std::path::PathBuf;

use super::{Operation, Verdict, judge, parse, written};
use crate::report;

/// The arguments of `sim judge`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The history, one operation a line.
    file: PathBuf,
    /// How many states to search at most, for each part that shares no key with others.
    #[arg(long, default_value_t = 5_000_000)]
    budget: usize,
}

/// Judges the history in a file, and gives the exit code.
pub(crate) fn judge_file(args: &Args) -> u8 {
    let text = fs::read_to_string(&args.file).map_err(|error| error.to_string());
    let history = match text.and_then(|text| parse(&text)) {
        Ok(history) => history,
        Err(why) => {
            report::aside(&format!("{}: {why}", args.file.display()));
            return 2;
        }
    };
    let open = |one: &&Operation| one.answered.is_none();
    let (count, unanswered) = (history.len(), history.iter().filter(open).count());
    let counts = format!("operations={count} unanswered={unanswered}");
    match judge(&history, args.budget) {
        Verdict::Linearizable => {
            report::line(&format!("pass {counts}"));
            0
        }
        Verdict::GaveUp => {
            report::line(&format!("gave up after {} states: {counts}", args.budget));
            15
        }
        Verdict::Illegal(shown) => {
            report::line(&format!(
                "C1 not linearizable: no order explains the last of these {}:",
                shown.len()
            ));
            report::line(written(&shown).trim_end());
            report::line(&format!("each of them is needed for this; {counts}"));
            11
        }
    }
}
