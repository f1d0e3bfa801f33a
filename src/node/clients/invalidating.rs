//! Words to clients that track: what they keep is so no more.
//!
//! Touched keys wait here until its command or transaction has been answered, and are told in
//! order as far as the turn goes; nothing more is applied meanwhile. So whoever has heard of a
//! change has heard of all before it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::row::Row;
use crate::ids::ConnId;
use crate::limits::WAKE_WORK;
use crate::resp::reply::{Protocol, Reply};
use crate::session::outbox::Shared;
use crate::session::tracking::{CacheTracking, Scope};
use crate::store::Touched;

use super::Clients;
use super::notices::bytes_of;
use super::tracker::{Holders, Invalid};

/// So many touched keys are looked at with the work of one message.
const KEYS_PER_WORK: usize = 4;
/// So many keys stand in one message of a broadcast.
const KEYS_AT_ONCE: usize = 64;

/// All that stands before the keys, for one that speaks RESP3, and for a listener of RESP2.
const HEADS: [&[u8]; 2] = [
    b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n",
    b">2\r\n$10\r\ninvalidate\r\n",
];
/// The word for all keys.
const ALL_KEYS: [&[u8]; 2] = [b"$-1\r\n", b"_\r\n"];

fn of_program(bytes: &'static [u8]) -> Shared {
    Shared {
        id: 0,
        bytes: Bytes::from_static(bytes),
    }
}

impl Clients {
    /// Returns true if somebody is to hear of what is touched.
    pub(in crate::node) fn is_any_tracking(&self) -> bool {
        !self.tracker.slots.is_empty()
    }

    /// How many clients track, how many keys they keep, how many times, and how many prefixes there
    /// are.
    pub(in crate::node) fn tracking_figures(&self) -> [usize; 4] {
        let [keys, items] = self.tracker.sizes();
        let prefixes = self.tracker.prefixes.len();
        [self.tracker.slots.len(), keys, items, prefixes]
    }

    /// A client tracks from now on, as it says.
    pub(in crate::node) fn track(&mut self, slot: u32, tracking: Box<CacheTracking>) {
        self.track_no_more(slot);
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        if tracking.scope == Scope::Broadcast {
            for prefix in &tracking.prefixes {
                let prefixes = &mut self.tracker.prefixes;
                prefixes.entry(prefix.clone()).or_default().insert(slot);
            }
        }
        session.tracking = Some(tracking);
        self.tracker.slots.insert(slot);
    }

    /// A client tracks no more.
    pub(in crate::node) fn track_no_more(&mut self, slot: u32) {
        let session = self.sessions.get_mut(slot);
        let Some(tracking) = session.and_then(|session| session.tracking.take()) else {
            return;
        };
        self.tracker.slots.remove(&slot);
        for prefix in &tracking.prefixes {
            if let Some(slots) = self.tracker.prefixes.get_mut(prefix) {
                slots.remove(&slot);
                if slots.is_empty() {
                    self.tracker.prefixes.remove(prefix);
                }
            }
        }
    }

    /// A client has read: it may keep what it has read of these keys.
    pub(in crate::node) fn has_read(&mut self, client: (u32, ConnId), row: &Row, args: Args<'_>) {
        let session = self.sessions.same(client.0, client.1);
        let tracking = session.and_then(|session| session.tracking.as_ref());
        if tracking.is_some_and(|tracking| tracking.keeps_reads()) {
            row.each_key(args, |place, _| self.tracker.keep(args.at(place), client));
        }
    }

    /// Keys were touched, by a client of this member or for another reason.
    pub(in crate::node) fn were_touched(
        &mut self,
        touched: impl Iterator<Item = Touched>,
        client: Option<(u32, ConnId)>,
    ) {
        let tracker = &mut self.tracker;
        if let Some(Invalid::Touched { keys, by }) = tracker.pending.back_mut()
            && *by == client
        {
            for touched in touched {
                tracker.pending_bytes += bytes_of(&touched);
                keys.push_back(touched);
            }
            return;
        }
        let keys: VecDeque<Touched> = touched.collect();
        tracker.pending_bytes += keys.iter().map(bytes_of).sum::<usize>();
        let by = client;
        tracker.pending.push_back(Invalid::Touched { keys, by });
    }

