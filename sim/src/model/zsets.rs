//! The commands on sorted sets, by the plainest means.

use std::collections::BTreeMap;

use super::want::Score;
use super::{Answer, Call, Datum, SYNTAX, WRONG_TYPE, Want, scan, text};

/// The members of a sorted set with their scores.
pub(crate) type Members = BTreeMap<Vec<u8>, Score>;

/// A member with its score.
pub(super) type Pair = (Vec<u8>, f64);

const LARGEST: i64 = i64::MAX;
const NOT_A_FLOAT: &str = "ERR value is not a valid float";

impl Call<'_> {
    /// The members of the sorted set at a key; an absent one has none.
    pub(super) fn zset(&self, key: &[u8]) -> Result<Members, String> {
        match self.get(key).map(|item| &item.datum) {
            None => Ok(Members::new()),
            Some(Datum::Zset(members)) => Ok(members.clone()),
            Some(_) => Err(WRONG_TYPE.to_owned()),
        }
    }

    /// The members of a sorted set, or of a set, whose scores are 1.
    fn source(&self, key: &[u8]) -> Result<Members, String> {
        match self.get(key).map(|item| &item.datum) {
            Some(Datum::Set(members)) => {
                Ok(members.iter().map(|m| (m.clone(), Score(1.0))).collect())
            }
            _ => self.zset(key),
        }
    }

    /// Lets a sorted set have these members; without any, the key goes away.
    pub(super) fn put_zset(&mut self, key: &[u8], members: Members) {
        if members.is_empty() {
            self.remove(key);
        } else {
            self.replace(key, Datum::Zset(members));
        }
    }

    /// Lets a key be a new sorted set, whatever it was.
    pub(super) fn store_zset(&mut self, key: &[u8], pairs: Vec<Pair>) -> Want {
        let count = pairs.len() as i64;
        self.remove(key);
        if !pairs.is_empty() {
            let members = pairs.into_iter().map(|(m, score)| (m, Score(score)));
            self.put(key, Datum::Zset(members.collect()), None);
        }
        Want::Integer(count)
    }

    fn float(&self, place: usize, error: &str) -> Result<f64, String> {
        float(&self.arg(place)).ok_or_else(|| error.to_owned())
    }

    fn number(&self, place: usize, least: i64, error: &str) -> Result<usize, String> {
        let number = text::integer(&self.arg(place)).filter(|number| *number >= least);
        let number = number.ok_or_else(|| error.to_owned())?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }
}

/// A number; nothing where Redis would refuse it.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: f64 = text.parse().ok()?;
    let is_word = text.to_ascii_lowercase().contains("inf");
    let lost = number == 0.0
        && text
            .split(['e', 'E'])
            .next()?
            .contains(|c| ('1'..='9').contains(&c));
    (!number.is_nan() && (number.is_finite() || is_word) && !lost).then_some(number)
}

/// The members in their order.
pub(super) fn sorted(members: &Members) -> Vec<Pair> {
    let mut all: Vec<Pair> = members
        .iter()
        .map(|(m, score)| (m.clone(), score.0))
        .collect();
    all.sort_by(|a, b| a.1.partial_cmp(&b.1).expect("no score is NaN"));
    all
}

fn scored(pairs: Vec<Pair>) -> Want {
    Want::Scored(
        pairs
            .into_iter()
            .map(|(m, score)| (m, Score(score)))
            .collect(),
    )
}

/// An answer of members, with their scores if they are wanted.
pub(super) fn shown(pairs: Vec<Pair>, with_scores: bool) -> Want {
    if with_scores {
        return scored(pairs);
    }
    Want::Array(
        pairs
            .into_iter()
            .map(|(member, _)| Want::Bulk(member))
            .collect(),
    )
}

