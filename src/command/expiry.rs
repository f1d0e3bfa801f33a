//! When keys expire: setting, taking away and asking for their time.
//!
//! A relative time counts from the entry's stamp, so that every replica reaches the same absolute
//! one; a moment of the wall clock is understood by the offset that is in force at the entry.

#![allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{Arg, KEY, integer, one_of, opt, unix_time, word};
use super::group::Group;
use super::key::{Keys, READ, UPDATED};
use super::row::Row;
use super::tip;
use crate::time::Stamp;

/// The condition on which a new time is set.
const CONDITION: Arg = opt(one_of(
    "condition",
    &[word("NX"), word("XX"), word("GT"), word("LT")],
)
.since("7.0.0"));

pub(super) const ROWS: &[Row] = &[
    Row::write("expire", -3, expire)
        .tells(Tells::Kept(&[KeyEvent::EXPIRE]))
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Sets the time to live of a key, in seconds.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, integer("seconds"), CONDITION]),
    Row::write("pexpire", -3, pexpire)
        .tells(Tells::Kept(&[KeyEvent::EXPIRE]))
        .group(Group::Generic)
        .since("2.6.0")
        .flags(&[Flag::Fast])
        .says("Sets the time to live of a key, in milliseconds.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, integer("milliseconds"), CONDITION]),
    Row::write("expireat", -3, expireat)
        .tells(Tells::Kept(&[KeyEvent::EXPIRE]))
        .group(Group::Generic)
        .since("1.2.0")
        .flags(&[Flag::Fast])
        .says("Sets when a key expires, as a Unix time in seconds.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, unix_time("unix-time-seconds"), CONDITION]),
    Row::write("pexpireat", -3, pexpireat)
        .tells(Tells::Kept(&[KeyEvent::EXPIRE]))
        .group(Group::Generic)
        .since("2.6.0")
        .flags(&[Flag::Fast])
        .says("Sets when a key expires, as a Unix time in milliseconds.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, unix_time("unix-time-milliseconds"), CONDITION]),
    Row::write("persist", 2, persist)
        .tells(Tells::Each(KeyEvent::PERSIST))
        .group(Group::Generic)
        .since("2.2.0")
        .flags(&[Flag::Fast])
        .says("Removes the time to live of a key.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY]),
    Row::read("ttl", 2, ttl)
        .leaves_heat()
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .tips(tip::VARIES)
        .says("Returns the time to live of a key, in seconds.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("pttl", 2, pttl)
        .leaves_heat()
        .group(Group::Generic)
        .since("2.6.0")
        .flags(&[Flag::Fast])
        .tips(tip::VARIES)
        .says("Returns the time to live of a key, in milliseconds.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("expiretime", 2, expiretime)
        .leaves_heat()
        .group(Group::Generic)
        .since("7.0.0")
        .flags(&[Flag::Fast])
        .says("Returns when a key expires, as a Unix time in seconds.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
    Row::read("pexpiretime", 2, pexpiretime)
        .leaves_heat()
        .group(Group::Generic)
        .since("7.0.0")
        .flags(&[Flag::Fast])
        .says("Returns when a key expires, as a Unix time in milliseconds.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY]),
];

/// On what a new time depends: a set of words.
#[derive(Clone, Copy, Debug)]
struct Conditions(u8);

impl Conditions {
    /// Only where the key has no time.
    const NX: u8 = 1;
    /// Only where it has one.
    const XX: u8 = 2;
    /// Only a later time; never is the latest.
    const GT: u8 = 4;
    /// Only an earlier one.
    const LT: u8 = 8;

    const WORDS: [(&[u8], u8); 4] = [
        (b"nx", Self::NX),
        (b"xx", Self::XX),
        (b"gt", Self::GT),
        (b"lt", Self::LT),
    ];

    fn parse(words: Args<'_>) -> Result<Self, Error> {
        let mut found = Self(0);
        for word in words.iter() {
            let known = Self::WORDS
                .iter()
                .find(|(text, _)| word.eq_ignore_ascii_case(text));
            let Some((_, condition)) = known else {
                return Err(Error::of(&[b"ERR Unsupported option ", word]));
            };
            found.0 |= condition;
        }
        if found.has(Self::NX) && found.0 != Self::NX {
            return Err(Error::EXPIRE_NX_CONFLICT);
        }
        if found.has(Self::GT) && found.has(Self::LT) {
            return Err(Error::EXPIRE_GT_LT_CONFLICT);
        }
        Ok(found)
    }

    fn has(self, word: u8) -> bool {
        self.0 & word != 0
    }

    fn allow(self, old: Option<Stamp>, new: i64) -> bool {
        let old = old.map(|time| time.0 as i64);
        let refused = self.has(Self::NX) && old.is_some()
            || self.has(Self::XX) && old.is_none()
            || self.has(Self::GT) && old.is_none_or(|old| new <= old)
            || self.has(Self::LT) && old.is_some_and(|old| new >= old);
        !refused
    }
}

/// How a command's time is meant.
#[derive(Clone, Copy, Debug)]
struct Meaning {
    name: &'static str,
    relative: bool,
    seconds: bool,
}

fn set_time(change: &mut Change<'_>, args: Args<'_>, meaning: Meaning) -> Outcome {
    let conditions = Conditions::parse(args.from(3))?;
    let given = args.integer(2)?;
    // A moment that is named by the wall clock is that of replicated time which this entry has for
    // it.
    let base = if meaning.relative {
        change.at.0 as i64
    } else {
        change.offset.stamp_of(0)
    };
    let time = given
        .checked_mul(if meaning.seconds { 1000 } else { 1 })
        .and_then(|millis| millis.checked_add(base))
        .ok_or_else(|| Error::invalid_expire(meaning.name))?;
    let (db, key, at) = (change.db, args.at(1), change.at);
    let old = change.store.expiry(db, key);
    let done = change.store.contains(db, key, at) && conditions.allow(old, time);
    if done {
        match u64::try_from(time) {
            Ok(time) if time > at.0 => change.store.set_expiry(db, key, Some(Stamp(time)), at),
            _ => change.store.remove(db, key, at),
        };
    }
    change.reply.integer(i64::from(done));
    Ok(())
}

fn expire(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (name, relative, seconds) = ("expire", true, true);
    set_time(
        change,
        args,
        Meaning {
            name,
            relative,
            seconds,
        },
    )
}

fn pexpire(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (name, relative, seconds) = ("pexpire", true, false);
    set_time(
        change,
        args,
        Meaning {
            name,
            relative,
            seconds,
        },
    )
}

fn expireat(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (name, relative, seconds) = ("expireat", false, true);
    set_time(
        change,
        args,
        Meaning {
            name,
            relative,
            seconds,
        },
    )
}

fn pexpireat(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (name, relative, seconds) = ("pexpireat", false, false);
    set_time(
        change,
        args,
        Meaning {
            name,
            relative,
            seconds,
        },
    )
}

fn persist(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (db, key, at) = (change.db, args.at(1), change.at);
    let had = change.store.contains(db, key, at) && change.store.expiry(db, key).is_some();
    if had {
        change.store.set_expiry(db, key, None, at);
    }
    change.reply.integer(i64::from(had));
    Ok(())
}

/// Answers -2 where there is no key, -1 where it does not expire, and else what `show` makes of its
/// time.
fn tell(query: &mut Query<'_>, args: Args<'_>, show: fn(&Query<'_>, u64) -> u64) -> Outcome {
    let key = args.at(1);
    let answer = match query.get(key)? {
        None => -2,
        Some(_) => match query.store.expiry(query.db, key) {
            None => -1,
            Some(time) => show(query, time.0) as i64,
        },
    };
    query.reply.integer(answer);
    Ok(())
}

/// Whole seconds, rounded to the nearest.
fn rounded(millis: u64) -> u64 {
    millis.saturating_add(500) / 1000
}

/// The wall-clock time when replicated time is `time`, in milliseconds.
fn moment(query: &Query<'_>, time: u64) -> u64 {
    query.offset.wall_of(Stamp(time))
}

fn ttl(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    tell(query, args, |query, time| {
        rounded(time.saturating_sub(query.clock.0))
    })
}

fn pttl(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    tell(query, args, |query, time| {
        time.saturating_sub(query.clock.0)
    })
}

fn expiretime(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    tell(query, args, |query, time| rounded(moment(query, time)))
}

fn pexpiretime(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    tell(query, args, moment)
}
