//! A copy of the tree, on which patches are put, and its simulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::names_in;
use super::program::{Program, said};
use crate::digest::Digest;

/// The copy of the tree and where it is built.
pub(super) struct Copy {
    pub(super) tree: PathBuf,
    target: PathBuf,
    /// The simulator of the tree as it is.
    pub(super) plain: Program,
}

impl Copy {
    /// Copies the tree. The simulator that runs here is that of the tree as it is.
    pub(super) fn make(root: &Path) -> Result<Self, String> {
        let mut digest = Digest::new();
        digest.bytes(root.to_string_lossy().as_bytes());
        let name = format!("seedis-mutants-{:016x}", digest.bits() as u64);
        let base = std::env::temp_dir().join(name);
        let copy = Self {
            tree: base.join("tree"),
            target: base.join("target"),
            plain: Program {
                path: base.join("sim-without-a-mutant"),
                switch: None,
            },
        };
        let failed = |error: std::io::Error| format!("{}: {error}", base.display());
        if copy.tree.exists() {
            fs::remove_dir_all(&copy.tree).map_err(failed)?;
        }
        copy_tree(root, &copy.tree)?;
        // The tree may be built anew while mutants are hunted.
        let own = std::env::current_exe().map_err(failed)?;
        fs::copy(own, &copy.plain.path).map_err(failed)?;
        Ok(copy)
    }

    /// The simulator of the copy as it was built last.
    fn simulator(&self) -> Program {
        Program {
            path: self.target.join("release/sim"),
            switch: None,
        }
    }

    /// The file for a mutant's shrunk failure.
    pub(super) fn file_of(&self, mutant: &str) -> PathBuf {
        self.tree.with_file_name(format!("{mutant}.sim"))
    }

    fn build(&self) -> Result<(), String> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--quiet", "--release", "--package", "sim"])
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            // A mutant lives for some hundred runs: what counts is how soon it is built.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "1");
        said(&mut cargo).map(|_| ()).map_err(|why| {
            let first = why.lines().find(|line| line.starts_with("error"));
            format!("does not build: {}", first.unwrap_or("cargo failed"))
        })
    }

    /// Builds the copy with a patch, does something with its simulator, and takes the patch off.
    pub(super) fn with<T>(
        &self,
        path: &Path,
        act: impl FnOnce(&Program) -> Result<T, String>,
    ) -> Result<T, String> {
        patch(&self.tree, path, false)?;
        let done = self.build().and_then(|()| act(&self.simulator()));
        patch(&self.tree, path, true)?;
        done
    }
}

/// Puts a patch on a copy of the tree, or takes it off.
pub(super) fn patch(tree: &Path, path: &Path, back: bool) -> Result<(), String> {
    let mut git = Command::new("git");
    git.arg("apply")
        .args(back.then_some("--reverse"))
        .arg(path)
        .current_dir(tree);
    // Whatever lies around the copy, it is no repository.
    if let Some(above) = tree.parent() {
        git.env("GIT_CEILING_DIRECTORIES", above);
    }
    said(&mut git)
        .map(|_| ())
        .map_err(|why| format!("the patch no longer applies: {}", why.trim()))
}

/// Copies all but hidden files and build products.
fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(failed)?;
    for path in names_in(from)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" || name == "data" {
            continue;
        }
        let copy = to.join(&*name);
        if path.is_dir() {
            copy_tree(&path, &copy)?;
        } else {
            fs::copy(&path, &copy).map_err(failed)?;
        }
    }
    Ok(())
}