pub(super) fn zadd(call: &mut Call<'_>) -> Answer {
    let (key, mut at, mut words) = (call.arg(1), 2, Vec::new());
    while ["nx", "xx", "gt", "lt", "ch", "incr"].contains(&&call.word(at)[..]) {
        words.push(call.word(at));
        at += 1;
    }
    let has = |word: &str| words.iter().any(|own| own == word);
    let left = call.args.len().saturating_sub(at);
    if left == 0 || left % 2 == 1 {
        return Err(SYNTAX.to_owned());
    }
    if has("nx") && has("xx") {
        return Err("ERR XX and NX options at the same time are not compatible".to_owned());
    }
    if has("gt") && has("lt") || has("nx") && (has("gt") || has("lt")) {
        let text = "ERR GT, LT, and/or NX options at the same time are not compatible";
        return Err(text.to_owned());
    }
    if has("incr") && left > 2 {
        return Err("ERR INCR option supports a single increment-element pair".to_owned());
    }
    let mut given = Vec::new();
    for place in (at..call.args.len()).step_by(2) {
        given.push((call.arg(place + 1), call.float(place, NOT_A_FLOAT)?));
    }
    let mut members = call.zset(&key)?;
    let (mut added, mut updated, mut last) = (0, 0, None);
    for (member, score) in given {
        let old = members.get(&member).map(|score| score.0);
        let new = match old {
            None if has("xx") => None,
            None => Some(score),
            Some(_) if has("nx") => None,
            Some(old) => {
                let new = if has("incr") { old + score } else { score };
                if new.is_nan() {
                    return Err("ERR resulting score is not a number (NaN)".to_owned());
                }
                let is_refused = has("gt") && new <= old || has("lt") && new >= old;
                (!is_refused).then_some(new)
            }
        };
        last = new;
        let Some(new) = new else {
            continue;
        };
        match old {
            None => added += 1,
            Some(old) if old.partial_cmp(&new).is_some_and(std::cmp::Ordering::is_ne) => {
                updated += 1;
            }
            // The same number with another sign is no other score.
            Some(_) => continue,
        }
        members.insert(member, Score(new));
    }
    if added + updated > 0 {
        call.put_zset(&key, members);
    }
    if has("incr") {
        return Ok(last.map_or(Want::Null, |score| Want::Score(Score(score))));
    }
    let count = if has("ch") { added + updated } else { added };
    Ok(Want::Integer(count))
}

pub(super) fn zincrby(call: &mut Call<'_>) -> Answer {
    let by = call.float(2, NOT_A_FLOAT)?;
    let (key, member) = (call.arg(1), call.arg(3));
    let mut members = call.zset(&key)?;
    let old = members.get(&member).map(|score| score.0);
    let new = old.map_or(by, |old| old + by);
    if new.is_nan() {
        return Err("ERR resulting score is not a number (NaN)".to_owned());
    }
    if old != Some(new) {
        members.insert(member, Score(new));
        call.put_zset(&key, members);
    }
    Ok(Want::Score(Score(new)))
}

pub(super) fn zrem(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let mut members = call.zset(&key)?;
    let before = members.len();
    for member in &call.args[2..] {
        members.remove(*member);
    }
    let removed = before - members.len();
    if removed > 0 {
        call.put_zset(&key, members);
    }
    Ok(Want::Integer(removed as i64))
}

pub(super) fn zcard(call: &mut Call<'_>) -> Answer {
    Ok(Want::Integer(call.zset(&call.arg(1))?.len() as i64))
}

fn score_or_null(found: Option<&Score>) -> Want {
    found.map_or(Want::Null, |score| Want::Score(*score))
}

pub(super) fn zscore(call: &mut Call<'_>) -> Answer {
    Ok(score_or_null(call.zset(&call.arg(1))?.get(&call.arg(2))))
}

pub(super) fn zmscore(call: &mut Call<'_>) -> Answer {
    let members = call.zset(&call.arg(1))?;
    let found = call.args[2..]
        .iter()
        .map(|member| score_or_null(members.get(*member)));
    Ok(Want::Array(found.collect()))
}

pub(super) fn zrank(call: &mut Call<'_>) -> Answer {
    let name = call.name();
    let with_score = match call.args.len() {
        3 => false,
        4 if call.word(3) == "withscore" => true,
        4 => return Err(SYNTAX.to_owned()),
        _ => {
            let text = format!("ERR wrong number of arguments for '{name}' command");
            return Err(text);
        }
    };
    let mut all = sorted(&call.zset(&call.arg(1))?);
    if name == "zrevrank" {
        all.reverse();
    }
    let member = call.arg(2);
    let Some(rank) = all.iter().position(|(held, _)| *held == member) else {
        return Ok(if with_score {
            Want::NullArray
        } else {
            Want::Null
        });
    };
    let found = Want::Integer(rank as i64);
    Ok(if with_score {
        Want::Array(vec![found, Want::Score(Score(all[rank].1))])
    } else {
        found
    })
}

