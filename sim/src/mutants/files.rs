//! The shrunk failures of planted bugs: each `sim/mutants/NAME.sim` must fail as it says where its
//! bug is planted, and must not fail where it is not.

use std::path::{Path, PathBuf};

use super::builds::Builds;
use super::patches::{Mutant, mutants};
use super::program::{Program, said_any};
use super::{LIVES, code, root};
use crate::report;

/// The last line of a replayed file.
const REPRODUCED: &str = "reproduced: ";
/// The words if nothing fails: some of the faults may strike only what the bug brings about.
const HARMLESS: [&str; 2] = ["passes", "stale: "];

/// Plays the files of the named bugs, or of all, prints what came of each, and gives the exit code.
pub(crate) fn replay(names: &[String]) -> u8 {
    code(replay_all(names))
}

fn replay_all(names: &[String]) -> Result<u8, String> {
    let root = root()?;
    let all = mutants(&root, names)?.into_iter();
    let (with_file, without): (Vec<_>, Vec<_>) = all.partition(|mutant| file_of(mutant).is_file());
    let builds = Builds::make(&root, &with_file)?;
    let mut reproduced = 0;
    for mutant in &with_file {
        let words = match builds.reproduces(mutant) {
            Ok(words) => {
                reproduced += 1;
                words
            }
            Err(why) => format!("FAILS: {why}"),
        };
        report::line(&format!("{:<32} {words}", mutant.name));
    }
    let (files, without) = (with_file.len(), without.len());
    report::line(&format!(
        "{reproduced} of {files} files are reproduced; {without} planted bugs have none"
    ));
    Ok(if reproduced == files { 0 } else { LIVES })
}

/// The file of a shrunk failure, beside the patch.
fn file_of(mutant: &Mutant) -> PathBuf {
    mutant.path.with_extension("sim")
}

impl Builds {
    /// That nothing fails without a bug.
    pub(super) fn is_harmless(&self, file: &Path) -> Result<(), String> {
        let without = verdict(&self.copy.plain, file)?;
        if HARMLESS.iter().any(|words| without.starts_with(words)) {
            Ok(())
        } else {
            Err(format!("without its bug: {without}"))
        }
    }

    /// The verdict on the file where the bug is planted.
    ///
    /// # Errors
    ///
    /// Errors if it passes there, or fails without the bug.
    fn reproduces(&self, mutant: &Mutant) -> Result<String, String> {
        let file = file_of(mutant);
        self.is_harmless(&file)?;
        let with = self.with(mutant, |simulator| verdict(simulator, &file))?;
        match with.strip_prefix(REPRODUCED) {
            Some(id) if mutant.ids.iter().any(|named| named == id) => Ok(with),
            _ => Err(format!("with its bug: {with}")),
        }
    }
}

/// The last line of what a simulator says of a file.
fn verdict(simulator: &Program, file: &Path) -> Result<String, String> {
    let said = said_any(simulator.command().arg("replay").arg(file));
    let said = said.ok_or_else(|| format!("{}: does not start", simulator.path.display()))?;
    let last = said.lines().last().unwrap_or_default();
    Ok(last.to_owned())
}
