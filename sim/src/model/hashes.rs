//! Hashes.

use super::floats::{self, Number};
use super::{Answer, Call, Datum, Fields, SYNTAX, Want, text};

/// Writes a hash back; an empty one is no key.
fn store(call: &mut Call<'_>, key: &[u8], fields: Fields) {
    if fields.is_empty() {
        call.remove(key);
    } else {
        call.replace(key, Datum::Hash(fields));
    }
}

pub(super) fn hset(call: &mut Call<'_>) -> Answer {
    let name = call.name();
    if call.args.len() % 2 == 1 {
        return Err(format!(
            "ERR wrong number of arguments for '{name}' command"
        ));
    }
    let key = call.arg(1);
    let mut fields = call.hash(&key)?.unwrap_or_default();
    let mut created = 0;
    for pair in call.args[2..].chunks_exact(2) {
        created += i64::from(fields.insert(pair[0].to_vec(), pair[1].to_vec()).is_none());
    }
    store(call, &key, fields);
    Ok(if name == "hset" {
        Want::Integer(created)
    } else {
        Want::OK
    })
}

pub(super) fn hsetnx(call: &mut Call<'_>) -> Answer {
    let (key, field, value) = (call.arg(1), call.arg(2), call.arg(3));
    let mut fields = call.hash(&key)?.unwrap_or_default();
    let absent = !fields.contains_key(&field);
    if absent {
        fields.insert(field, value);
        store(call, &key, fields);
    }
    Ok(Want::flag(absent))
}

pub(super) fn hdel(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let Some(mut fields) = call.hash(&key)? else {
        return Ok(Want::Integer(0));
    };
    let removed = call.args[2..]
        .iter()
        .filter(|field| fields.remove(**field).is_some())
        .count();
    if removed > 0 {
        store(call, &key, fields);
    }
    Ok(Want::Integer(removed as i64))
}

pub(super) fn hincrby(call: &mut Call<'_>) -> Answer {
    let by = call.integer(3)?;
    let (key, field) = (call.arg(1), call.arg(2));
    let mut fields = call.hash(&key)?.unwrap_or_default();
    let old = match fields.get(&field) {
        None => 0,
        Some(found) => {
            text::integer(found).ok_or_else(|| "ERR hash value is not an integer".to_owned())?
        }
    };
    let new = old.checked_add(by);
    let new = new.ok_or_else(|| "ERR increment or decrement would overflow".to_owned())?;
    fields.insert(field, new.to_string().into_bytes());
    store(call, &key, fields);
    Ok(Want::Integer(new))
}

pub(super) fn hincrbyfloat(call: &mut Call<'_>) -> Answer {
    let by = floats::parse(&call.arg(3));
    let by = by.ok_or_else(|| "ERR value is not a valid float".to_owned())?;
    if by == Number::Infinite {
        return Err("ERR value is NaN or Infinity".to_owned());
    }
    let (key, field) = (call.arg(1), call.arg(2));
    let mut fields = call.hash(&key)?.unwrap_or_default();
    let old = match fields.get(&field) {
        None => Number::Finite(0),
        Some(found) => {
            floats::parse(found).ok_or_else(|| "ERR hash value is not a float".to_owned())?
        }
    };
    let sum = floats::sum(old, by);
    let sum = sum.ok_or_else(|| "ERR increment would produce NaN or Infinity".to_owned())?;
    fields.insert(field, sum.clone());
    store(call, &key, fields);
    Ok(Want::Bulk(sum))
}

fn fields_at(call: &Call<'_>) -> Result<Fields, String> {
    Ok(call.hash(&call.arg(1))?.unwrap_or_default())
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
    Ok(Want::UnorderedMap(fields_at(call)?.into_iter().collect()))
}

pub(super) fn hkeys(call: &mut Call<'_>) -> Answer {
    Ok(Want::Unordered(fields_at(call)?.into_keys().collect()))
}

pub(super) fn hvals(call: &mut Call<'_>) -> Answer {
    Ok(Want::Unordered(fields_at(call)?.into_values().collect()))
}

pub(super) fn hrandfield(call: &mut Call<'_>) -> Answer {
    const LARGEST: i64 = i64::MAX;
    if call.args.len() == 2 {
        let names = fields_at(call)?.into_keys().map(Want::Bulk);
        let names: Vec<Want> = names.collect();
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
        let from = fields.into_iter().collect();
        Want::ChosenPairs {
            from,
            count,
            repeats,
        }
    } else {
        let from = fields.into_keys().collect();
        Want::Chosen {
            from,
            count,
            repeats,
        }
    })
}
