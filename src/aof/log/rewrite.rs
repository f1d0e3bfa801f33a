//! A rewrite: a new base is written while the log goes on in a new segment, and then one rename
//! makes it count.
//!
//! Every step that the next one relies on is durable first: the base before its name, its name
//! before the manifest, the manifest before anything old is removed.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use crate::disk::{DiskDone, DiskError, DiskOp, FileName};
use crate::ids::{PersistSeq, Ticket};

use super::super::failure::Failure;
use super::super::manifest::Manifest;
use super::super::op::Op;
use super::super::record::{self, FRAME_BYTES, Position};
use super::super::rewriting::{
    FOOTER, HEAD, PIECE, RewriteState, Rewriting, Stage, base, base_tmp,
};
use super::super::segment;
use super::Log;

/// How many pieces may be on their way to the disk.
const IN_FLIGHT_MAX: usize = 4;
/// A base is synced piece by piece, this part of a segment each: were it left to one sync at the
/// end, a file system that flushes what others have written first would let the log wait for all.
const SYNCED_PART: u64 = 4;
/// The largest buffer that is used again for another piece, in bytes: one that had a large element
/// in it is given back.
const SPARE_BYTES_MAX: usize = 256 << 10;

impl Log {
    /// Begins a base whose state is that of everything appended so far; the log goes on in a new
    /// segment. False where that segment is not ready yet, or a rewrite is running: ask again
    /// in a later turn.
    pub fn rewrite_begin(&mut self, head: &[u8], out: &mut Vec<Op>) -> bool {
        if self.rewriting.is_some() {
            return false;
        }
        if !self.change_segment() {
            self.want_next();
            return false;
        }
        self.base_begin(self.end.segment, head, out);
        self.base_is_behind();
        true
    }

    /// Begins a base that comes from elsewhere and replaces all that is in the log by then. False
    /// where a rewrite is running: ask again in a later turn.
    pub fn install_begin(&mut self, head: &[u8], out: &mut Vec<Op>) -> bool {
        if self.rewriting.is_some() {
            return false;
        }
        // No base has that number yet, and none of a later rewrite will.
        self.base_begin(self.end.segment + 1, head, out);
        true
    }

    /// The received base is complete: the log goes on behind it in a new segment, with what is
    /// appended next, and is nothing else once the base counts. False where that segment is not
    /// ready yet: ask again in a later turn.
    pub fn install_finish(&mut self, out: &mut Vec<Op>) -> bool {
        if !self.change_segment() {
            self.want_next();
            return false;
        }
        self.base_is_behind();
        self.rewrite_finish(out);
        true
    }

    fn base_begin(&mut self, number: u64, head: &[u8], out: &mut Vec<Op>) {
        let create = DiskOp::Create {
            file: base_tmp(number),
            size: 0,
        };
        let ticket = self.tickets.ask(create, out);
        self.rewriting = Some(Rewriting {
            stage: Stage::Writing,
            number,
            first_segment: number,
            bytes: 0,
            sync_asked: 0,
            ticket: None,
            writing: VecDeque::from([ticket]),
            first: PersistSeq(0),
            predecessor: 0,
            earlier_bytes: 0,
            spare: Vec::new(),
        });
        self.rewrite_put(HEAD, head, out);
    }

    /// A segment has just begun, and nothing in front of it will count once the base does.
    fn base_is_behind(&mut self) {
        let (first_segment, first) = (self.end.segment, self.appended.next());
        let (predecessor, earlier) = (self.predecessor, mem::take(&mut self.earlier_bytes));
        if let Some(rewriting) = &mut self.rewriting {
            (rewriting.first_segment, rewriting.first) = (first_segment, first);
            (rewriting.predecessor, rewriting.earlier_bytes) = (predecessor, earlier);
        }
        self.must_sync();
    }

    /// Returns true if another piece would not have to wait for the disk.
    pub fn rewrite_wants_more(&self) -> bool {
        self.rewriting.as_ref().is_some_and(|rewriting| {
            rewriting.stage == Stage::Writing && rewriting.writing.len() < IN_FLIGHT_MAX
        })
    }

    /// Adds a piece of the state to the base.
    pub fn rewrite_piece(&mut self, piece: &[u8], out: &mut Vec<Op>) {
        self.rewrite_put(PIECE, piece, out);
    }

