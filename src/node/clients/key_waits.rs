//! Clients that wait for a key to hold something: their places in queues, and what is on its way to
//! them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::command::wait::Awaited;
use crate::session::key_wait::{KeyWait, Stage, Taking};
use crate::session::{Blocked, Session};
use crate::time::Mono;

use super::Clients;
use super::key_queues::{At, KeyQueues};

/// The number of no batch.
const NO_BATCH: u64 = u64::MAX;

impl Clients {
    /// Returns true if somebody waits for a key, or something is on its way to one that did.
    pub(in crate::node) fn has_key_waits(&self) -> bool {
        !self.queues.is_empty()
    }

    /// How many keys somebody waits for.
    pub(in crate::node) fn awaited_keys(&self) -> usize {
        self.queues.awaited()
    }

    /// The number of a request that comes now and may wait.
    pub(in crate::node) fn next_ticket(&mut self) -> u64 {
        self.queues.next_ticket()
    }

    /// A request is proposed, or about to be, that takes something if there is something.
    /// `proposed` commands were proposed before.
    pub(in crate::node) fn begin_to_take(
        &mut self,
        slot: u32,
        mut key_wait: KeyWait,
        proposed: u64,
    ) {
        // What comes before it in the log is for nobody that waits.
        key_wait.stage = Stage::Takes(Taking::Perhaps { batch: 0 });
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        enter(&mut self.queues, slot, &key_wait, proposed);
        session.key_wait = Some(Box::new(key_wait));
        self.count_memory(slot);
    }

    /// A client begins to wait.
    pub(in crate::node) fn begin_to_wait(&mut self, slot: u32, key_wait: KeyWait, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.key_wait = Some(Box::new(key_wait));
        self.enqueue(slot, proposed);
        self.count_memory(slot);
    }

    /// A client would wait, and must not.
    pub(in crate::node) fn begin_nothing(&mut self, slot: u32) {
        self.blocks(slot, Blocked::Keys { until: None });
    }

    /// A client that was to be given something has found nothing: it waits, where it stood before
    /// or would have stood.
    pub(in crate::node) fn waits_again(&mut self, slot: u32, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        if let Some(key_wait) = &mut session.key_wait {
            leave(&mut self.queues, key_wait);
            key_wait.stage = Stage::Waits;
            self.enqueue(slot, proposed);
        }
    }

    fn enqueue(&mut self, slot: u32, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let Some(key_wait) = &session.key_wait else {
            return;
        };
        enter(&mut self.queues, slot, key_wait, proposed);
        let why = Blocked::Keys {
            until: key_wait.until,
        };
        self.blocks(slot, why);
    }

    /// A waiting client is proposed the taking of what it waits for.
    pub(in crate::node) fn takes(&mut self, slot: u32, taking: Taking, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let Some(key_wait) = &mut session.key_wait else {
            return;
        };
        leave(&mut self.queues, key_wait);
        key_wait.stage = Stage::Takes(taking);
        enter(&mut self.queues, slot, key_wait, proposed);
        // Its time may be over before it is known whether there was something.
        self.blocks(slot, Blocked::Served);
    }

