//! The disk as the core asks for it: files by name, operations by ticket, outcomes as data.
//!
//! Operations on one file are performed in the order in which they were asked for. `Sync` makes
//! durable what was written to that file before; `SyncDir` makes durable which files exist.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

/// A file of the data directory. There are no others, and no directories below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(u64);

const KIND_SHIFT: u32 = 60;
const NUMBER_MASK: u64 = (1 << KIND_SHIFT) - 1;

/// The purpose of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `manifest`: which base and which segments count.
    Manifest,
    /// `manifest.tmp`: the next manifest, before it is renamed.
    ManifestTmp,
    /// `base-<number>.aof`: the state in front of the segment of that number.
    Base,
    /// `base-<number>.tmp`: a base that is being written or received.
    BaseTmp,
    /// `log-<number>.aof`: a segment of the log; they are numbered in sequence.
    Log,
}

const KINDS: [(FileKind, &str, &str); 5] = [
    (FileKind::Manifest, "manifest", ""),
    (FileKind::ManifestTmp, "manifest.tmp", ""),
    (FileKind::Base, "base-", ".aof"),
    (FileKind::BaseTmp, "base-", ".tmp"),
    (FileKind::Log, "log-", ".aof"),
];

impl FileName {
    /// `manifest`.
    pub const MANIFEST: Self = Self::new(FileKind::Manifest, 0);
    /// `manifest.tmp`.
    pub const MANIFEST_TMP: Self = Self::new(FileKind::ManifestTmp, 0);

    /// No directory lives long enough to count so far. It is half of what fits, so that every
    /// number that follows a file's has a name too.
    pub const NUMBER_MAX: u64 = NUMBER_MASK / 2;

    /// The file of a kind and a number (below 2^60).
    #[must_use]
    pub const fn new(kind: FileKind, number: u64) -> Self {
        assert!(number <= NUMBER_MASK);
        Self((kind as u64) << KIND_SHIFT | number)
    }

    /// The purpose of the file.
    #[must_use]
    pub fn kind(self) -> FileKind {
        KINDS[(self.0 >> KIND_SHIFT) as usize].0
    }

    /// The number in its name; 0 where there is none.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0 & NUMBER_MASK
    }

    /// The file with this name, or nothing where the name is not one of ours.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let fixed = KINDS[..2].iter().find(|(_, whole, _)| *whole == name);
        if let Some((kind, ..)) = fixed {
            return Some(Self::new(*kind, 0));
        }
        KINDS[2..].iter().find_map(|(kind, prefix, suffix)| {
            let digits = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let number = digits.parse().ok().filter(|n| *n <= Self::NUMBER_MAX)?;
            // Exactly one spelling per file, so that two names never mean the same one.
            let file = Self::new(*kind, number);
            (digits.len() == 20).then_some(file)
        })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, prefix, suffix) = KINDS[(self.0 >> KIND_SHIFT) as usize];
        match kind {
            FileKind::Manifest | FileKind::ManifestTmp => f.write_str(prefix),
            _ => write!(f, "{prefix}{:020}{suffix}", self.number()),
        }
    }
}

/// A request of a node to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskOp {
    /// Makes a file of `size` zero bytes, with its blocks allocated; replaces one of the same name.
    /// If there is no room for it, nothing of it takes room afterwards.
    Create {
        /// The file.
        file: FileName,
        /// Its length in bytes.
        size: u64,
    },
    /// Writes all of `bytes` at `offset`; the file grows where it must.
    WriteAt {
        /// The file.
        file: FileName,
        /// The place, in bytes from the start.
        offset: u64,
        /// The bytes to write; the buffer comes home in `DiskDone::Written`.
        bytes: Vec<u8>,
    },
    /// Writes all of `bytes` at `offset`, as `WriteAt` does; others hold the same memory, and it
    /// does not come home.
    WriteShared {
        /// The file.
        file: FileName,
        /// The place, in bytes from the start.
        offset: u64,
        /// The bytes to write.
        bytes: Box<Bytes>,
    },
    /// Makes what was written to the file, and its length, durable.
    Sync {
        /// The file.
        file: FileName,
    },
    /// Reads up to `len` bytes at `offset`; fewer only at the end of the file.
    Read {
        /// The file.
        file: FileName,
        /// The place, in bytes from the start.
        offset: u64,
        /// How many bytes at most.
        len: u32,
    },
    /// Cuts the file to `len` bytes.
    Truncate {
        /// The file.
        file: FileName,
        /// Its new length in bytes.
        len: u64,
    },
    /// Gives a file another name, replacing what had it.
    Rename {
        /// The old name.
        from: FileName,
        /// The new name.
        to: FileName,
    },
    /// Removes a file; one that does not exist is no error.
    Remove {
        /// The file.
        file: FileName,
    },
    /// Makes creations, renames and removals durable.
    SyncDir,
    /// Lists the files whose names are ours, with their lengths.
    List,
}

