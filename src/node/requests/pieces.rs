//! Reads and entries that are run in pieces, and the clients that wait for the store meanwhile.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::command::args::Args;
use crate::command::context::{Dice, Query};
use crate::command::error::{Error, Outcome};
use crate::command::flag::Flag;
use crate::command::pace::Pace;
use crate::command::row::{Empties, KeyUse, Kind, Row};
use crate::command::scripting::run::{self as scripting, ScriptBounds};
use crate::command::verb::{ClusterVerb, ServerVerb, SessionVerb};
use crate::ids::ConnId;
use crate::limits::{BYTES_PER_WORK, WAKE_WORK};
use crate::node::metrics::slowlog::{Piece, Run};
use crate::node::requests::lookup::row_of;
use crate::node::requests::outcome::{finish, is_elsewhere, write_error};
use crate::node::witness::{Answer, Witnessed};
use crate::node::{Node, Phase};

use super::applying::Applying;
use super::batch::Waiter;
use super::hold::{Long, LongRead, Reading};
use super::old_transaction::OldTransaction;
use crate::resp::reply::Reply;
use crate::session::Blocked;
use crate::time::Stamp;

/// A read that is to be run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) db: u32,
    pub(super) clock: Stamp,
    pub(super) dice: Dice,
    /// The client that asks.
    pub(super) slot: Option<u32>,
    /// Those of a script.
    pub(super) bounds: ScriptBounds,
    /// Another command holds the store.
    pub(super) is_beside: bool,
}

impl Node {
    /// Returns true if the state is one between two that an entry leads from and to, for a judge.
    pub fn is_mid_command(&self) -> bool {
        self.requests.is_mid_command()
    }

    /// Returns true if every entry that was proposed is applied, and all behind it is done.
    pub(in crate::node) fn is_settled(&self) -> bool {
        self.replica.is_settled() && !self.requests.is_midway()
    }

    /// Returns true if this member serves as leader, and nothing is on its way through the log, for
    /// a judge.
    pub fn serves_and_rests(&self) -> bool {
        let serves = self.phase == Phase::Serving && self.serves();
        let waits_in_vain = self.clients.next_due_wait(self.now.mono);
        serves
            && self.clients.next_leaving().or(waits_in_vain).is_none()
            && self.is_settled()
            && self.requests.is_batch_empty()
    }

    /// Returns true if a request must wait: for the store, until more may be written, or until it
    /// is known what scripts have written.
    pub(super) fn must_wait(&self, slot: u32, args: Args<'_>) -> bool {
        self.waits_for_store(slot, args)
            || self.waits_for_room(slot, args)
            || self.waits_for_scripts(slot, args)
            || self.waits_for_events(slot, args)
    }

    /// Returns true if a request must wait for the store.
    fn waits_for_store(&self, slot: u32, args: Args<'_>) -> bool {
        if !self.requests.is_held() || self.phase != Phase::Serving {
            return false;
        }
        let Ok(row) = row_of(args) else {
            return false;
        };
        let session = self.clients.get(slot);
        let (is_busy, queues) = session.map_or((false, false), |session| {
            (session.is_busy(), session.transaction.is_some())
        });
        match row.kind {
            // Behind a write of its own, or in an open transaction, it is put aside anyway.
            Kind::Read(_) => row.is_read() && !is_busy && !queues,
            Kind::Script(verb) => verb.only_reads && !is_busy && !queues,
            Kind::Server(verb) => {
                let looks = matches!(
                    verb,
                    ServerVerb::Debug
                        | ServerVerb::Cluster(
                            ClusterVerb::CountKeysInSlot | ClusterVerb::GetKeysInSlot
                        )
                );
                looks && !is_busy && !queues
            }
            Kind::Session(verb) => matches!(verb, SessionVerb::Exec | SessionVerb::Watch),
            // Before one that flushes is proposed, watched keys are looked for; before one that may
            // wait, its own.
            Kind::Write(_) => {
                let looks = row.empties != Empties::Nothing || row.waits.is_some();
                looks && !queues
            }
            Kind::Container => false,
        }
    }

