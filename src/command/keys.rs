//! Keys as such, whatever they hold: removing, asking, moving, emptying.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::table::{Keys, Kind, Row};
use crate::limits::DATABASES;
use crate::store::DbId;

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
        complexity: "O(1)",
        categories: &[],
        subcommands: &[],
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
    )
    .costs("O(N) where N is the number of keys; large values are freed later."),
    row(
        "unlink",
        -2,
        Kind::Write(remove),
        Keys::ALL,
        FAST,
        "4.0.0",
        "Removes keys; their memory is freed later.",
    )
    .costs("O(N) where N is the number of keys; large values are freed later."),
    row(
        "exists",
        -2,
        Kind::Read(count_present),
        Keys::ALL,
        FAST,
        "1.0.0",
        "How many of the keys exist.",
    )
    .costs("O(N) where N is the number of keys."),
    row(
        "touch",
        -2,
        Kind::Read(count_present),
        Keys::ALL,
        FAST,
        "3.2.1",
        "Marks keys as used; how many of them exist.",
    )
    .costs("O(N) where N is the number of keys."),
    row(
        "type",
        2,
        Kind::Read(type_of),
        Keys::FIRST,
        FAST,
        "1.0.0",
        "The type of a key's value.",
    ),
    row(
        "rename",
        3,
        Kind::Write(rename),
        Keys::TWO,
        &[],
        "1.0.0",
        "Gives a key another name, which it takes over.",
    ),
    row(
        "renamenx",
        3,
        Kind::Write(renamenx),
        Keys::TWO,
        FAST,
        "1.0.0",
        "Gives a key another name where that is free.",
    ),
    row(
        "copy",
        -3,
        Kind::Write(copy),
        Keys::TWO,
        &["denyoom"],
        "6.2.0",
        "Copies a key's value to another key.",
    )
    .costs("O(N) where N is the number of fields in the hash, O(1) for a string."),
    row(
        "move",
        3,
        Kind::Write(move_to),
        Keys::FIRST,
        FAST,
        "1.0.0",
        "Moves a key to another database.",
    ),
    row(
        "randomkey",
        1,
        Kind::Read(randomkey),
        Keys::NONE,
        &[],
        "1.0.0",
        "A key chosen by chance.",
    ),
    server(
        "dbsize",
        1,
        Kind::Read(dbsize),
        FAST,
        "How many keys the database holds.",
    )
    .within(&["@keyspace"]),
    server(
        "flushdb",
        -1,
        Kind::Write(flushdb),
        &[],
        "Removes all keys of the database.",
    )
    .costs("O(1); what was there is freed later.")
    .within(&["@keyspace", "@dangerous"]),
    server(
        "flushall",
        -1,
        Kind::Write(flushall),
        &[],
        "Removes all keys of all databases.",
    )
    .costs("O(1); what was there is freed later.")
    .within(&["@keyspace", "@dangerous"]),
];

fn remove(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    for place in change.pace.from(1)..args.len() as u64 {
        change.pace.step(place, 1)?;
        let key = args.at(place as usize);
        change.pace.count += i64::from(change.store.remove(change.db, key, change.at));
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

fn count_present(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    for place in query.pace.from(1)..args.len() as u64 {
        query.pace.step(place, 1)?;
        let is_there = query.get(args.at(place as usize))?.is_some();
        query.pace.count += i64::from(is_there);
    }
    query.reply.integer(query.pace.count);
    Ok(())
}

fn type_of(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let name = query
        .get(args.at(1))?
        .map_or("none", |value| value.type_name());
    query.reply.simple(name);
    Ok(())
}

fn rename(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (db, from, to) = (change.db, args.at(1), args.at(2));
    if !change.store.rename(db, from, db, to, change.at) {
        return Err(Error::NO_SUCH_KEY);
    }
    change.reply.ok();
    Ok(())
}

fn renamenx(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (db, from, to, at) = (change.db, args.at(1), args.at(2), change.at);
    if !change.store.contains(db, from, at) {
        return Err(Error::NO_SUCH_KEY);
    }
    // A key renamed to itself finds its name taken.
    let free = !change.store.contains(db, to, at);
    if free {
        change.store.rename(db, from, db, to, at);
    }
    change.reply.integer(i64::from(free));
    Ok(())
}

/// The database that an argument names.
fn database(args: Args<'_>, place: usize) -> Result<DbId, Error> {
    let (min, max) = (i64::from(i32::MIN), i64::from(i32::MAX));
    let number = args.integer(place)?;
    if !(min..=max).contains(&number) {
        return Err(Error::out_of_range(min, max));
    }
    match DbId::try_from(number) {
        Ok(db) if db < DATABASES => Ok(db),
        _ => Err(Error::DB_OUT_OF_RANGE),
    }
}

fn copy(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (from, to, at) = (args.at(1), args.at(2), change.at);
    let (mut to_db, mut replace) = (change.db, false);
    let mut place = 3;
    while place < args.len() {
        if args.is(place, "replace") {
            replace = true;
        } else if args.is(place, "db") && place + 1 < args.len() {
            place += 1;
            to_db = database(args, place)?;
        } else {
            return Err(Error::SYNTAX);
        }
        place += 1;
    }
    if to_db == change.db && from == to {
        return Err(Error::SAME_OBJECT);
    }
    let allowed = replace || !change.store.contains(to_db, to, at);
    let done = allowed && change.store.copy(change.db, from, to_db, to, at);
    change.reply.integer(i64::from(done));
    Ok(())
}

fn move_to(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (db, key, at) = (change.db, args.at(1), change.at);
    let to_db = database(args, 2)?;
    if to_db == db {
        return Err(Error::SAME_OBJECT);
    }
    let free = !change.store.contains(to_db, key, at);
    let done = free && change.store.rename(db, key, to_db, key, at);
    change.reply.integer(i64::from(done));
    Ok(())
}

fn randomkey(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let draw = query.dice.draw();
    match query.store.random_key(query.db, draw, query.at) {
        Some(key) if query.is_due(key) => return Err(Error::Due),
        Some(key) => query.reply.bulk(key),
        None => query.reply.null(),
    }
    Ok(())
}

fn dbsize(query: &mut Query<'_>, _: Args<'_>) -> Outcome {
    let len = query.store.live_len(query.db, query.at);
    if len != query.store.live_len(query.db, query.clock.max(query.at)) {
        return Err(Error::Due);
    }
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
