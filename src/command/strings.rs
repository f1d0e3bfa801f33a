//! Strings: what reads and writes them whole or in part, and the rows of the whole family.

use crate::limits::BULK_BYTES_MAX;
use crate::store::{NewExpiry, Text, Value};

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::table::{Keys, Kind, Row};
use super::{counters, lcs, set};

/// Flags of a command whose work does not grow with the value.
const FAST: &[&str] = &["fast"];
/// Flags of a command that may need more memory.
const GROWS: &[&str] = &["denyoom"];
/// Flags of a command that may need more memory and whose work does not grow with the value.
const GROWS_FAST: &[&str] = &["denyoom", "fast"];

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
        keys: Keys::FIRST,
        flags,
        group: "string",
        since,
        summary,
    }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("get", 2, Kind::Read(get), FAST, "1.0.0", "Answers the string at a key."),
    row("strlen", 2, Kind::Read(strlen), FAST, "2.2.0", "Answers how many bytes the string has."),
    row("getrange", 4, Kind::Read(getrange), &[], "2.4.0", "Answers a part of the string."),
    row("substr", 4, Kind::Read(getrange), &[], "1.0.0", "Answers a part of the string."),
    Row {
        keys: Keys::ALL,
        ..row("mget", -2, Kind::Read(mget), FAST, "1.0.0", "Answers the strings at several keys.")
    },
    Row {
        keys: Keys::TWO,
        ..row("lcs", -3, Kind::Read(lcs::lcs), &[], "7.0.0", "Finds the longest subsequence that two strings share.")
    },
    row("set", -3, Kind::Write(set::set), GROWS, "1.0.0", "Makes a key a string, whatever it was."),
    row("setnx", 3, Kind::Write(set::setnx), GROWS_FAST, "1.0.0", "Makes a key a string where it is absent."),
    row("setex", 4, Kind::Write(set::setex), GROWS, "2.0.0", "Makes a key a string that lives for some seconds."),
    row("psetex", 4, Kind::Write(set::psetex), GROWS, "2.6.0", "Makes a key a string that lives for some milliseconds."),
    row("getset", 3, Kind::Write(set::getset), GROWS_FAST, "1.0.0", "Makes a key a string and answers the old one."),
    row("getdel", 2, Kind::Write(set::getdel), FAST, "6.2.0", "Answers the string at a key and removes the key."),
    row("getex", -2, Kind::Write(set::getex), FAST, "6.2.0", "Answers the string at a key and changes its expiry."),
    Row {
        keys: Keys::PAIRS,
        ..row("mset", -3, Kind::Write(mset), GROWS, "1.0.1", "Makes several keys strings.")
    },
    Row {
        keys: Keys::PAIRS,
        ..row("msetnx", -3, Kind::Write(msetnx), GROWS, "1.0.1", "Makes several keys strings where all are absent.")
    },
    row("append", 3, Kind::Write(append), GROWS_FAST, "2.0.0", "Adds to the end of the string."),
    row("setrange", 4, Kind::Write(setrange), GROWS, "2.2.0", "Overwrites a part of the string."),
    row("incr", 2, Kind::Write(counters::incr), GROWS_FAST, "1.0.0", "Adds one to the integer at a key."),
    row("decr", 2, Kind::Write(counters::decr), GROWS_FAST, "1.0.0", "Takes one from the integer at a key."),
    row("incrby", 3, Kind::Write(counters::incrby), GROWS_FAST, "1.0.0", "Adds to the integer at a key."),
    row("decrby", 3, Kind::Write(counters::decrby), GROWS_FAST, "1.0.0", "Takes from the integer at a key."),
    row("incrbyfloat", 3, Kind::Write(counters::incrbyfloat), GROWS_FAST, "2.6.0", "Adds to the number at a key."),
];

/// The string at a key, borrowed from the store alone: the reply can be written beside it.
pub(super) fn text<'a>(query: &Query<'a>, key: &[u8]) -> Result<Option<Text<'a>>, Error> {
    if query.get(key)?.is_none() {
        return Ok(None);
    }
    Ok(query.store.text(query.db, key, query.at)?)
}

/// The string that a change finds at a key.
pub(super) fn current<'c>(
    change: &'c Change<'_>,
    key: &[u8],
) -> Result<Option<Text<'c>>, Error> {
    Ok(change.store.text(change.db, key, change.at)?)
}

fn get(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let found = text(query, args.at(1))?;
    query.reply.text(found);
    Ok(())
}
