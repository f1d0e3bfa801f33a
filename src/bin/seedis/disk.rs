//! The machine's disk: small writes are made at once, syncs and large writes of the log on one
//! thread, other slow operations on another.
#![expect(
    clippy::disallowed_types,
    reason = "this is the one place that opens files, and its thread is the one that waits for them"
)]

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

use crate::lock::Lock;
use rustix::io::Errno;
use seedis::disk::{DiskDone, DiskError, DiskOp, FileKind, FileName};
use seedis::ids::Ticket;
use tokio::sync::mpsc::UnboundedSender;

/// The result of an operation.
pub(crate) type Outcome = Result<DiskDone, DiskError>;

/// An operation for a thread.
#[derive(Debug)]
struct Job {
    ticket: Ticket,
    op: DiskOp,
    /// The file that it is about, where that is open already.
    open: Option<Arc<File>>,
}

/// The error of an operation whose thread is gone, as if its disk were.
const EIO: i32 = 5;
/// How many files a thread keeps open, for a long log has more than a process may open.
const OPEN_FILES_MAX: usize = 4;

/// The data directory.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: Directory,
    /// Syncs of the log, and writes to it that take long.
    log: mpsc::Sender<Job>,
    /// A new segment is filled with zeros here, while syncs of the present one go on there.
    slow: mpsc::Sender<Job>,
    /// Operations that a thread has not ended and that what follows on their file must queue
    /// behind.
    queued: BTreeMap<FileName, Queue>,
    waiting: BTreeMap<Ticket, FileName>,
    /// Held for as long as this server lives.
    _lock: Lock,
}

/// The operations on one file that are in flight or wait.
#[derive(Debug)]
struct Queue {
    lane: Lane,
    count: usize,
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Log,
    Slow,
}

/// The longest write that the loop itself makes, in bytes: a page cache takes it in a few
/// milliseconds at worst.
const INLINE_BYTES_MAX: usize = 1 << 20;

impl Disk {
    /// Opens a data directory, makes it where it is missing, and locks it against a second server.
    pub(crate) fn open(
        path: &Path,
        done: UnboundedSender<(Ticket, Outcome)>,
        sync_delay: std::time::Duration,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let lock = Lock::make(path)?;
        let directory = Directory::writable(path);
        let log = thread("sync", path, done.clone(), sync_delay)?;
        let slow = thread("disk", path, done, sync_delay)?;
        Ok(Self {
            directory,
            log,
            slow,
            queued: BTreeMap::new(),
            waiting: BTreeMap::new(),
            _lock: lock,
        })
    }

    /// Performs an operation now and gives its outcome, or hands it to the thread, which will tell.
    pub(crate) fn perform(&mut self, ticket: Ticket, op: DiskOp) -> Option<Outcome> {
        let file = op.file();
        let is_log = file.is_some_and(|file| file.kind() == FileKind::Log);
        let lane = match &op {
            // A sync of the log must not wait for one of a base, which has more to write. Nothing
            // that is written after it began has to wait for it either.
            DiskOp::Sync { .. } | DiskOp::WriteShared { .. } if is_log => Some(Lane::Log),
            DiskOp::WriteAt { bytes, .. } if is_log && bytes.len() > INLINE_BYTES_MAX => {
                Some(Lane::Log)
            }
            DiskOp::Sync { .. }
            | DiskOp::SyncDir
            | DiskOp::Create { .. }
            | DiskOp::Remove { .. } => Some(Lane::Slow),
            _ => None,
        };
        // What is on its way to this file comes first, on the same thread.
        let behind = file.and_then(|file| self.queued.get(&file));
        let lane = behind.map(|queue| queue.lane).or(lane);
        let Some(lane) = lane else {
            return Some(self.directory.perform(op));
        };
        // The thread needs no descriptor of its own: what was written is open here.
        let open = file
            .filter(|_| lane == Lane::Log)
            .and_then(|file| self.directory.files.get(&file).cloned());
        let is_first = behind.is_none();
        let overtaken = is_first && lane == Lane::Log && matches!(op, DiskOp::Sync { .. });
        if let Some(file) = file.filter(|_| !overtaken) {
            let queue = self.queued.entry(file).or_insert(Queue { lane, count: 0 });
            queue.count += 1;
            self.waiting.insert(ticket, file);
            if lane == Lane::Slow {
                self.directory.files.remove(&file);
            }
        }
        let sender = match lane {
            Lane::Log => &self.log,
            Lane::Slow => &self.slow,
        };
        let gone = sender.send(Job { ticket, op, open }).err();
        gone.map(|_| Err(DiskError::Io { code: EIO }))
    }

