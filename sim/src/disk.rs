//! The fake disk: what is durable, what is pending, and what a crash makes of it.
//!
//! A file is a durable image and an ordered list of writes that no sync has covered. Reads see all
//! of it, as a page cache would show it. A crash keeps what one persistence profile allows:
//!
//! * `OrderedPrefix`: the pending operations up to some point, as an ordered journal would.
//! * `AnySubset`: each pending operation or not, independently: nothing orders unsynced writes.
//! * `SizeFirst`: the file has its new length, but what was written beyond the old one reads as
//!   zeros.
//! * `Torn`: a prefix, and of the next write only the sectors left or right of some point, or
//!   garbage there.
//! * `Lost`: nothing that was not synced.
//!
//! A directory entry (creation, rename, removal) is pending until the directory is synced; a crash
//! keeps a prefix of those, or any subset; and a file whose entry is kept need not have its
//! content. A sync of the directory that fails leaves names as they are seen; a later one may make
//! them durable.

mod failing;

use std::collections::BTreeMap;

use seedis::disk::{DiskDone, DiskError, DiskOp, FileName};
use seedis::rng::{below, draw};

use crate::image::Image;

/// The stream of draws that the disk makes.
const DISK_STREAM: u64 = 0x0064_6973_6b00_0001;

/// The number of "Input/output error".
pub(crate) const BROKEN: i32 = 5;
/// The number of "No space left on device".
pub(crate) const NO_SPACE: i32 = 28;
/// The numbers of what may be short instead: open files, and a quota.
pub(crate) const OTHER_SHORTAGES: [i32; 2] = [24, 122];

/// The effect of a crash on data that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    OrderedPrefix,
    AnySubset,
    SizeFirst,
    Torn,
    Lost,
}

impl Profile {
    pub(crate) const ALL: [Self; 5] = [
        Self::OrderedPrefix,
        Self::AnySubset,
        Self::SizeFirst,
        Self::Torn,
        Self::Lost,
    ];
}

#[derive(Clone, Debug)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

/// One file's content: an inode, which a name points to.
#[derive(Clone, Debug, Default)]
struct Inode {
    durable: Image,
    pending: Vec<Pending>,
    /// The content that a reader sees.
    current: Image,
}

impl Inode {
    fn apply(image: &mut Image, op: &Pending) {
        match op {
            Pending::Write { offset, bytes } => image.write(*offset, bytes),
            Pending::Truncate { len } => image.resize(*len),
        }
    }

    fn push(&mut self, op: Pending) {
        Self::apply(&mut self.current, &op);
        self.pending.push(op);
    }

    fn sync(&mut self) {
        // What a failed sync has given up is not made durable by a later one.
        for op in self.pending.drain(..) {
            Self::apply(&mut self.durable, &op);
        }
    }
}

#[derive(Clone, Debug)]
enum NameOp {
    Link {
        name: FileName,
        inode: usize,
    },
    Unlink {
        name: FileName,
    },
    Rename {
        from: FileName,
        to: FileName,
        inode: usize,
    },
}

fn apply_name(names: &mut BTreeMap<FileName, usize>, op: &NameOp) {
    match op {
        NameOp::Link { name, inode } => {
            names.insert(*name, *inode);
        }
        NameOp::Unlink { name } => {
            names.remove(name);
        }
        NameOp::Rename { from, to, inode } => {
            names.remove(from);
            names.insert(*to, *inode);
        }
    }
}

/// A disk with one directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeDisk {
    seed: u64,
    drawn: u64,
    inodes: Vec<Inode>,
    names: BTreeMap<FileName, usize>,
    durable_names: BTreeMap<FileName, usize>,
    pending_names: Vec<NameOp>,
    /// Bytes that may still be written; nothing: as many as one likes.
    pub(crate) space: Option<u64>,
    /// The operating system's error when they are written (`errno`): a shortage of space is one
    /// kind.
    pub(crate) shortage: i32,
    /// The data of a failed sync is never written, though readers may see it.
    final_failures: bool,
    /// Files keep no room for what they are made of: whatever is written takes space.
    pub(crate) thin: bool,
    /// The next sync fails.
    pub(crate) fail_next_sync: bool,
    /// Operations performed, by kind, for the report.
    pub(crate) syncs: u64,
    pub(crate) writes: u64,
}

impl FakeDisk {
    pub(crate) fn new(seed: u64, final_failures: bool) -> Self {
        Self {
            seed,
            final_failures,
            shortage: NO_SPACE,
            ..Self::default()
        }
    }

