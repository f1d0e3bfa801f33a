//! Strings written whole: SET with its options and those that do a part of it.

use super::args::Args;
use super::context::Change;
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{KEY, VALUE, integer, one_of, opt, unix_time, word};
use super::group::Group;
use super::key::{Access, CHANGED, CREATED, Keys, REPLACED, TAKEN};
use super::row::Row;
use super::strings::answer;
use crate::store::NewExpiry;
use crate::time::Stamp;

pub(super) const ROWS: &[Row] = &[
    Row::write("set", -3, set)
        .tells(Tells::By(set_with_time))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom])
        .says("Sets a key to a string, whatever its type was.")
        .keys(&[Keys::at(1, CHANGED.and(Access::VARIABLE))
            .varying(access)
            .note("It is read only where GET is given.")])
        .args(&[
            KEY,
            VALUE,
            opt(one_of("condition", &[word("NX"), word("XX")]).since("2.6.12")),
            opt(word("GET").since("6.2.0")),
            opt(one_of(
                "expiration",
                &[
                    integer("seconds").behind("EX").since("2.6.12"),
                    integer("milliseconds").behind("PX").since("2.6.12"),
                    unix_time("unix-time-seconds").behind("EXAT").since("6.2.0"),
                    unix_time("unix-time-milliseconds")
                        .behind("PXAT")
                        .since("6.2.0"),
                    word("KEEPTTL").since("6.0.0"),
                ],
            )),
        ]),
    Row::write("setnx", 3, setnx)
        .tells(Tells::Each(KeyEvent::SET))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .deprecated("2.6.12", "`SET` with the `NX` argument")
        .says("Sets a key to a string if it does not exist.")
        .keys(&[Keys::at(1, CREATED)])
        .args(&[KEY, VALUE]),
    Row::write("setex", 4, setex)
        .tells(Tells::Kept(&[KeyEvent::SET, KeyEvent::EXPIRE]))
        .group(Group::String)
        .since("2.0.0")
        .flags(&[Flag::DenyOom])
        .deprecated("2.6.12", "`SET` with the `EX` argument")
        .says("Sets a key to a string with a time to live in seconds.")
        .keys(&[Keys::at(1, REPLACED)])
        .args(&[KEY, integer("seconds"), VALUE]),
    Row::write("psetex", 4, psetex)
        .tells(Tells::Kept(&[KeyEvent::SET, KeyEvent::EXPIRE]))
        .group(Group::String)
        .since("2.6.0")
        .flags(&[Flag::DenyOom])
        .deprecated("2.6.12", "`SET` with the `PX` argument")
        .says("Sets a key to a string with a time to live in milliseconds.")
        .keys(&[Keys::at(1, REPLACED)])
        .args(&[KEY, integer("milliseconds"), VALUE]),
    Row::write("getset", 3, getset)
        .tells(Tells::Each(KeyEvent::SET))
        .group(Group::String)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .deprecated("6.2.0", "`SET` with the `!GET` argument")
        .counts_lookups()
        .says("Sets a key to a string and returns the old one.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, VALUE]),
    Row::write("getdel", 2, getdel)
        .tells(Tells::Kept(&[]))
        .group(Group::String)
        .since("6.2.0")
        .flags(&[Flag::Fast])
        .counts_lookups()
        .says("Returns the string at a key and removes the key.")
        .keys(&[Keys::at(1, TAKEN)])
        .args(&[KEY]),
    Row::write("getex", -2, getex)
        .tells(Tells::By(time_changed))
        .group(Group::String)
        .since("6.2.0")
        .flags(&[Flag::Fast])
        .counts_lookups()
        .says("Returns the string at a key and changes when it expires.")
        .keys(&[Keys::at(1, CHANGED).note("It is a write, for the time to live may change.")])
        .args(&[
            KEY,
            opt(one_of(
                "expiration",
                &[
                    integer("seconds").behind("EX"),
                    integer("milliseconds").behind("PX"),
                    unix_time("unix-time-seconds").behind("EXAT"),
                    unix_time("unix-time-milliseconds").behind("PXAT"),
                    word("PERSIST"),
                ],
            )),
        ]),
];

