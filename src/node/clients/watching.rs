//! WATCH: which clients watch which keys, and whose watch is broken.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::ids::ConnId;
use crate::store::Touched;

use super::Clients;

impl Clients {
    /// Returns true if a client watches anything at all.
    pub(in crate::node) fn is_any_watching(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// A client watches a key from now on; false where it did before. `alive` says whether the key
    /// exists.
    pub(in crate::node) fn watch(
        &mut self,
        slot: u32,
        (db, key): (u32, &[u8]),
        alive: impl FnOnce() -> bool,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(slot) else {
            return false;
        };
        let is_new = session.watches.add(db, key, alive);
        if is_new {
            self.watchers.add(db, key, slot, session.conn);
        }
        is_new
    }

    /// A client watches nothing any longer.
    pub(in crate::node) fn unwatch(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.watch_broken = false;
        for (db, key, _) in mem::take(&mut session.watches).iter() {
            self.watchers.remove(db, key, slot);
        }
    }

    /// Checks that each key has those clients that watch it, and no others, for a judge.
    pub(super) fn check_watches(&self) -> Result<(), String> {
        let mut known = 0;
        for (db, key, clients) in self.watchers.all() {
            for (slot, conn) in clients {
                let session = self.sessions.get(*slot).filter(|one| one.conn == *conn);
                if !session.is_some_and(|session| session.watches.has(db, key)) {
                    return Err(format!("c{} does not watch what it is said to", conn.0));
                }
            }
            known += clients.len();
        }
        let all: usize = self.sessions.iter().map(|one| one.watches.len()).sum();
        if all != known {
            return Err(format!(
                "{all} keys are watched, and {known} are known to be"
            ));
        }
        Ok(())
    }

    /// The command with this ordinal, which was proposed, will write a key.
    pub(in crate::node) fn will_write(&mut self, db: u32, key: &[u8], ordinal: u64) {
        self.watchers.pending(db, key, ordinal);
    }

    /// The command with this ordinal, which was proposed, will empty those databases of which
    /// `flushes` says so; `applied` commands are applied.
    pub(in crate::node) fn will_flush(
        &mut self,
        flushes: impl Fn(u32) -> bool,
        exists: impl Fn(u32, &[u8]) -> bool,
        applied: u64,
        ordinal: u64,
    ) {
        self.watchers
            .pending_flush(flushes, exists, applied, ordinal);
    }

    /// No command that was proposed counts any more: this member no longer leads, and what is
    /// applied later breaks watches when it is.
    pub(in crate::node) fn nothing_will_be_written(&mut self) {
        self.watchers.nothing_is_pending();
    }

    /// Returns true if a command behind the first `applied` ones will write a key.
    pub(in crate::node) fn is_to_be_written(&self, db: u32, key: &[u8], applied: u64) -> bool {
        self.watchers.is_pending(db, key, applied)
    }

    /// Every watch counts as broken.
    pub(in crate::node) fn break_all_watches(&mut self) {
        for slot in self.sessions.slots() {
            if let Some(session) = self.sessions.get_mut(slot) {
                session.watch_broken |= !session.watches.is_empty();
            }
        }
    }

    /// Breaks the watches of keys that were touched. `exists` says whether a key is there now.
    pub(in crate::node) fn touched(
        &mut self,
        touched: &[Touched],
        exists: impl Fn(u32, &[u8]) -> bool,
    ) {
        let mut broken = Vec::new();
        let mut touch = |of: u32, key: &[u8], clients: &[(u32, ConnId)]| {
            // A key that was absent at WATCH, whose watch nothing has broken since, and that is
            // absent now has not been written.
            let exists = exists(of, key);
            let had_it = |client: &(u32, ConnId)| exists || self.watches_living(*client, of, key);
            broken.extend(clients.iter().copied().filter(had_it));
        };
        for Touched { db, key, .. } in touched {
            if let Some(key) = key {
                touch(*db, key, self.watchers.of(*db, key));
                continue;
            }
            for (_, key, clients) in self.watchers.all().filter(|(of, ..)| of == db) {
                touch(*db, key, clients);
            }
        }
        for (slot, conn) in broken {
            if let Some(session) = self.sessions.get_same(slot, conn) {
                session.watch_broken = true;
            }
        }
    }

    /// Returns true if a key was alive when this client's WATCH named it.
    fn watches_living(&self, (slot, conn): (u32, ConnId), db: u32, key: &[u8]) -> bool {
        let session = self.sessions.get(slot);
        session
            .filter(|session| session.conn == conn)
            .is_some_and(|session| session.watches.has_living(db, key))
    }
}
