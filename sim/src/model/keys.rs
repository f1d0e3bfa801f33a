//! Keys as such.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::payloads::PAYLOADS;
use super::want::Score;
use super::{Answer, Call, DATABASES, Datum, SYNTAX, Want};

const NO_SUCH_KEY: &str = "ERR no such key";
const SAME: &str = "ERR source and destination objects are the same";

pub(super) fn del(call: &mut Call<'_>) -> Answer {
    let mut removed = 0;
    for key in call.args[1..]
        .iter()
        .map(|key| key.to_vec())
        .collect::<Vec<_>>()
    {
        removed += i64::from(call.remove(&key));
    }
    Ok(Want::Integer(removed))
}

pub(super) fn exists(call: &mut Call<'_>) -> Answer {
    let there = call.args[1..].iter().filter(|key| call.get(key).is_some());
    Ok(Want::Integer(there.count() as i64))
}

pub(super) fn type_of(call: &mut Call<'_>) -> Answer {
    let name = call
        .get(&call.arg(1))
        .map_or("none", |item| item.datum.type_name());
    Ok(Want::Simple(name))
}

/// Moves a live value, which the caller has found, to a name and a database.
fn transfer(call: &mut Call<'_>, from: &[u8], to_db: u32, to: &[u8], keep: bool) {
    let Some(item) = call.get(from).cloned() else {
        return;
    };
    if !keep {
        call.remove(from);
    }
    call.model.put(to_db, to, item, call.moment.at);
}

pub(super) fn rename(call: &mut Call<'_>) -> Answer {
    let (from, to, db) = (call.arg(1), call.arg(2), call.db);
    if call.get(&from).is_none() {
        return Err(NO_SUCH_KEY.to_owned());
    }
    if from != to {
        transfer(call, &from, db, &to, false);
    }
    Ok(Want::OK)
}

pub(super) fn renamenx(call: &mut Call<'_>) -> Answer {
    let (from, to, db) = (call.arg(1), call.arg(2), call.db);
    if call.get(&from).is_none() {
        return Err(NO_SUCH_KEY.to_owned());
    }
    let free = call.get(&to).is_none();
    if free {
        transfer(call, &from, db, &to, false);
    }
    Ok(Want::flag(free))
}

fn database(call: &Call<'_>, place: usize) -> Result<u32, String> {
    let number = call.integer(place)?;
    if i32::try_from(number).is_err() {
        let (low, high) = (i32::MIN, i32::MAX);
        return Err(format!(
            "ERR value is out of range, value must between {low} and {high}"
        ));
    }
    let db = u32::try_from(number).ok().filter(|db| *db < DATABASES);
    db.ok_or_else(|| "ERR DB index is out of range".to_owned())
}

pub(super) fn copy(call: &mut Call<'_>) -> Answer {
    let (from, to) = (call.arg(1), call.arg(2));
    let (mut to_db, mut replace, mut place) = (call.db, false, 3);
    while place < call.args.len() {
        match &call.word(place)[..] {
            "replace" => replace = true,
            "db" if place + 1 < call.args.len() => {
                place += 1;
                to_db = database(call, place)?;
            }
            _ => return Err(SYNTAX.to_owned()),
        }
        place += 1;
    }
    if to_db == call.db && from == to {
        return Err(SAME.to_owned());
    }
    let taken = call.model.get(to_db, &to, call.moment.at).is_some();
    let done = call.get(&from).is_some() && (replace || !taken);
    if done {
        transfer(call, &from, to_db, &to, true);
    }
    Ok(Want::flag(done))
}

pub(super) fn move_to(call: &mut Call<'_>) -> Answer {
    let to_db = database(call, 2)?;
    if to_db == call.db {
        return Err(SAME.to_owned());
    }
    let key = call.arg(1);
    let taken = call.model.get(to_db, &key, call.moment.at).is_some();
    let done = call.get(&key).is_some() && !taken;
    if done {
        transfer(call, &key, to_db, &key, false);
    }
    Ok(Want::flag(done))
}

pub(super) fn randomkey(call: &mut Call<'_>) -> Answer {
    let live = call.model.live(call.db, call.moment.at);
    let keys: Vec<Want> = live.map(|(key, _)| Want::Bulk(key.clone())).collect();
    Ok(if keys.is_empty() {
        Want::Null
    } else {
        Want::OneOf(keys)
    })
}

