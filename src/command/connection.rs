//! Commands about the connection that need no session: PING and ECHO; and the rows of those that do.

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::table::{Keys, Kind, Row, SessionVerb};

const fn row(
    name: &'static str,
    arity: i32,
    kind: Kind,
    since: &'static str,
    summary: &'static str,
) -> Row {
    let flags: &[&str] = &["noscript", "loading", "stale", "fast"];
    Row {
        name,
        arity,
        kind,
        keys: Keys::NONE,
        flags,
        group: "connection",
        since,
        summary,
    }
}

const fn transaction(
    name: &'static str,
    arity: i32,
    verb: SessionVerb,
    since: &'static str,
    summary: &'static str,
) -> Row {
    let row = row(name, arity, Kind::Session(verb), since, summary);
    Row {
        group: "transactions",
        ..row
    }
}

pub(super) const ROWS: &[Row] = &[
    row(
        "ping",
        -1,
        Kind::Read(ping),
        "1.0.0",
        "Answers PONG, or what it was given.",
    ),
    row(
        "echo",
        2,
        Kind::Read(echo),
        "1.0.0",
        "Answers what it was given.",
    ),
    row(
        "auth",
        -2,
        Kind::Session(SessionVerb::Auth),
        "1.0.0",
        "Authenticates the connection.",
    ),
    row(
        "hello",
        -1,
        Kind::Session(SessionVerb::Hello),
        "6.0.0",
        "Chooses the protocol.",
    ),
    row(
        "quit",
        -1,
        Kind::Session(SessionVerb::Quit),
        "1.0.0",
        "Closes the connection.",
    ),
    row(
        "reset",
        1,
        Kind::Session(SessionVerb::Reset),
        "6.2.0",
        "Resets the connection.",
    ),
    row(
        "select",
        2,
        Kind::Session(SessionVerb::Select),
        "1.0.0",
        "Chooses the database.",
    ),
    transaction(
        "multi",
        1,
        SessionVerb::Multi,
        "1.2.0",
        "Starts a transaction.",
    ),
    transaction(
        "exec",
        1,
        SessionVerb::Exec,
        "1.2.0",
        "Executes a transaction.",
    ),
    transaction(
        "discard",
        1,
        SessionVerb::Discard,
        "2.0.0",
        "Gives a transaction up.",
    ),
    Row {
        keys: Keys::ALL,
        ..transaction(
            "watch",
            -2,
            SessionVerb::Watch,
            "2.2.0",
            "Watches keys until EXEC.",
        )
    },
    transaction(
        "unwatch",
        1,
        SessionVerb::Unwatch,
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

fn echo(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    query.reply.bulk(args.at(1));
    Ok(())
}
