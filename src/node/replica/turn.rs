//! The end of a turn for a member: what it has proposed goes to the log and to others, and what is
//! committed is applied.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::mem;

use crate::aof::{Log, Op};
use crate::command::error::Error;
use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, NodeId, Ticket};
use crate::limits;
use crate::node::effect::{Effect, Kept, Note};
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};
use crate::raft::Raft;
use crate::session::Blocked;

use super::snapshot::PieceRead;

impl Node {
    /// Turns what the turn has gathered into entries, hands them to the log, and applies what is
    /// committed.
    pub(in crate::node) fn commit_turn(&mut self) {
        if self.phase == Phase::Stopped {
            return;
        }
        if self.replica.is_recovering() {
            self.finish_stopping();
            self.emit_ops();
            return;
        }
        // Clients wait since this turn, even if it is over when the turn ends.
        self.replica.was_full |= self.is_full();
        if let Some(raft) = &mut self.replica.raft {
            raft.tick(self.now.mono);
        }
        let standing = (self.is_master(), self.phase == Phase::Serving);
        let transferring = self.replica.transfer_if_strained(self.now.mono, standing);
        self.note_if(transferring);
        // A member that has stepped down says so of old writes before new ones are refused.
        self.tend_leadership();
        self.propose_time();
        self.propose_batch();
        self.replica.hand_over();
        self.replica.flush_log(self.now);
        self.tend_repair();
        self.tend_conflicts();
        let removed = self.replica.tend_belonging(&self.config);
        self.note_if(removed);
        if self.apply_committed() {
            // A commit of a new term may have become possible only now.
            self.replica.hand_over();
            self.replica.flush_log(self.now);
        }
        self.tend_leadership();
        self.begin_service();
        self.rewrite_turn();
        let supplied = self
            .replica
            .snapshot_turn(&self.config, self.now, &mut self.effects);
        if let Err(why) = supplied {
            self.fail(why);
        }
        self.note_space();
        self.tell_of_lacking_room();
        self.leave();
        self.finish_stopping();
        self.reload_when_settled();
        self.emit_messages();
        self.emit_ops();
    }

    /// Opens the doors once the first entry of this life's own term is applied.
    fn begin_service(&mut self) {
        let Some(raft) = &self.replica.raft else {
            return;
        };
        let is_behind = self.replica.applied < raft.last() || self.requests.is_midway();
        if self.phase != Phase::Recovering || !raft.is_leader() || is_behind {
            return;
        }
        self.open_doors();
    }

    /// Lets clients in.
    pub(super) fn open_doors(&mut self) {
        self.phase = Phase::Serving;
        // Recovery has applied what this life never proposed: from here on the two counts go
        // together.
        self.replicated.align_counts();
        // Who has watched a key while the state was loaded has not seen what it is now.
        self.clients.break_all_watches();
        self.clients.all_is_invalid();
        let keys = (0..limits::DATABASES).map(|db| self.store.len(db)).sum();
        if self.config.append_only {
            let last = self.replica.raft.as_ref().map_or(LogIndex(0), Raft::last);
            self.note(Note::Recovered {
                keys,
                index: self.replica.applied,
                last,
                bytes: self.replica.recovered_bytes,
            });
        }
        self.end_waits(Blocked::Reload);
        self.signal_all();
        self.wake_all();
    }

    /// An operation of the disk has ended.
    pub(in crate::node) fn disk(&mut self, ticket: Ticket, outcome: Result<DiskDone, DiskError>) {
        // A sync that ends behind a write that has failed says nothing about that write.
        if self.phase == Phase::Stopped {
            return;
        }
        if self.replica.is_recovering() {
            self.recover(ticket, outcome);
            return;
        }
        match self.replica.snapshot_read(ticket, &outcome, &self.config) {
            PieceRead::Another => {}
            PieceRead::Told => return,
            PieceRead::Unreadable(why) => {
                self.note(Note::BaseUnreadable { why });
                return;
            }
        }
        let Some(log) = &mut self.replica.log else {
            return;
        };
        if let Err(failure) = log.completed(self.now, ticket, outcome, &mut self.replica.ops) {
            self.fail(failure.to_string());
            return;
        }
        self.replica.learn_persisted();
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
        if let Some(raft) = &mut self.replica.raft {
            // A frame that is none is counted by Raft; there is nobody to answer to.
            let _ = raft.step(self.now.mono, from, frame);
        }
    }

