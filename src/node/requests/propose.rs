//! From one writing request to the batch of its turn, and from the batch to an entry.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::row::Row;
use crate::command::slot;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};

use super::batch::Waiter;
use super::entry;
use super::lookup::row_of;

impl Node {
    /// Hands a write to the log; its reply is written when the entry is applied.
    pub(super) fn propose_command(&mut self, slot: u32, row: &'static Row, args: Args<'_>) {
        let whole = self.requests.in_hand.take();
        if whole.is_some() && !self.requests.batch.bytes.is_empty() {
            self.propose_batch();
        }
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        let db = session.db;
        self.wait_for_entry(slot, Some(row));
        self.requests.batch.whole = whole.filter(|_| self.requests.batch.bytes.is_empty());
        if self.requests.batch.whole.is_none() {
            entry::put_command(&mut self.requests.batch.bytes, db, args);
        }
        self.requests.batch.count += 1;
        self.note_proposed_keys(db, args);
        if self.requests.batch.whole.is_some()
            || self.requests.batch.bytes.len() >= self.config.bounds.entry_bytes
        {
            self.propose_batch();
        }
        // What cannot be proposed now is a command among others.
        if let Some(whole) = self.requests.batch.whole.take() {
            self.requests.batch.bytes.extend_from_slice(&whole.payload);
        }
        self.foresee(row, db, args);
    }

    /// A client waits for the next command of the batch, which is its own, to be applied; or, where
    /// there is none and it has parked a request, for all before that.
    pub(super) fn wait_for_entry(&mut self, slot: u32, row: Option<&'static Row>) {
        let (place, parked) = (self.requests.batch.count, row.is_none());
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        session.proposed += 1;
        self.requests.batch.waiters.push(Waiter {
            slot,
            conn: session.conn,
            place,
            protocol: session.protocol,
            silent: !parked && session.is_silent(),
            row,
        });
    }

    /// Makes one entry of the writes gathered so far.
    pub(in crate::node) fn propose_batch(&mut self) {
        // What the leader cannot take now it may take later, or another member; until then nobody
        // is told anything, since replies have an order.
        let number = self.replicated.version().number;
        let raises = (self.phase == Phase::Serving)
            .then(|| self.replica.version_to_raise(&self.config, number))
            .flatten();
        let has_none = self.requests.batch.is_empty() && raises.is_none();
        if has_none || self.replica.proposes_nothing() {
            return;
        }
        let Some(raft) = self.replica.raft() else {
            return;
        };
        let term = raft.term();
        let before = self.replicated.last_offset();
        let (stamp, offset) = self.replicated.stamp_behind(raft.last_stamp(), self.now);
        let mut head = Vec::new();
        if offset != before {
            entry::put_offset(&mut head, offset);
        }
        if self.store.seed().is_none() && self.requests.batch.has_commands() {
            head = entry::with_seed(self.config.hash_seed, &head).into();
        }
        if let Some(version) = raises {
            head = entry::with_version(version, &head);
        }
        let spare = self.replica.spare_waiters();
        let gathered = self.requests.batch.take(head, spare);
        let (count, payload) = (gathered.count, gathered.payload.clone());
        self.replicated.count_proposed(count);
        if let Err(waiters) = self.replica.propose(stamp, gathered, self.now.mono) {
            self.replicated.withdraw(count, before);
            return self.refuse(waiters, &payload);
        }
        self.witness.note(|| Witnessed::Stamped { stamp, offset });
        if let Some(version) = raises {
            self.replica.raises(term, version);
            self.witness.note(|| Witnessed::Raises { version });
        }
    }

    /// Tells clients that their writes, which were to be this entry, have certainly not happened.
    fn refuse(&mut self, mut waiters: Vec<Waiter>, payload: &[u8]) {
        let slots = slots_of(payload);
        let mut told = Vec::with_capacity(waiters.len());
        for waiter in waiters.drain(..) {
            let slot = slots.get(waiter.place as usize).copied();
            told.push((waiter, self.elsewhere_at(slot.unwrap_or(0))));
        }
        self.disappoint_all(told.into_iter());
        self.replica.give_back(waiters);
    }

    /// Moves replicated time where keys are due and nothing else moves it.
    pub(in crate::node) fn propose_time(&mut self) {
        let idle = self.requests.batch.is_empty() && self.is_settled();
        if self.phase != Phase::Serving || !idle || !self.serves() {
            return;
        }
        let due = self.active_expire
            && self
                .store
                .next_expiry()
                .is_some_and(|at| at <= self.clock());
        if due && self.now.mono >= self.replica.next_time_entry() {
            self.requests.batch.wants_time = true;
        }
    }

    /// How many commands were proposed since this node started, those of the batch among them.
    pub(super) fn commands_proposed(&self) -> u64 {
        self.replicated.commands_in_entries() + u64::from(self.requests.batch.count)
    }
}

/// The slot of each command of an entry; 0 of those without a key, and of transactions.
fn slots_of(payload: &[u8]) -> Vec<u16> {
    let mut slots = Vec::new();
    entry::each_command(payload, |place, args| {
        slots.resize(place.nth as usize, 0);
        let row = row_of(args).ok().filter(|_| !place.is_in_transaction);
        let key = row.and_then(|row| row.first_key(args));
        if let (Some(last), Some(key)) = (slots.last_mut(), key) {
            *last = slot::of(key);
        }
    });
    slots
}