    /// Nothing that clients keep may be relied on any more.
    pub(in crate::node) fn all_is_invalid(&mut self) {
        if self.is_any_tracking() {
            self.tracker.forget_all();
            self.tracker.pending.push_back(Invalid::All { from: 0 });
        }
    }

    /// Returns true if clients are to be told of something before more is applied.
    pub(in crate::node) fn has_invalid(&self) -> bool {
        !self.tracker.pending.is_empty()
    }

    /// Returns true if clients are to be told of something, or more keys are kept than may be.
    pub(in crate::node) fn has_to_invalidate(&self, most: usize) -> bool {
        self.has_invalid() || self.tracker.is_over(most)
    }

    /// Tells those who track, as far as the turn goes.
    pub(in crate::node) fn invalidate(&mut self, most: usize) {
        while self.publishing.left > 0 {
            let Some(next) = self.tracker.pending.pop_front() else {
                if !self.tracker.is_over(most) {
                    return;
                }
                self.publishing.pay(1);
                self.tracker.make_room();
                continue;
            };
            match next {
                Invalid::Touched { keys, by } => self.look_at_touched(keys, by),
                Invalid::Key { key, holders, by } => self.tell_holders(key, holders, by),
                Invalid::Prefixed {
                    prefix,
                    body,
                    by,
                    from,
                } => self.tell_of_prefix(prefix, body, by, from),
                Invalid::All { from } => {
                    let next = self.tracker.slots.range(from..).next().copied();
                    if let Some(slot) = next {
                        let work = self.tell_invalid(slot, None, &ALL_KEYS.map(of_program));
                        self.publishing.pay(work);
                        let from = slot + 1;
                        self.tracker.pending.push_front(Invalid::All { from });
                    }
                }
            }
        }
    }

    /// Finds those who are to hear of the first of some keys, and puts the rest behind.
    fn look_at_touched(&mut self, mut keys: VecDeque<Touched>, by: Option<(u32, ConnId)>) {
        let some: Vec<Touched> = keys.drain(..keys.len().min(KEYS_AT_ONCE)).collect();
        self.tracker.pending_bytes -= some.iter().map(bytes_of).sum::<usize>();
        self.publishing.pay(1 + some.len() / KEYS_PER_WORK);
        if !keys.is_empty() {
            self.tracker
                .pending
                .push_front(Invalid::Touched { keys, by });
        }
        let mut found = Vec::new();
        if some.iter().any(|touched| touched.key.is_none()) {
            // One word for all databases that a command has emptied.
            self.tracker.forget_all();
            found.push(Invalid::All { from: 0 });
        }
        let mut names: Vec<Box<[u8]>> = some.into_iter().filter_map(|one| one.key).collect();
        for key in &names {
            let holders = self.tracker.take(key);
            if !holders.is_empty() {
                self.tracker.key_is_pending(key, true);
                let key = key.clone();
                found.push(Invalid::Key { key, holders, by });
            }
        }
        names.sort_unstable();
        names.dedup();
        for prefix in self.tracker.prefixes.keys() {
            let prefixed = || names.iter().filter(|name| name.starts_with(prefix));
            if prefixed().next().is_none() {
                continue;
            }
            let mut body = Vec::new();
            let mut reply = Reply::new(&mut body, Protocol::Resp3);
            reply.array(prefixed().count());
            prefixed().for_each(|name| reply.bulk(name));
            let (prefix, body, from) = (prefix.clone(), Bytes::from(body), 0);
            found.push(Invalid::Prefixed {
                prefix,
                body,
                by,
                from,
            });
        }
        let prefixes = self.tracker.prefixes.len() / KEYS_PER_WORK;
        self.publishing.pay(prefixes * (1 + names.len()));
        for one in found.into_iter().rev() {
            self.tracker.pending.push_front(one);
        }
    }

