//! The machine, the commit and the moment of a measurement: what a figure means nothing without.

use std::fs;
use std::process::Command;

/// A load average above this says that something else runs.
const LOAD_MAX: f64 = 0.5;

/// The facts that stand above a table.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Each fact by its name.
    pub facts: Vec<(&'static str, String)>,
    /// The machine has other work.
    pub is_busy: bool,
}

impl Machine {
    /// Looks at this machine.
    pub fn look() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let processor = match fs::read_to_string("/proc/cpuinfo") {
            Ok(text) => line_of(&text, "model name").unwrap_or_default(),
            Err(_) => std::env::consts::ARCH.to_owned(),
        };
        let average = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let average = average.split(' ').next().unwrap_or_default().to_owned();
        let is_busy = average.parse::<f64>().is_ok_and(|load| load > LOAD_MAX);
        let arguments = std::env::args().skip(1).collect::<Vec<_>>();
        let facts = vec![
            (
                "command",
                format!("cargo run -rp bench -- {}", arguments.join(" ")),
            ),
            ("commit", commit()),
            ("processor", format!("{processor}, {cores} cores")),
            ("kernel", said("uname", &["-sr"])),
            ("date", said("date", &["-u", "+%Y-%m-%d %H:%M"])),
            ("load average before", average),
        ];
        Self { facts, is_busy }
    }

    /// The facts as a list.
    pub fn markdown(&self) -> String {
        let lines = self.facts.iter().filter(|(_, fact)| !fact.is_empty());
        let mut lines = lines
            .map(|(name, fact)| format!("* {name}: {fact}\n"))
            .collect::<Vec<_>>();
        if self.is_busy {
            lines.push("* **the machine had other work: do not publish these figures**\n".into());
        }
        lines.concat()
    }
}

/// The commit, and a star if the tree differs from it.
fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]);
    commit + if changed.is_empty() { "" } else { "*" }
}

/// The value of a line `name : value`.
fn line_of(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The words that a program prints; nothing if it is missing.
pub fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
