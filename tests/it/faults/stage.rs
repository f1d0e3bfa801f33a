//! A process whose standard streams a test holds in its hands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Client, Directory, free_port};

/// Nothing here takes so long unless it hangs.
pub(super) const HANGS: Duration = Duration::from_secs(30);

/// A process that is gone when the test is.
pub(super) struct Process {
    child: Child,
    pub(super) port: u16,
}

impl Process {
    /// Any of the program's commands.
    pub(super) fn spawn(words: &[&str], out: impl Into<Stdio>, errors: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
        command.args(words);
        Self::run(command, 0, out, errors)
    }

    /// A server that does not answer yet.
    pub(super) fn server(
        dir: &Path,
        options: &[&str],
        out: impl Into<Stdio>,
        errors: impl Into<Stdio>,
    ) -> Self {
        let (mut command, port) = server(dir, options);
        command.args(["--enable-debug-command", "yes"]);
        Self::run(command, port, out, errors)
    }

    pub(super) fn run(
        mut command: Command,
        port: u16,
        out: impl Into<Stdio>,
        errors: impl Into<Stdio>,
    ) -> Self {
        let command = command.stdin(Stdio::null()).stdout(out).stderr(errors);
        let child = command.spawn().expect("it starts");
        Self { child, port }
    }

    /// A client, as soon as the server serves.
    pub(super) fn client(&self) -> Client {
        let began = Instant::now();
        loop {
            let client = Client::try_connect(self.port);
            if let Ok(mut client) = client
                && client
                    .try_ask(&["DBSIZE"])
                    .is_ok_and(|reply| reply.starts_with(':'))
            {
                return client;
            }
            assert!(began.elapsed() < HANGS, "it does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let mut kill = Command::new("kill");
        let status = kill.args([&format!("-{signal}"), &pid]).status();
        assert!(status.expect("kill is there").success());
    }

    /// Its end, which must come by itself.
    pub(super) fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(began.elapsed() < HANGS, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn is_alive(&mut self) -> bool {
        let ended = self.child.try_wait().expect("it can be waited for");
        ended.is_none()
    }

    /// SIGTERM, and the exit code.
    pub(super) fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.wait().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that starts a server on a free port, and that port.
pub(super) fn server(dir: &Path, options: &[&str]) -> (Command, u16) {
    let port = free_port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedis"));
    let words = ["--port", &port.to_string(), "--dir"];
    command.args(words).arg(dir).args(options);
    (command, port)
}

/// A file in a directory, which does not exist yet, and that directory.
pub(super) fn file(name: &str) -> (Directory, PathBuf) {
    let directory = Directory::new(name);
    let path = directory.path().join("lines");
    (directory, path)
}

/// Waits until a file says this.
pub(super) fn until_it_says(file: &Path, wanted: &str) {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        if text.contains(wanted) {
            return;
        }
        assert!(began.elapsed() < HANGS, "no {wanted:?} in {text:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
