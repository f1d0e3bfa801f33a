//! The lines of the log: written by a thread of their own, and lost rather than waited for.
//!
//! Nothing that happens to the place where lines go may reach the server: a reader that is gone, a
//! full file system and a broken file cost the lines that could not be written, and a reader that
//! stands still costs those for which the queue has no room. How many were lost is said as soon as
//! a line can be written again.
#![expect(
    clippy::disallowed_types,
    reason = "the log file is the shell's own, and no part of the data directory"
)]

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::OptionalWriter;

use seedis::node::effect::{LineLevel, ScriptLine};

use crate::config::{LogLevel, Options};

/// How many bytes of lines wait for the thread that writes them.
const QUEUE_BYTES_MAX: usize = 1 << 20;
/// The longest line, in bytes; what is longer is cut.
const LINE_BYTES_MAX: usize = 16 << 10;
/// How long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);
/// How long words for a person wait for a standard output that takes none.
const PATIENCE: Duration = Duration::from_secs(1);
/// A pipe that is ready takes so many bytes without waiting (pipe(7), `PIPE_BUF`).
const PART_BYTES: usize = 4096;

static QUEUE: Queue = Queue {
    state: Mutex::new(Waiting {
        lines: VecDeque::new(),
        bytes: 0,
        lost: 0,
        reopen: false,
        is_writing: false,
    }),
    came: Condvar::new(),
    left: Condvar::new(),
};
static STARTED: OnceLock<()> = OnceLock::new();
/// How much is written: 0 nothing, 1 warnings, 2 notices, 3 what is verbose, 4 all.
static DETAIL: AtomicU8 = AtomicU8::new(2);

/// The lines to be written, between the tasks that log and the thread that writes.
struct Queue {
    state: Mutex<Waiting>,
    came: Condvar,
    left: Condvar,
}

struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines for which there was no room, or which could not be written.
    lost: u64,
    reopen: bool,
    /// The thread has taken lines and has not written all of them.
    is_writing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // What is behind the lock is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The destination of one event's lines.
#[derive(Debug)]
struct Writer;

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = QUEUE.lock();
        let kept = line.len().min(LINE_BYTES_MAX);
        if waiting.bytes + kept > QUEUE_BYTES_MAX {
            waiting.lost += 1;
        } else {
            let mut copy = line[..kept].to_vec();
            if kept < line.len() {
                copy.extend_from_slice("… (cut)\n".as_bytes());
            }
            waiting.bytes += copy.len();
            waiting.lines.push_back(copy);
            QUEUE.came.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a writer for the events that are worth a line at present.
#[derive(Debug)]
struct Worthy;

impl MakeWriter<'_> for Worthy {
    type Writer = OptionalWriter<Writer>;

    fn make_writer(&self) -> Self::Writer {
        OptionalWriter::some(Writer)
    }

    fn make_writer_for(&self, of: &Metadata<'_>) -> Self::Writer {
        let worthy = match *of.level() {
            Level::ERROR | Level::WARN => 1,
            Level::INFO => 2,
            Level::DEBUG => 3,
            Level::TRACE => 4,
        };
        if worthy <= DETAIL.load(Ordering::Relaxed) {
            OptionalWriter::some(Writer)
        } else {
            OptionalWriter::none()
        }
    }
}

/// From here on only what this level asks for is written.
pub(crate) fn set_level(level: LogLevel) {
    let detail = match level {
        LogLevel::Debug => 4,
        LogLevel::Verbose => 3,
        LogLevel::Notice => 2,
        LogLevel::Warning => 1,
        LogLevel::Nothing => 0,
    };
    DETAIL.store(detail, Ordering::Relaxed);
}

/// Begins to write lines where the options want them.
pub(crate) fn start(options: &Options) -> Result<(), String> {
    set_level(options.loglevel);
    let target = if options.logfile.is_empty() {
        Target::Output
    } else {
        let path = PathBuf::from(&options.logfile);
        let file = open(&path);
        let file = file.map_err(|e| format!("cannot open the log file {}: {e}", path.display()))?;
        Target::File { path, file }
    };
    start_with(target)
}

/// Begins to write lines to standard output.
pub(crate) fn start_on_output() -> Result<(), String> {
    start_with(Target::Output)
}

fn start_with(target: Target) -> Result<(), String> {
    let wants_colours = matches!(target, Target::Output)
        && io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none();
    let thread = std::thread::Builder::new().name("log".into());
    let thread = thread.spawn(move || write_for_ever(target));
    thread.map_err(|error| format!("cannot start a thread: {error}"))?;
    let _ = STARTED.set(());
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_target(false)
        .with_ansi(wants_colours)
        // They would be printed, and a print that fails is a panic.
        .log_internal_errors(false)
        .with_writer(Worthy)
        .init();
    Ok(())
}

/// Writes what the node has to tell.
pub(crate) fn write_note(text: &str, is_warning: bool) {
    if is_warning {
        tracing::warn!("{text}");
    } else {
        tracing::info!("{text}");
    }
}

