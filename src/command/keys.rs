//! Keys as such, whatever they hold: removing, asking, moving, emptying.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use alloc::boxed::Box;
use core::mem;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::{Category, Flag};
use super::grammar::{Arg, KEY, integer, key, many, one_of, opt, word};
use super::group::Group;
use super::key::{CHANGED, CREATED, Keys, LOOKED_AT, READ, REMOVED, REPLACED, TAKEN};
use super::pace::Kept;
use super::reach::Reach;
use super::row::{Empties, Row};
use super::tip;
use crate::limits::BYTES_PER_WORK;
use crate::store::NewCopy;

/// When what was removed is freed.
const FLUSH_TYPE: Arg = opt(one_of(
    "flush-type",
    &[word("ASYNC").since("4.0.0"), word("SYNC").since("6.2.0")],
));

pub(super) const ROWS: &[Row] = &[
    Row::write("del", -2, remove)
        .tells(Tells::Kept(&[]))
        .group(Group::Generic)
        .since("1.0.0")
        .tips(tip::SPLIT_AND_SUMMED)
        .says("Removes keys.")
        .costs("O(N) where N is the number of keys; large values are freed later.")
        .keys(&[Keys::all(REMOVED)])
        .args(&[many(KEY)]),
    Row::write("unlink", -2, remove)
        .tells(Tells::Kept(&[]))
        .group(Group::Generic)
        .since("4.0.0")
        .flags(&[Flag::Fast])
        .tips(tip::SPLIT_AND_SUMMED)
        .says("Removes keys; their memory is freed later.")
        .costs("O(N) where N is the number of keys; large values are freed later.")
        .keys(&[Keys::all(REMOVED)])
        .args(&[many(KEY)]),
    Row::read("exists", -2, count_present)
        .leaves_heat()
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .tips(tip::SPLIT_AND_SUMMED)
        .says("Returns how many of the keys exist.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::all(LOOKED_AT)])
        .args(&[many(KEY)]),
    Row::read("touch", -2, count_present)
        .heats_always()
        .group(Group::Generic)
        .since("3.2.1")
        .flags(&[Flag::Fast])
        .tips(tip::SPLIT_AND_SUMMED)
        .says("Returns how many of some keys exist, and notes them as used.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::all(LOOKED_AT)])
        .args(&[many(KEY)]),
    Row::read("type", 2, type_of)
        .leaves_heat()
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the type of the value at a key.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY]),
    Row::write("rename", 3, rename)
        .tells(Tells::InTurn(KeyEvent::RENAME_FROM, KeyEvent::RENAME_TO))
        .group(Group::Generic)
        .since("1.0.0")
        .says("Renames a key, and overwrites the new name.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, REPLACED)])
        .args(&[KEY, key("newkey", 1)]),
    Row::write("renamenx", 3, renamenx)
        .tells(Tells::InTurn(KeyEvent::RENAME_FROM, KeyEvent::RENAME_TO))
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Renames a key if the new name does not exist.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, CREATED)])
        .args(&[KEY, key("newkey", 1)]),
    Row::write("copy", -3, copy)
        .reaches(Reach::Values)
        .tells(Tells::Each(KeyEvent::COPY_TO))
        .group(Group::Generic)
        .since("6.2.0")
        .flags(&[Flag::DenyOom])
        .says("Copies a key's value to another key.")
        .costs(
            "O(N) where N is the number of members of a hash, a set or a sorted set; a string or \
             a list shares nearly all with its copy.",
        )
        .keys(&[
            Keys::at(1, READ),
            Keys::at(2, REPLACED).elsewhere(|args| args.len() > 3),
        ])
        .args(&[
            key("source", 0),
            key("destination", 1),
            opt(integer("destination-db").behind("DB")),
            opt(word("REPLACE")),
        ]),
    Row::write("move", 3, move_to)
        .tells(Tells::InTurn(KeyEvent::MOVE_FROM, KeyEvent::MOVE_TO))
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Moves a key to another database.")
        .keys(&[Keys::at(1, CHANGED).elsewhere(|_| true)])
        .args(&[KEY, integer("db")]),
    Row::read("randomkey", 1, randomkey)
        .group(Group::Generic)
        .since("1.0.0")
        .tips(tip::VARIES_BY_SHARD)
        .says("Returns a random key."),
    Row::read("dbsize", 1, dbsize)
        .group(Group::Server)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .within(Category::Keyspace)
        .tips(tip::SUM_OF_ALL_SHARDS)
        .says("Returns the number of keys in the database."),
    Row::write("flushdb", -1, flushdb)
        .group(Group::Server)
        .since("1.0.0")
        .within(Category::Dangerous)
        .within(Category::Keyspace)
        .empties(Empties::Database)
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .says("Removes all keys of the database.")
        .costs("O(1); what was there is freed later.")
        .args(&[FLUSH_TYPE]),
    Row::write("flushall", -1, flushall)
        .group(Group::Server)
        .since("1.0.0")
        .within(Category::Dangerous)
        .within(Category::Keyspace)
        .empties(Empties::Everything)
        .tips(tip::SUCCEEDS_ON_ALL_SHARDS)
        .says("Removes all keys of all databases.")
        .costs("O(1); what was there is freed later.")
        .args(&[FLUSH_TYPE]),
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

fn copy(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (from, to, at) = (args.at(1), args.at(2), change.at);
    let (mut to_db, mut replace) = (change.db, false);
    let mut place = 3;
    while place < args.len() {
        if args.is(place, "replace") {
            replace = true;
        } else if args.is(place, "db") && place + 1 < args.len() {
            place += 1;
            to_db = args.database(place)?;
        } else {
            return Err(Error::SYNTAX);
        }
        place += 1;
    }
    if to_db == change.db && from == to {
        return Err(Error::SAME_OBJECT);
    }
    let allowed = replace || !change.store.contains(to_db, to, at);
    let made = match mem::take(&mut change.pace.kept) {
        Kept::Copying(made) => Some(made),
        _ if allowed => change.store.begin_copy(change.db, from, at).map(Box::new),
        _ => None,
    };
    let done = match made {
        Some(mut made) => {
            let done = copy_on(change, from, &mut made);
            let made = change.pace.keep(Kept::Copying, done, made)?;
            change.store.put_copy((change.db, from), (to_db, to), *made);
            true
        }
        None => allowed && change.store.copy(change.db, from, to_db, to, at),
    };
    change.reply.integer(i64::from(done));
    Ok(())
}

/// Goes on with the copy of a large value as far as the pace allows.
fn copy_on(change: &mut Change<'_>, from: &[u8], made: &mut NewCopy) -> Outcome {
    loop {
        change.pace.step(0, 1)?;
        match change.store.copy_on(change.db, from, made) {
            Some(bytes) => change.pace.pay(bytes / BYTES_PER_WORK),
            None => return Ok(()),
        }
    }
}

fn move_to(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (db, key, at) = (change.db, args.at(1), change.at);
    let to_db = args.database(2)?;
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
