//! How a client ends: at once, or when it has taken what it is owed; and what it may hold before.
//!
//! A client is closed at once by CLIENT KILL, `timeout`, a limit or a rule. QUIT, a protocol error
//! and the end of a client's input leave it what it is owed, and a bounded time to take it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::ids::ConnId;
use crate::limits;
use crate::node::config::{Config, OutputLimit};
use crate::node::effect::{Complaint, Effect, Effects, Wrong};
use crate::session::transaction::Transaction;
use crate::session::{Blocked, Session};
use crate::time::Mono;

use super::Clients;
use super::describe::describe;
use super::publication::Publication;

/// The output limit of a client that has not authenticated.
const UNAUTHENTICATED: OutputLimit = OutputLimit {
    hard: limits::UNAUTHENTICATED_OUTPUT_BYTES_MAX,
    soft: limits::UNAUTHENTICATED_UNREAD_BYTES_MAX,
    soft_s: 1,
};

fn output_limit(config: &Config, session: &Session) -> OutputLimit {
    if !session.authenticated {
        UNAUTHENTICATED
    } else if session.is_subscriber() || session.monitors {
        config.output_limits.pubsub
    } else {
        config.output_limits.normal
    }
}

impl Clients {
    /// Takes no more requests of a client, and closes it when what it is owed has left or it has
    /// had its time.
    pub(in crate::node) fn close(&mut self, slot: u32) {
        self.release(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.closing = true;
        }
        self.mark_dirty(slot);
    }

    /// Closes a client at once.
    pub(in crate::node) fn kill(&mut self, slot: u32) {
        self.release(slot);
        self.unwatch(slot);
        self.unsubscribe_all(slot);
        self.end_monitoring(slot);
        self.track_no_more(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.closing = true;
            session.killed = true;
            session.forget_all();
        }
        self.mark_dirty(slot);
    }

    /// Closes a client at once that has done wrong. Gives the line that is to be logged, if it is
    /// time for one.
    pub(in crate::node) fn send_away(
        &mut self,
        slot: u32,
        wrong: Wrong,
        now: Mono,
        is_stopping: bool,
    ) -> Option<Complaint> {
        let session = self.sessions.get(slot)?;
        let complaint = self.limits.complain(wrong, now).map(|others| Complaint {
            wrong,
            client: describe(session, now, is_stopping),
            others,
        });
        self.kill(slot);
        complaint
    }

    /// A client will send nothing more.
    pub(in crate::node) fn ended(&mut self, conn: ConnId, now: Mono) {
        self.ending(conn, now);
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
    pub(in crate::node) fn ending(&mut self, conn: ConnId, now: Mono) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(slot) {
            session.waits_until.get_or_insert(now + limits::LINGER);
        }
        self.shorten_wait(slot);
        self.mark_dirty(slot);
    }

