//! The commands on hashes, by the plainest means.

use std::borrow::Cow;

use super::floats::{self, Number};
use super::{Answer, Call, Fields, SYNTAX, Want, text};

pub(super) fn hset(call: &mut Call<'_>) -> Answer {
    let name = call.name();
    if call.args.len() % 2 == 1 {
        return Err(format!(
            "ERR wrong number of arguments for '{name}' command"
        ));
    }
    let key = call.arg(1);
    call.hash(&key)?;
    let pairs = call.args[2..].chunks_exact(2);
    let fields = call.fields_to_write(&key);
    let mut created = 0;
    for pair in pairs {
        created += i64::from(fields.insert(pair[0].to_vec(), pair[1].to_vec()).is_none());
    }
    Ok(if name == "hset" {
        Want::Integer(created)
    } else {
        Want::OK
    })
}

pub(super) fn hsetnx(call: &mut Call<'_>) -> Answer {
    let (key, field, value) = (call.arg(1), call.arg(2), call.arg(3));
    let absent = call
        .hash(&key)?
        .is_none_or(|fields| !fields.contains_key(&field));
    if absent {
        call.fields_to_write(&key).insert(field, value);
    }
    Ok(Want::flag(absent))
}

pub(super) fn hdel(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let there = call.hash(&key)?.map_or(0, |fields| {
        call.args[2..]
            .iter()
            .filter(|field| fields.contains_key(**field))
            .count()
    });
    if there == 0 {
        return Ok(Want::Integer(0));
    }
    let names = &call.args[2..];
    let fields = call.fields_to_write(&key);
    let removed = names
        .iter()
        .filter(|field| fields.remove(**field).is_some())
        .count();
    if fields.is_empty() {
        call.remove(&key);
    }
    Ok(Want::Integer(removed as i64))
}

pub(super) fn hincrby(call: &mut Call<'_>) -> Answer {
    let by = call.integer(3)?;
    let (key, field) = (call.arg(1), call.arg(2));
    let old = match call.hash(&key)?.and_then(|fields| fields.get(&field)) {
        None => 0,
        Some(found) => {
            text::integer(found).ok_or_else(|| "ERR hash value is not an integer".to_owned())?
        }
    };
    let new = old.checked_add(by);
    let new = new.ok_or_else(|| "ERR increment or decrement would overflow".to_owned())?;
    call.fields_to_write(&key)
        .insert(field, new.to_string().into_bytes());
    Ok(Want::Integer(new))
}

pub(super) fn hincrbyfloat(call: &mut Call<'_>) -> Answer {
    let by = floats::parse(&call.arg(3));
    let by = by.ok_or_else(|| "ERR value is not a valid float".to_owned())?;
    if by == Number::Infinite {
        return Err("ERR value is NaN or Infinity".to_owned());
    }
    let (key, field) = (call.arg(1), call.arg(2));
    let old = match call.hash(&key)?.and_then(|fields| fields.get(&field)) {
        None => Number::Finite(0),
        Some(found) => {
            floats::parse(found).ok_or_else(|| "ERR hash value is not a float".to_owned())?
        }
    };
    let sum = floats::sum(old, by);
    let sum = sum.ok_or_else(|| "ERR increment would produce NaN or Infinity".to_owned())?;
    call.fields_to_write(&key).insert(field, sum.clone());
    Ok(Want::Bulk(sum))
}

/// The fields of the first key; an absent one has none.
fn fields_at<'c>(call: &'c Call<'_>) -> Result<Cow<'c, Fields>, String> {
    let found = call.hash(&call.arg(1))?;
    Ok(found.map_or_else(Cow::default, Cow::Borrowed))
}

pub(super) fn hget(call: &mut Call<'_>) -> Answer {
    let fields = fields_at(call)?;
    Ok(Want::bulk_or_null(
        fields.get(&call.arg(2)).map(|value| &value[..]),
    ))
}

pub(super) fn hmget(call: &mut Call<'_>) -> Answer {
    let fields = fields_at(call)?;
    let one = |name: &&[u8]| Want::bulk_or_null(fields.get(*name).map(|value| &value[..]));
    Ok(Want::Array(call.args[2..].iter().map(one).collect()))
}

pub(super) fn hexists(call: &mut Call<'_>) -> Answer {
    Ok(Want::flag(fields_at(call)?.contains_key(&call.arg(2))))
}

pub(super) fn hlen(call: &mut Call<'_>) -> Answer {
    Ok(Want::Integer(fields_at(call)?.len() as i64))
}

pub(super) fn hstrlen(call: &mut Call<'_>) -> Answer {
    let fields = fields_at(call)?;
    let len = fields.get(&call.arg(2)).map_or(0, Vec::len);
    Ok(Want::Integer(len as i64))
}

pub(super) fn hgetall(call: &mut Call<'_>) -> Answer {
    Ok(Want::UnorderedMap(
        fields_at(call)?.into_owned().into_iter().collect(),
    ))
}

pub(super) fn hkeys(call: &mut Call<'_>) -> Answer {
    Ok(Want::Unordered(fields_at(call)?.keys().cloned().collect()))
}

pub(super) fn hvals(call: &mut Call<'_>) -> Answer {
    Ok(Want::Unordered(
        fields_at(call)?.values().cloned().collect(),
    ))
}

pub(super) fn hrandfield(call: &mut Call<'_>) -> Answer {
    const LARGEST: i64 = i64::MAX;
    if call.args.len() == 2 {
        let fields = fields_at(call)?;
        let names: Vec<Want> = fields.keys().cloned().map(Want::Bulk).collect();
        return Ok(if names.is_empty() {
            Want::Null
        } else {
            Want::OneOf(names)
        });
    }
    let count = call.integer(2)?;
    if count == i64::MIN {
        let text =
            format!("ERR value is out of range, value must between -{LARGEST} and {LARGEST}");
        return Err(text);
    }
    let values = match call.args.len() {
        3 => false,
        4 if call.word(3) == "withvalues" => true,
        _ => return Err(SYNTAX.to_owned()),
    };
    if values && count.abs() > LARGEST / 2 {
        return Err("ERR value is out of range".to_owned());
    }
    let fields = fields_at(call)?;
    let repeats = count < 0;
    let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let count = match (fields.is_empty(), repeats) {
        (true, _) => 0,
        (false, true) => most,
        (false, false) => most.min(fields.len()),
    };
    Ok(if values {
        let from = fields.into_owned().into_iter().collect();
        Want::ChosenPairs {
            from,
            count,
            repeats,
        }
    } else {
        let from = fields.keys().cloned().collect();
        Want::Chosen {
            from,
            count,
            repeats,
        }
    })
}
