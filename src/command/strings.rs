//! Strings: what reads and writes them whole or in part, and the rows of the whole family.

use core::ops::Range;

use crate::limits::{BULK_BYTES_MAX, BYTES_PER_WORK};
use crate::resp::reply::Reply;
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
        complexity: "O(1)",
        categories: &[],
        subcommands: &[],
    }
}

pub(super) const ROWS: &[Row] = &[
    row(
        "get",
        2,
        Kind::Read(get),
        FAST,
        "1.0.0",
        "Answers the string at a key.",
    ),
    row(
        "strlen",
        2,
        Kind::Read(strlen),
        FAST,
        "2.2.0",
        "Answers how many bytes the string has.",
    ),
    row(
        "getrange",
        4,
        Kind::Read(getrange),
        &[],
        "2.4.0",
        "Answers a part of the string.",
    )
    .costs("O(N) where N is the length of the answer."),
    row(
        "substr",
        4,
        Kind::Read(getrange),
        &[],
        "1.0.0",
        "Answers a part of the string.",
    )
    .costs("O(N) where N is the length of the answer."),
    row(
        "mget",
        -2,
        Kind::Read(mget),
        FAST,
        "1.0.0",
        "Answers the strings at several keys.",
    )
    .costs("O(N) where N is the number of keys.")
    .at(Keys::ALL),
    row(
        "lcs",
        -3,
        Kind::Read(lcs::lcs),
        &[],
        "7.0.0",
        "Finds the longest subsequence that two strings share.",
    )
    .costs("O(N*M) where N and M are the lengths of the two strings.")
    .at(Keys::TWO),
    row(
        "set",
        -3,
        Kind::Write(set::set),
        GROWS,
        "1.0.0",
        "Makes a key a string, whatever it was.",
    ),
    row(
        "setnx",
        3,
        Kind::Write(set::setnx),
        GROWS_FAST,
        "1.0.0",
        "Makes a key a string where it is absent.",
    ),
    row(
        "setex",
        4,
        Kind::Write(set::setex),
        GROWS,
        "2.0.0",
        "Makes a key a string that lives for some seconds.",
    ),
    row(
        "psetex",
        4,
        Kind::Write(set::psetex),
        GROWS,
        "2.6.0",
        "Makes a key a string that lives for some milliseconds.",
    ),
    row(
        "getset",
        3,
        Kind::Write(set::getset),
        GROWS_FAST,
        "1.0.0",
        "Makes a key a string and answers the old one.",
    ),
    row(
        "getdel",
        2,
        Kind::Write(set::getdel),
        FAST,
        "6.2.0",
        "Answers the string at a key and removes the key.",
    ),
    row(
        "getex",
        -2,
        Kind::Write(set::getex),
        FAST,
        "6.2.0",
        "Answers the string at a key and changes its expiry.",
    ),
    row(
        "mset",
        -3,
        Kind::Write(mset),
        GROWS,
        "1.0.1",
        "Makes several keys strings.",
    )
    .costs("O(N) where N is the number of keys.")
    .at(Keys::PAIRS),
    row(
        "msetnx",
        -3,
        Kind::Write(msetnx),
        GROWS,
        "1.0.1",
        "Makes several keys strings where all are absent.",
    )
    .costs("O(N) where N is the number of keys.")
    .at(Keys::PAIRS),
    row(
        "append",
        3,
        Kind::Write(append),
        GROWS_FAST,
        "2.0.0",
        "Adds to the end of the string.",
    )
    .costs("O(N) where N is the length of what is added, on average."),
    row(
        "setrange",
        4,
        Kind::Write(setrange),
        GROWS,
        "2.2.0",
        "Overwrites a part of the string.",
    )
    .costs("O(N) where N is the length of what is written, and of the gap before it."),
    row(
        "incr",
        2,
        Kind::Write(counters::incr),
        GROWS_FAST,
        "1.0.0",
        "Adds one to the integer at a key.",
    ),
    row(
        "decr",
        2,
        Kind::Write(counters::decr),
        GROWS_FAST,
        "1.0.0",
        "Takes one from the integer at a key.",
    ),
    row(
        "incrby",
        3,
        Kind::Write(counters::incrby),
        GROWS_FAST,
        "1.0.0",
        "Adds to the integer at a key.",
    ),
    row(
        "decrby",
        3,
        Kind::Write(counters::decrby),
        GROWS_FAST,
        "1.0.0",
        "Takes from the integer at a key.",
    ),
    row(
        "incrbyfloat",
        3,
        Kind::Write(counters::incrbyfloat),
        GROWS_FAST,
        "2.6.0",
        "Adds to the number at a key.",
    ),
];

/// The string at a key, borrowed from the store alone: the reply can be written beside it.
pub(super) fn text<'a>(query: &Query<'a>, key: &[u8]) -> Result<Option<Text<'a>>, Error> {
    match query.get(key)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Hash(_)) => Err(Error::WRONG_TYPE),
    }
}