/// Writes a line of a script.
pub(crate) fn write_line(line: &ScriptLine) {
    match line.level {
        LineLevel::Debug => tracing::trace!("{line}"),
        LineLevel::Verbose => tracing::debug!("{line}"),
        LineLevel::Notice => tracing::info!("{line}"),
        LineLevel::Warning => tracing::warn!("{line}"),
    }
}

/// The log file is to be opened by its name again: the one that is open may have another by now.
pub(crate) fn reopen() {
    QUEUE.lock().reopen = true;
    QUEUE.came.notify_one();
}

/// Waits until the lines that were said are written, but not for ever.
pub(crate) fn finish() {
    if STARTED.get().is_none() {
        return;
    }
    let unwritten = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
    // Whether they all were: there is nothing else to be done about it.
    let _ = QUEUE
        .left
        .wait_timeout_while(QUEUE.lock(), LAST_LINES, unwritten);
}

/// The file or stream to which lines are written.
#[derive(Debug)]
enum Target {
    Output,
    File { path: PathBuf, file: File },
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write_for_ever(mut target: Target) {
    let mut torn = false;
    loop {
        let (lines, reopen) = {
            let waiting = QUEUE.lock();
            let idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.reopen;
            let waited = QUEUE.came.wait_while(waiting, idle);
            let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
            waiting.is_writing = true;
            waiting.bytes = 0;
            let lines = std::mem::take(&mut waiting.lines);
            (lines, std::mem::take(&mut waiting.reopen))
        };
        target.follow(reopen);
        let mut lost = 0;
        let mut written = false;
        for line in lines {
            // A line that was cut short by an error ends where the next one begins.
            if torn && target.write(b"\n").is_ok() {
                torn = false;
            }
            match target.write(&line) {
                Ok(()) => written = true,
                Err(begun) => {
                    torn |= begun;
                    lost += 1;
                }
            }
        }
        let mut waiting = QUEUE.lock();
        waiting.lost += lost;
        let lost = if written && lost == 0 {
            std::mem::take(&mut waiting.lost)
        } else {
            0
        };
        drop(waiting);
        if lost > 0 {
            tracing::warn!("{lost} lines could not be written here and are lost");
        }
        QUEUE.lock().is_writing = false;
        QUEUE.left.notify_all();
    }
}

impl Target {
    /// Goes on in the file that has the log's name now: whoever rotates logs renames or removes
    /// the one that is open. One that cannot be opened leaves the lines where they went before.
    fn follow(&mut self, is_told: bool) {
        let Self::File { path, file } = self else {
            return;
        };
        let place = |data: std::fs::Metadata| (data.dev(), data.ino());
        let named = std::fs::metadata(&*path).map(place).ok();
        if !is_told && named.is_some() && named == file.metadata().map(place).ok() {
            return;
        }
        match open(path) {
            Ok(opened) => *file = opened,
            Err(error) if is_told => {
                let path = path.display();
                tracing::warn!("cannot open the log file {path} again: {error}");
            }
            Err(_) => {}
        }
    }

    /// Writes all of a line; otherwise whether a part of it is written.
    fn write(&mut self, line: &[u8]) -> Result<(), bool> {
        match self {
            Self::Output => write_all(io::stdout().as_fd(), line, None),
            Self::File { file, .. } => write_all(file.as_fd(), line, None),
        }
        .map_err(|rest| rest.len() < line.len())
    }
}

/// Writes bytes to what may not take them, and gives back those that it has not taken. With a
/// patience it never waits longer at a time, whatever it is.
fn write_all<'a>(
    to: BorrowedFd<'_>,
    mut bytes: &'a [u8],
    patience: Option<Duration>,
) -> Result<(), &'a [u8]> {
    let timeout = patience.map(|patience| Timespec {
        tv_sec: patience.as_secs().cast_signed(),
        tv_nsec: patience.subsec_nanos().into(),
    });
    while !bytes.is_empty() {
        let mut ready = [PollFd::new(&to, PollFlags::OUT)];
        match poll(&mut ready, timeout.as_ref()) {
            Ok(0) => return Err(bytes),
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return Err(bytes),
        }
        match rustix::io::write(to, &bytes[..bytes.len().min(PART_BYTES)]) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return Err(bytes),
        }
    }
    Ok(())
}

/// Prints what a tool has to say; whoever does not want to hear it misses it.
pub(crate) fn say(text: &str) {
    let _ = write_all(io::stdout().as_fd(), format!("{text}\n").as_bytes(), None);
}

/// Prints what a server has to say to whoever has started it, and waits for nobody.
pub(crate) fn announce(text: &str) {
    let line = format!("{text}\n");
    let _ = write_all(io::stdout().as_fd(), line.as_bytes(), Some(PATIENCE));
}

/// Prints why the process ends, and waits for nobody.
pub(crate) fn complain(text: &str) {
    let line = format!("seedis: {text}\n");
    let _ = write_all(io::stderr().as_fd(), line.as_bytes(), Some(PATIENCE));
}
