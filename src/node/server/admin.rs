//! Small commands of administration: TIME, ROLE, WAIT, rewrites, SHUTDOWN, ACL, LOLWUT.

use alloc::format;
use core::time::Duration;

use crate::command::error::{Error, Outcome};
use crate::command::verb::AclVerb;
use crate::node::effect::Note;
use crate::node::{Node, REDIS_VERSION};
use crate::session::Blocked;

use super::request::Request;

impl Node {
    pub(super) fn time_verb(&self, request: Request<'_, '_>) {
        let (mut reply, us) = (request.reply, self.now.wall_us);
        reply.array(2);
        reply.bulk_fmt(format_args!("{}", us / 1_000_000));
        reply.bulk_fmt(format_args!("{}", us % 1_000_000));
    }

    pub(super) fn lastsave(&self, request: Request<'_, '_>) {
        let saved = self.replica.rewrite().saved_at_s;
        let at = if saved == 0 {
            self.metrics.started_s()
        } else {
            saved
        };
        let mut reply = request.reply;
        reply.integer(at as i64);
    }

    pub(super) fn acl_verb(&self, verb: AclVerb, request: Request<'_, '_>) {
        let mut reply = request.reply;
        match verb {
            AclVerb::WhoAmI => reply.bulk(b"default"),
            AclVerb::Users => {
                reply.array(1);
                reply.bulk(b"default");
            }
            AclVerb::List => {
                reply.array(1);
                let open = self.config.requirepass.is_empty();
                let secret = if open { "nopass" } else { "#(hidden)" };
                reply.bulk_fmt(format_args!("user default on {secret} ~* &* +@all"));
            }
        }
    }

    /// WAIT: what a client has written is with a majority when it is acknowledged; this waits for
    /// more. A group of one has no other members, so that only the timeout can end it.
    pub(super) fn wait(&mut self, request: Request<'_, '_>) -> Outcome {
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
        let (wanted, index) = (usize::try_from(wanted).unwrap_or(0), self.replica.applied());
        let held = self.replica.raft().map_or(0, |raft| raft.holders(index));
        if held >= wanted || self.requests.is_in_transaction() {
            reply.integer(held as i64);
            return Ok(());
        }
        let until = (timeout > 0).then(|| self.now.mono + Duration::from_millis(timeout));
        let why = Blocked::Wait {
            until,
            wanted,
            index,
        };
        if !self.block(slot, why) {
            reply.integer(held as i64);
        }
        Ok(())
    }

    pub(super) fn bgrewriteaof(&mut self, request: Request<'_, '_>) -> Outcome {
        if !self.begin_rewrite()? {
            return Err(Error::text(
                "ERR Background append only file rewriting already in progress".into(),
            ));
        }
        let mut reply = request.reply;
        reply.simple("Background append only file rewriting started");
        Ok(())
    }

    pub(super) fn bgsave(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            args, mut reply, ..
        } = request;
        // Both ways are the same here: a rewrite waits for the one that is running.
        if args.len() > 1 && !(args.len() == 2 && args.is(1, "schedule")) {
            return Err(Error::SYNTAX);
        }
        self.begin_rewrite()?;
        reply.simple("Background saving started");
        Ok(())
    }

    /// SAVE answers when it is done.
    pub(super) fn save(&mut self, request: &Request<'_, '_>) -> Outcome {
        self.begin_rewrite()?;
        self.block(request.slot, Blocked::Rewrite);
        Ok(())
    }

    /// Asks for a rewrite; false where one is running.
    fn begin_rewrite(&mut self) -> Result<bool, Error> {
        if self.replica.log().is_none() {
            return Err(Error::text(
                "ERR there is no log to rewrite: appendonly is no".into(),
            ));
        }
        Ok(self.ask_for_rewrite())
    }

    pub(super) fn shutdown(&mut self, request: &Request<'_, '_>) -> Outcome {
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
        if let Some(session) = self.clients.get(request.slot) {
            let address = session.address.clone();
            self.note(Note::ShutDown { address });
        }
        // The client is told by the end of its connection.
        self.stop();
        self.clients.close(request.slot);
        Ok(())
    }
}

pub(super) fn lolwut(request: Request<'_, '_>) -> Outcome {
    let Request {
        args, mut reply, ..
    } = request;
    if args.len() > 2 && args.is(1, "version") {
        args.integer(2)?;
    }
    reply.verbatim(*b"txt", &format!("Redis ver. {REDIS_VERSION}\n"));
    Ok(())
}
