//! Clients that wait for a key: how they come to wait, and how they are given what comes.
//!
//! A request whose keys hold something is proposed like any write, and takes it when it is applied.
//! If they hold nothing, its client waits: here, on the leader, and nowhere in the log. It is
//! proposed when something has come, or is certain to come: a command that adds elements is
//! followed in its entry by the requests of the first in the queue, so that nobody stands between.
//! Other ways for a key to hold something are seen when they are applied. A request that finds
//! nothing then goes back to its place. Its client is told that nothing has come, or that it waits
//! no longer, only while nothing is on its way to it: no element is ever taken for a client that
//! was told otherwise.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::row::Row;
use crate::command::wait::{Awaited, Wait};
use crate::limits::{DATABASES, WAKE_WORK};
use crate::node::clients::key_waits::is_taking;
use crate::node::effect::Effect;
use crate::node::witness::Witnessed;
use crate::node::{Node, Phase};
use crate::session::Blocked;
use crate::session::key_wait::{KeyWait, Stage, Taking};
use crate::store::Touched;

use super::batch::Waiter;
use super::entry;
use super::lookup::row_of;
use super::offers::Offers;

impl Node {
    /// One more of this client's proposals is applied: what stood behind it may run.
    pub(in crate::node) fn settle(&mut self, waiter: &Waiter) {
        let Some(session) = self.clients.get_same(waiter.slot, waiter.conn) else {
            return;
        };
        let (db, has_parked) = (session.db, !session.parked.is_empty());
        session.applied += 1;
        if !session.is_busy() {
            session.will_wait = false;
            session.withheld = Vec::new();
        }
        if self.clients.has_monitors() {
            self.show_transaction(waiter, db);
        }
        if let Some(session) = self.clients.get_same(waiter.slot, waiter.conn) {
            session.outbox.end_reply();
        }
        if has_parked {
            self.run_parked(waiter.slot);
        }
        self.clients.mark_dirty(waiter.slot);
    }

    /// A request that may wait, of a client of whom nothing else is on its way.
    pub(super) fn take_or_wait(
        &mut self,
        slot: u32,
        row: &'static Row,
        args: Args<'_>,
        wait: Wait,
    ) {
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        session.wait_is_shown = false;
        let client = Some((slot, session.conn));
        let (db, is_ending) = (session.db, session.waits_until.is_some());
        self.requests.read_work = args.len();
        let mut is_there = false;
        row.each_taken(args, |key| {
            is_there |= self.store.contains(db, key, self.replicated.stamp());
        });
        if !is_there && is_ending {
            // Nobody waits for what a client that may be gone would be given.
            self.metrics.waits(row);
            self.show_once((row, db), args, client);
            return self.answer_nothing(slot);
        }
        let now = self.now.mono;
        let proposed = self.commands_proposed();
        let key_wait = KeyWait {
            until: wait.timeout.map(|timeout| now + timeout),
            ticket: self.clients.next_ticket(),
            ..request(row, db, args, wait)
        };
        if is_there {
            self.clients.begin_to_take(slot, key_wait, proposed);
            if let Some(session) = self.clients.get_mut(slot) {
                session.will_wait = true;
            }
            self.propose_command(slot, row, args);
        } else {
            self.metrics.waits(row);
            self.show_once((row, db), args, client);
            self.clients.begin_to_wait(slot, key_wait, proposed);
            self.note_wait(slot);
        }
    }

    fn note_wait(&mut self, slot: u32) {
        if let Some(session) = self.clients.get(slot)
            && let Some(key_wait) = &session.key_wait
        {
            let (conn, ticket) = (session.conn, key_wait.ticket);
            self.witness.note(|| Witnessed::Waits { conn, ticket });
        }
    }

    /// Answers a request at once that would have waited.
    fn answer_nothing(&mut self, slot: u32) {
        self.clients.begin_nothing(slot);
        self.unblock(slot, None);
    }

    /// A command is proposed: those who wait for what it certainly brings are served right behind
    /// it. Other keys that it may let hold something are remembered.
    pub(super) fn foresee(&mut self, row: &'static Row, db: u32, args: Args<'_>) {
        if !self.clients.has_key_waits() {
            return;
        }
        match self.brings(row, db, args) {
            Some((awaited, elements)) => {
                self.serve_brought(db, args.at(1), awaited, elements as u64);
            }
            None => self.note_made(row, db, args),
        }
    }