    /// A client blocks, or does so for another reason.
    fn blocks(&mut self, slot: u32, why: Blocked) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        match session.blocked.replace(why) {
            Some(before) => self.waits.remove(slot, before),
            None => self.blocked += 1,
        }
        self.waits.add(slot, why);
    }

    /// A client that waits is given nothing any more, and its time is over now.
    pub(in crate::node) fn waits_in_vain(&mut self, slot: u32, now: Mono) {
        self.leave_queues(slot);
        if !self.waits.is_leaving(slot) {
            self.blocks(slot, Blocked::Keys { until: Some(now) });
        }
        self.count_memory(slot);
    }

    /// A client waits for no key any more.
    pub(super) fn leave_queues(&mut self, slot: u32) {
        let session = self.sessions.get_mut(slot);
        if let Some(key_wait) = session.and_then(|session| session.key_wait.take()) {
            leave(&mut self.queues, &key_wait);
        }
    }

    /// The client that has waited longest for a key to hold such a value.
    pub(in crate::node) fn first_waiter(&self, db: u32, key: &[u8], of: Awaited) -> Option<u32> {
        self.queues.first((db, key, of))
    }

    /// How many elements are on their way from a key to clients that waited for it.
    pub(in crate::node) fn being_taken(&self, db: u32, key: &[u8], of: Awaited) -> u64 {
        self.queues.taking((db, key, of))
    }

    /// Returns true if a waiting client can be given nothing, of any of its keys, for which another
    /// has waited longer. Requests of `batch` stand right before its own in the log, whose first
    /// `applied` commands are applied; `holds` says whether a key holds what it waits for.
    pub(in crate::node) fn overtakes_nobody(
        &self,
        slot: u32,
        batch: u64,
        applied: u64,
        holds: impl Fn(At<'_>) -> bool,
    ) -> bool {
        self.is_out_of_doubt(slot, batch, |at| {
            self.queues.first(at) == Some(slot) || !self.queues.is_made(at, applied) && !holds(at)
        })
    }

    /// Returns true if a waiting client, the first at the key `from`, can be given nothing but what
    /// comes there: it stands behind nobody who may come back, and none of its other keys may hold
    /// anything. `holds` says whether one does.
    pub(in crate::node) fn takes_only(
        &self,
        slot: u32,
        from: &[u8],
        applied: u64,
        holds: impl Fn(At<'_>) -> bool,
    ) -> bool {
        self.is_out_of_doubt(slot, NO_BATCH, |at| {
            at.1 == from || !self.queues.is_made(at, applied) && !holds(at)
        })
    }

    /// Returns true if all keys of a waiting client pass, and it stands at none of them behind one
    /// that may come back. Those of `batch` will not.
    fn is_out_of_doubt(&self, slot: u32, batch: u64, passes: impl Fn(At<'_>) -> bool) -> bool {
        let session = self.sessions.get(slot);
        session
            .and_then(|session| session.key_wait.as_ref())
            .is_none_or(|key_wait| {
                let (db, of, ticket) = (key_wait.db, key_wait.wait.awaited, key_wait.ticket);
                key_wait.keys().all(|key| {
                    let at = (db, key, of);
                    !self.queues.is_in_doubt(at, ticket, batch) && passes(at)
                })
            })
    }

    /// Returns true if somebody waits for a key.
    pub(in crate::node) fn is_awaited(&self, db: u32, key: &[u8]) -> bool {
        self.queues.has(db, key)
    }

    /// The keys of a database that somebody waits for.
    pub(in crate::node) fn awaited_in(&self, db: u32) -> Vec<Box<[u8]>> {
        self.queues.of(db)
    }

    /// The command with this ordinal may let a key hold something.
    pub(in crate::node) fn may_be_made(&mut self, db: u32, key: &[u8], ordinal: u64) {
        self.queues.may_be_made(db, key, ordinal);
    }

    /// Returns true if what a command brings that is proposed now is there for the first in the
    /// queue. `applied` commands are applied.
    pub(in crate::node) fn is_foreseeable(
        &self,
        db: u32,
        key: &[u8],
        of: Awaited,
        applied: u64,
    ) -> bool {
        self.queues.is_foreseeable((db, key, of), applied)
    }
}

/// Returns true if something is on its way to a client that waits for it.
pub(in crate::node) fn is_taking(session: &Session) -> bool {
    let key_wait = session.key_wait.as_ref();
    key_wait.is_some_and(|key_wait| key_wait.stage != Stage::Waits)
}

/// The most that one request counts for, in elements.
const TAKES_MAX: u64 = u32::MAX as u64;

/// Enters a request at each of its keys.
fn enter(queues: &mut KeyQueues, slot: u32, key_wait: &KeyWait, proposed: u64) {
    let (db, of) = (key_wait.db, key_wait.wait.awaited);
    let takes = key_wait.wait.takes.min(TAKES_MAX);
    for key in key_wait.keys() {
        match key_wait.stage {
            Stage::Waits => queues.add((db, key, of), key_wait.ticket, slot, proposed),
            Stage::Takes(taking) => {
                queues.takes((db, key, of), key_wait.ticket, takes, taking, proposed);
            }
        }
    }
}

/// Removes it there.
fn leave(queues: &mut KeyQueues, key_wait: &KeyWait) {
    let (db, of) = (key_wait.db, key_wait.wait.awaited);
    let takes = key_wait.wait.takes.min(TAKES_MAX);
    for key in key_wait.keys() {
        match key_wait.stage {
            Stage::Waits => queues.remove((db, key, of), key_wait.ticket),
            Stage::Takes(_) => queues.took((db, key, of), key_wait.ticket, takes),
        }
    }
}
