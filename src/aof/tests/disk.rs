//! A disk with a durable image, and operations that a crash may or may not keep.

use std::collections::BTreeMap;
use std::rc::Rc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::disk::{DiskDone, DiskError, DiskOp, FileName};

/// A file: what is durable, and changes that are not.
#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Rc<[u8]>),
    Length(usize),
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, new) => {
            let end = offset + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(new);
        }
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

/// Names and files, each file by a number of its own, so that a rename moves it.
#[derive(Clone, Debug, Default)]
pub(in crate::aof) struct Disk {
    files: Vec<File>,
    names: BTreeMap<FileName, usize>,
    durable_names: BTreeMap<FileName, usize>,
    pub(in crate::aof) is_full: bool,
    /// No larger file can be made.
    pub(in crate::aof) largest: Option<u64>,
    /// The one file that finds no space.
    pub(in crate::aof) cramped: Option<FileName>,
}

impl Disk {
    pub(in crate::aof) fn perform(&mut self, op: DiskOp) -> Result<DiskDone, DiskError> {
        let number = |disk: &Self, file| disk.names.get(&file).copied().ok_or(DiskError::NotFound);
        match op {
            DiskOp::Create { file, size } => {
                if self.is_full || self.largest.is_some_and(|largest| size > largest) {
                    return Err(DiskError::NoSpace { bytes: Vec::new() });
                }
                self.files.push(File::default());
                let number = self.files.len() - 1;
                self.names.insert(file, number);
                self.files[number]
                    .pending
                    .push(Change::Length(size as usize));
            }
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => {
                let number = number(self, file)?;
                if self.is_full || self.cramped == Some(file) {
                    let half = &bytes[..bytes.len() / 2];
                    let change = Change::Write(offset as usize, half.into());
                    self.files[number].pending.push(change);
                    return Err(DiskError::NoSpace { bytes });
                }
                let change = Change::Write(offset as usize, bytes[..].into());
                self.files[number].pending.push(change);
                return Ok(DiskDone::Written { bytes });
            }
            DiskOp::WriteShared {
                file,
                offset,
                bytes,
            } => {
                let bytes = bytes.to_vec();
                self.perform(DiskOp::WriteAt {
                    file,
                    offset,
                    bytes,
                })?;
            }
            DiskOp::Sync { file } => {
                let number = number(self, file)?;
                let File { durable, pending } = &mut self.files[number];
                pending.drain(..).for_each(|change| apply(durable, &change));
            }
            DiskOp::Read { file, offset, len } => {
                let bytes = self.bytes(number(self, file)?);
                let from = (offset as usize).min(bytes.len());
                let to = (from + len as usize).min(bytes.len());
                return Ok(DiskDone::Read {
                    bytes: bytes[from..to].to_vec(),
                });
            }
            DiskOp::Truncate { file, len } => {
                let number = number(self, file)?;
                self.files[number]
                    .pending
                    .push(Change::Length(len as usize));
            }
            DiskOp::Rename { from, to } => {
                let number = self.names.remove(&from).ok_or(DiskError::NotFound)?;
                self.names.insert(to, number);
            }
            DiskOp::Remove { file } => {
                self.names.remove(&file);
            }
            DiskOp::SyncDir => self.durable_names = self.names.clone(),
            DiskOp::List => {
                let length = |number: usize| self.bytes(number).len() as u64;
                let files = self
                    .names
                    .iter()
                    .map(|(name, n)| (*name, length(*n)))
                    .collect();
                return Ok(DiskDone::Listed { files });
            }
        }
        Ok(DiskDone::Done)
    }

    fn bytes(&self, number: usize) -> Vec<u8> {
        let mut bytes = self.files[number].durable.clone();
        self.files[number]
            .pending
            .iter()
            .for_each(|change| apply(&mut bytes, change));
        bytes
    }

    /// The content of the disk after a crash: names either as synced or as they are, and of each
    /// file's pending changes any subset, a write perhaps torn.
    pub(in crate::aof) fn crash(&self, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut after = Self {
            files: self.files.clone(),
            names: self.durable_names.clone(),
            durable_names: BTreeMap::new(),
            is_full: false,
            largest: None,
            cramped: None,
        };
        for (name, number) in &self.names {
            if rng.random_bool(0.5) {
                after.names.insert(*name, *number);
            }
        }
        for name in self.durable_names.keys() {
            if !self.names.contains_key(name) && rng.random_bool(0.5) {
                after.names.remove(name);
            }
        }
        after.durable_names = after.names.clone();
        for file in &mut after.files {
            for change in core::mem::take(&mut file.pending) {
                match change {
                    _ if rng.random_bool(0.4) => {}
                    Change::Write(offset, bytes) if rng.random_bool(0.3) => {
                        let from = rng.random_range(0..=bytes.len());
                        let to = rng.random_range(from..=bytes.len());
                        let torn = Change::Write(offset + from, bytes[from..to].into());
                        apply(&mut file.durable, &torn);
                    }
                    change => apply(&mut file.durable, &change),
                }
            }
        }
        after
    }

    /// The bytes of a file, to be damaged.
    pub(in crate::aof) fn image(&mut self, file: FileName) -> &mut Vec<u8> {
        let number = self.names[&file];
        let File { durable, pending } = &mut self.files[number];
        pending.drain(..).for_each(|change| apply(durable, &change));
        durable
    }
}