/// The access of SET to its key: with GET it answers the old value.
fn access(args: Args<'_>) -> Access {
    if (3..args.len()).any(|place| args.is(place, "get")) {
        CHANGED
    } else {
        REPLACED
    }
}

/// A time as the client gave it: how it is meant, and the place of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Given {
    unit: Unit,
    place: usize,
}

/// The unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// EX.
    Seconds,
    /// PX.
    Millis,
    /// EXAT.
    UnixSeconds,
    /// PXAT.
    UnixMillis,
}

/// A word behind the value of SET, or behind the key of GETEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Nx,
    Xx,
    Get,
    KeepTtl,
    Persist,
    Time(Unit),
}

/// The words of SET.
const SET_WORDS: &[(&str, Word)] = &[
    ("ex", Word::Time(Unit::Seconds)),
    ("px", Word::Time(Unit::Millis)),
    ("nx", Word::Nx),
    ("xx", Word::Xx),
    ("get", Word::Get),
    ("keepttl", Word::KeepTtl),
    ("exat", Word::Time(Unit::UnixSeconds)),
    ("pxat", Word::Time(Unit::UnixMillis)),
];

/// The words of GETEX.
const GETEX_WORDS: &[(&str, Word)] = &[
    ("ex", Word::Time(Unit::Seconds)),
    ("px", Word::Time(Unit::Millis)),
    ("exat", Word::Time(Unit::UnixSeconds)),
    ("pxat", Word::Time(Unit::UnixMillis)),
    ("persist", Word::Persist),
];

impl Given {
    /// The moment that is meant, for a command of this name that is applied now.
    fn resolve(self, args: Args<'_>, change: &Change<'_>, name: &str) -> Result<Stamp, Error> {
        let invalid = || Error::invalid_expire(name);
        let number = args.integer(self.place)?;
        if number <= 0 {
            return Err(invalid());
        }
        let factor = match self.unit {
            Unit::Seconds | Unit::UnixSeconds => 1000,
            Unit::Millis | Unit::UnixMillis => 1,
        };
        let base = match self.unit {
            Unit::Seconds | Unit::Millis => change.at.0 as i64,
            Unit::UnixSeconds | Unit::UnixMillis => change.offset.stamp_of(0),
        };
        let millis = number
            .checked_mul(factor)
            .and_then(|millis| millis.checked_add(base));
        Ok(Stamp(millis.ok_or_else(invalid)?.max(0) as u64))
    }
}

/// How long the key shall live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Forever,
    /// Until a time.
    Until(Given),
}

/// The options after the value of SET, or after the key of GETEX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    /// XX: true, NX: false.
    present: Option<bool>,
    get: bool,
    life: Life,
}

impl Options {
    /// Reads the words from `place` on, which must be among those `known`.
    ///
    /// As in Redis a word may come again, and of two times in the same unit the last one counts.
    fn parse(args: Args<'_>, mut place: usize, known: &[(&str, Word)]) -> Result<Self, Error> {
        let mut found = Self::default();
        while place < args.len() {
            let word = known.iter().find(|(text, _)| args.is(place, text));
            match (word.ok_or(Error::SYNTAX)?.1, found.life) {
                (Word::Nx, _) if found.present != Some(true) => found.present = Some(false),
                (Word::Xx, _) if found.present != Some(false) => found.present = Some(true),
                (Word::Get, _) => found.get = true,
                (Word::KeepTtl, Life::Unsaid | Life::Keep) => found.life = Life::Keep,
                (Word::Persist, Life::Unsaid | Life::Forever) => found.life = Life::Forever,
                (Word::Time(unit), life) => {
                    let fits = match life {
                        Life::Unsaid => true,
                        Life::Until(earlier) => earlier.unit == unit,
                        Life::Keep | Life::Forever => false,
                    };
                    place += 1;
                    if !fits || place == args.len() {
                        return Err(Error::SYNTAX);
                    }
                    found.life = Life::Until(Given { unit, place });
                }
                _ => return Err(Error::SYNTAX),
            }
            place += 1;
        }
        Ok(found)
    }
}

