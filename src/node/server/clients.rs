//! CLIENT: what is known of connections, and what they may be told to do.

use alloc::string::{String, ToString};
use core::time::Duration;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::verb::ClientVerb;
use crate::ids::ConnId;
use crate::node::clients::{Paused, describe, valid_name};
use crate::node::{Node, Phase};
use crate::resp::reply::Reply;
use crate::session::{ReplyMode, Session};

use super::filter::Filter;
use super::request::Request;
use super::tracking::{speak_of_caching, tell_redirection, tell_tracking, track};

impl Node {
    pub(super) fn client_verb(&mut self, verb: ClientVerb, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            db,
        } = request;
        let Some(session) = self.clients.get_mut(slot) else {
            return Ok(());
        };
        let (now, is_stopping) = (self.now.mono, self.phase == Phase::Stopping);
        match verb {
            ClientVerb::List => {
                let text = self.client_list(slot, args)?;
                reply.verbatim(*b"txt", &text);
                return Ok(());
            }
            ClientVerb::Info => {
                let text = self
                    .clients
                    .get(slot)
                    .map(|s| describe(s, now, is_stopping));
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
            ClientVerb::Caching => {
                let in_transaction = self.requests.is_in_transaction();
                speak_of_caching(&mut self.clients, slot, args, in_transaction)?;
            }
            ClientVerb::Tracking => track(&mut self.clients, slot, args)?,
            ClientVerb::GetRedirect => {
                tell_redirection(&self.clients, slot, &mut reply);
                return Ok(());
            }
            ClientVerb::TrackingInfo => {
                tell_tracking(&self.clients, slot, &mut reply);
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
            ClientVerb::Pause => return self.client_pause(args, &mut reply),
            ClientVerb::Unpause => self.clients.unpause(),
            ClientVerb::Reply => {
                if set_reply_mode(session, args)? != ReplyMode::On {
                    return Ok(());
                }
            }
            ClientVerb::SetName => session.name = valid_name(args.at(2))?.to_vec(),
            ClientVerb::SetInfo => set_info(session, args.at(2), args.at(3))?,
            ClientVerb::Unblock => {
                let done = self.client_unblock(args)?;
                reply.integer(i64::from(done));
                return Ok(());
            }
            ClientVerb::NoEvict => session.no_evict = switch(args.at(2))?,
            ClientVerb::NoTouch => session.no_touch = switch(args.at(2))?,
        }
        reply.ok();
        Ok(())
    }

    /// CLIENT REPLY outside a transaction.
    pub(in crate::node) fn client_reply(&mut self, slot: u32, args: Args<'_>) -> Outcome {
        let Some(session) = self.clients.get_mut(slot) else {
            return Ok(());
        };
        if set_reply_mode(session, args)? == ReplyMode::On {
            self.answer(slot, |reply| reply.ok());
        }
        Ok(())
    }

    fn client_list(&self, slot: u32, args: Args<'_>) -> Result<String, Error> {
        let (filter, now) = (Filter::of_list(args)?, self.now.mono);
        let is_stopping = self.phase == Phase::Stopping;
        let asking = self.clients.get(slot).map(|session| session.conn);
        let all = self.clients.iter();
        let shown = all.filter(|s| filter.means(s, Some(s.conn) == asking, now));
        Ok(shown.map(|s| describe(s, now, is_stopping)).collect())
    }

    /// Returns true if there was a client that waited.
    fn client_unblock(&mut self, args: Args<'_>) -> Result<bool, Error> {
        let with_error = match args.len() {
            3 => false,
            4 if args.is(3, "timeout") => false,
            4 if args.is(3, "error") => true,
            4 => return Err(Error::UNBLOCK_REASON),
            _ => return Err(Error::subcommand_syntax("CLIENT", args.at(1))),
        };
        let id = u64::try_from(args.integer(2)?).ok().map(ConnId);
        let slot = id.and_then(|id| self.clients.slot(id));
        Ok(slot.is_some_and(|slot| self.unblock_for_another(slot, with_error)))
    }

    fn client_pause(&mut self, args: Args<'_>, reply: &mut Reply<'_>) -> Outcome {
        let paused = match args.len() {
            3 => Paused::All,
            4 if args.is(3, "all") => Paused::All,
            4 if args.is(3, "write") => Paused::Writes,
            4 => return Err(Error::PAUSE_MODE),
            _ => return Err(Error::subcommand_syntax("CLIENT", args.at(1))),
        };
        let timeout = args.integer(2).map_err(|_| Error::TIMEOUT_NOT_AN_INTEGER)?;
        if timeout > i64::MAX - self.now.wall_ms() as i64 {
            return Err(Error::TIMEOUT_OUT_OF_RANGE);
        }
        let timeout = u64::try_from(timeout).map_err(|_| Error::TIMEOUT_NEGATIVE)?;
        let until = self.now.mono + Duration::from_millis(timeout);
        self.clients.pause(paused, until);
        reply.ok();
        Ok(())
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
        for other in self.clients.slots() {
            let session = self.clients.get(other);
            if session.is_none_or(|session| !filter.means(session, other == slot, now)) {
                continue;
            }
            killed += 1;
            if other == slot {
                // It is told so first.
                self.clients.close(other);
            } else {
                self.clients.kill(other);
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
        // A client that wants no replies wants none behind it either.
        match session.reply_mode {
            ReplyMode::Off => ReplyMode::Off,
            _ => ReplyMode::SkipNext,
        }
    } else {
        return Err(Error::SYNTAX);
    };
    Ok(session.reply_mode)
}
