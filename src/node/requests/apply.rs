//! From committed entries to the store and to the replies.
//!
//! An entry is applied as far as one turn goes, and further in the next: between its commands the
//! store is free, in the middle of one it is held (`hold`).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::context::{Change, Dice};
use crate::command::error::{Error, Outcome};
use crate::command::row::{Kind, Row};
use crate::command::scripting::run::{self as scripting, ScriptBounds};
use crate::ids::LogIndex;
use crate::limits::{BYTES_PER_WORK, LARGE_ARGUMENT_BYTES};
use crate::node::clients::Origin;
use crate::node::metrics::slowlog::{Piece, work_of};
use crate::node::replica::Committed;
use crate::node::replica::replicated::EntryHead;
use crate::node::requests::entry::{Item, Reader};
use crate::node::requests::lookup::row_of;
use crate::node::requests::outcome::finish;
use crate::node::witness::{Answer, Witnessed};
use crate::node::{Node, Phase};

use super::ahead::fetch_commands;
use super::applying::{Applying, Middle, Steps};
use super::batch::Waiter;
use crate::resp::reply::{Protocol, Reply};
use crate::time::Stamp;

/// The buffer that is kept for replies that no client of this member waits for, in bytes.
const SINK_BYTES_MAX: usize = 64 << 10;

