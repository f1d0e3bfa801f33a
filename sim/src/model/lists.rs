//! The commands on lists, by the plainest means.

use super::{Answer, Call, Datum, NOT_AN_INTEGER, SYNTAX, WRONG_TYPE, Want, text};

/// The items of a list.
pub(crate) type Items = Vec<Vec<u8>>;

const LARGEST: i64 = i64::MAX;

impl Call<'_> {
    /// The items of the list at a key; an absent one has none.
    fn list(&self, key: &[u8]) -> Result<Items, String> {
        match self.get(key).map(|item| &item.datum) {
            None => Ok(Items::new()),
            Some(Datum::List(items)) => Ok(items.clone()),
            Some(_) => Err(WRONG_TYPE.to_owned()),
        }
    }

    /// Lets a list have these items; without any, the key goes away.
    fn put_list(&mut self, key: &[u8], items: Items) {
        if items.is_empty() {
            self.remove(key);
        } else {
            self.replace(key, Datum::List(items));
        }
    }

    /// A number that is `least` or more.
    fn at_least(&self, place: usize, least: i64, error: &str) -> Result<usize, String> {
        let number = text::integer(&self.arg(place)).filter(|number| *number >= least);
        let number = number.ok_or_else(|| error.to_owned())?;
        Ok(usize::try_from(number).expect("it is not negative"))
    }
}

fn out_of_range() -> String {
    format!("ERR value is out of range, value must between -{LARGEST} and {LARGEST}")
}

/// Puts an item at an end.
fn put(items: &mut Items, item: Vec<u8>, left: bool) {
    let place = if left { 0 } else { items.len() };
    items.insert(place, item);
}

/// Takes an item off an end of a list that has one.
fn take(items: &mut Items, left: bool) -> Vec<u8> {
    let place = if left { 0 } else { items.len() - 1 };
    items.remove(place)
}

pub(super) fn push(call: &mut Call<'_>) -> Answer {
    let (name, key) = (call.name(), call.arg(1));
    let mut items = call.list(&key)?;
    if name.ends_with('x') && items.is_empty() {
        return Ok(Want::Integer(0));
    }
    for item in &call.args[2..] {
        put(&mut items, item.to_vec(), name.starts_with('l'));
    }
    let len = items.len();
    call.put_list(&key, items);
    Ok(Want::Integer(len as i64))
}

/// Takes up to `count` items off the list at a key.
fn take_many(call: &mut Call<'_>, key: &[u8], count: usize, left: bool) -> Result<Want, String> {
    let mut items = call.list(key)?;
    let count = count.min(items.len());
    let taken = (0..count).map(|_| Want::Bulk(take(&mut items, left)));
    let taken = Want::Array(taken.collect());
    if count > 0 {
        call.put_list(key, items);
    }
    Ok(taken)
}

pub(super) fn pop(call: &mut Call<'_>) -> Answer {
    let (name, key) = (call.name(), call.arg(1));
    let left = name.starts_with('l');
    match call.args.len() {
        2 => {}
        3 => {
            let error = "ERR value is out of range, must be positive";
            let count = call.at_least(2, 0, error)?;
            if call.list(&key)?.is_empty() {
                return Ok(Want::NullArray);
            }
            return take_many(call, &key, count, left);
        }
        _ => {
            let text = format!("ERR wrong number of arguments for '{name}' command");
            return Err(text);
        }
    }
    let mut items = call.list(&key)?;
    if items.is_empty() {
        return Ok(Want::Null);
    }
    let item = take(&mut items, left);
    call.put_list(&key, items);
    Ok(Want::Bulk(item))
}

/// Returns true if a word names the left end.
fn is_left(word: &str) -> Result<bool, String> {
    match word {
        "left" => Ok(true),
        "right" => Ok(false),
        _ => Err(SYNTAX.to_owned()),
    }
}

pub(super) fn lmpop(call: &mut Call<'_>) -> Answer {
    let keys = call.at_least(1, 1, "ERR numkeys should be greater than 0")?;
    let at = keys.saturating_add(2);
    if at >= call.args.len() {
        return Err(SYNTAX.to_owned());
    }
    let left = is_left(&call.word(at))?;
    let count = match (call.args.len() - at, &call.word(at + 1)[..]) {
        (1, _) => 1,
        (3.., "count") => call.at_least(at + 2, 1, "ERR count should be greater than 0")?,
        _ => return Err(SYNTAX.to_owned()),
    };
    if call.args.len() - at > 3 {
        return Err(SYNTAX.to_owned());
    }
    for place in 2..at {
        let key = call.arg(place);
        if !call.list(&key)?.is_empty() {
            let taken = take_many(call, &key, count, left)?;
            return Ok(Want::Array(vec![Want::Bulk(key), taken]));
        }
    }
    Ok(Want::NullArray)
}

/// Takes the item at an end of the list at a key, if it has one.
pub(super) fn take_one(call: &mut Call<'_>, key: &[u8], left: bool) -> Result<Vec<Want>, String> {
    let mut items = call.list(key)?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let item = take(&mut items, left);
    call.put_list(key, items);
    Ok(vec![Want::Bulk(item)])
}

/// Redis's words where the ends are none that LMOVE names.
pub(super) fn check_ends(call: &Call<'_>) -> Result<(), String> {
    let places = 3..call.args.len();
    places
        .into_iter()
        .try_for_each(|place| is_left(&call.word(place)).map(|_| ()))
}

