//! From bytes to decisions: what a request is, who runs it, and when.

use alloc::vec::Vec;
use core::mem;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::row::{Kind, Row};
use crate::command::table;
use crate::command::verb::{ClientVerb, ServerVerb, SessionVerb};
use crate::limits;
use crate::node::Node;
use crate::node::effect::{Effect, Wrong};
use crate::node::metrics::slowlog::Piece;
use crate::node::requests::admit::Admitted;
use crate::node::requests::ahead::fetch_requests;
use crate::node::requests::hold::Long;
use crate::node::requests::lookup::{
    called_by, is_transaction_verb, may_wait, needs_leader, row_of,
};
use crate::node::requests::outcome::{Trouble, finish, is_elsewhere, write_error};
use crate::node::witness::Answer;
use crate::resp::parse::{Limits, ProtocolError, Step};
use crate::resp::reply::Reply;
use crate::session::Session;
use crate::session::inbound::Inbound;
use crate::session::parked::Unparked;
use crate::time::Stamp;

impl Node {
    /// Takes a client's bytes: as many requests as are whole and may be looked at now; the rest is
    /// kept.
    pub(in crate::node) fn received(&mut self, slot: u32, bytes: &[u8]) {
        self.see_buffers(slot, bytes.len());
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        if session.closing {
            return;
        }
        let mut bytes = bytes;
        if session.queued {
            // What belongs to a large argument is never among the kept bytes.
            if let Some(large) = &mut session.inbound.large {
                large.feed(&mut bytes);
            }
            session.inbound.keep(bytes);
            self.clients.count_memory(slot);
            return;
        }
        let mut inbound = mem::take(&mut session.inbound);
        let mut share = self
            .requests
            .turn
            .share_of(&self.clients, slot, self.config.client_work);
        if let Some(large) = &mut inbound.large {
            let fed = large.feed(&mut bytes);
            if fed > 0 {
                share.spend(fed, 0);
            }
            if large.missing > 0 {
                self.requests
                    .turn
                    .end_share(&mut self.clients, slot, share, share.is_used_up());
                self.keep_inbound(slot, inbound);
                return;
            }
        }
        let was_kept = !inbound.kept.is_empty();
        if was_kept {
            inbound.keep(bytes);
        }
        let kept = mem::take(&mut inbound.kept);
        let buffer = if was_kept { &kept[..] } else { bytes };
        let (mut at, mut paused, mut waits, mut taken) = (0, false, false, 0..0);
        // Most requests come alone: only who has sent more than one is looked at ahead. And what is
        // not answered at once, as a write, looks for its keys when its entry is applied.
        let (mut fetched, mut is_answered) = (1, false);
        loop {
            if fetched == 0 && is_answered {
                let db = self.clients.get(slot).map_or(0, |session| session.db);
                let parser = &mut self.requests.ahead;
                fetched = fetch_requests(&self.store, db, &buffer[at..], parser);
            }
            fetched = fetched.saturating_sub(1);
            if !self.may_take(slot) {
                paused = true;
                break;
            }
            if share.is_used_up() {
                waits = true;
                break;
            }
            // AUTH and RESET may stand in the same bytes, before what they allow or forbid.
            let limits = self.limits_of(slot);
            match inbound.parser.next(&buffer[at..], &limits) {
                Ok(Step::Request { consumed }) if inbound.large.is_some() => {
                    self.end_large(slot, &mut inbound, &buffer[at..]);
                    at += consumed;
                }
                Ok(Step::Request { consumed }) => {
                    let rest = &buffer[at..];
                    let args = Args::new(inbound.parser.bytes(rest), inbound.parser.arguments());
                    if self.must_wait(slot, args) {
                        self.goes_ahead(slot, args);
                        self.await_store(slot);
                        break;
                    }
                    let before = self.unsent_bytes(slot);
                    self.requests.read_work = 0;
                    if !self.request(slot, args) {
                        paused = true;
                        break;
                    }
                    let written = self.unsent_bytes(slot).saturating_sub(before);
                    share.spend(consumed + written, self.requests.read_work);
                    is_answered = written > 0;
                    at += consumed;
                    if !limits.authenticated && self.clients.is_over_limit(slot, &self.config) {
                        self.send_away(slot, Wrong::Output);
                    }
                }
                Ok(Step::Empty { consumed }) => at += consumed,
                Ok(Step::Incomplete { .. }) => {
                    taken = self.begin_large(slot, &mut inbound, &buffer[at..]);
                    share.spend(taken.len(), 0);
                    break;
                }
                Err(error) => {
                    self.protocol_error(slot, error);
                    at = buffer.len();
                    break;
                }
            }
        }
        let len = buffer.len();
        if was_kept {
            inbound.kept = kept;
            inbound.drop_front(at);
        } else if at < len {
            inbound.keep(&bytes[at..]);
        }
        inbound.kept.drain(taken);
        if let Some(session) = self.clients.get_mut(slot) {
            session.paused = paused && at < len;
        }
        self.requests
            .turn
            .end_share(&mut self.clients, slot, share, waits);
        self.keep_inbound(slot, inbound);
        self.clients.mark_dirty(slot);
    }

