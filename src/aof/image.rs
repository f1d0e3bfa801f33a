//! A data directory that is written in one go: a base, a log of one segment, and the manifest that
//! makes them count.
//!
//! Nobody has the directory open meanwhile, and nothing is in it: what a crash leaves has no
//! manifest, and is no server's.

use alloc::vec::Vec;

use crate::disk::{DiskOp, FileName};
use crate::ids::LogIndex;

use super::manifest::Manifest;
use super::record::{self, Head, Position, Restated};
use super::{rewriting, segment};

/// The number of the base and of the segment behind it.
const NUMBER: u64 = 1;

/// A directory on its way.
#[derive(Debug)]
pub struct Image {
    base_bytes: u64,
    end: Position,
    predecessor: u64,
}

impl Image {
    /// An empty log, and no base.
    pub fn new(out: &mut Vec<DiskOp>) -> Self {
        out.push(DiskOp::Create {
            file: segment::file(NUMBER),
            size: 0,
        });
        Self {
            base_bytes: 0,
            end: Position {
                segment: NUMBER,
                offset: 0,
            },
            predecessor: 0,
        }
    }

    /// Begins the base with what it says of itself.
    pub fn base_head(&mut self, head: &[u8], out: &mut Vec<DiskOp>) {
        let file = rewriting::base(NUMBER);
        out.push(DiskOp::Create { file, size: 0 });
        self.put_base(rewriting::HEAD, head, out);
    }

    /// Adds a piece of the base's state.
    pub fn base_piece(&mut self, piece: &[u8], out: &mut Vec<DiskOp>) {
        self.put_base(rewriting::PIECE, piece, out);
    }

    fn put_base(&mut self, kind: u8, payload: &[u8], out: &mut Vec<DiskOp>) {
        let mut bytes = Vec::new();
        let place = Position::in_base(NUMBER, self.base_bytes);
        record::put(&mut bytes, place, &[&[kind], payload]);
        let offset = self.base_bytes;
        self.base_bytes += bytes.len() as u64;
        out.push(DiskOp::WriteAt {
            file: rewriting::base(NUMBER),
            offset,
            bytes,
        });
    }

    /// Adds a record to the log.
    pub fn record(
        &mut self,
        restated: Restated,
        last: LogIndex,
        body: &[u8],
        out: &mut Vec<DiskOp>,
    ) {
        let head = Head {
            predecessor: self.predecessor,
            // All of it is synced before the manifest makes it count.
            synced: self.end,
            restated,
            last,
        };
        let mut bytes = Vec::new();
        self.predecessor = record::put_log(&mut bytes, self.end, &head, body);
        let offset = self.end.offset;
        self.end.offset += bytes.len() as u64;
        out.push(DiskOp::WriteAt {
            file: segment::file(NUMBER),
            offset,
            bytes,
        });
    }

    /// All is there: the directory belongs to whom `identity` names.
    pub fn finish(mut self, identity: Vec<u8>, out: &mut Vec<DiskOp>) {
        let has_base = self.base_bytes > 0;
        if has_base {
            self.put_base(rewriting::FOOTER, &[], out);
        }
        let manifest = Manifest {
            base: if has_base { NUMBER } else { 0 },
            first_segment: NUMBER,
            predecessor: 0,
            debt: None,
            identity,
        };
        let base = has_base.then_some(rewriting::base(NUMBER));
        for file in base.into_iter().chain([segment::file(NUMBER)]) {
            out.push(DiskOp::Sync { file });
        }
        let tmp = FileName::MANIFEST_TMP;
        out.extend([
            DiskOp::SyncDir,
            DiskOp::Create { file: tmp, size: 0 },
            DiskOp::WriteAt {
                file: tmp,
                offset: 0,
                bytes: manifest.encode(),
            },
            DiskOp::Sync { file: tmp },
            DiskOp::Rename {
                from: tmp,
                to: FileName::MANIFEST,
            },
            DiskOp::SyncDir,
        ]);
    }
}
