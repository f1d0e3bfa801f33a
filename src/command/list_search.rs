//! Lists: items looked for by what they are.

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::found::Found;
use super::pace::Kept;
use crate::store::{End, List, Text, Value};

/// The list at a key of a query.
pub(super) fn list_at<'s>(query: &Query<'s>, key: &[u8]) -> Result<Option<List<'s>>, Error> {
    query.get_as(key, Value::as_list)
}

/// The items of a list with their indexes, one behind the other towards an end, but for those that
/// were looked at before.
fn items_from(
    list: List<'_>,
    looked_at: u64,
    towards: End,
) -> impl Iterator<Item = (u64, Text<'_>)> {
    let len = list.len() as u64;
    let index = move |at: u64| match towards {
        End::Back => at,
        End::Front => len - 1 - at,
    };
    let rest = looked_at..len;
    let first = if rest.is_empty() { 0 } else { index(looked_at) };
    rest.map(index).zip(list.walk(first as usize, towards))
}

pub(super) fn linsert(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let behind = match args {
        _ if args.is(2, "after") => 1,
        _ if args.is(2, "before") => 0,
        _ => return Err(Error::SYNTAX),
    };
    let (db, key, at) = (change.db, args.at(1), change.at);
    let Some(list) = change.store.list(db, key, at)? else {
        change.reply.integer(0);
        return Ok(());
    };
    let pivot = Text::of(args.at(3));
    let mut found = None;
    for (index, item) in items_from(list, change.pace.from(0), End::Back) {
        change.pace.step(index, 1)?;
        if item.is(pivot) {
            found = Some(index as usize);
            break;
        }
    }
    let Some(found) = found else {
        change.reply.integer(-1);
        return Ok(());
    };
    if let Some(mut list) = change.store.list_mut(db, key, at)? {
        list.insert(found + behind, args.at(4));
        change.reply.integer(list.len() as i64);
    }
    Ok(())
}

pub(super) fn lrem(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let count = args.integer(2)?;
    let most = match count {
        0 => usize::MAX,
        count => count.unsigned_abs() as usize,
    };
    let towards = if count < 0 { End::Front } else { End::Back };
    let Some(mut list) = change.store.list_mut(change.db, args.at(1), change.at)? else {
        change.reply.integer(0);
        return Ok(());
    };
    let first = match towards {
        End::Back => 0,
        End::Front => list.len() - 1,
    };
    let mut from = change.pace.from(first as u64) as usize;
    loop {
        let left = most - change.pace.count as usize;
        change.pace.step(from as u64, 1)?;
        let (removed, next) = list.remove_equal(args.at(3), left, from, towards);
        change.pace.pay(next.map_or(0, |next| from.abs_diff(next)));
        change.pace.count += removed as i64;
        match next {
            Some(next) if removed < left => from = next,
            _ => break,
        }
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

/// How LPOS looks.
struct Search {
    rank: i64,
    count: Option<u64>,
    /// The most items to look at.
    most: u64,
}

fn search(args: Args<'_>) -> Result<Search, Error> {
    let (mut rank, mut count, mut most) = (1, None, 0);
    for place in (3..args.len()).step_by(2) {
        if args.get(place + 1).is_none() {
            return Err(Error::SYNTAX);
        } else if args.is(place, "rank") {
            rank = args.negatable(place + 1)?;
            if rank == 0 {
                return Err(Error::RANK_ZERO);
            }
        } else if args.is(place, "count") {
            count = Some(args.at_least(place + 1, 0, Error::COUNT_NEGATIVE)?);
        } else if args.is(place, "maxlen") {
            most = args.at_least(place + 1, 0, Error::MAXLEN_NEGATIVE)?;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    Ok(Search {
        rank,
        count,
        most: if most == 0 { u64::MAX } else { most },
    })
}

pub(super) fn lpos(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let Search { rank, count, most } = search(args)?;
    let Some(list) = list_at(query, args.at(1))? else {
        match count {
            None => query.reply.null(),
            Some(_) => query.reply.array(0),
        }
        return Ok(());
    };
    let wanted = Text::of(args.at(2));
    let towards = if rank < 0 { End::Front } else { End::Back };
    let mut found = match core::mem::take(&mut query.pace.kept) {
        Kept::Found(found) => found,
        _ => Found::default(),
    };
    // How many matches are skipped or answered, and the most of them that are wanted.
    let skipped = rank.unsigned_abs() - 1;
    let wanted_matches = match count {
        None => skipped.saturating_add(1),
        Some(0) => u64::MAX,
        Some(count) => skipped.saturating_add(count),
    };
    let from = query.pace.from(0);
    for (looked_at, (index, item)) in (from..most).zip(items_from(list, from, towards)) {
        if let Err(cut) = query.pace.step(looked_at, 1) {
            query.pace.kept = Kept::Found(found);
            return Err(cut);
        }
        if !item.is(wanted) {
            continue;
        }
        query.pace.count += 1;
        if query.pace.count as u64 > skipped {
            if count.is_none() {
                query.reply.integer(index as i64);
                return Ok(());
            }
            found.push_integer(index as i64);
        }
        if query.pace.count as u64 == wanted_matches {
            break;
        }
    }
    match count {
        None => query.reply.null(),
        Some(_) => found.write_to(&mut query.reply),
    }
    Ok(())
}
