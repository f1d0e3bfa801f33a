//! The rows of commands about channels, which the session and the node run.

use super::flag::Flag;
use super::grammar::{block, many, opt, pattern, string};
use super::group::Group;
use super::key::{Keys, NO_KEY};
use super::row::Row;
use super::verb::{PubSubVerb, ServerVerb, SessionVerb, Topic};

const LISTENS: &[Flag] = &[Flag::PubSub, Flag::NoScript, Flag::Loading, Flag::Stale];
const PUBLISHES: &[Flag] = &[
    Flag::PubSub,
    Flag::Loading,
    Flag::Stale,
    Flag::Fast,
    Flag::Tells,
];
const TELLS: &[Flag] = &[Flag::PubSub, Flag::Loading, Flag::Stale];

pub(super) const ROWS: &[Row] = &[
    Row::session("subscribe", -2, SessionVerb::Subscribe(Topic::Channel))
        .group(Group::PubSub)
        .since("2.0.0")
        .flags(LISTENS)
        .says("Listens for messages published to channels.")
        .costs("O(N) where N is the number of channels to subscribe to.")
        .args(&[many(string("channel"))]),
    Row::session("unsubscribe", -1, SessionVerb::Unsubscribe(Topic::Channel))
        .group(Group::PubSub)
        .since("2.0.0")
        .flags(LISTENS)
        .says("Stops listening to channels.")
        .costs("O(N) where N is the number of channels to unsubscribe.")
        .args(&[opt(many(string("channel")))]),
    Row::session("psubscribe", -2, SessionVerb::Subscribe(Topic::Pattern))
        .group(Group::PubSub)
        .since("2.0.0")
        .flags(LISTENS)
        .says("Listens for messages published to channels that match patterns.")
        .costs("O(N) where N is the number of patterns to subscribe to.")
        .args(&[many(block("pattern", &[pattern("pattern")]))]),
    Row::session("punsubscribe", -1, SessionVerb::Unsubscribe(Topic::Pattern))
        .group(Group::PubSub)
        .since("2.0.0")
        .flags(LISTENS)
        .says("Stops listening to channels that match patterns.")
        .costs("O(N) where N is the number of patterns to unsubscribe.")
        .args(&[opt(many(pattern("pattern")))]),
    Row::session("ssubscribe", -2, SessionVerb::Subscribe(Topic::Shard))
        .group(Group::PubSub)
        .since("7.0.0")
        .flags(LISTENS)
        .says("Listens for messages published to shard channels.")
        .costs("O(N) where N is the number of shard channels to subscribe to.")
        .keys(&[Keys::all(NO_KEY)])
        .args(&[many(string("shardchannel"))]),
    Row::session("sunsubscribe", -1, SessionVerb::Unsubscribe(Topic::Shard))
        .group(Group::PubSub)
        .since("7.0.0")
        .flags(LISTENS)
        .says("Stops listening to shard channels.")
        .costs("O(N) where N is the number of shard channels to unsubscribe.")
        .keys(&[Keys::all(NO_KEY)])
        .args(&[opt(many(string("shardchannel")))]),
    Row::server("publish", 3, ServerVerb::Publish(Topic::Channel))
        .group(Group::PubSub)
        .since("2.0.0")
        .flags(PUBLISHES)
        .says(
            "Posts a message to a channel, and returns how many have it of this member's clients.",
        )
        .costs(
            "O(N+M) where N is the number of clients subscribed to the receiving channel and M is \
             the total number of subscribed patterns (by any client).",
        )
        .args(&[string("channel"), string("message")]),
    Row::server("spublish", 3, ServerVerb::Publish(Topic::Shard))
        .group(Group::PubSub)
        .since("7.0.0")
        .flags(PUBLISHES)
        .says("Posts a message to a shard channel, and returns how many have it.")
        .costs("O(N) where N is the number of clients subscribed to the receiving shard channel.")
        .keys(&[Keys::at(1, NO_KEY)])
        .args(&[string("shardchannel"), string("message")]),
    Row::container("pubsub", PUBSUB)
        .group(Group::PubSub)
        .since("2.8.0")
        .says("A container for commands about channels."),
];

const PUBSUB: &[Row] = &[
    Row::server(
        "pubsub|channels",
        -2,
        ServerVerb::PubSub(PubSubVerb::Channels(Topic::Channel)),
    )
    .group(Group::PubSub)
    .since("2.8.0")
    .flags(TELLS)
    .says("Returns the channels that have subscribers.")
    .costs("O(N) where N is the number of active channels.")
    .args(&[opt(pattern("pattern"))]),
    Row::server("pubsub|help", 2, ServerVerb::Help)
        .group(Group::PubSub)
        .since("6.2.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("pubsub|numpat", 2, ServerVerb::PubSub(PubSubVerb::NumPat))
        .group(Group::PubSub)
        .since("2.8.0")
        .flags(TELLS)
        .says("Returns how many patterns have subscribers."),
    Row::server(
        "pubsub|numsub",
        -2,
        ServerVerb::PubSub(PubSubVerb::NumSub(Topic::Channel)),
    )
    .group(Group::PubSub)
    .since("2.8.0")
    .flags(TELLS)
    .says("Returns how many subscribers channels have.")
    .costs("O(N) where N is the number of requested channels.")
    .args(&[opt(many(string("channel")))]),
    Row::server(
        "pubsub|shardchannels",
        -2,
        ServerVerb::PubSub(PubSubVerb::Channels(Topic::Shard)),
    )
    .group(Group::PubSub)
    .since("7.0.0")
    .flags(TELLS)
    .says("Returns the shard channels that have subscribers.")
    .costs("O(N) where N is the number of active shard channels.")
    .args(&[opt(pattern("pattern"))]),
    Row::server(
        "pubsub|shardnumsub",
        -2,
        ServerVerb::PubSub(PubSubVerb::NumSub(Topic::Shard)),
    )
    .group(Group::PubSub)
    .since("7.0.0")
    .flags(TELLS)
    .says("Returns how many subscribers shard channels have.")
    .costs("O(N) where N is the number of requested shard channels.")
    .args(&[opt(many(string("shardchannel")))]),
];
