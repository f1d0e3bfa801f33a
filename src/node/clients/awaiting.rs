//! Clients that wait for a key to hold something: their places in line, and what is on its way to
//! them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::command::wait::Awaited;
use crate::session::awaiting::{Awaiting, Stage};
use crate::session::{Blocked, Session};

use super::Clients;
use super::lines::Lines;

impl Clients {
    /// Returns true if somebody waits for a key, or something is on its way to one that did.
    pub(in crate::node) fn is_any_awaiting(&self) -> bool {
        !self.lines.is_empty()
    }

    /// How many keys somebody waits for.
    pub(in crate::node) fn awaited_keys(&self) -> usize {
        self.lines.awaited()
    }

    /// The number of a request that comes now and may wait.
    pub(in crate::node) fn next_ticket(&mut self) -> u64 {
        self.lines.next_ticket()
    }

    /// A request is proposed, or about to be, that takes something if there is something.
    /// `proposed` commands were proposed before.
    pub(in crate::node) fn begin_to_take(
        &mut self,
        slot: u32,
        mut awaiting: Awaiting,
        proposed: u64,
    ) {
        awaiting.stage = Stage::Takes { is_sure: false };
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        enter(&mut self.lines, slot, &awaiting, proposed);
        session.awaiting = Some(Box::new(awaiting));
        self.count_memory(slot);
    }

    /// A client begins to wait.
    pub(in crate::node) fn begin_to_wait(&mut self, slot: u32, awaiting: Awaiting, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.awaiting = Some(Box::new(awaiting));
        self.stand_in_line(slot, proposed);
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
        if let Some(awaiting) = &mut session.awaiting {
            leave(&mut self.lines, awaiting);
            awaiting.stage = Stage::Waits;
            self.stand_in_line(slot, proposed);
        }
    }

    fn stand_in_line(&mut self, slot: u32, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let Some(awaiting) = &session.awaiting else {
            return;
        };
        enter(&mut self.lines, slot, awaiting, proposed);
        let why = Blocked::Keys {
            until: awaiting.until,
        };
        self.blocks(slot, why);
    }

    /// A client in line is proposed the taking of what it waits for.
    pub(in crate::node) fn takes(&mut self, slot: u32, is_sure: bool, proposed: u64) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let Some(awaiting) = &mut session.awaiting else {
            return;
        };
        leave(&mut self.lines, awaiting);
        awaiting.stage = Stage::Takes { is_sure };
        enter(&mut self.lines, slot, awaiting, proposed);
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

    /// A client waits for no key any more.
    pub(super) fn leave_lines(&mut self, slot: u32) {
        let session = self.sessions.get_mut(slot);
        if let Some(awaiting) = session.and_then(|session| session.awaiting.take()) {
            leave(&mut self.lines, &awaiting);
        }
    }

    /// The client that has waited longest for a key to hold such a value.
    pub(in crate::node) fn first_in_line(&self, db: u32, key: &[u8], of: Awaited) -> Option<u32> {
        self.lines.first((db, key, of))
    }

    /// How many elements are on their way from a key to clients that waited for it.
    pub(in crate::node) fn being_taken(&self, db: u32, key: &[u8], of: Awaited) -> u64 {
        self.lines.taking((db, key, of))
    }

    /// Returns true if somebody waits for a key.
    pub(in crate::node) fn is_awaited(&self, db: u32, key: &[u8]) -> bool {
        self.lines.has(db, key)
    }

    /// The keys of a database that somebody waits for.
    pub(in crate::node) fn awaited_in(&self, db: u32) -> Vec<Box<[u8]>> {
        self.lines.of(db)
    }

    /// The command with this ordinal may let a key hold something.
    pub(in crate::node) fn may_be_made(&mut self, db: u32, key: &[u8], ordinal: u64) {
        self.lines.may_be_made(db, key, ordinal);
    }

    /// Returns true if what a command brings that is proposed now is there for the first in line.
    /// `applied` commands are applied.
    pub(in crate::node) fn is_foreseeable(
        &self,
        db: u32,
        key: &[u8],
        of: Awaited,
        applied: u64,
    ) -> bool {
        self.lines.is_foreseeable((db, key, of), applied)
    }

    /// A client that waits for a key and has nothing on its way to it.
    pub(in crate::node) fn next_in_any_line(&self) -> Option<u32> {
        self.waits.for_keys()
    }
}

/// Returns true if something is on its way to a client that waits for it.
pub(in crate::node) fn is_taking(session: &Session) -> bool {
    let awaiting = session.awaiting.as_ref();
    awaiting.is_some_and(|awaiting| awaiting.stage != Stage::Waits)
}

/// The most that one request counts for, in elements.
const TAKES_MAX: u64 = u32::MAX as u64;

/// Enters a request at each of its keys.
fn enter(lines: &mut Lines, slot: u32, awaiting: &Awaiting, proposed: u64) {
    let (db, of) = (awaiting.db, awaiting.wait.awaited);
    let takes = awaiting.wait.takes.min(TAKES_MAX);
    for key in awaiting.keys() {
        match awaiting.stage {
            Stage::Waits => lines.add((db, key, of), awaiting.ticket, slot, proposed),
            Stage::Takes { is_sure } => lines.takes((db, key, of), takes, is_sure, proposed),
        }
    }
}

/// Strikes it out there.
fn leave(lines: &mut Lines, awaiting: &Awaiting) {
    let (db, of) = (awaiting.db, awaiting.wait.awaited);
    let takes = awaiting.wait.takes.min(TAKES_MAX);
    for key in awaiting.keys() {
        match awaiting.stage {
            Stage::Waits => lines.remove((db, key, of), awaiting.ticket),
            Stage::Takes { is_sure } => lines.took((db, key, of), takes, is_sure),
        }
    }
}