    /// Looks again at the bytes of those who wait for their turn, in order, as far as the turn
    /// goes.
    pub(in crate::node) fn take_turns(&mut self) {
        // Whatever others have taken, the first has its share, or it might wait for ever.
        self.requests.turn.reserve(self.config.client_work);
        for _ in 0..self.requests.turn.waiting() {
            let Some((slot, conn)) = self.requests.turn.next() else {
                break;
            };
            let Some(session) = self.clients.get_same(slot, conn) else {
                continue;
            };
            session.queued = false;
            self.received(slot, &[]);
            let session = self.clients.get(slot);
            if session.is_some_and(|session| !session.queued && !session.closing) {
                self.effects.push(Effect::Resume { conn });
            }
            if self.requests.turn.is_over() {
                break;
            }
        }
        // Those that waited for an entry have had their turn.
        self.requests.hold.readers_first = false;
    }

    fn unsent_bytes(&self, slot: u32) -> usize {
        let session = self.clients.get(slot);
        session.map_or(0, |session| session.outbox.len())
    }

    /// Keeps what is no request yet, unless it is too much or what ends the conversation stands in
    /// front of it.
    fn keep_inbound(&mut self, slot: u32, inbound: Inbound) {
        if let Some(session) = self.clients.get_mut(slot) {
            if session.closing {
                session.paused = false;
            } else {
                session.inbound = inbound;
            }
        }
        self.enforce_query_limit(slot);
        self.clients.count_memory(slot);
    }

    /// The bounds of a client's next request.
    fn limits_of(&self, slot: u32) -> Limits {
        match self.clients.get(slot) {
            Some(session) if session.authenticated => Limits::normal(),
            _ => Limits::unauthenticated(),
        }
    }

    /// Returns true if the next request of this client may be looked at.
    pub(in crate::node) fn may_take(&self, slot: u32) -> bool {
        self.clients.get(slot).is_some_and(|session| {
            !session.closing
                && session.blocked.is_none()
                && session.assembling.is_none()
                && !(session.will_wait && session.is_busy())
                && session.parked.len() <= self.config.bounds.parked_bytes
        })
    }

    fn protocol_error(&mut self, slot: u32, error: ProtocolError) {
        self.metrics.protocol_error();
        if let Some(session) = self.clients.get_mut(slot) {
            session.ends_skip();
        }
        self.answer(slot, |reply| error.write(reply));
        self.clients.close(slot);
    }

