//! The rows of what the node runs itself: about the server, its clients and its configuration.

use super::flag::{Category, Flag};
use super::grammar::{VALUE, block, integer, many, one_of, opt, pattern, string, word};
use super::group::Group;
use super::row::Row;
use super::tip;
use super::verb::{
    AclVerb, ClientVerb, CommandVerb, ConfigVerb, LatencyVerb, ServerVerb, SessionVerb, SlowlogVerb,
};

pub(super) const ROWS: &[Row] = &[
    Row::server("info", -1, ServerVerb::Info)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Dangerous)
        .tips(tip::VARIES_OF_ALL_SHARDS)
        .says("Returns information about the server.")
        .args(&[opt(many(string("section")))]),
    Row::server("time", 1, ServerVerb::Time)
        .group(Group::Server)
        .since("2.6.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .tips(tip::VARIES)
        .says("Returns the server's time."),
    Row::server("role", 1, ServerVerb::Role)
        .group(Group::Server)
        .since("2.8.12")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::Fast])
        .within(Category::Admin)
        .within(Category::Dangerous)
        .says("Returns the server's role."),
    Row::server("lastsave", 1, ServerVerb::LastSave)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .within(Category::Admin)
        .within(Category::Dangerous)
        .tips(tip::VARIES)
        .says("Returns when the log was last rewritten."),
    Row::server("wait", 3, ServerVerb::Wait)
        .group(Group::Generic)
        .since("3.0.0")
        .within(Category::Connection)
        .tips(tip::LEAST_OF_ALL_SHARDS)
        .says("Waits until members have the writes of this connection, and returns how many do.")
        .args(&[integer("numreplicas"), integer("timeout")]),
    Row::server("shutdown", -1, ServerVerb::Shutdown)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::Loading,
            Flag::Stale,
            Flag::NoMulti,
            Flag::AllowBusy,
        ])
        .says("Shuts the server down.")
        .args(&[
            opt(one_of("save-selector", &[word("NOSAVE"), word("SAVE")])),
            opt(word("NOW").since("7.0.0")),
            opt(word("FORCE").since("7.0.0")),
            opt(word("ABORT").since("7.0.0")),
        ]),
    Row::server("bgrewriteaof", 1, ServerVerb::BgRewriteAof)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::NoAsyncLoading])
        .says("Starts a rewrite of the log."),
    Row::server("bgsave", -1, ServerVerb::BgSave)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::NoAsyncLoading])
        .says("Starts a rewrite of the log.")
        .args(&[opt(word("SCHEDULE").since("3.2.2"))]),
    Row::server("save", 1, ServerVerb::Save)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[
            Flag::Admin,
            Flag::NoScript,
            Flag::NoAsyncLoading,
            Flag::NoMulti,
        ])
        .says("Starts a rewrite of the log."),
    Row::server("debug", -2, ServerVerb::Debug)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Inspects or disturbs the server; for tests.")
        .args(&[string("subcommand"), opt(many(string("arg")))]),
    Row::session("monitor", 1, SessionVerb::Monitor)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Shows the requests of this member's other clients, as they are run."),
    Row::server("lolwut", -1, ServerVerb::Lolwut)
        .group(Group::Server)
        .since("5.0.0")
        .flags(&[Flag::ReadOnly, Flag::Fast])
        .says("Shows the version.")
        .args(&[opt(integer("version").behind("VERSION"))]),
    Row::container("client", CLIENT)
        .group(Group::Connection)
        .since("2.4.0")
        .says("A container for commands about connections."),
    Row::container("config", CONFIG)
        .group(Group::Server)
        .since("2.0.0")
        .says("A container for commands about the configuration."),
    Row::server("command", -1, ServerVerb::Command(CommandVerb::All))
        .subcommands(COMMAND)
        .group(Group::Server)
        .since("2.8.13")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Connection)
        .tips(tip::ORDER_VARIES)
        .says("Returns all commands; a container for commands about commands.")
        .costs("Depends on the subcommand."),
    Row::container("slowlog", SLOWLOG)
        .group(Group::Server)
        .since("2.2.12")
        .says("A container for commands about slow requests."),
    Row::container("latency", LATENCY)
        .group(Group::Server)
        .since("2.8.13")
        .says("A container for commands about latency."),
    Row::container("acl", ACL)
        .group(Group::Server)
        .since("6.0.0")
        .says("A container for commands about users."),
];