pub(super) fn lmove(call: &mut Call<'_>) -> Answer {
    let (from_left, to_left) = match call.args.len() {
        3 => (false, true),
        _ => (is_left(&call.word(3))?, is_left(&call.word(4))?),
    };
    let (from, to) = (call.arg(1), call.arg(2));
    let mut items = call.list(&from)?;
    if items.is_empty() {
        return Ok(Want::Null);
    }
    call.list(&to)?;
    let item = take(&mut items, from_left);
    if from == to {
        put(&mut items, item.clone(), to_left);
        call.put_list(&from, items);
    } else {
        call.put_list(&from, items);
        let mut others = call.list(&to)?;
        put(&mut others, item.clone(), to_left);
        call.put_list(&to, others);
    }
    Ok(Want::Bulk(item))
}

/// The place that an index means, which may lie outside.
fn place(index: i64, len: usize) -> i64 {
    if index < 0 {
        index.saturating_add(len as i64)
    } else {
        index
    }
}

/// The items from one place to another.
fn between(start: i64, stop: i64, items: &Items) -> Items {
    let (start, stop) = (place(start, items.len()), place(stop, items.len()));
    let numbered = (0i64..).zip(items);
    let within = numbered.filter(|(at, _)| start <= *at && *at <= stop);
    within.map(|(_, item)| item.clone()).collect()
}

pub(super) fn llen(call: &mut Call<'_>) -> Answer {
    Ok(Want::Integer(call.list(&call.arg(1))?.len() as i64))
}

pub(super) fn lindex(call: &mut Call<'_>) -> Answer {
    let items = call.list(&call.arg(1))?;
    if items.is_empty() {
        return Ok(Want::Null);
    }
    let at = place(call.integer(2)?, items.len());
    let item = usize::try_from(at).ok().and_then(|at| items.get(at));
    Ok(Want::bulk_or_null(item.map(|item| &item[..])))
}

pub(super) fn lrange(call: &mut Call<'_>) -> Answer {
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    let items = call.list(&call.arg(1))?;
    let shown = between(start, stop, &items);
    Ok(Want::Array(shown.into_iter().map(Want::Bulk).collect()))
}

pub(super) fn ltrim(call: &mut Call<'_>) -> Answer {
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    let key = call.arg(1);
    let items = call.list(&key)?;
    if !items.is_empty() {
        call.put_list(&key, between(start, stop, &items));
    }
    Ok(Want::OK)
}

pub(super) fn lset(call: &mut Call<'_>) -> Answer {
    let key = call.arg(1);
    let mut items = call.list(&key)?;
    if items.is_empty() {
        return Err("ERR no such key".to_owned());
    }
    let at = place(call.integer(2)?, items.len());
    let found = usize::try_from(at).ok().and_then(|at| items.get_mut(at));
    *found.ok_or_else(|| "ERR index out of range".to_owned())? = call.arg(3);
    call.put_list(&key, items);
    Ok(Want::OK)
}

pub(super) fn linsert(call: &mut Call<'_>) -> Answer {
    let behind = match &call.word(2)[..] {
        "before" => 0,
        "after" => 1,
        _ => return Err(SYNTAX.to_owned()),
    };
    let (key, pivot) = (call.arg(1), call.arg(3));
    let mut items = call.list(&key)?;
    if items.is_empty() {
        return Ok(Want::Integer(0));
    }
    let Some(at) = items.iter().position(|item| *item == pivot) else {
        return Ok(Want::Integer(-1));
    };
    items.insert(at + behind, call.arg(4));
    let len = items.len();
    call.put_list(&key, items);
    Ok(Want::Integer(len as i64))
}

pub(super) fn lrem(call: &mut Call<'_>) -> Answer {
    let count = call.integer(2)?;
    let (key, unwanted) = (call.arg(1), call.arg(3));
    let mut items = call.list(&key)?;
    let before = items.len();
    let most = if count == 0 {
        LARGEST
    } else {
        count.saturating_abs()
    };
    let mut removed = 0;
    let mut keeps = |item: &Vec<u8>| {
        let goes = *item == unwanted && removed < most;
        removed += i64::from(goes);
        !goes
    };
    if count < 0 {
        items.reverse();
        items.retain(&mut keeps);
        items.reverse();
    } else {
        items.retain(&mut keeps);
    }
    let removed = before - items.len();
    if removed > 0 {
        call.put_list(&key, items);
    }
    Ok(Want::Integer(removed as i64))
}

pub(super) fn lpos(call: &mut Call<'_>) -> Answer {
    let (mut rank, mut count, mut most) = (1, None, 0);
    let mut at = 3;
    while at < call.args.len() {
        let word = call.word(at);
        if at + 1 == call.args.len() {
            return Err(SYNTAX.to_owned());
        }
        match &word[..] {
            "rank" => {
                rank = text::integer(&call.arg(at + 1)).ok_or_else(|| NOT_AN_INTEGER.to_owned())?;
                if rank == i64::MIN {
                    return Err(out_of_range());
                }
                if rank == 0 {
                    let text = "ERR RANK can't be zero: use 1 to start from the first match, 2 \
                        from the second ... or use negative to start from the end of the list";
                    return Err(text.to_owned());
                }
            }
            "count" => count = Some(call.at_least(at + 1, 0, "ERR COUNT can't be negative")?),
            "maxlen" => most = call.at_least(at + 1, 0, "ERR MAXLEN can't be negative")?,
            _ => return Err(SYNTAX.to_owned()),
        }
        at += 2;
    }
    let items = call.list(&call.arg(1))?;
    let mut places: Vec<usize> = (0..items.len()).collect();
    if rank < 0 {
        places.reverse();
    }
    places.truncate(if most == 0 { usize::MAX } else { most });
    places.retain(|at| items[*at] == call.args[2]);
    let skipped = usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let mut found = places
        .into_iter()
        .skip(skipped)
        .map(|at| Want::Integer(at as i64));
    Ok(match count {
        None => found.next().unwrap_or(Want::Null),
        Some(0) => Want::Array(found.collect()),
        Some(count) => Want::Array(found.take(count).collect()),
    })
}