/// The string that a change finds at a key.
pub(super) fn current<'c>(change: &'c Change<'_>, key: &[u8]) -> Result<Option<Text<'c>>, Error> {
    Ok(change.store.text(change.db, key, change.at)?)
}

/// Answers a string, or that there is none.
pub(super) fn answer(reply: &mut Reply<'_>, found: Option<Text<'_>>) {
    match found {
        None => reply.null(),
        Some(Text::Integer(number)) => reply.bulk_integer(number),
        Some(Text::Bytes(bytes) | Text::Raw(bytes)) => reply.bulk(bytes),
        Some(text @ Text::Rope(_)) => answer_part(reply, text, 0..text.len()),
    }
}

/// Answers a part of a string.
fn answer_part(reply: &mut Reply<'_>, text: Text<'_>, part: Range<usize>) {
    reply.bulk_head(part.len());
    text.for_each_piece_of(part, &mut |piece| reply.raw(piece));
    reply.raw(b"\r\n");
}

/// Refuses a string that would grow beyond the longest bulk string.
fn check_length(present: usize, more: usize) -> Outcome {
    match (present as u64).checked_add(more as u64) {
        Some(total) if total <= BULK_BYTES_MAX => Ok(()),
        _ => Err(Error::STRING_TOO_LONG),
    }
}

fn get(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let found = text(query, args.at(1))?;
    answer(&mut query.reply, found);
    Ok(())
}

fn strlen(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let len = text(query, args.at(1))?.map_or(0, Text::len);
    query.reply.integer(len as i64);
    Ok(())
}

/// The part of a string of `len` bytes between two places, which count from the end where they are
/// negative; both ends are meant.
fn part(len: usize, start: i64, end: i64) -> Range<usize> {
    if len == 0 || start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let len = len as i64;
    let from_front = |place: i64| {
        let place = if place < 0 {
            place.saturating_add(len)
        } else {
            place
        };
        place.max(0)
    };
    let (start, end) = (from_front(start), from_front(end).min(len - 1));
    if start > end {
        return 0..0;
    }
    start as usize..end as usize + 1
}

fn getrange(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let (start, end) = (args.integer(2)?, args.integer(3)?);
    let found = text(query, args.at(1))?.unwrap_or(Text::Bytes(b""));
    let part = part(found.len(), start, end);
    answer_part(&mut query.reply, found, part);
    Ok(())
}

/// Another type counts as no string.
fn mget(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if !query.pace.is_cut() {
        query.reply.array(args.len() - 1);
    }
    for place in query.pace.from(1)..args.len() as u64 {
        query.pace.step(place, 1)?;
        let found = match query.get(args.at(place as usize))? {
            Some(Value::String(text)) => Some(text),
            Some(Value::Hash(_)) | None => None,
        };
        query.pace.pay(found.map_or(0, Text::len) / BYTES_PER_WORK);
        answer(&mut query.reply, found);
    }
    Ok(())
}

fn check_pairs(args: Args<'_>, name: &str) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(Error::arity(name));
    }
    Ok(())
}

/// Sets all pairs, as steps that are counted from `first` on.
fn set_pairs(change: &mut Change<'_>, args: Args<'_>, first: u64) -> Outcome {
    let (db, at) = (change.db, change.at);
    let end = first + args.len() as u64 - 1;
    for step in (change.pace.from(first).max(first)..end).step_by(2) {
        let place = (step - first) as usize + 1;
        let (key, value) = (args.at(place), args.at(place + 1));
        change.pace.step(step, 1 + value.len() / BYTES_PER_WORK)?;
        change
            .store
            .set_string(db, key, value, NewExpiry::Never, at);
    }
    Ok(())
}

fn mset(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    check_pairs(args, "mset")?;
    set_pairs(change, args, 1)?;
    change.reply.ok();
    Ok(())
}

fn msetnx(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    check_pairs(args, "msetnx")?;
    // All keys are looked at before any is written: the steps of writing stand behind.
    let end = args.len() as u64;
    for step in (change.pace.from(1)..end).step_by(2) {
        change.pace.step(step, 1)?;
        if change.get(args.at(step as usize)).is_some() {
            change.reply.integer(0);
            return Ok(());
        }
    }
    set_pairs(change, args, end)?;
    change.reply.integer(1);
    Ok(())
}

fn append(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (key, more) = (args.at(1), args.at(2));
    let present = current(change, key)?.map_or(0, Text::len);
    check_length(present, more.len())?;
    let len = change.store.append(change.db, key, more, change.at)?;
    change.reply.integer(len as i64);
    Ok(())
}

fn setrange(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (key, bytes) = (args.at(1), args.at(3));
    let offset = args.integer(2)?;
    let offset = usize::try_from(offset).map_err(|_| Error::OFFSET_OUT_OF_RANGE)?;
    let present = current(change, key)?.map_or(0, Text::len);
    let len = if bytes.is_empty() {
        present
    } else {
        check_length(offset, bytes.len())?;
        change
            .store
            .set_range(change.db, key, offset, bytes, change.at)?
    };
    change.reply.integer(len as i64);
    Ok(())
}