    /// One request, whole. False where it must wait for what its client has asked before.
    pub(in crate::node) fn request(&mut self, slot: u32, args: Args<'_>) -> bool {
        if is_http(args.name()) {
            self.send_away(slot, Wrong::Http);
            return true;
        }
        let found = table::find(args.name());
        let is_shown = self.clients.has_monitors();
        let Some(session) = self.clients.get_mut(slot) else {
            return true;
        };
        let called = found.map(|row| called_by(row, args));
        if called.is_some_and(|row| waits_for_own(session, row, is_shown)) {
            return false;
        }
        let reply_mode = session.reply_mode;
        session.ends_skip();
        let mut said = None;
        if let Some(tracking) = &mut session.tracking {
            said = Some(tracking.said);
            let is_own = || found.is_some_and(|row| row.name == "client");
            if session.transaction.is_none() && !is_own() {
                tracking.begins_request();
            }
        }
        let admitted = self.admit(slot, found, args);
        if let Ok(Admitted::Postponed) = admitted {
            if let Some(session) = self.clients.get_mut(slot) {
                session.reply_mode = reply_mode;
                if let Some(tracking) = &mut session.tracking {
                    tracking.said = said.unwrap_or_default();
                }
            }
            return false;
        }
        if let Err(trouble) = admitted {
            // As in Redis, what MULTI or WATCH complain of inside a transaction does not spoil it.
            let row = row_of(args).ok();
            let spoils = row.is_none_or(|row| !is_transaction_verb(row) || !row.takes(args.len()));
            let (Trouble::Rejected(error) | Trouble::Failed(error)) = &trouble;
            if (spoils || is_elsewhere(error))
                && let Some(transaction) = self
                    .clients
                    .get_mut(slot)
                    .and_then(|session| session.transaction.as_mut())
            {
                transaction.failed = true;
            }
            let error = match trouble {
                Trouble::Rejected(error) => {
                    self.metrics.rejected(row, &error);
                    error
                }
                Trouble::Failed(error) => {
                    self.metrics.failed(row, &error);
                    error
                }
            };
            self.answer(slot, |reply| write_error(reply, &error));
        }
        if self.clients.monitors(slot)
            && let Some(session) = self.clients.get_mut(slot).filter(|one| !one.is_busy())
        {
            // Behind its answer it is shown its own request.
            session.outbox.end_reply();
        }
        true
    }

    /// Runs a request that changes nothing, or parks it behind the writes of its own session.
    pub(super) fn run_or_park(&mut self, slot: u32, row: &'static Row, args: Args<'_>) {
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        let (db, protocol, silent) = (session.db, session.protocol, session.is_silent());
        if session.is_busy() {
            session.will_wait |= may_wait(row);
            session
                .parked
                .park(session.proposed, db, protocol, silent, args);
            return;
        }
        let mut out = mem::take(session.outbox.buffer());
        let mark = out.len();
        let is_old = !self.serves() && needs_leader(row);
        // Only a leader can let time pass for a key that is due.
        let clock = if is_old {
            self.replicated.stamp()
        } else {
            self.clock()
        };
        let mut reply = Reply::new(&mut out, protocol);
        let outcome = self.run(slot, row, args, db, clock, &mut reply);
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        match outcome {
            Err(Error::Unfinished) => {
                let begun = out.split_off(mark);
                *session.outbox.buffer() = out;
                let long = Long {
                    row,
                    db,
                    protocol,
                    silent,
                    clock,
                    is_old,
                };
                self.hold_for(slot, long, args, begun);
            }
            Err(Error::Due) => {
                out.truncate(mark);
                session
                    .parked
                    .park(session.proposed + 1, db, protocol, silent, args);
                *session.outbox.buffer() = out;
                self.wait_for_time(slot);
            }
            outcome => {
                finish(&mut out, mark, protocol, silent, outcome);
                *session.outbox.buffer() = out;
                let conn = session.conn;
                // Who waits is answered when the wait is over.
                if !silent && session.blocked.is_none() {
                    let answer = if is_old { Answer::Old } else { answer_of(row) };
                    self.note_answer(conn, answer);
                }
                if self.replica.is_grouped() && !is_old && needs_leader(row) {
                    self.hold_reply(slot, mark);
                }
            }
        }
    }

