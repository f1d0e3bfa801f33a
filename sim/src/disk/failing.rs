//! Operations of the fake disk that fail, and what is done of them all the same.

use seedis::disk::{DiskError, DiskOp};

use super::{FakeDisk, Inode, NO_SPACE, NameOp, OTHER_SHORTAGES, Pending, apply_name};

impl FakeDisk {
    /// Lets an operation fail with an error of this number. Of a write a part may be there; a file
    /// may have been made, and renamed; and of the names that wait for a sync of the directory the
    /// first may be durable. The others wait on.
    pub(crate) fn fail(&mut self, op: &DiskOp, code: i32) -> DiskError {
        match op {
            DiskOp::WriteAt {
                file,
                offset,
                bytes,
            } => self.write_part(*file, *offset, bytes),
            DiskOp::WriteShared {
                file,
                offset,
                bytes,
            } => self.write_part(*file, *offset, bytes),
            DiskOp::Create { file, .. } if self.chance(2) == 0 => {
                self.inodes.push(Inode::default());
                let inode = self.inodes.len() - 1;
                self.name(NameOp::Link { name: *file, inode });
            }
            DiskOp::Rename { from, to } if self.chance(2) == 0 => {
                if let Some(inode) = self.names.get(from).copied() {
                    let (from, to) = (*from, *to);
                    self.name(NameOp::Rename { from, to, inode });
                }
            }
            DiskOp::SyncDir => {
                let durable = self.chance(self.pending_names.len() as u64 + 1) as usize;
                for op in self.pending_names.drain(..durable) {
                    apply_name(&mut self.durable_names, &op);
                }
            }
            _ => {}
        }
        match code {
            NO_SPACE => DiskError::NoSpace { bytes: Vec::new() },
            code if OTHER_SHORTAGES.contains(&code) => DiskError::Short {
                code,
                bytes: Vec::new(),
            },
            code => DiskError::Io { code },
        }
    }

    fn write_part(&mut self, file: seedis::disk::FileName, offset: u64, bytes: &[u8]) {
        let part = self.chance(bytes.len() as u64 + 1) as usize;
        if let Some(inode) = self.names.get(&file).copied() {
            self.inodes[inode].push(Pending::Write {
                offset: offset as usize,
                bytes: bytes[..part].to_vec(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use seedis::disk::{FileKind, FileName};

    use super::*;
    use crate::disk::{BROKEN, Profile};

    const FILE: FileName = FileName::new(FileKind::Log, 1);

    #[test]
    fn a_name_whose_sync_has_failed_may_be_lost_until_another_succeeds() {
        let made = |syncs: usize| {
            let found = (0..50).filter(|seed| {
                let mut disk = FakeDisk::new(*seed, false);
                let (file, size) = (FILE, 8);
                disk.perform(DiskOp::Create { file, size }).unwrap();
                let error = disk.fail(&DiskOp::SyncDir, BROKEN);
                assert_eq!(error, DiskError::Io { code: BROKEN });
                assert!(disk.files().next().is_some(), "it is there for now");
                for _ in 0..syncs {
                    disk.perform(DiskOp::SyncDir).unwrap();
                }
                disk.crash(Profile::Lost);
                disk.files().next().is_some()
            });
            found.count()
        };
        assert!((1..50).contains(&made(0)));
        assert_eq!(made(1), 50);
    }

    #[test]
    fn of_a_write_that_fails_a_part_may_be_there() {
        let there = (0..50).map(|seed| {
            let mut disk = FakeDisk::new(seed, false);
            let (file, size) = (FILE, 0);
            disk.perform(DiskOp::Create { file, size }).unwrap();
            let (offset, bytes) = (0, b"abc".to_vec());
            let write = DiskOp::WriteAt {
                file,
                offset,
                bytes,
            };
            let _ = disk.fail(&write, BROKEN);
            disk.files().map(|(_, image)| image.len()).sum::<usize>()
        });
        let seen: std::collections::BTreeSet<usize> = there.collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}
