//! `daemonize yes` and `pidfile`: a server behind the one that was started, and its number in a
//! file.
//!
//! The process starts itself once more, in a session of its own and without a terminal. It waits
//! until the other one listens or has said why it cannot: who starts a server in the background
//! learns by the exit code whether there is one.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::config::{Options, Supervised};
use crate::lines::complain;

/// Holds the number of the process that has started this one, to stand behind it.
const STARTER: &str = "BACKGROUND_OF_SEEDIS";
/// The byte that the server in the background sends when it listens.
const READY: u8 = 0x06;

/// Returns true if this process is the one in the background.
fn is_behind() -> bool {
    let starter = crate::config::variable(STARTER);
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().to_string());
    starter.is_some() && starter == parent
}

/// Returns true if a process in the background is to serve. One that is looked after by a service
/// manager stays where it is, as in Redis.
pub(crate) fn is_wanted(options: &Options) -> bool {
    let is_supervised = match options.supervised {
        Supervised::Systemd | Supervised::Auto => {
            crate::config::variable("NOTIFY_SOCKET").is_some()
        }
        Supervised::Upstart => true,
        Supervised::No => false,
    };
    options.daemonize.is_on() && !is_supervised && !is_behind()
}

/// Starts the process behind, and waits until it listens or cannot.
pub(crate) fn leave(options: &Options) -> Result<ExitCode, String> {
    if options.is_from_standard_input {
        let why = "the configuration came from standard input and cannot be read a second time";
        return Err(format!("daemonize: {why}: give a file"));
    }
    let failed = |error: std::io::Error| format!("cannot go into the background: {error}");
    let program = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(STARTER, std::process::id().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        for byte in std::io::BufReader::new(stderr).bytes() {
            match byte {
                Ok(READY) => return Ok(ExitCode::SUCCESS),
                Ok(byte) => said.push(byte),
                Err(_) => break,
            }
        }
    }
    let _ = std::io::stderr().write_all(&said);
    let status = child.wait().map_err(failed)?;
    if said.is_empty() {
        complain(&format!("the server in the background has ended: {status}"));
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The process behind leaves the terminal of the one that started it.
pub(crate) fn settle() {
    if is_behind() {
        let _ = rustix::process::setsid();
    }
}

/// The process behind listens: the one that started it may go.
pub(crate) fn is_ready() {
    if !is_behind() {
        return;
    }
    let told = std::io::stderr().write_all(&[READY]);
    let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null");
    if let (Ok(()), Ok(nowhere)) = (told, nowhere) {
        let _ = rustix::stdio::dup2_stderr(&nowhere);
    }
}

/// The file that holds the process's number, as long as this lives.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes it. A server without it serves all the same.
    pub(crate) fn write(path: &Path) -> Self {
        if let Err(error) = std::fs::write(path, format!("{}\n", std::process::id())) {
            tracing::warn!("cannot write the pidfile {}: {error}", path.display());
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { path }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Another server may have written its own by now.
        let own = std::process::id().to_string();
        if std::fs::read_to_string(&self.path).is_ok_and(|text| text.trim_end() == own) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
