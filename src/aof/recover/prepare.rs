//! Recovery of a directory: a fresh one is made, any other is left such as the log will rely on.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

use crate::disk::{DiskOp, FileKind, FileName};

use super::super::manifest::Manifest;
use super::super::op::Op;
use super::super::record::Position;
use super::super::segment::{self, describe};
use super::super::step::Step;
use super::{Damage, Event, Recovery, Stage};

impl Recovery {
    /// Makes the files of a fresh directory.
    pub(super) fn make(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        self.manifest = Manifest {
            base: 0,
            first_segment: 1,
            predecessor: 0,
            debt: None,
            identity: self.settings.identity.clone(),
        };
        let first = segment::file(1);
        self.end = Position {
            segment: 1,
            offset: 0,
        };
        self.end_length = self.settings.segment_bytes;
        show(Event::Identity(&self.manifest.identity));
        let script = VecDeque::from([
            DiskOp::Create {
                file: first,
                size: self.settings.segment_bytes,
            },
            DiskOp::Sync { file: first },
            DiskOp::SyncDir,
        ]);
        self.script.extend(script.into_iter().map(Step::Do));
        self.write_manifest();
        self.next_of_script(out, show);
    }

    /// Makes the manifest count, durably.
    pub(super) fn write_manifest(&mut self) {
        let tmp = FileName::MANIFEST_TMP;
        let script = [
            DiskOp::Create { file: tmp, size: 0 },
            DiskOp::WriteAt {
                file: tmp,
                offset: 0,
                bytes: self.manifest.encode(),
            },
            DiskOp::Sync { file: tmp },
            DiskOp::Rename {
                from: tmp,
                to: FileName::MANIFEST,
            },
            DiskOp::SyncDir,
        ];
        self.script.extend(script.map(Step::Do));
    }

    /// Makes the directory such as the log will rely on: the tail cut, what does not count removed,
    /// all of it durable.
    pub(super) fn prepare(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        if self.torn {
            let file = segment::file(self.end.segment);
            self.damage = Some(Damage {
                file,
                offset: self.end.offset,
                acknowledged: false,
            });
            show(Event::Note(format!(
                "a crash has torn the end of the log: cut in {}; nothing after that was known to \
                 be synced",
                describe(self.end)
            )));
        }
        self.tidy_up();
        self.next_of_script(out, show);
    }

    /// Cuts the tail, removes what does not count, and makes all of it durable.
    pub(super) fn tidy_up(&mut self) {
        if self.torn {
            let file = segment::file(self.end.segment);
            // Cut and grown again: zeros.
            let offset = self.end.offset;
            self.script
                .push_back(Step::Do(DiskOp::Truncate { file, len: offset }));
            let len = self.end_length;
            self.script
                .push_back(Step::Do(DiskOp::Truncate { file, len }));
        }
        // The next record will call all of this synced: the end of an earlier segment may not be
        // yet, where a process died and its machine did not.
        let segments = self.manifest.first_segment..=self.end.segment;
        for number in segments {
            self.write_again(number);
            let file = segment::file(number);
            self.script.push_back(Step::Do(DiskOp::Sync { file }));
        }
        let counts = |file: &FileName| match file.kind() {
            FileKind::Manifest => true,
            FileKind::Base => file.number() == self.manifest.base,
            FileKind::Log => {
                (self.manifest.first_segment..=self.end.segment).contains(&file.number())
            }
            _ => false,
        };
        let stale = self.files.keys().filter(|file| !counts(file));
        self.script
            .extend(stale.map(|file| Step::Do(DiskOp::Remove { file: *file })));
        self.script.push_back(Step::Do(DiskOp::SyncDir));
    }

    pub(super) fn next_of_script(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        if self.read_only {
            self.script.clear();
        }
        self.stage = Stage::Script;
        match self.script.pop_front() {
            Some(Step::Do(op)) => self.ask(op, out),
            Some(Step::WriteAgain { file, offset, end }) => {
                let len = u64::from(self.settings.read_bytes).min(end - offset) as u32;
                self.script
                    .push_front(Step::WriteAgain { file, offset, end });
                self.ask(DiskOp::Read { file, offset, len }, out);
            }
            None => {
                self.stage = Stage::Over;
                show(Event::Done);
            }
        }
    }

    /// Has the bytes of a segment written again that are not known to be synced.
    fn write_again(&mut self, number: u64) {
        let (from, to) = (self.known_synced, self.end);
        if number < from.segment || number > to.segment {
            return;
        }
        let file = segment::file(number);
        let offset = if number == from.segment {
            from.offset
        } else {
            0
        };
        let length = self.files.get(&file).copied().unwrap_or(0);
        let end = if number == to.segment {
            to.offset
        } else {
            length
        };
        if offset < end {
            self.script
                .push_back(Step::WriteAgain { file, offset, end });
        }
    }

    /// Bytes that are to be written again have been read.
    pub(super) fn read_again(&mut self, bytes: Vec<u8>, out: &mut Vec<Op>) {
        let Some(Step::WriteAgain { file, offset, end }) = self.script.pop_front() else {
            return;
        };
        let next = offset + bytes.len() as u64;
        if next < end && !bytes.is_empty() {
            let offset = next;
            self.script
                .push_front(Step::WriteAgain { file, offset, end });
        }
        let write = DiskOp::WriteAt {
            file,
            offset,
            bytes,
        };
        self.ask(write, out);
    }
}
