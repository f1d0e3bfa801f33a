//! From the writes of a turn to committed entries: one path, for a group of one as for any other.
//!
//! A turn's writes become one entry; Raft gives it its index; the log makes it last; Raft learns so
//! and commits; what is committed is applied. Nothing else writes.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use bytes::Bytes;

use crate::aof::{Log, Restated};
use crate::ids::{LogIndex, PersistSeq};
use crate::limits;
use crate::node::requests::{Gathered, Waiter};
use crate::raft::{EntryKind, KnownSum, Raft};
use crate::time::{Mono, Now, Stamp};

use super::Replica;
use super::proposed::{Committed, Proposed, SEARCHED_BYTES_MAX};
use super::records::put_entries;

/// How long replicated time may stand still while keys are due.
const TIME_ENTRY_INTERVAL: Duration = Duration::from_millis(100);

impl Replica {
    pub(in crate::node) fn is_recovering(&self) -> bool {
        self.recovering.is_some()
    }

    /// Returns true if nothing is to be proposed for now.
    pub(in crate::node) fn is_holding_back(&self) -> bool {
        self.raft.as_ref().is_some_and(Raft::is_holding_back)
    }

    /// Returns true if every entry that was proposed is applied.
    pub(in crate::node) fn is_settled(&self) -> bool {
        self.proposed.is_empty()
    }

    /// The entries that are proposed and not applied yet; nothing where that is too much to look
    /// through.
    pub(in crate::node) fn on_their_way(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let few = self.proposed_bytes <= SEARCHED_BYTES_MAX;
        few.then(|| self.proposed.iter().map(|proposed| &proposed.payload[..]))
    }

    /// Forgets what is on its way, and gives back who waits for it, in order.
    pub(super) fn forget_proposed(&mut self) -> Vec<Waiter> {
        self.proposed_bytes = 0;
        let proposed = self.proposed.drain(..);
        proposed.flat_map(|proposed| proposed.waiters).collect()
    }

    /// The clients that have waited so long or longer for their entries: they wait no more, and the
    /// entries stay on their way.
    pub(super) fn take_waiters_after(&mut self, wait: Duration, now: Mono) -> Vec<Waiter> {
        let proposed = self.proposed.iter_mut();
        let old = proposed.take_while(|one| now.since(one.at) >= wait);
        old.flat_map(|one| mem::take(&mut one.waiters)).collect()
    }

    /// A list of waiters that is done with is used again.
    pub(in crate::node) fn give_back(&mut self, mut waiters: Vec<Waiter>) {
        if waiters.capacity() > 0 && self.spare.len() < 16 {
            waiters.clear();
            self.spare.push(waiters);
        }
    }

    /// Returns true if nothing is to be proposed, because a leader cannot take it now, those who
    /// wait for older writes are first to be told that it leads no more, or the state is to be
    /// loaded again.
    pub(in crate::node) fn proposes_nothing(&self) -> bool {
        self.reload_wanted || self.has_lost_leadership() || self.is_holding_back()
    }

    /// Returns true if this member no longer leads the term in which it last did, and has not laid
    /// leadership down yet.
    pub(in crate::node) fn has_lost_leadership(&self) -> bool {
        let raft = self.raft.as_ref().filter(|raft| raft.is_leader());
        let term = raft.map(Raft::term);
        self.leadership.term.is_some() && self.leadership.term != term
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
            at: now,
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
    pub(super) fn oldest_on_its_way(&self) -> Option<PersistSeq> {
        self.appended.front().map(|(seq, _)| *seq)
    }

    /// Why the log has no room, if so: in the operating system's words.
    pub(super) fn log_trouble(&self) -> Option<&'static str> {
        self.log.as_ref().and_then(Log::trouble)
    }

    /// Hands to the log what Raft wants to last.
    pub(super) fn hand_over(&mut self) {
        let Self {
            raft: Some(raft),
            log,
            appended,
            body,
            ..
        } = self
        else {
            return;
        };
        loop {
            let last = raft.last();
            let Some(unpersisted) = raft.unpersisted() else {
                break;
            };
            let Some(log) = log.as_mut() else {
                let seq = unpersisted.seq;
                raft.persisted(seq);
                continue;
            };
            if unpersisted.must_sync {
                log.must_sync();
            }
            let head = Restated {
                term: unpersisted.term,
                vote: unpersisted.vote,
                commit: unpersisted.commit,
            };
            let seq = unpersisted.seq;
            let newest = put_entries(log, &head, last, unpersisted.entries, body);
            appended.push_back((newest, seq));
        }
        body.shrink_to(limits::ENTRY_BYTES_SOFT_MAX * 2);
    }

    /// Tells Raft how far the log has come.
    pub(super) fn learn_persisted(&mut self) {
        let Self {
            raft: Some(raft),
            log: Some(log),
            appended,
            ..
        } = self
        else {
            return;
        };
        let persisted = log.persisted();
        let mut newest = None;
        while let Some((_, raft_seq)) = appended.pop_front_if(|(seq, _)| *seq <= persisted) {
            newest = Some(raft_seq);
        }
        if let Some(seq) = newest {
            raft.persisted(seq);
        }
    }

    /// One write for all that was handed over, and a sync where one is due.
    pub(super) fn flush_log(&mut self, now: Now) {
        if let Some(log) = &mut self.log {
            log.flush(now, &mut self.ops);
            self.learn_persisted();
        }
    }

    /// Shuts the log; true when it is shut, or where there is none.
    pub(super) fn close_log(&mut self, now: Now) -> bool {
        let Some(log) = &mut self.log else {
            return true;
        };
        if !self.closed_log {
            self.closed_log = true;
            log.close();
            log.flush(now, &mut self.ops);
        }
        log.is_idle()
    }

    /// Returns true if nothing more is to be written for now: clients that want to wait. `most`
    /// bytes may be on their way.
    pub(super) fn is_crowded(&self, most: usize) -> bool {
        self.proposed_bytes > most || self.is_holding_back()
    }

    /// Forgets all but the members and the operations that are on their way, to be loaded again.
    /// Gives the number of tickets that were given so far.
    pub(super) fn forget(&mut self) -> u64 {
        let tickets = self.log.as_ref().map_or(0, Log::tickets);
        *self = Self {
            ops: mem::take(&mut self.ops),
            leadership: mem::take(&mut self.leadership),
            peers: mem::take(&mut self.peers),
            raising: self.raising,
            recovered_bytes: self.recovered_bytes,
            ..Self::default()
        };
        tickets
    }
}