    /// Takes note that the thread has ended an operation.
    pub(crate) fn ended(&mut self, ticket: Ticket) {
        let Some(file) = self.waiting.remove(&ticket) else {
            return;
        };
        if let Some(queue) = self.queued.get_mut(&file) {
            queue.count -= 1;
            if queue.count == 0 {
                self.queued.remove(&file);
            }
        }
    }
}

/// Starts a thread that performs operations one after the other.
fn thread(
    name: &str,
    path: &Path,
    done: UnboundedSender<(Ticket, Outcome)>,
    sync_delay: std::time::Duration,
) -> io::Result<mpsc::Sender<Job>> {
    let (sender, operations) = mpsc::channel::<Job>();
    let mut directory = Directory::writable(path);
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            while let Ok(Job { ticket, op, open }) = operations.recv() {
                if matches!(op, DiskOp::Sync { .. }) && !sync_delay.is_zero() {
                    std::thread::sleep(sync_delay);
                }
                // One segment is synced time after time. Other names may mean another file by the
                // next time.
                let keep = op.file().filter(|file| file.kind() == FileKind::Log);
                directory.files.retain(|file, _| Some(*file) == keep);
                if let (Some(file), Some(open)) = (keep, open) {
                    directory.files.insert(file, open);
                }
                if done.send((ticket, directory.perform(op))).is_err() {
                    return;
                }
            }
        })?;
    Ok(sender)
}

/// A directory and its open files, as one thread sees them.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    files: BTreeMap<FileName, Arc<File>>,
    /// The directory itself, once its names have been synced: a switch of the log is not to fail
    /// for want of a descriptor.
    itself: Option<File>,
    writable: bool,
}

/// Zeros, for files whose blocks must be written once to be really there.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

