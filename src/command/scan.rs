//! Walking over keys: KEYS and SCAN.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::flag::Category;
use super::found::Found;
use super::grammar::{integer, opt, pattern, string};
use super::group::Group;
use super::reach::Reach;
use super::row::Row;
use super::tip;
use super::walk::{Options, cursor, walk, write_cursor};
use crate::store::{DbId, Store, glob};
use crate::time::Stamp;

pub(super) const ROWS: &[Row] = &[
    Row::read("keys", 2, keys)
        .reaches(Reach::Keys)
        .group(Group::Generic)
        .since("1.0.0")
        .within(Category::Dangerous)
        .tips(tip::ORDER_VARIES_OF_ALL_SHARDS)
        .says("Returns all keys that match a pattern.")
        .costs("O(N) where N is the number of keys in the database.")
        .args(&[pattern("pattern")]),
    Row::read("scan", -2, scan)
        .reaches(Reach::Keys)
        .group(Group::Generic)
        .since("2.8.0")
        .tips(tip::CURSOR)
        .says("Iterates over the keys: returns some, and a cursor for the next call.")
        .costs("O(1) for each call, O(N) for a whole walk over N keys.")
        .args(&[
            integer("cursor"),
            opt(pattern("pattern").behind("MATCH")),
            opt(integer("count").behind("COUNT")),
            opt(string("type").behind("TYPE").since("6.0.0")),
        ]),
];

fn keys(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let pattern = args.at(1);
    let protocol = query.reply.protocol();
    let (store, db, at, clock) = (query.store, query.db, query.at, query.clock);
    let mut show = |cursor, most, found: &mut Found| {
        let mut due = false;
        let next = store.scan(db, cursor, most, at, &mut |key, _| {
            if glob::matches(pattern, key) {
                due |= is_due(store, db, key, clock);
                found.push(protocol, key);
            }
        });
        // A step that shows little is no reason to end: all keys are wanted.
        if due {
            Err(Error::Due)
        } else {
            Ok((next, most))
        }
    };
    let (_, found) = walk(query.pace, 0, usize::MAX, &mut show)?;
    found.write_to(&mut query.reply);
    Ok(())
}

fn is_due(store: &Store, db: DbId, key: &[u8], clock: Stamp) -> bool {
    store.expiry(db, key).is_some_and(|expiry| expiry <= clock)
}

fn scan(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(1))?;
    let options = Options::parse(args.from(2), true)?;
    let protocol = query.reply.protocol();
    let (store, db, at, clock) = (query.store, query.db, query.at, query.clock);
    let mut show = |cursor, most, found: &mut Found| {
        let (mut due, mut shown) = (false, 0);
        let next = store.scan(db, cursor, most, at, &mut |key, value| {
            shown += 1;
            let typed = options
                .type_name
                .is_none_or(|name| name.eq_ignore_ascii_case(value.type_name().as_bytes()));
            if typed && options.likes(key) {
                due |= is_due(store, db, key, clock);
                found.push(protocol, key);
            }
        });
        if due {
            Err(Error::Due)
        } else {
            Ok((next, shown))
        }
    };
    let (next, found) = walk(query.pace, cursor, options.count, &mut show)?;
    write_cursor(&mut query.reply, next);
    found.write_to(&mut query.reply);
    Ok(())
}