    /// The state is complete: the base is finished and made to count.
    pub fn rewrite_finish(&mut self, out: &mut Vec<Op>) {
        self.rewrite_put(FOOTER, &[], out);
        if let Some(rewriting) = &mut self.rewriting
            && rewriting.stage == Stage::Writing
        {
            rewriting.stage = Stage::Whole;
        }
    }

    /// Returns true if a rewrite has begun with its manifest, so that no other may.
    pub(super) fn is_switching(&self) -> bool {
        let stage = self.rewriting.as_ref().map(|rewriting| rewriting.stage);
        stage.is_some_and(|stage| {
            matches!(
                stage,
                Stage::CreatingManifest
                    | Stage::WritingManifest
                    | Stage::SyncingManifest
                    | Stage::RenamingManifest
                    | Stage::SyncingSwitch
            )
        })
    }

    /// How the rewrite stands; its end is told once.
    pub fn take_rewrite_outcome(&mut self) -> RewriteState {
        let Some(rewriting) = &self.rewriting else {
            return RewriteState::Absent;
        };
        match rewriting.stage {
            Stage::Done => {
                let bytes = rewriting.bytes;
                self.rewriting = None;
                RewriteState::Done { bytes }
            }
            Stage::Failed if rewriting.writing.is_empty() => {
                self.earlier_bytes += rewriting.earlier_bytes;
                self.rewriting = None;
                RewriteState::Failed
            }
            _ => RewriteState::Running,
        }
    }

    /// The rewrite is given up, unless its base is whole already.
    pub fn rewrite_abort(&mut self, out: &mut Vec<Op>) {
        if let Some(rewriting) = &mut self.rewriting
            && rewriting.stage == Stage::Writing
        {
            rewriting.stage = Stage::Failed;
            self.clear_failed(out);
        }
    }

    /// The base that counts: its number and its length in bytes; nothing where there is none.
    pub fn base(&self) -> Option<(u64, u64)> {
        (self.base > 0).then_some((self.base, self.base_bytes))
    }

    /// Asks for some bytes of a base. Once another counts, this one is not found any more.
    pub fn read_base(&mut self, number: u64, offset: u64, len: u32, out: &mut Vec<Op>) -> Ticket {
        let file = base(number);
        self.tickets.ask(DiskOp::Read { file, offset, len }, out)
    }

    fn rewrite_put(&mut self, kind: u8, payload: &[u8], out: &mut Vec<Op>) {
        let Some(rewriting) = &mut self.rewriting else {
            return;
        };
        if rewriting.stage != Stage::Writing {
            return;
        }
        let offset = rewriting.bytes;
        let mut bytes = rewriting.spare.pop().unwrap_or_default();
        let place = Position::in_base(rewriting.number, offset);
        record::put(&mut bytes, place, &[&[kind], payload]);
        rewriting.bytes += (FRAME_BYTES + 1 + payload.len()) as u64;
        let write = DiskOp::WriteAt {
            file: base_tmp(rewriting.number),
            offset,
            bytes,
        };
        rewriting.writing.push_back(self.tickets.ask(write, out));
        if rewriting.bytes - rewriting.sync_asked >= self.settings.segment_bytes / SYNCED_PART {
            rewriting.sync_asked = rewriting.bytes;
            let file = base_tmp(rewriting.number);
            let sync = self.tickets.ask(DiskOp::Sync { file }, out);
            rewriting.writing.push_back(sync);
        }
    }

    /// Takes the next step where the last is done.
    pub(super) fn step_rewrite(&mut self, out: &mut Vec<Op>) {
        let (synced, is_taken) = (self.synced, self.owing.is_busy());
        let Some(rewriting) = &mut self.rewriting else {
            return;
        };
        let number = rewriting.number;
        if rewriting.stage == Stage::Whole && rewriting.writing.is_empty() {
            let sync = DiskOp::Sync {
                file: base_tmp(number),
            };
            rewriting.stage = Stage::SyncingBase;
            rewriting.ticket = Some(self.tickets.ask(sync, out));
        }
        if rewriting.stage == Stage::AwaitingLog && synced >= rewriting.first && !is_taken {
            let create = DiskOp::Create {
                file: FileName::MANIFEST_TMP,
                size: 0,
            };
            rewriting.stage = Stage::CreatingManifest;
            rewriting.ticket = Some(self.tickets.ask(create, out));
        }
    }

