//! From the writes of a turn to committed entries: one path, for a group of one as for any other.

use alloc::vec::Vec;
use core::mem;

use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, NodeId, Ticket};
use crate::time::{Now, Stamp};

use super::Node;
use super::config::Config;

/// TEMPORARY
#[derive(Debug)]
pub(super) struct Commit {
    last: LogIndex,
}

impl Commit {
    pub(super) fn new(_config: &Config, _now: Now) -> Self {
        Self { last: LogIndex(0) }
    }
    pub(super) fn is_recovering(&self) -> bool {
        false
    }
    pub(super) fn is_full(&self) -> bool {
        false
    }
}

impl Node {
    pub(super) fn commit_turn(&mut self) {
        if self.batch.count == 0 && self.batch.waiters.is_empty() {
            return;
        }
        let batch = mem::take(&mut self.batch);
        self.commands_in_entries += u64::from(batch.count);
        self.commit.last = self.commit.last.next();
        let stamp = self.clock();
        let mut waiters = batch.waiters;
        self.apply_entry(self.commit.last, stamp, &batch.bytes, &mut waiters);
        self.batch = super::Batch {
            bytes: batch.bytes,
            count: 0,
            waiters,
        };
        self.batch.bytes.clear();
    }
    pub(super) fn disk(&mut self, _ticket: Ticket, _outcome: Result<DiskDone, DiskError>) {}
    pub(super) fn message(&mut self, _from: NodeId, _frame: &[u8]) {}
    pub(super) fn no_space(&self) -> bool {
        false
    }
    pub(super) fn clock(&self) -> Stamp {
        let elapsed = self.now.mono.since(self.applied_mono).as_millis() as u64;
        Stamp(self.now.wall_ms().max(self.applied_stamp.0 + elapsed / 2))
    }
    pub(super) fn commands_proposed(&self) -> u64 {
        self.commands_in_entries + u64::from(self.batch.count)
    }
    pub(super) fn timer(&mut self) {}
    pub(super) fn stop(&mut self) {
        self.phase = super::Phase::Stopped;
        self.effects.push(super::Effect::Stopped { failure: None });
    }
    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<crate::time::Deadline> {
        self.client_deadline()
    }
}
impl Node {
    pub(super) fn server_verb(
        &mut self,
        _slot: u32,
        _verb: crate::command::table::ServerVerb,
        _args: crate::command::args::Args<'_>,
        _db: u32,
        reply: &mut crate::resp::reply::Reply<'_>,
    ) -> crate::command::error::Outcome {
        reply.ok();
        Ok(())
    }
}
