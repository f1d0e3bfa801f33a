//! Clients come and go.

use core::time::Duration;

use crate::ids::ConnId;
use crate::limits::UNAUTHENTICATED_TIME_MAX;
use crate::node::Node;
use crate::node::effect::Effect;
use crate::resp::reply::{Protocol, Reply};
use crate::session::Session;
use crate::time::{Deadline, Mono, Reason};

/// How many silent clients one turn looks at; the others are the next turn's.
const SILENT_CLIENTS_MAX: usize = 256;

impl Node {
    pub(in crate::node) fn opened(
        &mut self,
        conn: ConnId,
        address: &str,
        local: &str,
        descriptor: i32,
    ) {
        let open = self.config.requirepass.is_empty();
        let mut session = Session::new(conn, self.now.mono, open);
        session.address.push_str(address);
        session.local.push_str(local);
        session.descriptor = descriptor;
        session.authenticate_until = (!open).then(|| self.now.mono + UNAUTHENTICATED_TIME_MAX);
        let is_rejected = self.sessions.len() >= self.config.clients_max as usize;
        self.metrics.connected(is_rejected);
        if is_rejected {
            Reply::new(session.outbox.buffer(), Protocol::Resp2)
                .error("ERR max number of clients reached");
            session.closing = true;
        }
        let heard = session.heard;
        let slot = self.sessions.insert(session);
        self.look_at_silence(slot, heard);
        self.mark_dirty(slot);
    }

    pub(in crate::node) fn closed(&mut self, conn: ConnId) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        self.unwatch(slot);
        self.release(slot);
        self.forget_client(slot);
        if let Some(session) = self.sessions.remove(conn) {
            self.silences.remove(session.silence_due, slot);
        }
    }

    /// Puts a client on the list of those whom `flush` looks after.
    pub(in crate::node) fn mark_dirty(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot)
            && !session.dirty
        {
            session.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Looks again at requests that were kept while their client could not be served.
    pub(in crate::node) fn resume_paused(&mut self) {
        for at in 0..self.dirty.len() {
            let slot = self.dirty[at];
            let paused = self
                .sessions
                .get(slot)
                .is_some_and(|session| session.paused);
            if !paused || !self.may_take(slot) {
                continue;
            }
            if let Some(session) = self.sessions.get_mut(slot) {
                session.paused = false;
                self.effects.push(Effect::Resume { conn: session.conn });
            }
            self.received(slot, &[]);
        }
    }

    /// Ends what clients wait for, and the silence of those who said nothing for too long.
    pub(in crate::node) fn tend_clients(&mut self) {
        self.tend_blocked();
        self.follow_timeout();
        let now = self.now.mono;
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
            let heard = if waits { now } else { session.heard };
            if now.since(heard) >= self.silences.limit {
                self.kill_client(slot);
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

    /// Takes up another limit for silence where the configuration has one.
    fn follow_timeout(&mut self) {
        let limit = Duration::from_secs(self.config.timeout_s);
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

    pub(in crate::node) fn client_deadline(&self) -> Option<Deadline> {
        let times = [self.silences.next(), self.waits.next()];
        let at = times.into_iter().flatten().min()?;
        Some(Deadline {
            at,
            reason: Reason::Client,
        })
    }
}

#[cfg(test)]
mod tests;
