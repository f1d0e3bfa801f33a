//! The hunt for one bug: by simulated runs first, then by the core's own tests.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::tree::SWITCH;

/// How much longer than it was given a program may take before it is held to hang.
const GRACE: Duration = Duration::from_mins(1);

/// The end of a hunt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A simulated run has found it: what fell.
    Seed(String),
    /// Only a test of the core has.
    Test(String),
    /// Nothing has.
    Survived,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(what) => write!(f, "seed\t{what}"),
            Self::Test(what) => write!(f, "test\t{what}"),
            Self::Survived => write!(f, "survived\t"),
        }
    }
}

/// Lets simulated runs of all profiles look for a bug for so long.
pub(crate) fn by_seeds(
    simulator: &Path,
    bug: usize,
    seeds: &str,
    time: Duration,
) -> io::Result<Option<String>> {
    let limit = format!("{}s", time.as_secs());
    let arguments = [
        "fleet",
        "--seeds",
        seeds,
        "--jobs",
        "1",
        "--fail-fast",
        "--time",
    ];
    let mut command = Command::new(simulator);
    command
        .args(arguments)
        .arg(&limit)
        .env(SWITCH, bug.to_string());
    let Some((is_well, text)) = ended(command, time + GRACE)? else {
        return Ok(Some("a turn without an end".to_owned()));
    };
    if is_well {
        return Ok(None);
    }
    let failed = text.lines().find_map(|line| {
        let (id, rest) = line.split_once(" fails: ")?;
        let profile = rest.rsplit(' ').next()?;
        Some(format!("{id} {profile}"))
    });
    Ok(Some(failed.unwrap_or_else(|| "a panic".to_owned())))
}

/// Lets the tests of the core look for it.
pub(crate) fn by_tests(tests: &Path, bug: usize, time: Duration) -> io::Result<Option<String>> {
    let mut command = Command::new(tests);
    command.arg("--test-threads=1").env(SWITCH, bug.to_string());
    let Some((is_well, text)) = ended(command, time + GRACE)? else {
        return Ok(Some("a test without an end".to_owned()));
    };
    if is_well {
        return Ok(None);
    }
    let failed = text.lines().find_map(|line| {
        let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some(name.to_owned())
    });
    Ok(Some(failed.unwrap_or_else(|| "a panic".to_owned())))
}

/// Waits for a program: true if it has ended well, and its output; nothing if it had to be killed.
pub fn ended(mut command: Command, limit: Duration) -> io::Result<Option<(bool, String)>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let readers = [
        child.stdout.take().map(reader),
        child.stderr.take().map(reader),
    ];
    let status = wait(&mut child, limit)?;
    let mut text = String::new();
    for one in readers.into_iter().flatten() {
        text += &one.join().unwrap_or_default();
    }
    Ok(status.map(|is_well| (is_well, text)))
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has said what it said.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<bool>> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if began.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}
