//! The log as it is appended to: records gather in memory, leave when a turn ends, and are synced
//! by policy.

mod append;
mod owe;
mod rewrite;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::disk::{DiskDone, DiskError, DiskOp};
use crate::ids::{LogIndex, PersistSeq, Ticket};
use crate::time::{Deadline, Mono, Now, Reason};

use super::chunk::{Chunk, Writing};
use super::failure::Failure;
use super::manifest::Debt;
use super::op::{Op, Tickets};
use super::owing::Owing;
use super::record::{Position, Restated};
use super::rewriting::Rewriting;
use super::segment::{self, Next};
use super::settings::{Policy, Settings};
use super::sync::Syncing;

/// How much of a segment is kept for records without a body when no other segment can be made, in
/// bytes.
const RESERVE_BYTES: u64 = 64 << 10;
/// How long a log is idle before it writes down how far it is synced.
const IDLE: Duration = Duration::from_secs(1);

/// How large a log is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSize {
    /// Records behind the base.
    pub log_bytes: u64,
    /// The base.
    pub base_bytes: u64,
    /// Segments behind the base.
    pub segments: u64,
}

/// The part of a segment that is handed to the disk and not known to be synced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsynced {
    pub(super) segment: u64,
    pub(super) end: u64,
    pub(super) last: PersistSeq,
}

/// An open log.
#[derive(Clone, Debug)]
pub struct Log {
    tickets: Tickets,
    settings: Settings,
    /// The place for the next record.
    pub(super) end: Position,
    /// Up to where the present segment is preallocated.
    capacity: u64,
    next: Next,
    wants_next: bool,
    predecessor: u64,
    restated: Restated,
    last_index: LogIndex,
    last_is_mark: bool,
    idle_since: Mono,
    pending: VecDeque<Chunk>,
    writing: VecDeque<Writing>,
    /// Outcomes of writes that ended before one that was asked for earlier, on another segment, and
    /// when they did.
    early: Vec<(Ticket, Mono, Result<DiskDone, DiskError>)>,
    /// Writes that found no space, and those behind them: to be made again, in order.
    refused: VecDeque<Chunk>,
    /// How many of them are being made again: the first of those that are on their way.
    retried: usize,
    /// Why, in the operating system's words.
    refused_for: &'static str,
    retry_at: Mono,
    spare: Vec<Vec<u8>>,
    unsynced: VecDeque<Unsynced>,
    syncing: Syncing,
    /// The part that the sync in flight covers.
    sync_covers: Option<Unsynced>,
    appended: PersistSeq,
    written: PersistSeq,
    /// The last hand-over that may be relied on under a relaxed policy.
    released: PersistSeq,
    synced: PersistSeq,
    synced_place: Position,
    /// Records up to this one count as persisted only when synced.
    must_sync: PersistSeq,
    must_sync_next: bool,
    base: u64,
    base_bytes: u64,
    first_segment: u64,
    /// The checksum of the record in front of that segment's first, as the manifest says it.
    first_predecessor: u64,
    /// Bytes of records behind the base in segments before the present one.
    earlier_bytes: u64,
    /// The loss that has not been repaired yet: the next manifest names it too.
    debt: Option<Debt>,
    owing: Owing,
    rewriting: Option<Rewriting>,
    rewrite_failed_for: &'static str,
    closing: bool,
}

/// From where an open log goes on.
#[derive(Clone, Debug)]
pub(super) struct Resume {
    pub(super) tickets: u64,
    pub(super) settings: Settings,
    pub(super) end: Position,
    pub(super) capacity: u64,
    pub(super) predecessor: u64,
    pub(super) restated: Restated,
    pub(super) last_index: LogIndex,
    pub(super) base: u64,
    pub(super) base_bytes: u64,
    pub(super) first_segment: u64,
    pub(super) first_predecessor: u64,
    pub(super) earlier_bytes: u64,
    pub(super) debt: Option<Debt>,
}

