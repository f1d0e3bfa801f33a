//! Numbers in strings: INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT.

use super::args::Args;
use super::context::Change;
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::extended::Extended;
use super::flag::Flag;
use super::grammar::{KEY, double, integer};
use super::group::Group;
use super::key::{CHANGED, Keys};
use super::row::Row;
use super::strings::current;
use crate::store::{NewExpiry, Text};

pub(super) const ROWS: &[Row] = &[
    Row::write("incr", 2, incr)
        .tells(Tells::Each(KeyEvent::INCR_BY))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds one to the integer at a key.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY]),
    Row::write("decr", 2, decr)
        .tells(Tells::Each(KeyEvent::INCR_BY))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Subtracts one from the integer at a key.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY]),
    Row::write("incrby", 3, incrby)
        .tells(Tells::Each(KeyEvent::INCR_BY))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds to the integer at a key.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, integer("increment")]),
    Row::write("decrby", 3, decrby)
        .tells(Tells::Each(KeyEvent::INCR_BY))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Subtracts from the integer at a key.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, integer("decrement")]),
    Row::write("incrbyfloat", 3, incrbyfloat)
        .tells(Tells::Each(KeyEvent::INCR_BY_FLOAT))
        .group(Group::String)
        .since("2.6.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds to the floating-point number at a key.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, double("increment")]),
];

/// Adds to the integer at the first key, which counts as 0 where it is absent.
fn add(change: &mut Change<'_>, args: Args<'_>, by: i64) -> Outcome {
    let key = args.at(1);
    let old = match current(change, key)? {
        None => 0,
        Some(text) => text.as_i64().ok_or(Error::NOT_AN_INTEGER)?,
    };
    let new = old.checked_add(by).ok_or(Error::OVERFLOW)?;
    let (db, at) = (change.db, change.at);
    change.store.set_integer(db, key, new, NewExpiry::Keep, at);
    change.reply.integer(new);
    Ok(())
}

fn incr(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    add(change, args, 1)
}

fn decr(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    add(change, args, -1)
}

fn incrby(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let by = args.integer(2)?;
    add(change, args, by)
}

fn decrby(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let by = args.integer(2)?;
    let by = by.checked_neg().ok_or(Error::DECREMENT_OVERFLOW)?;
    add(change, args, by)
}

fn incrbyfloat(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let key = args.at(1);
    let parse = |text: &[u8]| Extended::parse(text).ok_or(Error::NOT_A_FLOAT);
    let old = match current(change, key)? {
        None => Extended::ZERO,
        // No number is that long.
        Some(Text::Rope(_)) => return Err(Error::NOT_A_FLOAT),
        Some(text) => parse(&text.as_bytes(&mut [0; 20]))?,
    };
    let new = old.plus(parse(args.at(2))?).ok_or(Error::NAN_OR_INFINITY)?;
    let (text, db, at) = (new.to_text(), change.db, change.at);
    // Redis keeps such a sum as text, also where it is an integer.
    change.store.set_text(db, key, &text, NewExpiry::Keep, at);
    change.reply.bulk(&text);
    Ok(())
}