    /// Tells those who keep a key.
    fn tell_holders(&mut self, key: Box<[u8]>, mut holders: Holders, by: Option<(u32, ConnId)>) {
        self.tracker.key_is_pending(&key, false);
        let mut body = Vec::new();
        let mut reply = Reply::new(&mut body, Protocol::Resp3);
        reply.array(1);
        reply.bulk(&key);
        let body = self.shared.share(Bytes::from(body));
        while self.publishing.left > 0
            && let Some((slot, conn)) = holders.pop_first()
        {
            let session = self.sessions.same(slot, conn);
            let tracking = session.and_then(|session| session.tracking.as_ref());
            let Some(tracking) = tracking else {
                continue;
            };
            if tracking.no_loop && by == Some((slot, conn)) {
                // What another writes later it is to hear of.
                self.tracker.keep(&key, (slot, conn));
                continue;
            }
            let work = self.tell_invalid(slot, by, &[body.clone(), body.clone()]);
            self.publishing.pay(work);
        }
        self.shared.release(body.id);
        if !holders.is_empty() {
            self.tracker.key_is_pending(&key, true);
            let rest = Invalid::Key { key, holders, by };
            self.tracker.pending.push_front(rest);
        }
    }

    /// Tells those who hear of keys with a prefix.
    fn tell_of_prefix(
        &mut self,
        prefix: Box<[u8]>,
        keys: Bytes,
        by: Option<(u32, ConnId)>,
        mut from: u32,
    ) {
        let body = self.shared.share(keys);
        loop {
            let slots = self.tracker.prefixes.get(&prefix);
            let Some(slot) = slots.and_then(|slots| slots.range(from..).next().copied()) else {
                break;
            };
            if self.publishing.left == 0 {
                self.tracker.pending.push_front(Invalid::Prefixed {
                    prefix,
                    body: body.bytes.clone(),
                    by,
                    from,
                });
                break;
            }
            from = slot + 1;
            let work = self.tell_invalid(slot, by, &[body.clone(), body.clone()]);
            self.publishing.pay(work);
        }
        self.shared.release(body.id);
    }

    /// Tells one client, or the one that hears in its place: in RESP2 or in RESP3. Returns the work
    /// that this was.
    fn tell_invalid(
        &mut self,
        slot: u32,
        by: Option<(u32, ConnId)>,
        bodies: &[Shared; 2],
    ) -> usize {
        let session = self.sessions.get(slot).filter(|one| !one.closing);
        let Some(session) = session else {
            return 1;
        };
        let (conn, protocol) = (session.conn, session.protocol);
        let Some(tracking) = &session.tracking else {
            return 1;
        };
        if tracking.no_loop && by == Some((slot, conn)) {
            return 1;
        }
        let Some(redirect) = tracking.redirect else {
            return match protocol {
                Protocol::Resp3 => self.push_invalid(slot, HEADS[1], &bodies[1]),
                Protocol::Resp2 => 1,
            };
        };
        if let Some(target) = self.sessions.slot(redirect) {
            let session = self.sessions.get(target);
            return match session.map(|one| (one.protocol, one.is_subscriber())) {
                Some((Protocol::Resp3, _)) => self.push_invalid(target, HEADS[1], &bodies[1]),
                Some((Protocol::Resp2, true)) => self.push_invalid(target, HEADS[0], &bodies[0]),
                _ => 1,
            };
        }
        if let Some(session) = self.sessions.get_mut(slot)
            && let Some(tracking) = &mut session.tracking
        {
            tracking.is_redirect_broken = true;
        }
        if protocol == Protocol::Resp2 {
            return 1;
        }
        let mut body = Vec::new();
        Reply::new(&mut body, protocol).integer(redirect.0 as i64);
        let body = self.shared.share(Bytes::from(body));
        let work = self.push_invalid(slot, b">2\r\n$21\r\ntracking-redir-broken\r\n", &body);
        self.shared.release(body.id);
        work
    }

    fn push_invalid(&mut self, slot: u32, head: &'static [u8], body: &Shared) -> usize {
        let session = self.sessions.get_mut(slot).filter(|one| !one.closing);
        let Some(session) = session else {
            return 1;
        };
        self.shared.hold(body);
        session.outbox.push([of_program(head), body.clone()]);
        let mut work = 1;
        if !session.dirty {
            work += WAKE_WORK;
            session.dirty = true;
            self.dirty.push(slot);
        }
        work
    }
}
