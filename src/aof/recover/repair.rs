//! The fate of a damaged directory: its owner is told, and can have it go on without the data that
//! it can take again from elsewhere.
//!
//! The debt is durable before anything goes: a crash at any step finds the damage once more, or the
//! debt, or both. Of a damaged log what stands in front of the damage stays. Behind a damaged base
//! nothing can be applied, so that the log begins anew.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::disk::{DiskOp, FileKind};
use crate::ids::LogIndex;

use super::super::manifest::{Debt, Manifest};
use super::super::op::Op;
use super::super::record::Position;
use super::super::rewriting;
use super::super::segment::{self, describe};
use super::super::step::Step;
use super::{Damage, Event, Recovery, Stage};

impl Recovery {
    /// All is read: the log can be gone on with, or acknowledged data are damaged.
    pub(super) fn log_is_read(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        let (file, offset, why, advice) = if let Some(offset) = self.base_damage {
            let file = rewriting::base(self.manifest.base);
            let why = format!("{file} is damaged at offset {offset}");
            (file, offset, why, ": restore it from a copy")
        } else if let Some(proof) = self.proof_of_loss() {
            let (file, offset) = self.end();
            let why = format!(
                "the log is damaged in {}: {proof}, so that acknowledged writes are lost",
                describe(self.end)
            );
            let advice = ". Restore a copy, or look at it with \"seedis check\" and cut it there \
                          with --repair";
            (file, offset, why, advice)
        } else {
            return self.prepare(out, show);
        };
        self.damage = Some(Damage {
            file,
            offset,
            acknowledged: true,
        });
        if self.read_only {
            return self.refuse(why + advice, show);
        }
        self.stage = Stage::Damaged;
        let all = self.base_damage.is_some();
        show(Event::Damaged { why, advice, all });
    }

    /// How it is known that the log went on where it ends now.
    fn proof_of_loss(&self) -> Option<String> {
        if let Some(witness) = self.witness {
            let witness = describe(witness);
            return Some(format!(
                "the record in {witness} shows that this place was synced"
            ));
        }
        self.is_emptied()
            .then(|| "a record there was synced before the manifest listed the file".into())
    }

    /// Returns true if the first record after the base is gone.
    fn is_emptied(&self) -> bool {
        self.manifest.begun() == Some(self.end)
    }

    /// Goes on without what is damaged; to be called after `Event::Damaged`, with all that the
    /// directory owes from then on.
    pub fn repair(&mut self, debt: Debt, out: &mut Vec<Op>) {
        if self.stage != Stage::Damaged {
            return;
        }
        self.manifest.debt = Some(debt);
        if self.base_damage.is_some() {
            self.begin_anew();
        } else if self.is_emptied() {
            self.manifest = core::mem::take(&mut self.manifest).with_nothing_behind_the_base();
            self.predecessor = 0;
        }
        self.write_manifest();
        // Whatever stands behind the end goes, be it whole.
        self.torn = true;
        self.tidy_up();
        self.next_of_script(out, &mut |_| {});
    }

    /// Puts a new segment, and no base, in the place of all that is there.
    fn begin_anew(&mut self) {
        let logs = self.files.keys().filter(|f| f.kind() == FileKind::Log);
        let last = logs.map(|file| file.number()).max().unwrap_or(0);
        let number = last.max(self.manifest.base) + 1;
        let (file, size) = (segment::file(number), self.settings.segment_bytes);
        let script = [
            DiskOp::Create { file, size },
            DiskOp::Sync { file },
            DiskOp::SyncDir,
        ];
        self.script.extend(script.map(Step::Do));
        self.manifest = Manifest {
            base: 0,
            first_segment: number,
            predecessor: 0,
            ..self.manifest.clone()
        };
        self.end = Position {
            segment: number,
            offset: 0,
        };
        (self.end_length, self.known_synced) = (size, self.end);
        (self.predecessor, self.base_bytes, self.earlier_bytes) = (0, 0, 0);
        self.last = LogIndex(0);
    }
}