pub(super) fn dbsize(call: &mut Call<'_>) -> Answer {
    Ok(Want::Integer(
        call.model.live(call.db, call.moment.at).count() as i64,
    ))
}

pub(super) fn flush(call: &mut Call<'_>) -> Answer {
    match (call.args.len(), &call.word(1)[..]) {
        (1, _) | (2, "async" | "sync") => {}
        _ => return Err(SYNTAX.to_owned()),
    }
    let db = (call.name() == "flushdb").then_some(call.db);
    call.model.flush(db, call.moment.at);
    Ok(Want::OK)
}

/// Nobody but the server knows the payload; that there is one is known.
pub(super) fn dump(call: &mut Call<'_>) -> Answer {
    let is_there = call.get(&call.arg(1)).is_some();
    Ok(if is_there { Want::Anything } else { Want::Null })
}

pub(super) fn restore(call: &mut Call<'_>) -> Answer {
    let (mut replaces, mut is_absolute, mut idle, mut used) = (false, false, false, false);
    let error = |text: &str| Err(text.to_owned());
    let mut place = 4;
    while place < call.args.len() {
        let has_more = place + 1 < call.args.len();
        match &call.word(place)[..] {
            "replace" => replaces = true,
            "absttl" => is_absolute = true,
            "idletime" if has_more && !used => {
                (idle, place) = (true, place + 1);
                if call.integer(place)? < 0 {
                    return error("ERR Invalid IDLETIME value, must be >= 0");
                }
            }
            "freq" if has_more && !idle => {
                (used, place) = (true, place + 1);
                if !(0..=255).contains(&call.integer(place)?) {
                    return error("ERR Invalid FREQ value, must be >= 0 and <= 255");
                }
            }
            _ => return error(SYNTAX),
        }
        place += 1;
    }
    let key = call.arg(1);
    if call.get(&key).is_some() && !replaces {
        return error("BUSYKEY Target key name already exists.");
    }
    let ttl = call.integer(2)?;
    if ttl < 0 {
        return error("ERR Invalid TTL value, must be >= 0");
    }
    let Some(datum) = payload_of(&call.arg(3)) else {
        return error("ERR DUMP payload version or checksum are wrong");
    };
    let base = if is_absolute {
        -call.moment.offset
    } else {
        call.moment.at as i64
    };
    let time = ttl.saturating_add(base).max(0) as u64;
    let expiry = (ttl > 0).then_some(time);
    call.remove(&key);
    if expiry.is_none_or(|time| time > call.moment.at) {
        call.put(&key, datum, expiry);
    }
    Ok(Want::OK)
}

/// The value in one of the payloads that are asked for.
fn payload_of(payload: &[u8]) -> Option<Datum> {
    let own = |text: &str| text.as_bytes().to_vec();
    let many = |texts: &[&str]| texts.iter().map(|text| own(text)).collect::<Vec<_>>();
    Some(match PAYLOADS.iter().position(|one| *one == payload)? {
        0 => Datum::set(own("hello")),
        1 => Datum::set(own("10")),
        2 => {
            let long = "y".repeat(60);
            let pairs = [
                ("a", "1"),
                ("-1", "4096"),
                ("bc", "d"),
                ("x", &long),
                ("n", "-9000000000"),
            ];
            let pairs = pairs.iter().map(|(field, value)| (own(field), own(value)));
            Datum::Hash(pairs.collect())
        }
        3 => {
            let pairs = [("b", -1.5), ("a", 1.0), ("17", 2.0), ("c", f64::INFINITY)];
            let pairs = pairs.iter().map(|(name, score)| (own(name), Score(*score)));
            Datum::Zset(pairs.collect())
        }
        4 => {
            let long = "x".repeat(100);
            let items = ["a", "5", "-1", "1000", "100000", "10000000000", &long];
            Datum::List(many(&items))
        }
        5 => Datum::Set(many(&["-70000", "1", "300"]).into_iter().collect()),
        6 => Datum::Set(many(&["b", "a"]).into_iter().collect()),
        _ => return None,
    })
}
