//! The clients: their sessions, the keys that they watch, the events that they wait for, the memory
//! that they take, and how they end.
//!
//! Nothing here reads the store or the log: a caller says whether a key exists, or how many members
//! hold an entry. Requests are run elsewhere.

mod channels;
mod closing;
mod describe;
mod holders;
mod invalidating;
mod key_queues;
pub(super) mod key_waits;
mod limits;
mod monitoring;
mod monitors;
mod notices;
mod pause;
mod pausing;
mod publication;
mod publishing;
pub mod relay;
mod sessions;
mod subscribing;
mod telling;
#[cfg(test)]
mod tests;
mod tracker;
mod waiting;
mod waits;
mod watchers;
mod watching;

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::ids::ConnId;
use crate::limits::UNAUTHENTICATED_TIME_MAX;
use crate::resp::reply::{Protocol, Reply};
use crate::session::Session;
use crate::time::{Deadline, Mono, Reason};

use super::config::Config;
use channels::{Channels, SharedBytes};
use key_queues::KeyQueues;
use limits::ClientLimits;
use monitors::Monitors;
use notices::Notices;
pub(super) use notices::Untold;
use pause::Pause;
pub(super) use publication::Origin;
use publication::Publishing;
use sessions::{Sessions, appetite};
use tracker::Tracker;
use waits::{Silences, Waits};
use watchers::Watchers;

pub(super) use describe::{describe, valid_name};
pub(super) use pause::Paused;

/// How many silent clients one turn looks at; the others are the next turn's.
const SILENT_CLIENTS_MAX: usize = 256;

/// All clients of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    sessions: Sessions,
    watchers: Watchers,
    waits: Waits,
    queues: KeyQueues,
    channels: Channels,
    publishing: Publishing,
    notices: Notices,
    tracker: Tracker,
    shared: SharedBytes,
    silences: Silences,
    pause: Pause,
    monitors: Monitors,
    limits: ClientLimits,
    /// Clients that wait for something else than a long read of their own.
    blocked: u32,
    /// Clients that the end of the turn looks after, each once.
    dirty: Vec<u32>,
    /// The last turn ended as many waits as a turn may, so that others may be over and not told.
    tells_later: bool,
}

impl Clients {
    /// The slot of a connection.
    pub(super) fn slot(&self, conn: ConnId) -> Option<u32> {
        self.sessions.slot(conn)
    }

    /// The client in a slot.
    pub(super) fn get(&self, slot: u32) -> Option<&Session> {
        self.sessions.get(slot)
    }

    /// The client in a slot.
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Session> {
        self.sessions.get_mut(slot)
    }

    /// The client in a slot, if it is still the one of that connection: one that is to be gone at
    /// once is owed nothing any more.
    pub(super) fn get_same(&mut self, slot: u32, conn: ConnId) -> Option<&mut Session> {
        self.sessions.get_same(slot, conn)
    }

    /// As `get_same`, to be looked at only.
    pub(super) fn same(&self, slot: u32, conn: ConnId) -> Option<&Session> {
        self.sessions.same(slot, conn)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// All of them, by connection.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter()
    }

    /// The slots of all, by connection.
    pub(super) fn slots(&self) -> Vec<u32> {
        self.sessions.slots()
    }

    /// A client has connected. True where it is refused, because there are too many.
    pub(super) fn open(
        &mut self,
        conn: ConnId,
        (address, local, descriptor): (&str, &str, i32),
        now: Mono,
        config: &Config,
    ) -> bool {
        let open = config.requirepass.is_empty();
        let mut session = Session::new(conn, now, open);
        session.address.push_str(address);
        session.local.push_str(local);
        session.descriptor = descriptor;
        session.authenticate_until = (!open).then(|| now + UNAUTHENTICATED_TIME_MAX);
        let is_refused = self.sessions.len() >= config.clients_max as usize;
        if is_refused {
            Reply::new(session.outbox.buffer(), Protocol::Resp2)
                .error("ERR max number of clients reached");
            session.closing = true;
        }
        let heard = session.heard;
        let slot = self.sessions.insert(session);
        self.look_at_silence(slot, heard);
        self.mark_dirty(slot);
        is_refused
    }

