//! Hashes: the commands whose names begin with H.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::args::{Args, parse_integer};
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::extended::Extended;
use super::flag::Flag;
use super::grammar::{FIELD, KEY, VALUE, block, double, integer, many, opt, pattern, word};
use super::group::Group;
use super::key::{ADDED_TO, CHANGED, CUT, Keys, LOOKED_AT, READ, UPDATED};
use super::picks::{self, Source};
use super::reach::Reach;
use super::row::Row;
use super::tip;
use super::walk::{FIELDS_AT_ONCE, scan_members};
use crate::limits::BYTES_PER_WORK;
use crate::store::{Hash, Value, format_i64};

pub(super) const ROWS: &[Row] = &[
    Row::write("hset", -4, hset)
        .tells(Tells::Each(KeyEvent::HASH_SET))
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Sets fields of a hash.")
        .costs("O(N) where N is the number of fields given.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, many(block("data", &[FIELD, VALUE]))]),
    Row::write("hmset", -4, hmset)
        .tells(Tells::Each(KeyEvent::HASH_SET))
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .deprecated("4.0.0", "`HSET` with multiple field-value pairs")
        .says("Sets fields of a hash; HSET returns more.")
        .costs("O(N) where N is the number of fields given.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, many(block("data", &[FIELD, VALUE]))]),
    Row::write("hsetnx", 4, hsetnx)
        .tells(Tells::Each(KeyEvent::HASH_SET))
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Sets a field of a hash if it does not exist.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, FIELD, VALUE]),
    Row::write("hdel", -3, hdel)
        .tells(Tells::Each(KeyEvent::HASH_DEL))
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Removes fields of a hash.")
        .costs("O(N) where N is the number of fields given.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, many(FIELD)]),
    Row::write("hincrby", 4, hincrby)
        .tells(Tells::Each(KeyEvent::HASH_INCR_BY))
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds an integer to a field of a hash.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, FIELD, integer("increment")]),
    Row::write("hincrbyfloat", 4, hincrbyfloat)
        .tells(Tells::Each(KeyEvent::HASH_INCR_BY_FLOAT))
        .group(Group::Hash)
        .since("2.6.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds a floating-point number to a field of a hash.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, FIELD, double("increment")]),
    Row::read("hget", 3, hget)
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the value of a field of a hash.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, FIELD]),
    Row::read("hmget", -3, hmget)
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the values of fields of a hash.")
        .costs("O(N) where N is the number of fields given.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, many(FIELD)]),
    Row::read("hexists", 3, hexists)
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns whether a hash has a field.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY, FIELD]),
    Row::read("hlen", 2, hlen)
        .group(Group::Hash)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the number of fields of a hash.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("hstrlen", 3, hstrlen)
        .group(Group::Hash)
        .since("3.2.0")
        .flags(&[Flag::Fast])
        .says("Returns the length of the value of a field of a hash.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY, FIELD]),
    Row::read("hgetall", 2, hgetall)
        .group(Group::Hash)
        .since("2.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns all fields of a hash with their values.")
        .costs("O(N) where N is the number of fields in the hash.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("hkeys", 2, hkeys)
        .group(Group::Hash)
        .since("2.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns all fields of a hash.")
        .costs("O(N) where N is the number of fields in the hash.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("hvals", 2, hvals)
        .group(Group::Hash)
        .since("2.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns all values of a hash.")
        .costs("O(N) where N is the number of fields in the hash.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("hrandfield", -2, hrandfield)
        .group(Group::Hash)
        .since("6.2.0")
        .tips(tip::VARIES)
        .says("Returns random fields of a hash.")
        .reaches(Reach::Picks)
        .costs("O(N) where N is the number of fields answered.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            opt(block(
                "options",
                &[integer("count"), opt(word("WITHVALUES"))],
            )),
        ]),
    Row::read("hscan", -3, hscan)
        .reaches(Reach::Values)
        .group(Group::Hash)
        .since("2.8.0")
        .tips(tip::VARIES)
        .says("Iterates over the fields of a hash: returns some, and a cursor for the next call.")
        .costs("O(1) for each call, O(N) for a whole walk over N fields.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            integer("cursor"),
            opt(pattern("pattern").behind("MATCH")),
            opt(integer("count").behind("COUNT")),
        ]),
];

/// The hash at the first key of a query.
fn hash_at<'s>(query: &Query<'s>, key: &[u8]) -> Result<Option<Hash<'s>>, Error> {
    query.get_as(key, Value::as_hash)
}

/// Sets all pairs; how many fields are new.
fn set_pairs(change: &mut Change<'_>, args: Args<'_>, name: &str) -> Result<i64, Error> {
    if args.len() % 2 == 1 {
        return Err(Error::arity(name));
    }
    let mut hash = change.store.hash_or_new(change.db, args.at(1), change.at)?;
    for place in (change.pace.from(2)..args.len() as u64).step_by(2) {
        let (field, value) = (args.at(place as usize), args.at(place as usize + 1));
        change.pace.step(place, 1 + value.len() / BYTES_PER_WORK)?;
        change.pace.count += i64::from(hash.set(field, value));
    }
    Ok(change.pace.count)
}

fn hset(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let created = set_pairs(change, args, "hset")?;
    change.reply.integer(created);
    Ok(())
}

fn hmset(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    set_pairs(change, args, "hmset")?;
    change.reply.ok();
    Ok(())
}

