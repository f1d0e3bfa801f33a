//! Words to those who listen, of what is applied.
//!
//! A command's touches tell those who watch and those who wait at once. Keyspace events are made of
//! them later, a few at a time, as far as turns have work for that: nothing more is applied before
//! all are told, so that what is asked of a key then is what its command has left. Only within a
//! transaction those of a command are made at its end.

use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::event::{KeyEvent, Tells};
use crate::command::row::Row;
use crate::node::clients::Untold;
use crate::node::{Node, Phase};
use crate::store::{Named, Touched};

/// So many touched keys are looked at before the work that is left is looked at again.
const KEYS_AT_ONCE: usize = 64;

impl Node {
    /// Returns true if somebody may hear of keyspace events. Nothing is told of what is applied in
    /// recovery: it was told in an earlier life, or never will be.
    fn hears_events(&self) -> bool {
        self.phase != Phase::Recovering && self.clients.hears_events(self.config.events)
    }

    /// Returns true if somebody is to hear that what it keeps is so no more. Recovery applies
    /// another state, of which all hear at once.
    fn tracks(&self) -> bool {
        self.phase != Phase::Recovering && self.clients.is_any_tracking()
    }

    /// Lets the store record what a command touches, if anybody is to be told of it.
    pub(in crate::node) fn listen_to_store(&mut self) {
        let hears = self.hears_events();
        let tracks = self.tracks();
        let waits = self.clients.is_any_watching() || self.clients.has_key_waits();
        self.store.listen(hears || tracks || waits);
        let hears_ends = hears || tracks;
        self.store
            .hear_ends(hears_ends.then(|| self.replicated.stamp()));
        self.listen_to_misses();
    }

    /// The same for a read. Keys that a command has missed in earlier pieces are told at its end.
    pub(in crate::node) fn listen_to_misses(&mut self) {
        let hears = self.config.events.tells_misses() && self.hears_events();
        self.store.hear_misses(hears);
        if !self.requests.hold.pace.is_cut() {
            self.store.take_missed();
        }
    }

    /// Tells what a command has just touched.
    pub(super) fn tell_touched(&mut self, row: &'static Row, args: Args<'_>) {
        if row.counts_lookups {
            self.tell_missed();
        }
        self.tell_of_touched(row.tells.of(args));
    }

    /// Tells what was just touched, of which this is to be said.
    pub(super) fn tell_of_touched(&mut self, tells: Tells) {
        self.tell_ended();
        let touched = self.store.take_touched();
        if touched.is_empty() {
            return;
        }
        self.signal_touched(&touched);
        let (store, at) = (&self.store, self.replicated.stamp());
        self.clients
            .touched(&touched, |of, key| store.contains(of, key, at));
        if self.tracks() {
            let by = self.requests.runs_for;
            self.clients.were_touched(touched.iter().cloned(), by);
        }
        if self.hears_events() {
            self.clients.have_happened(Untold::new(tells, touched, at));
        }
    }

    /// Makes the events of all that has been touched so far.
    pub(in crate::node) fn make_events(&mut self) {
        while self.clients.has_untold() {
            self.make_some_events();
        }
    }

    fn make_some_events(&mut self) {
        let store = &self.store;
        self.clients
            .make_events(self.config.events, KEYS_AT_ONCE, |(of, key), at| {
                store.holds(of, key, at)
            });
    }

    /// Tells those who track, and those who hear of events, as far as this turn goes. A transaction
    /// is told of when it has ended: nobody hears of a part of it before the rest is so.
    pub(in crate::node) fn tell_events(&mut self) {
        if self.requests.hold.is_mid_command {
            return;
        }
        self.clients.invalidate(self.config.tracked_keys_max);
        while self.clients.tell_events(self.config.events) {
            self.make_some_events();
        }
    }

    /// Tells those who listen which keys were looked for in vain.
    pub(super) fn tell_missed(&mut self) {
        let missed = self.store.take_missed();
        self.tell_of(KeyEvent::KEY_MISS, missed);
    }

    /// Tells those who listen which dead keys were freed.
    pub(in crate::node) fn tell_ended(&mut self) {
        let ended = self.store.take_ended();
        if !ended.is_empty() && self.tracks() {
            let touched = ended.iter().map(|(db, key)| Touched {
                db: *db,
                key: Some(key.clone()),
                is_new: false,
            });
            self.clients.were_touched(touched, None);
        }
        self.tell_of(KeyEvent::EXPIRED, ended);
    }

    fn tell_of(&mut self, event: KeyEvent, keys: Vec<Named>) {
        if !keys.is_empty() && self.hears_events() {
            self.clients
                .have_happened(Untold::named(event, keys, self.replicated.stamp()));
        }
    }
}