    /// A connection has ended: nothing of its client is kept.
    pub(super) fn closed(&mut self, conn: ConnId) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        self.unwatch(slot);
        self.unsubscribe_all(slot);
        self.end_monitoring(slot);
        self.track_no_more(slot);
        self.release(slot);
        self.forget(slot);
        if let Some(session) = self.sessions.remove(conn) {
            self.silences.remove(session.silence_due, slot);
        }
    }

    /// How many bytes a connection may bring now; 0: it is not to be read.
    pub(super) fn appetite(&self, conn: ConnId, is_stopping: bool) -> usize {
        let session = self.slot(conn).and_then(|slot| self.get(slot));
        session.map_or(0, |session| appetite(session, is_stopping))
    }

    /// The bytes of a connection that may leave, in order.
    pub(super) fn outbox(&self, conn: ConnId) -> impl Iterator<Item = &[u8]> {
        let session = self.slot(conn).and_then(|slot| self.get(slot));
        session
            .filter(|session| !session.killed)
            .into_iter()
            .flat_map(|session| session.outbox.unsent())
    }

    /// Has a client looked after at the end of the turn. Returns true if nothing else had.
    pub(super) fn mark_dirty(&mut self, slot: u32) -> bool {
        let session = self.sessions.get_mut(slot);
        let Some(session) = session.filter(|session| !session.dirty) else {
            return false;
        };
        session.dirty = true;
        self.dirty.push(slot);
        true
    }

    /// How many clients are to be looked after.
    pub(super) fn dirty_count(&self) -> usize {
        self.dirty.len()
    }

    /// The nth client that is to be looked after at the end of the turn.
    pub(super) fn nth_dirty(&self, nth: usize) -> Option<u32> {
        self.dirty.get(nth).copied()
    }

    /// The clients to be looked after, at the end of the turn.
    pub(super) fn take_dirty(&mut self) -> Vec<u32> {
        mem::take(&mut self.dirty)
    }

    /// Takes that list back, whose clients were looked after, to be used again.
    pub(super) fn give_back_dirty(&mut self, slots: Vec<u32>) {
        self.dirty = slots;
        self.dirty.clear();
    }

    /// A client was looked after.
    pub(super) fn is_tended(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.dirty = false;
        }
    }

    /// Closes clients that were silent for too long.
    pub(super) fn end_silences(&mut self, now: Mono) {
        for _ in 0..SILENT_CLIENTS_MAX {
            let Some(slot) = self.silences.take_due(now) else {
                return;
            };
            let Some(session) = self.sessions.get(slot) else {
                continue;
            };
            if session.closing {
                continue;
            }
            // One that the server makes wait is not the one that is silent.
            let waits = session.is_owed() || session.paused || session.queued;
            // And one that listens has nothing to say.
            let waits = waits || session.is_subscriber() || session.monitors;
            let heard = if waits { now } else { session.heard };
            if now.since(heard) >= self.silences.limit {
                self.kill(slot);
            } else {
                self.look_at_silence(slot, heard);
            }
        }
    }

    /// Has a client looked at when it will have been silent for too long since `heard`.
    fn look_at_silence(&mut self, slot: u32, heard: Mono) {
        let limit = self.silences.limit;
        if !limit.is_zero()
            && let Some(session) = self.sessions.get_mut(slot)
        {
            session.silence_due = heard + limit;
            self.silences.add(session.silence_due, slot);
        }
    }

    /// Clients may be silent for so long; 0: for ever.
    pub(super) fn follow_timeout(&mut self, timeout_s: u64) {
        let limit = Duration::from_secs(timeout_s);
        if limit == self.silences.limit {
            return;
        }
        self.silences.clear();
        self.silences.limit = limit;
        for slot in self.sessions.slots() {
            let heard = self.sessions.get(slot).map(|session| session.heard);
            self.look_at_silence(slot, heard.unwrap_or_default());
        }
    }

    /// When a client is to be looked at next.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let times = [
            self.silences.next(),
            self.waits.next(),
            self.limits.next(),
            self.pause_ends(),
        ];
        let at = times.into_iter().flatten().min()?;
        Some(Deadline {
            at,
            reason: Reason::Client,
        })
    }
}
