//! A transaction: what MULTI lets wait, and what EXEC makes of it.
//!
//! Its commands stand in the log, where each member finds them. A command that only concerns the
//! connection or the server is run by the member whose client asked, and its secrets are withheld
//! from the log: the session keeps those requests as they came.

use alloc::vec::Vec;
use core::ops::Range;

use crate::command::args::Args;
use crate::command::context::Dice;
use crate::command::error::{Error, Outcome};
use crate::command::flag::Flag;
use crate::command::row::{Kind, Row};
use crate::command::verb::SessionVerb;
use crate::limits::{self, BYTES_PER_WORK};
use crate::node::metrics::slowlog::Piece;
use crate::node::requests::entry::{self, Item, Reader};
use crate::node::requests::lookup::{changes_replies, needs_leader};
use crate::node::requests::outcome::{Trouble, write_error};
use crate::node::requests::secrets;
use crate::node::requests::verbs::select_target;
use crate::node::{Node, Phase};
use crate::resp::reply::{Protocol, Reply};

use super::applying::{Applying, Middle};
use super::batch::Waiter;
use super::pieces::Look;

impl Node {
    /// Puts a request of an open transaction aside.
    pub(super) fn queue(&mut self, slot: u32, row: &'static Row, args: Args<'_>) -> Outcome {
        if row.has(Flag::NoMulti) {
            return Err(Error::NOT_IN_TRANSACTION);
        }
        let Some(transaction) = self
            .clients
            .get_mut(slot)
            .and_then(|session| session.transaction.as_mut())
        else {
            return Ok(());
        };
        if transaction.commands.len() >= limits::TRANSACTION_BYTES_MAX {
            return Err(Error::TRANSACTION_TOO_LARGE);
        }
        let db = transaction.db;
        let before = transaction.memory();
        let redacted = secrets::redacted(args);
        if let Some((buffer, ranges)) = &redacted {
            entry::put_command(&mut transaction.withheld, db, args);
            let args = Args::new(buffer, ranges);
            entry::put_command(&mut transaction.commands, db, args);
        } else {
            entry::put_command(&mut transaction.commands, db, args);
        }
        transaction.turns |= redacted.is_some() || changes_replies(row);
        let grown = transaction.memory() - before;
        transaction.count += 1;
        transaction.grows |= row.has(Flag::DenyOom);
        transaction.writes |= row.is_write();
        transaction.runs_scripts |= matches!(row.kind, Kind::Script(_));
        transaction.tells |= row.has(Flag::Tells);
        transaction.looks |= needs_leader(row);
        if matches!(row.kind, Kind::Session(SessionVerb::Select))
            && let Ok(db) = select_target(args)
        {
            transaction.db = db;
        }
        self.clients.has_grown(slot, grown);
        self.answer(slot, |reply| reply.simple("QUEUED"));
        Ok(())
    }

    /// Forgets what MULTI has queued.
    pub(super) fn abandon_transaction(&mut self, slot: u32) {
        if let Some(session) = self.clients.get_mut(slot) {
            session.transaction = None;
        }
        self.clients.unwatch(slot);
    }