const CLIENT: &[Row] = &[
    Row::server("client|caching", 3, ServerVerb::Client(ClientVerb::Caching))
        .group(Group::Connection)
        .since("6.0.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Keeps the next read among what the connection tracks, or not.")
        .args(&[one_of("mode", &[word("YES"), word("NO")])]),
    Row::server(
        "client|getredir",
        2,
        ServerVerb::Client(ClientVerb::GetRedirect),
    )
    .group(Group::Connection)
    .since("6.0.0")
    .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
    .says("Returns the connection that hears of what this one tracks."),
    Row::server(
        "client|tracking",
        -3,
        ServerVerb::Client(ClientVerb::Tracking),
    )
    .group(Group::Connection)
    .since("6.0.0")
    .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
    .says("Switches words about keys that the connection has read on or off.")
    .costs("O(N) where N is the number of prefixes.")
    .args(&[
        one_of("status", &[word("ON"), word("OFF")]),
        opt(integer("client-id").behind("REDIRECT")),
        opt(many(string("prefix").behind("PREFIX").each_behind())),
        opt(word("BCAST")),
        opt(word("OPTIN")),
        opt(word("OPTOUT")),
        opt(word("NOLOOP")),
    ]),
    Row::server(
        "client|trackinginfo",
        2,
        ServerVerb::Client(ClientVerb::TrackingInfo),
    )
    .group(Group::Connection)
    .since("6.2.0")
    .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
    .says("Returns what the connection tracks."),
    Row::server("client|getname", 2, ServerVerb::Client(ClientVerb::GetName))
        .group(Group::Connection)
        .since("2.6.9")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Returns the name of the connection."),
    Row::server("client|help", 2, ServerVerb::Help)
        .group(Group::Connection)
        .since("5.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("client|id", 2, ServerVerb::Client(ClientVerb::Id))
        .group(Group::Connection)
        .since("5.0.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Returns the id of the connection."),
    Row::server("client|info", 2, ServerVerb::Client(ClientVerb::Info))
        .group(Group::Connection)
        .since("6.2.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::VARIES)
        .says("Returns information about the connection."),
    Row::server("client|kill", -3, ServerVerb::Client(ClientVerb::Kill))
        .group(Group::Connection)
        .since("2.4.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Closes connections.")
        .args(&[one_of(
            "filter",
            &[
                string("old-format").shown("ip:port").deprecated("2.8.12"),
                many(one_of(
                    "new-format",
                    &[
                        opt(integer("client-id").behind("ID").since("2.8.12")),
                        opt(one_of(
                            "client-type",
                            &[
                                word("normal"),
                                word("master").since("3.2.0"),
                                word("slave"),
                                word("replica").since("5.0.0"),
                                word("pubsub"),
                            ],
                        )
                        .behind("TYPE")
                        .since("2.8.12")),
                        opt(string("username").behind("USER")),
                        opt(string("addr").behind("ADDR").shown("ip:port")),
                        opt(string("laddr")
                            .behind("LADDR")
                            .shown("ip:port")
                            .since("6.2.0")),
                        opt(one_of("skipme", &[word("YES"), word("NO")]).behind("SKIPME")),
                    ],
                )),
            ],
        )]),
    Row::server("client|list", -2, ServerVerb::Client(ClientVerb::List))
        .group(Group::Connection)
        .since("2.4.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::VARIES)
        .says("Lists connections.")
        .args(&[
            opt(one_of(
                "client-type",
                &[
                    word("normal"),
                    word("master"),
                    word("replica"),
                    word("pubsub"),
                ],
            )
            .behind("TYPE")
            .since("5.0.0")),
            opt(many(integer("client-id").behind("ID").since("6.2.0"))),
        ]),
    Row::server(
        "client|no-evict",
        3,
        ServerVerb::Client(ClientVerb::NoEvict),
    )
    .group(Group::Connection)
    .since("7.0.0")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .says("Exempts the connection from being closed when memory is short.")
    .args(&[one_of("enabled", &[word("ON"), word("OFF")])]),
    Row::server(
        "client|no-touch",
        3,
        ServerVerb::Client(ClientVerb::NoTouch),
    )
    .group(Group::Connection)
    .since("7.2.0")
    .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
    .says("Keeps requests of the connection from counting as uses of keys.")
    .args(&[one_of("enabled", &[word("ON"), word("OFF")])]),
    Row::server("client|pause", -3, ServerVerb::Client(ClientVerb::Pause))
        .group(Group::Connection)
        .since("2.9.50")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Keeps requests of all connections waiting.")
        .args(&[
            integer("timeout"),
            opt(one_of("mode", &[word("WRITE"), word("ALL")]).since("6.2.0")),
        ]),
    Row::server("client|reply", 3, ServerVerb::Client(ClientVerb::Reply))
        .group(Group::Connection)
        .since("3.2.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Switches replies to the connection on or off.")
        .args(&[one_of("action", &[word("ON"), word("OFF"), word("SKIP")])]),
    Row::server("client|setinfo", 4, ServerVerb::Client(ClientVerb::SetInfo))
        .group(Group::Connection)
        .since("7.2.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .says("Names the library that the client uses.")
        .args(&[one_of(
            "attr",
            &[
                string("libname").behind("lib-name"),
                string("libver").behind("lib-ver"),
            ],
        )]),
    Row::server("client|setname", 3, ServerVerb::Client(ClientVerb::SetName))
        .group(Group::Connection)
        .since("2.6.9")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .says("Names the connection.")
        .args(&[string("connection-name")]),
    Row::server(
        "client|unblock",
        -3,
        ServerVerb::Client(ClientVerb::Unblock),
    )
    .group(Group::Connection)
    .since("5.0.0")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .within(Category::Dangerous)
    .says("Ends the wait of another connection.")
    .costs("O(log N) where N is the number of connections.")
    .args(&[
        integer("client-id"),
        opt(one_of("unblock-type", &[word("TIMEOUT"), word("ERROR")])),
    ]),
    Row::server("client|unpause", 2, ServerVerb::Client(ClientVerb::Unpause))
        .group(Group::Connection)
        .since("6.2.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Ends the wait of all connections that CLIENT PAUSE has begun.")
        .costs("O(N) where N is the number of connections that wait."),
];

const CONFIG: &[Row] = &[
    Row::server("config|get", -3, ServerVerb::Config(ConfigVerb::Get))
        .group(Group::Server)
        .since("2.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Returns options and their values.")
        .args(&[many(string("parameter"))]),
    Row::server("config|help", 2, ServerVerb::Help)
        .group(Group::Server)
        .since("5.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server(
        "config|resetstat",
        2,
        ServerVerb::Config(ConfigVerb::ResetStat),
    )
    .group(Group::Server)
    .since("2.0.0")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .tips(tip::SUCCEEDS_ON_ALL_NODES)
    .says("Resets the counters of INFO."),
    Row::server("config|rewrite", 2, ServerVerb::Config(ConfigVerb::Rewrite))
        .group(Group::Server)
        .since("2.8.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .says("Writes the options to the configuration file."),
    Row::server("config|set", -4, ServerVerb::Config(ConfigVerb::Set))
        .group(Group::Server)
        .since("2.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .says("Changes options, all or none.")
        .args(&[many(block("data", &[string("parameter"), VALUE]))]),
];

const COMMAND: &[Row] = &[
    Row::server("command|count", 2, ServerVerb::Command(CommandVerb::Count))
        .group(Group::Server)
        .since("2.8.13")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Connection)
        .says("Counts the commands."),
    Row::server("command|docs", -2, ServerVerb::Command(CommandVerb::Docs))
        .group(Group::Server)
        .since("7.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Connection)
        .tips(tip::ORDER_VARIES)
        .says("Returns documentation of commands.")
        .args(&[opt(many(string("command-name")))]),
    Row::server(
        "command|getkeys",
        -3,
        ServerVerb::Command(CommandVerb::GetKeys),
    )
    .group(Group::Server)
    .since("2.8.13")
    .flags(&[Flag::Loading, Flag::Stale])
    .within(Category::Connection)
    .says("Returns the keys in a request.")
    .args(&[string("command"), opt(many(string("arg")))]),
    Row::server(
        "command|getkeysandflags",
        -3,
        ServerVerb::Command(CommandVerb::GetKeysAndFlags),
    )
    .group(Group::Server)
    .since("7.0.0")
    .flags(&[Flag::Loading, Flag::Stale])
    .within(Category::Connection)
    .says("Returns the keys in a request, and what it does with them.")
    .args(&[string("command"), opt(many(string("arg")))]),
    Row::server("command|help", 2, ServerVerb::Help)
        .group(Group::Server)
        .since("5.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Connection)
        .says("Lists the subcommands."),
    Row::server("command|info", -2, ServerVerb::Command(CommandVerb::Info))
        .group(Group::Server)
        .since("2.8.13")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Connection)
        .tips(tip::ORDER_VARIES)
        .says("Returns arity, flags and keys of commands.")
        .args(&[opt(many(string("command-name")))]),
    Row::server("command|list", -2, ServerVerb::Command(CommandVerb::List))
        .group(Group::Server)
        .since("7.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .within(Category::Connection)
        .tips(tip::ORDER_VARIES)
        .says("Returns the names of the commands.")
        .args(&[opt(one_of(
            "filterby",
            &[
                string("module-name").behind("MODULE"),
                string("category").behind("ACLCAT"),
                pattern("pattern").behind("PATTERN"),
            ],
        )
        .behind("FILTERBY"))]),
];

const SLOWLOG: &[Row] = &[
    Row::server("slowlog|get", -2, ServerVerb::Slowlog(SlowlogVerb::Get))
        .group(Group::Server)
        .since("2.2.12")
        .flags(&[Flag::Admin, Flag::Loading, Flag::Stale])
        .tips(tip::VARIES_BY_NODE)
        .says("Returns slow requests.")
        .args(&[opt(integer("count"))]),
    Row::server("slowlog|help", 2, ServerVerb::Help)
        .group(Group::Server)
        .since("6.2.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("slowlog|len", 2, ServerVerb::Slowlog(SlowlogVerb::Len))
        .group(Group::Server)
        .since("2.2.12")
        .flags(&[Flag::Admin, Flag::Loading, Flag::Stale])
        .tips(tip::VARYING_SUM_OF_ALL_NODES)
        .says("Counts slow requests."),
    Row::server("slowlog|reset", 2, ServerVerb::Slowlog(SlowlogVerb::Reset))
        .group(Group::Server)
        .since("2.2.12")
        .flags(&[Flag::Admin, Flag::Loading, Flag::Stale])
        .tips(tip::SUCCEEDS_ON_ALL_NODES)
        .says("Deletes the recorded slow requests."),
];

const LATENCY: &[Row] = &[
    Row::server(
        "latency|doctor",
        2,
        ServerVerb::Latency(LatencyVerb::Doctor),
    )
    .group(Group::Server)
    .since("2.8.13")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .tips(tip::VARIES_OF_ALL_NODES)
    .says("Returns a report about latency."),
    Row::server("latency|graph", 3, ServerVerb::Latency(LatencyVerb::Graph))
        .group(Group::Server)
        .since("2.8.13")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::VARIES_OF_ALL_NODES)
        .says("Draws the latencies of an event.")
        .args(&[string("event")]),
    Row::server("latency|help", 2, ServerVerb::Help)
        .group(Group::Server)
        .since("2.8.13")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server(
        "latency|histogram",
        -2,
        ServerVerb::Latency(LatencyVerb::Histogram),
    )
    .group(Group::Server)
    .since("7.0.0")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .tips(tip::VARIES_OF_ALL_NODES)
    .says("Returns the distribution of the durations of commands.")
    .args(&[opt(many(string("COMMAND")))]),
    Row::server(
        "latency|history",
        3,
        ServerVerb::Latency(LatencyVerb::History),
    )
    .group(Group::Server)
    .since("2.8.13")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .tips(tip::VARIES_OF_ALL_NODES)
    .says("Returns the latencies of an event.")
    .args(&[string("event")]),
    Row::server(
        "latency|latest",
        2,
        ServerVerb::Latency(LatencyVerb::Latest),
    )
    .group(Group::Server)
    .since("2.8.13")
    .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
    .tips(tip::VARIES_OF_ALL_NODES)
    .says("Returns the last latency of each event."),
    Row::server("latency|reset", -2, ServerVerb::Latency(LatencyVerb::Reset))
        .group(Group::Server)
        .since("2.8.13")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .tips(tip::SUM_OF_ALL_NODES)
        .says("Deletes the recorded latencies.")
        .args(&[opt(many(string("event")))]),
];

const ACL: &[Row] = &[
    Row::server("acl|help", 2, ServerVerb::Help)
        .group(Group::Server)
        .since("6.0.0")
        .flags(&[Flag::Loading, Flag::Stale])
        .says("Lists the subcommands."),
    Row::server("acl|list", 2, ServerVerb::Acl(AclVerb::List))
        .group(Group::Server)
        .since("6.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Lists the rules of all users."),
    Row::server("acl|users", 2, ServerVerb::Acl(AclVerb::Users))
        .group(Group::Server)
        .since("6.0.0")
        .flags(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Returns the names of the users."),
    Row::server("acl|whoami", 2, ServerVerb::Acl(AclVerb::WhoAmI))
        .group(Group::Server)
        .since("6.0.0")
        .flags(&[Flag::NoScript, Flag::Loading, Flag::Stale])
        .says("Returns the user of the connection."),
];