    /// A client has taken so many bytes.
    pub(in crate::node) fn sent(&mut self, conn: ConnId, count: usize, now: Mono) {
        let Some(slot) = self.sessions.slot(conn) else {
            return;
        };
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

    /// Returns true if more waits for a client than it may ever leave unread.
    pub(in crate::node) fn is_over_limit(&self, slot: u32, config: &Config) -> bool {
        self.sessions.get(slot).is_some_and(|session| {
            let hard = output_limit(config, session).hard;
            hard > 0 && session.unread() as u64 >= hard
        })
    }

    /// Returns true if the reply that is being made for a client is longer than it may be where no
    /// limit is configured. A reply without repetitions is never twice as long as the data, of
    /// which there are `data` bytes.
    fn asks_for_too_much(&self, slot: u32, data: usize, config: &Config) -> bool {
        let most = config.output_limits.reply.max(data as u64 * 2);
        let session = self.sessions.get(slot);
        session.is_some_and(|session| session.collecting as u64 > most)
    }

    /// Returns true if a client is to be sent away for what it leaves unread: more than it ever
    /// may, or for too long more than it should.
    pub(in crate::node) fn leaves_too_much(
        &mut self,
        slot: u32,
        now: Mono,
        data: usize,
        config: &Config,
    ) -> bool {
        if self.is_over_limit(slot, config) || self.asks_for_too_much(slot, data, config) {
            return true;
        }
        let Some(session) = self.sessions.get_mut(slot) else {
            return false;
        };
        let limit = output_limit(config, session);
        let crowded = limit.soft > 0 && session.unread() as u64 >= limit.soft;
        let since = session.crowded_since.filter(|_| crowded);
        if since.is_some_and(|since| now.since(since).as_secs() >= limit.soft_s.max(1)) {
            return true;
        }
        session.crowded_since = crowded.then(|| since.unwrap_or(now));
        false
    }

    /// The reply that is being made for a client in pieces is so long by now; 0 at its end.
    pub(in crate::node) fn collects(&mut self, slot: u32, conn: ConnId, bytes: usize) {
        if let Some(session) = self.sessions.get_same(slot, conn) {
            session.collecting = bytes;
            // At the end of the turn its limits are looked at.
            self.mark_dirty(slot);
            self.count_memory(slot);
        }
    }

    /// Returns true if a client's unfinished request, together with what MULTI has queued, is too
    /// large.
    pub(in crate::node) fn asks_too_much(&self, slot: u32, config: &Config) -> bool {
        let Some(session) = self.sessions.get(slot) else {
            return false;
        };
        let most = if session.authenticated {
            config.query_buffer_max
        } else {
            limits::QUERY_BUFFER_BYTES_MIN
        };
        let queued = session.transaction.as_ref();
        let queued = queued.map_or(0, Transaction::memory);
        session.inbound.len() + queued > most
    }

    /// The end of a turn for one client: what the driver is asked to do about it, and when it is
    /// looked at again.
    pub(in crate::node) fn settle(
        &mut self,
        slot: u32,
        now: Mono,
        config: &Config,
        out: &mut Effects,
    ) {
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
            session.outbox.seal(config.bounds.reply_block_bytes);
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
        self.schedule(slot, config);
        self.count_memory(slot);
    }

    /// Notes when a client is to be looked at again.
    fn schedule(&mut self, slot: u32, config: &Config) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let limit = output_limit(config, session);
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
        if session.due != at {
            let before = core::mem::replace(&mut session.due, at);
            self.limits.look_at(slot, before, at);
        }
    }

    /// The next client whose time has come, and whether it is to be sent away because it has not
    /// authenticated. A client that has not taken its last replies in time is closed.
    pub(in crate::node) fn next_due(&mut self, now: Mono) -> Option<(u32, bool)> {
        while let Some(slot) = self.limits.due(now) {
            self.look_at(slot, None);
            let Some(session) = self.sessions.get_mut(slot) else {
                continue;
            };
            if session.lingers_until.is_some_and(|until| until <= now) {
                // A client that takes a long reply at a sensible pace may have all of it.
                if session.lingering_taken < limits::LINGER_BYTES_MIN {
                    self.kill(slot);
                    continue;
                }
                session.lingering_taken = 0;
                session.lingers_until = Some(now + limits::LINGER);
            }
            let is_late = session.authenticate_until.is_some_and(|until| until <= now);
            return Some((slot, is_late));
        }
        None
    }

    /// Counts the memory of a client anew.
    pub(in crate::node) fn count_memory(&mut self, slot: u32) {
        self.release_shared(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            let (before, memory) = (session.counted, session.memory());
            session.counted = memory;
            self.limits.memory = self.limits.memory + memory - before;
            let (before, messages) = (session.counted_messages, session.outbox.shared_len());
            session.counted_messages = messages;
            self.limits.messages = self.limits.messages + messages - before;
        }
    }

    /// Counts the memory of those anew that have had to do with a turn.
    pub(in crate::node) fn count_dirty(&mut self) {
        for nth in 0..self.dirty_count() {
            if let Some(slot) = self.nth_dirty(nth) {
                self.count_memory(slot);
            }
        }
    }

    /// The memory that all sessions take, in bytes.
    pub(in crate::node) fn sessions_memory(&self) -> usize {
        self.limits.memory
    }

