//! The clients that watch each key, so that a change can find them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::ids::ConnId;

#[derive(Clone, Debug, Default)]
struct Watched {
    /// By slot, each once.
    clients: Vec<(u32, ConnId)>,
    /// The ordinal of the last command proposed that writes this key; 0: none.
    pending: u64,
}

/// The watched keys of all clients.
#[derive(Clone, Debug, Default)]
pub(super) struct Watchers {
    keys: BTreeMap<(u32, Vec<u8>), Watched>,
}

impl Watchers {
    /// Returns true if no key is watched at all, which is the common case.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A client watches a key from now on.
    pub(super) fn add(&mut self, db: u32, key: &[u8], slot: u32, conn: ConnId) {
        let clients = &mut self.keys.entry((db, key.to_vec())).or_default().clients;
        let place = clients.partition_point(|client| client.0 < slot);
        clients.insert(place, (slot, conn));
    }

    /// A client watches a key no longer.
    pub(super) fn remove(&mut self, db: u32, key: &[u8], slot: u32) {
        let at = (db, key.to_vec());
        let Some(watched) = self.keys.get_mut(&at) else {
            return;
        };
        if let Ok(place) = watched
            .clients
            .binary_search_by_key(&slot, |client| client.0)
        {
            watched.clients.remove(place);
        }
        if watched.clients.is_empty() {
            self.keys.remove(&at);
        }
    }

    /// The command with this ordinal will write a key.
    pub(super) fn pending(&mut self, db: u32, key: &[u8], ordinal: u64) {
        if let Some(watched) = self.keys.get_mut(&(db, key.to_vec())) {
            watched.pending = ordinal.max(watched.pending);
        }
    }

    /// The command with this ordinal will empty a database, or all of them: it writes what is
    /// there, and what a command behind the first `applied` ones will have put there.
    pub(super) fn pending_flush(
        &mut self,
        flushes: impl Fn(u32) -> bool,
        exists: impl Fn(u32, &[u8]) -> bool,
        applied: u64,
        ordinal: u64,
    ) {
        for ((db, key), watched) in &mut self.keys {
            if flushes(*db) && (watched.pending > applied || exists(*db, key)) {
                watched.pending = ordinal;
            }
        }
    }

    /// Commands that were proposed may come to nothing, and are counted no more.
    pub(super) fn nothing_is_pending(&mut self) {
        for watched in self.keys.values_mut() {
            watched.pending = 0;
        }
    }

    /// Returns true if a command behind the first `applied` ones will write a key.
    pub(super) fn is_pending(&self, db: u32, key: &[u8], applied: u64) -> bool {
        self.keys
            .get(&(db, key.to_vec()))
            .is_some_and(|watched| watched.pending > applied)
    }

    /// The clients that watch a key.
    pub(super) fn of(&self, db: u32, key: &[u8]) -> &[(u32, ConnId)] {
        self.keys
            .get(&(db, key.to_vec()))
            .map_or(&[], |watched| &watched.clients)
    }

    /// All watched keys with their clients.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &[u8], &[(u32, ConnId)])> {
        self.keys
            .iter()
            .map(|((db, key), watched)| (*db, &key[..], &watched.clients[..]))
    }
}