    /// Runs a reading or a server command now.
    pub(in crate::node) fn run(
        &mut self,
        slot: u32,
        row: &'static Row,
        args: Args<'_>,
        db: u32,
        clock: Stamp,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        let mark = reply.mark();
        let outcome = match row.kind {
            Kind::Read(_) | Kind::Script(_) => {
                self.requests.reads += 1;
                let query = (db, clock, self.requests.reads);
                self.read_piece(row, query, slot, args, reply.reborrow())
            }
            Kind::Server(verb) => self.server_verb(slot, verb, args, db, reply),
            Kind::Write(_) | Kind::Session(_) | Kind::Container => Ok(()),
        };
        let written = reply.mark().saturating_sub(mark) / limits::BYTES_PER_WORK;
        let work = self.requests.read_work + written;
        match self.clients.get(slot) {
            _ if outcome == Err(Error::Unfinished) => {
                self.has_run_piece(row, Piece::Read, work);
            }
            // Who waits has not had its answer.
            Some(session) if session.blocked.is_some() => self.metrics.waits(row),
            session => {
                let client = session.map(|session| (slot, session.conn));
                // Who waits for time to pass is shown when it has.
                if outcome != Err(Error::Due) {
                    self.show((row, db), args, client);
                }
                self.counts_run(row, args, client, work);
            }
        }
        if let Err(error @ Error::Reply(_)) = &outcome {
            self.metrics.failed(Some(row), error);
        }
        outcome
    }

    /// Makes replicated time pass the clock: the session's next parked request runs right behind.
    pub(super) fn wait_for_time(&mut self, slot: u32) {
        self.wait_for_entry(slot, None);
    }

    /// Runs what was parked behind the writes that are applied by now.
    ///
    /// A parked request takes its place in the log's order, right behind the write that it waited
    /// for; there the only time is replicated time, so that it is never due.
    pub(in crate::node) fn run_parked(&mut self, slot: u32) {
        let mut ranges = mem::take(&mut self.requests.ranges_parked);
        loop {
            let has_done_enough = self.requests.hold.has_done_enough();
            let Some(session) = self.clients.get_mut(slot) else {
                break;
            };
            let applied = session.applied;
            if session.blocked.is_some() || !session.parked.is_due(applied) {
                break;
            }
            if has_done_enough {
                self.requests.hold.behind.push_back((slot, session.conn));
                break;
            }
            self.requests.read_work = 0;
            let mut parked = mem::take(&mut session.parked);
            let mut out = mem::take(session.outbox.buffer());
            let mark = out.len();
            let conn = session.conn;
            let item = parked.take(applied, &mut ranges);
            let (mut is_read, mut is_cut) = (false, false);
            match item {
                None => {}
                Some(Unparked::Reply(bytes)) => {
                    out.extend_from_slice(bytes);
                    self.note_answer(conn, Answer::of_reply(bytes));
                }
                Some(Unparked::Request {
                    db,
                    protocol,
                    silent,
                    buffer,
                }) => {
                    let args = Args::new(buffer, &ranges);
                    let clock = self.replicated.stamp();
                    let mut reply = Reply::new(&mut out, protocol);
                    let row = row_of(args);
                    if row.as_ref().is_ok_and(|row| may_wait(row))
                        && let Some(session) = self.clients.get_mut(slot)
                    {
                        session.will_wait = false;
                    }
                    let outcome = match row {
                        Ok(row) if needs_leader(row) && !self.serves() => {
                            let error = self.elsewhere(Some(row), args);
                            self.metrics.failed(Some(row), &error);
                            Err(error)
                        }
                        Ok(row) => {
                            is_read = self.replica.is_grouped() && needs_leader(row);
                            self.run(slot, row, args, db, clock, &mut reply)
                        }
                        Err(ref error) => {
                            self.metrics.error(error);
                            Err(error.clone())
                        }
                    };
                    if outcome == Err(Error::Due) {
                        self.metrics.failed(row.as_ref().ok().copied(), &Error::Due);
                    }
                    // Who waits is answered when the wait is over.
                    let waits = self
                        .clients
                        .get(slot)
                        .is_some_and(|session| session.blocked.is_some());
                    is_cut = outcome == Err(Error::Unfinished);
                    if let (true, Ok(row)) = (is_cut, &row) {
                        let begun = out.split_off(mark);
                        let long = Long {
                            row,
                            db,
                            protocol,
                            silent,
                            clock,
                            is_old: false,
                        };
                        self.hold_for(slot, long, args, begun);
                    } else if !silent && !waits {
                        let away = outcome.as_ref().is_err_and(is_elsewhere);
                        let answer = if away {
                            Answer::Elsewhere
                        } else {
                            row.map_or(Answer::Other, answer_of)
                        };
                        self.note_answer(conn, answer);
                    }
                    if !is_cut {
                        finish(&mut out, mark, protocol, silent, outcome);
                    }
                }
            }
            let Some(session) = self.clients.get_mut(slot) else {
                break;
            };
            parked.tidy();
            session.parked = parked;
            let written = out.len() - mark;
            *session.outbox.buffer() = out;
            if is_read && !is_cut {
                self.hold_reply(slot, mark);
            }
            self.requests
                .hold
                .pay(1 + written / limits::BYTES_PER_WORK + self.requests.read_work);
        }
        self.requests.ranges_parked = ranges;
    }