impl Node {
    /// Applies what is committed; true if there was anything.
    pub(in crate::node) fn apply_committed(&mut self) -> bool {
        let mut any = false;
        self.requests.hold.is_left_over = false;
        while self.clear_the_way() {
            if !self.requests.hold.is_mid_command && self.requests.hold.is_anyone_first() {
                break;
            }
            // Those who listen are told of what has happened before more does.
            if !self.requests.hold.is_mid_command && self.clients.has_happenings() {
                self.requests.hold.is_left_over = true;
                break;
            }
            if self.requests.hold.applying.is_none() && !self.begin_next() {
                break;
            }
            any = true;
            self.apply_on();
            if self.requests.hold.left == 0 {
                self.requests.hold.is_left_over = true;
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
        let Some(next) = self.replica.next_committed() else {
            return false;
        };
        let Committed {
            index,
            stamp,
            payload,
        } = next;
        let known = self.config.entry_versions;
        if let Some(why) = self.replicated.refuses(index, &payload, known) {
            self.fail(why);
            return false;
        }
        let waiters = self.replica.enter(index);
        self.apply_begin(index, stamp, payload, waiters);
        true
    }

    /// Begins to apply a committed entry.
    pub(super) fn apply_begin(
        &mut self,
        index: LogIndex,
        stamp: Stamp,
        payload: Bytes,
        waiters: Vec<Waiter>,
    ) {
        // A large value is kept where it came.
        let is_large = payload.len() >= LARGE_ARGUMENT_BYTES;
        self.store.lend(is_large.then(|| payload.clone()));
        let mut reader = Reader::new(&payload);
        let head = EntryHead {
            index,
            stamp,
            version: reader.version(),
            offset: reader.offset(),
        };
        let is_settled = self.replica.is_settled();
        self.replicated.enter(head, self.now, is_settled);
        let version = self.replicated.version().number;
        self.witness.note(|| Witnessed::Entry {
            index,
            stamp,
            version,
            payload: payload.clone(),
        });
        if let Some(seed) = reader.seed() {
            self.store.set_seed(seed);
        }
        let at = reader.place();
        self.requests.hold.applying = Some(Applying::new(index, payload, at, waiters));
    }

    /// Applies one committed entry to its end, however long that takes.
    pub(in crate::node) fn apply_whole(&mut self, index: LogIndex, stamp: Stamp, payload: Bytes) {
        self.apply_begin(index, stamp, payload, Vec::new());
        while self.requests.hold.applying.is_some() {
            self.requests.hold.left = usize::MAX;
            self.apply_on();
        }
        self.requests.hold.left = self.config.turn_work;
    }

    /// Goes on with the entry that is being applied: its commands in order, and behind each what
    /// its client is owed. Ends with the entry, with the turn's work, or where something must be
    /// run first.
    pub(super) fn apply_on(&mut self) {
        let Some(mut entry) = self.requests.hold.applying.take() else {
            return;
        };
        let payload = entry.payload.clone();
        loop {
            let place = entry.place;
            if entry.middle.is_some() {
                self.apply_middle(&mut entry, &payload);
            } else if let Some(waiter) = entry.waiter(|w| w.is_parked() && w.place <= place) {
                // Those who only waited for time stand before the command of their place.
                self.settle(&waiter);
            } else if !self.apply_command_of(&mut entry, &payload) {
                break;
            }
            // What a client has parked behind a command is run before the next one.
            let is_at_end = entry.at >= payload.len() && entry.settled == entry.waiters.len();
            let pauses = self.requests.hold.has_done_enough()
                || self.requests.hold.is_anyone_first()
                || self.clients.has_happenings();
            if self.requests.hold.is_mid_command || pauses && !is_at_end {
                self.requests.hold.applying = Some(entry);
                return;
            }
        }
        while let Some(waiter) = entry.waiter(|_| true) {
            self.settle(&waiter);
        }
        self.store.lend(None);
        self.replica.give_back(entry.waiters);
    }

    /// Applies the next command or transaction of an entry; false where there is none.
    fn apply_command_of(&mut self, entry: &mut Applying, payload: &[u8]) -> bool {
        let mut ranges = mem::take(&mut self.requests.ranges);
        if entry.fetched == 0 {
            entry.fetched = fetch_commands(&self.store, payload, entry.at, &mut ranges);
        }
        entry.fetched -= 1;
        let mut reader = Reader::at(payload, entry.at);
        let Some(item) = reader.next(&mut ranges) else {
            self.requests.ranges = ranges;
            entry.at = payload.len();
            return false;
        };
        let work = 1 + (reader.place() - entry.at) / BYTES_PER_WORK;
        self.requests.hold.pay(work);
        entry.at = reader.place();
        if let Some(bounds) = reader.bounds() {
            let is_queued = matches!(item, Item::Transaction { .. });
            self.requests.hold.bounds = ScriptBounds {
                is_queued,
                ..bounds
            };
        }
        let place = entry.place;
        let waiter = entry.waiter(|waiter| waiter.place == place);
        let session = waiter
            .as_ref()
            .and_then(|w| self.clients.get_same(w.slot, w.conn));
        let protocol = waiter.as_ref().map_or(Protocol::Resp2, |w| w.protocol);
        let mut out = match session {
            Some(session) => mem::take(session.outbox.buffer()),
            None => mem::take(&mut self.requests.sink),
        };
        self.requests.runs_for = waiter.as_ref().map(|waiter| (waiter.slot, waiter.conn));
        let mark = out.len();
        let (db, steps) = match item {
            Item::Command { db } => {
                let dice = self.replicated.dice(entry.index, u64::from(place));
                let args = Args::new(payload, &ranges);
                let outcome = self.apply_command(db, args, dice, protocol, &mut out);
                if outcome != Err(Error::Unfinished) {
                    let waits = self.waits_on(waiter.as_ref(), &outcome);
                    let silent = waits || waiter.as_ref().is_some_and(|w| w.silent);
                    if !waits {
                        self.count_failure(waiter.as_ref(), &outcome);
                    }
                    finish(&mut out, mark, protocol, silent, outcome);
                    self.requests.ranges = ranges;
                    self.end_command(entry, waiter.as_ref(), (out, mark), waits);
                    return true;
                }
                (db, None)
            }
            Item::Victims { db, only_volatile } => {
                self.apply_victims((db, only_volatile), Args::new(payload, &ranges));
                self.requests.ranges = ranges;
                self.end_command(entry, None, (out, mark), false);
                return true;
            }
            Item::Transaction { count } => {
                let is_silent = waiter.as_ref().is_some_and(|w| w.silent);
                if !is_silent {
                    Reply::new(&mut out, protocol).array(count as usize);
                }
                let steps = Steps {
                    count,
                    next: 0,
                    is_cut: false,
                    protocol,
                    is_silent,
                };
                (0, Some(steps))
            }
        };
        // What is not at its end must not be seen: it comes into the outbox when it is.
        let is_there = waiter
            .as_ref()
            .and_then(|w| self.clients.get_same(w.slot, w.conn));
        let out = match is_there {
            Some(session) => {
                let rest = out.split_off(mark);
                *session.outbox.buffer() = out;
                rest
            }
            None => out,
        };
        // What was begun has left its room behind.
        if let Some(waiter) = &waiter {
            self.clients.count_memory(waiter.slot);
        }
        let mark = if steps.is_some() { out.len() } else { 0 };
        entry.middle = Some(Middle {
            waiter,
            db,
            ranges,
            out,
            mark,
            steps,
        });
        if steps.is_some() {
            self.apply_middle(entry, payload);
        } else {
            self.requests.hold.is_mid_command = true;
            self.keep_made(entry);
        }
        true
    }

    /// Goes on in the middle of a command or transaction.
    fn apply_middle(&mut self, entry: &mut Applying, payload: &[u8]) {
        let Some(mut middle) = entry.middle.take() else {
            return;
        };
        let was_held = self.requests.hold.is_mid_command;
        let waiter = middle.waiter.as_ref();
        self.requests.runs_for = waiter.map(|waiter| (waiter.slot, waiter.conn));
        let ended = match middle.steps {
            None => self.go_on_in_command(entry, &mut middle, payload),
            Some(_) => self
                .go_on_in_transaction(entry, &mut middle, payload)
                .then_some(false),
        };
        self.requests.hold.is_mid_command = ended.is_none();
        let Some(waits) = ended else {
            entry.middle = Some(middle);
            return self.keep_made(entry);
        };
        if let Some(waiter) = &middle.waiter {
            self.clients.collects(waiter.slot, waiter.conn, 0);
        }
        self.requests.ranges = mem::take(&mut middle.ranges);
        let Middle { waiter, out, .. } = middle;
        if was_held {
            self.requests.hold.entry_lets_go();
            self.requests.let_go();
        }
        let session = waiter
            .as_ref()
            .and_then(|w| self.clients.get_same(w.slot, w.conn));
        match session {
            Some(session) => {
                let mut whole = mem::take(session.outbox.buffer());
                let mark = whole.len();
                if whole.is_empty() {
                    whole = out;
                } else {
                    whole.extend_from_slice(&out);
                }
                self.end_command(entry, waiter.as_ref(), (whole, mark), waits);
            }
            None => self.end_command(entry, waiter.as_ref(), (out, 0), waits),
        }
    }

    /// Goes on with a command. At its end: whether its client waits.
    fn go_on_in_command(
        &mut self,
        entry: &Applying,
        middle: &mut Middle,
        payload: &[u8],
    ) -> Option<bool> {
        let waiter = middle.waiter.as_ref();
        let protocol = waiter.map_or(Protocol::Resp2, |w| w.protocol);
        let silent = waiter.is_some_and(|w| w.silent);
        let args = Args::new(payload, &middle.ranges);
        let dice = self.replicated.dice(entry.index, u64::from(entry.place));
        let (out, mark) = (&mut middle.out, middle.mark);
        let outcome = self.apply_command(middle.db, args, dice, protocol, out);
        if outcome == Err(Error::Unfinished) {
            return None;
        }
        let waits = self.waits_on(middle.waiter.as_ref(), &outcome);
        if !waits {
            self.count_failure(middle.waiter.as_ref(), &outcome);
        }
        finish(&mut middle.out, mark, protocol, silent || waits, outcome);
        Some(waits)
    }

    /// A command is at its end: its reply goes to its client, and what that has parked behind it is
    /// run. There is no reply where the client `waits` for something to be there.
    fn end_command(
        &mut self,
        entry: &mut Applying,
        waiter: Option<&Waiter>,
        (out, mark): (Vec<u8>, usize),
        waits: bool,
    ) {
        self.requests.hold.pay((out.len() - mark) / BYTES_PER_WORK);
        entry.place += 1;
        self.replicated.count_applied();
        self.witness.step(&out[mark..]);
        let session = waiter.and_then(|w| self.clients.get_same(w.slot, w.conn));
        if let (Some(session), Some(waiter)) = (session, waiter) {
            *session.outbox.buffer() = out;
            if waits {
                self.wait_on(waiter.slot);
            } else {
                if !waiter.silent {
                    self.note_answer(waiter.conn, Answer::Step);
                }
                self.waits_no_more(waiter.slot);
            }
            self.settle(waiter);
        } else {
            self.requests.sink = out;
            self.requests.sink.clear();
            self.requests.sink.shrink_to(SINK_BYTES_MAX);
        }
        self.serve_signalled();
        self.let_go_behind_scripts();
        self.tell_events();
    }

    /// Runs one writing command, or its next piece.
    pub(super) fn apply_command(
        &mut self,
        db: u32,
        args: Args<'_>,
        dice: Dice,
        protocol: Protocol,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let row = self.logged_row(args)?;
        if !row.is_write() {
            return Ok(());
        }
        self.store.take_lookups();
        self.listen_to_store();
        let at = self.replicated.stamp();
        self.store.at_moment(at);
        let (client, is_script) = (self.requests.runs_for, matches!(row.kind, Kind::Script(_)));
        if is_script {
            self.note_reads_of_script(client);
            self.note_happenings_of_script();
        }
        let reply = Reply::new(out, protocol);
        self.requests.hold.pace.allow(self.config.turn_work);
        let hold = &mut self.requests.hold;
        let mut change = Change {
            store: &mut self.store,
            db,
            at,
            offset: self.replicated.offset(),
            dice,
            reply,
            pace: &mut hold.pace,
        };
        let outcome = match row.kind {
            Kind::Write(run) => run(&mut change, args),
            Kind::Script(verb) => {
                let scripts = &mut hold.scripts;
                scripting::change(scripts, verb, hold.bounds, &mut change, args)
            }
            Kind::Read(_) | Kind::Session(_) | Kind::Server(_) | Kind::Container => Ok(()),
        };
        let work = self.requests.hold.pace.spent();
        self.requests.hold.pay(work);
        if is_script {
            self.script_has_read(client);
        }
        let lines = self.requests.hold.pace.take_lines();
        if !lines.is_empty() {
            self.witness.says(&lines);
            self.write_lines(lines);
        }
        if outcome == Err(Error::Unfinished) {
            self.has_run_piece(row, Piece::Applied, work);
            return outcome;
        }
        if row.waits.is_none() {
            self.show((row, db), args, client);
        } else {
            self.show_once((row, db), args, client);
        }
        self.counts_run(row, args, client, work + work_of(args));
        self.requests.hold.pace.forget();
        if row.counts_lookups {
            self.metrics.looked_up(self.store.take_lookups());
        }
        if is_script {
            self.tell_happenings();
        }
        self.tell_touched(row, args);
        self.signal_taken(row, db, args);
        if is_script {
            self.end_script();
        }
        outcome
    }

    /// A script of an entry is at its end. Its messages are published by the member whose client
    /// has asked, and by no other.
    pub(super) fn end_script(&mut self) {
        let published = self.requests.hold.scripts.take_published();
        let Some((slot, conn)) = self.requests.runs_for else {
            return;
        };
        if let Some(session) = self.clients.get_same(slot, conn) {
            // Its reply is being made, and earlier ones may be lent out with it.
            session.outbox.begin_reply();
        }
        for one in published {
            let message = (one.topic, &one.channel[..], &one.message[..]);
            self.tell_members(message);
            // It goes on by itself where a turn is not enough, and nothing more is applied before.
            let _ = self.clients.publish(Origin::Applied, message);
        }
    }

    /// The row of a command that the log holds.
    ///
    /// A command that is not in the table is one of a later version. A member that answered it with
    /// an error, as it does its clients, would go on with another state than the members that know
    /// it: it stops instead.
    pub(super) fn logged_row(&mut self, args: Args<'_>) -> Result<&'static Row, Error> {
        let found = row_of(args);
        if found.is_err() {
            let name = String::from_utf8_lossy(args.name()).to_ascii_lowercase();
            self.fail(format!(
                "the log holds a command that this binary does not know, '{name}': use the version \
                 that wrote it, or a later one"
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests;
