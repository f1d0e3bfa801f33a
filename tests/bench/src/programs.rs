//! The programs that are measured: ours, and those beside it that are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::machine::said;

/// The name of our server in tables.
pub const OURS: &str = "seedis";
/// The peer that ratios are taken to.
pub const YARDSTICK: &str = "redis";

/// A server that is not started yet.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name in tables.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The version that it says.
    pub version: String,
}

impl Program {
    /// A program by its name and path.
    pub fn new(name: &str, path: &Path) -> Result<Self> {
        let words = said(&path.display().to_string(), &["--version"]);
        if words.is_empty() {
            let path = path.display();
            let words = format!("{name}: {path} does not say its version: is it a server?");
            return Err(Failure::new(words));
        }
        Ok(Self {
            name: name.to_owned(),
            // Servers run in directories of their own. A link stays one: some programs are
            // different servers by different names.
            path: std::path::absolute(path)?,
            version: version_in(&words),
        })
    }

    /// Our server: the given file, or one that is built now as this program was.
    pub fn ours(path: Option<&Path>) -> Result<Self> {
        match path {
            Some(path) => Self::new(OURS, path),
            None => Self::new(OURS, &build()?),
        }
    }

    /// The peers on the search path, and those that are given as `NAME=PATH`.
    pub fn peers(given: &[String]) -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for one in given {
            let (name, path) = one
                .split_once('=')
                .ok_or_else(|| Failure::new(format!("--peer {one}: NAME=PATH is wanted")))?;
            peers.push(Self::new(name, Path::new(path))?);
        }
        for (name, program) in [(YARDSTICK, "redis-server"), ("valkey", "valkey-server")] {
            if peers.iter().any(|peer| peer.name == name) {
                continue;
            }
            if let Some(path) = on_path(program) {
                peers.push(Self::new(name, &path)?);
            }
        }
        peers.sort_by_key(|peer| peer.name != YARDSTICK);
        Ok(peers)
    }
}

/// The file of a program on the search path.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let files = std::env::split_paths(&folders).map(|folder| folder.join(program));
    files.into_iter().find(|file| file.is_file())
}

/// The version among the words that servers say. Ours says first which Redis it stands for.
fn version_in(words: &str) -> String {
    if let Some(own) = words.lines().find_map(|line| line.strip_prefix("Seedis ")) {
        return own.to_owned();
    }
    let line = words.lines().next().unwrap_or_default();
    let named = line.split(' ').find_map(|word| word.strip_prefix("v="));
    named.unwrap_or(line).to_owned()
}

/// Builds our server with the profile of this program and returns its path.
fn build() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Programs lie in the folder of their profile, tests in `deps` below it.
    let folder = own
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .ok_or_else(|| Failure::new("this program lies in no folder"))?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--package", "seedis"]);
    cargo.args(["--bin", "seedis", "--manifest-path"]);
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    if !cargo.status()?.success() {
        return Err(Failure::new("seedis does not build"));
    }
    Ok(folder.join("seedis"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_servers_say() {
        for (words, version) in [
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc",
                "7.0.15",
            ),
            ("Valkey server v=9.1.2 sha=0", "9.1.2"),
            (
                "Redis server v=7.2.0 sha=0 build=seedis\nSeedis 0.1.0",
                "0.1.0",
            ),
            ("odd words", "odd words"),
        ] {
            assert_eq!(version_in(words), version);
        }
    }

    #[test]
    fn a_program_that_is_none_is_refused_by_name() {
        let failure = Program::peers(&["odd=/nowhere/at-all".to_owned()]).unwrap_err();
        assert!(failure.to_string().starts_with("odd: "), "{failure}");
        let failure = Program::peers(&["odd".to_owned()]).unwrap_err();
        assert!(failure.to_string().contains("NAME=PATH"), "{failure}");
    }
}