    pub(super) fn rewrite_completed(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskDone, DiskError>,
        out: &mut Vec<Op>,
    ) -> Result<(), Failure> {
        let (identity, debt) = (self.identity(), self.debt);
        let Some(rewriting) = &mut self.rewriting else {
            return Ok(());
        };
        if rewriting.writing.front() == Some(&ticket) {
            rewriting.writing.pop_front();
            match outcome {
                Ok(DiskDone::Written { mut bytes }) => {
                    bytes.clear();
                    if bytes.capacity() <= SPARE_BYTES_MAX {
                        rewriting.spare.push(bytes);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    rewriting.stage = Stage::Failed;
                    self.rewrite_failed_for = error.words();
                }
            }
            self.clear_failed(out);
            return Ok(());
        }
        if rewriting.ticket != Some(ticket) {
            return Ok(());
        }
        rewriting.ticket = None;
        if let Err(error) = outcome {
            if matches!(
                rewriting.stage,
                Stage::RenamingManifest | Stage::SyncingSwitch
            ) {
                return Err(Failure::Switch(error));
            }
            rewriting.stage = Stage::Failed;
            self.rewrite_failed_for = error.words();
            self.clear_failed(out);
            return Ok(());
        }
        let (number, first_segment) = (rewriting.number, rewriting.first_segment);
        let tmp = FileName::MANIFEST_TMP;
        let (stage, op) = match rewriting.stage {
            Stage::SyncingBase => (
                Stage::RenamingBase,
                DiskOp::Rename {
                    from: base_tmp(number),
                    to: base(number),
                },
            ),
            Stage::RenamingBase => (Stage::SyncingName, DiskOp::SyncDir),
            Stage::SyncingName => {
                rewriting.stage = Stage::AwaitingLog;
                return Ok(());
            }
            Stage::CreatingManifest => {
                let manifest = Manifest {
                    base: number,
                    first_segment,
                    predecessor: rewriting.predecessor,
                    debt,
                    identity,
                };
                let write = DiskOp::WriteAt {
                    file: tmp,
                    offset: 0,
                    bytes: manifest.encode(),
                };
                (Stage::WritingManifest, write)
            }
            Stage::WritingManifest => (Stage::SyncingManifest, DiskOp::Sync { file: tmp }),
            Stage::SyncingManifest => {
                let to = FileName::MANIFEST;
                (Stage::RenamingManifest, DiskOp::Rename { from: tmp, to })
            }
            Stage::RenamingManifest => (Stage::SyncingSwitch, DiskOp::SyncDir),
            _ => {
                rewriting.stage = Stage::Done;
                self.base_bytes = rewriting.bytes;
                self.first_predecessor = rewriting.predecessor;
                self.remove_old(number, first_segment, out);
                return Ok(());
            }
        };
        rewriting.stage = stage;
        rewriting.ticket = Some(self.tickets.ask(op, out));
        Ok(())
    }

    /// Removes the files that the new base has replaced; nobody waits for it.
    fn remove_old(&mut self, number: u64, first_segment: u64, out: &mut Vec<Op>) {
        for old in self.first_segment..first_segment {
            let file = segment::file(old);
            self.tickets.ask(DiskOp::Remove { file }, out);
        }
        if self.base > 0 {
            let file = base(self.base);
            self.tickets.ask(DiskOp::Remove { file }, out);
        }
        self.base = number;
        self.first_segment = first_segment;
    }

    fn clear_failed(&mut self, out: &mut Vec<Op>) {
        let Some(rewriting) = &self.rewriting else {
            return;
        };
        if rewriting.stage == Stage::Failed && rewriting.writing.is_empty() {
            // It may have its name already, and would take its room until the next start.
            for file in [base_tmp(rewriting.number), base(rewriting.number)] {
                self.tickets.ask(DiskOp::Remove { file }, out);
            }
            if !self.owing.is_busy() {
                let file = FileName::MANIFEST_TMP;
                self.tickets.ask(DiskOp::Remove { file }, out);
            }
        }
    }
}
