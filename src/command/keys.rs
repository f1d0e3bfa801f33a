//! Keys as such, whatever they hold: removing, asking, moving, emptying.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::table::{Keys, Kind, Row};

const fn row(
    name: &'static str,
    arity: i32,
    kind: Kind,
    keys: Keys,
    flags: &'static [&'static str],
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        name,
        arity,
        kind,
        keys,
        flags,
        group: "generic",
        since,
        summary,
    }
}

const fn server(
    name: &'static str,
    arity: i32,
    kind: Kind,
    flags: &'static [&'static str],
    summary: &'static str,
) -> Row {
    let row = row(name, arity, kind, Keys::NONE, flags, "1.0.0", summary);
    Row {
        group: "server",
        ..row
    }
}

const FAST: &[&str] = &["fast"];

pub(super) const ROWS: &[Row] = &[
    row(
        "del",
        -2,
        Kind::Write(remove),
        Keys::ALL,
        &[],
        "1.0.0",
        "Removes keys.",
    ),
    row(
        "unlink",
        -2,
        Kind::Write(remove),
        Keys::ALL,
        FAST,
        "4.0.0",
        "Removes keys; their memory is freed later.",
    ),
    row(
        "exists",
        -2,
        Kind::Read(count_present),
        Keys::ALL,
        FAST,
        "1.0.0",
        "How many of the keys exist.",
    ),
    row(
        "touch",
        -2,
        Kind::Read(count_present),
        Keys::ALL,
        FAST,
        "3.2.1",
        "Marks keys as used; how many of them exist.",
    ),
    row(
        "type",
        2,
        Kind::Read(type_of),
        Keys::FIRST,
        FAST,
        "1.0.0",
        "The type of a key's value.",
    ),
    server(
        "dbsize",
        1,
        Kind::Read(dbsize),
        FAST,
        "How many keys the database holds.",
    ),
    server(
        "flushdb",
        -1,
        Kind::Write(flushdb),
        &[],
        "Removes all keys of the database.",
    ),
    server(
        "flushall",
        -1,
        Kind::Write(flushall),
        &[],
        "Removes all keys of all databases.",
    ),
];

fn remove(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut removed = 0;
    for key in args.from(1).iter() {
        removed += i64::from(change.store.remove(change.db, key, change.at));
    }
    change.reply.integer(removed);
    Ok(())
}

fn count_present(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let mut present = 0;
    for key in args.from(1).iter() {
        present += i64::from(query.get(key)?.is_some());
    }
    query.reply.integer(present);
    Ok(())
}

fn type_of(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let name = query
        .get(args.at(1))?
        .map_or("none", |value| value.type_name());
    query.reply.simple(name);
    Ok(())
}

fn dbsize(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let len = query.store.live_len(query.db, query.at);
    query.reply.integer(len as i64);
    Ok(())
}

/// FLUSHALL and FLUSHDB take one word, which changes nothing: memory is always freed later.
fn check_flush(args: Args<'_>) -> Outcome {
    match args.len() {
        1 => Ok(()),
        2 if args.is(1, "async") || args.is(1, "sync") => Ok(()),
        _ => Err(Error::SYNTAX),
    }
}

fn flushdb(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    check_flush(args)?;
    change.store.flush(change.db);
    change.reply.ok();
    Ok(())
}

fn flushall(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    check_flush(args)?;
    change.store.flush_all();
    change.reply.ok();
    Ok(())
}