    /// Elements are certainly brought: those who wait for them are served right behind. An element
    /// that such a client moves on is brought to its target in the same way, as Redis serves a
    /// whole chain of moves before it looks at another request. A client that waits for several
    /// keys of the chain comes when those before it are served. The elements left over are noted,
    /// so that nobody is given one who is served for another key.
    fn serve_brought(&mut self, db: u32, key: &[u8], awaited: Awaited, elements: u64) {
        if !self.clients.is_awaited(db, key) {
            return;
        }
        let mut brought = BTreeMap::from([(key.to_vec(), elements)]);
        let mut room = self.config.bounds.served_at_once;
        let mut keys = Vec::from([key.to_vec()]);
        while !keys.is_empty() && room > 0 {
            let (mut is_served, mut next) = (false, Vec::new());
            for key in keys {
                let served = self.serve_key((db, &key, awaited), &mut brought, &mut next, room);
                is_served |= served > 0;
                // A look in vain costs something too.
                room = room.saturating_sub(served.max(1));
                if brought.contains_key(&key)
                    && self.clients.first_waiter(db, &key, awaited).is_some()
                {
                    next.push(key);
                }
            }
            keys = if is_served { next } else { Vec::new() };
        }
        let ordinal = self.commands_proposed();
        for key in brought.keys() {
            self.clients.may_be_made(db, key, ordinal);
        }
    }

    /// Serves those who wait at a key for what is brought there, `room` of them at most. Returns
    /// how many. The keys to which they move elements on come into `next`.
    fn serve_key(
        &mut self,
        (db, key, awaited): (u32, &[u8], Awaited),
        brought: &mut BTreeMap<Vec<u8>, u64>,
        next: &mut Vec<Vec<u8>>,
        room: usize,
    ) -> usize {
        let mut served = 0;
        while let Some(left) = brought.get(key).copied()
            && served < room
            && self.requests.batch.bytes.len() < self.config.bounds.entry_bytes
            && let Some(slot) = self.clients.first_waiter(db, key, awaited)
            && self.takes_only(slot, key, brought)
        {
            let (takes, target) = self.propose_to_take(slot, Taking::Surely);
            if takes < left {
                brought.insert(key.to_vec(), left - takes);
            } else {
                brought.remove(key);
            }
            if let Some(target) = target {
                if target != key && !brought.contains_key(&target) {
                    next.push(target.clone());
                }
                *brought.entry(target).or_default() += 1;
            }
            self.requests.read_work += WAKE_WORK;
            served += 1;
        }
        served
    }

    /// Returns true if a client that waits, the first at `from`, will take what is brought there:
    /// it stands behind nobody, and its other keys certainly hold nothing.
    fn takes_only(&self, slot: u32, from: &[u8], brought: &BTreeMap<Vec<u8>, u64>) -> bool {
        let (store, at) = (&self.store, self.replicated.stamp());
        let applied = self.replicated.commands_applied();
        self.clients
            .takes_only(slot, from, applied, |(db, key, _)| {
                brought.contains_key(key) || store.get(db, key, at).is_some()
            })
    }

    /// Remembers what a command of a transaction may bring that was just proposed: those who wait
    /// are served behind the transaction.
    pub(super) fn note_made_keys(&mut self, db: u32, args: Args<'_>) {
        if self.clients.has_key_waits()
            && let Ok(row) = row_of(args)
        {
            self.note_made(row, db, args);
        }
    }

    fn note_made(&mut self, row: &Row, db: u32, args: Args<'_>) {
        let ordinal = self.commands_proposed();
        row.each_made(args, |key, elsewhere| {
            let all = 0..DATABASES;
            for db in if elsewhere { all } else { db..db + 1 } {
                self.clients.may_be_made(db, key, ordinal);
            }
        });
    }

    /// How many elements a command brings that is proposed now, if that is certain: for a key that
    /// holds such a value or nothing, and that no other command on its way may change.
    fn brings(&self, row: &Row, db: u32, args: Args<'_>) -> Option<(Awaited, usize)> {
        let (awaited, elements) = row.brings(args)?;
        let is_certain = self.is_certain(db, args.at(1), awaited);
        is_certain.then_some((awaited, elements))
    }

    /// Returns true if elements that are brought to a key now will be there for those who wait.
    fn is_certain(&self, db: u32, key: &[u8], awaited: Awaited) -> bool {
        let applied = self.replicated.commands_applied();
        let value = self.store.get(db, key, self.replicated.stamp());
        let fits = |value| Awaited::of(value).is_some_and(|(of, _)| of == awaited);
        let is_known = !self.is_script_under_way();
        is_known && self.clients.is_foreseeable(db, key, awaited, applied) && value.is_none_or(fits)
    }

