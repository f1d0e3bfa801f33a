//! A copy of the project with all bugs in it, each behind its switch, and the programs built of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that says which bug a program has.
pub const SWITCH: &str = "SEEDIS_MUTANT";
/// The parts of the project that a copy needs.
const PARTS: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "sim",
    "fuzz",
    "tests",
    "examples",
];

/// The switch of the core: set once by the simulator, read from the environment in its own tests.
const CORE: &str = r#"//! Which of the planted bugs is there.

use core::sync::atomic::{AtomicUsize, Ordering};

static ACTIVE: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Plants this bug.
pub fn set(number: usize) {
    ACTIVE.store(number, Ordering::Relaxed);
}

/// Returns true if this bug is there.
#[inline]
#[must_use]
pub fn is(number: usize) -> bool {
    #[cfg(test)]
    {
        extern crate std;
        static READ: std::sync::Once = std::sync::Once::new();
        READ.call_once(|| {
            if let Ok(text) = std::env::var("SEEDIS_MUTANT") {
                set(text.parse().unwrap());
            }
        });
    }
    ACTIVE.load(Ordering::Relaxed) == number
}
"#;
/// The simulator is told by its environment.
const MAIN: &str = r#"fn main() -> std::process::ExitCode {
    if let Ok(text) = std::env::var("SEEDIS_MUTANT") {
        seedis::mutant::set(text.parse().unwrap());
    }
"#;

/// The copy.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Copies the project to where its builds may lie.
    pub fn new(from: &Path, root: &Path) -> io::Result<Self> {
        for part in PARTS {
            let old = root.join(part);
            let _ = fs::remove_dir_all(&old).or_else(|_| fs::remove_file(&old));
        }
        fs::create_dir_all(root)?;
        for part in PARTS {
            copy(&from.join(part), &root.join(part))?;
        }
        fs::write(root.join("src/mutant.rs"), CORE)?;
        let lib = root.join("src/lib.rs");
        fs::write(&lib, fs::read_to_string(&lib)? + "\npub mod mutant;\n")?;
        let main = root.join("sim/src/main.rs");
        let text = fs::read_to_string(&main)?;
        let head = "fn main() -> std::process::ExitCode {\n";
        if !text.contains(head) {
            let why = "sim/src/main.rs has no main function of the known form";
            return Err(io::Error::other(why));
        }
        fs::write(&main, text.replace(head, MAIN))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The directory of the copy.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Plants so many bugs, leaving out those that do not compile: the numbers of the others. The
    /// files are asked for with those that are left.
    pub fn plant(
        &self,
        bugs: usize,
        files: impl Fn(&BTreeSet<usize>) -> io::Result<BTreeMap<String, String>>,
    ) -> io::Result<BTreeSet<usize>> {
        let mut left: BTreeSet<usize> = (0..bugs).collect();
        loop {
            for (file, text) in files(&left)? {
                fs::write(self.root.join(file), text)?;
            }
            let wrong = self.wrong()?;
            if wrong.is_empty() {
                return Ok(left);
            }
            let before = left.len();
            left.retain(|number| !wrong.contains(number));
            println!(
                "{} do not compile, {} are left",
                before - left.len(),
                left.len()
            );
            if left.len() == before {
                return Err(io::Error::other(
                    "no bug is to blame for what does not compile",
                ));
            }
        }
    }

    /// The bugs that stand where the compiler finds errors.
    fn wrong(&self) -> io::Result<BTreeSet<usize>> {
        let output = self
            .cargo(&[
                "check",
                "--lib",
                "--no-default-features",
                "--message-format=json",
            ])
            .stderr(Stdio::null())
            .output()?;
        let mut wrong = BTreeSet::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else {
                continue;
            };
            let message = &value["message"];
            if message["level"] != "error" {
                continue;
            }
            for span in message["spans"].as_array().into_iter().flatten() {
                self.blame(span, &mut wrong)?;
            }
        }
        if wrong.is_empty() && !output.status.success() {
            return Err(io::Error::other(
                "the copy does not compile: cargo check there says why",
            ));
        }
        Ok(wrong)
    }

    /// Adds the bugs whose switches stand on the lines of an error, or else the nearest one before.
    fn blame(&self, span: &serde_json::Value, wrong: &mut BTreeSet<usize>) -> io::Result<()> {
        let (Some(file), Some(first), Some(last)) = (
            span["file_name"].as_str(),
            span["line_start"].as_u64(),
            span["line_end"].as_u64(),
        ) else {
            return Ok(());
        };
        if span["is_primary"] != true {
            return Ok(());
        }
        let text = fs::read_to_string(self.root.join(file))?;
        let lines: Vec<&str> = text.lines().collect();
        let (first, last) = (first as usize - 1, last as usize);
        let found = switches(&lines[first..last.min(lines.len())].join("\n"));
        if found.is_empty() {
            let before = switches(&lines[..first].join("\n"));
            wrong.extend(before.last());
        }
        wrong.extend(found);
        Ok(())
    }

    /// Builds the simulator; where it lies.
    pub fn simulator(&self) -> io::Result<PathBuf> {
        let built = self.cargo(&["build", "--release", "-p", "sim"]).status()?;
        if !built.success() {
            return Err(io::Error::other(
                "the simulator with all bugs does not build",
            ));
        }
        Ok(self.root.join("target/release/sim"))
    }

    /// Builds the core's own tests; where they lie.
    pub fn tests(&self) -> io::Result<PathBuf> {
        let arguments = [
            "test",
            "--lib",
            "--no-default-features",
            "--no-run",
            "--message-format=json",
        ];
        let output = self.cargo(&arguments).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let values = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut programs = values.filter_map(|value: serde_json::Value| {
            let is_test = value["profile"]["test"] == true;
            let program = value["executable"].as_str().filter(|_| is_test)?;
            Some(PathBuf::from(program))
        });
        let last = programs.next_back();
        last.ok_or_else(|| io::Error::other("the tests with all bugs do not build"))
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.root)
            .args(arguments)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("RUSTFLAGS", "--cap-lints allow");
        command
    }
}

/// The numbers of the switches in a text, in their order.
fn switches(text: &str) -> Vec<usize> {
    let behind = text.split("crate::mutant::is(").skip(1);
    let numbers = behind.filter_map(|rest| rest.split(')').next()?.parse().ok());
    numbers.collect()
}

/// Copies a file or a directory, but what builds leave in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name != "target" && name != "corpus" {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}
