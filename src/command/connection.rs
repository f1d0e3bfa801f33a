//! Commands about the connection: ECHO, and the rows of those that a session runs.

use super::args::Args;
use super::context::Query;
use super::error::Outcome;
use super::flag::{Category, Flag};
use super::grammar::{KEY, block, integer, many, opt, string};
use super::group::Group;
use super::key::{Keys, LOOKED_AT};
use super::row::Row;
use super::tip;
use super::verb::SessionVerb;

pub(super) const ROWS: &[Row] = &[
    Row::session("ping", -1, SessionVerb::Ping)
        .group(Group::Connection)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .says("Returns PONG, or its argument.")
        .args(&[opt(string("message"))]),
    Row::answer("echo", 2, echo)
        .group(Group::Connection)
        .since("1.0.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .says("Returns its argument.")
        .args(&[string("message")]),
    Row::session("auth", -2, SessionVerb::Auth)
        .group(Group::Connection)
        .since("1.0.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::NoAuth,
            Flag::AllowBusy,
        ])
        .says("Authenticates the connection.")
        .args(&[opt(string("username").since("6.0.0")), string("password")]),
    Row::session("hello", -1, SessionVerb::Hello)
        .group(Group::Connection)
        .since("6.0.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::NoAuth,
            Flag::AllowBusy,
        ])
        .says("Selects the protocol.")
        .args(&[opt(block(
            "arguments",
            &[
                integer("protover"),
                opt(block("auth", &[string("username"), string("password")]).behind("AUTH")),
                opt(string("clientname").behind("SETNAME")),
            ],
        ))]),
    Row::session("quit", -1, SessionVerb::Quit)
        .group(Group::Connection)
        .since("1.0.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::NoAuth,
            Flag::AllowBusy,
        ])
        .deprecated("7.2.0", "just closing the connection")
        .says("Closes the connection."),
    Row::session("readonly", 1, SessionVerb::ReadOnly)
        .group(Group::Cluster)
        .since("3.0.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .within(Category::Connection)
        .says("Lets followers answer the reads of the connection."),
    Row::session("readwrite", 1, SessionVerb::ReadWrite)
        .group(Group::Cluster)
        .since("3.0.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .within(Category::Connection)
        .says("Ends READONLY: only the leader answers the reads of the connection."),
    Row::session("reset", 1, SessionVerb::Reset)
        .group(Group::Connection)
        .since("6.2.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::NoAuth,
            Flag::AllowBusy,
        ])
        .says("Resets the connection."),
    Row::session("select", 2, SessionVerb::Select)
        .group(Group::Connection)
        .since("1.0.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .says("Selects the database.")
        .args(&[integer("index")]),
    Row::session("multi", 1, SessionVerb::Multi)
        .group(Group::Transactions)
        .since("1.2.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::AllowBusy,
        ])
        .says("Starts a transaction."),
    Row::session("exec", 1, SessionVerb::Exec)
        .group(Group::Transactions)
        .since("1.2.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::SkipSlowlog,
        ])
        .says("Executes a transaction.")
        .costs("Depends on the queued requests."),
    Row::session("discard", 1, SessionVerb::Discard)
        .group(Group::Transactions)
        .since("2.0.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::AllowBusy,
        ])
        .says("Discards a transaction.")
        .costs("O(N) where N is the number of queued requests."),
    Row::session("watch", -2, SessionVerb::Watch)
        .group(Group::Transactions)
        .since("2.2.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::AllowBusy,
        ])
        .says("Watches keys, so that EXEC fails if one of them is written.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::all(LOOKED_AT)])
        .args(&[many(KEY)]),
    Row::session("unwatch", 1, SessionVerb::Unwatch)
        .group(Group::Transactions)
        .since("2.2.0")
        .flags(&[
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::Fast,
            Flag::AllowBusy,
        ])
        .says("Stops watching keys."),
];

#[allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]
fn echo(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    query.reply.bulk(args.at(1));
    Ok(())
}