    /// Returns true if a request must wait because too much is on its way for more to be written.
    fn waits_for_room(&self, slot: u32, args: Args<'_>) -> bool {
        let is_full = self.is_full() || self.requests.evicting.is_behind();
        if !is_full || self.phase != Phase::Serving {
            return false;
        }
        let session = self.clients.get(slot);
        let queues = session.is_some_and(|session| session.transaction.is_some());
        row_of(args).is_ok_and(|row| match row.kind {
            Kind::Write(_) => !queues,
            Kind::Script(verb) => !verb.only_reads && !queues,
            // What is not run by a leader writes nothing.
            Kind::Session(verb) => verb == SessionVerb::Exec && self.serves(),
            Kind::Read(_) | Kind::Server(_) | Kind::Container => false,
        })
    }

    /// Lets a client wait until the store is free, or more may be written.
    pub(super) fn await_store(&mut self, slot: u32) {
        if let Some(session) = self.clients.get_mut(slot) {
            session.queued = true;
            let conn = session.conn;
            self.requests.hold.awaited.push((slot, conn));
        }
    }

    /// Runs a piece of a client's read; `Error::Unfinished` where it goes on later.
    pub(super) fn read_piece(
        &mut self,
        row: &Row,
        (db, clock, nth): (u32, Stamp, u64),
        slot: u32,
        args: Args<'_>,
        reply: Reply<'_>,
    ) -> Outcome {
        let bounds = match row.kind {
            Kind::Script(_) => self.script_bounds(),
            _ => ScriptBounds::default(),
        };
        let look = Look {
            db,
            clock,
            dice: Dice::new(nth, u64::MAX),
            slot: Some(slot),
            bounds,
            is_beside: self.requests.is_held(),
        };
        let (outcome, work) = self.look(row, look, args, reply);
        self.requests.read_work = work;
        outcome
    }

    /// Runs a piece of a read, and returns the work that it was.
    pub(super) fn look(
        &mut self,
        row: &Row,
        look: Look,
        args: Args<'_>,
        reply: Reply<'_>,
    ) -> (Outcome, usize) {
        if self.uses_keys(look.slot, row) {
            self.store.begin_read(look.clock);
        }
        let session = |slot| self.clients.get(slot).map(|session| (slot, session.conn));
        let client = look.slot.and_then(session);
        if matches!(row.kind, Kind::Script(_)) {
            self.note_reads_of_script(client);
        }
        self.listen_to_misses();
        // What runs beside a command that holds the store is short, and looks at nothing.
        let mut short = Pace::default();
        let (pace, work) = if look.is_beside {
            (&mut short, usize::MAX)
        } else {
            (&mut self.requests.hold.pace, self.config.turn_work)
        };
        pace.allow(work);
        self.store.take_lookups();
        let mut query = Query {
            store: &self.store,
            db: look.db,
            at: self.replicated.stamp(),
            offset: self.replicated.offset(),
            clock: look.clock,
            dice: look.dice,
            reply,
            pace,
        };
        let outcome = match row.kind {
            Kind::Read(run) => run(&mut query, args),
            Kind::Script(verb) => {
                let scripts = &mut self.requests.hold.scripts;
                scripting::read(scripts, verb, look.bounds, &mut query, args)
            }
            Kind::Write(_) | Kind::Session(_) | Kind::Server(_) | Kind::Container => Ok(()),
        };
        self.store.end_read();
        let (spent, lines) = (pace.spent(), pace.take_lines());
        if outcome != Err(Error::Unfinished) {
            pace.forget();
        }
        if matches!(row.kind, Kind::Script(_)) {
            self.script_has_read(client);
            self.write_lines(lines);
        }
        self.metrics.looked_up(self.store.take_lookups());
        if outcome != Err(Error::Unfinished) {
            self.tell_missed();
        }
        (outcome, spent)
    }

    /// Returns true if a read uses the keys that it finds, as others do that are noted.
    fn uses_keys(&self, slot: Option<u32>, row: &Row) -> bool {
        let session = slot.and_then(|slot| self.clients.get(slot));
        match row.key_use {
            KeyUse::Not => false,
            KeyUse::Noted => !session.is_some_and(|session| session.no_touch),
            KeyUse::Always => true,
        }
    }