impl Log {
    pub(super) fn resume(at: Resume, now: Mono) -> Self {
        Self {
            tickets: Tickets(at.tickets),
            syncing: Syncing::new(at.settings.policy, now),
            settings: at.settings,
            end: at.end,
            capacity: at.capacity,
            next: Next::default(),
            wants_next: false,
            predecessor: at.predecessor,
            restated: at.restated,
            last_index: at.last_index,
            last_is_mark: true,
            idle_since: now,
            pending: VecDeque::new(),
            writing: VecDeque::new(),
            early: Vec::new(),
            refused: VecDeque::new(),
            retried: 0,
            refused_for: "",
            retry_at: now,
            spare: Vec::new(),
            unsynced: VecDeque::new(),
            sync_covers: None,
            appended: PersistSeq(0),
            written: PersistSeq(0),
            released: PersistSeq(0),
            synced: PersistSeq(0),
            synced_place: at.end,
            must_sync: PersistSeq(0),
            must_sync_next: false,
            base: at.base,
            base_bytes: at.base_bytes,
            first_segment: at.first_segment,
            first_predecessor: at.first_predecessor,
            earlier_bytes: at.earlier_bytes,
            debt: at.debt,
            owing: Owing::default(),
            rewriting: None,
            rewrite_failed_for: "it was given up",
            closing: false,
        }
    }

    /// The next append counts as persisted only when it is synced, whatever the policy: a term, a
    /// vote.
    pub fn must_sync(&mut self) {
        self.must_sync_next = true;
    }

    /// Goes on in the next segment, if it is ready; else the present one grows beyond its
    /// preallocated length.
    pub(super) fn change_segment(&mut self) -> bool {
        let Some((segment, size)) = self.next.take() else {
            return false;
        };
        self.earlier_bytes += self.end.offset;
        self.end = Position { segment, offset: 0 };
        self.capacity = size;
        self.wants_next = false;
        true
    }

    /// Asks for a segment to be ready although the present one has room.
    pub(super) fn want_next(&mut self) {
        self.wants_next = true;
    }

    /// Ends a turn: one write for all that was appended, and a sync where one is due.
    pub fn flush(&mut self, now: Now, out: &mut Vec<Op>) {
        let now = now.mono;
        self.retry_write(now, out);
        if self.refused.is_empty() {
            while let Some(chunk) = self.pending.pop_front() {
                self.write(chunk, out);
            }
        }
        let half_full = self.end.offset > self.capacity / 2;
        if (half_full || self.wants_next) && !self.closing {
            let (number, size) = (self.end.segment + 1, self.settings.segment_bytes);
            // A rewrite makes room, and must not fail for want of it. Where it has failed all the
            // same the log is in a small segment, and must not end with it.
            let or_smaller = self.wants_next || self.capacity < size;
            let tickets = &mut self.tickets;
            self.next
                .prepare(now, number, size, or_smaller, tickets, out);
        }
        self.mark_when_idle(now, out);
        self.sync_when_due(now, out);
        self.release(now);
        self.step_owing(now, out);
        self.step_rewrite(out);
    }

    fn sync_when_due(&mut self, now: Mono, out: &mut Vec<Op>) {
        let Some(oldest) = self.unsynced.front() else {
            self.syncing.is_clean(now);
            return;
        };
        if self.syncing.in_flight.is_some() {
            return;
        }
        // A sync whose write was refused covers nothing: what must be synced asks until it is.
        let must = self.must_sync > self.synced;
        if !must && !self.closing && !self.syncing.is_due(now) {
            return;
        }
        let file = segment::file(oldest.segment);
        let ticket = self.tickets.ask(DiskOp::Sync { file }, out);
        self.syncing.begin(now, ticket, self.unsynced.len() == 1);
        self.sync_covers = Some(*oldest);
    }

