//! From one writing request to the batch of its turn.

use crate::command::args::Args;
use crate::command::row::Row;
use crate::limits;
use crate::node::requests::entry;
use crate::node::{Node, Waiter};

impl Node {
    /// Hands a write to the log; its reply is written when the entry is applied.
    pub(in crate::node) fn propose_command(
        &mut self,
        slot: u32,
        row: &'static Row,
        args: Args<'_>,
    ) {
        let whole = self.in_hand.take();
        if whole.is_some() && !self.batch.bytes.is_empty() {
            self.propose_batch();
        }
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        let db = session.db;
        self.wait_for_entry(slot, Some(row));
        self.batch.whole = whole.filter(|_| self.batch.bytes.is_empty());
        if self.batch.whole.is_none() {
            entry::put_command(&mut self.batch.bytes, db, args);
        }
        self.batch.count += 1;
        self.note_proposed_keys(db, args);
        if self.batch.whole.is_some() || self.batch.bytes.len() >= limits::ENTRY_BYTES_SOFT_MAX {
            self.propose_batch();
        }
        // What cannot be proposed now is a command among others.
        if let Some(whole) = self.batch.whole.take() {
            self.batch.bytes.extend_from_slice(&whole.payload);
        }
    }

    /// A client waits for the next command of the batch, which is its own, to be applied; or, where
    /// there is none and it has parked a request, for all before that.
    pub(in crate::node) fn wait_for_entry(&mut self, slot: u32, row: Option<&'static Row>) {
        let (place, parked) = (self.batch.count, row.is_none());
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        session.proposed += 1;
        self.batch.waiters.push(Waiter {
            slot,
            conn: session.conn,
            place,
            protocol: session.protocol,
            silent: !parked && session.is_silent(),
            row,
        });
    }
}
