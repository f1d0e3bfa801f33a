//! DEBUG: looks into the server, and tests that a client understands every type of reply.

use alloc::format;
use core::time::Duration;

use crate::command::error::{Error, Outcome};
use crate::command::row::{Kind, Row};
use crate::command::verb::ServerVerb;
use crate::node::Node;
use crate::resp::reply::Reply;
use crate::session::Blocked;

use super::request::Request;

const REFUSED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is set \
    to \"local\", you can run it from a local connection, otherwise you need to set this option \
    in the configuration file, and then restart the server.";

/// Why DEBUG RELOAD is not done.
const RELOAD_OPTIONS: &str =
    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.";

/// The lines of DEBUG HELP.
const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DIGEST",
    "    Return the digest of all keys and values, which members of a group have in common.",
    "LOADAOF",
    "    Forget the state in memory and load it again from the log.",
    "OBJECT <key> [FAST]",
    "    Show how the value at <key> is kept.",
    "PANIC",
    "    End the process as a fault in it would.",
    "PROTOCOL <type>",
    "    Reply with a value of this type.",
    "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
    "    As LOADAOF: the log is what is in memory, so that the options change nothing.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Let expired keys be freed only when somebody asks for them, or at once.",
    "SLEEP <seconds>",
    "    Answer this client so much later; the others are served meanwhile.",
    "HELP",
    "    Print this help.",
];

impl Node {
    /// Errors if a command may not be run or queued: DEBUG only where the configuration says so.
    pub(in crate::node) fn may_debug(&self, row: &Row) -> Outcome {
        let is_debug = matches!(row.kind, Kind::Server(ServerVerb::Debug));
        if is_debug && !self.config.debug_command {
            return Err(Error::text(REFUSED.into()));
        }
        Ok(())
    }

    pub(super) fn debug_verb(&mut self, request: Request<'_, '_>) -> Outcome {
        let Request {
            slot,
            db,
            args,
            mut reply,
        } = request;
        let at = self.replicated.stamp();
        if args.is(1, "help") && args.len() == 2 {
            reply.array(HELP.len());
            for line in HELP {
                reply.simple(line);
            }
        } else if args.is(1, "sleep") && args.len() == 3 {
            let text = core::str::from_utf8(args.at(2)).unwrap_or("");
            let seconds: f64 = text.parse().map_err(|_| Error::NOT_A_FLOAT)?;
            let length = Duration::from_micros((seconds * 1e6) as u64);
            let until = self.now.mono + length;
            if !self.block(slot, Blocked::Sleep { until, length }) {
                reply.ok();
            }
        } else if args.is(1, "object") && (args.len() == 3 || args.len() == 4 && args.is(3, "fast"))
        {
            let encoding = self
                .store
                .encoding(db, args.at(2), at)
                .ok_or(Error::NO_SUCH_KEY)?;
            let size = self.store.memory_usage(db, args.at(2)).unwrap_or(0);
            reply.simple(&format!(
                "Value at:0x0 refcount:1 encoding:{encoding} serializedlength:{size} lru:0 \
                 lru_seconds_idle:0"
            ));
        } else if args.is(1, "protocol") && args.len() == 3 {
            return protocol(args.at(2), &mut reply);
        } else if args.is(1, "reload") || args.is(1, "loadaof") && args.len() == 2 {
            // The log is what is in memory: there is nothing to save, and nothing to merge with.
            let known = |place| {
                ["merge", "noflush", "nosave"]
                    .iter()
                    .any(|w| args.is(place, w))
            };
            if !(2..args.len()).all(known) {
                return Err(Error::text(RELOAD_OPTIONS.into()));
            }
            self.reload(slot)?;
        } else if args.is(1, "digest") && args.len() == 2 {
            reply.simple(&format!("{:040x}", self.store.digest(at)));
        } else if args.is(1, "set-active-expire") && args.len() == 3 {
            self.active_expire = args.is(2, "1");
            reply.ok();
        } else if args.is(1, "panic") && args.len() == 2 {
            // Its purpose: to see what becomes of a process that has a fault.
            panic!("DEBUG PANIC was asked for");
        } else {
            return Err(Error::subcommand_syntax("DEBUG", args.at(1)));
        }
        Ok(())
    }

    /// Forgets the state in memory and recovers it from the log; the client is answered when that
    /// is done.
    fn reload(&mut self, slot: u32) -> Outcome {
        if self.replica.log().is_none() {
            return Err(Error::text(
                "ERR there is no log to load: appendonly is no".into(),
            ));
        }
        if !self.block(slot, Blocked::Reload) {
            return Err(Error::NOT_IN_TRANSACTION);
        }
        self.replica.want_reload();
        Ok(())
    }
}

/// One value of a type, as Redis's own DEBUG PROTOCOL shows it.
fn protocol(kind: &[u8], reply: &mut Reply<'_>) -> Outcome {
    let is = |name: &str| kind.eq_ignore_ascii_case(name.as_bytes());
    let three = |reply: &mut Reply<'_>| (0..3).for_each(|n| reply.integer(n));
    if is("string") {
        reply.bulk(b"Hello World");
    } else if is("integer") {
        reply.integer(12345);
    } else if is("double") {
        reply.double_text("3.141");
    } else if is("null") {
        reply.null();
    } else if is("array") {
        reply.array(3);
        three(reply);
    } else if is("set") {
        reply.set(3);
        three(reply);
    } else if is("map") {
        reply.map(3);
        for n in 0..3 {
            reply.integer(n);
            reply.boolean(n == 1);
        }
    } else if is("bignum") {
        reply.big_number("1234567999999999999999999999999999999");
    } else if is("true") || is("false") {
        reply.boolean(is("true"));
    } else if is("verbatim") {
        reply.verbatim(*b"txt", "This is a verbatim\nstring");
    } else if is("push") {
        reply.push(2);
        reply.bulk(b"server-cpu-usage");
        reply.integer(42);
    } else {
        let why = "ERR Wrong protocol type name. Please use one of the following: \
            string|integer|double|null|array|set|map|push|verbatim|true|false";
        return Err(Error::text(why.into()));
    }
    Ok(())
}