impl DiskOp {
    /// The file that it is about, under the name that it has before; nothing where that is the
    /// directory.
    #[must_use]
    pub fn file(&self) -> Option<FileName> {
        match self {
            Self::Create { file, .. }
            | Self::WriteAt { file, .. }
            | Self::WriteShared { file, .. }
            | Self::Sync { file }
            | Self::Read { file, .. }
            | Self::Truncate { file, .. }
            | Self::Rename { from: file, .. }
            | Self::Remove { file } => Some(*file),
            Self::SyncDir | Self::List => None,
        }
    }
}

/// The result of a disk operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskDone {
    /// The operation is done and has nothing to tell.
    Done,
    /// All bytes are written; the buffer comes home.
    Written {
        /// The buffer of the `WriteAt`.
        bytes: Vec<u8>,
    },
    /// The bytes that were read.
    Read {
        /// The bytes; fewer than asked for only at the end of the file.
        bytes: Vec<u8>,
    },
    /// The files of the data directory, by name.
    Listed {
        /// Each file and its length in bytes.
        files: Vec<(FileName, u64)>,
    },
}

/// Why a disk operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// There is no space; a `WriteAt` may have written a part. Its buffer comes home.
    NoSpace {
        /// The buffer of the `WriteAt`; empty for other operations.
        bytes: Vec<u8>,
    },
    /// Something else is short for now, such as descriptors, memory or a quota; a `WriteAt` may
    /// have written a part. Its buffer comes home.
    Short {
        /// The number that the operating system gave (`errno`).
        code: i32,
        /// The buffer of the `WriteAt`; empty for other operations.
        bytes: Vec<u8>,
    },
    /// There is no such file.
    NotFound,
    /// The device or the file system failed.
    Io {
        /// The number that the operating system gave (`errno`).
        code: i32,
    },
}

/// The names of Linux for its errors, as far as a file system gives them.
const WORDS: [(i32, &str); 20] = [
    (1, "Operation not permitted"),
    (2, "No such file or directory"),
    (4, "Interrupted system call"),
    (5, "Input/output error"),
    (9, "Bad file descriptor"),
    (11, "Resource temporarily unavailable"),
    (12, "Cannot allocate memory"),
    (13, "Permission denied"),
    (16, "Device or resource busy"),
    (20, "Not a directory"),
    (21, "Is a directory"),
    (22, "Invalid argument"),
    (23, "Too many open files in system"),
    (24, "Too many open files"),
    (27, "File too large"),
    (28, "No space left on device"),
    (30, "Read-only file system"),
    (116, "Stale file handle"),
    (117, "Structure needs cleaning"),
    (122, "Disk quota exceeded"),
];

impl DiskError {
    /// Returns true if it may pass by itself, or when somebody makes room: the operation is tried
    /// again.
    pub fn is_shortage(&self) -> bool {
        matches!(self, Self::NoSpace { .. } | Self::Short { .. })
    }

    /// The buffer of the `WriteAt` that could not be made, where one comes home.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::NoSpace { bytes } | Self::Short { bytes, .. } => bytes,
            Self::NotFound | Self::Io { .. } => Vec::new(),
        }
    }

    /// The operating system's own words.
    pub fn words(&self) -> &'static str {
        let code = match self {
            Self::NoSpace { .. } => 28,
            Self::NotFound => 2,
            Self::Short { code, .. } | Self::Io { code } => *code,
        };
        let found = WORDS.iter().find(|(known, _)| *known == code);
        found.map_or("an error without a name", |(_, words)| words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_file_name_survives_the_way_through_text() {
        let kinds = [FileKind::Base, FileKind::BaseTmp, FileKind::Log];
        let numbered = kinds
            .iter()
            .flat_map(|k| [0, 7, FileName::NUMBER_MAX].map(|n| FileName::new(*k, n)));
        for name in numbered.chain([FileName::MANIFEST, FileName::MANIFEST_TMP]) {
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn names_that_are_not_ours_are_not_parsed() {
        for name in [
            "",
            "manifest2",
            "log-1.aof",
            "base-00000000000000000001",
            "dump.rdb",
            "lock",
            "log-00576460752303423488.aof",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
