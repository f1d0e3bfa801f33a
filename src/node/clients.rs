//! Clients come and go.

use crate::ids::ConnId;
use crate::resp::reply::{Protocol, Reply};
use crate::session::{Blocked, Session};
use crate::time::{Deadline, Mono, Reason};

use super::Node;
use super::effect::Effect;
use super::witness::Answer;

impl Node {
    pub(super) fn opened(&mut self, conn: ConnId, address: &str) {
        let open = self.config.requirepass.is_empty();
        let mut session = Session::new(conn, self.now.mono, open);
        session.address.push_str(address);
        self.stats.connections += 1;
        if self.sessions.len() >= self.config.clients_max as usize {
            self.stats.rejected_connections += 1;
            Reply::new(session.outbox.buffer(), Protocol::Resp2)
                .error("ERR max number of clients reached");
            session.closing = true;
        }
        let slot = self.sessions.insert(session);
        self.mark_dirty(slot);
    }

    pub(super) fn closed(&mut self, conn: ConnId) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        self.unwatch(slot);
        self.sessions.remove(conn);
    }

    /// Puts a client on the list of those whom `flush` looks after.
    pub(super) fn mark_dirty(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot)
            && !session.dirty
        {
            session.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Closes a client when what it is owed has left.
    pub(super) fn close_client(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.closing = true;
            session.blocked = None;
        }
        self.mark_dirty(slot);
    }

    /// Looks again at requests that were kept while their client could not be served.
    pub(super) fn resume_paused(&mut self) {
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
    pub(super) fn tend_clients(&mut self) {
        let now = self.now.mono;
        if self.next_client_deadline().is_none_or(|at| at > now) {
            return;
        }
        for slot in self.sessions.slots() {
            let Some(session) = self.sessions.get_mut(slot) else {
                continue;
            };
            if let Some(Blocked::Wait { until: Some(until) }) = session.blocked
                && until <= now
            {
                session.blocked = None;
                // A group of one has no replicas that could have acknowledged.
                session.reply().integer(0);
                let conn = session.conn;
                self.note_answer(conn, Answer::Other);
                self.mark_dirty(slot);
            }
            if self.is_silent_too_long(slot) {
                self.close_client(slot);
            }
        }
    }

    fn is_silent_too_long(&self, slot: u32) -> bool {
        let limit = self.config.timeout_s;
        limit > 0
            && self.sessions.get(slot).is_some_and(|session| {
                session.blocked.is_none() && self.now.mono.since(session.heard).as_secs() >= limit
            })
    }

    fn next_client_deadline(&self) -> Option<Mono> {
        let limit = core::time::Duration::from_secs(self.config.timeout_s);
        let silence = |session: &Session| (!limit.is_zero()).then(|| session.heard + limit);
        let waits = |session: &Session| match session.blocked {
            Some(Blocked::Wait { until }) => until,
            None => None,
        };
        self.sessions
            .iter()
            .filter_map(|s| silence(s).into_iter().chain(waits(s)).min())
            .min()
    }

    pub(super) fn client_deadline(&self) -> Option<Deadline> {
        if self.config.timeout_s == 0 && self.blocked_clients == 0 {
            return None;
        }
        let at = self.next_client_deadline()?;
        Some(Deadline {
            at,
            reason: Reason::Client,
        })
    }
}
