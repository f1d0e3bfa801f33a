//! The commands by which the node tells of itself: INFO, CONFIG, CLIENT, COMMAND and their like.

mod admin;
mod channels;
mod clients;
mod cluster;
mod commands;
mod config;
mod debug;
mod filter;
mod functions;
mod info;
mod latency;
mod memory;
mod raft;
mod request;
mod tracking;

use alloc::format;

use crate::command::args::Args;
use crate::command::error::Outcome;
use crate::command::table;
use crate::command::verb::ServerVerb;
use crate::resp::reply::Reply;

use super::Node;
use admin::lolwut;
use channels::pubsub_verb;
use commands::command_verb;
use functions::function_stats;
use latency::latency_verb;
use memory::memory_verb;
use request::Request;

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
        let request = Request {
            slot,
            db,
            args,
            reply: reply.reborrow(),
        };
        match verb {
            ServerVerb::Acl(verb) => self.acl_verb(verb, request),
            ServerVerb::BgRewriteAof => return self.bgrewriteaof(request),
            ServerVerb::BgSave => return self.bgsave(request),
            ServerVerb::Client(verb) => return self.client_verb(verb, request),
            ServerVerb::Cluster(verb) => return self.cluster_verb(verb, request),
            ServerVerb::Command(verb) => return command_verb(verb, request),
            ServerVerb::Config(verb) => return self.config_verb(verb, request),
            ServerVerb::Debug => return self.debug_verb(request),
            ServerVerb::FunctionKill => return self.kill(true, request.reply),
            ServerVerb::FunctionStats => {
                let running = self.requests.running_function();
                function_stats(running, self.now.mono, &self.store, request);
            }
            ServerVerb::Help => write_help(request),
            ServerVerb::Info => self.info_verb(request),
            ServerVerb::LastSave => self.lastsave(request),
            ServerVerb::Latency(verb) => {
                let moment = (self.now, &self.config);
                return latency_verb(&mut self.metrics, moment, verb, request);
            }
            ServerVerb::Lolwut => return lolwut(request),
            ServerVerb::Memory(verb) => {
                memory_verb(verb, &self.memory_figures(), reply);
            }
            ServerVerb::Publish(topic) => {
                let mut reply = request.reply;
                return self.publish_in_transaction(topic, slot, args, &mut reply);
            }
            ServerVerb::PubSub(verb) => return pubsub_verb(&self.clients, verb, request),
            ServerVerb::Raft(verb) => return self.raft_verb(verb, request),
            ServerVerb::Role => self.role_verb(request),
            ServerVerb::Save => return self.save(&request),
            ServerVerb::ScriptKill => return self.kill(false, request.reply),
            ServerVerb::Shutdown => return self.shutdown(&request),
            ServerVerb::Slowlog(verb) => {
                let mut reply = request.reply;
                return self.metrics.slowlog(verb, request.args, &mut reply);
            }
            ServerVerb::Time => self.time_verb(request),
            ServerVerb::Wait => return self.wait(request),
        }
        Ok(())
    }
}

/// HELP of any command with subcommands.
fn write_help(request: Request<'_, '_>) {
    let Request {
        args, mut reply, ..
    } = request;
    let Some(row) = table::find(args.name()) else {
        return;
    };
    let name = row.name.to_ascii_uppercase();
    reply.array(1 + row.subcommands.len() * 2);
    reply.simple(&format!(
        "{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    ));
    for sub in row.subcommands {
        reply.simple(&sub.own_name().to_ascii_uppercase());
        reply.simple(&format!("    {}", sub.summary));
    }
}
