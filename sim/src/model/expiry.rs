//! When keys expire.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one type")]

use super::{Answer, Call, Want};

pub(super) fn expire(call: &mut Call<'_>) -> Answer {
    let name = call.name();
    let words: Vec<String> = (3..call.args.len()).map(|place| call.word(place)).collect();
    let known = ["nx", "xx", "gt", "lt"];
    if let Some(place) = words.iter().position(|word| !known.contains(&&word[..])) {
        let given = call.arg(3 + place);
        return Err(format!(
            "ERR Unsupported option {}",
            String::from_utf8_lossy(&given)
        ));
    }
    let has = |word: &str| words.iter().any(|given| given == word);
    if has("nx") && (has("xx") || has("gt") || has("lt")) {
        let text = "ERR NX and XX, GT or LT options at the same time are not compatible";
        return Err(text.to_owned());
    }
    if has("gt") && has("lt") {
        let text = "ERR GT and LT options at the same time are not compatible";
        return Err(text.to_owned());
    }
    let given = call.integer(2)?;
    let scale = if name.starts_with('p') { 1 } else { 1000 };
    let base = if name.ends_with("at") {
        -call.moment.offset
    } else {
        call.moment.at as i64
    };
    let new = given
        .checked_mul(scale)
        .and_then(|millis| millis.checked_add(base));
    let new = new.ok_or_else(|| format!("ERR invalid expire time in '{name}' command"))?;
    let key = call.arg(1);
    let Some(item) = call.get(&key).cloned() else {
        return Ok(Want::Integer(0));
    };
    let old = item.expiry.map(|time| time as i64);
    let refused = has("nx") && old.is_some()
        || has("xx") && old.is_none()
        || has("gt") && old.is_none_or(|old| new <= old)
        || has("lt") && old.is_some_and(|old| new >= old);
    if refused {
        return Ok(Want::Integer(0));
    }
    if new <= call.moment.at as i64 {
        call.remove(&key);
    } else {
        call.put(&key, item.datum, Some(new as u64));
    }
    Ok(Want::Integer(1))
}

pub(super) fn persist(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let Some(item) = call.get(&key).cloned() else {
        return Ok(Want::Integer(0));
    };
    if item.expiry.is_none() {
        return Ok(Want::Integer(0));
    }
    call.put(&key, item.datum, None);
    Ok(Want::Integer(1))
}

fn rounded(millis: u64) -> i64 {
    ((millis.saturating_add(500)) / 1000) as i64
}

/// The remaining time, as the member's own clock may tell it.
pub(super) fn ttl(call: &mut Call<'_>) -> Answer {
    let show: fn(u64) -> i64 = if call.name() == "ttl" {
        rounded
    } else {
        |millis| millis as i64
    };
    Ok(match call.get(&call.arg(1)) {
        None => Want::Integer(-2),
        Some(item) => match item.expiry {
            None => Want::Integer(-1),
            Some(time) => {
                let left = |clock: u64| show(time.saturating_sub(clock));
                let (low, high) = (left(call.moment.latest), left(call.moment.at));
                if low == high {
                    Want::Integer(low)
                } else {
                    Want::Between(low, high)
                }
            }
        },
    })
}

pub(super) fn expiretime(call: &mut Call<'_>) -> Answer {
    let seconds = call.name() == "expiretime";
    let offset = call.moment.offset;
    Ok(Want::Integer(match call.get(&call.arg(1)) {
        None => -2,
        Some(item) => match item.expiry {
            None => -1,
            Some(time) if seconds => rounded(time.saturating_add_signed(offset)),
            Some(time) => time.saturating_add_signed(offset) as i64,
        },
    }))
}
