//! Operations of a disk that fail, and for which of them a process may end, or must.

use seedis::disk::{DiskDone, DiskError, DiskOp, FileKind, FileName};

use super::World;
use super::member::Member;
use crate::decisions::address::{Address, Deed};
use crate::decisions::decision::Strike;
use crate::disk::BROKEN;
use crate::goals::Fault;

impl Member {
    /// Returns true if a process that serves may end since this operation has failed: what it has
    /// promised may be lost, or nobody can say which files count.
    fn may_end_for(&self, op: &DiskOp) -> bool {
        let is_dirty = |file: &FileName| self.unsynced.contains(file);
        match op {
            DiskOp::WriteAt { file, .. } | DiskOp::WriteShared { file, .. } => {
                file.kind() == FileKind::Log
            }
            DiskOp::Sync { file } => file.kind() == FileKind::Log && is_dirty(file),
            DiskOp::Rename { to, .. } => to.kind() == FileKind::Manifest,
            DiskOp::SyncDir => true,
            _ => false,
        }
    }

    /// Returns true if it must.
    fn must_end_for(&self, op: &DiskOp) -> bool {
        // A fresh file that fails may be thrown away: nobody has relied on it.
        self.may_end_for(op) && !matches!(op, DiskOp::Rename { .. } | DiskOp::SyncDir)
    }

    /// An operation fails: the process may end, or must.
    fn fails(&mut self, op: &DiskOp) {
        self.may_end |= !self.serving || self.may_end_for(op);
        self.sync_failed |= self.must_end_for(op);
    }
}

impl World {
    /// Lets an operation fail, where one is to.
    pub(super) fn fails(
        &mut self,
        number: usize,
        op: &DiskOp,
        address: Option<&Address>,
    ) -> Option<DiskError> {
        let member = &mut self.members[number];
        if let DiskOp::Read { file, .. } = op
            && member.bad == Some(*file)
        {
            member.fails(op);
            return Some(DiskError::Io { code: BROKEN });
        }
        if self.healed || matches!(op, DiskOp::Sync { .. }) {
            return None;
        }
        let deed = Deed::of(op);
        let drawn = member.failing.iter().position(|it| it.deed == deed);
        let drawn = drawn.map(|at| member.failing.swap_remove(at));
        let mut wanted = drawn.map(|it| (it.code, it.stays));
        for strike in self.decisions.strikes(address, Strike::fails) {
            if let Strike::FailOp { dice, code, stays } = strike {
                member.disk.set_dice(dice);
                wanted = Some((code, stays));
            }
        }
        // A lone server that cannot read its base any more is of no use.
        let (code, stays) = wanted?;
        let stays = stays && self.members.len() > 1;
        let member = &mut self.members[number];
        let dice = member.disk.dice();
        let error = member.disk.fail(op, code);
        member.fails(op);
        let bad = match op {
            DiskOp::Read { file, .. } if stays && file.kind() == FileKind::Base => Some(*file),
            _ => None,
        };
        if bad.is_some() {
            member.bad = bad;
            self.fired(Fault::BadFile);
        }
        self.fired(Fault::OpFails);
        let address = address.cloned();
        self.record(address, || Strike::FailOp { dice, code, stays });
        Some(error)
    }

    /// Lets a sync fail, where a script has it fail.
    pub(super) fn arm_sync(&mut self, number: usize, op: &DiskOp, address: Option<&Address>) {
        if self.healed || !matches!(op, DiskOp::Sync { .. }) {
            return;
        }
        for strike in self.decisions.strikes(address, Strike::fails) {
            if let Strike::FailSync { dice } = strike {
                let disk = &mut self.members[number].disk;
                disk.set_dice(dice);
                disk.fail_next_sync = true;
            }
        }
    }

    /// A sync of a file has failed, or not.
    pub(super) fn sync_has_ended(
        &mut self,
        number: usize,
        op: &DiskOp,
        dice: u64,
        address: Option<Address>,
        outcome: &Result<DiskDone, DiskError>,
    ) {
        let DiskOp::Sync { file } = op else {
            return;
        };
        let member = &mut self.members[number];
        match outcome {
            Ok(_) => {
                member.unsynced.remove(file);
            }
            // It was removed.
            Err(DiskError::NotFound) => {}
            Err(_) => {
                member.fails(op);
                self.fired(Fault::SyncFails);
                self.record(address, || Strike::FailSync { dice });
                self.judge.sync_lost(number);
            }
        }
    }
}
