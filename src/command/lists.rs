//! Lists: items at either end, by index, and moved from one list to another.

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{Arg, ELEMENT, KEY, integer, key, many, one_of, opt, string, word};
use super::group::Group;
use super::key::{ADDED_TO, CUT, Keys, LOOKED_AT, READ, TAKEN, UPDATED};
use super::list_search::{linsert, list_at, lpos, lrem};
use super::reach::Reach;
use super::row::Row;
use super::several::Several;
use super::strings::answer;
use crate::limits::BYTES_PER_WORK;
use crate::store::{End, List, Text};

/// The two ends of a list, as arguments name them.
pub(super) const LEFT_OR_RIGHT: &[Arg] = &[word("LEFT"), word("RIGHT")];

pub(super) const ROWS: &[Row] = &[
    Row::write("lpush", -3, lpush)
        .tells(Tells::Each(KeyEvent::LIST_PUSH_LEFT))
        .group(Group::List)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds items in front of a list.")
        .costs("O(N) where N is the number of items given.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, many(ELEMENT)])
        .adds(items_pushed),
    Row::write("rpush", -3, rpush)
        .tells(Tells::Each(KeyEvent::LIST_PUSH_RIGHT))
        .group(Group::List)
        .since("1.0.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds items to the end of a list.")
        .costs("O(N) where N is the number of items given.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, many(ELEMENT)])
        .adds(items_pushed),
    Row::write("lpushx", -3, lpushx)
        .tells(Tells::Each(KeyEvent::LIST_PUSH_LEFT))
        .group(Group::List)
        .since("2.2.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds items in front of a list that exists.")
        .costs("O(N) where N is the number of items given.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, many(ELEMENT)]),
    Row::write("rpushx", -3, rpushx)
        .tells(Tells::Each(KeyEvent::LIST_PUSH_RIGHT))
        .group(Group::List)
        .since("2.2.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds items to the end of a list that exists.")
        .costs("O(N) where N is the number of items given.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[KEY, many(ELEMENT)]),
    Row::write("lpop", -2, lpop)
        .tells(Tells::Each(KeyEvent::LIST_POP_LEFT))
        .group(Group::List)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Takes the first items off a list.")
        .costs("O(N) where N is the number of items taken.")
        .keys(&[Keys::at(1, TAKEN)])
        .args(&[KEY, opt(integer("count").since("6.2.0"))]),
    Row::write("rpop", -2, rpop)
        .tells(Tells::Each(KeyEvent::LIST_POP_RIGHT))
        .group(Group::List)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Takes the last items off a list.")
        .costs("O(N) where N is the number of items taken.")
        .keys(&[Keys::at(1, TAKEN)])
        .args(&[KEY, opt(integer("count").since("6.2.0"))]),
    Row::write("lmpop", -4, lmpop)
        .tells(Tells::By(|args| taken_from(args, 1)))
        .group(Group::List)
        .since("7.0.0")
        .says("Takes items off the first of several lists that has any.")
        .costs("O(N+M) where N is the number of keys and M the number of items taken.")
        .keys(&[Keys::counted(1, TAKEN)])
        .args(&[
            integer("numkeys"),
            many(KEY),
            one_of("where", LEFT_OR_RIGHT),
            opt(integer("count").behind("COUNT")),
        ]),
    Row::write("lmove", 5, lmove)
        .tells(Tells::By(|args| moved(end(args, 3), end(args, 4))))
        .group(Group::List)
        .since("6.2.0")
        .flags(&[Flag::DenyOom])
        .says("Takes an item off one list and adds it to another.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, ADDED_TO)])
        .args(&[
            key("source", 0),
            key("destination", 1),
            one_of("wherefrom", LEFT_OR_RIGHT),
            one_of("whereto", LEFT_OR_RIGHT),
        ]),
    Row::write("rpoplpush", 3, rpoplpush)
        .tells(Tells::By(|_| moved(Ok(End::Back), Ok(End::Front))))
        .group(Group::List)
        .since("1.2.0")
        .flags(&[Flag::DenyOom])
        .deprecated("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")
        .says("Takes the last item off one list and adds it in front of another.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, ADDED_TO)])
        .args(&[key("source", 0), key("destination", 1)]),
    Row::write("lset", 4, lset)
        .tells(Tells::Each(KeyEvent::LIST_SET))
        .group(Group::List)
        .since("1.0.0")
        .flags(&[Flag::DenyOom])
        .says("Replaces the item at an index of a list.")
        .costs("O(N) where N is the number of blocks before the index; O(1) at either end.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[KEY, integer("index"), ELEMENT]),
    Row::write("linsert", 5, linsert)
        .reaches(Reach::Values)
        .tells(Tells::Each(KeyEvent::LIST_INSERT))
        .group(Group::List)
        .since("2.2.0")
        .flags(&[Flag::DenyOom])
        .says("Adds an item beside another one of a list.")
        .costs("O(N) where N is the number of items before the one that is looked for.")
        .keys(&[Keys::at(1, ADDED_TO)])
        .args(&[
            KEY,
            one_of("where", &[word("BEFORE"), word("AFTER")]),
            string("pivot"),
            ELEMENT,
        ]),
    Row::write("lrem", 4, lrem)
        .reaches(Reach::Values)
        .tells(Tells::Each(KeyEvent::LIST_REM))
        .group(Group::List)
        .since("1.0.0")
        .says("Removes items with a given text from a list.")
        .costs("O(N) where N is the number of items in the list.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, integer("count"), ELEMENT]),
    Row::write("ltrim", 4, ltrim)
        .tells(Tells::Each(KeyEvent::LIST_TRIM))
        .group(Group::List)
        .since("1.0.0")
        .says("Keeps a range of a list and removes the rest.")
        .costs("O(N) where N is the number of blocks removed, which are freed later.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, integer("start"), integer("stop")]),
    Row::read("llen", 2, llen)
        .group(Group::List)
        .since("1.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the number of items in a list.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("lindex", 3, lindex)
        .group(Group::List)
        .since("1.0.0")
        .says("Returns the item at an index of a list.")
        .costs("O(N) where N is the number of blocks before the index; O(1) at either end.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, integer("index")]),
    Row::read("lrange", 4, lrange)
        .group(Group::List)
        .since("1.0.0")
        .says("A range of the items in a list.")
        .costs("O(N) where N is the number of items answered.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, integer("start"), integer("stop")]),
    Row::read("lpos", -3, lpos)
        .reaches(Reach::Values)
        .group(Group::List)
        .since("6.0.6")
        .says("Returns the indexes of items with a given text in a list.")
        .costs("O(N) where N is the number of items looked at.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            ELEMENT,
            opt(integer("rank").behind("RANK")),
            opt(integer("num-matches").behind("COUNT")),
            opt(integer("len").behind("MAXLEN")),
        ]),
];

/// The end that an argument names.
pub(super) fn end(args: Args<'_>, place: usize) -> Result<End, Error> {
    if args.is(place, "left") {
        Ok(End::Front)
    } else if args.is(place, "right") {
        Ok(End::Back)
    } else {
        Err(Error::SYNTAX)
    }
}

/// The place of an index, counted from the end if it is negative, in a list of `len` items; it may
/// lie outside.
fn place_of(index: i64, len: usize) -> i64 {
    if index < 0 {
        index.saturating_add(len as i64)
    } else {
        index
    }
}

/// The items between two indexes, both included, of a list of `len` items.
fn range(args: Args<'_>) -> Result<impl Fn(usize) -> (usize, usize), Error> {
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    Ok(move |len: usize| {
        let start = place_of(start, len).max(0);
        let end = place_of(stop, len).saturating_add(1).clamp(0, len as i64);
        (start.min(end) as usize, end as usize)
    })
}

/// How many items LPUSH and RPUSH bring.
fn items_pushed(args: Args<'_>) -> usize {
    args.len().saturating_sub(2)
}

/// The event of items that are taken off this end of a list.
fn taken(end: End) -> KeyEvent {
    match end {
        End::Front => KeyEvent::LIST_POP_LEFT,
        End::Back => KeyEvent::LIST_POP_RIGHT,
    }
}

/// The events of LMPOP, in which the number of keys stands at `place`.
pub(super) fn taken_from(args: Args<'_>, place: usize) -> Tells {
    several(args, place).map_or(Tells::Nothing, |several| Tells::Each(taken(several.end)))
}

/// The events of an item that is moved from one end to another: it comes before it goes.
pub(super) fn moved(from: Result<End, Error>, to: Result<End, Error>) -> Tells {
    match (from, to) {
        (Ok(from), Ok(End::Front)) => Tells::InTurn(KeyEvent::LIST_PUSH_LEFT, taken(from)),
        (Ok(from), Ok(End::Back)) => Tells::InTurn(KeyEvent::LIST_PUSH_RIGHT, taken(from)),
        _ => Tells::Nothing,
    }
}

fn push(change: &mut Change<'_>, args: Args<'_>, end: End) -> Outcome {
    let mut list = change.store.list_or_new(change.db, args.at(1), change.at)?;
    for place in change.pace.from(2)..args.len() as u64 {
        let item = args.at(place as usize);
        change.pace.step(place, 1 + item.len() / BYTES_PER_WORK)?;
        list.push(item, end);
    }
    change.reply.integer(list.len() as i64);
    Ok(())
}

fn lpush(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    push(change, args, End::Front)
}

fn rpush(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    push(change, args, End::Back)
}

fn push_to_present(change: &mut Change<'_>, args: Args<'_>, end: End) -> Outcome {
    if change
        .store
        .list(change.db, args.at(1), change.at)?
        .is_some()
    {
        return push(change, args, end);
    }
    change.reply.integer(0);
    Ok(())
}

fn lpushx(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    push_to_present(change, args, End::Front)
}

fn rpushx(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    push_to_present(change, args, End::Back)
}

/// Takes up to `count` items off one end of a list and answers them as an array.
fn pop_many(change: &mut Change<'_>, key: &[u8], count: u64, end: End) -> Outcome {
    let Some(mut list) = change.store.list_mut(change.db, key, change.at)? else {
        return Ok(());
    };
    // What was taken before counts for the length too, but is not there any more.
    let left = (count - change.pace.from(0)).min(list.len() as u64);
    if !change.pace.is_cut() {
        change.reply.array(left as usize);
    }
    for taken in change.pace.from(0)..change.pace.from(0) + left {
        change.pace.step(taken, 1)?;
        let item = list.read().and_then(|list| list.at(end));
        change.pace.pay(item.map_or(0, Text::len) / BYTES_PER_WORK);
        answer(&mut change.reply, item);
        list.pop(end);
    }
    Ok(())
}

fn pop(change: &mut Change<'_>, args: Args<'_>, end: End, name: &str) -> Outcome {
    if args.len() > 3 {
        return Err(Error::arity(name));
    }
    let count = match args.get(2) {
        None => None,
        Some(_) => Some(args.at_least(2, 0, Error::MUST_BE_POSITIVE)?),
    };
    let Some(mut list) = change.store.list_mut(change.db, args.at(1), change.at)? else {
        match count {
            None => change.reply.null(),
            Some(_) => change.reply.null_array(),
        }
        return Ok(());
    };
    if let Some(count) = count {
        return pop_many(change, args.at(1), count, end);
    }
    answer(&mut change.reply, list.read().and_then(|list| list.at(end)));
    list.pop(end);
    Ok(())
}

fn lpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, End::Front, "lpop")
}

fn rpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, End::Back, "rpop")
}

/// The request of LMPOP, in which the number of keys stands at `place`.
pub(super) fn several(args: Args<'_>, place: usize) -> Result<Several<End>, Error> {
    Several::read(args, place, end)
}

/// Takes items off the first list that has any; false where none has, which is answered too.
pub(super) fn pop_several(
    change: &mut Change<'_>,
    args: Args<'_>,
    several: Several<End>,
) -> Result<bool, Error> {
    let has_any = |change: &Change<'_>, key: &[u8]| {
        let list = change.store.list(change.db, key, change.at)?;
        Ok(list.is_some())
    };
    several.take(change, args, has_any, pop_many)
}

fn lmpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let several = several(args, 1)?;
    pop_several(change, args, several)?;
    Ok(())
}

fn lmove(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (end(args, 3)?, end(args, 4)?);
    move_item(change, args, from, to)
}

fn rpoplpush(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    move_item(change, args, End::Back, End::Front)
}

pub(super) fn move_item(change: &mut Change<'_>, args: Args<'_>, from: End, to: End) -> Outcome {
    let (source, target) = (args.at(1), args.at(2));
    let (db, at) = (change.db, change.at);
    let Some(list) = change.store.list(db, source, at)? else {
        change.reply.null();
        return Ok(());
    };
    change.store.list(db, target, at)?;
    let item = list.at(from);
    answer(&mut change.reply, item);
    let item = item.map(Text::to_vec).unwrap_or_default();
    // The item is added before it is taken, so that a list of one item that is its own target
    // remains, with its time to live.
    change.store.list_or_new(db, target, at)?.push(&item, to);
    if let Some(mut list) = change.store.list_mut(db, source, at)? {
        list.pop(from);
    }
    Ok(())
}

fn lset(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let Some(mut list) = change.store.list_mut(change.db, args.at(1), change.at)? else {
        return Err(Error::NO_SUCH_KEY);
    };
    let place = usize::try_from(place_of(args.integer(2)?, list.len()));
    if !place.is_ok_and(|place| list.set(place, args.at(3))) {
        return Err(Error::INDEX_OUT_OF_RANGE);
    }
    change.reply.ok();
    Ok(())
}

fn ltrim(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let range = range(args)?;
    if let Some(mut list) = change.store.list_mut(change.db, args.at(1), change.at)? {
        let (start, end) = range(list.len());
        list.trim(start, end);
    }
    change.reply.ok();
    Ok(())
}

fn llen(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let len = list_at(query, args.at(1))?.map_or(0, List::len);
    query.reply.integer(len as i64);
    Ok(())
}

fn lindex(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let item = match list_at(query, args.at(1))? {
        None => None,
        Some(list) => {
            let place = usize::try_from(place_of(args.integer(2)?, list.len()));
            place.ok().and_then(|place| list.get(place))
        }
    };
    answer(&mut query.reply, item);
    Ok(())
}

fn lrange(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let range = range(args)?;
    let Some(list) = list_at(query, args.at(1))? else {
        query.reply.array(0);
        return Ok(());
    };
    let (start, end) = range(list.len());
    if !query.pace.is_cut() {
        query.reply.array(end - start);
    }
    let first = query.pace.from(start as u64);
    if first < end as u64 {
        for (place, item) in (first..end as u64).zip(list.walk(first as usize, End::Back)) {
            query.pace.step(place, 1 + item.len() / BYTES_PER_WORK)?;
            answer(&mut query.reply, Some(item));
        }
    }
    Ok(())
}
