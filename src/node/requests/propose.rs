//! From one writing request, and from keys that are to go, to the batch of a turn, and from the
//! batch to an entry.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::event::{KeyEvent, Tells};
use crate::command::row::{Kind, Row};
use crate::command::slot;
use crate::node::clients::Paused;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};

use super::batch::Waiter;
use super::entry::{self, Part};
use super::evicting::{Known, Search, choice};
use super::lookup::row_of;

/// One part in so many of the limit is kept free of keys: that much of all pages may be empty
/// before memory goes back.
const SPARE_PART: usize = 64;

impl Node {
    /// Hands a write to the log; its reply is written when the entry is applied.
    pub(super) fn propose_command(&mut self, slot: u32, row: &'static Row, args: Args<'_>) {
        let runs_script = matches!(row.kind, Kind::Script(_));
        // Bounds stand before a script, in the same entry.
        let whole = self.requests.in_hand.take().filter(|_| !runs_script);
        if whole.is_some() && !self.requests.batch.bytes.is_empty() {
            self.propose_batch();
        }
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        let db = session.db;
        self.wait_for_entry(slot, Some(row));
        self.requests.batch.whole = whole.filter(|_| self.requests.batch.bytes.is_empty());
        if runs_script {
            let bounds = self.script_bounds();
            entry::put_bounds(&mut self.requests.batch.bytes, bounds);
        }
        if self.requests.batch.whole.is_none() {
            entry::put_command(&mut self.requests.batch.bytes, db, args);
        }
        self.requests.batch.count += 1;
        if runs_script {
            self.requests.hold.last_script = self.commands_proposed();
        }
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
        let due = self.frees_expired()
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

    /// Behind what a turn has applied: names keys that are to go, in front of the next entry.
    pub(in crate::node) fn evict_turn(&mut self) {
        let was_behind = self.requests.evicting.is_behind();
        self.choose_victims();
        if was_behind && !self.requests.evicting.is_behind() {
            self.requests.let_go();
        }
    }

    fn choose_victims(&mut self) {
        let limit = self.config.memory_max as usize;
        let (used, excess) = self.memory_excess();
        let serves = self.phase == Phase::Serving && self.serves();
        let is_idle = self.is_settled() && self.requests.is_batch_empty();
        // In the middle of a command nobody looks at the store, and in a pause nothing goes.
        let is_paused = self.clients.paused() != Paused::Nothing;
        let may_look = !self.requests.is_held() && !self.replica.proposes_nothing() && !is_paused;
        let search = Search::new(&self.config, self.clock());
        let search = search.filter(|_| excess > 0 && serves);
        let evicting = &mut self.requests.evicting;
        if is_idle {
            // Victims that have not come into the log do not come any more.
            evicting.ends();
        }
        let Some(search) = search else {
            return evicting.rest();
        };
        if !evicting.is_under_way() {
            if !may_look {
                return evicting.pause();
            }
            let victims = evicting.choose(&mut self.store, search, excess);
            for of_db in victims.chunk_by(|one, other| one.db == other.db) {
                self.name_victims(of_db, search.choice.only_volatile);
            }
        }
        self.requests.evicting.goes_on(used, limit);
    }

    /// Puts the names of keys of one database into the batch.
    fn name_victims(&mut self, victims: &[Known], only_volatile: bool) {
        let Some(db) = victims.first().map(|known| known.db) else {
            return;
        };
        let names = victims.iter().map(|known| &known.key[..]);
        let batch = &mut self.requests.batch;
        entry::put_victims(&mut batch.bytes, db, only_volatile, names);
        batch.count += 1;
        // Nobody waits for it.
        batch.wants_time = true;
        self.witness.note(|| {
            let names = victims.iter().map(|known| known.key.clone());
            let words = core::iter::once(b"UNLINK".to_vec()).chain(names).collect();
            Witnessed::Proposed { db, words }
        });
        if self.clients.is_any_watching() {
            let ordinal = self.commands_proposed();
            for known in victims {
                self.clients.will_write(db, &known.key, ordinal);
            }
        }
    }

    /// Victims that are not applied yet count no more: this member does not lead any longer.
    pub(in crate::node) fn evict_no_more(&mut self) {
        self.requests.evicting.ends();
    }

    /// The bytes that are in use for keys and clients' buffers, without what goes by itself, and by
    /// how many these are more than may be, so that a few pages stay free for what is written next.
    fn memory_excess(&self) -> (usize, usize) {
        let most = self.config.memory_max as usize;
        if most == 0 || choice(self.config.memory_policy).is_none() {
            return (0, 0);
        }
        let counted = self.used_memory() - self.store.passing_memory();
        let beyond = counted.saturating_sub(most);
        let taken = counted.saturating_sub(self.store.free_memory());
        let excess = beyond.max(taken.saturating_sub(most - most / SPARE_PART));
        (counted, excess)
    }

    /// Takes out the keys of a database that the log names, as far as they are there, which is
    /// Redis's event `evicted`; where only keys with an expiry may go, those that have lost it
    /// meanwhile stay.
    pub(super) fn apply_victims(&mut self, (db, only_volatile): (u32, bool), names: Args<'_>) {
        let at = self.replicated.stamp();
        self.listen_to_store();
        self.requests.hold.pay(names.len());
        let gone = names
            .iter()
            .filter(|name| self.store.evict(db, name, only_volatile, at));
        let gone = gone.count() as u64;
        if self.phase == Phase::Serving {
            self.metrics.evicted(gone);
        }
        self.requests.evicting.ends();
        self.tell_of_touched(|| Tells::Only(KeyEvent::EVICTED));
    }
}

/// The slot of each command of an entry; 0 of those without a key, and of transactions.
fn slots_of(payload: &[u8]) -> Vec<u16> {
    let mut slots = Vec::new();
    entry::each_command(payload, |place, part| {
        slots.resize(place.nth as usize, 0);
        let Part::Command(args) = part else {
            return;
        };
        let row = row_of(args).ok().filter(|_| !place.is_in_transaction);
        let key = row.and_then(|row| row.first_key(args));
        if let (Some(last), Some(key)) = (slots.last_mut(), key) {
            *last = slot::of(key);
        }
    });
    slots
}
