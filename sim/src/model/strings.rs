//! The commands on strings, by the plainest means.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::floats::{self, Number};
use super::{Answer, Call, Datum, NOT_AN_INTEGER, SYNTAX, Want, text};

const OVERFLOW: &str = "ERR increment or decrement would overflow";
const NOT_A_FLOAT: &str = "ERR value is not a valid float";
const NAN: &str = "ERR increment would produce NaN or Infinity";
const TOO_LONG: &str = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
const LONGEST: usize = 512 << 20;

pub(super) fn get(call: &mut Call<'_>) -> Answer {
    Ok(Want::bulk_or_null(call.text(&call.arg(1))?.as_deref()))
}

pub(super) fn strlen(call: &mut Call<'_>) -> Answer {
    let text = call.text(&call.arg(1))?;
    Ok(Want::Integer(text.map_or(0, |text| text.len() as i64)))
}

pub(super) fn getrange(call: &mut Call<'_>) -> Answer {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let text = call.text(&call.arg(1))?.unwrap_or_default();
    let len = text.len() as i64;
    if start < 0 && end < 0 && start > end {
        return Ok(Want::Bulk(Vec::new()));
    }
    let place = |given: i64| {
        if given < 0 {
            (len.saturating_add(given)).max(0)
        } else {
            given
        }
    };
    let (start, end) = (place(start), place(end).min(len - 1));
    let part = if start > end {
        &[][..]
    } else {
        &text[start as usize..=end as usize]
    };
    Ok(Want::Bulk(part.to_vec()))
}

pub(super) fn mget(call: &mut Call<'_>) -> Answer {
    let found = call.args[1..].iter().map(|key| match call.text(key) {
        Ok(text) => Want::bulk_or_null(text.as_deref()),
        Err(_) => Want::Null,
    });
    Ok(Want::Array(found.collect()))
}

/// How a time to live was given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Ex,
    Px,
    ExAt,
    PxAt,
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "ex" => Unit::Ex,
        "px" => Unit::Px,
        "exat" => Unit::ExAt,
        "pxat" => Unit::PxAt,
        _ => return None,
    })
}

/// The moment of death that a positive number and its unit mean.
fn deadline(call: &Call<'_>, unit: Unit, place: usize) -> Result<u64, String> {
    let invalid = || format!("ERR invalid expire time in '{}' command", call.name());
    let given = call.integer(place)?;
    let seconds = matches!(unit, Unit::Ex | Unit::ExAt);
    if given <= 0 {
        return Err(invalid());
    }
    let millis = if seconds {
        given.checked_mul(1000)
    } else {
        Some(given)
    };
    let base = if matches!(unit, Unit::Ex | Unit::Px) {
        call.moment.at as i64
    } else {
        -call.moment.offset
    };
    let time = millis.and_then(|millis| millis.checked_add(base));
    time.map(|time| time.max(0) as u64).ok_or_else(invalid)
}

/// The words behind SET or GETEX.
#[expect(clippy::struct_excessive_bools, reason = "a word each")]
#[derive(Default)]
struct Options {
    absent: bool,
    present: bool,
    get: bool,
    keep: bool,
    persist: bool,
    time: Option<(Unit, usize)>,
}

impl Options {
    /// Returns true if a time may be given in this unit: the same may be repeated, and the last one
    /// counts.
    fn takes(&self, unit: Unit) -> bool {
        !self.keep && !self.persist && self.time.is_none_or(|(other, _)| other == unit)
    }
}

fn options(call: &Call<'_>, from: usize, of_set: bool) -> Result<Options, String> {
    let mut found = Options::default();
    let mut place = from;
    while place < call.args.len() {
        let word = call.word(place);
        match (&word[..], unit(&word)) {
            ("nx", _) if of_set && !found.present => found.absent = true,
            ("xx", _) if of_set && !found.absent => found.present = true,
            ("get", _) if of_set => found.get = true,
            ("keepttl", _) if of_set && found.time.is_none() => found.keep = true,
            ("persist", _) if !of_set && found.time.is_none() => found.persist = true,
            (_, Some(unit)) if found.takes(unit) && place + 1 < call.args.len() => {
                place += 1;
                found.time = Some((unit, place));
            }
            _ => return Err(SYNTAX.to_owned()),
        }
        place += 1;
    }
    Ok(found)
}

pub(super) fn set(call: &mut Call<'_>) -> Answer {
    let options = options(call, 3, true)?;
    let (key, value) = (call.arg(1), call.arg(2));
    let mut expiry = match options.time {
        Some((unit, place)) => Some(deadline(call, unit, place)?),
        None => None,
    };
    let old = if options.get {
        Some(call.text(&key)?)
    } else {
        None
    };
    let there = call.get(&key).is_some();
    let refused = options.absent && there || options.present && !there;
    if !refused {
        if options.keep {
            expiry = call.expiry(&key);
        }
        call.put(&key, Datum::set(value), expiry);
    }
    Ok(match old {
        Some(old) => Want::bulk_or_null(old.as_deref()),
        None if refused => Want::Null,
        None => Want::OK,
    })
}

pub(super) fn setnx(call: &mut Call<'_>) -> Answer {
    let (key, value) = (call.arg(1), call.arg(2));
    let absent = call.get(&key).is_none();
    if absent {
        call.put(&key, Datum::set(value), None);
    }
    Ok(Want::flag(absent))
}

