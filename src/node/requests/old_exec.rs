//! EXEC on a member that does not lead: the reads of a client that does not mind an old state.
//!
//! All of them are answered from one state, that behind the last command which this member has
//! applied when EXEC is run. A long transaction is run in pieces, and holds the store meanwhile as
//! a long read does (`hold`): nothing is applied between two of its steps. Nothing of it goes
//! through the log.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::command::args::Args;
use crate::command::error::Error;
use crate::command::row::Kind;
use crate::limits::BYTES_PER_WORK;
use crate::node::Node;
use crate::node::metrics::slowlog::Piece;
use crate::node::requests::lookup::{changes_replies, row_of};
use crate::node::requests::outcome::write_error;
use crate::node::witness::Answer;
use crate::resp::reply::Reply;
use crate::session::transaction::Transaction;

use super::old_transaction::OldTransaction;

impl Node {
    /// Runs a transaction that changes nothing.
    pub(super) fn exec_here(&mut self, slot: u32, transaction: Transaction) {
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        session.db = transaction.db;
        session.withheld = transaction.withheld;
        session.withheld_at = 0;
        let (protocol, is_silent) = (session.protocol, session.is_silent());
        let mut out = Vec::new();
        if !is_silent {
            Reply::new(&mut out, protocol).array(transaction.count as usize);
        }
        let mut old = OldTransaction {
            slot,
            conn: session.conn,
            commands: transaction.commands,
            at: 0,
            count: transaction.count,
            next: 0,
            db: transaction.db,
            ranges: Vec::new(),
            nth: 0,
            is_cut: false,
            mark: out.len(),
            out,
            protocol,
            is_silent,
            was_silent: is_silent,
        };
        let (work, is_at_end) = self.run_old(&mut old);
        if is_at_end {
            // What is in the outbox is counted there.
            self.requests.read_work = work.saturating_sub(old.out.len() / BYTES_PER_WORK);
            self.end_old(old);
        } else {
            self.requests.read_work = work;
            self.hold_for_transaction(old);
        }
    }

    /// Goes on with a transaction that holds the store: what is left of it, where it is not at its
    /// end then.
    pub(super) fn go_on_in_old(
        &mut self,
        mut old: Box<OldTransaction>,
    ) -> Option<Box<OldTransaction>> {
        let (work, is_at_end) = self.run_old(&mut old);
        self.requests.hold.pay(work);
        if !is_at_end {
            return Some(old);
        }
        self.clients.release(old.slot);
        self.clients.collects(old.slot, old.conn, 0);
        self.end_old(*old);
        None
    }

    /// Runs as many steps as a turn has room for, and at least one piece of one. Returns the work
    /// that this has cost, and true if the transaction is at its end.
    fn run_old(&mut self, old: &mut OldTransaction) -> (usize, bool) {
        let mut work = 0;
        loop {
            if !old.is_cut {
                if work >= self.config.turn_work && old.next < old.count {
                    return (work, false);
                }
                let Some(cost) = old.step() else {
                    return (work, true);
                };
                work += cost;
                self.requests.reads += 1;
                old.nth = self.requests.reads;
            }
            let before = old.out.len();
            old.is_cut = !self.run_old_step(old);
            let written = old.out.len().saturating_sub(before);
            work += self.requests.read_work + written / BYTES_PER_WORK;
            if old.is_cut {
                return (work, false);
            }
        }
    }

    /// Runs a step, or its next piece; an error is its reply and stops nothing. False where it is
    /// not at its end.
    fn run_old_step(&mut self, old: &mut OldTransaction) -> bool {
        self.requests.read_work = 0;
        let slot = old.slot;
        let client = Some(old.client());
        let args = Args::new(&old.commands, &old.ranges);
        let (row, outcome) = match row_of(args) {
            Err(error) => (None, Err(error)),
            Ok(row) => {
                let outcome = match row.kind {
                    Kind::Read(_) | Kind::Script(_) if !row.is_write() => {
                        let reply = Reply::new(&mut old.out, old.protocol);
                        let query = (old.db, self.replicated.stamp(), old.nth);
                        self.read_piece(row, query, slot, args, reply)
                    }
                    Kind::Server(_) | Kind::Session(_) => {
                        let reply = (&mut old.out, old.protocol);
                        let outcome = self.own_step(slot, row.kind, args, old.db, reply);
                        if let Some(session) = self.clients.get(slot)
                            && changes_replies(row)
                        {
                            old.protocol = session.protocol;
                            old.is_silent = session.is_silent();
                        }
                        outcome
                    }
                    Kind::Read(_) | Kind::Write(_) | Kind::Script(_) | Kind::Container => {
                        Err(Error::NOT_IN_TRANSACTION)
                    }
                };
                if outcome == Err(Error::Unfinished) {
                    self.has_run_piece(row, Piece::Read, self.requests.read_work);
                    return false;
                }
                self.has_run((row, old.db), args, client, self.requests.read_work);
                self.metrics.called(row);
                (Some(row), outcome)
            }
        };
        if let Err(error) = outcome {
            self.metrics.failed(row, &error);
            old.out.truncate(old.mark);
            write_error(&mut Reply::new(&mut old.out, old.protocol), &error);
        }
        if old.is_silent {
            old.out.truncate(old.mark);
        }
        true
    }

    /// Answers a transaction.
    fn end_old(&mut self, old: OldTransaction) {
        let Some(session) = self.clients.get_same(old.slot, old.conn) else {
            return;
        };
        session.withheld = Vec::new();
        session.outbox.append(old.out);
        session.outbox.end_reply();
        if !old.was_silent {
            self.note_answer(old.conn, Answer::Old);
        }
        self.clients.mark_dirty(old.slot);
    }
}