    /// Writes a reply to what was done with the store as it is now, where nothing is parked before
    /// it: of a member that does not lead it is known to be of an old state.
    pub(super) fn answer_here(&mut self, slot: u32, write: impl FnOnce(&mut Reply<'_>)) {
        if self.serves() {
            return self.answer(slot, write);
        }
        let session = self.clients.get_mut(slot);
        let Some(session) = session.filter(|session| !session.is_silent()) else {
            return;
        };
        write(&mut session.reply());
        let conn = session.conn;
        self.note_answer(conn, Answer::Old);
    }

    /// Writes a reply in its turn: at once, or behind what is parked.
    pub(in crate::node) fn answer(&mut self, slot: u32, write: impl FnOnce(&mut Reply<'_>)) {
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        if session.is_silent() {
            return;
        }
        if session.is_busy() {
            let mut bytes = Vec::new();
            write(&mut Reply::new(&mut bytes, session.protocol));
            session.parked.park_reply(session.proposed, &bytes);
        } else {
            let mark = session.outbox.buffer().len();
            write(&mut session.reply());
            let conn = session.conn;
            let answer = Answer::of_reply(&session.outbox.buffer()[mark..]);
            self.note_answer(conn, answer);
        }
    }
}

/// Returns true if a request is to be looked at behind what its client has asked before. One that
/// may have to wait must not find anything behind it done. WATCH looks at what the client's own
/// writes have left: one that is still on its way would count as a change since WATCH, and Redis
/// runs such a transaction. A message must not come before the reply to the subscription that it
/// is for, nor in another protocol than its surroundings. Requests that are shown to others are
/// shown in their order.
pub(super) fn waits_for_own(session: &Session, row: &Row, is_shown: bool) -> bool {
    if !session.is_busy() || session.transaction.is_some() {
        return false;
    }
    let is_ordered = match row.kind {
        Kind::Session(verb) => match verb {
            SessionVerb::Watch
            | SessionVerb::Monitor
            | SessionVerb::Subscribe(_)
            | SessionVerb::Unsubscribe(_) => true,
            SessionVerb::Hello | SessionVerb::Reset if session.is_subscriber() => true,
            SessionVerb::Exec => false,
            _ => is_shown,
        },
        Kind::Server(ServerVerb::Client(verb)) => verb == ClientVerb::Tracking,
        Kind::Server(verb) => matches!(verb, ServerVerb::Publish(_)),
        Kind::Read(_) | Kind::Write(_) | Kind::Script(_) | Kind::Container => false,
    };
    let tracking = session.tracking.as_ref();
    row.waits.is_some() || is_ordered || tracking.is_some_and(|one| one.is_in_steps())
}

/// The kind of answer to a request that changes nothing.
fn answer_of(row: &Row) -> Answer {
    match row.kind {
        Kind::Read(_) | Kind::Script(_) => Answer::Read,
        _ => Answer::Other,
    }
}

/// Returns true if a request is the first line of HTTP, as a browser sends it. No command has such
/// a name, and nothing behind it is one.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}
