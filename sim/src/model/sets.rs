//! Sets: what is in them, and what becomes of it.

use super::{Answer, Call, Datum, Members, SYNTAX, Want, text};

const LARGEST: i64 = i64::MAX;

pub(super) fn sadd(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let known = call.set(&key)?;
    let new = |member: &&&[u8]| known.is_none_or(|known| !known.contains(**member));
    if !call.args[2..].iter().any(|member| new(&member)) {
        return Ok(Want::Integer(0));
    }
    let given = &call.args[2..];
    let members = call.members_to_write(&key);
    let added = given
        .iter()
        .filter(|member| members.insert(member.to_vec()))
        .count();
    Ok(Want::Integer(added as i64))
}

pub(super) fn srem(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let known = call.set(&key)?;
    let has = |member: &&[u8]| known.is_some_and(|known| known.contains(*member));
    if !call.args[2..].iter().any(has) {
        return Ok(Want::Integer(0));
    }
    let given = &call.args[2..];
    let members = call.members_to_write(&key);
    let removed = given.iter().filter(|member| members.remove(**member));
    let removed = removed.count();
    if members.is_empty() {
        call.remove(&key);
    }
    Ok(Want::Integer(removed as i64))
}

pub(super) fn sismember(call: &mut Call<'_>) -> Answer {
    let member = call.arg(2);
    let set = call.set(&call.arg(1))?;
    Ok(Want::flag(set.is_some_and(|known| known.contains(&member))))
}

pub(super) fn scard(call: &mut Call<'_>) -> Answer {
    let set = call.set(&call.arg(1))?;
    Ok(Want::Integer(set.map_or(0, |known| known.len() as i64)))
}

/// The members of the set at a key; an absent one has none.
fn members_at(call: &Call<'_>, key: &[u8]) -> Result<Members, String> {
    Ok(call.set(key)?.cloned().unwrap_or_default())
}

pub(super) fn smismember(call: &mut Call<'_>) -> Answer {
    let members = members_at(call, &call.arg(1))?;
    let given = call.args[2..].iter();
    let flags = given.map(|member| Want::flag(members.contains(*member)));
    Ok(Want::Array(flags.collect()))
}

pub(super) fn smembers(call: &mut Call<'_>) -> Answer {
    let members = members_at(call, &call.arg(1))?;
    Ok(Want::UnorderedSet(members.into_iter().collect()))
}

pub(super) fn smove(call: &mut Call<'_>) -> Answer {
    let (source, target, member) = (call.arg(1), call.arg(2), call.arg(3));
    let Some(known) = call.set(&source)?.cloned() else {
        return Ok(Want::Integer(0));
    };
    call.set(&target)?;
    if !known.contains(&member) {
        return Ok(Want::Integer(0));
    }
    if source != target {
        call.members_to_write(&source).remove(&member);
        if known.len() == 1 {
            call.remove(&source);
        }
        // A target that has it is not written.
        if !call.set(&target)?.is_some_and(|set| set.contains(&member)) {
            call.members_to_write(&target).insert(member);
        }
    }
    Ok(Want::Integer(1))
}

/// The server chooses which members go, and the model follows: they must be distinct, and members.
pub(super) fn spop(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let is_one = call.args.len() == 2;
    let count = match call.args.len() {
        2 => 1,
        3 => {
            let count = text::integer(&call.arg(2)).filter(|count| *count >= 0);
            count.ok_or_else(|| "ERR value is out of range, must be positive".to_owned())?
        }
        _ => return Err(SYNTAX.to_owned()),
    };
    let members = members_at(call, &key)?;
    if is_one && members.is_empty() {
        return Ok(Want::Null);
    }
    let count = usize::try_from(count).map_or(members.len(), |count| count.min(members.len()));
    let drawn: Members = call.drawn.iter().cloned().collect();
    let differ = drawn.len() == call.drawn.len();
    if drawn.len() != count || !differ || !drawn.is_subset(&members) {
        return Ok(Want::Chosen {
            from: members.into_iter().collect(),
            count,
            repeats: false,
        });
    }
    if count == members.len() {
        call.remove(&key);
    } else if count > 0 {
        let left = call.members_to_write(&key);
        left.retain(|member| !drawn.contains(member));
    }
    Ok(match call.drawn {
        [only] if is_one => Want::Bulk(only.clone()),
        drawn => Want::UnorderedSet(drawn.to_vec()),
    })
}

