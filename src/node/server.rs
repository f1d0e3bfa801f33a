//! What the node answers about itself: INFO, CONFIG, CLIENT, COMMAND and their like.

mod admin;
mod clients;
mod cluster;
mod commands;
mod config;
mod debug;
mod filter;
mod info;
mod raft;

use alloc::format;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::table::{self, ServerVerb};
use crate::resp::reply::Reply;

use super::Node;

/// A request to the server, with what it needs to know of its client.
struct Request<'a, 'r> {
    slot: u32,
    db: u32,
    args: Args<'a>,
    reply: Reply<'r>,
}

impl Node {
    /// Runs a command about the server.
    pub(super) fn server_verb(
        &mut self,
        slot: u32,
        verb: ServerVerb,
        args: Args<'_>,
        db: u32,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        let mut reply = reply.reborrow();
        if let Some(help) = subcommand(args)? {
            write_help(help, &mut reply);
            return Ok(());
        }
        let request = Request {
            slot,
            db,
            args,
            reply,
        };
        match verb {
            ServerVerb::Client => self.client_verb(request),
            ServerVerb::Cluster => self.cluster_verb(request),
            ServerVerb::Command => self.command_verb(request),
            ServerVerb::Config => self.config_verb(request),
            ServerVerb::Debug => self.debug_verb(request),
            ServerVerb::Info => {
                self.info_verb(request);
                Ok(())
            }
            ServerVerb::Raft => self.raft_verb(request),
            _ => self.admin_verb(verb, request),
        }
    }
}

/// Checks a subcommand's name and arity; the container where HELP is asked for.
fn subcommand(args: Args<'_>) -> Result<Option<&'static table::Row>, Error> {
    let Some(row) = table::find(args.name()).filter(|row| row.is_container() && args.len() > 1)
    else {
        return Ok(None);
    };
    let Some(sub) = row.subcommand(args.at(1)) else {
        let container = row.name.to_ascii_uppercase();
        return Err(Error::unknown_subcommand(&container, args.at(1)));
    };
    if !sub.takes(args.len()) {
        return Err(Error::arity(sub.name));
    }
    Ok(args.is(1, "help").then_some(row))
}

fn write_help(row: &table::Row, reply: &mut Reply<'_>) {
    let name = row.name.to_ascii_uppercase();
    reply.array(1 + row.subcommands.len() * 2);
    reply.simple(&format!(
        "{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    ));
    for sub in row.subcommands {
        let own = sub.name.split_once('|').map_or(sub.name, |(_, own)| own);
        reply.simple(&own.to_ascii_uppercase());
        reply.simple(&format!("    {}", sub.summary));
    }
}
