//! How a client ends: at once, or when it has taken what it is owed; and what it may hold before.
//!
//! A client is closed at once by CLIENT KILL, `timeout`, a limit or a rule. QUIT, a protocol error
//! and the end of a client's input leave it what it is owed, and a bounded time to take it.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use core::time::Duration;

use crate::ids::ConnId;
use crate::limits;
use crate::node::Node;
use crate::node::config::OutputLimit;
use crate::node::effect::{Complaint, Effect, Effects, Note, Wrong};
use crate::session::transaction::Transaction;
use crate::time::{Deadline, Mono, Reason};

/// What may wait for a client that has not authenticated.
const UNAUTHENTICATED: OutputLimit = OutputLimit {
    hard: limits::UNAUTHENTICATED_OUTPUT_BYTES_MAX,
    soft: limits::UNAUTHENTICATED_UNREAD_BYTES_MAX,
    soft_s: 1,
};
/// How often one kind of wrong is worth a line in the log.
const COMPLAINT_EVERY: Duration = Duration::from_secs(1);

/// What is kept of all clients together.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct ClientLimits {
    /// When clients are to be looked at again, by time and slot.
    due: BTreeSet<(Mono, u32)>,
    /// The memory that all of them take, in bytes, as it was last counted.
    memory: usize,
    /// By kind of wrong: when a line was last written, and how many were left out since.
    complaints: [Option<(Mono, u64)>; 4],
}

impl Node {
    /// Takes no more requests of a client, and closes it when what it is owed has left or it has
    /// had its time.
    pub(in crate::node) fn close_client(&mut self, slot: u32) {
        self.release(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.closing = true;
        }
        self.mark_dirty(slot);
    }

    /// Closes a client at once.
    pub(in crate::node) fn kill_client(&mut self, slot: u32) {
        self.release(slot);
        self.unwatch(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.closing = true;
            session.killed = true;
            session.forget_all();
        }
        self.mark_dirty(slot);
    }

    /// Closes a client at once that has done wrong, and says so.
    pub(in crate::node) fn send_away(&mut self, slot: u32, wrong: Wrong) {
        let Some(client) = self.sessions.get(slot).map(|s| self.describe(s)) else {
            return;
        };
        self.metrics.sent_away(wrong);
        self.complain(wrong, client);
        self.kill_client(slot);
    }

    /// Whoever can connect can do wrong as often as it likes: there is a line for it now and then.
    fn complain(&mut self, wrong: Wrong, client: String) {
        let now = self.now.mono;
        let last = &mut self.client_limits.complaints[wrong as usize];
        let others = match last {
            Some((at, left_out)) if now.since(*at) < COMPLAINT_EVERY => {
                *left_out += 1;
                return;
            }
            Some((_, left_out)) => *left_out,
            None => 0,
        };
        *last = Some((now, 0));
        let complaint = Complaint {
            wrong,
            client,
            others,
        };
        self.effects
            .push(Effect::Note(Box::new(Note::ClientClosed(Box::new(
                complaint,
            )))));
    }

    /// A client will send nothing more.
    pub(in crate::node) fn ended(&mut self, conn: ConnId) {
        self.ending(conn);
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(slot) {
            session.ended = true;
        }
        self.mark_dirty(slot);
    }

