//! A debt that an open log takes on: a manifest that says so takes the place of the present one.
//!
//! The manifest is otherwise written by recovery and by a rewrite. A rewrite that has begun with
//! its own is waited for, and none begins with it meanwhile: both write the same file first.

use alloc::vec::Vec;
use core::time::Duration;

use crate::disk::{DiskDone, DiskError, DiskOp, FileName};
use crate::time::Mono;

use super::super::failure::Failure;
use super::super::manifest::{Debt, Manifest};
use super::super::op::Op;
use super::super::owing::Stage;
use super::Log;

/// How long it is until a manifest that found no space is tried again.
const RETRY: Duration = Duration::from_millis(500);

impl Log {
    /// Entries are missing that this member has acknowledged: the manifest will say so, durably,
    /// beside what it says already.
    pub fn owe(&mut self, debt: Debt) {
        self.debt = Some(self.debt.map_or(debt, |known| known.and(debt)));
        self.owing.is_wanted = true;
    }

    /// Begins to write the manifest where that is wanted and nobody else writes one.
    pub(super) fn step_owing(&mut self, now: Mono, out: &mut Vec<Op>) {
        if self.debt.is_none() {
            self.owing.is_wanted = false;
        }
        let waits = self.owing.is_busy() || now < self.owing.retry_at || self.is_switching();
        if !self.owing.is_wanted || waits {
            return;
        }
        self.owing.is_wanted = false;
        let (file, size) = (FileName::MANIFEST_TMP, 0);
        let ticket = self.tickets.ask(DiskOp::Create { file, size }, out);
        self.owing.on_its_way = Some((Stage::Creating, ticket));
    }

    pub(super) fn owing_completed(
        &mut self,
        now: Mono,
        outcome: Result<DiskDone, DiskError>,
        out: &mut Vec<Op>,
    ) -> Result<(), Failure> {
        let Some((stage, _)) = self.owing.on_its_way.take() else {
            return Ok(());
        };
        let file = FileName::MANIFEST_TMP;
        if let Err(error) = outcome {
            if matches!(stage, Stage::Renaming | Stage::SyncingName) {
                return Err(Failure::Switch(error));
            }
            self.tickets.ask(DiskOp::Remove { file }, out);
            (self.owing.is_wanted, self.owing.retry_at) = (true, now + RETRY);
            return Ok(());
        }
        let (stage, op) = match stage {
            Stage::Creating => {
                let manifest = Manifest {
                    base: self.base,
                    first_segment: self.first_segment,
                    predecessor: self.first_predecessor,
                    debt: self.debt,
                    identity: self.identity(),
                };
                let (offset, bytes) = (0, manifest.encode());
                let write = DiskOp::WriteAt {
                    file,
                    offset,
                    bytes,
                };
                (Stage::Writing, write)
            }
            Stage::Writing => (Stage::Syncing, DiskOp::Sync { file }),
            Stage::Syncing => {
                let to = FileName::MANIFEST;
                (Stage::Renaming, DiskOp::Rename { from: file, to })
            }
            Stage::Renaming => (Stage::SyncingName, DiskOp::SyncDir),
            Stage::SyncingName => return Ok(()),
        };
        self.owing.on_its_way = Some((stage, self.tickets.ask(op, out)));
        Ok(())
    }
}
