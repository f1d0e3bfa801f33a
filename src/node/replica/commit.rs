//! From the writes of a turn to committed entries: one path, for a group of one as for any other.
//!
//! A turn's writes become one entry; Raft gives it its index; the log makes it last; Raft learns so
//! and commits; what is committed is applied. Nothing else writes.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use bytes::Bytes;

use crate::aof::{Log, Op};
use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, NodeId, PersistSeq, Ticket};
use crate::limits;
use crate::node::effect::{Effect, Kept, Note};
use crate::node::replica::recovery::Recovering;
use crate::node::replica::rewrite::Rewrite;
use crate::node::replica::snapshot::Snapshots;
use crate::node::replica::strain::Strain;
use crate::node::requests::{Gathered, Waiter};
use crate::node::{Node, Phase};
use crate::raft::{EntryKind, KnownSum, Outgoing, Raft};
use crate::session::Blocked;
use crate::store::Store;
use crate::time::{Mono, Stamp};

/// How many bytes of entries WATCH looks through for a key.
pub(in crate::node) const SEARCHED_BYTES_MAX: usize = 256 << 10;
/// How long replicated time may stand still while keys are due.
const TIME_ENTRY_INTERVAL: Duration = Duration::from_millis(100);

/// What stands between a proposal and its application.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Commit {
    /// Nothing before recovery has ended.
    pub(in crate::node) raft: Option<Raft>,
    /// Nothing while recovering, and where there is no disk.
    pub(in crate::node) log: Option<Log>,
    pub(in crate::node) recovering: Option<Box<Recovering>>,
    pub(in crate::node) rewrite: Rewrite,
    pub(in crate::node) snapshots: Snapshots,
    pub(in crate::node) strain: Strain,
    /// Who is owed something when these entries are applied.
    proposed: VecDeque<Proposed>,
    proposed_bytes: usize,
    /// Which of Raft's hand-overs each of the log's appends held.
    pub(in crate::node) appended: VecDeque<(PersistSeq, PersistSeq)>,
    /// Waiter lists that are empty and are used again.
    spare: Vec<Vec<Waiter>>,
    pub(in crate::node) ops: Vec<Op>,
    pub(in crate::node) body: Vec<u8>,
    /// Empty between turns.
    pub(in crate::node) messages: Vec<Outgoing>,
    /// The last entry that was applied.
    pub(in crate::node) applied: LogIndex,
    last_time_entry: Mono,
    had_trouble: Option<&'static str>,
    was_full: bool,
    closed_log: bool,
    /// The state in memory is to be forgotten and recovered from the log.
    pub(in crate::node) reload_wanted: bool,
}

/// A committed entry.
#[derive(Debug)]
pub(in crate::node) struct Committed {
    pub(in crate::node) index: LogIndex,
    pub(in crate::node) stamp: Stamp,
    /// Empty where it is for Raft alone.
    pub(in crate::node) payload: Bytes,
}

#[derive(Clone, Debug)]
struct Proposed {
    index: LogIndex,
    payload: Bytes,
    waiters: Vec<Waiter>,
}

impl Commit {
    pub(in crate::node) fn is_recovering(&self) -> bool {
        self.recovering.is_some()
    }

    /// Whether nothing is to be proposed for now.
    pub(in crate::node) fn is_holding_back(&self) -> bool {
        self.raft.as_ref().is_some_and(Raft::is_holding_back)
    }

    /// Whether every entry that was proposed is applied.
    pub(in crate::node) fn is_settled(&self) -> bool {
        self.proposed.is_empty()
    }

    /// What is proposed and not applied yet; nothing where that is too much to look through.
    pub(in crate::node) fn on_their_way(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let few = self.proposed_bytes <= SEARCHED_BYTES_MAX;
        few.then(|| self.proposed.iter().map(|proposed| &proposed.payload[..]))
    }

    /// Forgets what is on its way, and gives back who waits for it, in order.
    pub(in crate::node) fn forget_proposed(&mut self) -> Vec<Waiter> {
        self.proposed_bytes = 0;
        let proposed = self.proposed.drain(..);
        proposed.flat_map(|proposed| proposed.waiters).collect()
    }

    /// A list of waiters that is done with is used again.
    pub(in crate::node) fn give_back(&mut self, mut waiters: Vec<Waiter>) {
        if waiters.capacity() > 0 && self.spare.len() < 16 {
            waiters.clear();
            self.spare.push(waiters);
        }
    }

    /// Whether nothing is to be proposed, because a leader cannot take it now or the state is to be
    /// loaded again.
    pub(in crate::node) fn proposes_nothing(&self) -> bool {
        self.reload_wanted || self.is_holding_back()
    }

    /// When replicated time may be moved again where nothing is written.
    pub(in crate::node) fn next_time_entry(&self) -> Mono {
        self.last_time_entry + TIME_ENTRY_INTERVAL
    }

