//! Small commands of administration: TIME, ROLE, WAIT, rewrites, SHUTDOWN, SLOWLOG, LATENCY, ACL,
//! LOLWUT.

use alloc::format;
use core::time::Duration;

use crate::command::error::{Error, Outcome};
use crate::command::table::ServerVerb;
use crate::node::{Node, REDIS_VERSION};
use crate::session::Blocked;

use super::Request;

impl Node {
    pub(super) fn admin_verb(&mut self, verb: ServerVerb, request: Request<'_, '_>) -> Outcome {
        match verb {
            ServerVerb::Wait => return self.wait(request),
            ServerVerb::BgRewriteAof | ServerVerb::BgSave | ServerVerb::Save => {
                return self.rewrite_verb(verb, request);
            }
            ServerVerb::Shutdown => return self.shutdown(&request),
            _ => {}
        }
        let Request {
            args, mut reply, ..
        } = request;
        match verb {
            ServerVerb::Time => {
                reply.array(2);
                let us = self.now.wall_us;
                reply.bulk_fmt(format_args!("{}", us / 1_000_000));
                reply.bulk_fmt(format_args!("{}", us % 1_000_000));
            }
            ServerVerb::Role => {
                self.role_verb(&mut reply);
            }
            ServerVerb::LastSave => {
                let saved = self.commit.rewrite.saved_at_s;
                let at = if saved == 0 { self.started_s } else { saved };
                reply.integer(at as i64);
            }
            ServerVerb::Slowlog if args.is(1, "len") => reply.integer(0),
            // Nothing is timed, so that nothing was slow.
            ServerVerb::Slowlog if args.is(1, "get") => reply.array(0),
            ServerVerb::Latency if args.is(1, "reset") => reply.integer(0),
            ServerVerb::Latency if args.is(1, "histogram") => reply.map(0),
            ServerVerb::Latency if args.is(1, "doctor") => {
                reply.verbatim(
                    *b"txt",
                    "Delays are not measured: this server times no command.",
                );
            }
            ServerVerb::Latency => reply.array(0),
            ServerVerb::Acl if args.is(1, "whoami") => reply.bulk(b"default"),
            ServerVerb::Acl if args.is(1, "users") => {
                reply.array(1);
                reply.bulk(b"default");
            }
            ServerVerb::Acl => {
                reply.array(1);
                let open = self.config.requirepass.is_empty();
                let secret = if open { "nopass" } else { "#(hidden)" };
                reply.bulk_fmt(format_args!("user default on {secret} ~* &* +@all"));
            }
            ServerVerb::Lolwut if args.len() > 2 && args.is(1, "version") => {
                args.integer(2)?;
                reply.verbatim(*b"txt", &format!("Redis ver. {REDIS_VERSION}\n"));
            }
            ServerVerb::Lolwut => reply.verbatim(*b"txt", &format!("Redis ver. {REDIS_VERSION}\n")),
            _ => reply.ok(),
        }
        Ok(())
    }

    /// WAIT: what a client has written is with a majority when it is acknowledged; this waits for
    /// more. A group of one has no other members, so that only the timeout can end it.
    fn wait(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            ..
        } = request;
        let wanted = args.integer(1)?;
        let timeout = args.integer(2).map_err(|_| Error::TIMEOUT_NOT_AN_INTEGER)?;
        let timeout = u64::try_from(timeout).map_err(|_| Error::TIMEOUT_NEGATIVE)?;
        if !self.serves() {
            return Err(Error::text(
                "ERR WAIT cannot be used with replica instances.".into(),
            ));
        }
        let (wanted, index) = (usize::try_from(wanted).unwrap_or(0), self.commit.applied);
        let held = self
            .commit
            .raft
            .as_ref()
            .map_or(0, |raft| raft.holders(index));
        if held >= wanted || self.applying {
            reply.integer(held as i64);
            return Ok(());
        }
        let until = (timeout > 0).then(|| self.now.mono + Duration::from_millis(timeout));
        self.block(
            slot,
            Blocked::Wait {
                until,
                wanted,
                index,
            },
        );
        Ok(())
    }

    fn rewrite_verb(&mut self, verb: ServerVerb, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            args,
            mut reply,
            ..
        } = request;
        // Both ways are the same here: a rewrite waits for the one that is running.
        let is_known = args.len() == 1 || args.len() == 2 && args.is(1, "schedule");
        if verb == ServerVerb::BgSave && !is_known {
            return Err(Error::SYNTAX);
        }
        if self.commit.log.is_none() {
            return Err(Error::text(
                "ERR there is no log to rewrite: appendonly is no".into(),
            ));
        }
        if !self.ask_for_rewrite() && verb == ServerVerb::BgRewriteAof {
            return Err(Error::text(
                "ERR Background append only file rewriting already in progress".into(),
            ));
        }
        match verb {
            ServerVerb::BgRewriteAof => {
                reply.simple("Background append only file rewriting started");
            }
            ServerVerb::BgSave => reply.simple("Background saving started"),
            // SAVE answers when it is done.
            _ => {
                self.block(slot, Blocked::Rewrite);
            }
        }
        Ok(())
    }

    fn shutdown(&mut self, request: &Request<'_, '_>) -> Outcome {
        let args = request.args;
        let says = |word: &str| (1..args.len()).any(|place| args.is(place, word));
        let known = ["save", "nosave", "now", "force", "abort"];
        let is_known = |place: usize| known.iter().any(|word| args.is(place, word));
        let others = || known[..4].iter().any(|word| says(word));
        if !(1..args.len()).all(is_known)
            || says("save") && says("nosave")
            || says("abort") && others()
        {
            return Err(Error::SYNTAX);
        }
        if says("abort") {
            // Nothing can be taken back here: what was asked for is being done.
            return Err(Error::text("ERR No shutdown in progress.".into()));
        }
        // The client is told by the end of its connection.
        self.stop();
        self.close_client(request.slot);
        Ok(())
    }
}
