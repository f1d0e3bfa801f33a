//! A server that runs: started in a directory of its own, looked at, and gone at the end.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::cores::{self, Cores};
use crate::failure::{Failure, Result};
use crate::load::requests::{Numbers, Template};
use crate::load::{Measured, closed};
use crate::programs::{Program, on_path};

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it may take to answer one request of ours.
const REPLY_TIMEOUT: Duration = Duration::from_mins(1);
/// So many lines of its log are told about a server that does not start.
const LOG_LINES: usize = 5;

/// The log that a server keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Log {
    /// None.
    Off,
    /// Synced once a second.
    Everysec,
    /// Synced before writes are acknowledged.
    Always,
}

impl Log {
    /// The options for it, alike for all servers.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Off => &["--appendonly", "no"],
            Self::Everysec => &["--appendonly", "yes", "--appendfsync", "everysec"],
            Self::Always => &["--appendonly", "yes", "--appendfsync", "always"],
        }
    }

    /// The name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Everysec => "everysec",
            Self::Always => "always",
        }
    }
}

/// A running server. It is killed, and its directory removed, when this goes.
#[derive(Debug)]
pub struct Server {
    child: Child,
    directory: PathBuf,
    /// The address for clients.
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server on the server's core, and waits until it answers.
    pub fn start(program: &Program, log: Log, cores: Option<Cores>) -> Result<Self> {
        Self::start_under(&[], program, log, cores)
    }

    /// Starts a server under another program, given as its words.
    pub fn start_under(
        watcher: &[String],
        program: &Program,
        log: Log,
        cores: Option<Cores>,
    ) -> Result<Self> {
        let directory = own_directory()?;
        let port = free_port()?;
        let output = fs::File::create(directory.join("output"))?;
        let mut words = Vec::new();
        // Where this program is killed, its servers go too.
        if on_path("setpriv").is_some() {
            words.extend(["setpriv", "--pdeathsig", "KILL"].map(str::to_owned));
        }
        words.extend(watcher.iter().cloned());
        words.push(program.path.display().to_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.arg("--dir").arg(&directory);
        command.args(["--save", "", "--auto-aof-rewrite-percentage", "0"]);
        command.args(log.options());
        // What a watching program writes stays there, too.
        command.current_dir(&directory).stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let child = cores::on_the_servers(cores, || command.spawn())??;
        let mut server = Self {
            child,
            directory,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        };
        let began = Instant::now();
        while !server.answers() {
            let ended = server.child.try_wait()?;
            if ended.is_some() || began.elapsed() > START_TIMEOUT {
                let words = server.last_words();
                return Err(Failure::new(words).during(&format!("{} does not start", program.name)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    fn answers(&self) -> bool {
        self.ask(&["PING"]).is_ok_and(|reply| reply == "PONG")
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.directory.join("output")).unwrap_or_default();
        let lines = text.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" / ")
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Asks one request over a connection of its own. Errors and values of several parts are
    /// failures.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, REPLY_TIMEOUT)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        let count = format!("*{}\r\n", words.len());
        let parts = words
            .iter()
            .map(|word| format!("${}\r\n{word}\r\n", word.len()));
        let bytes = std::iter::once(count).chain(parts).collect::<String>();
        stream.write_all(bytes.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        match line.split_at_checked(1) {
            Some(("+" | ":", value)) => Ok(value.to_owned()),
            Some(("$", length)) => {
                let length = length.parse().map_err(|_| Failure::new(line))?;
                let mut value = vec![0; length];
                reader.read_exact(&mut value)?;
                Ok(String::from_utf8_lossy(&value).into_owned())
            }
            _ => Err(Failure::new(format!(
                "{}: the server answers {line:?}",
                words[0]
            ))),
        }
    }

    /// A number of INFO.
    pub fn info(&self, field: &str) -> Result<u64> {
        let text = self.ask(&["INFO"])?;
        let values = text
            .lines()
            .filter_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let mut numbers = values.filter_map(|value| value.trim().parse().ok());
        numbers
            .next()
            .ok_or_else(|| Failure::new(format!("INFO has no number {field}")))
    }

    /// Sends a request once for each number from 0 to below `count`.
    pub fn fill(&self, request: &Template, count: u64) -> Result<Measured> {
        let mut numbers = Numbers::rising(count);
        let how = closed::Closed::of(4, 64, count);
        closed::run(self.address, request, &mut numbers, how)
            .map_err(|failure| failure.during("while data is put in place"))
    }

    /// The time of the processor that its process has used, in seconds.
    pub fn processor_s(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.process()))?;
        // User and system are the fields 14 and 15; the second is a name, which may hold anything.
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        let (user, system) = ticks()
            .zip(ticks())
            .ok_or_else(|| Failure::new("/proc/PID/stat has other fields"))?;
        Ok((user + system) / rustix::param::clock_ticks_per_second() as f64)
    }

    /// The bytes of memory that its process holds.
    pub fn resident_bytes(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.process()))?;
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        let pages: u64 = pages.ok_or_else(|| Failure::new("/proc/PID/statm has other fields"))?;
        Ok(pages * rustix::param::page_size() as u64)
    }

    /// Tells the server to end, and waits for it: programs that watch it write what they saw.
    pub fn end(&mut self) -> Result<()> {
        // The connection may be closed before a reply comes.
        let _ = self.ask(&["SHUTDOWN", "NOSAVE"]);
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > START_TIMEOUT {
                return Err(Failure::new("the server does not end when it is told to"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A new directory that nobody else has.
fn own_directory() -> Result<PathBuf> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("seedis-bench-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// A port that nobody listens on, with another 10,000 above it for members of a group.
fn free_port() -> Result<u16> {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(7919);
    for _ in 0..1000 {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (first.wrapping_add(tried) % 12_000) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::new("no port is free"))
}
