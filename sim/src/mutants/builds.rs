//! The simulators with planted bugs: one for all bugs that change bodies of functions alone, each
//! behind a switch, and one of its own for each of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use mutate::{Bodies, Tree, changed, merged};

use super::copy::{Copy, patch};
use super::patches::Mutant;
use super::program::Program;
use crate::report;

/// The copies of the tree in which mutants are built.
pub(super) struct Builds {
    /// The tree as it is, on which a patch is put that has a build of its own.
    pub(super) copy: Copy,
    shared: Option<Shared>,
}

/// The build that many share.
struct Shared {
    tree: Tree,
    program: Program,
    /// The switches by the names of mutants.
    switches: BTreeMap<String, usize>,
}

impl Builds {
    /// Copies the tree, and builds it with all mutants that can share a build.
    pub(super) fn make(root: &Path, mutants: &[Mutant]) -> Result<Self, String> {
        let copy = Copy::make(root)?;
        let shared = Shared::make(root, &copy, mutants)?;
        if let Some(shared) = &shared {
            let has_own = |mutant: &&Mutant| !shared.switches.contains_key(&mutant.name);
            let own: Vec<&str> = mutants.iter().filter(has_own).map(|m| &*m.name).collect();
            report::line(&format!(
                "{} planted bugs share a build, {} have their own{}{}",
                shared.switches.len(),
                own.len(),
                if own.is_empty() { "" } else { ": " },
                own.join(" ")
            ));
        }
        Ok(Self { copy, shared })
    }

    /// Does something with a simulator that has this bug.
    pub(super) fn with<T>(
        &self,
        mutant: &Mutant,
        act: impl FnOnce(&Program) -> Result<T, String>,
    ) -> Result<T, String> {
        match self.shared.as_ref().and_then(|shared| shared.of(mutant)) {
            Some(program) => act(&program),
            None => self.copy.with(&mutant.path, act),
        }
    }

    /// Does something while a patch of the simulator itself is on all builds.
    pub(super) fn blinded<T>(
        &self,
        path: &Path,
        act: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        self.patch(path, false)?;
        let done = act();
        self.patch(path, true)?;
        done
    }

    fn patch(&self, path: &Path, back: bool) -> Result<(), String> {
        patch(&self.copy.tree, path, back)?;
        if let Some(shared) = &self.shared {
            patch(shared.tree.root(), path, back)?;
            shared.tree.simulator().map_err(|error| told(&error))?;
        }
        Ok(())
    }
}

impl Shared {
    /// Builds all mutants that can share a build; nothing where that is of no use.
    fn make(root: &Path, copy: &Copy, mutants: &[Mutant]) -> Result<Option<Self>, String> {
        let mut names = Vec::new();
        let mut all = Vec::new();
        for mutant in mutants {
            if let Some(bodies) = bodies_of(root, copy, mutant)? {
                names.push(&mutant.name);
                all.push(bodies);
            }
        }
        if all.len() < 2 {
            return Ok(None);
        }
        report::aside(&format!("building {} planted bugs at once", all.len()));
        let tree =
            Tree::new(root, &copy.tree.with_file_name("shared")).map_err(|error| told(&error))?;
        let planted = tree
            .plant(all.len(), |left| files_with(root, &all, left))
            .map_err(|error| told(&error))?;
        let path = tree.simulator().map_err(|error| told(&error))?;
        let switches = planted.into_iter().map(|n| (names[n].clone(), n));
        Ok(Some(Self {
            switches: switches.collect(),
            program: Program { path, switch: None },
            tree,
        }))
    }

    fn of(&self, mutant: &Mutant) -> Option<Program> {
        let switch = self.switches.get(&mutant.name).copied()?;
        Some(Program {
            switch: Some(switch),
            ..self.program.clone()
        })
    }
}

/// The bodies that a mutant changes, by files; nothing if it changes anything else.
fn bodies_of(
    root: &Path,
    copy: &Copy,
    mutant: &Mutant,
) -> Result<Option<BTreeMap<String, Bodies>>, String> {
    // One that no longer applies says so when its turn comes.
    if patch(&copy.tree, &mutant.path, false).is_err() {
        return Ok(None);
    }
    let patched = mutant.files().and_then(|files| {
        let texts = files.into_iter().map(|file| {
            let text = fs::read_to_string(copy.tree.join(&file)).map_err(|error| told(&error))?;
            Ok((file, text))
        });
        texts.collect::<Result<Vec<_>, String>>()
    });
    patch(&copy.tree, &mutant.path, true)?;
    let mut all = BTreeMap::new();
    for (file, text) in patched? {
        let source = fs::read_to_string(root.join(&file)).map_err(|error| told(&error))?;
        let bodies = changed(&source, &text).map_err(|error| format!("{file}: {error}"))?;
        let Some(bodies) = bodies else {
            return Ok(None);
        };
        all.insert(file, bodies);
    }
    Ok(Some(all))
}

/// The files with the bodies of those mutants that are left.
fn files_with(
    root: &Path,
    all: &[BTreeMap<String, Bodies>],
    left: &BTreeSet<usize>,
) -> io::Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<&String, Vec<(usize, &Bodies)>> = BTreeMap::new();
    for (number, mutant) in all.iter().enumerate() {
        for (file, bodies) in mutant {
            let versions = files.entry(file).or_default();
            versions.extend(left.contains(&number).then_some((number, bodies)));
        }
    }
    let texts = files.into_iter().map(|(file, versions)| {
        let source = fs::read_to_string(root.join(file))?;
        let text = merged(&source, &versions).map_err(io::Error::other)?;
        Ok((file.clone(), text))
    });
    texts.collect()
}

fn told(error: &io::Error) -> String {
    error.to_string()
}