    pub(super) fn exec(&mut self, slot: u32, row: &'static Row) -> Result<(), Trouble> {
        let Some(session) = self.clients.get_mut(slot) else {
            return Ok(());
        };
        let Some(transaction) = session.transaction.take() else {
            self.metrics.called(row);
            return Err(Trouble::Failed(Error::EXEC_WITHOUT_MULTI));
        };
        let broken = self
            .clients
            .get(slot)
            .is_some_and(|session| self.is_watch_broken(session));
        self.clients.unwatch(slot);
        self.is_ahead_no_more(slot);
        if transaction.failed {
            self.metrics.called(row);
            return Err(Trouble::Failed(Error::EXEC_ABORT));
        }
        // What was queued before the state was lost, or nothing at all: neither can be run yet.
        if self.phase == Phase::Recovering {
            return Err(Error::LOADING.into());
        }
        if broken {
            self.metrics.called(row);
            self.answer_here(slot, |reply| reply.null_array());
            return Ok(());
        }
        if !self.serves() {
            self.metrics.called(row);
            self.exec_here(slot, transaction);
            return Ok(());
        }
        if transaction.grows && self.is_out_of_memory() {
            return Err(Error::EXEC_OUT_OF_MEMORY.into());
        }
        if let Some(why) = self.refuses_writes() {
            return Err(Error::log_refuses(why).aborts_exec().into());
        }
        let Some(session) = self.clients.get_mut(slot) else {
            return Ok(());
        };
        session.db = transaction.db;
        session.will_wait |= transaction.turns;
        session.withheld = transaction.withheld;
        session.withheld_at = 0;
        self.metrics.called(row);
        self.wait_for_entry(slot, Some(row));
        let payload_from = self.requests.batch.bytes.len();
        if transaction.runs_scripts {
            let bounds = self.script_bounds();
            entry::put_bounds(&mut self.requests.batch.bytes, bounds);
        }
        entry::put_transaction(
            &mut self.requests.batch.bytes,
            transaction.count,
            &transaction.commands,
        );
        self.requests.batch.count += 1;
        if transaction.runs_scripts {
            self.requests.hold.last_script = self.commands_proposed();
        }
        let listens = self.clients.is_any_watching() || self.clients.has_key_waits();
        if listens || self.witness.is_kept() {
            let bytes = self.requests.batch.bytes[payload_from..].to_vec();
            let (mut reader, mut ranges) = (Reader::new(&bytes), Vec::new());
            while let Some(item) = reader.next(&mut ranges) {
                if let Item::Command { db } = item {
                    let args = Args::new(&bytes, &ranges);
                    self.note_proposed_keys(db, args);
                    self.note_made_keys(db, args);
                }
            }
        }
        Ok(())
    }

    /// Runs a command of a transaction that is about the connection or the server.
    pub(super) fn own_step(
        &mut self,
        slot: u32,
        kind: Kind,
        args: Args<'_>,
        db: u32,
        (out, protocol): (&mut Vec<u8>, Protocol),
    ) -> Outcome {
        let has_secrets = secrets::redacted(args).is_some();
        let withheld = has_secrets.then(|| self.next_withheld(slot));
        let args = match &withheld {
            None => args,
            Some(Some((buffer, ranges))) => Args::new(buffer, ranges),
            Some(None) => return Err(Error::NOT_IN_TRANSACTION),
        };
        match kind {
            Kind::Server(verb) => {
                self.listens_behind(slot);
                self.requests.in_transaction = true;
                let mut reply = Reply::new(out, protocol);
                let outcome = self.server_verb(slot, verb, args, db, &mut reply);
                self.requests.in_transaction = false;
                if outcome == Err(Error::Unfinished) {
                    // It goes on when others have had a turn.
                    self.requests.hold.left = 0;
                }
                outcome
            }
            Kind::Session(verb) => {
                self.listens_behind(slot);
                self.session_step(slot, verb, args, (out, protocol))
            }
            Kind::Read(_) | Kind::Write(_) | Kind::Script(_) | Kind::Container => Ok(()),
        }
    }

    /// A client that begins to listen in a transaction, or publishes in one, has the reply to it
    /// before any message.
    fn listens_behind(&mut self, slot: u32) {
        if let Some(session) = self.clients.get_mut(slot) {
            session.outbox.begin_reply();
        }
    }

    /// The next request of those that the log has without their secrets.
    fn next_withheld(&mut self, slot: u32) -> Option<(Vec<u8>, Vec<Range<u32>>)> {
        let session = self.clients.get_mut(slot)?;
        let mut reader = Reader::at(&session.withheld, session.withheld_at);
        let mut ranges = Vec::new();
        reader.next(&mut ranges)?;
        session.withheld_at = reader.place();
        Some((session.withheld.clone(), ranges))
    }

