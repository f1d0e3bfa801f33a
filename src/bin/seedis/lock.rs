//! The lock of a data directory, which keeps two processes from writing into it.
//!
//! It is a lock on the file `lock` and one on the directory itself: a start script that removes a
//! file which looks stale must not let a second server in. Some file systems lock no directories;
//! there the file has to do.
#![expect(
    clippy::disallowed_types,
    reason = "a lock is the operating system's, and none of the node's business"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

const NAME: &str = "lock";

/// Held for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _held: Vec<File>,
}

impl Lock {
    /// Locks a directory and makes the file where it is missing. `WouldBlock` where another holds
    /// it.
    pub(crate) fn make(dir: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(dir.join(NAME))?;
        Self::hold(dir, Some(file))
    }

    /// The same, and leaves a directory without the file as it is: a copy may have come so.
    pub(crate) fn of(dir: &Path) -> io::Result<Self> {
        let file = match File::open(dir.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        Self::hold(dir, file)
    }

    fn hold(dir: &Path, file: Option<File>) -> io::Result<Self> {
        if let Some(file) = &file {
            flock(file, FlockOperation::NonBlockingLockExclusive)?;
        }
        let itself = File::open(dir)?;
        match flock(&itself, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(()) | Err(_) => Ok(Self {
                _held: file.into_iter().chain([itself]).collect(),
            }),
        }
    }
}

/// Returns true if another process holds the lock of a directory.
pub(crate) fn is_held(dir: &Path) -> bool {
    [dir.join(NAME), dir.to_path_buf()].iter().any(|path| {
        let opened = File::open(path);
        opened.is_ok_and(|file| {
            flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
        })
    })
}