    /// Ends a stop in good order when all that was proposed is applied and the log is synced.
    fn finish_stopping(&mut self) {
        if self.phase != Phase::Stopping || !self.is_settled() {
            return;
        }
        if !self.replica.close_log(self.now) {
            return;
        }
        self.phase = Phase::Stopped;
        let kept = match &self.replica.log {
            Some(log) => Kept::Log {
                last: log.last_index(),
            },
            None if self.config.append_only => Kept::AsItWas,
            None => Kept::Nothing,
        };
        self.note(Note::Ended { kept });
        self.last_effect = Some(Effect::Stopped { failure: None });
    }

    /// Begins a reload when nothing is on its way any more.
    fn reload_when_settled(&mut self) {
        let ready = self.replica.reload_wanted
            && self.is_settled()
            && self.replica.rewrite.running.is_none()
            && matches!(self.phase, Phase::Serving | Phase::Recovering);
        if !ready || !self.replica.close_log(self.now) {
            return;
        }
        let tickets = self.replica.forget();
        self.witness.note(|| Witnessed::Reloads);
        self.phase = Phase::Recovering;
        self.replicated.forget();
        // What was touched is told as it was left.
        self.make_events();
        self.store = self.config.store(None);
        // What is loaded may be another state than the one that was watched.
        self.clients.break_all_watches();
        self.clients.all_is_invalid();
        self.begin(tickets);
    }

    /// Why the log has no room, if so: in the operating system's words.
    pub(in crate::node) fn log_trouble(&self) -> Option<&'static str> {
        self.replica.log_trouble()
    }

    /// The same, where an attempt that is being made again is no success: its outcome is waited
    /// for.
    fn lasting_trouble(&self) -> Option<&'static str> {
        let trouble = self.log_trouble();
        let log = self.replica.log.as_ref();
        if trouble.is_none() && log.is_some_and(Log::is_trying_again) {
            self.replica.had_trouble
        } else {
            trouble
        }
    }

    fn note_space(&mut self) {
        let trouble = self.lasting_trouble();
        if mem::replace(&mut self.replica.had_trouble, trouble) != trouble {
            let leads = self.is_master() || !self.replica.leadership.grouped;
            self.note(match trouble {
                Some(why) => Note::NoRoom { why, leads },
                None => Note::RoomAgain,
            });
        }
        let full = self.is_full();
        if mem::replace(&mut self.replica.was_full, full) && !full {
            self.requests.let_go();
        }
    }

    /// Tells clients whose writes have found no room for long that these may still be made: nobody
    /// knows when there will be some, and what was proposed cannot be taken back.
    fn tell_of_lacking_room(&mut self) {
        // The outcome of an attempt that is being made is waited for.
        let log = self.replica.log.as_ref();
        let tried = log.filter(|log| !log.is_trying_again());
        let Some(why) = tried.and_then(Log::write_refused) else {
            return;
        };
        let patience = self.config.bounds.room_patience;
        let waiters = self.replica.take_waiters_after(patience, self.now.mono);
        let told = waiters.into_iter();
        self.disappoint_all(told.map(|one| (one, Error::log_finds_no_room(why))));
    }

    /// Returns true if nothing more is to be written for now: clients that want to wait, as long as
    /// they would not be refused.
    pub(in crate::node) fn is_full(&self) -> bool {
        let much = self.replica.is_crowded(self.config.waiting_bytes_max);
        (much || self.rewrite_is_behind()) && self.refuses_writes().is_none()
    }

    fn emit_ops(&mut self) {
        for Op { ticket, op } in self.replica.ops.drain(..) {
            self.effects.push(Effect::Disk { ticket, op });
        }
    }

    pub(in crate::node) fn note(&mut self, note: Note) {
        self.effects.push(Effect::note(note));
    }

    /// Writes a line for the operator, if there is one.
    fn note_if(&mut self, note: Option<Note>) {
        if let Some(note) = note {
            self.note(note);
        }
    }
}