    /// A list of waiters that is empty.
    pub(in crate::node) fn spare_waiters(&mut self) -> Vec<Waiter> {
        self.spare.pop().unwrap_or_default()
    }

    /// Makes an entry of what was gathered. Gives back the clients that wait for it where it
    /// certainly will not happen.
    pub(in crate::node) fn propose(
        &mut self,
        stamp: Stamp,
        gathered: Gathered,
        now: Mono,
    ) -> Result<(), Vec<Waiter>> {
        let Gathered {
            before,
            payload,
            sum,
            waiters,
            ..
        } = gathered;
        let Some(raft) = &mut self.raft else {
            return Err(waiters);
        };
        if let Some(before) = before {
            // Where it is refused the other is too.
            let _ = raft.propose(stamp, before);
        }
        let Ok(index) = raft.propose_summed(stamp, payload.clone(), KnownSum(sum)) else {
            return Err(waiters);
        };
        if let Some(log) = &mut self.log {
            log.waiters_back(waiters.len() as u32);
        }
        self.last_time_entry = now;
        self.proposed_bytes += payload.len();
        self.proposed.push_back(Proposed {
            index,
            payload,
            waiters,
        });
        Ok(())
    }

    /// The next committed entry, which is applied now, with the clients that wait for it.
    pub(in crate::node) fn next_committed(&mut self) -> Option<Committed> {
        let entry = self.raft.as_mut()?.next_committed()?;
        // What changes the membership is for Raft alone.
        let payload = match entry.kind {
            EntryKind::Normal => entry.payload,
            EntryKind::Noop | EntryKind::Membership => Bytes::new(),
        };
        Some(Committed {
            index: entry.index,
            stamp: entry.stamp,
            payload,
        })
    }

    /// A committed entry is being applied: the clients that wait for it.
    pub(in crate::node) fn enter(&mut self, index: LogIndex) -> Vec<Waiter> {
        self.applied = index;
        let next = self.proposed.pop_front_if(|next| next.index <= index);
        next.map_or_else(Vec::new, |next| {
            self.proposed_bytes -= next.payload.len();
            next.waiters
        })
    }

    /// The oldest record that waits for the disk.
    pub(in crate::node) fn oldest_on_its_way(&self) -> Option<PersistSeq> {
        self.appended.front().map(|(seq, _)| *seq)
    }

    fn log_trouble(&self) -> Option<&'static str> {
        self.log.as_ref().and_then(Log::trouble)
    }
}

impl Node {
    /// Turns what the turn has gathered into entries, hands them to the log, and applies what is
    /// committed.
    pub(in crate::node) fn commit_turn(&mut self) {
        if self.phase == Phase::Stopped {
            return;
        }
        if self.commit.is_recovering() {
            self.finish_stopping();
            self.emit_ops();
            return;
        }
        // Clients wait since this turn, even if it is over when the turn ends.
        self.commit.was_full |= self.is_full();
        if let Some(raft) = &mut self.commit.raft {
            raft.tick(self.now.mono);
        }
        self.transfer_if_strained();
        // A member that has stepped down says so of old writes before new ones are refused.
        self.tend_leadership();
        self.propose_time();
        self.propose_batch();
        self.hand_over();
        self.flush_log();
        self.tend_repair();
        self.tend_conflicts();
        self.tend_belonging();
        if self.apply_committed() {
            // A commit of a new term may have become possible only now.
            self.hand_over();
            self.flush_log();
        }
        self.tend_leadership();
        self.begin_service();
        self.rewrite_turn();
        self.snapshot_turn();
        self.note_space();
        self.leave();
        self.finish_stopping();
        self.reload_when_settled();
        self.emit_messages();
        self.emit_ops();
    }

    /// One write for all that was handed over, and a sync where one is due.
    pub(in crate::node) fn flush_log(&mut self) {
        if let Some(log) = &mut self.commit.log {
            log.flush(self.now, &mut self.commit.ops);
            self.learn_persisted();
        }
    }

    /// Opens the doors once the first entry of this life's own term is applied.
    fn begin_service(&mut self) {
        let Some(raft) = &self.commit.raft else {
            return;
        };
        let is_behind = self.commit.applied < raft.last() || self.requests.is_midway();
        if self.phase != Phase::Recovering || !raft.is_leader() || is_behind {
            return;
        }
        self.open_doors();
    }

    /// Lets clients in.
    pub(in crate::node) fn open_doors(&mut self) {
        self.phase = Phase::Serving;
        // Recovery has applied what this life never proposed: from here on the two counts go
        // together.
        self.replicated.align_counts();
        // Who has watched a key while the state was loaded has not seen what it is now.
        self.clients.break_all_watches();
        let keys = (0..limits::DATABASES).map(|db| self.store.len(db)).sum();
        if self.config.append_only {
            let last = self.commit.raft.as_ref().map_or(LogIndex(0), Raft::last);
            self.note(Note::Recovered {
                keys,
                index: self.commit.applied,
                last,
                bytes: self.recovered_bytes,
            });
        }
        self.end_waits(Blocked::Reload);
        self.wake_all();
    }

