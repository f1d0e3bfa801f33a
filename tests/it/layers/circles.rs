//! Circles of files: files that name each other, directly or by way of others.
//!
//! To understand one file of a circle, one has to read all of them. A file names another where a
//! `use` or a path in its code leads to it; `mod x;` alone names nothing.

use std::collections::{BTreeMap, BTreeSet};

/// A module as a path below the crate's root: `["raft", "log"]`.
type Module = Vec<String>;

/// Which modules name which.
#[derive(Default)]
pub(super) struct Names(BTreeMap<Module, BTreeSet<Module>>);

/// The module that the file at `below` (a path below `src/`) holds.
pub(super) fn module_of(below: &str) -> Module {
    let path = below.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/')
        .filter(|step| *step != "lib" && *step != "main")
        .map(String::from)
        .collect()
}

impl Names {
    /// Takes note of what each file names: its module, and every path in it, from the root of the
    /// crate on.
    pub(super) fn of(files: &[(Module, Vec<String>)]) -> Self {
        let modules: BTreeSet<&Module> = files.iter().map(|(module, _)| module).collect();
        let mut names = Self::default();
        for (module, paths) in files {
            let named = names.0.entry(module.clone()).or_default();
            for path in paths {
                let mut target: Module = path.split("::").map(String::from).collect();
                while !target.is_empty() && !modules.contains(&target) {
                    target.pop();
                }
                if !target.is_empty() && target != *module {
                    named.insert(target);
                }
            }
        }
        names
    }

    /// Each circle as the modules in it, `a::b` and in order, the largest circle last.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<&Module, BTreeSet<&Module>> = self
            .0
            .keys()
            .map(|from| (from, self.reached(from)))
            .collect();
        let mut circles = BTreeSet::new();
        for (module, reached) in &reach {
            if reached.contains(module) {
                let back = |other: &&&Module| reach[**other].contains(module);
                let circle: Vec<String> =
                    reached.iter().filter(back).map(|m| m.join("::")).collect();
                circles.insert((circle.len(), circle));
            }
        }
        circles.into_iter().map(|(_, circle)| circle).collect()
    }

    /// All modules to which a way leads from this one.
    fn reached(&self, from: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Module> = self.0[from].iter().collect();
        while let Some(module) = open.pop() {
            if reached.insert(module) {
                open.extend(&self.0[module]);
            }
        }
        reached
    }
}