fn hsetnx(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut hash = change.store.hash_or_new(change.db, args.at(1), change.at)?;
    let absent = hash.get(args.at(2)).is_none();
    if absent {
        hash.set(args.at(2), args.at(3));
    }
    change.reply.integer(i64::from(absent));
    Ok(())
}

fn hdel(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    if let Some(mut hash) = change.store.hash_mut(change.db, args.at(1), change.at)? {
        for place in change.pace.from(2)..args.len() as u64 {
            change.pace.step(place, 1)?;
            change.pace.count += i64::from(hash.remove(args.at(place as usize)));
            if hash.is_empty() {
                break;
            }
        }
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

fn hincrby(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let by = args.integer(3)?;
    let mut hash = change.store.hash_or_new(change.db, args.at(1), change.at)?;
    let old = match hash.get(args.at(2)) {
        None => 0,
        Some(text) => parse_integer(text).ok_or(Error::HASH_NOT_AN_INTEGER)?,
    };
    let new = old.checked_add(by).ok_or(Error::OVERFLOW)?;
    hash.set(args.at(2), format_i64(new, &mut [0; 20]));
    change.reply.integer(new);
    Ok(())
}

fn hincrbyfloat(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let by = Extended::parse(args.at(3)).ok_or(Error::NOT_A_FLOAT)?;
    if !by.is_finite() {
        return Err(Error::INFINITE);
    }
    let mut hash = change.store.hash_or_new(change.db, args.at(1), change.at)?;
    let old = match hash.get(args.at(2)) {
        None => Extended::ZERO,
        Some(text) => Extended::parse(text).ok_or(Error::HASH_NOT_A_FLOAT)?,
    };
    let new = old.plus(by).ok_or(Error::NAN_OR_INFINITY)?.to_text();
    hash.set(args.at(2), &new);
    change.reply.bulk(&new);
    Ok(())
}

fn hget(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    match hash_at(query, args.at(1))?.and_then(|hash| hash.get(args.at(2))) {
        Some(value) => query.reply.bulk(value),
        None => query.reply.null(),
    }
    Ok(())
}

fn hmget(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let hash = hash_at(query, args.at(1))?;
    if !query.pace.is_cut() {
        query.reply.array(args.len() - 2);
    }
    for place in query.pace.from(2)..args.len() as u64 {
        query.pace.step(place, 1)?;
        match hash.and_then(|hash| hash.get(args.at(place as usize))) {
            Some(value) => {
                query.pace.pay(value.len() / BYTES_PER_WORK);
                query.reply.bulk(value);
            }
            None => query.reply.null(),
        }
    }
    Ok(())
}

fn hexists(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let there = hash_at(query, args.at(1))?.is_some_and(|hash| hash.contains(args.at(2)));
    query.reply.integer(i64::from(there));
    Ok(())
}

fn hlen(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let len = hash_at(query, args.at(1))?.map_or(0, Hash::len);
    query.reply.integer(len as i64);
    Ok(())
}

fn hstrlen(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let value = hash_at(query, args.at(1))?.and_then(|hash| hash.get(args.at(2)));
    query.reply.integer(value.map_or(0, <[u8]>::len) as i64);
    Ok(())
}

/// The part of each field that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Both,
    Field,
    Value,
}

/// Answers all of a hash; a small one at once, a large one in the order of a walk.
fn walk(query: &mut Query<'_>, args: Args<'_>, part: Part) -> Outcome {
    let hash = hash_at(query, args.at(1))?;
    if !query.pace.is_cut() {
        let len = hash.map_or(0, Hash::len);
        match part {
            Part::Both => query.reply.map(len),
            Part::Field | Part::Value => query.reply.array(len),
        }
    }
    let Some(hash) = hash else {
        return Ok(());
    };
    let reply = &mut query.reply;
    let mut write = |field: &[u8], value: &[u8]| {
        if part != Part::Value {
            reply.bulk(field);
        }
        if part != Part::Field {
            reply.bulk(value);
        }
        (field.len() + value.len()) / BYTES_PER_WORK
    };
    let most = query.pace.steps(1).min(FIELDS_AT_ONCE);
    if !query.pace.is_cut() && hash.len() <= most {
        let work = hash.iter().map(|(field, value)| write(field, value)).sum();
        query.pace.pay(work);
        return Ok(());
    }
    let mut cursor = query.pace.from(0);
    loop {
        let count = query.pace.steps(1).min(FIELDS_AT_ONCE);
        query.pace.step(cursor, count)?;
        let mut work = 0;
        cursor = hash.scan(cursor, count, &mut |field, value| {
            work += write(field, value);
        });
        query.pace.pay(work);
        if cursor == 0 {
            return Ok(());
        }
    }
}

fn hgetall(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    walk(query, args, Part::Both)
}

fn hkeys(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    walk(query, args, Part::Field)
}

fn hvals(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    walk(query, args, Part::Value)
}

fn hrandfield(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 2 {
        let draw = query.dice.draw();
        let hash = hash_at(query, args.at(1))?;
        picks::answer_one(query, hash.map(Source::Hash), draw);
        return Ok(());
    }
    let wanted = picks::wanted(args, "withvalues")?;
    let hash = hash_at(query, args.at(1))?;
    picks::answer(query, hash.map(Source::Hash), wanted)
}

fn hscan(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    scan_members(query, args, hash_at, |hash, cursor, most, show| {
        hash.scan(cursor, most, &mut |field, value| show(field, Some(value)))
    })
}