/// The events of SET: a time is told as well.
fn set_with_time(args: Args<'_>) -> Tells {
    let options = Options::parse(args, 3, SET_WORDS).unwrap_or_default();
    Tells::Kept(match options.life {
        Life::Until(_) => &[KeyEvent::SET, KeyEvent::EXPIRE],
        Life::Unsaid | Life::Keep | Life::Forever => &[KeyEvent::SET],
    })
}

/// The events of GETEX.
fn time_changed(args: Args<'_>) -> Tells {
    let options = Options::parse(args, 2, GETEX_WORDS).unwrap_or_default();
    Tells::Kept(match options.life {
        Life::Forever => &[KeyEvent::PERSIST],
        Life::Until(_) | Life::Unsaid | Life::Keep => &[KeyEvent::EXPIRE],
    })
}

/// Writes the string; a time that is over leaves no key.
fn put(change: &mut Change<'_>, key: &[u8], value: &[u8], expiry: NewExpiry) {
    let (db, at) = (change.db, change.at);
    match expiry {
        NewExpiry::At(time) if time <= at => {
            change.store.remove(db, key, at);
        }
        _ => change.store.set_string(db, key, value, expiry, at),
    }
}

fn set(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(args, 3, SET_WORDS)?;
    let (key, value, at) = (args.at(1), args.at(2), change.at);
    let expiry = match options.life {
        Life::Until(given) => NewExpiry::At(given.resolve(args, change, "set")?),
        Life::Keep => NewExpiry::Keep,
        Life::Unsaid | Life::Forever => NewExpiry::Never,
    };
    if options.get {
        let old = change.store.text(change.db, key, at)?;
        answer(&mut change.reply, old);
    }
    let there = || change.store.contains(change.db, key, at);
    if options.present.is_some_and(|wanted| wanted != there()) {
        if !options.get {
            change.reply.null();
        }
        return Ok(());
    }
    put(change, key, value, expiry);
    if !options.get {
        change.reply.ok();
    }
    Ok(())
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "a command that cannot fail has the type of all"
)]
fn setnx(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let absent = change.get(args.at(1)).is_none();
    if absent {
        put(change, args.at(1), args.at(2), NewExpiry::Never);
    }
    change.reply.integer(i64::from(absent));
    Ok(())
}

fn set_for(change: &mut Change<'_>, args: Args<'_>, unit: Unit, name: &str) -> Outcome {
    let time = Given { unit, place: 2 }.resolve(args, change, name)?;
    put(change, args.at(1), args.at(3), NewExpiry::At(time));
    change.reply.ok();
    Ok(())
}

fn setex(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    set_for(change, args, Unit::Seconds, "setex")
}

fn psetex(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    set_for(change, args, Unit::Millis, "psetex")
}

fn getset(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let old = change.store.text(change.db, args.at(1), change.at)?;
    answer(&mut change.reply, old);
    put(change, args.at(1), args.at(2), NewExpiry::Never);
    Ok(())
}

fn getdel(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let old = change.store.text(change.db, args.at(1), change.at)?;
    answer(&mut change.reply, old);
    change.store.remove(change.db, args.at(1), change.at);
    Ok(())
}

fn getex(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(args, 2, GETEX_WORDS)?;
    let (db, key, at) = (change.db, args.at(1), change.at);
    let found = change.store.text(db, key, at)?;
    answer(&mut change.reply, found);
    // As in Redis, a time is looked at only where there is a key.
    if found.is_none() {
        return Ok(());
    }
    match options.life {
        Life::Until(given) => {
            let time = given.resolve(args, change, "getex")?;
            if time <= at {
                change.store.remove(db, key, at);
            } else {
                change.store.set_expiry(db, key, Some(time), at);
            }
        }
        Life::Forever => {
            change.store.set_expiry(db, key, None, at);
        }
        Life::Unsaid | Life::Keep => {}
    }
    Ok(())
}
