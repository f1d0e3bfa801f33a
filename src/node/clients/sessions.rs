//! All clients of a node: by connection for the driver, by slot for the log.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::ids::ConnId;
use crate::session::Session;

/// The clients; a slot is used again when its client is gone.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Sessions {
    slots: Vec<Option<Box<Session>>>,
    free: Vec<u32>,
    by_conn: BTreeMap<ConnId, u32>,
    /// How often a client was looked at, for tests of what a turn costs.
    #[cfg(test)]
    pub(in crate::node) looked: core::cell::Cell<u64>,
}

impl Sessions {
    /// Adds a client and gives its slot.
    pub(in crate::node) fn insert(&mut self, session: Session) -> u32 {
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
    pub(in crate::node) fn remove(&mut self, conn: ConnId) -> Option<Box<Session>> {
        let slot = self.by_conn.remove(&conn)?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    /// The slot of a connection.
    pub(in crate::node) fn slot(&self, conn: ConnId) -> Option<u32> {
        self.by_conn.get(&conn).copied()
    }

    /// Counts what a turn looks at.
    #[cfg(test)]
    fn look(&self, clients: usize) {
        self.looked.set(self.looked.get() + clients as u64);
    }

    /// The client in a slot.
    pub(in crate::node) fn get(&self, slot: u32) -> Option<&Session> {
        #[cfg(test)]
        self.look(1);
        self.slots.get(slot as usize)?.as_deref()
    }

    /// The client in a slot.
    pub(in crate::node) fn get_mut(&mut self, slot: u32) -> Option<&mut Session> {
        #[cfg(test)]
        self.look(1);
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// The client in a slot, if it is still the one of that connection: one that is to be gone at
    /// once is owed nothing any more.
    pub(in crate::node) fn get_same(&mut self, slot: u32, conn: ConnId) -> Option<&mut Session> {
        let session = self.get_mut(slot)?;
        (session.conn == conn && !session.killed).then_some(session)
    }

    /// The client in a slot, if it is still the one of that connection and not to be gone at once.
    pub(in crate::node) fn same(&self, slot: u32, conn: ConnId) -> Option<&Session> {
        let session = self.get(slot)?;
        (session.conn == conn && !session.killed).then_some(session)
    }

    /// How many there are.
    pub(in crate::node) fn len(&self) -> usize {
        self.by_conn.len()
    }

    /// All of them, by connection.
    pub(in crate::node) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.by_conn.values().filter_map(|slot| self.get(*slot))
    }

    /// The slots of all, by connection.
    pub(in crate::node) fn slots(&self) -> Vec<u32> {
        #[cfg(test)]
        self.look(self.len());
        self.by_conn.values().copied().collect()
    }
}
