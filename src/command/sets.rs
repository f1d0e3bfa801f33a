//! Sets: members that come, go and are asked for.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::args::Args;
use super::context::{Change, Query};
use super::error::Outcome;
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{Arg, KEY, integer, key, many, opt, pattern, string};
use super::group::Group;
use super::key::{ADDED_TO, CUT, Keys, LOOKED_AT, READ, REPLACED, TAKEN, UPDATED};
use super::reach::Reach;
use super::row::Row;
use super::set_combine::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
use super::set_picks::{spop, srandmember};
use super::set_walk::{answer_all, set_at};
use super::tip;
use super::walk::scan_members;
use crate::limits::BYTES_PER_WORK;
use crate::store::Set;

const MEMBER: Arg = string("member");

pub(super) const ROWS: &[Row] = &[
    Row::write("sadd", -3, sadd)
        .tells(Tells::Each(KeyEvent::SET_ADD))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds members to a set.")
        .costs("O(N) where N is the number of members given.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, many(MEMBER)]),
    Row::write("srem", -3, srem)
        .tells(Tells::Each(KeyEvent::SET_REM))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Removes members of a set.")
        .costs("O(N) where N is the number of members given.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, many(MEMBER)]),
    Row::write("smove", 4, smove)
        .tells(Tells::InTurn(KeyEvent::SET_REM, KeyEvent::SET_ADD))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Moves a member from one set to another.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, ADDED_TO)])
        .args(&[key("source", 0), key("destination", 1), MEMBER]),
    Row::write("spop", -2, spop)
        .tells(Tells::Each(KeyEvent::SET_POP))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .tips(tip::VARIES)
        .says("Takes members out of a set by chance.")
        .costs(
            "O(N) where N is the number of members taken, or of those that stay if they are few.",
        )
        .keys(&[Keys::at(1, TAKEN)])
        .args(&[KEY, opt(integer("count").since("3.2.0"))]),
    Row::read("srandmember", -2, srandmember)
        .group(Group::Set)
        .since("1.0.0")
        .tips(tip::VARIES)
        .says("Returns members of a set by chance.")
        .reaches(Reach::Picks)
        .costs("O(N) where N is the number of members answered, or in the set if they are a third.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, opt(integer("count").since("2.6.0"))]),
    Row::read("sismember", 3, sismember)
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Returns whether a set has a member.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY, MEMBER]),
    Row::read("smismember", -3, smismember)
        .group(Group::Set)
        .since("6.2.0")
        .flags(&[Flag::Fast])
        .says("Returns for each of several members whether a set has it.")
        .costs("O(N) where N is the number of members given.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, many(MEMBER)]),
    Row::read("scard", 2, scard)
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the number of members of a set.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("smembers", 2, smembers)
        .group(Group::Set)
        .since("1.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns all members of a set.")
        .costs("O(N) where N is the number of members in the set.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("sscan", -3, sscan)
        .reaches(Reach::Values)
        .group(Group::Set)
        .since("2.8.0")
        .tips(tip::VARIES)
        .says("Iterates over the members of a set: returns some, and a cursor for the next call.")
        .costs("O(1) for each call, O(N) for a whole walk over N members.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            integer("cursor"),
            opt(pattern("pattern").behind("MATCH")),
            opt(integer("count").behind("COUNT")),
        ]),
    Row::read("sinter", -2, sinter)
        .reaches(Reach::Values)
        .group(Group::Set)
        .since("1.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns the members that all of several sets have.")
        .costs("O(N*M) where N is the size of the smallest set and M the number of sets.")
        .keys(&[Keys::all(READ)])
        .args(&[many(KEY)]),
    Row::read("sintercard", -3, sintercard)
        .reaches(Reach::Values)
        .group(Group::Set)
        .since("7.0.0")
        .says("Returns the number of members that all of several sets have.")
        .costs("O(N*M) where N is the size of the smallest set and M the number of sets.")
        .keys(&[Keys::counted(1, READ)])
        .args(&[
            integer("numkeys"),
            many(KEY),
            opt(integer("limit").behind("LIMIT")),
        ]),
    Row::write("sinterstore", -3, sinterstore)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::SET_INTER_STORE]))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the members that all of several sets have.")
        .costs("O(N*M) where N is the size of the smallest set and M the number of sets.")
        .keys(&[Keys::at(1, UPDATED), Keys::range(2, -1, 1, READ)])
        .args(STORE_ARGS),
    Row::read("sunion", -2, sunion)
        .reaches(Reach::Values)
        .group(Group::Set)
        .since("1.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns the members that any of several sets has.")
        .costs("O(N) where N is the number of members in all sets.")
        .keys(&[Keys::all(READ)])
        .args(&[many(KEY)]),
    Row::write("sunionstore", -3, sunionstore)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::SET_UNION_STORE]))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the members that any of several sets has.")
        .costs("O(N) where N is the number of members in all sets.")
        .keys(STORED)
        .args(STORE_ARGS),
    Row::read("sdiff", -2, sdiff)
        .reaches(Reach::Values)
        .group(Group::Set)
        .since("1.0.0")
        .tips(tip::ORDER_VARIES)
        .says("Returns the members of a set that none of several others has.")
        .costs("O(N*M) where N is the size of the first set and M the number of sets.")
        .keys(&[Keys::all(READ)])
        .args(&[many(KEY)]),
    Row::write("sdiffstore", -3, sdiffstore)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::SET_DIFF_STORE]))
        .group(Group::Set)
        .since("1.0.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the members of a set that none of several others has.")
        .costs("O(N*M) where N is the size of the first set and M the number of sets.")
        .keys(STORED)
        .args(STORE_ARGS),
];