    /// Proposes the request of a waiting client. Returns how many elements it takes at most, and
    /// the key to which it certainly moves one that somebody waits for.
    fn propose_to_take(&mut self, slot: u32, taking: Taking) -> (u64, Option<Vec<u8>>) {
        let proposed = self.commands_proposed();
        self.clients.takes(slot, taking, proposed);
        let session = self.clients.get(slot);
        let Some(key_wait) = session.and_then(|session| session.key_wait.as_ref()) else {
            return (u64::MAX, None);
        };
        let (row, db) = (key_wait.row, key_wait.db);
        let (takes, awaited) = (key_wait.wait.takes, key_wait.wait.awaited);
        let from = self.requests.batch.bytes.len();
        self.requests
            .batch
            .bytes
            .extend_from_slice(&key_wait.request);
        self.wait_for_entry(slot, Some(row));
        self.requests.batch.count += 1;
        // What it brings elsewhere comes between those before and behind it.
        self.requests.offers.batch += u64::from(row.may_make());
        let matters = self.clients.is_any_watching() || row.may_make();
        let mut target = None;
        if matters || self.witness.is_kept() {
            let request = self.requests.batch.bytes[from..].to_vec();
            let ranges = words_of(&request);
            let args = Args::new(&request, &ranges);
            self.note_proposed_keys(db, args);
            if taking == Taking::Surely {
                target = self.certain_target(row, db, args, awaited);
            }
            if target.is_none() {
                self.note_made(row, db, args);
            }
        }
        (takes, target)
    }

    /// The key to which a command that finds something certainly moves an element.
    fn certain_target(&self, row: &Row, db: u32, args: Args<'_>, of: Awaited) -> Option<Vec<u8>> {
        let mut target = None;
        row.each_made(args, |key, _| target = Some(key));
        let key = target?;
        self.is_certain(db, key, of).then(|| key.to_vec())
    }

    /// Keys were touched by what was applied just now, of which some are waited for.
    pub(super) fn signal_touched(&mut self, touched: &[Touched]) {
        if !self.clients.has_key_waits() {
            return;
        }
        for Touched { db, key, .. } in touched {
            match key {
                Some(key) => self.signal(*db, key),
                None => self.signal_database(*db),
            }
        }
    }

    /// A command was applied whose client may wait: of what it was to take something may be left.
    pub(super) fn signal_taken(&mut self, row: &Row, db: u32, args: Args<'_>) {
        if row.waits.is_some() && self.clients.has_key_waits() {
            row.each_taken(args, |key| self.signal(db, key));
        }
    }

    fn signal(&mut self, db: u32, key: &[u8]) {
        let last = self.requests.offers.signalled.last();
        let is_last = last.is_some_and(|(of, last)| *of == db && **last == *key);
        if !is_last && self.clients.is_awaited(db, key) {
            self.requests.offers.signalled.push((db, key.into()));
        }
    }

    fn signal_database(&mut self, db: u32) {
        for key in self.clients.awaited_in(db) {
            self.signal(db, &key);
        }
    }

    /// Looks at all keys that somebody waits for: the state is another than before.
    pub(in crate::node) fn signal_all(&mut self) {
        (0..DATABASES).for_each(|db| self.signal_database(db));
        self.serve_signalled();
    }

    /// Proposes the requests of those who wait for what is there.
    pub(super) fn serve_signalled(&mut self) {
        let applied = self.replicated.commands_applied();
        let Offers {
            signalled, later, ..
        } = &mut self.requests.offers;
        while let Some((_, db, key)) = later.pop_front_if(|(behind, ..)| *behind <= applied) {
            signalled.push((db, key));
        }
        if signalled.is_empty() {
            return;
        }
        let mut keys = core::mem::take(signalled);
        if self.phase != Phase::Serving || !self.serves() {
            self.requests.offers.later.clear();
            return;
        }
        self.requests.offers.batch += 1;
        let mut left = self.config.bounds.served_at_once;
        loop {
            let before = left;
            keys.retain(|(db, key)| !self.offer(*db, key, &mut left));
            // Somebody may have stood in the way of others who was proposed meanwhile.
            if keys.is_empty() || left == before {
                break;
            }
        }
        let proposed = self.commands_proposed();
        let later = keys.into_iter().map(|(db, key)| (proposed, db, key));
        self.requests.offers.later.extend(later);
    }

    /// Proposes the requests of those who wait for a key, as far as it holds something and `left`
    /// goes. False where it is to be looked at again.
    fn offer(&mut self, db: u32, key: &[u8], left: &mut usize) -> bool {
        let value = self.store.get(db, key, self.replicated.stamp());
        let Some((awaited, elements)) = value.and_then(Awaited::of) else {
            return true;
        };
        let taken = self.clients.being_taken(db, key, awaited);
        let mut elements = (elements as u64).saturating_sub(taken);
        while elements > 0
            && let Some(slot) = self.clients.first_waiter(db, key, awaited)
        {
            let batch = self.requests.offers.batch;
            if *left == 0 || !self.may_be_given(slot, batch) {
                return false;
            }
            *left -= 1;
            let taking = Taking::Perhaps { batch };
            elements = elements.saturating_sub(self.propose_to_take(slot, taking).0);
        }
        true
    }

