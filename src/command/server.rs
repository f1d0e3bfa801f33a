//! The rows of what the node runs itself: about the server, its clients and its configuration.

use super::table::{Keys, Kind, Row, ServerVerb};

const fn row(
    name: &'static str,
    arity: i32,
    verb: ServerVerb,
    flags: &'static [&'static str],
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        name,
        arity,
        kind: Kind::Server(verb),
        keys: Keys::NONE,
        flags,
        categories: &[],
        subcommands: &[],
        group: "server",
        since,
        summary,
        complexity: "O(1)",
    }
}

const fn container(
    name: &'static str,
    verb: ServerVerb,
    subcommands: &'static [Row],
    group: &'static str,
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        arity: -2,
        subcommands,
        group,
        complexity: "Depends on the subcommand.",
        ..row(name, -2, verb, SUB, since, summary)
    }
}

const fn of_connection(
    name: &'static str,
    arity: i32,
    verb: ServerVerb,
    flags: &'static [&'static str],
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        group: "connection",
        ..row(name, arity, verb, flags, since, summary)
    }
}

/// Flags of nearly everything here: it is answered in every state of the server.
const ANY: &[&str] = &["noscript", "loading", "stale"];
/// Flags of what changes how the server works.
const ADMIN: &[&str] = &["admin", "noscript", "loading", "stale"];
/// Flags of what goes on in the background.
const BACKGROUND: &[&str] = &["admin", "noscript", "no_async_loading"];
/// Flags of SAVE.
const SAVES: &[&str] = &["admin", "noscript", "no_async_loading", "no_multi"];
/// Flags of what ends the server.
const STOPS: &[&str] = &[
    "admin",
    "noscript",
    "loading",
    "stale",
    "no_multi",
    "allow_busy",
];
/// Flags of what changes the group; its reply may have to wait.
const GROUP: &[&str] = &["admin", "noscript", "loading", "stale", "no_multi"];
/// Flags of what tells about the group.
const CLUSTERED: &[&str] = &["loading", "stale"];
/// Flags of a container, whose subcommands have their own.
const SUB: &[&str] = &["loading", "stale"];

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("info", -1, ServerVerb::Info, SUB, "1.0.0",
        "Answers what is known of the server."),
    row("time", 1, ServerVerb::Time, &["loading", "stale", "fast"], "2.6.0",
        "Answers the server's time."),
    row("role", 1, ServerVerb::Role, &["noscript", "loading", "stale", "fast"], "2.8.12",
        "Answers the server's role."),
    row("lastsave", 1, ServerVerb::LastSave, &["loading", "stale", "fast"], "1.0.0",
        "Answers when the log was last rewritten."),
    row("wait", 3, ServerVerb::Wait, &["blocking"], "3.0.0",
        "Waits for replicas."),
    row("shutdown", -1, ServerVerb::Shutdown, STOPS, "1.0.0",
        "Ends the server in good order."),
    row("bgrewriteaof", 1, ServerVerb::BgRewriteAof, BACKGROUND, "1.0.0",
        "Begins to rewrite the log."),
    row("bgsave", -1, ServerVerb::BgSave, BACKGROUND, "1.0.0",
        "Begins to rewrite the log."),
    row("save", 1, ServerVerb::Save, SAVES, "1.0.0",
        "Begins to rewrite the log."),
    row("debug", -2, ServerVerb::Debug, ADMIN, "1.0.0",
        "Looks into the server, or disturbs it."),
    row("lolwut", -1, ServerVerb::Lolwut, &["fast"], "5.0.0",
        "Shows the version."),
    container("client", ServerVerb::Client, CLIENT, "connection", "2.4.0",
        "About connections."),
    container("config", ServerVerb::Config, CONFIG, "server", "2.0.0",
        "About the configuration."),
    Row {
        arity: -1,
        ..container("command", ServerVerb::Command, COMMAND, "server", "2.8.13",
        "About commands.")
    },
    Row {
        flags: GROUP,
        ..container("raft", ServerVerb::Raft, RAFT, "cluster", "7.2.0",
        "About the group.")
    },
    Row {
        flags: CLUSTERED,
        ..container("cluster", ServerVerb::Cluster, CLUSTER, "cluster", "3.0.0",
        "About the group, as cluster clients see it.")
    },
    container("slowlog", ServerVerb::Slowlog, SLOWLOG, "server", "2.2.12",
        "About slow requests."),
    container("latency", ServerVerb::Latency, LATENCY, "server", "2.8.13",
        "About delays."),
    container("acl", ServerVerb::Acl, ACL, "server", "6.0.0",
        "About users."),
];