/// Takes up to `count` members off one end of the set at a key.
fn take(call: &mut Call<'_>, key: &[u8], count: usize, highest: bool) -> Result<Vec<Pair>, String> {
    let mut members = call.zset(key)?;
    let mut all = sorted(&members);
    if highest {
        all.reverse();
    }
    all.truncate(count);
    for (member, _) in &all {
        members.remove(member);
    }
    if !all.is_empty() {
        call.put_zset(key, members);
    }
    Ok(all)
}

/// Takes the member at one end of the set at a key, if it has one.
pub(super) fn take_one(
    call: &mut Call<'_>,
    key: &[u8],
    highest: bool,
) -> Result<Vec<Want>, String> {
    let taken = take(call, key, 1, highest)?;
    Ok(taken.into_iter().flat_map(pair).collect())
}

fn pair((member, score): Pair) -> Vec<Want> {
    vec![Want::Bulk(member), Want::Score(Score(score))]
}

pub(super) fn zpop(call: &mut Call<'_>) -> Answer {
    let (key, highest) = (call.arg(1), call.name() == "zpopmax");
    match call.args.len() {
        2 => {
            let taken = take(call, &key, 1, highest)?;
            Ok(Want::Array(taken.into_iter().flat_map(pair).collect()))
        }
        3 => {
            let count = call.number(2, 0, "ERR value is out of range, must be positive")?;
            Ok(scored(take(call, &key, count, highest)?))
        }
        _ => Err(SYNTAX.to_owned()),
    }
}

pub(super) fn zmpop(call: &mut Call<'_>) -> Answer {
    let keys = call.number(1, 1, "ERR numkeys should be greater than 0")?;
    let at = keys.saturating_add(2);
    if at >= call.args.len() {
        return Err(SYNTAX.to_owned());
    }
    let highest = match &call.word(at)[..] {
        "min" => false,
        "max" => true,
        _ => return Err(SYNTAX.to_owned()),
    };
    let count = match (call.args.len() - at, &call.word(at + 1)[..]) {
        (1, _) => 1,
        (3.., "count") => call.number(at + 2, 1, "ERR count should be greater than 0")?,
        _ => return Err(SYNTAX.to_owned()),
    };
    if call.args.len() - at > 3 {
        return Err(SYNTAX.to_owned());
    }
    for place in 2..at {
        let key = call.arg(place);
        if !call.zset(&key)?.is_empty() {
            let taken = take(call, &key, count, highest)?;
            let pairs = taken.into_iter().map(|taken| Want::Array(pair(taken)));
            return Ok(Want::Array(vec![
                Want::Bulk(key),
                Want::Array(pairs.collect()),
            ]));
        }
    }
    Ok(Want::NullArray)
}

