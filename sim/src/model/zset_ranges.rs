//! Ranges of sorted sets, by the plainest means.

use super::zsets::{Members, Pair, shown, sorted};
use super::{Answer, Call, SYNTAX, Want};

/// A test of whether a member lies within a range.
type Within = Box<dyn Fn(&Pair) -> bool>;

fn by_score(min: &[u8], max: &[u8]) -> Result<Within, String> {
    let bound = |text: &[u8]| -> Option<(f64, bool)> {
        let (text, open) = match text.strip_prefix(b"(") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let text = std::str::from_utf8(text).ok()?;
        let number: f64 = if text.is_empty() {
            0.0
        } else {
            text.trim_start().parse().ok()?
        };
        (!number.is_nan()).then_some((number, open))
    };
    let bounds = bound(min).zip(bound(max));
    let (min, max) = bounds.ok_or_else(|| "ERR min or max is not a float".to_owned())?;
    Ok(Box::new(move |(_, score)| {
        let above = if min.1 {
            *score > min.0
        } else {
            *score >= min.0
        };
        let below = if max.1 {
            *score < max.0
        } else {
            *score <= max.0
        };
        above && below
    }))
}

/// A test of whether a member is not before a bound, and not behind it.
type Edge = Box<dyn Fn(&[u8]) -> (bool, bool)>;

/// The members that come before a bound, or that come behind it.
fn edge(text: &[u8]) -> Option<Edge> {
    match (text.first()?, text[1..].to_vec()) {
        (b'-', rest) if rest.is_empty() => Some(Box::new(|_| (true, false))),
        (b'+', rest) if rest.is_empty() => Some(Box::new(|_| (false, true))),
        (b'[', own) => Some(Box::new(move |held| (held >= &own[..], held <= &own[..]))),
        (b'(', own) => Some(Box::new(move |held| (held > &own[..], held < &own[..]))),
        _ => None,
    }
}

fn by_lex(min: &[u8], max: &[u8]) -> Result<Within, String> {
    let edges = edge(min).zip(edge(max));
    let (min, max) =
        edges.ok_or_else(|| "ERR min or max not valid string range item".to_owned())?;
    Ok(Box::new(move |(member, _)| min(member).0 && max(member).1))
}

/// The part between two ranks.
fn by_rank(all: Vec<Pair>, start: i64, stop: i64) -> Vec<Pair> {
    let len = all.len() as i64;
    let place = |rank: i64| {
        if rank < 0 {
            rank.saturating_add(len)
        } else {
            rank
        }
    };
    let (start, stop) = (place(start), place(stop));
    let numbered = (0i64..).zip(all);
    numbered
        .filter(|(rank, _)| start <= *rank && *rank <= stop)
        .map(|(_, pair)| pair)
        .collect()
}

/// Returns true unless the order of members says nothing because scores differ.
fn has_lex_order(members: &Members) -> bool {
    let mut scores = members.values().map(|score| score.0);
    let first = scores.next();
    scores.all(|score| Some(score) == first)
}

/// A range as one command of the family wants it, from the key's place on; `None` if Redis leaves
/// open what it is.
fn range(call: &Call<'_>, at: usize, stores: bool) -> Result<(Option<Vec<Pair>>, bool), String> {
    let name = call.name();
    let is_open = name == "zrange" || stores;
    let mut by = match &name[..] {
        "zrangebyscore" | "zrevrangebyscore" => "byscore".to_owned(),
        "zrangebylex" | "zrevrangebylex" => "bylex".to_owned(),
        _ => String::new(),
    };
    let mut reversed = name.starts_with("zrev");
    let (mut with_scores, mut limit, mut place) = (false, (0, -1), at + 3);
    while place < call.args.len() {
        match &call.word(place)[..] {
            "withscores" if !stores => with_scores = true,
            "limit" if place + 2 < call.args.len() => {
                limit = (call.integer(place + 1)?, call.integer(place + 2)?);
                place += 2;
            }
            "rev" if is_open && !reversed => reversed = true,
            word @ ("byscore" | "bylex") if is_open && by.is_empty() => word.clone_into(&mut by),
            _ => return Err(SYNTAX.to_owned()),
        }
        place += 1;
    }
    if limit.1 != -1 && by.is_empty() {
        let text = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE \
            or BYLEX";
        return Err(text.to_owned());
    }
    if with_scores && by == "bylex" {
        let text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
        return Err(text.to_owned());
    }
    let (first, second) = (call.arg(at + 1), call.arg(at + 2));
    let (min, max) = if reversed {
        (&second, &first)
    } else {
        (&first, &second)
    };
    let within = match &by[..] {
        "byscore" => Some(by_score(min, max)?),
        "bylex" => Some(by_lex(min, max)?),
        _ => None,
    };
    let ranks = match within {
        None => Some((call.integer(at + 1)?, call.integer(at + 2)?)),
        Some(_) => None,
    };
    let members = call.zset(&call.arg(at))?;
    let is_certain = by != "bylex" || has_lex_order(&members);
    let mut all = sorted(&members);
    if reversed {
        all.reverse();
    }
    if let Some((start, stop)) = ranks {
        all = by_rank(all, start, stop);
    }
    if let Some(within) = within {
        all.retain(within);
        let skipped = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let count = usize::try_from(limit.1).unwrap_or(usize::MAX);
        all = all.into_iter().skip(skipped).take(count).collect();
    }
    Ok((is_certain.then_some(all), with_scores))
}

pub(super) fn zrange(call: &mut Call<'_>) -> Answer {
    let (found, with_scores) = range(call, 1, false)?;
    Ok(found.map_or(Want::Anything, |found| shown(found, with_scores)))
}

pub(super) fn zrangestore(call: &mut Call<'_>) -> Answer {
    let (found, _) = range(call, 2, true)?;
    let key = call.arg(1);
    Ok(call.store_zset(&key, found.unwrap_or_default()))
}

pub(super) fn zcount(call: &mut Call<'_>) -> Answer {
    let is_lex = call.name() == "zlexcount";
    let (min, max) = (call.arg(2), call.arg(3));
    let within = if is_lex {
        by_lex(&min, &max)
    } else {
        by_score(&min, &max)
    }?;
    let members = call.zset(&call.arg(1))?;
    if is_lex && !has_lex_order(&members) {
        return Ok(Want::Anything);
    }
    let count = sorted(&members).into_iter().filter(within).count();
    Ok(Want::Integer(count as i64))
}

pub(super) fn zremrange(call: &mut Call<'_>) -> Answer {
    let (name, key, min, max) = (call.name(), call.arg(1), call.arg(2), call.arg(3));
    let within = match &name[..] {
        "zremrangebyscore" => Some(by_score(&min, &max)?),
        "zremrangebylex" => Some(by_lex(&min, &max)?),
        _ => None,
    };
    let ranks = match within {
        None => (call.integer(2)?, call.integer(3)?),
        Some(_) => (0, 0),
    };
    let mut members = call.zset(&key)?;
    let all = sorted(&members);
    let gone = match within {
        None => by_rank(all, ranks.0, ranks.1),
        Some(within) => all.into_iter().filter(within).collect(),
    };
    for (member, _) in &gone {
        members.remove(member);
    }
    if !gone.is_empty() {
        call.put_zset(&key, members);
    }
    Ok(Want::Integer(gone.len() as i64))
}