#[rustfmt::skip]
const CLUSTER: &[Row] = &[
    of_cluster("cluster|countkeysinslot", 3, "3.0.0", "Counts the keys of a hash slot."),
    of_cluster("cluster|getkeysinslot", 4, "3.0.0", "Lists keys of a hash slot."),
    of_cluster("cluster|help", 2, "5.0.0", "Tells the subcommands."),
    of_cluster("cluster|info", 2, "3.0.0", "Answers the state of the group."),
    of_cluster("cluster|keyslot", 3, "3.0.0", "Answers the hash slot of a key."),
    of_cluster("cluster|myid", 2, "3.0.0", "Answers what names this member."),
    of_cluster("cluster|myshardid", 2, "7.2.0", "Answers what names the group."),
    of_cluster("cluster|nodes", 2, "3.0.0", "Lists the members, a line each."),
    of_cluster("cluster|shards", 2, "7.0.0", "Lists the members and their states."),
    of_cluster("cluster|slots", 2, "3.0.0", "Lists where clients reach the members."),
];

const fn of_cluster(
    name: &'static str,
    arity: i32,
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        group: "cluster",
        ..row(name, arity, ServerVerb::Cluster, CLUSTERED, since, summary)
    }
}

const fn of_group(
    name: &'static str,
    arity: i32,
    flags: &'static [&'static str],
    summary: &'static str,
) -> Row {
    Row {
        group: "cluster",
        ..row(name, arity, ServerVerb::Raft, flags, "7.2.0", summary)
    }
}

#[rustfmt::skip]
const RAFT: &[Row] = &[
    of_group("raft|add", 3, GROUP, "Lets a member learn the log, without a vote."),
    of_group("raft|help", 2, SUB, "Tells the subcommands."),
    of_group("raft|info", 2, ANY, "Answers what this member knows of itself."),
    of_group("raft|nodes", 2, ANY, "Lists the members."),
    of_group("raft|promote", 3, GROUP, "Gives a member that has caught up a vote."),
    of_group("raft|reads", -2, ANY, "Sets or answers which reads this client wants."),
    of_group("raft|remove", 3, GROUP, "Takes a member out of the group."),
    of_group("raft|snapshot", 2, GROUP, "Begins to rewrite the log."),
    of_group("raft|transfer", -2, GROUP, "Gives the leader's office to another voter."),
];

#[rustfmt::skip]
const CLIENT: &[Row] = &[
    of_connection("client|getname", 2, ServerVerb::Client, ANY, "2.6.9",
        "Answers the name of the connection."),
    of_connection("client|help", 2, ServerVerb::Client, SUB, "5.0.0",
        "Tells the subcommands."),
    of_connection("client|id", 2, ServerVerb::Client, ANY, "5.0.0",
        "Answers the number of the connection."),
    of_connection("client|info", 2, ServerVerb::Client, ANY, "6.2.0",
        "Answers what is known of the connection."),
    of_connection("client|kill", -3, ServerVerb::Client, ADMIN, "2.4.0",
        "Closes connections."),
    of_connection("client|list", -2, ServerVerb::Client, ADMIN, "2.4.0",
        "Lists connections."),
    of_connection("client|no-evict", 3, ServerVerb::Client, ADMIN, "7.0.0",
        "Keeps the connection when memory is short."),
    of_connection("client|no-touch", 3, ServerVerb::Client, ANY, "7.2.0",
        "Lets requests not count as uses of a key."),
    of_connection("client|reply", 3, ServerVerb::Client, ANY, "3.2.0",
        "Tells which replies are wanted."),
    of_connection("client|setinfo", 4, ServerVerb::Client, ANY, "7.2.0",
        "Names the library that the client uses."),
    of_connection("client|setname", 3, ServerVerb::Client, ANY, "2.6.9",
        "Names the connection."),
];

