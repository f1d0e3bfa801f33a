//! `seedis backup` and `seedis restore`: a data directory as one file, and a server of its own made
//! from that.
#![expect(
    clippy::disallowed_types,
    reason = "an operator's tools at the disk, beside a server or without one"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use seedis::disk::{DiskDone, DiskOp, FileKind, FileName};
use seedis::ids::LogIndex;
use seedis::node::backup::Backup;
use seedis::node::restore::{NoBackup, Restore, Restored};

use crate::disk::{Directory, Outcome};
use crate::lines::{complain, say};
use crate::lock;
use crate::replace::sync_parent;
use crate::{EXIT_USAGE, entropy, subcommand};

/// How often a directory is looked at again in which a server goes on: it may replace files between
/// two looks.
const ATTEMPTS: usize = 10;
/// The bytes read at a time of a segment that is being written: the operating system copies so much
/// at once.
const PAGE_BYTES: u64 = 4 << 10;
const READ_BYTES: usize = 1 << 20;

/// Backs a data directory up into one file; a server may have the directory open.
#[derive(Debug, Parser)]
#[command(name = "seedis backup")]
struct BackupOptions {
    /// The data directory.
    dir: PathBuf,
    /// The file to create; it must not exist yet.
    file: PathBuf,
}

/// Makes a data directory from a backup, for a new server: it belongs to a new group, and is not a
/// member of the group that was backed up.
#[derive(Debug, Parser)]
#[command(name = "seedis restore")]
struct RestoreOptions {
    /// The file of the backup.
    file: PathBuf,
    /// The data directory to create; it must be empty, or not exist yet.
    #[arg(long)]
    dir: PathBuf,
}

/// Runs `seedis backup` with the words behind it.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let options: BackupOptions = match subcommand("seedis backup", words) {
        Ok(options) => options,
        Err(code) => return code,
    };
    ended(backup(&options))
}

/// Runs `seedis restore` with the words behind it.
pub(crate) fn run_restore(words: impl Iterator<Item = OsString>) -> ExitCode {
    let options: RestoreOptions = match subcommand("seedis restore", words) {
        Ok(options) => options,
        Err(code) => return code,
    };
    ended(restore(&options))
}

fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn backup(options: &BackupOptions) -> Result<(), String> {
    let BackupOptions { dir, file } = options;
    if file.exists() {
        return Err(format!("{} exists already", file.display()));
    }
    let part = beside(file);
    let mut made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&part)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!(
                "{} exists already: another backup is running, or an interrupted one left this \
                 file: remove it in that case",
                part.display()
            ),
            _ => format!("cannot make {}: {error}", part.display()),
        })?;
    let written = backup_again(dir, &part, &mut made).and_then(|done| {
        let named = put_in_place(&part, file).and_then(|()| sync_parent(file));
        named.map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        Ok(done)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    let (last, bytes) = written?;
    let (file, last) = (file.display(), last.0);
    say(&format!(
        "{file} holds everything up to entry {last}, {bytes} bytes; \"seedis restore\" makes a \
         data directory from it"
    ));
    Ok(())
}

/// Makes the backup, from the beginning where a server has replaced a file between two looks.
fn backup_again(dir: &Path, part: &Path, file: &mut File) -> Result<(LogIndex, u64), String> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match write_backup(dir, part, file) {
            Err(_) if attempts < ATTEMPTS && lock::is_held(dir) => {}
            ended => return ended,
        }
    }
}

/// Gives a file its name, unless something has it.
fn put_in_place(part: &Path, file: &Path) -> io::Result<()> {
    fs::hard_link(part, file).and_then(|()| fs::remove_file(part))
}

