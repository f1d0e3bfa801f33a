//! Strings that are read, and written in part or several at once.

use core::ops::Range;

use crate::limits::{BULK_BYTES_MAX, BYTES_PER_WORK, KEYS_FETCHED};
use crate::resp::reply::Reply;
use crate::store::{NewExpiry, Text, Value};

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{KEY, VALUE, block, integer, many};
use super::group::Group;
use super::key::{ADDED_TO, CREATED, Keys, LOOKED_AT, READ, REPLACED, UPDATED};
use super::row::Row;
use super::tip;

pub(super) const ROWS: &[Row] = &[
    Row::read("get", 2, get)
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the string at a key.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("strlen", 2, strlen)
        .group(Group::String)
        .since("2.2.0")
        .flags(&[Flag::Fast])
        .says("Returns the length of the string in bytes.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("getrange", 4, getrange)
        .group(Group::String)
        .since("2.4.0")
        .says("Returns a part of the string.")
        .costs("O(N) where N is the length of the answer.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, integer("start"), integer("end")]),
    Row::read("substr", 4, getrange)
        .group(Group::String)
        .since("1.0.0")
        .deprecated("2.0.0", "`GETRANGE`")
        .says("Returns a part of the string.")
        .costs("O(N) where N is the length of the answer.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, integer("start"), integer("end")]),
    Row::read("mget", -2, mget)
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .tips(tip::SPLIT_BY_SHARD)
        .says("Returns the strings at several keys.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::all(READ)])
        .args(&[many(KEY)]),
    Row::write("mset", -3, mset)
        .tells(Tells::Each(KeyEvent::SET))
        .group(Group::String)
        .since("1.0.1")
        .flags(&[Flag::DenyOom])
        .tips(tip::SPLIT_AND_ALL_SUCCEED)
        .says("Sets several keys to strings.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::pairs(REPLACED)])
        .args(&[many(block("data", &[KEY, VALUE]))]),
    Row::write("msetnx", -3, msetnx)
        .tells(Tells::Each(KeyEvent::SET))
        .group(Group::String)
        .since("1.0.1")
        .flags(&[Flag::DenyOom])
        .says("Sets several keys to strings if none of them exists.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::pairs(CREATED)])
        .args(&[many(block("data", &[KEY, VALUE]))]),
    Row::write("append", 3, append)
        .tells(Tells::Each(KeyEvent::APPEND))
        .group(Group::String)
        .since("2.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Appends to the string.")
        .costs("O(N) where N is the length of what is added, on average.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, VALUE]),
    Row::write("setrange", 4, setrange)
        .tells(Tells::Each(KeyEvent::SET_RANGE))
        .group(Group::String)
        .since("2.2.0")
        .flags(&[Flag::DenyOom])
        .says("Overwrites a part of the string.")
        .costs("O(N) where N is the length of what is written, and of the gap before it.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, integer("offset"), VALUE]),
];

/// The string at a key, borrowed from the store alone: the reply can be written beside it.
pub(super) fn text<'a>(query: &Query<'a>, key: &[u8]) -> Result<Option<Text<'a>>, Error> {
    query.get_as(key, Value::as_text)
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
    let is_far = query.store.is_far(query.db);
    let first = query.pace.from(1);
    for place in first..args.len() as u64 {
        query.pace.step(place, 1)?;
        if is_far && (place - first).is_multiple_of(KEYS_FETCHED as u64) {
            let next = (place as usize..args.len()).map(|place| args.at(place));
            query.store.fetch(query.db, next);
        }
        let found = match query.get(args.at(place as usize))? {
            Some(Value::String(text)) => Some(text),
            _ => None,
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
