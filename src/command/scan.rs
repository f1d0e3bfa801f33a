//! Walking over keys and fields: KEYS, SCAN and HSCAN.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use alloc::vec::Vec;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::hashes::hash_at;
use super::table::{Keys, Kind, Row};
use crate::resp::reply::Reply;
use crate::store::glob;

const fn row(
    name: &'static str,
    arity: i32,
    kind: Kind,
    since: &'static str,
    summary: &'static str,
) -> Row {
    Row {
        name,
        arity,
        kind,
        keys: Keys::NONE,
        flags: &[],
        group: "generic",
        since,
        summary,
        complexity: "O(1)",
        categories: &[],
        subcommands: &[],
    }
}

pub(super) const ROWS: &[Row] = &[
    row(
        "keys",
        2,
        Kind::Read(keys),
        "1.0.0",
        "All keys that match a pattern.",
    )
    .costs("O(N) where N is the number of keys in the database.")
    .within(&["@dangerous"]),
    row(
        "scan",
        -2,
        Kind::Read(scan),
        "2.8.0",
        "Some keys, and a cursor to go on with.",
    )
    .costs("O(1) for each call, O(N) for a whole walk over N keys."),
    Row {
        keys: Keys::FIRST,
        group: "hash",
        ..row(
            "hscan",
            -3,
            Kind::Read(hscan),
            "2.8.0",
            "Some fields of a hash, and a cursor to go on with.",
        )
        .costs("O(1) for each call, O(N) for a whole walk over N fields.")
    },
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
#[derive(Debug, Default)]
struct Found {
    count: usize,
    bytes: Vec<u8>,
}

impl Found {
    fn push(&mut self, reply: &Reply<'_>, text: &[u8]) {
        self.count += 1;
        Reply::new(&mut self.bytes, reply.protocol()).bulk(text);
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

fn keys(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let pattern = args.at(1);
    let (mut found, mut due) = (Found::default(), false);
    let reply = &query.reply;
    query.store.for_each_key(query.db, query.at, &mut |key, _| {
        if glob::matches(pattern, key) {
            due |= query.is_due(key);
            found.push(reply, key);
        }
    });
    if due {
        return Err(Error::Due);
    }
    found.write_to(&mut query.reply);
    Ok(())
}

fn scan(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(1))?;
    let wishes = Wishes::parse(args.from(2), true)?;
    let (mut found, mut due) = (Found::default(), false);
    let reply = &query.reply;
    let next = query.store.scan(
        query.db,
        cursor,
        wishes.count,
        query.at,
        &mut |key, value| {
            let typed = wishes
                .type_name
                .is_none_or(|name| name.eq_ignore_ascii_case(value.type_name().as_bytes()));
            if typed && wishes.likes(key) {
                due |= query.is_due(key);
                found.push(reply, key);
            }
        },
    );
    if due {
        return Err(Error::Due);
    }
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
    let mut found = Found::default();
    let reply = &query.reply;
    let next = hash.scan(cursor, wishes.count, &mut |field, value| {
        if wishes.likes(field) {
            found.push(reply, field);
            found.push(reply, value);
        }
    });
    write_cursor(&mut query.reply, next);
    found.write_to(&mut query.reply);
    Ok(())
}