    /// The clients that must go for the others to take no more than so much, the largest first:
    /// none that CLIENT NO-EVICT protects. A message that is kept once counts for each of them, so
    /// that who does not read is among the largest.
    pub(in crate::node) fn too_much(&self, most: u64) -> Vec<u32> {
        let taken = self.sessions_memory() + self.limits.messages;
        let mut over = (taken as u64).saturating_sub(most);
        if over == 0 {
            return Vec::new();
        }
        let may_go = |slot: &u32| {
            let session = self.sessions.get(*slot)?;
            let is_spared = session.no_evict || session.killed;
            let size = session.counted + session.counted_messages;
            (!is_spared).then_some((size as u64, *slot))
        };
        let mut sizes: Vec<(u64, u32)> = self.sessions.slots().iter().filter_map(may_go).collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let goes = |(size, slot): (u64, u32)| {
            let goes = over > 0;
            over = over.saturating_sub(size);
            goes.then_some(slot)
        };
        sizes.into_iter().map_while(goes).collect()
    }

    /// More is queued for a client in the middle of its turn, in bytes.
    pub(in crate::node) fn has_grown(&mut self, slot: u32, bytes: usize) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.counted += bytes;
            self.limits.memory += bytes;
        }
    }

    /// A client is gone: nothing of it is kept.
    pub(super) fn forget(&mut self, slot: u32) {
        self.look_at(slot, None);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.outbox.clear();
        }
        self.release_shared(slot);
        if let Some(session) = self.sessions.get_mut(slot) {
            self.limits.memory -= core::mem::take(&mut session.counted);
            self.limits.messages -= core::mem::take(&mut session.counted_messages);
        }
    }

    /// The memory that clients take for what they have sent and for what they are owed, in bytes.
    pub(in crate::node) fn memory(&self) -> usize {
        self.limits.memory
            + self.channels.memory()
            + self.shared.memory()
            + self.notices.bytes
            + self.tracker.memory()
    }

    /// Checks how many hold the bytes that clients share.
    fn check_shared(&self) -> Result<(), String> {
        let mut held: BTreeMap<u64, usize> = BTreeMap::new();
        let waiting = self.sessions.iter().flat_map(|one| one.outbox.shared());
        let coming = self.publishing.all().map(Publication::shared);
        for id in waiting.chain(coming).chain(self.channels.shared()) {
            *held.entry(id).or_default() += 1;
        }
        let known = self.shared.holders();
        if held == known {
            return Ok(());
        }
        Err(alloc::format!(
            "shared bytes are held by {held:?}, and {known:?} are counted"
        ))
    }

    /// Checks how clients are kept, when the effects of a turn are done, for a judge.
    pub(in crate::node) fn check(&self, now: Mono, most: Option<u64>) -> Result<(), String> {
        let counted: usize = self.sessions.iter().map(|session| session.memory()).sum();
        if counted != self.limits.memory {
            let known = self.limits.memory;
            return Err(alloc::format!(
                "clients take {counted} bytes, and {known} are counted"
            ));
        }
        let waiting = |one: &Session| one.outbox.shared_len();
        let messages: usize = self.sessions.iter().map(waiting).sum();
        if messages != self.limits.messages {
            let known = self.limits.messages;
            return Err(alloc::format!(
                "messages of {messages} bytes wait for clients, and {known} are counted"
            ));
        }
        let counted = counted + messages;
        let kept = self.sessions.iter().find(|one| !one.no_evict);
        if let (Some(most), Some(kept)) = (most, kept)
            && counted as u64 > most
        {
            let id = kept.conn.0;
            return Err(alloc::format!(
                "clients take {counted} bytes, {most} are allowed, and c{id} is kept"
            ));
        }
        self.check_shared()?;
        self.check_watches()?;
        let over = |at: Option<Mono>| at.is_some_and(|at| at <= now);
        // A wait for a time is ended by a later turn if many are over.
        let may_be_told_later = |session: &Session| {
            self.tells_later && session.blocked.is_some_and(Blocked::is_for_a_time)
        };
        let late = self.sessions.iter().find(|session| {
            session.killed
                || over(session.lingers_until)
                || over(session.authenticate_until)
                || over(session.gives_up_at()) && !may_be_told_later(session)
        });
        late.map_or(Ok(()), |session| {
            let id = session.conn.0;
            Err(alloc::format!("c{id} is to be gone, and is kept"))
        })
    }
}