/// The keys of a command that stores what it makes of sets.
const STORED: &[Keys] = &[Keys::at(1, REPLACED), Keys::range(2, -1, 1, READ)];

/// The arguments of such a command.
const STORE_ARGS: &[Arg] = &[key("destination", 0), many(key("key", 1))];

fn sadd(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut set = change.store.set_or_new(change.db, args.at(1), change.at)?;
    if !change.pace.is_cut() {
        set.expect(args.at(2), args.len() - 2);
    }
    for place in change.pace.from(2)..args.len() as u64 {
        let member = args.at(place as usize);
        change.pace.step(place, 1 + member.len() / BYTES_PER_WORK)?;
        change.pace.count += i64::from(set.add(member));
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

fn srem(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    if let Some(mut set) = change.store.set_mut(change.db, args.at(1), change.at)? {
        for place in change.pace.from(2)..args.len() as u64 {
            change.pace.step(place, 1)?;
            change.pace.count += i64::from(set.remove(args.at(place as usize)));
            if set.is_empty() {
                break;
            }
        }
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

fn smove(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (source, target, member) = (args.at(1), args.at(2), args.at(3));
    let (db, at) = (change.db, change.at);
    let set = change.store.set(db, source, at)?;
    let is_there = set.is_some_and(|set| set.contains(member));
    // As in Redis, nobody looks at the target if there is no source.
    if set.is_some() {
        change.store.set(db, target, at)?;
    }
    if is_there && source != target {
        if let Some(mut set) = change.store.set_mut(db, source, at)? {
            set.remove(member);
        }
        change.store.set_or_new(db, target, at)?.add(member);
    }
    change.reply.integer(i64::from(is_there));
    Ok(())
}

fn sismember(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let there = set_at(query, args.at(1))?.is_some_and(|set| set.contains(args.at(2)));
    query.reply.integer(i64::from(there));
    Ok(())
}

fn scard(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let len = set_at(query, args.at(1))?.map_or(0, Set::len);
    query.reply.integer(len as i64);
    Ok(())
}

fn smismember(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let set = set_at(query, args.at(1))?;
    if !query.pace.is_cut() {
        query.reply.array(args.len() - 2);
    }
    for place in query.pace.from(2)..args.len() as u64 {
        query.pace.step(place, 1)?;
        let is_there = set.is_some_and(|set| set.contains(args.at(place as usize)));
        query.reply.integer(i64::from(is_there));
    }
    Ok(())
}

fn smembers(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let set = set_at(query, args.at(1))?;
    if !query.pace.is_cut() {
        query.reply.set(set.map_or(0, Set::len));
    }
    let Some(set) = set else {
        return Ok(());
    };
    let mut cursor = query.pace.from(0);
    answer_all(query.pace, &mut query.reply, set, &mut cursor)
}

fn sscan(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    scan_members(query, args, set_at, |set, cursor, most, show| {
        set.scan(cursor, most, &mut |member| {
            show(&member.as_bytes(&mut [0; 20]), None);
        })
    })
}