pub(super) fn srandmember(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    if call.args.len() > 3 {
        return Err(SYNTAX.to_owned());
    }
    if call.args.len() == 2 {
        let members = members_at(call, &key)?;
        let all: Vec<Want> = members.into_iter().map(Want::Bulk).collect();
        return Ok(if all.is_empty() {
            Want::Null
        } else {
            Want::OneOf(all)
        });
    }
    let count = call.integer(2)?;
    if count == i64::MIN {
        let text =
            format!("ERR value is out of range, value must between -{LARGEST} and {LARGEST}");
        return Err(text);
    }
    let from: Vec<_> = members_at(call, &key)?.into_iter().collect();
    let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < -(1 << 20) && !from.is_empty() {
        return Err("ERR value is out of range".to_owned());
    }
    Ok(Want::Chosen {
        count: match count {
            _ if from.is_empty() => 0,
            ..0 => most,
            0.. => most.min(from.len()),
        },
        repeats: count < 0,
        from,
    })
}

/// The sets at keys put together: `name` begins with the word for how.
fn combined(call: &Call<'_>, name: &str, keys: &[&[u8]]) -> Result<Members, String> {
    let sets = keys.iter().map(|key| members_at(call, key));
    let sets = sets.collect::<Result<Vec<Members>, String>>()?;
    let (first, rest) = sets.split_first().expect("there is a key");
    let mut result = first.clone();
    for set in rest {
        if name.starts_with("sinter") {
            result = result.intersection(set).cloned().collect();
        } else if name.starts_with("sunion") {
            result = result.union(set).cloned().collect();
        } else {
            result = result.difference(set).cloned().collect();
        }
    }
    Ok(result)
}

pub(super) fn combine(call: &mut Call<'_>) -> Answer {
    let result = combined(call, &call.name(), &call.args[1..])?;
    Ok(Want::UnorderedSet(result.into_iter().collect()))
}

pub(super) fn combine_and_store(call: &mut Call<'_>) -> Answer {
    let result = combined(call, &call.name(), &call.args[2..])?;
    let (target, len) = (call.arg(1), result.len());
    if len == 0 {
        call.remove(&target);
    } else {
        call.put(&target, Datum::Set(result), None);
    }
    Ok(Want::Integer(len as i64))
}

pub(super) fn sintercard(call: &mut Call<'_>) -> Answer {
    let keys = text::integer(&call.arg(1)).filter(|keys| *keys > 0);
    let keys = keys.ok_or_else(|| "ERR numkeys should be greater than 0".to_owned())?;
    let behind = usize::try_from(keys)
        .ok()
        .and_then(|keys| keys.checked_add(2));
    let Some(behind) = behind.filter(|behind| *behind <= call.args.len()) else {
        return Err("ERR Number of keys can't be greater than number of args".to_owned());
    };
    let mut limit = 0;
    let mut place = behind;
    while place < call.args.len() {
        if call.word(place) != "limit" || place + 1 == call.args.len() {
            return Err(SYNTAX.to_owned());
        }
        let given = text::integer(&call.arg(place + 1)).filter(|limit| *limit >= 0);
        limit = given.ok_or_else(|| "ERR LIMIT can't be negative".to_owned())?;
        place += 2;
    }
    let found = combined(call, "sinter", &call.args[2..behind])?.len() as i64;
    Ok(Want::Integer(if limit > 0 {
        found.min(limit)
    } else {
        found
    }))
}