    /// Writes down how far the log is synced when there is nothing else to do, so that damage found
    /// later is not taken for what a crash leaves.
    fn mark_when_idle(&mut self, now: Mono, out: &mut Vec<Op>) {
        let quiet = self.unsynced.is_empty() && self.pending.is_empty() && self.refused.is_empty();
        if !quiet || self.last_is_mark || !self.settings.policy.syncs() && !self.closing {
            self.idle_since = if quiet { self.idle_since } else { now };
            return;
        }
        if !self.closing && now.since(self.idle_since) < IDLE {
            return;
        }
        self.put(&[]);
        self.last_is_mark = true;
        self.syncing.forced = true;
        while let Some(chunk) = self.pending.pop_front() {
            self.write(chunk, out);
        }
    }

    pub(super) fn release(&mut self, now: Mono) {
        if !self.syncing.is_stalled(now) || self.unsynced.is_empty() {
            self.released = self.written;
        }
    }

    /// An operation of this log has ended.
    pub fn completed(
        &mut self,
        now: Now,
        ticket: Ticket,
        outcome: Result<DiskDone, DiskError>,
        out: &mut Vec<Op>,
    ) -> Result<(), Failure> {
        if self.writing.front().is_some_and(|w| w.ticket == ticket) {
            self.written(now.mono, now.mono, outcome)?;
            while let Some(next) = self.writing.front().map(|w| w.ticket)
                && let Some(at) = self.early.iter().position(|(early, ..)| *early == next)
            {
                let (_, ended_at, outcome) = self.early.swap_remove(at);
                self.written(now.mono, ended_at, outcome)?;
            }
            return Ok(());
        }
        if self.writing.iter().any(|w| w.ticket == ticket) {
            // Order holds on one file alone: this one counts when those before it have ended. A
            // failure that nothing can mend counts at once.
            let outcome = match outcome {
                Err(error) if !error.is_shortage() => return Err(Failure::Write(error)),
                other => other,
            };
            self.early.push((ticket, now.mono, outcome));
            return Ok(());
        }
        if self.syncing.in_flight.is_some_and(|(t, _)| t == ticket) {
            outcome.map_err(Failure::Sync)?;
            self.has_synced(now.mono);
            return Ok(());
        }
        let tickets = &mut self.tickets;
        if self
            .next
            .completed(now.mono, ticket, &outcome, tickets, out)
        {
            return Ok(());
        }
        if self.owing.awaits(ticket) {
            return self.owing_completed(now.mono, outcome, out);
        }
        self.rewrite_completed(ticket, outcome, out)
    }

    fn has_synced(&mut self, now: Mono) {
        self.syncing.end(now);
        let Some(covered) = self.sync_covers.take() else {
            return;
        };
        self.synced = self.synced.max(covered.last);
        self.synced_place = self.synced_place.max(Position {
            segment: covered.segment,
            offset: covered.end,
        });
        let all = |span: &Unsynced| span.segment == covered.segment && span.end <= covered.end;
        self.unsynced.pop_front_if(|span| all(span));
        if self.unsynced.is_empty() {
            self.syncing.is_clean(now);
            self.idle_since = now;
        } else if self.unsynced.len() > 1 {
            // A segment that was left behind is not worth waiting for.
            self.syncing.forced = true;
        }
    }

    /// Up to which append everything counts as persisted, by policy.
    pub fn persisted(&self) -> PersistSeq {
        if self.settings.policy == Policy::Always {
            return self.synced;
        }
        if self.must_sync > self.synced {
            return self.released.min(PersistSeq(self.must_sync.0 - 1));
        }
        self.released.max(self.synced)
    }

    /// Up to which append everything is synced.
    pub fn synced(&self) -> PersistSeq {
        self.synced
    }

    /// Returns true if everything that was appended is synced.
    pub fn is_synced(&self) -> bool {
        self.synced == self.appended
    }

