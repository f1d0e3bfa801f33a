//! Keys as such.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::{Answer, Call, DATABASES, SYNTAX, Want};

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
