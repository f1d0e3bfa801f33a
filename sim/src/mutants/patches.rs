//! The patches: what each breaks, and who must see it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use super::names_in;
use crate::judge::invariant::Id;
use crate::scenario::Profile;

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The description of the bug, in one sentence.
    pub(super) words: String,
    /// The invariants that may fire.
    pub(super) ids: Vec<String>,
    pub(super) profiles: Vec<Profile>,
}

/// A patch that takes something from the simulator.
#[derive(Clone, Debug)]
pub(super) struct Blind {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The mutants that must live then.
    pub(super) lets: Vec<String>,
}

/// The patches asked for, in the order of their names.
pub(super) fn mutants(root: &Path, names: &[String]) -> Result<Vec<Mutant>, String> {
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
pub(super) fn blinded(root: &Path, names: &[String]) -> Result<Vec<Blind>, String> {
    let mut all = Vec::new();
    for path in names_in(&root.join("sim/mutants/simulator"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let head = text.lines().next().unwrap_or_default();
        let (_, lets) = head
            .split_once('|')
            .ok_or_else(|| format!("{name}.patch: its first line does not describe the bug"))?;
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
    /// The files that the patch changes, from the root of the tree.
    pub(super) fn files(&self) -> Result<Vec<String>, String> {
        let text = fs::read_to_string(&self.path).map_err(|error| error.to_string())?;
        let names = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
        Ok(names.map(str::to_owned).collect())
    }

    fn read(name: &str, path: &Path, text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{name}.patch: {what}");
        let head = text.lines().next().unwrap_or_default();
        let parts: Vec<&str> = head.split('|').map(str::trim).collect();
        let [words, ids, profiles] = parts[..] else {
            return Err(wrong(
                "its first line must be: what is broken | invariants | profiles",
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// An invariant that no planted bug breaks may be one that never fires.
    #[test]
    fn every_invariant_has_a_planted_bug() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let planted = mutants(&root, &[]).unwrap();
        let broken: BTreeSet<&String> = planted.iter().flat_map(|mutant| &mutant.ids).collect();
        for id in Id::ALL {
            assert!(
                broken.contains(&id.to_string()),
                "no planted bug breaks {id}"
            );
        }
    }
}
