//! Words to clients that track: what they keep is so no more.
//!
//! Touched keys wait here until its command or transaction has been answered, and are told in
//! order as far as the turn goes; nothing more is applied meanwhile. So whoever has heard of a
//! change has heard of all before it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::row::Row;
use crate::limits::WAKE_WORK;
use crate::resp::reply::{Protocol, Reply};
use crate::session::outbox::Shared;
use crate::session::tracking::{CacheTracking, Scope};
use crate::store::Touched;

use super::Clients;
use super::holders::{Client, Holders};
use super::notices::bytes_of;
use super::tracker::Invalid;

/// About what it costs to look for a key, in bytes that could be compared meanwhile.
const LOOK_BYTES: usize = 64;
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
    pub(in crate::node) fn has_read(&mut self, client: Client, row: &Row, args: Args<'_>) {
        if self.keeps_reads(client) {
            row.each_key(args, |place, _| self.tracker.keep(args.at(place), client));
            self.bound_tracked();
        }
    }

    /// The same of keys that a script has read for it.
    pub(in crate::node) fn have_been_read(&mut self, client: Client, keys: &[Box<[u8]>]) {
        for key in keys {
            self.tracker.keep(key, client);
        }
        self.bound_tracked();
    }

    /// Returns true if it is to be known what a client reads now.
    pub(in crate::node) fn keeps_reads(&self, client: Client) -> bool {
        if !self.is_any_tracking() {
            return false;
        }
        let session = self.sessions.same(client.0, client.1);
        let tracking = session.and_then(|session| session.tracking.as_ref());
        tracking.is_some_and(|tracking| tracking.keeps_reads())
    }

    /// Nothing that is kept may be relied on where room is not made as fast as keys are read.
    fn bound_tracked(&mut self) {
        if self.tracker.is_far_over() {
            self.all_is_invalid();
        }
    }

    /// Keys were touched, by a client of this member or for another reason.
    pub(in crate::node) fn were_touched(
        &mut self,
        touched: impl Iterator<Item = Touched>,
        client: Option<Client>,
    ) {
        self.tracker.pending.add(touched, client);
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
    pub(in crate::node) fn invalidate(&mut self) {
        while self.publishing.left > 0
            && let Some(next) = self.tracker.pending.pop_front()
        {
            match next {
                Invalid::Touched { keys, bytes, by } => self.look_at_touched(keys, bytes, by),
                Invalid::Key {
                    key,
                    mut holders,
                    by,
                } => {
                    if !self.tell_holders(&key, &mut holders, by) {
                        let rest = Invalid::Key { key, holders, by };
                        self.tracker.pending.push_front(rest);
                    }
                }
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

    /// Makes room where too many keys are kept, as far as the turn goes behind all else: what is
    /// applied does not wait for that.
    pub(in crate::node) fn make_room(&mut self, most: usize) {
        while self.publishing.left > 0 && !self.has_happenings() && self.tracker.is_over(most) {
            self.publishing.pay(1);
            if let Some((key, mut holders)) = self.tracker.leaving.take() {
                if !self.tell_holders(&key, &mut holders, None) {
                    self.tracker.leaving = Some((key, holders));
                }
            } else {
                self.tracker.make_room();
            }
        }
    }

    /// Finds those who are to hear of the first of some keys, and puts the rest behind.
    fn look_at_touched(
        &mut self,
        mut keys: VecDeque<Touched>,
        mut bytes: usize,
        by: Option<Client>,
    ) {
        let mut found = Vec::new();
        let mut prefixed: BTreeMap<Box<[u8]>, BTreeSet<Box<[u8]>>> = BTreeMap::new();
        let tracker = &mut self.tracker;
        for _ in 0..KEYS_AT_ONCE {
            if self.publishing.left == 0 {
                break;
            }
            let Some(touched) = keys.pop_front() else {
                break;
            };
            bytes -= bytes_of(&touched);
            let Some(key) = touched.key else {
                // One word for all databases that a command has emptied.
                tracker.forget_all();
                found.push(Invalid::All { from: 0 });
                continue;
            };
            let looked_at = tracker.each_prefix_of(&key, |prefix| {
                let names = prefixed.entry(prefix.into()).or_default();
                names.insert(key.clone());
            });
            self.publishing.compare((1 + looked_at) * LOOK_BYTES);
            if let Some(holders) = tracker.take(&key) {
                found.push(Invalid::Key { key, holders, by });
            }
        }
        for (prefix, names) in prefixed {
            let mut body = Vec::new();
            let mut reply = Reply::new(&mut body, Protocol::Resp3);
            reply.array(names.len());
            for name in &names {
                reply.bulk(name);
            }
            let (body, from) = (Bytes::from(body), 0);
            found.push(Invalid::Prefixed {
                prefix,
                body,
                by,
                from,
            });
        }
        self.publishing.pay(1);
        if !keys.is_empty() {
            tracker
                .pending
                .push_front(Invalid::Touched { keys, bytes, by });
        }
        for one in found.into_iter().rev() {
            tracker.pending.push_front(one);
        }
    }

    /// Tells those who keep a key; false where some are left.
    fn tell_holders(&mut self, key: &[u8], holders: &mut Holders, by: Option<Client>) -> bool {
        let mut body = Vec::new();
        let mut reply = Reply::new(&mut body, Protocol::Resp3);
        reply.array(1);
        reply.bulk(key);
        let body = self.shared.share(Bytes::from(body));
        let mut is_known_to_all = false;
        while self.publishing.left > 0 {
            let Some((slot, conn)) = holders.pop_first() else {
                is_known_to_all = true;
                break;
            };
            let session = self.sessions.same(slot, conn);
            let tracking = session.and_then(|session| session.tracking.as_ref());
            let work = match tracking {
                // It is gone, or tracks no more.
                None => 1,
                // It kept the key before it came to hear of prefixes.
                Some(tracking) if tracking.scope == Scope::Broadcast => 1,
                Some(tracking) if tracking.no_loop && by == Some((slot, conn)) => {
                    // What another writes later it is to hear of.
                    self.tracker.keep(key, (slot, conn));
                    1
                }
                Some(_) => self.tell_invalid(slot, by, &[body.clone(), body.clone()]),
            };
            self.publishing.pay(work);
        }
        self.shared.release(body.id);
        is_known_to_all || holders.len() == 0
    }

    /// Tells those who hear of keys with a prefix.
    fn tell_of_prefix(
        &mut self,
        prefix: Box<[u8]>,
        keys: Bytes,
        by: Option<Client>,
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
    fn tell_invalid(&mut self, slot: u32, by: Option<Client>, bodies: &[Shared; 2]) -> usize {
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
        1 + if self.mark_dirty(slot) { WAKE_WORK } else { 0 }
    }
}
