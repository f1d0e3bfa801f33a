//! Commands about the connection: PING and ECHO, and the rows of those that a session runs.

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::table::{Keys, Kind, Row, SessionVerb};

const fn row(
    name: &'static str,
    arity: i32,
    kind: Kind,
    flags: &'static [&'static str],
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        name,
        arity,
        kind,
        keys: Keys::NONE,
        flags,
        group: "connection",
        since,
        summary,
        complexity: "O(1)",
        categories: &[],
        subcommands: &[],
    }
}

const fn transaction(
    name: &'static str,
    arity: i32,
    verb: SessionVerb,
    flags: &'static [&'static str],
    since: &'static str,
    summary: &'static str,
) -> Row {
    let row = row(name, arity, Kind::Session(verb), flags, since, summary);
    Row {
        group: "transactions",
        ..row
    }
}

/// Flags of a command that must be answered in every state of a connection.
const ALWAYS: &[&str] = &[
    "noscript",
    "loading",
    "stale",
    "fast",
    "no_auth",
    "allow_busy",
];
/// Flags of a command about a transaction.
const QUEUED: &[&str] = &["noscript", "loading", "stale", "fast", "allow_busy"];

pub(super) const ROWS: &[Row] = &[
    row(
        "ping",
        -1,
        Kind::Read(ping),
        &["fast"],
        "1.0.0",
        "Answers PONG, or what it was given.",
    ),
    row(
        "echo",
        2,
        Kind::Read(echo),
        &["loading", "stale", "fast"],
        "1.0.0",
        "Answers what it was given.",
    ),
    row(
        "auth",
        -2,
        Kind::Session(SessionVerb::Auth),
        ALWAYS,
        "1.0.0",
        "Authenticates the connection.",
    ),
    row(
        "hello",
        -1,
        Kind::Session(SessionVerb::Hello),
        ALWAYS,
        "6.0.0",
        "Chooses the protocol.",
    ),
    row(
        "quit",
        -1,
        Kind::Session(SessionVerb::Quit),
        ALWAYS,
        "1.0.0",
        "Closes the connection.",
    ),
    Row {
        group: "cluster",
        ..row(
            "readonly",
            1,
            Kind::Session(SessionVerb::ReadOnly),
            &["loading", "stale", "fast", "no_multi"],
            "3.0.0",
            "Lets a follower answer the reads of the connection.",
        )
    },
    Row {
        group: "cluster",
        ..row(
            "readwrite",
            1,
            Kind::Session(SessionVerb::ReadWrite),
            &["loading", "stale", "fast", "no_multi"],
            "3.0.0",
            "Sends the reads of the connection to the leader again.",
        )
    },
    row(
        "reset",
        1,
        Kind::Session(SessionVerb::Reset),
        ALWAYS,
        "6.2.0",
        "Resets the connection.",
    ),
    row(
        "select",
        2,
        Kind::Session(SessionVerb::Select),
        &["loading", "stale", "fast"],
        "1.0.0",
        "Chooses the database.",
    ),
    transaction(
        "multi",
        1,
        SessionVerb::Multi,
        QUEUED,
        "1.2.0",
        "Starts a transaction.",
    ),
    transaction(
        "exec",
        1,
        SessionVerb::Exec,
        &["noscript", "loading", "stale", "skip_slowlog"],
        "1.2.0",
        "Executes a transaction.",
    )
    .costs("Depends on the queued requests."),
    transaction(
        "discard",
        1,
        SessionVerb::Discard,
        QUEUED,
        "2.0.0",
        "Gives a transaction up.",
    )
    .costs("O(N) where N is the number of queued requests."),
    transaction(
        "watch",
        -2,
        SessionVerb::Watch,
        QUEUED,
        "2.2.0",
        "Watches keys until EXEC.",
    )
    .costs("O(N) where N is the number of keys.")
    .at(Keys::ALL),
    transaction(
        "unwatch",
        1,
        SessionVerb::Unwatch,
        QUEUED,
        "2.2.0",
        "Watches no keys any more.",
    ),
];

fn ping(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        1 => query.reply.simple("PONG"),
        2 => query.reply.bulk(args.at(1)),
        _ => return Err(Error::arity("ping")),
    }
    Ok(())
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]
fn echo(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    query.reply.bulk(args.at(1));
    Ok(())
}