#[rustfmt::skip]
const CONFIG: &[Row] = &[
    row("config|get", -3, ServerVerb::Config, ADMIN, "2.0.0",
        "Answers directives and their values."),
    row("config|help", 2, ServerVerb::Config, SUB, "5.0.0",
        "Tells the subcommands."),
    row("config|resetstat", 2, ServerVerb::Config, ADMIN, "2.0.0",
        "Sets the counters of INFO to zero."),
    row("config|rewrite", 2, ServerVerb::Config, ADMIN, "2.8.0",
        "Writes the directives to the configuration file."),
    row("config|set", -4, ServerVerb::Config, ADMIN, "2.0.0",
        "Changes directives, all or none."),
];

#[rustfmt::skip]
const COMMAND: &[Row] = &[
    row("command|count", 2, ServerVerb::Command, SUB, "2.8.13",
        "Counts the commands."),
    row("command|docs", -2, ServerVerb::Command, SUB, "7.0.0",
        "Describes commands for people."),
    row("command|getkeys", -3, ServerVerb::Command, SUB, "2.8.13",
        "Finds the keys of a request."),
    row("command|getkeysandflags", -3, ServerVerb::Command, SUB, "7.0.0",
        "Finds the keys of a request, and what it does with them."),
    row("command|help", 2, ServerVerb::Command, SUB, "5.0.0",
        "Tells the subcommands."),
    row("command|info", -2, ServerVerb::Command, SUB, "2.8.13",
        "Describes commands for programs."),
    row("command|list", -2, ServerVerb::Command, SUB, "7.0.0",
        "Names the commands."),
];

#[rustfmt::skip]
const SLOWLOG: &[Row] = &[
    row("slowlog|get", -2, ServerVerb::Slowlog, ADMIN, "2.2.12",
        "Answers slow requests."),
    row("slowlog|help", 2, ServerVerb::Slowlog, SUB, "6.2.0",
        "Tells the subcommands."),
    row("slowlog|len", 2, ServerVerb::Slowlog, ADMIN, "2.2.12",
        "Counts slow requests."),
    row("slowlog|reset", 2, ServerVerb::Slowlog, ADMIN, "2.2.12",
        "Forgets slow requests."),
];

#[rustfmt::skip]
const LATENCY: &[Row] = &[
    row("latency|doctor", 2, ServerVerb::Latency, ADMIN, "2.8.13",
        "Judges delays."),
    row("latency|help", 2, ServerVerb::Latency, SUB, "2.8.13",
        "Tells the subcommands."),
    row("latency|histogram", -2, ServerVerb::Latency, ADMIN, "7.0.0",
        "Answers how long commands took."),
    row("latency|history", 3, ServerVerb::Latency, ADMIN, "2.8.13",
        "Answers the delays of an event."),
    row("latency|latest", 2, ServerVerb::Latency, ADMIN, "2.8.13",
        "Answers the last delay of each event."),
    row("latency|reset", -2, ServerVerb::Latency, ADMIN, "2.8.13",
        "Forgets delays."),
];

#[rustfmt::skip]
const ACL: &[Row] = &[
    row("acl|help", 2, ServerVerb::Acl, SUB, "6.0.0",
        "Tells the subcommands."),
    row("acl|list", 2, ServerVerb::Acl, ANY, "6.0.0",
        "Lists the rules of all users."),
    row("acl|users", 2, ServerVerb::Acl, ANY, "6.0.0",
        "Names the users."),
    row("acl|whoami", 2, ServerVerb::Acl, ANY, "6.0.0",
        "Names the user of the connection."),
];
