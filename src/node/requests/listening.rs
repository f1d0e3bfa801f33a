//! Words to those who listen, of what is applied.
//!
//! A command's touches tell those who watch and those who wait at once. Keyspace events are made of
//! them later, a few at a time, as far as turns have work for that: nothing more is applied before
//! all are told, so that what is asked of a key then is what its command has left. Within a
//! transaction those of a command are made before the next one is run, and told at the end.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::event::{KeyEvent, Tells};
use crate::command::row::{Kind, Row};
use crate::command::scripting::lines::ScriptLine;
use crate::command::verb::SessionVerb;
use crate::ids::ConnId;
use crate::node::clients::Untold;
use crate::node::config::options;
use crate::node::effect::Effect;
use crate::node::requests::lookup::row_of;
use crate::node::{Node, Phase};
use crate::store::{Named, Touched};

/// So many touched keys are looked at before the work that is left is looked at again.
const KEYS_AT_ONCE: usize = 64;
/// The work of making their events.
const EVENTS_WORK: usize = 8;

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
        self.hear_misses(hears);
    }

    /// The same for a read. Keys that a command has missed in earlier pieces are told at its end.
    pub(super) fn listen_to_misses(&mut self) {
        self.hear_misses(self.hears_events());
    }

    fn hear_misses(&mut self, hears_events: bool) {
        let hears = hears_events && self.config.events.tells_misses();
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
        self.tell_of_touched(|| row.tells.of(args));
    }

    /// Tells the events of a script that is at its end, which were made while it ran.
    pub(super) fn tell_happenings(&mut self) {
        let (made, bytes) = self.requests.hold.scripts.take_happenings();
        let ended = self.store.take_ended();
        self.invalidate_ended(&ended);
        if !made.is_empty() && self.hears_events() {
            self.make_events();
            self.clients.were_made(made, bytes);
        }
    }

    /// Tells what was just touched, of which this is to be said.
    pub(super) fn tell_of_touched(&mut self, tells: impl FnOnce() -> Tells) {
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
        let tells = self.hears_events().then(tells);
        if let Some(tells) = tells.filter(|tells| !matches!(tells, Tells::Nothing)) {
            self.clients.have_happened(Untold::new(tells, touched, at));
        }
    }

    /// Makes the events of all that has been touched so far.
    pub(in crate::node) fn make_events(&mut self) {
        while self.clients.has_untold() {
            self.make_some_events();
        }
    }

    /// The same for a step of a transaction, as far as the turn goes: false where some are left.
    pub(super) fn make_events_of_step(&mut self) -> bool {
        while self.clients.has_untold() {
            if self.requests.hold.left == 0 {
                return false;
            }
            self.make_some_events();
            self.requests.hold.pay(EVENTS_WORK);
        }
        true
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
        self.clients.go_on_with_applied();
        if self.requests.hold.is_mid_command {
            return;
        }
        self.clients.invalidate();
        while self.clients.tell_events(self.config.events) {
            self.make_some_events();
        }
        self.clients.make_room(self.config.tracked_keys_max);
    }

    /// Returns true if a request must wait for events: those of keys that reads have missed are not
    /// told as fast as they come. The log has no such request, and goes on.
    pub(super) fn waits_for_events(&self, slot: u32, args: Args<'_>) -> bool {
        if !self.clients.are_events_behind() || !self.config.events.tells_misses() {
            return false;
        }
        let session = self.clients.get(slot);
        let queues = session.is_some_and(|session| session.transaction.is_some());
        row_of(args).is_ok_and(|row| match row.kind {
            Kind::Read(_) => !queues,
            Kind::Script(verb) => verb.only_reads && !queues,
            Kind::Session(verb) => verb == SessionVerb::Exec,
            Kind::Write(_) | Kind::Server(_) | Kind::Container => false,
        })
    }

    /// Has events made of what a script does, if somebody listens when it begins.
    pub(super) fn note_happenings_of_script(&mut self) {
        let hears = self.hears_events().then_some(self.config.events);
        self.requests.hold.scripts.note_happenings(hears);
    }

    /// Has the keys noted that a script reads in its next piece, if its client tracks.
    pub(super) fn note_reads_of_script(&mut self, client: Option<(u32, ConnId)>) {
        let wanted = client.is_some_and(|client| self.clients.keeps_reads(client));
        self.requests.hold.scripts.note_piece(self.now.mono);
        self.requests.hold.scripts.note_reads(wanted);
    }

    /// A piece of a script has come to its end: its client may keep what that has read, as of its
    /// own reads.
    pub(super) fn script_has_read(&mut self, client: Option<(u32, ConnId)>) {
        let keys = self.requests.hold.scripts.take_reads();
        if let Some(client) = client.filter(|_| !keys.is_empty()) {
            self.clients.have_been_read(client, &keys);
        }
    }

    /// Writes lines of scripts into the server's log. Those of entries that are applied in recovery
    /// were written in an earlier life.
    pub(super) fn write_lines(&mut self, lines: Vec<ScriptLine>) {
        if lines.is_empty() || self.phase == Phase::Recovering {
            return;
        }
        let loglevel = options::find(b"loglevel").map(|directive| self.config.value_of(directive));
        let loglevel = loglevel.unwrap_or_default();
        let wanted = lines.into_iter();
        let wanted = wanted.filter(|line| line.level.is_written_at(&loglevel));
        let wanted = wanted.map(|line| Effect::ScriptLine(Box::new(line)));
        self.effects.extend(wanted);
    }

    /// Tells those who listen which keys were looked for in vain.
    pub(super) fn tell_missed(&mut self) {
        let missed = self.store.take_missed();
        self.tell_of(KeyEvent::KEY_MISS, missed);
    }

    /// Tells those who listen which dead keys were freed.
    pub(in crate::node) fn tell_ended(&mut self) {
        let ended = self.store.take_ended();
        self.invalidate_ended(&ended);
        self.tell_of(KeyEvent::EXPIRED, ended);
    }

    /// Tells those who track which dead keys were freed.
    fn invalidate_ended(&mut self, ended: &[Named]) {
        if !ended.is_empty() && self.tracks() {
            let touched = ended.iter().map(|(db, key)| Touched {
                db: *db,
                key: Some(key.clone()),
                is_new: false,
            });
            self.clients.were_touched(touched, None);
        }
    }

    fn tell_of(&mut self, event: KeyEvent, keys: Vec<Named>) {
        if !keys.is_empty() && self.hears_events() {
            self.clients
                .have_happened(Untold::named(event, keys, self.replicated.stamp()));
        }
    }
}
