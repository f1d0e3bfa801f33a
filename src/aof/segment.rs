//! The next segment, made before it is needed: created, filled with zeros, and synced with its
//! directory.
//!
//! A disk that has no room for a whole one may have room for a part: that is enough for the log to
//! go on behind a new base, which gives the old ones back.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::disk::{DiskDone, DiskError, DiskOp, FileKind, FileName};
use crate::ids::Ticket;
use crate::time::Mono;

use super::op::{Op, Tickets};
use super::record::Position;

/// How long to wait before a segment that could not be made is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// The smallest segment that is made where space is short, as a part of a whole one.
const SMALLEST_PART: u64 = 8;

/// The name of a segment's file.
pub(super) fn file(number: u64) -> FileName {
    FileName::new(FileKind::Log, number)
}

/// For people: where a log's file and offset are.
pub(super) fn describe(place: Position) -> String {
    format!("{} at offset {}", file(place.segment), place.offset)
}

/// The progress of making the next segment.
#[derive(Clone, Debug, Default)]
enum Stage {
    #[default]
    Absent,
    Creating(Ticket),
    Syncing(Ticket),
    SyncingDirectory(Ticket),
    Ready,
    Failed {
        again_at: Mono,
    },
}

/// The next segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Next {
    number: u64,
    size: u64,
    /// If there is no room for that much, half of it is tried, down to this.
    least: u64,
    /// It is made for a rewrite, which makes do with less.
    or_smaller: bool,
    stage: Stage,
    /// Why the last attempt failed, until another has made the file.
    failed_for: Option<&'static str>,
}

impl Next {
    /// Begins to make segment `number`, unless it is being made; a smaller one, where one is better
    /// than none and there is no room for `size`.
    pub(super) fn prepare(
        &mut self,
        now: Mono,
        number: u64,
        size: u64,
        or_smaller: bool,
        tickets: &mut Tickets,
        out: &mut Vec<Op>,
    ) {
        match self.stage {
            Stage::Absent => {}
            Stage::Failed { again_at } if again_at <= now => {}
            _ => return,
        }
        (self.number, self.size, self.or_smaller) = (number, size, or_smaller);
        self.least = if or_smaller {
            size / SMALLEST_PART
        } else {
            size
        };
        self.create(tickets, out);
    }

    fn create(&mut self, tickets: &mut Tickets, out: &mut Vec<Op>) {
        let (file, size) = (file(self.number), self.size);
        self.stage = Stage::Creating(tickets.ask(DiskOp::Create { file, size }, out));
    }

    /// Takes the segment if it is ready: its number and size.
    pub(super) fn take(&mut self) -> Option<(u64, u64)> {
        if !matches!(self.stage, Stage::Ready) {
            return None;
        }
        self.stage = Stage::Absent;
        Some((self.number, self.size))
    }

    /// Why there is none, if it could not be made and that is not being tried again.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        let has_failed = matches!(self.stage, Stage::Failed { .. });
        self.failed_for.filter(|_| has_failed)
    }

    /// Returns true if it could not be made, and is tried again right now.
    pub(super) fn is_tried_again(&self) -> bool {
        self.failed_for.is_some() && self.is_busy()
    }

    /// Why there is none for a rewrite, if it could not be made however small.
    pub(super) fn refused_to_rewrite(&self) -> Option<&'static str> {
        self.trouble().filter(|_| self.or_smaller)
    }

    /// When to try again.
    pub(super) fn retry_at(&self) -> Option<Mono> {
        match self.stage {
            Stage::Failed { again_at } => Some(again_at),
            _ => None,
        }
    }

    /// Returns true if an operation of its making is in flight.
    pub(super) fn is_busy(&self) -> bool {
        self.ticket().is_some()
    }

    fn ticket(&self) -> Option<Ticket> {
        match self.stage {
            Stage::Creating(ticket) | Stage::Syncing(ticket) | Stage::SyncingDirectory(ticket) => {
                Some(ticket)
            }
            _ => None,
        }
    }

    /// Takes an outcome, if it is one of its own; true if it was.
    pub(super) fn completed(
        &mut self,
        now: Mono,
        ticket: Ticket,
        outcome: &Result<DiskDone, DiskError>,
        tickets: &mut Tickets,
        out: &mut Vec<Op>,
    ) -> bool {
        if self.ticket() != Some(ticket) {
            return false;
        }
        let is_tight = matches!(outcome, Err(DiskError::NoSpace { .. }));
        if is_tight && matches!(self.stage, Stage::Creating(_)) && self.size / 2 >= self.least {
            self.size /= 2;
            self.create(tickets, out);
            return true;
        }
        if let Err(error) = outcome {
            // Nothing relies on it yet, so that no failure here is worse than "not now".
            self.failed_for = Some(error.words());
            self.stage = Stage::Failed {
                again_at: now + RETRY,
            };
            return true;
        }
        // It has its bytes now: whatever was short is not any more.
        self.failed_for = None;
        let file = file(self.number);
        self.stage = match self.stage {
            Stage::Creating(_) => Stage::Syncing(tickets.ask(DiskOp::Sync { file }, out)),
            Stage::Syncing(_) => Stage::SyncingDirectory(tickets.ask(DiskOp::SyncDir, out)),
            _ => Stage::Ready,
        };
        true
    }
}
