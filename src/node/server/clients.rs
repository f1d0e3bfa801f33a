//! CLIENT: what is known of connections, and what they may be told to do.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use crate::command::args::{Args, parse_integer};
use crate::command::error::{Error, Outcome};
use crate::ids::ConnId;
use crate::node::Node;
use crate::node::verbs::valid_name;
use crate::resp::reply::Protocol;
use crate::session::{ReplyMode, Session};

use super::Request;

impl Node {
    pub(super) fn client_verb(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            ..
        } = request;
        if args.is(1, "list") {
            let text = self.client_list(args)?;
            reply.verbatim(*b"txt", &text);
            return Ok(());
        }
        if args.is(1, "info") {
            let text = self.sessions.get(slot).map(|s| self.describe(s));
            reply.verbatim(*b"txt", &text.unwrap_or_default());
            return Ok(());
        }
        if args.is(1, "kill") {
            return self.client_kill(Request {
                slot,
                args,
                reply,
                db: 0,
            });
        }
        let Some(session) = self.sessions.get_mut(slot) else {
            return Ok(());
        };
        if args.is(1, "id") {
            reply.integer(session.conn.0 as i64);
            return Ok(());
        }
        if args.is(1, "getname") {
            if session.name.is_empty() {
                reply.null();
            } else {
                reply.bulk(&session.name);
            }
            return Ok(());
        }
        if args.is(1, "setname") {
            session.name = valid_name(args.at(2))?.to_vec();
        } else if args.is(1, "setinfo") {
            set_info(session, args.at(2), args.at(3))?;
        } else if args.is(1, "no-evict") {
            session.no_evict = switch(args.at(2))?;
        } else if args.is(1, "no-touch") {
            session.no_touch = switch(args.at(2))?;
        } else if args.is(1, "reply") && set_reply_mode(session, args)? != ReplyMode::On {
            return Ok(());
        }
        reply.ok();
        Ok(())
    }

    /// CLIENT REPLY outside a transaction.
    pub(in crate::node) fn client_reply(&mut self, slot: u32, args: Args<'_>) -> Outcome {
        if args.len() != 3 {
            return Err(Error::arity("client|reply"));
        }
        let Some(session) = self.sessions.get_mut(slot) else {
            return Ok(());
        };
        if set_reply_mode(session, args)? == ReplyMode::On {
            self.answer(slot, |reply| reply.ok());
        }
        Ok(())
    }

    fn client_list(&self, args: Args<'_>) -> Result<String, Error> {
        let mut wanted: Option<Vec<i64>> = None;
        if args.len() > 3 && args.is(2, "id") {
            let ids = args.from(3);
            let ids = ids.iter().map(|id| parse_integer(id).filter(|id| *id > 0));
            let ids: Option<Vec<i64>> = ids.collect();
            wanted = Some(ids.ok_or_else(|| Error::text("ERR Invalid client ID".into()))?);
        } else if args.len() == 4 && args.is(2, "type") {
            if !is_normal(args.at(3))? {
                wanted = Some(Vec::new());
            }
        } else if args.len() > 2 {
            return Err(Error::SYNTAX);
        }
        let shown = |session: &&Session| {
            let id = session.conn.0 as i64;
            wanted.as_ref().is_none_or(|wanted| wanted.contains(&id))
        };
        Ok(self
            .sessions
            .iter()
            .filter(shown)
            .map(|s| self.describe(s))
            .collect())
    }

    /// A line of CLIENT LIST.
    fn describe(&self, session: &Session) -> String {
        let mut line = String::new();
        let process = &self.config.process;
        let multi = session
            .transaction
            .as_ref()
            .map_or(-1, |t| i64::from(t.count));
        let mut flags = String::new();
        for (flag, on) in [
            ('b', session.blocked.is_some()),
            ('x', session.transaction.is_some()),
            ('d', session.watch_broken),
            ('c', session.closing),
            ('U', session.is_on_unix_socket()),
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
        let out = session.outbox.len();
        let protocol = if session.protocol == Protocol::Resp3 {
            3
        } else {
            2
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            line,
            "id={} addr={} laddr=127.0.0.1:{} fd=-1 name={} age={} idle={} flags={flags} db={} \
             sub=0 psub=0 ssub=0 multi={multi} qbuf={kept} qbuf-free=0 argv-mem=0 multi-mem=0 \
             rbs=0 rbp=0 obl={out} oll=0 omem={out} tot-mem={} events=r cmd={} user=default \
             redir=-1 resp={protocol} lib-name={} lib-ver={}",
            session.conn.0,
            session.address,
            process.port,
            String::from_utf8_lossy(&session.name),
            self.now.mono.since(session.since).as_secs(),
            self.now.mono.since(session.heard).as_secs(),
            session.db,
            kept + out + size_of::<Session>(),
            if session.last_command.is_empty() {
                "NULL"
            } else {
                session.last_command
            },
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
        if args.len() == 3 {
            let address = args.at(2);
            let mut found = self.sessions.slots().into_iter();
            let found = found.find(|slot| self.has_address(*slot, address));
            let Some(found) = found else {
                return Err(Error::text("ERR No such client".into()));
            };
            self.close_client(found);
            reply.ok();
            return Ok(());
        }
        let filter = Filter::parse(args)?;
        let mut killed = 0;
        for other in self.sessions.slots() {
            let Some(session) = self.sessions.get(other) else {
                continue;
            };
            let spared = filter.skip_me && other == slot;
            if !spared && !session.closing && filter.matches(session, self.now.mono) {
                self.close_client(other);
                killed += 1;
            }
        }
        reply.integer(killed);
        Ok(())
    }

    fn has_address(&self, slot: u32, address: &[u8]) -> bool {
        let session = self.sessions.get(slot);
        session.is_some_and(|s| !s.closing && s.address.as_bytes() == address)
    }
}

/// Whom CLIENT KILL means.
#[derive(Debug)]
struct Filter {
    id: Option<ConnId>,
    address: Option<String>,
    age_s: Option<u64>,
    nobody: bool,
    skip_me: bool,
}

impl Filter {
    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let mut filter = Self {
            id: None,
            address: None,
            age_s: None,
            nobody: false,
            skip_me: true,
        };
        let mut at = 2;
        while at < args.len() {
            let Some(value) = args.get(at + 1) else {
                return Err(Error::SYNTAX);
            };
            if args.is(at, "id") {
                let id = parse_integer(value).filter(|id| *id > 0);
                let id =
                    id.ok_or_else(|| Error::text("ERR client-id should be greater than 0".into()))?;
                filter.id = Some(ConnId(id as u64));
            } else if args.is(at, "type") {
                filter.nobody |= !is_normal(value)?;
            } else if args.is(at, "addr") {
                filter.address = Some(String::from_utf8_lossy(value).to_string());
            } else if args.is(at, "laddr") {
                // One address is listened on as well as another: all clients came to it.
            } else if args.is(at, "user") {
                if value != b"default" {
                    let name = String::from_utf8_lossy(value).to_string();
                    return Err(Error::text(alloc::format!("ERR No such user '{name}'")));
                }
            } else if args.is(at, "maxage") {
                let age = parse_integer(value).and_then(|age| u64::try_from(age).ok());
                filter.age_s = Some(age.ok_or(Error::NOT_AN_INTEGER)?);
            } else if args.is(at, "skipme") {
                filter.skip_me = match value {
                    _ if value.eq_ignore_ascii_case(b"yes") => true,
                    _ if value.eq_ignore_ascii_case(b"no") => false,
                    _ => return Err(Error::SYNTAX),
                };
            } else {
                return Err(Error::SYNTAX);
            }
            at += 2;
        }
        Ok(filter)
    }

    fn matches(&self, session: &Session, now: crate::time::Mono) -> bool {
        !self.nobody
            && self.id.is_none_or(|id| id == session.conn)
            && self.address.as_ref().is_none_or(|a| *a == session.address)
            && self
                .age_s
                .is_none_or(|age| now.since(session.since).as_secs() >= age)
    }
}

fn is_normal(kind: &[u8]) -> Result<bool, Error> {
    let kinds: [&[u8]; 5] = [b"normal", b"master", b"replica", b"slave", b"pubsub"];
    match kinds
        .iter()
        .position(|known| kind.eq_ignore_ascii_case(known))
    {
        Some(at) => Ok(at == 0),
        None => Err(Error::text(alloc::format!(
            "ERR Unknown client type '{}'",
            String::from_utf8_lossy(kind)
        ))),
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