/// The name under which a file is written before it is whole.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn write_backup(dir: &Path, part: &Path, file: &mut File) -> Result<(LogIndex, u64), String> {
    let mut moment = Moment::of(dir).map_err(|error| {
        let dir = dir.display();
        match error.kind() {
            io::ErrorKind::NotFound => format!("{dir} is not a data directory of Seedis"),
            _ => format!("cannot read the directory {dir}: {error}"),
        }
    })?;
    let cannot_write = |error: io::Error| format!("cannot write {}: {error}", part.display());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .map_err(cannot_write)?;
    let (mut backup, mut asked) = Backup::new();
    let mut bytes = 0;
    while let Some((ticket, op)) = asked {
        asked = backup.completed(ticket, moment.perform(op));
        let written = backup.take_bytes();
        bytes += written.len() as u64;
        file.write_all(&written).map_err(cannot_write)?;
    }
    let last = backup.outcome().map_err(str::to_owned)?;
    file.sync_all().map_err(cannot_write)?;
    Ok((last, bytes))
}

/// A directory as it was at one moment, although a server goes on in it.
///
/// Files that the server removes meanwhile stay readable, for they are open. Of the log, only the
/// segment that is being written changes: it is read from its end to its beginning. A record that
/// is seen was whole before anything in front of it was looked at, so that everything in front of
/// it is seen too: what comes out is what a crash could have left.
struct Moment {
    directory: Directory,
    files: Vec<(FileName, u64)>,
    ends: BTreeMap<FileName, Vec<u8>>,
}

impl Moment {
    fn of(dir: &Path) -> io::Result<Self> {
        let mut directory = Directory::read_only(dir);
        let Ok(DiskDone::Listed { files }) = directory.perform(DiskOp::List) else {
            // The system says it better.
            fs::read_dir(dir)?;
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if !files.iter().any(|(file, _)| *file == FileName::MANIFEST) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // The manifest first: what it counts on was there when it was written.
        let is_of_use = |file: &FileName| {
            matches!(
                file.kind(),
                FileKind::Manifest | FileKind::Base | FileKind::Log
            )
        };
        let files: Vec<_> = files
            .into_iter()
            .filter(|(file, _)| is_of_use(file))
            .collect();
        for (file, _) in &files {
            directory.keep_open(*file)?;
        }
        let mut ends = BTreeMap::new();
        let segments = files
            .iter()
            .filter(|(file, _)| file.kind() == FileKind::Log);
        for (file, _) in segments.rev() {
            let bytes = read_backwards(&*directory.keep_open(*file)?)?;
            let is_begun = bytes.iter().any(|byte| *byte != 0);
            ends.insert(*file, bytes);
            if is_begun {
                break;
            }
        }
        Ok(Self {
            directory,
            files,
            ends,
        })
    }

    fn perform(&mut self, op: DiskOp) -> Outcome {
        match op {
            DiskOp::List => Ok(DiskDone::Listed {
                files: self.files.clone(),
            }),
            DiskOp::Read { file, offset, len } if self.ends.contains_key(&file) => {
                let bytes = &self.ends[&file];
                let from = bytes.len().min(offset as usize);
                let to = bytes.len().min(from.saturating_add(len as usize));
                Ok(DiskDone::Read {
                    bytes: bytes[from..to].to_vec(),
                })
            }
            other => self.directory.perform(other),
        }
    }
}

fn read_backwards(file: &File) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len();
    let mut bytes = vec![0; len as usize];
    let mut to = len;
    while to > 0 {
        let from = (to - 1) / PAGE_BYTES * PAGE_BYTES;
        file.read_exact_at(&mut bytes[from as usize..to as usize], from)?;
        to = from;
    }
    Ok(bytes)
}

