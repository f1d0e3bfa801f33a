//! The outcome for each bug, in a file that a later hunt goes on with, and the sums by file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::bug::Bug;
use crate::hunt::Outcome;

/// The outcomes so far, by the names of bugs.
pub(crate) struct Results {
    file: File,
    known: BTreeMap<String, String>,
}

impl Results {
    /// Reads what is there, to go on behind it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let known = lines.map(|(name, rest)| (name.to_owned(), rest.to_owned()));
        Ok(Self {
            known: known.collect(),
            file: OpenOptions::new().create(true).append(true).open(path)?,
        })
    }

    /// Returns true if a bug was hunted before.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Writes down the outcome for a bug.
    pub(crate) fn add(&mut self, name: &str, outcome: &Outcome) -> io::Result<()> {
        writeln!(self.file, "{name}\t{outcome}")?;
        self.known.insert(name.to_owned(), outcome.to_string());
        Ok(())
    }

    /// A table by files, and the survivors by name, without those that are known to change nothing.
    pub(crate) fn summary(&self, bugs: &[Bug], equivalent: &BTreeMap<String, String>) -> String {
        let mut files: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
        let mut survivors = String::new();
        for bug in bugs {
            let Some(outcome) = self.known.get(&bug.name) else {
                continue;
            };
            let place = match outcome.split('\t').next() {
                Some("seed") => 0,
                Some("test") => 1,
                _ if equivalent.contains_key(&bug.name) => 2,
                _ => {
                    _ = writeln!(survivors, "{} (line {})", bug.name, bug.site.line);
                    3
                }
            };
            files.entry(&bug.file).or_default()[place] += 1;
        }
        let mut sums = [0; 4];
        let mut text = "| file | by a seed | by a test only | changes nothing | survived |\n\
                        |---|---|---|---|---|\n"
            .to_owned();
        for (file, counts) in &files {
            let [seed, test, same, survived] = counts;
            _ = writeln!(text, "| {file} | {seed} | {test} | {same} | {survived} |");
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        let [seed, test, same, survived] = sums;
        let others = (seed + test + survived).max(1) as f64;
        _ = writeln!(text, "| all | {seed} | {test} | {same} | {survived} |\n");
        _ = writeln!(
            text,
            "{:.1} % are found by seeds, {:.1} % by seeds or tests.\n",
            seed as f64 * 100.0 / others,
            (seed + test) as f64 * 100.0 / others,
        );
        text + "Survivors:\n" + &survivors
    }
}

/// The bugs that change nothing that anybody could see: their names, each with the reason behind
/// ` | `.
pub(crate) fn equivalent(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let lines = text.lines().filter_map(|line| line.rsplit_once(" | "));
    let pairs = lines.map(|(name, reason)| (name.to_owned(), reason.to_owned()));
    Ok(pairs.collect())
}
