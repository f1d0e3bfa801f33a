//! PUBSUB: the channels and patterns that have subscribers here.

use crate::command::error::{Error, Outcome};
use crate::command::verb::{PubSubVerb, Topic};
use crate::node::clients::Clients;
use crate::store::glob;

use super::request::Request;

/// A subcommand of PUBSUB.
pub(super) fn pubsub_verb(
    clients: &Clients,
    verb: PubSubVerb,
    request: Request<'_, '_>,
) -> Outcome {
    let Request {
        args, mut reply, ..
    } = request;
    match verb {
        PubSubVerb::Channels(topic) => {
            if args.len() > 3 {
                return Err(Error::subcommand_syntax("PUBSUB", args.at(1)));
            }
            let pattern = args.get(2);
            let is_asked =
                |name: &&bytes::Bytes| pattern.is_none_or(|pattern| glob::matches(pattern, name));
            let names = || clients.topic_names(topic).filter(is_asked);
            reply.array(names().count());
            names().for_each(|name| reply.bulk(name));
        }
        PubSubVerb::NumPat => reply.integer(clients.topics(Topic::Pattern) as i64),
        PubSubVerb::NumSub(topic) => {
            let names = args.from(2);
            reply.array(names.len() * 2);
            for name in names.iter() {
                reply.bulk(name);
                reply.integer(clients.subscribers(topic, name) as i64);
            }
        }
    }
    Ok(())
}
