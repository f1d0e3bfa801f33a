//! All clients of a node: by connection for the driver, by slot for the log.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::ids::ConnId;
use crate::limits::INPUT_BYTES_MAX;
use crate::session::Session;

/// The clients; a slot is used again when its client is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Option<Box<Session>>>,
    free: Vec<u32>,
    by_conn: BTreeMap<ConnId, u32>,
    /// How often a client was looked at, for tests of what a turn costs.
    #[cfg(test)]
    pub(super) looked: core::cell::Cell<u64>,
}

impl Sessions {
    /// Adds a client and gives its slot.
    pub(super) fn insert(&mut self, session: Session) -> u32 {
        let conn = session.conn;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize] = Some(Box::new(session));
        self.by_conn.insert(conn, slot);
        slot
    }

    /// Forgets a client.
    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Box<Session>> {
        let slot = self.by_conn.remove(&conn)?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    /// The slot of a connection.
    pub(super) fn slot(&self, conn: ConnId) -> Option<u32> {
        self.by_conn.get(&conn).copied()
    }

    /// Counts what a turn looks at.
    #[cfg(test)]
    fn look(&self, clients: usize) {
        self.looked.set(self.looked.get() + clients as u64);
    }

    /// The client in a slot.
    pub(super) fn get(&self, slot: u32) -> Option<&Session> {
        #[cfg(test)]
        self.look(1);
        self.slots.get(slot as usize)?.as_deref()
    }

    /// The client in a slot.
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Session> {
        #[cfg(test)]
        self.look(1);
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// The client in a slot, if it is still the one of that connection: one that is to be gone at
    /// once is owed nothing any more.
    pub(super) fn get_same(&mut self, slot: u32, conn: ConnId) -> Option<&mut Session> {
        let session = self.get_mut(slot)?;
        (session.conn == conn && !session.killed).then_some(session)
    }

    /// The client in a slot, if it is still the one of that connection and not to be gone at once.
    pub(super) fn same(&self, slot: u32, conn: ConnId) -> Option<&Session> {
        let session = self.get(slot)?;
        (session.conn == conn && !session.killed).then_some(session)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_conn.len()
    }

    /// All of them, by connection.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.by_conn.values().filter_map(|slot| self.get(*slot))
    }

    /// The slots of all, by connection.
    pub(super) fn slots(&self) -> Vec<u32> {
        #[cfg(test)]
        self.look(self.len());
        self.by_conn.values().copied().collect()
    }
}

/// How many bytes a client may bring now; 0: it is not to be read.
pub(super) fn appetite(session: &Session, is_stopping: bool) -> usize {
    let full = session.closing
        || is_stopping
        || session.blocked.is_some()
        || session.queued
        || session.assembling.is_some()
        || session.ended;
    if full { 0 } else { INPUT_BYTES_MAX }
}