    /// How often it has drawn: from there on it draws what it has not drawn yet.
    pub(crate) fn dice(&self) -> u64 {
        self.drawn
    }

    /// Lets it draw as if it had drawn so often.
    pub(crate) fn set_dice(&mut self, drawn: u64) {
        self.drawn = drawn;
    }

    fn chance(&mut self, bound: u64) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        below(draw(self.seed, DISK_STREAM, self.drawn, 0), bound)
    }

    /// Performs an operation. The world decides whether it took long.
    pub(crate) fn perform(&mut self, op: DiskOp) -> Result<DiskDone, DiskError> {
        match op {
            DiskOp::Create { file, size } => {
                if !self.take_space(if self.thin { 0 } else { size }) {
                    return Err(self.short(Vec::new()));
                }
                let mut inode = Inode::default();
                inode.push(Pending::Truncate { len: size as usize });
                self.inodes.push(inode);
                let inode = self.inodes.len() - 1;
                self.name(NameOp::Link { name: file, inode });
            }
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => {
                let Some(inode) = self.names.get(&file).copied() else {
                    return Err(DiskError::NotFound);
                };
                let grown = (offset + bytes.len() as u64)
                    .saturating_sub(self.inodes[inode].current.len() as u64);
                let grown = if self.thin { bytes.len() as u64 } else { grown };
                if !self.take_space(grown) {
                    // A short write: what fitted is there.
                    let part = self.chance(bytes.len() as u64 + 1) as usize;
                    let op = Pending::Write {
                        offset: offset as usize,
                        bytes: bytes[..part].to_vec(),
                    };
                    self.inodes[inode].push(op);
                    return Err(self.short(bytes));
                }
                self.writes += 1;
                self.inodes[inode].push(Pending::Write {
                    offset: offset as usize,
                    bytes: bytes.clone(),
                });
                return Ok(DiskDone::Written { bytes });
            }
            DiskOp::WriteShared {
                file,
                offset,
                bytes,
            } => {
                let bytes = bytes.to_vec();
                let op = DiskOp::WriteAt {
                    file,
                    offset,
                    bytes,
                };
                // The memory is somebody else's, and does not come home.
                return match self.perform(op) {
                    Ok(_) => Ok(DiskDone::Done),
                    Err(DiskError::NoSpace { .. }) => Err(DiskError::NoSpace { bytes: Vec::new() }),
                    Err(other) => Err(other),
                };
            }
            DiskOp::Sync { file } => {
                let Some(inode) = self.names.get(&file).copied() else {
                    return Err(DiskError::NotFound);
                };
                self.syncs += 1;
                if std::mem::take(&mut self.fail_next_sync) {
                    let revert = self.chance(2) == 0;
                    let inode = &mut self.inodes[inode];
                    if revert {
                        // The cache shows again what is on the disk.
                        inode.pending.clear();
                        inode.current.clone_from(&inode.durable);
                    } else if self.final_failures {
                        // The cache keeps the data and calls them clean: no later sync writes them.
                        inode.pending.clear();
                    }
                    return Err(if self.chance(4) == 0 {
                        self.fail(&DiskOp::Sync { file }, NO_SPACE)
                    } else {
                        DiskError::Io { code: BROKEN }
                    });
                }
                self.inodes[inode].sync();
            }
            DiskOp::Read { file, offset, len } => {
                let Some(inode) = self.names.get(&file).copied() else {
                    return Err(DiskError::NotFound);
                };
                let image = &self.inodes[inode].current;
                let (from, len) = (offset as usize, len as usize);
                return Ok(DiskDone::Read {
                    bytes: image.read(from, from.saturating_add(len)),
                });
            }
            DiskOp::Truncate { file, len } => {
                let Some(inode) = self.names.get(&file).copied() else {
                    return Err(DiskError::NotFound);
                };
                self.inodes[inode].push(Pending::Truncate { len: len as usize });
            }
            DiskOp::Rename { from, to } => {
                let Some(inode) = self.names.get(&from).copied() else {
                    return Err(DiskError::NotFound);
                };
                self.name(NameOp::Rename { from, to, inode });
            }
            DiskOp::Remove { file } => {
                if let Some(inode) = self.names.get(&file).copied() {
                    let freed = self.inodes[inode].current.len() as u64;
                    if let Some(space) = &mut self.space {
                        *space += freed;
                    }
                    self.name(NameOp::Unlink { name: file });
                }
            }
            DiskOp::SyncDir => {
                self.durable_names.clone_from(&self.names);
                self.pending_names.clear();
                self.forget_nameless();
            }
            DiskOp::List => {
                let len = |inode: &usize| self.inodes[*inode].current.len() as u64;
                let files = self
                    .names
                    .iter()
                    .map(|(name, inode)| (*name, len(inode)))
                    .collect();
                return Ok(DiskDone::Listed { files });
            }
        }
        Ok(DiskDone::Done)
    }

    /// Lets go of the content of files that have no name any more, neither now nor after a crash.
    fn forget_nameless(&mut self) {
        let mut named = vec![false; self.inodes.len()];
        for number in self.durable_names.values() {
            named[*number] = true;
        }
        for (inode, _) in self
            .inodes
            .iter_mut()
            .zip(named)
            .filter(|(_, named)| !named)
        {
            *inode = Inode::default();
        }
    }

    fn short(&self, bytes: Vec<u8>) -> DiskError {
        match self.shortage {
            NO_SPACE => DiskError::NoSpace { bytes },
            code => DiskError::Short { code, bytes },
        }
    }

    fn take_space(&mut self, bytes: u64) -> bool {
        match &mut self.space {
            None => true,
            Some(space) if *space >= bytes => {
                *space -= bytes;
                true
            }
            Some(_) => false,
        }
    }

    fn name(&mut self, op: NameOp) {
        apply_name(&mut self.names, &op);
        self.pending_names.push(op);
    }

    /// Returns true if a name has taken the place of another, and that is not durable.
    pub(crate) fn has_renamed(&self) -> bool {
        let mut waiting = self.pending_names.iter();
        waiting.any(|op| matches!(op, NameOp::Rename { .. }))
    }

    /// The power fails: what was not synced survives as the profile has it.
    pub(crate) fn crash(&mut self, profile: Profile) {
        for number in 0..self.inodes.len() {
            if !self.inodes[number].pending.is_empty() {
                self.crash_inode(number, profile);
            }
        }
        let pending = std::mem::take(&mut self.pending_names);
        let prefix = match profile {
            Profile::Lost => 0,
            _ => self.chance(pending.len() as u64 + 1) as usize,
        };
        let mut names = self.durable_names.clone();
        for (place, op) in pending.iter().enumerate() {
            let kept = match profile {
                Profile::AnySubset => self.chance(2) == 0,
                _ => place < prefix,
            };
            if kept {
                apply_name(&mut names, op);
            }
        }
        self.names.clone_from(&names);
        self.durable_names = names;
    }

    fn crash_inode(&mut self, number: usize, profile: Profile) {
        let pending = std::mem::take(&mut self.inodes[number].pending);
        let mut image = std::mem::take(&mut self.inodes[number].durable);
        match profile {
            Profile::Lost => {}
            Profile::OrderedPrefix => {
                let kept = self.chance(pending.len() as u64 + 1) as usize;
                pending[..kept]
                    .iter()
                    .for_each(|op| Inode::apply(&mut image, op));
            }
            Profile::AnySubset => {
                for op in &pending {
                    if self.chance(2) == 0 {
                        Inode::apply(&mut image, op);
                    }
                }
            }
            Profile::SizeFirst => {
                let len = self.inodes[number].current.len();
                let kept = self.chance(pending.len() as u64 + 1) as usize;
                pending[..kept]
                    .iter()
                    .for_each(|op| Inode::apply(&mut image, op));
                image.resize(len);
            }
            Profile::Torn => {
                let kept = self.chance(pending.len() as u64 + 1) as usize;
                pending[..kept]
                    .iter()
                    .for_each(|op| Inode::apply(&mut image, op));
                if let Some(Pending::Write { offset, bytes }) = pending.get(kept) {
                    self.tear(&mut image, *offset, bytes);
                }
            }
        }
        let inode = &mut self.inodes[number];
        inode.current.clone_from(&image);
        inode.durable = image;
    }

    /// Lets a part of one write reach the disk, cut at a sector.
    fn tear(&mut self, image: &mut Image, offset: usize, bytes: &[u8]) {
        let sector = if self.chance(2) == 0 { 512 } else { 4096 };
        let cuts = bytes.len() / sector + 1;
        let cut =
            ((self.chance(cuts as u64) as usize + 1) * sector - offset % sector).min(bytes.len());
        let (from, part) = match self.chance(3) {
            0 => (0, bytes[..cut].to_vec()),
            1 => (cut, bytes[cut..].to_vec()),
            _ => {
                let mut part = bytes[..cut].to_vec();
                let last = part.len().saturating_sub(sector);
                // Recovery writes again what it cannot know to be durable: a sector that is written
                // with what it holds stays what it is.
                let there = image.read(offset + last, offset + cut);
                if there != part[last..] {
                    for byte in &mut part[last..] {
                        *byte = self.chance(256) as u8;
                    }
                }
                (0, part)
            }
        };
        Inode::apply(
            image,
            &Pending::Write {
                offset: offset + from,
                bytes: part,
            },
        );
    }

    /// The files that are on the disk, for damage at rest.
    pub(crate) fn files(&self) -> impl Iterator<Item = (FileName, &Image)> {
        let of = |inode: &usize| &self.inodes[*inode].current;
        self.names
            .iter()
            .map(move |(name, inode)| (*name, of(inode)))
    }

    /// A summary of each file for people: its length, how much of that is durable, and how many
    /// operations wait for a sync.
    pub(crate) fn inventory(&self) -> impl Iterator<Item = (FileName, [usize; 3])> {
        self.names.iter().map(|(name, inode)| {
            let inode = &self.inodes[*inode];
            let (len, durable) = (inode.current.len(), inode.durable.len());
            (*name, [len, durable, inode.pending.len()])
        })
    }

    /// Returns true if the directory has changes that no sync has covered.
    pub(crate) fn is_directory_pending(&self) -> bool {
        !self.pending_names.is_empty()
    }

    /// Puts other bytes in a place of a file, in what is there and what is durable alike.
    pub(crate) fn overwrite(&mut self, file: FileName, offset: usize, bytes: &[u8]) {
        if let Some(inode) = self.names.get(&file).copied() {
            let inode = &mut self.inodes[inode];
            for image in [&mut inode.current, &mut inode.durable] {
                image.write(offset, bytes);
            }
        }
    }

    /// Flips one bit of a file, in what is there and what is durable alike.
    pub(crate) fn flip(&mut self, file: FileName, offset: usize, bit: u8) -> bool {
        let Some(inode) = self.names.get(&file).copied() else {
            return false;
        };
        let inode = &mut self.inodes[inode];
        for image in [&mut inode.current, &mut inode.durable] {
            image.flip(offset, bit);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedis::disk::FileKind;

    const FILE: FileName = FileName::new(FileKind::Log, 1);

    fn disk_with(synced: &[u8], unsynced: &[&[u8]]) -> FakeDisk {
        let mut disk = FakeDisk::new(7, false);
        disk.perform(DiskOp::Create {
            file: FILE,
            size: 0,
        })
        .unwrap();
        disk.perform(DiskOp::WriteAt {
            file: FILE,
            offset: 0,
            bytes: synced.to_vec(),
        })
        .unwrap();
        disk.perform(DiskOp::Sync { file: FILE }).unwrap();
        disk.perform(DiskOp::SyncDir).unwrap();
        let mut offset = synced.len() as u64;
        for bytes in unsynced {
            disk.perform(DiskOp::WriteAt {
                file: FILE,
                offset,
                bytes: bytes.to_vec(),
            })
            .unwrap();
            offset += bytes.len() as u64;
        }
        disk
    }

    fn content(disk: &FakeDisk) -> Vec<u8> {
        let found = disk.files().find(|(name, _)| *name == FILE);
        found.map(|(_, image)| image.read(0, image.len())).unwrap()
    }

    #[test]
    fn what_was_synced_survives_every_profile() {
        for profile in Profile::ALL {
            for seed in 0..50 {
                let mut disk = disk_with(b"synced", &[b"one", b"two"]);
                disk.seed = seed;
                disk.crash(profile);
                assert!(content(&disk).starts_with(b"synced"), "{profile:?}");
            }
        }
    }

    #[test]
    fn what_was_not_synced_may_be_lost_kept_or_torn() {
        let mut seen = std::collections::BTreeSet::new();
        for profile in Profile::ALL {
            for seed in 0..50 {
                let mut disk = disk_with(b"synced", &[b"one", b"two"]);
                disk.seed = seed;
                disk.crash(profile);
                seen.insert(content(&disk));
            }
        }
        for wanted in [
            &b"synced"[..],
            b"syncedone",
            b"syncedonetwo",
            b"synced\0\0\0two",
        ] {
            assert!(seen.contains(wanted), "never left {wanted:?}");
        }
    }

    #[test]
    fn a_file_whose_directory_was_not_synced_may_be_gone() {
        let gone = (0..50).filter(|seed| {
            let mut disk = FakeDisk::new(*seed, false);
            disk.perform(DiskOp::Create {
                file: FILE,
                size: 8,
            })
            .unwrap();
            disk.perform(DiskOp::Sync { file: FILE }).unwrap();
            disk.crash(Profile::OrderedPrefix);
            disk.files().next().is_none()
        });
        assert!((1..50).contains(&gone.count()));
    }
}