    /// Returns true if a client that waits may be given something of any of its keys, and nobody
    /// has waited longer for that.
    fn may_be_given(&self, slot: u32, batch: u64) -> bool {
        let (store, at) = (&self.store, self.replicated.stamp());
        let holds = |(db, key, of): (u32, &[u8], Awaited)| {
            let value = store.get(db, key, at).and_then(Awaited::of);
            value.is_some_and(|(found, _)| found == of)
        };
        let applied = self.replicated.commands_applied();
        self.clients.overtakes_nobody(slot, batch, applied, holds)
    }

    /// Returns true if a client waits on, or begins to wait, whose request was applied with this
    /// outcome.
    pub(super) fn waits_on(&self, waiter: Option<&Waiter>, outcome: &Outcome) -> bool {
        let Some(waiter) = waiter.filter(|w| w.row.is_some_and(|row| row.waits.is_some())) else {
            return false;
        };
        let session = self.clients.same(waiter.slot, waiter.conn);
        let key_wait = session.and_then(|session| Some((session, session.key_wait.as_ref()?)));
        let Some((session, key_wait)) = key_wait else {
            return false;
        };
        match outcome {
            Err(Error::Nothing) => true,
            // Who waits goes on while its keys hold something else than it waits for.
            Err(error) if *error == Error::WRONG_TYPE && session.blocked.is_some() => {
                let at = self.replicated.stamp();
                !key_wait.keys().any(|key| {
                    let value = self.store.get(key_wait.db, key, at).and_then(Awaited::of);
                    value.is_some_and(|(of, _)| of == key_wait.wait.awaited)
                })
            }
            _ => false,
        }
    }

    /// A client's request was applied and has found nothing.
    pub(super) fn wait_on(&mut self, slot: u32) {
        let proposed = self.commands_proposed();
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        let asked = session.key_wait.as_mut().and_then(|a| a.unblocked.take());
        let is_ending = session.waits_until.is_some();
        self.clients.waits_again(slot, proposed);
        self.note_wait(slot);
        match asked {
            Some(true) => self.unblock(slot, Some(&Error::UNBLOCKED_BY_CLIENT)),
            Some(false) => self.unblock(slot, None),
            None if is_ending => self.unblock(slot, None),
            None => {}
        }
    }

    /// A client's request was applied and is answered, or never will be: it waits no longer.
    pub(super) fn waits_no_more(&mut self, slot: u32) {
        let Some(session) = self.clients.get(slot) else {
            return;
        };
        if session.key_wait.is_none() {
            return;
        }
        let (conn, was_blocked) = (session.conn, session.blocked.is_some());
        self.clients.release(slot);
        if was_blocked {
            self.requests.hold.pay(WAKE_WORK);
            self.effects.push(Effect::Resume { conn });
        }
    }

    /// CLIENT UNBLOCK of another client; false where it does not wait for anything that another may
    /// end.
    pub(in crate::node) fn unblock_for_another(&mut self, slot: u32, with_error: bool) -> bool {
        let Some(session) = self.clients.get_mut(slot) else {
            return false;
        };
        match session.blocked {
            Some(Blocked::Wait { .. } | Blocked::Keys { .. }) => {}
            Some(Blocked::Served) if is_taking(session) => {
                if let Some(key_wait) = &mut session.key_wait {
                    key_wait.unblocked = Some(with_error);
                }
                return true;
            }
            _ => return false,
        }
        self.unblock(slot, with_error.then_some(&Error::UNBLOCKED_BY_CLIENT));
        true
    }
}

/// A request as its client waits with it; when its time is over, and its place in the queue, are
/// not known yet.
fn request(row: &'static Row, db: u32, args: Args<'_>, wait: Wait) -> KeyWait {
    let mut request = Vec::new();
    entry::put_command(&mut request, db, args);
    let words = words_of(&request);
    let args = Args::new(&request, &words);
    let mut keys = Vec::new();
    row.each_key(args, |place, access| {
        if access.takes() {
            keys.extend(words.get(place).cloned());
        }
    });
    let name = |key: &Range<u32>| &request[key.start as usize..key.end as usize];
    keys.sort_unstable_by(|one, other| name(one).cmp(name(other)));
    keys.dedup_by(|one, other| name(one) == name(other));
    KeyWait {
        row,
        db,
        keys: keys.into(),
        request: request.into(),
        wait,
        until: None,
        ticket: 0,
        stage: Stage::Waits,
        unblocked: None,
    }
}

/// The words of a request that is encoded as an entry holds it.
fn words_of(request: &[u8]) -> Vec<Range<u32>> {
    let mut words = Vec::new();
    entry::Reader::at(request, 0).next(&mut words);
    words
}