impl Directory {
    /// A directory that nobody else has open.
    pub(crate) fn writable(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            files: BTreeMap::new(),
            itself: None,
            writable: true,
        }
    }

    /// A directory in which nothing may be changed.
    pub(crate) fn read_only(path: &Path) -> Self {
        Self {
            writable: false,
            ..Self::writable(path)
        }
    }

    /// Opens a file that may be removed before it is read.
    pub(crate) fn keep_open(&mut self, file: FileName) -> io::Result<Arc<File>> {
        self.open(file)
    }

    pub(crate) fn perform(&mut self, op: DiskOp) -> Outcome {
        match op {
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => self.write_at(file, offset, bytes),
            other => self
                .perform_other(&other)
                .map_err(|error| explain(&error, Vec::new())),
        }
    }

    fn write_at(&mut self, file: FileName, offset: u64, bytes: Vec<u8>) -> Outcome {
        let written = self
            .open(file)
            .and_then(|open| open.write_all_at(&bytes, offset));
        match written {
            Ok(()) => Ok(DiskDone::Written { bytes }),
            Err(error) => Err(explain(&error, bytes)),
        }
    }

    fn perform_other(&mut self, op: &DiskOp) -> io::Result<DiskDone> {
        match *op {
            DiskOp::Create { file, size } => self.create(file, size)?,
            DiskOp::Sync { file } => self.open(file)?.sync_data()?,
            DiskOp::Read { file, offset, len } => {
                return self
                    .read(file, offset, len)
                    .map(|bytes| DiskDone::Read { bytes });
            }
            DiskOp::Truncate { file, len } => self.open(file)?.set_len(len)?,
            DiskOp::Rename { from, to } => {
                std::fs::rename(self.place(from), self.place(to))?;
                self.files.remove(&from);
                self.files.remove(&to);
            }
            DiskOp::Remove { file } => {
                self.files.remove(&file);
                match std::fs::remove_file(self.place(file)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            DiskOp::SyncDir => {
                let opened = match self.itself.take() {
                    Some(opened) => opened,
                    None => File::open(&self.path)?,
                };
                self.itself.insert(opened).sync_all()?;
            }
            DiskOp::List => {
                let mut files = Vec::new();
                for entry in std::fs::read_dir(&self.path)? {
                    let entry = entry?;
                    let ours = entry.file_name().to_str().and_then(FileName::parse);
                    let Some(file) = ours else { continue };
                    match entry.metadata() {
                        Ok(data) => files.push((file, data.len())),
                        // The thread has removed it since its name was read.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
                // The order of a directory is the file system's whim.
                files.sort_unstable();
                return Ok(DiskDone::Listed { files });
            }
            DiskOp::WriteShared {
                file,
                offset,
                ref bytes,
            } => self.open(file)?.write_all_at(bytes, offset)?,
            DiskOp::WriteAt { .. } => {}
        }
        Ok(DiskDone::Done)
    }

    fn create(&mut self, file: FileName, size: u64) -> io::Result<()> {
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .to_owned();
        let open = options.open(self.place(file))?;
        let mut at = 0;
        while at < size {
            let step = (size - at).min(ZEROS.len() as u64);
            if let Err(error) = open.write_all_at(&ZEROS[..step as usize], at) {
                // What was made of it must not take the room of what is written meanwhile.
                let _ = open.set_len(0);
                return Err(error);
            }
            at += step;
        }
        self.make_room();
        self.files.insert(file, Arc::new(open));
        Ok(())
    }

    fn read(&mut self, file: FileName, offset: u64, len: u32) -> io::Result<Vec<u8>> {
        let open = self.open(file)?;
        let mut bytes = vec![0; len as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match open.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn open(&mut self, file: FileName) -> io::Result<Arc<File>> {
        if let Some(open) = self.files.get(&file) {
            return Ok(Arc::clone(open));
        }
        self.make_room();
        let open = Arc::new(
            OpenOptions::new()
                .read(true)
                .write(self.writable)
                .open(self.place(file))?,
        );
        self.files.insert(file, Arc::clone(&open));
        Ok(open)
    }

    /// Closes files that are not needed now: the log goes on in those with the highest numbers. A
    /// process that reads beside a server keeps all open, for the files may be removed.
    fn make_room(&mut self) {
        while self.writable && self.files.len() >= OPEN_FILES_MAX {
            self.files.pop_first();
        }
    }

    fn place(&self, file: FileName) -> PathBuf {
        self.path.join(file.to_string())
    }
}

fn explain(error: &io::Error, bytes: Vec<u8>) -> DiskError {
    // What is short for a while, beside space: descriptors, memory, quotas, the size of a file.
    const SHORTAGES: [Errno; 5] = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::DQUOT,
        Errno::FBIG,
    ];
    let code = error.raw_os_error().unwrap_or(EIO);
    match Errno::from_io_error(error) {
        Some(Errno::NOSPC) => DiskError::NoSpace { bytes },
        Some(Errno::NOENT) => DiskError::NotFound,
        Some(errno) if SHORTAGES.contains(&errno) => DiskError::Short { code, bytes },
        _ => DiskError::Io { code },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_list_does_not_mind_files_that_go_meanwhile() {
        let path = std::env::temp_dir().join(format!("seedis-list-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        let mut listed = Directory::read_only(&path);
        let is_over = AtomicBool::new(false);
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut changed = Directory::writable(&path);
                for number in (0..9).cycle() {
                    let file = FileName::new(FileKind::Log, number);
                    let made = changed.perform(DiskOp::Create { file, size: 0 });
                    made.expect("a file");
                    let gone = changed.perform(DiskOp::Remove { file });
                    gone.expect("no file");
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            let outcomes = (0..20_000).map(|_| listed.perform(DiskOp::List));
            let outcomes = outcomes.filter(Result::is_err).take(1).collect();
            is_over.store(true, Ordering::Relaxed);
            outcomes
        });
        std::fs::remove_dir_all(&path).expect("its directory");
        assert_eq!(outcomes, []);
    }
}