    /// A client will send nothing behind what it has sent: it may be gone, and nobody could tell.
    /// It is given what it has asked, but what it waits for is over when its time is.
    pub(in crate::node) fn ending(&mut self, conn: ConnId) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        let until = self.now.mono + limits::LINGER;
        if let Some(session) = self.sessions.get_mut(slot) {
            session.waits_until.get_or_insert(until);
        }
        self.shorten_wait(slot);
        self.mark_dirty(slot);
    }

    /// A client has taken so many bytes.
    pub(in crate::node) fn sent(&mut self, conn: ConnId, count: usize) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        let now = self.now.mono;
        if let Some(session) = self.sessions.get_mut(slot) {
            session.outbox.sent(count);
            session.heard = now;
            session.lingering_taken += count;
            if session.crowded_since.is_some() {
                self.mark_dirty(slot);
            }
        }
        self.count_memory(slot);
    }

    /// Whether more waits for a client than it may ever leave unread.
    pub(in crate::node) fn is_over_limit(&self, slot: u32) -> bool {
        self.sessions.get(slot).is_some_and(|session| {
            let hard = self.output_limit(session.authenticated).hard;
            hard > 0 && session.outbox.len() as u64 >= hard
        })
    }

    fn output_limit(&self, authenticated: bool) -> OutputLimit {
        if authenticated {
            self.config.output_limits.normal
        } else {
            UNAUTHENTICATED
        }
    }

    /// The end of a turn for one client: whether it is over a limit, when it is looked at again,
    /// and what is done about it now.
    pub(in crate::node) fn settle_client(&mut self, slot: u32, out: &mut Effects) {
        self.enforce_limits(slot);
        let now = self.now.mono;
        self.see_buffers(slot, 0);
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let conn = session.conn;
        if session.killed {
            out.push(Effect::Close {
                conn,
                linger: false,
            });
        } else {
            if !session.outbox.is_empty() {
                out.push(Effect::Send { conn });
            }
            // What it has sent whole is looked at first, and answered.
            session.closing |=
                session.ended && !session.paused && !session.queued && !session.is_owed();
            if session.closing && !session.is_owed() {
                if session.lingers_until.is_none() {
                    session.lingers_until = Some(now + limits::LINGER);
                    session.lingering_taken = 0;
                }
                out.push(Effect::Close { conn, linger: true });
            }
        }
        self.schedule(slot);
        self.count_memory(slot);
    }

    /// Closes a client whose unfinished request, together with what MULTI has queued, is too large;
    /// as in Redis without a word, since the client is still busy with its request.
    pub(in crate::node) fn enforce_query_limit(&mut self, slot: u32) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let most = if session.authenticated {
            self.config.query_buffer_max
        } else {
            limits::QUERY_BUFFER_BYTES_MIN
        };
        let queued = session.transaction.as_ref();
        let queued = queued.map_or(0, Transaction::memory);
        if session.inbound.len() + queued > most {
            self.send_away(slot, Wrong::Query);
        }
    }

    fn enforce_limits(&mut self, slot: u32) {
        let now = self.now.mono;
        if self.is_over_limit(slot) {
            return self.send_away(slot, Wrong::Output);
        }
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let limit = self.output_limit(session.authenticated);
        let crowded = limit.soft > 0 && session.outbox.len() as u64 >= limit.soft;
        let since = session.crowded_since.filter(|_| crowded);
        if since.is_some_and(|since| now.since(since).as_secs() >= limit.soft_s.max(1)) {
            return self.send_away(slot, Wrong::Output);
        }
        if let Some(session) = self.sessions.get_mut(slot) {
            session.crowded_since = crowded.then(|| since.unwrap_or(now));
        }
    }

    /// Notes when a client is to be looked at again.
    fn schedule(&mut self, slot: u32) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let limit = self.output_limit(session.authenticated);
        let at = if session.killed {
            None
        } else {
            let crowded = session
                .crowded_since
                .map(|since| since + Duration::from_secs(limit.soft_s.max(1)));
            let others = [session.authenticate_until, session.gives_up_at()];
            [crowded, session.lingers_until]
                .into_iter()
                .chain(others)
                .flatten()
                .min()
        };
        self.look_at(slot, at);
    }

    fn look_at(&mut self, slot: u32, at: Option<Mono>) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        if session.due == at {
            return;
        }
        if let Some(before) = core::mem::replace(&mut session.due, at) {
            self.client_limits.due.remove(&(before, slot));
        }
        if let Some(at) = at {
            self.client_limits.due.insert((at, slot));
        }
    }

    /// Ends the clients whose time is over.
    pub(in crate::node) fn tend_due(&mut self) {
        let now = self.now.mono;
        while let Some(&(at, slot)) = self.client_limits.due.first()
            && at <= now
        {
            self.look_at(slot, None);
            let Some(session) = self.sessions.get_mut(slot) else {
                continue;
            };
            if session.lingers_until.is_some_and(|until| until <= now) {
                // A client that takes a long reply at a sensible pace may have all of it.
                if session.lingering_taken < limits::LINGER_BYTES_MIN {
                    self.kill_client(slot);
                    continue;
                }
                session.lingering_taken = 0;
                session.lingers_until = Some(now + limits::LINGER);
            }
            if session.authenticate_until.is_some_and(|until| until <= now) {
                self.send_away(slot, Wrong::Unauthenticated);
            }
            self.end_wait_of_ended(slot);
            self.mark_dirty(slot);
        }
    }

    /// When a client is to be looked at next.
    pub(in crate::node) fn due_deadline(&self) -> Option<Deadline> {
        let (at, _) = *self.client_limits.due.first()?;
        Some(Deadline {
            at,
            reason: Reason::Client,
        })
    }

    /// Counts the memory of a client anew.
    pub(in crate::node) fn count_memory(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot) {
            let (before, memory) = (session.counted, session.memory());
            session.counted = memory;
            self.client_limits.memory = self.client_limits.memory + memory - before;
        }
    }

    /// Takes note of how much a client has at hand: of requests beside what is kept of them, and of
    /// replies.
    pub(in crate::node) fn see_buffers(&mut self, slot: u32, arrived: usize) {
        if let Some(session) = self.sessions.get(slot) {
            let sizes = [session.inbound.len() + arrived, session.outbox.len()];
            self.metrics.see_buffers(self.now.mono, sizes);
        }
    }

    /// More is queued for a client in the middle of its turn.
    pub(in crate::node) fn has_grown(&mut self, slot: u32, bytes: usize) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.counted += bytes;
            self.client_limits.memory += bytes;
        }
    }

    /// A client is gone: nothing of it is kept.
    pub(in crate::node) fn forget_client(&mut self, slot: u32) {
        self.look_at(slot, None);
        if let Some(session) = self.sessions.get_mut(slot) {
            self.client_limits.memory -= core::mem::take(&mut session.counted);
        }
    }

    /// The memory that clients take for what they have sent and for what they are owed, in bytes.
    pub(in crate::node) fn clients_memory(&self) -> usize {
        self.client_limits.memory
    }

    /// What a judge finds wrong with how clients are kept, when the effects of a turn are done.
    pub fn check_clients(&self) -> Result<(), String> {
        let counted: usize = self.sessions.iter().map(|session| session.memory()).sum();
        if counted != self.client_limits.memory {
            let known = self.client_limits.memory;
            return Err(alloc::format!(
                "clients take {counted} bytes, and {known} are counted"
            ));
        }
        let now = self.now.mono;
        let over = |at: Option<Mono>| at.is_some_and(|at| at <= now);
        let late = self.sessions.iter().find(|session| {
            session.killed
                || over(session.lingers_until)
                || over(session.authenticate_until)
                || over(session.gives_up_at())
        });
        late.map_or(Ok(()), |session| {
            let id = session.conn.0;
            Err(alloc::format!("c{id} is to be gone, and is kept"))
        })
    }
}

/// What a browser says first. No command has such a name, and nothing behind it is one.
pub(in crate::node) fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}
