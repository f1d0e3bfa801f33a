//! A client as CLIENT LIST and the log show it.

use alloc::string::String;
use core::fmt::Write;

use crate::command::error::Error;
use crate::command::verb::Topic;
use crate::resp::reply::Protocol;
use crate::session::tracking::{CacheTracking, Scope};
use crate::session::transaction::Transaction;
use crate::session::{Reads, Session};
use crate::time::Mono;

use super::sessions::appetite;

/// A line of CLIENT LIST.
pub(in crate::node) fn describe(session: &Session, now: Mono, is_stopping: bool) -> String {
    let mut line = String::new();
    let queued = session.transaction.as_ref();
    let multi = queued.map_or(-1, |t| i64::from(t.count));
    let multi_mem = queued.map_or(0, Transaction::memory) + session.watches.memory();
    let mut flags = String::new();
    let subscribed = |topic| {
        let own = session.subscriptions.as_ref();
        own.map_or(0, |own| own.len(topic))
    };
    let tracking = session.tracking.as_deref();
    let redirect = tracking.map_or(-1, CacheTracking::shown_redirect);
    let [channels, patterns, shards] = Topic::ALL.map(subscribed);
    for (flag, on) in [
        ('O', session.monitors),
        ('P', session.is_subscriber()),
        ('x', session.transaction.is_some()),
        ('b', session.blocked.is_some()),
        ('d', session.watch_broken),
        ('c', session.closing),
        ('U', session.is_on_unix_socket()),
        ('r', session.reads == Reads::Follower),
        ('e', session.no_evict),
        ('T', session.no_touch),
        ('t', tracking.is_some()),
        ('R', tracking.is_some_and(|one| one.is_redirect_broken)),
        (
            'B',
            tracking.is_some_and(|one| one.scope == Scope::Broadcast),
        ),
    ] {
        if on {
            flags.push(flag);
        }
    }
    if flags.is_empty() {
        flags.push('N');
    }
    let kept = session.inbound.len();
    let free = session.inbound.memory().saturating_sub(kept);
    let pushes = session.outbox.pushes();
    let (out, buffer) = (session.unread(), session.outbox.memory());
    let events = match (appetite(session, is_stopping) > 0, out > 0) {
        (true, true) => "rw",
        (true, false) => "r",
        (false, true) => "w",
        (false, false) => "",
    };
    let protocol = if session.protocol == Protocol::Resp3 {
        3
    } else {
        2
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        line,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={flags} db={} sub={channels} \
         psub={patterns} ssub={shards} multi={multi} watch={} \
         qbuf={kept} qbuf-free={free} argv-mem=0 \
         multi-mem={multi_mem} rbs={buffer} rbp={buffer} \
         obl={out} oll={pushes} omem={out} tot-mem={} events={events} \
         cmd={} user=default redir={redirect} resp={protocol} lib-name={} lib-ver={}",
        session.conn.0,
        session.address,
        session.local,
        session.descriptor,
        String::from_utf8_lossy(&session.name),
        now.since(session.since).as_secs(),
        now.since(session.heard).as_secs(),
        session.db,
        session.watches.len(),
        session.memory() + session.outbox.shared_len(),
        session.last_command.map_or("NULL", |row| row.name),
        String::from_utf8_lossy(&session.library),
        String::from_utf8_lossy(&session.library_version),
    );
    line
}

/// A client's name: printable and without spaces, so that CLIENT LIST stays readable.
pub(in crate::node) fn valid_name(name: &[u8]) -> Result<&[u8], Error> {
    if name.iter().all(u8::is_ascii_graphic) {
        Ok(name)
    } else {
        Err(Error::INVALID_NAME)
    }
}
