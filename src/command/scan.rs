//! Walking over keys and fields: KEYS, SCAN and HSCAN.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use alloc::vec::Vec;
use core::mem;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::flag::Category;
use super::grammar::{KEY, integer, opt, pattern, string};
use super::hashes::{FIELDS_AT_ONCE, hash_at};
use super::key::{Keys, READ};
use super::pace::{Kept, Pace};
use super::row::{Group, Row};
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::{Protocol, Reply};
use crate::store::{DbId, Store, glob};
use crate::time::Stamp;

pub(super) const ROWS: &[Row] = &[
    Row::read("keys", 2, keys)
        .group(Group::Generic)
        .since("1.0.0")
        .within(Category::Dangerous)
        .says("All keys that match a pattern.")
        .costs("O(N) where N is the number of keys in the database.")
        .args(&[pattern("pattern")]),
    Row::read("scan", -2, scan)
        .group(Group::Generic)
        .since("2.8.0")
        .says("Some keys, and a cursor to go on with.")
        .costs("O(1) for each call, O(N) for a whole walk over N keys.")
        .args(&[
            integer("cursor"),
            opt(pattern("pattern").behind("MATCH")),
            opt(integer("count").behind("COUNT")),
            opt(string("type").behind("TYPE").since("6.0.0")),
        ]),
    Row::read("hscan", -3, hscan)
        .group(Group::Hash)
        .since("2.8.0")
        .says("Some fields of a hash, and a cursor to go on with.")
        .costs("O(1) for each call, O(N) for a whole walk over N fields.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            integer("cursor"),
            opt(pattern("pattern").behind("MATCH")),
            opt(integer("count").behind("COUNT")),
        ]),
];

/// What a walk is asked for behind its cursor.
#[derive(Clone, Copy, Debug)]
struct Wishes<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    type_name: Option<&'a [u8]>,
}

impl<'a> Wishes<'a> {
    /// Reads MATCH and COUNT, and TYPE where there are types.
    fn parse(words: Args<'a>, typed: bool) -> Result<Self, Error> {
        let mut found = Self {
            pattern: None,
            count: 10,
            type_name: None,
        };
        for place in (0..words.len()).step_by(2) {
            let value = words.get(place + 1).ok_or(Error::SYNTAX)?;
            if words.is(place, "count") {
                let count = words.integer(place + 1)?;
                if count < 1 {
                    return Err(Error::SYNTAX);
                }
                found.count = usize::try_from(count).unwrap_or(usize::MAX);
            } else if words.is(place, "match") {
                found.pattern = Some(value);
            } else if typed && words.is(place, "type") {
                found.type_name = Some(value);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(found)
    }

    fn likes(&self, name: &[u8]) -> bool {
        self.pattern
            .is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// Bulk strings that are counted while they are written, since an array's length comes first.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    count: usize,
    bytes: Vec<u8>,
    /// How many were looked at.
    shown: usize,
}

impl Found {
    fn push(&mut self, protocol: Protocol, text: &[u8]) {
        self.count += 1;
        Reply::new(&mut self.bytes, protocol).bulk(text);
    }

    fn write_to(&self, reply: &mut Reply<'_>) {
        reply.array(self.count);
        reply.raw(&self.bytes);
    }
}

/// A cursor as `strtoul` reads one whole.
fn cursor(text: &[u8]) -> Result<u64, Error> {
    let digits = match text {
        [b'+' | b'-', rest @ ..] if !rest.is_empty() => rest,
        _ => text,
    };
    let mut value = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Error::INVALID_CURSOR);
        }
        value = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
            .ok_or(Error::INVALID_CURSOR)?;
    }
    let negative = text.first() == Some(&b'-');
    Ok(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

fn write_cursor(reply: &mut Reply<'_>, next: u64) {
    reply.array(2);
    reply.bulk_fmt(format_args!("{next}"));
}

/// A walk in steps: what one step shows at a cursor, at most so many, and where it goes on then.
type Show<'s> = dyn FnMut(u64, usize, &mut Found) -> Result<(u64, usize), Error> + 's;

/// Walks from `cursor` on until `count` are shown, a step shows fewer than it might, or all are.
fn walk(
    pace: &mut Pace,
    cursor: u64,
    count: usize,
    show: &mut Show<'_>,
) -> Result<(u64, Found), Error> {
    let mut cursor = pace.from(cursor);
    let mut found = match mem::take(&mut pace.kept) {
        Kept::Found(found) => found,
        _ => Found::default(),
    };
    loop {
        let left = count - found.shown.min(count);
        let most = left.min(pace.steps(1)).min(FIELDS_AT_ONCE);
        if let Err(unfinished) = pace.step(cursor, most) {
            pace.kept = Kept::Found(found);
            return Err(unfinished);
        }
        let before = found.bytes.len();
        let (next, shown) = show(cursor, most, &mut found)?;
        pace.pay((found.bytes.len() - before) / BYTES_PER_WORK);
        found.shown += shown;
        if next == 0 || shown < most || found.shown >= count {
            return Ok((next, found));
        }
        cursor = next;
    }
}

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
    let wishes = Wishes::parse(args.from(2), true)?;
    let protocol = query.reply.protocol();
    let (store, db, at, clock) = (query.store, query.db, query.at, query.clock);
    let mut show = |cursor, most, found: &mut Found| {
        let (mut due, mut shown) = (false, 0);
        let next = store.scan(db, cursor, most, at, &mut |key, value| {
            shown += 1;
            let typed = wishes
                .type_name
                .is_none_or(|name| name.eq_ignore_ascii_case(value.type_name().as_bytes()));
            if typed && wishes.likes(key) {
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
    let (next, found) = walk(query.pace, cursor, wishes.count, &mut show)?;
    write_cursor(&mut query.reply, next);
    found.write_to(&mut query.reply);
    Ok(())
}

fn hscan(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(2))?;
    // As in Redis, an absent key or another type is found out before the words behind the cursor
    // are read.
    let Some(hash) = hash_at(query, args.at(1))? else {
        write_cursor(&mut query.reply, 0);
        query.reply.array(0);
        return Ok(());
    };
    let wishes = Wishes::parse(args.from(3), false)?;
    let protocol = query.reply.protocol();
    let mut show = |cursor, most, found: &mut Found| {
        let mut shown = 0;
        let next = hash.scan(cursor, most, &mut |field, value| {
            shown += 1;
            if wishes.likes(field) {
                found.push(protocol, field);
                found.push(protocol, value);
            }
        });
        Ok((next, shown))
    };
    let (next, found) = walk(query.pace, cursor, wishes.count, &mut show)?;
    write_cursor(&mut query.reply, next);
    found.write_to(&mut query.reply);
    Ok(())
}