    /// Goes on with a transaction; whether it is at its end.
    pub(super) fn go_on_in_transaction(
        &mut self,
        entry: &mut Applying,
        middle: &mut Middle,
        payload: &[u8],
    ) -> bool {
        let Some(mut steps) = middle.steps else {
            return true;
        };
        let waiter = middle.waiter.as_ref();
        let is_there = |w: &&Waiter| self.clients.get_same(w.slot, w.conn).is_some();
        let slot = waiter.filter(is_there).map(|w| w.slot);
        let mut is_first = true;
        loop {
            if !steps.is_cut {
                if !self.make_events_of_step() || self.clients.is_much_published() {
                    middle.steps = Some(steps);
                    return false;
                }
                if steps.next == steps.count {
                    break;
                }
                if self.requests.hold.left == 0 && !is_first {
                    middle.steps = Some(steps);
                    return false;
                }
                let mut reader = Reader::at(payload, entry.at);
                let Some(Item::Command { db }) = reader.next(&mut middle.ranges) else {
                    break;
                };
                self.requests
                    .hold
                    .pay(1 + (reader.place() - entry.at) / BYTES_PER_WORK);
                entry.at = reader.place();
                steps.next += 1;
                middle.db = db;
                middle.mark = middle.out.len();
            }
            is_first = false;
            let args = Args::new(payload, &middle.ranges);
            let nth = u64::from(entry.place) | u64::from(steps.next) << 32;
            let dice = self.replicated.dice(entry.index, nth);
            let so_far = (&mut middle.out, middle.mark);
            let answered = (steps.protocol, steps.is_silent);
            let after = self.apply_step(slot, middle.db, args, dice, answered, so_far);
            steps.is_cut = after.is_none();
            let Some(after) = after else {
                middle.steps = Some(steps);
                return false;
            };
            (steps.protocol, steps.is_silent) = after;
            self.requests
                .hold
                .pay((middle.out.len() - middle.mark) / BYTES_PER_WORK);
        }
        true
    }

    /// Runs one command of a transaction, or its next piece; an error is its reply and stops
    /// nothing. How the next is answered; `None` where this one is not at its end.
    fn apply_step(
        &mut self,
        slot: Option<u32>,
        db: u32,
        args: Args<'_>,
        dice: Dice,
        (protocol, is_silent): (Protocol, bool),
        (out, mark): (&mut Vec<u8>, usize),
    ) -> Option<(Protocol, bool)> {
        let row = self.logged_row(args);
        let mut after = (protocol, is_silent);
        let outcome = match &row {
            Err(error) => Err(error.clone()),
            Ok(row) => match row.kind {
                Kind::Read(_) | Kind::Script(_) if !row.is_write() => {
                    self.look_in_step(slot, (row, db), args, dice, (out, protocol, mark))
                }
                Kind::Read(_) | Kind::Write(_) | Kind::Script(_) => {
                    self.apply_command(db, args, dice, protocol, out)
                }
                // Only the member whose client asked has an answer to give, and none of it touches
                // the store.
                Kind::Server(_) | Kind::Session(_) => match slot {
                    Some(slot) => {
                        let outcome = self.own_step(slot, row.kind, args, db, (out, protocol));
                        if outcome != Err(Error::Unfinished) {
                            self.has_run((row, db), args, self.requests.runs_for, 0);
                        }
                        if let Some(session) = self.clients.get(slot)
                            && changes_replies(row)
                        {
                            after = (session.protocol, session.is_silent());
                        }
                        outcome
                    }
                    None => Ok(()),
                },
                Kind::Container => Err(Error::NOT_IN_TRANSACTION),
            },
        };
        // A client cannot wait in a transaction: what it is told instead is written.
        let outcome = match outcome {
            Err(Error::Unfinished) => return None,
            Err(Error::Nothing) => Ok(()),
            outcome => outcome,
        };
        let row = row.ok();
        if self.requests.runs_for.is_some() {
            if let Some(row) = row {
                self.metrics.called(row);
            }
            if let Err(error) = &outcome {
                self.metrics.failed(row, error);
            }
        }
        if let Err(error) = outcome {
            out.truncate(mark);
            write_error(&mut Reply::new(out, protocol), &error);
        }
        if after.1 {
            out.truncate(mark);
        }
        Some(after)
    }

    /// Runs a read of a transaction, or its next piece.
    fn look_in_step(
        &mut self,
        slot: Option<u32>,
        (row, db): (&'static Row, u32),
        args: Args<'_>,
        dice: Dice,
        (out, protocol, mark): (&mut Vec<u8>, Protocol, usize),
    ) -> Outcome {
        if slot.is_none() {
            // Nobody is there to be answered: on other members, in recovery, or any more.
            self.requests.hold.forget();
            out.truncate(mark);
            return Ok(());
        }
        let look = Look {
            db,
            clock: self.replicated.stamp(),
            dice,
            slot,
            bounds: self.requests.hold.bounds,
            is_beside: false,
        };
        let (outcome, work) = self.look(row, look, args, Reply::new(out, protocol));
        self.requests.hold.pay(work);
        if outcome == Err(Error::Unfinished) {
            self.has_run_piece(row, Piece::Applied, work);
        } else {
            self.has_run((row, db), args, self.requests.runs_for, work);
        }
        outcome
    }
}
