//! CLIENT: what is known of connections, and what they may be told to do.

use alloc::string::{String, ToString};
use core::fmt::Write;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::verb::ClientVerb;
use crate::node::Node;
use crate::node::requests::verbs::valid_name;
use crate::resp::reply::Protocol;
use crate::session::transaction::Transaction;
use crate::session::{Reads, ReplyMode, Session};

use super::filter::Filter;
use super::request::Request;

impl Node {
    pub(super) fn client_verb(&mut self, verb: ClientVerb, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            db,
        } = request;
        let Some(session) = self.sessions.get_mut(slot) else {
            return Ok(());
        };
        match verb {
            ClientVerb::List => {
                let text = self.client_list(slot, args)?;
                reply.verbatim(*b"txt", &text);
                return Ok(());
            }
            ClientVerb::Info => {
                let text = self.sessions.get(slot).map(|s| self.describe(s));
                reply.verbatim(*b"txt", &text.unwrap_or_default());
                return Ok(());
            }
            ClientVerb::Kill => {
                return self.client_kill(Request {
                    slot,
                    db,
                    args,
                    reply,
                });
            }
            ClientVerb::Id => {
                reply.integer(session.conn.0 as i64);
                return Ok(());
            }
            ClientVerb::GetName => {
                if session.name.is_empty() {
                    reply.null();
                } else {
                    reply.bulk(&session.name);
                }
                return Ok(());
            }
            ClientVerb::Reply => {
                if set_reply_mode(session, args)? != ReplyMode::On {
                    return Ok(());
                }
            }
            ClientVerb::SetName => session.name = valid_name(args.at(2))?.to_vec(),
            ClientVerb::SetInfo => set_info(session, args.at(2), args.at(3))?,
            ClientVerb::NoEvict => session.no_evict = switch(args.at(2))?,
            ClientVerb::NoTouch => session.no_touch = switch(args.at(2))?,
        }
        reply.ok();
        Ok(())
    }

    /// CLIENT REPLY outside a transaction.
    pub(in crate::node) fn client_reply(&mut self, slot: u32, args: Args<'_>) -> Outcome {
        let Some(session) = self.sessions.get_mut(slot) else {
            return Ok(());
        };
        if set_reply_mode(session, args)? == ReplyMode::On {
            self.answer(slot, |reply| reply.ok());
        }
        Ok(())
    }

    fn client_list(&self, slot: u32, args: Args<'_>) -> Result<String, Error> {
        let (filter, now) = (Filter::of_list(args)?, self.now.mono);
        let asking = self.sessions.get(slot).map(|session| session.conn);
        let all = self.sessions.iter();
        let shown = all.filter(|s| filter.means(s, Some(s.conn) == asking, now));
        Ok(shown.map(|s| self.describe(s)).collect())
    }

    /// A line of CLIENT LIST.
    pub(in crate::node) fn describe(&self, session: &Session) -> String {
        let mut line = String::new();
        let queued = session.transaction.as_ref();
        let multi = queued.map_or(-1, |t| i64::from(t.count));
        let multi_mem = queued.map_or(0, Transaction::memory) + session.watches.memory();
        let mut flags = String::new();
        for (flag, on) in [
            ('x', session.transaction.is_some()),
            ('b', session.blocked.is_some()),
            ('d', session.watch_broken),
            ('c', session.closing),
            ('U', session.is_on_unix_socket()),
            ('r', session.reads == Reads::Follower),
            ('e', session.no_evict),
            ('T', session.no_touch),
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
        let (out, buffer) = (session.outbox.len(), session.outbox.memory());
        let events = match (self.appetite(session.conn) > 0, out > 0) {
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
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={flags} db={} sub=0 psub=0 \
             ssub=0 multi={multi} watch={} qbuf={kept} qbuf-free={free} argv-mem=0 \
             multi-mem={multi_mem} rbs={buffer} rbp={buffer} \
             obl={out} oll=0 omem={out} tot-mem={} events={events} \
             cmd={} user=default redir=-1 resp={protocol} lib-name={} lib-ver={}",
            session.conn.0,
            session.address,
            session.local,
            session.descriptor,
            String::from_utf8_lossy(&session.name),
            self.now.mono.since(session.since).as_secs(),
            self.now.mono.since(session.heard).as_secs(),
            session.db,
            session.watches.len(),
            session.memory(),
            session.last_command.map_or("NULL", |row| row.name),
            String::from_utf8_lossy(&session.library),
            String::from_utf8_lossy(&session.library_version),
        );
        line
    }

    fn client_kill(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            ..
        } = request;
        let (filter, now) = (Filter::of_kill(args)?, self.now.mono);
        let mut killed = 0;
        for other in self.sessions.slots() {
            let session = self.sessions.get(other);
            if session.is_none_or(|session| !filter.means(session, other == slot, now)) {
                continue;
            }
            killed += 1;
            if other == slot {
                // It is told so first.
                self.close_client(other);
            } else {
                self.kill_client(other);
            }
        }
        if args.len() > 3 {
            reply.integer(killed);
        } else if killed > 0 {
            reply.ok();
        } else {
            return Err(Error::text("ERR No such client".into()));
        }
        Ok(())
    }
}

fn switch(word: &[u8]) -> Result<bool, Error> {
    match word {
        _ if word.eq_ignore_ascii_case(b"on") => Ok(true),
        _ if word.eq_ignore_ascii_case(b"off") => Ok(false),
        _ => Err(Error::SYNTAX),
    }
}

fn set_info(session: &mut Session, attribute: &[u8], value: &[u8]) -> Outcome {
    let (place, name) = if attribute.eq_ignore_ascii_case(b"lib-name") {
        (&mut session.library, "lib-name")
    } else if attribute.eq_ignore_ascii_case(b"lib-ver") {
        (&mut session.library_version, "lib-ver")
    } else {
        let given = String::from_utf8_lossy(attribute).to_string();
        return Err(Error::text(alloc::format!(
            "ERR Unrecognized option '{given}'"
        )));
    };
    if !value.iter().all(u8::is_ascii_graphic) {
        return Err(Error::text(alloc::format!(
            "ERR {name} cannot contain spaces, newlines or special characters."
        )));
    }
    *place = value.to_vec();
    Ok(())
}

fn set_reply_mode(session: &mut Session, args: Args<'_>) -> Result<ReplyMode, Error> {
    session.reply_mode = if args.is(2, "on") {
        ReplyMode::On
    } else if args.is(2, "off") {
        ReplyMode::Off
    } else if args.is(2, "skip") {
        ReplyMode::SkipNext
    } else {
        return Err(Error::SYNTAX);
    };
    Ok(session.reply_mode)
}
