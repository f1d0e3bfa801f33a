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
use crate::node::requests::entry;
use crate::node::requests::large::Encoded;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase, Waiter};
use crate::raft::{Kind, KnownSum, Outgoing, Raft};
use crate::session::Blocked;
use crate::store::Store;
use crate::time::{Deadline, Mono, Reason};

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

    /// Makes one entry of the writes gathered so far.
    pub(in crate::node) fn propose_batch(&mut self) {
        // What the leader cannot take now it may take later, or another member; until then nobody
        // is told anything, since replies have an order.
        let raises = self.version_to_raise();
        let has_none = self.batch.is_empty() && raises.is_none();
        if has_none || self.commit.reload_wanted || self.commit.is_holding_back() {
            return;
        }
        let Some(raft) = &self.commit.raft else {
            return;
        };
        let before = self.replicated.last_offset();
        let (stamp, offset) = self.replicated.stamp_behind(raft.last_stamp(), self.now);
        let names_seed = self.store.seed().is_none();
        let mut head = Vec::new();
        if offset != before {
            entry::put_offset(&mut head, offset);
        }
        let whole = self.batch.whole.take();
        if names_seed && (whole.is_some() || !self.batch.bytes.is_empty()) {
            head = entry::with_seed(self.config.hash_seed, &head).into();
        }
        if let Some(version) = raises {
            head = entry::with_version(version, &head);
        }
        let Some(raft) = &mut self.commit.raft else {
            return;
        };
        let (payload, known) = match whole {
            Some(Encoded { payload, sum }) => {
                if !head.is_empty() {
                    // An entry of its own, so that what is large is not copied. Where it is
                    // refused the other is too.
                    let _ = raft.propose(stamp, head.into());
                }
                (payload, KnownSum(Some(sum)))
            }
            None if head.is_empty() => {
                let payload = Bytes::copy_from_slice(&self.batch.bytes);
                (payload, KnownSum::default())
            }
            None => {
                head.extend_from_slice(&self.batch.bytes);
                (head.into(), KnownSum::default())
            }
        };
        let waiters = mem::replace(
            &mut self.batch.waiters,
            self.commit.spare.pop().unwrap_or_default(),
        );
        let count = u64::from(self.batch.count);
        self.replicated.count_proposed(count);
        self.batch.bytes.clear();
        self.batch.bytes.shrink_to(limits::ENTRY_BYTES_SOFT_MAX * 2);
        self.batch.count = 0;
        self.batch.wants_time = false;
        let Ok(index) = raft.propose_summed(stamp, payload.clone(), known) else {
            self.replicated.withdraw(count, before);
            return self.refuse(waiters);
        };
        self.witness.note(|| Witnessed::Stamped { stamp, offset });
        if let Some(version) = raises {
            self.raising = Some((raft.term(), version));
            self.witness.note(|| Witnessed::Raises { version });
        }
        if let Some(log) = &mut self.commit.log {
            log.waiters_back(waiters.len() as u32);
        }
        self.commit.last_time_entry = self.now.mono;
        self.commit.proposed_bytes += payload.len();
        self.commit.proposed.push_back(Proposed {
            index,
            payload,
            waiters,
        });
    }

    /// Tells clients that their writes have certainly not happened.
    fn refuse(&mut self, mut waiters: Vec<Waiter>) {
        let error = self.elsewhere_at(0);
        self.disappoint_all(waiters.drain(..), &error);
        self.commit.give_back(waiters);
    }

    /// One write for all that was handed over, and a sync where one is due.
    pub(in crate::node) fn flush_log(&mut self) {
        if let Some(log) = &mut self.commit.log {
            log.flush(self.now, &mut self.commit.ops);
            self.learn_persisted();
        }
    }

    /// Applies what is committed; true if there was anything.
    fn apply_committed(&mut self) -> bool {
        let mut any = false;
        self.hold.is_left_over = false;
        while self.clear_the_way() {
            if !self.hold.is_mid_command && self.is_anyone_first() {
                break;
            }
            if self.hold.applying.is_none() && !self.begin_next() {
                break;
            }
            any = true;
            self.apply_on();
            if self.hold.left == 0 {
                self.hold.is_left_over = true;
                break;
            }
        }
        any
    }

    /// Begins with the next committed entry, if there is one.
    fn begin_next(&mut self) -> bool {
        if self.phase == Phase::Stopped {
            return false;
        }
        let Some(entry) = self.commit.raft.as_mut().and_then(Raft::next_committed) else {
            return false;
        };
        // What changes the membership is for Raft alone.
        let payload = match entry.kind {
            Kind::Normal => entry.payload,
            Kind::Noop | Kind::Membership => Bytes::new(),
        };
        let known = self.config.entry_versions;
        if let Some(why) = self.replicated.refuses(entry.index, &payload, known) {
            self.fail(why);
            return false;
        }
        let mut waiters = Vec::new();
        if let Some(proposed) = self
            .commit
            .proposed
            .pop_front_if(|proposed| proposed.index <= entry.index)
        {
            self.commit.proposed_bytes -= proposed.payload.len();
            waiters = proposed.waiters;
        }
        self.commit.applied = entry.index;
        self.apply_begin(entry.index, entry.stamp, payload, waiters);
        true
    }

    /// Opens the doors once the first entry of this life's own term is applied.
    fn begin_service(&mut self) {
        let Some(raft) = &self.commit.raft else {
            return;
        };
        let is_behind = self.commit.applied < raft.last() || self.is_midway();
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

    /// Moves replicated time where keys are due and nothing else moves it.
    fn propose_time(&mut self) {
        let idle = self.batch.is_empty() && self.is_settled();
        if self.phase != Phase::Serving || !idle || !self.serves() {
            return;
        }
        let due = self.active_expire
            && self
                .store
                .next_expiry()
                .is_some_and(|at| at <= self.clock());
        if due && self.now.mono.since(self.commit.last_time_entry) >= TIME_ENTRY_INTERVAL {
            self.batch.wants_time = true;
        }
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

    fn note_space(&mut self) {
        let trouble = self.log_trouble();
        // An attempt is no success: what is said waits for its outcome.
        let log = self.commit.log.as_ref();
        let trouble = if trouble.is_none() && log.is_some_and(Log::is_trying_again) {
            self.commit.had_trouble
        } else {
            trouble
        };
        if mem::replace(&mut self.commit.had_trouble, trouble) != trouble {
            self.note(match trouble {
                Some(why) => Note::NoRoom { why },
                None => Note::RoomAgain,
            });
        }
        let full = self.is_full();
        if mem::replace(&mut self.commit.was_full, full) && !full {
            self.let_go();
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

    pub(in crate::node) fn commands_proposed(&self) -> u64 {
        self.replicated.commands_in_entries() + u64::from(self.batch.count)
    }

    /// When the node wants to be woken, and why.
    pub fn deadline(&self) -> Option<Deadline> {
        if self.phase == Phase::Stopped {
            return None;
        }
        let at_once = Deadline {
            at: self.now.mono,
            reason: Reason::LeftOver,
        };
        let left_over = self.has_left_over() || self.can_assemble();
        let left_over = left_over.then_some(at_once);
        let log = self.commit.log.as_ref().and_then(Log::deadline);
        let raft = self.commit.raft.as_ref().and_then(Raft::deadline);
        let raft = raft.map(|at| Deadline {
            at,
            reason: Reason::Raft,
        });
        [
            left_over,
            log,
            raft,
            self.expiry_deadline(),
            self.clients.deadline(),
            self.leaving_deadline(),
        ]
        .into_iter()
        .fold(None, Deadline::earlier)
    }

    fn has_left_over(&self) -> bool {
        self.turn.is_awaited()
            || !self.commit.is_recovering()
                && (self.wants_turn()
                    || self.clients.dirty_count() > 0
                    || (!self.batch.is_empty()
                        && self.commit.raft.is_some()
                        && !self.commit.is_holding_back())
                    || self.expiry_left_over
                    || self.commit.rewrite.wants_turn())
    }

    fn expiry_deadline(&self) -> Option<Deadline> {
        let tends = self.phase == Phase::Serving && self.active_expire && self.serves();
        if !tends || !self.is_settled() {
            return None;
        }
        let due = self.store.next_expiry()?;
        let wait = due.0.saturating_sub(self.clock().0);
        let mut at = self.now.mono + Duration::from_millis(wait);
        if due.0 <= self.now.wall_ms() {
            at = at.min(self.replicated.follows_at().unwrap_or(at));
        }
        let at = at.max(self.commit.last_time_entry + TIME_ENTRY_INTERVAL);
        Some(Deadline {
            at,
            reason: Reason::Expiry,
        })
    }

    /// Frees, in bounded steps, what is dead by replicated time and what was cut loose.
    pub(in crate::node) fn expire_turn(&mut self) {
        const BUDGET: usize = 64;
        if self.is_held() {
            return;
        }
        let mut left = self.store.step(BUDGET);
        if self.active_expire {
            let expired = self.store.expire_due(self.replicated.stamp(), BUDGET);
            self.metrics.expired(expired.freed);
            left |= expired.more;
        }
        self.expiry_left_over = left;
    }
}
