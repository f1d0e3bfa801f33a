//! A copy of the tree, on which patches are put, and its simulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::names_in;
use crate::digest::Digest;
use crate::report;

/// The copy of the tree and where it is built.
pub(super) struct Copy {
    tree: PathBuf,
    target: PathBuf,
    /// The simulator of the tree as it is.
    pub(super) plain: PathBuf,
}

impl Copy {
    /// Copies the tree and builds it as it is.
    pub(super) fn make(root: &Path) -> Result<Self, String> {
        let mut digest = Digest::new();
        digest.bytes(root.to_string_lossy().as_bytes());
        let name = format!("seedis-mutants-{:016x}", digest.bits() as u64);
        let base = std::env::temp_dir().join(name);
        let copy = Self {
            tree: base.join("tree"),
            target: base.join("target"),
            plain: base.join("sim-without-a-mutant"),
        };
        report::aside("building the tree without a planted bug");
        let failed = |error: std::io::Error| format!("{}: {error}", base.display());
        if copy.tree.exists() {
            fs::remove_dir_all(&copy.tree).map_err(failed)?;
        }
        copy_tree(root, &copy.tree)?;
        copy.build()?;
        fs::copy(copy.simulator(), &copy.plain).map_err(failed)?;
        Ok(copy)
    }

    pub(super) fn simulator(&self) -> PathBuf {
        self.target.join("release/sim")
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
        act: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        self.patch(path, false)?;
        let done = self.build().and_then(|()| act());
        self.patch(path, true)?;
        done
    }

    /// Puts a patch on the copy, or takes it off.
    pub(super) fn patch(&self, path: &Path, back: bool) -> Result<(), String> {
        let mut git = Command::new("git");
        git.arg("apply")
            .args(back.then_some("--reverse"))
            .arg(path)
            .current_dir(&self.tree);
        // Whatever lies around the copy, it is no repository.
        if let Some(above) = self.tree.parent() {
            git.env("GIT_CEILING_DIRECTORIES", above);
        }
        said(&mut git)
            .map(|_| ())
            .map_err(|why| format!("the patch no longer applies: {}", why.trim()))
    }
}

/// The output of a command, whatever its exit code.
pub(super) fn said_any(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The output of a command; if it fails, its complaint.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
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