pub(super) fn setex(call: &mut Call<'_>) -> Answer {
    let unit = if call.name() == "setex" {
        Unit::Ex
    } else {
        Unit::Px
    };
    let expiry = deadline(call, unit, 2)?;
    let (key, value) = (call.arg(1), call.arg(3));
    call.put(&key, Datum::set(value), Some(expiry));
    Ok(Want::OK)
}

pub(super) fn getset(call: &mut Call<'_>) -> Answer {
    let (key, value) = (call.arg(1), call.arg(2));
    let old = call.text(&key)?;
    call.put(&key, Datum::set(value), None);
    Ok(Want::bulk_or_null(old.as_deref()))
}

pub(super) fn getdel(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let old = call.text(&key)?;
    if old.is_some() {
        call.remove(&key);
    }
    Ok(Want::bulk_or_null(old.as_deref()))
}

pub(super) fn getex(call: &mut Call<'_>) -> Answer {
    let options = options(call, 2, false)?;
    let key = call.arg(1);
    let Some(old) = call.text(&key)? else {
        return Ok(Want::Null);
    };
    let Some(datum) = call.get(&key).map(|item| item.datum.clone()) else {
        return Ok(Want::Null);
    };
    if let Some((unit, place)) = options.time {
        let expiry = deadline(call, unit, place)?;
        if expiry <= call.moment.at {
            call.remove(&key);
        } else {
            call.put(&key, datum, Some(expiry));
        }
    } else if options.persist && call.expiry(&key).is_some() {
        call.put(&key, datum, None);
    }
    Ok(Want::Bulk(old))
}

/// Keys with their new values.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs(call: &Call<'_>) -> Result<Pairs, String> {
    if call.args.len().is_multiple_of(2) {
        return Err(format!(
            "ERR wrong number of arguments for '{}' command",
            call.name()
        ));
    }
    let pairs = call.args[1..].chunks_exact(2);
    Ok(pairs
        .map(|pair| (pair[0].to_vec(), pair[1].to_vec()))
        .collect())
}

pub(super) fn mset(call: &mut Call<'_>) -> Answer {
    for (key, value) in pairs(call)? {
        call.put(&key, Datum::set(value), None);
    }
    Ok(Want::OK)
}

pub(super) fn msetnx(call: &mut Call<'_>) -> Answer {
    let pairs = pairs(call)?;
    let free = pairs.iter().all(|(key, _)| call.get(key).is_none());
    if free {
        for (key, value) in pairs {
            call.put(&key, Datum::set(value), None);
        }
    }
    Ok(Want::flag(free))
}

pub(super) fn append(call: &mut Call<'_>) -> Answer {
    let (key, mut tail) = (call.arg(1), call.arg(2));
    let datum = match call.text(&key)? {
        None => Datum::set(tail),
        Some(mut text) => {
            text.append(&mut tail);
            Datum::written(text)
        }
    };
    call.replace(&key, datum);
    let len = call.text(&key)?.map_or(0, |text| text.len() as i64);
    Ok(Want::Integer(len))
}

pub(super) fn setrange(call: &mut Call<'_>) -> Answer {
    let offset = call.integer(2)?;
    let (key, part) = (call.arg(1), call.arg(3));
    let Ok(offset) = usize::try_from(offset) else {
        return Err("ERR offset is out of range".to_owned());
    };
    let old = call.text(&key)?;
    if part.is_empty() {
        return Ok(Want::Integer(old.map_or(0, |text| text.len() as i64)));
    }
    if offset.saturating_add(part.len()) > LONGEST {
        return Err(TOO_LONG.to_owned());
    }
    let mut text = old.unwrap_or_default();
    let end = offset + part.len();
    if text.len() < end {
        text.resize(end, 0);
    }
    text[offset..end].copy_from_slice(&part);
    let len = text.len() as i64;
    call.replace(&key, Datum::written(text));
    Ok(Want::Integer(len))
}

pub(super) fn incr(call: &mut Call<'_>) -> Answer {
    let by = match &call.name()[..] {
        "incr" => 1,
        "decr" => -1,
        "incrby" => call.integer(2)?,
        _ => {
            let negated = call.integer(2)?.checked_neg();
            negated.ok_or_else(|| "ERR decrement would overflow".to_owned())?
        }
    };
    let key = call.arg(1);
    let old = match call.text(&key)? {
        None => 0,
        Some(found) => text::integer(&found).ok_or_else(|| NOT_AN_INTEGER.to_owned())?,
    };
    let new = old.checked_add(by).ok_or_else(|| OVERFLOW.to_owned())?;
    call.replace(&key, Datum::set(new.to_string().into_bytes()));
    Ok(Want::Integer(new))
}

pub(super) fn incrbyfloat(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let old = match call.text(&key)? {
        None => Number::Finite(0),
        Some(found) => floats::parse(&found).ok_or_else(|| NOT_A_FLOAT.to_owned())?,
    };
    let by = floats::parse(&call.arg(2)).ok_or_else(|| NOT_A_FLOAT.to_owned())?;
    let sum = floats::sum(old, by).ok_or_else(|| NAN.to_owned())?;
    call.replace(&key, Datum::sum(sum.clone()));
    Ok(Want::Bulk(sum))
}