    /// An operation of the disk has ended.
    pub(in crate::node) fn disk(&mut self, ticket: Ticket, outcome: Result<DiskDone, DiskError>) {
        if self.commit.is_recovering() {
            self.recover(ticket, outcome);
            return;
        }
        if self.snapshot_read(ticket, &outcome) {
            return;
        }
        let Some(log) = &mut self.commit.log else {
            return;
        };
        if let Err(failure) = log.completed(self.now, ticket, outcome, &mut self.commit.ops) {
            self.fail(failure.to_string());
            return;
        }
        self.learn_persisted();
    }

    /// Stops at once: what cannot be trusted any more must not go on.
    pub(in crate::node) fn fail(&mut self, why: String) {
        if self.phase != Phase::Stopped {
            self.phase = Phase::Stopped;
            self.last_effect = Some(Effect::Stopped {
                failure: Some(Box::new(why)),
            });
        }
    }

    /// A peer's frame has arrived.
    pub(in crate::node) fn message(&mut self, from: NodeId, frame: &[u8]) {
        if let Some(raft) = &mut self.commit.raft {
            // A frame that is none is counted by Raft; there is nobody to answer to.
            let _ = raft.step(self.now.mono, from, frame);
        }
    }

    /// Ends a stop in good order when all that was proposed is applied and the log is synced.
    fn finish_stopping(&mut self) {
        if self.phase != Phase::Stopping || !self.is_settled() {
            return;
        }
        if !self.close_log() {
            return;
        }
        self.phase = Phase::Stopped;
        let kept = match &self.commit.log {
            Some(log) => Kept::Log {
                last: log.last_index(),
            },
            None if self.config.append_only => Kept::AsItWas,
            None => Kept::Nothing,
        };
        self.note(Note::Ended { kept });
        self.last_effect = Some(Effect::Stopped { failure: None });
    }

    /// Shuts the log; true when it is shut, or where there is none.
    fn close_log(&mut self) -> bool {
        let Some(log) = &mut self.commit.log else {
            return true;
        };
        if !self.commit.closed_log {
            self.commit.closed_log = true;
            log.close();
            log.flush(self.now, &mut self.commit.ops);
        }
        log.is_idle()
    }

    /// Begins a reload when nothing is on its way any more.
    fn reload_when_settled(&mut self) {
        let ready = self.commit.reload_wanted
            && self.is_settled()
            && self.commit.rewrite.running.is_none()
            && matches!(self.phase, Phase::Serving | Phase::Recovering);
        if !ready || !self.close_log() {
            return;
        }
        let tickets = self.commit.log.as_ref().map_or(0, Log::tickets);
        self.commit = Commit {
            ops: mem::take(&mut self.commit.ops),
            ..Commit::default()
        };
        self.phase = Phase::Recovering;
        self.replicated.forget();
        self.store = Store::new(self.config.tables(None));
        // What is loaded may be another state than the one that was watched.
        self.clients.break_all_watches();
        self.begin(tickets);
    }

    /// Why the log has no room, if so: in the operating system's words.
    pub(in crate::node) fn log_trouble(&self) -> Option<&'static str> {
        self.commit.log_trouble()
    }

    /// The same, where an attempt that is being made again is no success: its outcome is waited
    /// for.
    pub(super) fn lasting_trouble(&self) -> Option<&'static str> {
        let trouble = self.log_trouble();
        let log = self.commit.log.as_ref();
        if trouble.is_none() && log.is_some_and(Log::is_trying_again) {
            self.commit.had_trouble
        } else {
            trouble
        }
    }

    fn note_space(&mut self) {
        let trouble = self.lasting_trouble();
        if mem::replace(&mut self.commit.had_trouble, trouble) != trouble {
            let leads = self.is_master() || !self.leadership.grouped;
            self.note(match trouble {
                Some(why) => Note::NoRoom { why, leads },
                None => Note::RoomAgain,
            });
        }
        let full = self.is_full();
        if mem::replace(&mut self.commit.was_full, full) && !full {
            self.requests.let_go();
        }
    }

    /// Whether nothing more is to be written for now: clients that want to wait.
    pub(in crate::node) fn is_full(&self) -> bool {
        self.commit.proposed_bytes > self.config.waiting_bytes_max
            || self.commit.is_holding_back()
            || self.rewrite_is_behind()
    }

    fn emit_ops(&mut self) {
        for Op { ticket, op } in self.commit.ops.drain(..) {
            self.effects.push(Effect::Disk { ticket, op });
        }
    }

    pub(in crate::node) fn note(&mut self, note: Note) {
        self.effects.push(Effect::Note(Box::new(note)));
    }
}