fn restore(options: &RestoreOptions) -> Result<(), String> {
    let RestoreOptions { file, dir } = options;
    let mut backup = File::open(file)
        .map_err(|error| format!("cannot read the backup {}: {error}", file.display()))?;
    let shown = dir.display();
    let mut made = Made::default();
    let restored = made.directory(dir).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => format!("{shown} is not empty: give another --dir"),
        _ => format!("cannot make the directory {shown}: {error}"),
    });
    let restored = restored.and_then(|_lock| {
        write_directory(&mut backup, dir, &mut made).map_err(|broken| match broken {
            Broken::Backup(NoBackup::Newer(why)) => format!("{}: {why}", file.display()),
            Broken::Backup(NoBackup::Damaged { offset }) => format!(
                "{} is not a complete backup of Seedis: it is damaged or truncated at offset \
                 {offset}",
                file.display()
            ),
            Broken::Read(error) => format!("cannot read {}: {error}", file.display()),
            Broken::Disk(what) => format!("cannot write to {shown}: {what}"),
        })
    });
    if restored.is_err() {
        // What is in it now is no use to anybody.
        made.take_back();
    }
    let restored = restored?;
    let Restored {
        member,
        from,
        had_others,
        cluster,
        last,
    } = restored;
    if !had_others {
        say(&format!(
            "{shown} holds everything up to entry {} that the server had in its log.\n\
             next       seedis --dir {shown}",
            last.0
        ));
        return Ok(());
    }
    say(&format!(
        "{shown} holds everything up to entry {} that member {} of group {:016x} had in its log.\n\
         WARNING: it belongs to a NEW group, {:016x}, and is its only member. Writes that the \
         other members had acknowledged and this one had not yet received are not in it. Stop all \
         members of the former group before clients use this one, and never start them again: they \
         would accept writes that this one does not have.\n\
         next       seedis --dir {shown} --cluster-port PORT, then others may --join it",
        last.0, member.0, from.0, cluster.0
    ));
    Ok(())
}

/// The files that a restore has made: no more than these is removed when it fails. The directory
/// may have been somebody else's, with an owner and a mode, or be the root of a file system.
#[derive(Debug, Default)]
struct Made {
    /// The outermost first.
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

/// A directory that a new file system has in its root, and that no server minds.
const NOBODYS: &str = "lost+found";

impl Made {
    /// Makes an empty directory, or takes one, and keeps servers out of it.
    fn directory(&mut self, dir: &Path) -> io::Result<File> {
        let above: Vec<&Path> = dir.ancestors().collect();
        for path in above.into_iter().rev() {
            if path.as_os_str().is_empty() || path.is_dir() {
                continue;
            }
            fs::create_dir(path)?;
            self.directories.push(path.to_owned());
        }
        for entry in fs::read_dir(dir)? {
            if entry?.file_name() != NOBODYS {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
        }
        let lock = dir.join("lock");
        let mut options = OpenOptions::new();
        let file = options.create_new(true).append(true).open(&lock)?;
        self.files.push(lock);
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }

    fn take_back(&self) {
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file);
        }
        for directory in self.directories.iter().rev() {
            // One that holds something by now stays.
            let _ = fs::remove_dir(directory);
        }
    }

    /// Takes note of what an operation on the directory is about to make.
    fn note(&mut self, dir: &Path, op: &DiskOp) {
        let (DiskOp::Create { file, .. } | DiskOp::Rename { to: file, .. }) = op else {
            return;
        };
        self.files.push(dir.join(file.to_string()));
    }
}

enum Broken {
    Backup(NoBackup),
    Read(io::Error),
    Disk(String),
}

fn write_directory(backup: &mut File, dir: &Path, made: &mut Made) -> Result<Restored, Broken> {
    let mut directory = Directory::writable(dir);
    let mut perform = |ops: &mut Vec<DiskOp>| {
        ops.drain(..).try_for_each(|op| {
            made.note(dir, &op);
            let outcome = directory.perform(op);
            outcome
                .map(drop)
                .map_err(|error| Broken::Disk(error.words().into()))
        })
    };
    let mut ops = Vec::new();
    let seed = entropy::number().map_err(|error| Broken::Disk(error.to_string()))?;
    let mut restore = Restore::new(seed, &mut ops);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        perform(&mut ops)?;
        let count = backup.read(&mut buffer).map_err(Broken::Read)?;
        if count == 0 {
            break;
        }
        restore
            .take(&buffer[..count], &mut ops)
            .map_err(Broken::Backup)?;
    }
    let restored = restore.finish(&mut ops).map_err(Broken::Backup)?;
    perform(&mut ops)?;
    Ok(restored)
}