pub(super) fn zrandmember(call: &mut Call<'_>) -> Answer {
    if call.args.len() == 2 {
        let members = call.zset(&call.arg(1))?;
        let names: Vec<Want> = members.into_keys().map(Want::Bulk).collect();
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
    let with_scores = match call.args.len() {
        3 => false,
        4 if call.word(3) == "withscores" => true,
        _ => return Err(SYNTAX.to_owned()),
    };
    if with_scores && count.abs() > LARGEST / 2 {
        return Err("ERR value is out of range".to_owned());
    }
    let members = call.zset(&call.arg(1))?;
    let repeats = count < 0;
    let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let count = match (members.is_empty(), repeats) {
        (true, _) => 0,
        (false, true) => most,
        (false, false) => most.min(members.len()),
    };
    Ok(if with_scores {
        let from = members.into_iter().collect();
        Want::ChosenScored {
            from,
            count,
            repeats,
        }
    } else {
        let from = members.into_keys().collect();
        Want::Chosen {
            from,
            count,
            repeats,
        }
    })
}

/// The members of a union, an intersection or a difference; `at` is the place of the number of
/// keys.
fn combined(call: &Call<'_>, at: usize) -> Result<(Vec<Pair>, bool), String> {
    let name = call.name();
    let (stores, counts) = (name.ends_with("store"), name == "zintercard");
    let differs = name.starts_with("zdiff");
    let count = call.integer(at)?;
    if count < 1 {
        let text = format!("ERR at least 1 input key is needed for '{name}' command");
        return Err(text);
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > call.args.len() - at - 1 {
        return Err(SYNTAX.to_owned());
    }
    let mut sources = Vec::new();
    for place in at + 1..=at + count {
        sources.push((call.source(&call.arg(place))?, 1.0));
    }
    let (mut aggregate, mut with_scores, mut limit) = ("sum".to_owned(), false, 0);
    let mut place = at + count + 1;
    while place < call.args.len() {
        let left = call.args.len() - place;
        match &call.word(place)[..] {
            "weights" if !differs && !counts && left > count => {
                for (nth, source) in sources.iter_mut().enumerate() {
                    source.1 = call.float(place + 1 + nth, "ERR weight value is not a float")?;
                }
                place += count;
            }
            "aggregate" if !differs && !counts && left > 1 => {
                aggregate = call.word(place + 1);
                if !["sum", "min", "max"].contains(&&aggregate[..]) {
                    return Err(SYNTAX.to_owned());
                }
                place += 1;
            }
            "withscores" if !stores && !counts => with_scores = true,
            "limit" if counts && left > 1 => {
                limit = call.number(place + 1, 0, "ERR LIMIT can't be negative")?;
                place += 1;
            }
            _ => return Err(SYNTAX.to_owned()),
        }
        place += 1;
    }
    if differs {
        let mut first = sources[0].0.clone();
        for (other, _) in &sources[1..] {
            first.retain(|member, _| !other.contains_key(member));
        }
        return Ok((sorted(&first), with_scores));
    }
    // Redis begins with the smallest set, and the order decides how sums are rounded.
    sources.sort_by_key(|(members, _)| members.len());
    let mut all = Members::new();
    let is_intersection = name.starts_with("zinter");
    let number = |number: f64| if number.is_nan() { 0.0 } else { number };
    for (members, weight) in &sources {
        for (member, score) in members {
            let old = all.get(member).map(|old| old.0);
            let given = match old {
                // In an intersection, what is no number spoils the whole sum, or is passed over.
                Some(_) if is_intersection => score.0 * weight,
                _ => number(score.0 * weight),
            };
            let new = match (old, &aggregate[..]) {
                (None, _) => given,
                (Some(old), "sum") => number(old + given),
                (Some(old), "min") if given < old => given,
                (Some(old), "max") if given > old => given,
                (Some(old), _) => old,
            };
            all.insert(member.clone(), Score(new));
        }
    }
    if is_intersection {
        all.retain(|member, _| {
            sources
                .iter()
                .all(|(members, _)| members.contains_key(member))
        });
    }
    let mut all = sorted(&all);
    if limit > 0 {
        all.truncate(limit);
    }
    Ok((all, with_scores))
}

pub(super) fn combine(call: &mut Call<'_>) -> Answer {
    let (all, with_scores) = combined(call, 1)?;
    Ok(if call.name() == "zintercard" {
        Want::Integer(all.len() as i64)
    } else {
        shown(all, with_scores)
    })
}

pub(super) fn store(call: &mut Call<'_>) -> Answer {
    let (all, _) = combined(call, 2)?;
    let key = call.arg(1);
    Ok(call.store_zset(&key, all))
}

pub(super) fn zscan(call: &mut Call<'_>) -> Answer {
    scan::check_cursor(&call.arg(2))?;
    let members = call.zset(&call.arg(1))?;
    if members.is_empty() {
        let empty = vec![Want::Bulk(b"0".to_vec()), Want::Array(Vec::new())];
        return Ok(Want::Array(empty));
    }
    let wishes = scan::wishes(call, 3, false)?;
    let liked = |member: &[u8]| {
        wishes
            .pattern
            .as_deref()
            .is_none_or(|p| text::matches(p, member))
    };
    let shown = members.into_iter().filter(|(member, _)| liked(member));
    Ok(Want::ScannedScored(shown.collect()))
}