    /// The loss is repaired: no later manifest names it.
    pub fn debt_is_paid(&mut self) {
        self.debt = None;
    }

    /// Returns true if a later life of this member will know of all that is owed.
    pub fn debt_is_durable(&self) -> bool {
        self.owing.is_settled()
    }

    /// Changes the policy; what waits under the old one is judged by the new one.
    pub fn set_policy(&mut self, policy: Policy) {
        self.settings.policy = policy;
        self.syncing.policy = policy;
    }

    /// So many writers have brought something since the last call.
    pub fn waiters_back(&mut self, count: u32) {
        self.syncing.arrive(count);
    }

    /// Why writes must be refused, if there is no room for what they would append.
    pub fn trouble(&self) -> Option<&'static str> {
        if !self.refused.is_empty() {
            return Some(self.refused_for);
        }
        let is_near = self.end.offset + RESERVE_BYTES > self.capacity;
        self.next.trouble().filter(|_| is_near)
    }

    /// Why writes that were handed to the disk are not there, if it found no room for them. A
    /// segment that could not be made is no such reason: what is on its way has its place in the
    /// present one.
    pub fn write_refused(&self) -> Option<&'static str> {
        let lacks = !self.refused.is_empty() || self.retried > 0;
        lacks.then_some(self.refused_for)
    }

    /// Returns true while an operation that found no room is tried again: nobody knows yet whether
    /// there is some.
    pub fn is_trying_again(&self) -> bool {
        self.retried > 0 || self.next.is_tried_again()
    }

    /// Why no rewrite can begin, if the segment could not be made in which the log would go on.
    pub fn rewrite_refused(&self) -> Option<&'static str> {
        self.next.refused_to_rewrite()
    }

    /// Why the last rewrite that failed did so.
    pub fn rewrite_trouble(&self) -> &'static str {
        self.rewrite_failed_for
    }

    /// The last entry that the log holds.
    pub fn last_index(&self) -> LogIndex {
        self.last_index
    }

    /// The last ticket that was drawn.
    pub fn tickets(&self) -> u64 {
        self.tickets.0
    }

    /// How large the log is.
    pub fn size(&self) -> LogSize {
        LogSize {
            log_bytes: self.earlier_bytes + self.end.offset,
            base_bytes: self.base_bytes,
            segments: self.end.segment + 1 - self.first_segment,
        }
    }

    /// Returns true if a sync is in flight or due.
    pub fn is_syncing(&self) -> bool {
        self.syncing.in_flight.is_some()
    }

    /// When the log wants to be flushed again.
    pub fn deadline(&self) -> Option<Deadline> {
        let refused = (!self.refused.is_empty()).then_some(self.retry_at);
        // A log that ends needs no other segment: none is made, however late it is.
        let next = self.next.retry_at().filter(|_| !self.closing);
        let retry = refused.into_iter().chain(next);
        let retry = retry.chain(self.owing.retry_at()).min();
        let retry = retry.map(|at| Deadline {
            at,
            reason: Reason::DiskRetry,
        });
        let sync = if self.unsynced.is_empty() {
            let marks = !self.last_is_mark && self.settings.policy.syncs();
            marks.then_some(Deadline {
                at: self.idle_since + IDLE,
                reason: Reason::Housekeeping,
            })
        } else {
            self.syncing.deadline()
        };
        Deadline::earlier(retry, sync)
    }

    /// Begins the end: everything is synced, and that it is so is written down and synced too.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// Returns true if nothing is pending or in flight; after `close`: if the log is shut.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty()
            && self.writing.is_empty()
            && self.refused.is_empty()
            && self.syncing.in_flight.is_none()
            && !self.next.is_busy()
            && self.owing.is_settled()
            && (!self.closing || self.unsynced.is_empty() && self.last_is_mark)
    }

    /// The directory's owner, as the manifest names it.
    pub(super) fn identity(&self) -> Vec<u8> {
        self.settings.identity.clone()
    }
}