    /// A command was run, and has done so much beside taking its arguments.
    pub(super) fn has_run(
        &mut self,
        (row, db): (&'static Row, u32),
        args: Args<'_>,
        client: Option<(u32, ConnId)>,
        work: usize,
    ) {
        self.show((row, db), args, client);
        self.counts_run(row, args, client, work);
    }

    /// The same, and it is shown elsewhere, or was.
    pub(super) fn counts_run(
        &mut self,
        row: &'static Row,
        args: Args<'_>,
        client: Option<(u32, ConnId)>,
        work: usize,
    ) {
        let piece = match row.kind {
            // Inside an entry reads come in pieces of that entry.
            _ if self.requests.hold.is_mid_command || row.is_write() => Some(Piece::Applied),
            Kind::Read(_) | Kind::Script(_) => Some(Piece::Read),
            Kind::Write(_) | Kind::Session(_) | Kind::Server(_) | Kind::Container => None,
        };
        // Of a script it is known what each of its commands has read.
        if matches!(row.kind, Kind::Read(_))
            && let Some(client) = client
        {
            self.clients.has_read(client, row, args);
        }
        let run = Run {
            client,
            work,
            piece,
            is_serving: self.phase == Phase::Serving,
        };
        self.metrics.ran(row, args, run, &self.config);
    }

    /// Shows a request of a client to those who are to be shown all; those of administrators are
    /// shown to nobody, as in Redis.
    pub(super) fn show(
        &mut self,
        (row, db): (&Row, u32),
        args: Args<'_>,
        client: Option<(u32, ConnId)>,
    ) {
        if !self.clients.has_monitors() || row.has(Flag::Admin) || row.has(Flag::SkipMonitor) {
            return;
        }
        if let Some(client) = client {
            let moment = (self.now.wall_us, db);
            let work = self.clients.show(client, moment, args) / BYTES_PER_WORK;
            self.requests.read_work += work;
            self.requests.hold.pay(work);
        }
    }

    /// The same for one that may wait: when it begins to, or else when it is run.
    pub(super) fn show_once(
        &mut self,
        of: (&Row, u32),
        args: Args<'_>,
        client: Option<(u32, ConnId)>,
    ) {
        if !self.clients.has_monitors() {
            return;
        }
        let session = client.and_then(|(slot, conn)| self.clients.get_same(slot, conn));
        if session.is_some_and(|one| !mem::replace(&mut one.wait_is_shown, true)) {
            self.show(of, args, client);
        }
    }

    /// A transaction that the log has run is shown behind what is in it.
    pub(super) fn show_transaction(&mut self, waiter: &Waiter, db: u32) {
        let Some(row) = waiter.row.filter(|row| is_exec(row)) else {
            return;
        };
        let Some(word) = self.clients.get(waiter.slot).map(|one| one.exec_word) else {
            return;
        };
        let whole = 0..word.len() as u32;
        let args = Args::new(&word, core::slice::from_ref(&whole));
        self.show((row, db), args, Some((waiter.slot, waiter.conn)));
    }

    /// A piece of a command was run, of so much work, and it goes on later.
    pub(super) fn has_run_piece(&mut self, row: &'static Row, piece: Piece, work: usize) {
        self.metrics.ran_piece(row, piece, work);
        self.witness.note(|| Witnessed::Piece { name: row.name });
    }

    /// A read has had its first piece and goes on later; what it has written so far is `reply`.
    pub(super) fn hold_for(&mut self, slot: u32, request: Long, args: Args<'_>, reply: Vec<u8>) {
        let (mut buffer, mut ranges) = (Vec::new(), Vec::with_capacity(args.len()));
        for arg in args.iter() {
            let from = buffer.len() as u32;
            buffer.extend_from_slice(arg);
            ranges.push(from..buffer.len() as u32);
        }
        self.block(slot, Blocked::Store);
        let Some(session) = self.clients.get(slot) else {
            return;
        };
        let conn = session.conn;
        self.witness.note(|| Witnessed::Held { conn });
        self.collects(slot, conn, reply.len());
        self.requests.hold.reading = Some(Reading::One(Box::new(LongRead {
            slot,
            conn,
            request,
            nth: self.requests.reads,
            buffer,
            ranges,
            reply,
        })));
    }

    /// The reply that is being made for a client has so many bytes, beside what its command has
    /// found and not written yet.
    fn collects(&mut self, slot: u32, conn: ConnId, written: usize) {
        let made = written + self.requests.hold.pace.collected();
        self.clients.collects(slot, conn, made);
    }

    /// Counts the reply so far for its client; where there is none, the reply is dropped.
    pub(super) fn keep_made(&mut self, entry: &mut Applying) {
        let Some(middle) = &mut entry.middle else {
            return;
        };
        let waiter = middle.waiter.as_ref();
        let is_there = |w: &&Waiter| self.clients.same(w.slot, w.conn).is_some();
        if let Some(waiter) = waiter.filter(is_there) {
            let (slot, conn) = (waiter.slot, waiter.conn);
            self.collects(slot, conn, middle.out.len());
        } else {
            self.witness.drops(&mem::take(&mut middle.out));
            middle.mark = 0;
        }
    }

    /// The reply that is being made in pieces, of whom and how long it is, for a judge.
    pub fn reply_being_made(&self) -> Option<(ConnId, usize)> {
        let hold = &self.requests.hold;
        let middle = hold
            .applying
            .as_ref()
            .and_then(|entry| entry.middle.as_ref());
        let (conn, made) = match (&hold.reading, middle) {
            (Some(reading), _) => (reading.client().1, reading.reply().len()),
            (None, Some(middle)) => (middle.waiter.as_ref()?.conn, middle.out.len()),
            (None, None) => return None,
        };
        Some((conn, made + hold.pace.collected()))
    }

    /// A transaction of reads has had its first piece and goes on later.
    pub(super) fn hold_for_transaction(&mut self, transaction: OldTransaction) {
        let (slot, conn) = transaction.client();
        self.block(slot, Blocked::Store);
        self.witness.note(|| Witnessed::Held { conn });
        self.collects(slot, conn, transaction.out.len());
        self.requests.hold.reading = Some(Reading::Transaction(Box::new(transaction)));
    }

    /// Goes on with the read that holds the store; false where that is not at its end then.
    fn go_on_reading(&mut self) -> bool {
        let Some(reading) = self.requests.hold.reading.take() else {
            return true;
        };
        let (slot, conn) = reading.client();
        let waits = self.clients.get_same(slot, conn);
        if waits.is_none_or(|session| session.blocked != Some(Blocked::Store)) {
            // It is gone.
            self.requests.hold.forget();
            self.requests.let_go();
            return true;
        }
        let rest = match reading {
            Reading::One(read) => self.go_on_in_read(read).map(Reading::One),
            Reading::Transaction(rest) => {
                let rest = self.go_on_in_old(rest);
                rest.map(Reading::Transaction)
            }
        };
        if let Some(reading) = &rest {
            self.collects(slot, conn, reading.reply().len());
            self.requests.hold.reading = rest;
            return false;
        }
        self.requests.let_go();
        // Whoever has waited meanwhile comes before its next request.
        self.requests.turn.wait(&mut self.clients, slot);
        true
    }

    /// Goes on with one read: what is left of it, where it is not at its end then.
    fn go_on_in_read(&mut self, mut reading: Box<LongRead>) -> Option<Box<LongRead>> {
        let (slot, request) = (reading.slot, reading.request);
        let args = Args::new(&reading.buffer, &reading.ranges);
        let before = reading.reply.len();
        let reply = Reply::new(&mut reading.reply, request.protocol);
        let query = (request.db, request.clock, reading.nth);
        let outcome = self.read_piece(request.row, query, slot, args, reply);
        let written = reading.reply.len().saturating_sub(before);
        let work = self.requests.read_work + written / BYTES_PER_WORK;
        self.requests.hold.pay(work);
        if outcome == Err(Error::Unfinished) {
            self.has_run_piece(request.row, Piece::Read, work);
            return Some(reading);
        }
        let client = Some((slot, reading.conn));
        if outcome != Err(Error::Due) {
            self.show((request.row, request.db), args, client);
        }
        self.counts_run(request.row, args, client, work);
        self.clients.release(slot);
        self.clients.collects(slot, reading.conn, 0);
        self.end_reading(*reading, outcome);
        None
    }

    /// Answers a long read.
    fn end_reading(&mut self, mut reading: LongRead, mut outcome: Result<(), Error>) {
        let (slot, request) = (reading.slot, reading.request);
        let row = request.row;
        let args = Args::new(&reading.buffer, &reading.ranges);
        let away = !request.is_old && !self.serves();
        if away {
            outcome = Err(self.elsewhere(Some(row), args));
        }
        if outcome == Err(Error::Due) {
            let Some(session) = self.clients.get_mut(slot) else {
                return;
            };
            let after = session.proposed + 1;
            let (db, protocol, silent) = (request.db, request.protocol, request.silent);
            session.parked.park(after, db, protocol, silent, args);
            self.clients.mark_dirty(slot);
            return self.wait_for_time(slot);
        }
        let (protocol, silent) = (request.protocol, request.silent);
        if let Err(error) = &outcome {
            self.metrics.failed(Some(row), error);
        }
        finish(&mut reading.reply, 0, protocol, silent, outcome);
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        let mark = session.outbox.append(reading.reply);
        if !silent {
            let answer = match (away, request.is_old) {
                (true, _) => Answer::Elsewhere,
                (false, true) => Answer::Old,
                (false, false) => Answer::Read,
            };
            self.note_answer(reading.conn, answer);
        }
        if self.replica.is_grouped() && !request.is_old && !away {
            self.hold_reply(slot, mark);
        }
        self.run_parked(slot);
        self.clients.mark_dirty(slot);
    }

    /// Goes on with the read that holds the store and with all that stands behind an entry; false
    /// where something is left.
    pub(super) fn clear_the_way(&mut self) -> bool {
        loop {
            // Its client's next read may hold the store at once.
            if self.requests.hold.reading.is_some() {
                if !self.go_on_reading() {
                    return false;
                }
                continue;
            }
            if self.requests.hold.is_mid_command {
                return true;
            }
            if self.requests.hold.left == 0 && !self.requests.hold.behind.is_empty() {
                return false;
            }
            if let Some((slot, conn)) = self.requests.hold.behind.pop_front() {
                if self.clients.get_same(slot, conn).is_some() {
                    self.run_parked(slot);
                    self.clients.mark_dirty(slot);
                }
                continue;
            }
            if self.requests.hold.applying.is_some() {
                return true;
            }
            if self.requests.hold.left == 0 && !self.requests.hold.owed.is_empty() {
                return false;
            }
            let Some((waiter, error)) = self.requests.hold.owed.pop_front() else {
                return true;
            };
            self.disappoint(&waiter, &error);
            self.requests.hold.pay(WAKE_WORK);
        }
    }

    /// An error counts where it is somebody's reply: other members apply the same and answer
    /// nobody.
    pub(super) fn count_failure(&mut self, waiter: Option<&Waiter>, outcome: &Outcome) {
        if let (Err(error), Some(waiter)) = (outcome, waiter) {
            self.metrics.failed(waiter.row, error);
        }
    }

    /// Tells clients that their writes are not applied, or may not be, each by its error: now, or
    /// when what was committed before is applied and answered; and no more of them than a turn may.
    pub(in crate::node) fn disappoint_all(
        &mut self,
        waiters: impl Iterator<Item = (Waiter, Error)>,
    ) {
        for (nth, (waiter, error)) in waiters.enumerate() {
            let hold = &self.requests.hold;
            // Nobody is told before those who were to be told earlier: one client may be both.
            let is_later = self.requests.is_midway() || !hold.owed.is_empty();
            if is_later || nth >= self.config.bounds.told_at_once {
                self.requests.hold.owed.push_back((waiter, error));
            } else {
                self.disappoint(&waiter, &error);
            }
        }
    }

    fn disappoint(&mut self, waiter: &Waiter, error: &Error) {
        let session = self.clients.same(waiter.slot, waiter.conn);
        let waited = session.is_some_and(|session| session.blocked == Some(Blocked::Served));
        // One that has waited is not sent elsewhere before it asks again.
        let error = if waited && is_elsewhere(error) {
            &Error::UNBLOCKED
        } else {
            error
        };
        if session.is_some() {
            self.waits_no_more(waiter.slot);
        }
        if !waiter.is_parked()
            && !waiter.silent
            && let Some(session) = self.clients.get_same(waiter.slot, waiter.conn)
        {
            write_error(&mut session.reply(), error);
            self.metrics.failed(waiter.row, error);
            self.note_answer(waiter.conn, Answer::Elsewhere);
        }
        self.settle(waiter);
    }
}

fn is_exec(row: &Row) -> bool {
    matches!(row.kind, Kind::Session(SessionVerb::Exec))
}
