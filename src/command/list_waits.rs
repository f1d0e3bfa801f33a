//! Lists: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH and BLMPOP, whose clients wait for an item.

use super::args::Args;
use super::context::Change;
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{KEY, double, integer, key, many, one_of, opt};
use super::group::Group;
use super::key::{ADDED_TO, Keys, TAKEN};
use super::lists::{LEFT_OR_RIGHT, end, move_item, moved, pop_several, several, taken_from};
use super::row::Row;
use super::strings::answer;
use super::wait::{Awaited, Wait, taken};
use crate::store::End;

pub(super) const ROWS: &[Row] = &[
    Row::write("blpop", -3, blpop)
        .tells(Tells::Each(KeyEvent::LIST_POP_LEFT))
        .group(Group::List)
        .since("2.0.0")
        .flags(&[Flag::NoScript, Flag::Blocking])
        .says("Takes the first item off the first of several lists that has any, or waits for one.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::range(1, -2, 1, TAKEN)])
        .args(&[many(KEY), double("timeout")])
        .waits(wait_of_pop),
    Row::write("brpop", -3, brpop)
        .tells(Tells::Each(KeyEvent::LIST_POP_RIGHT))
        .group(Group::List)
        .since("2.0.0")
        .flags(&[Flag::NoScript, Flag::Blocking])
        .says("Takes the last item off the first of several lists that has any, or waits for one.")
        .costs("O(N) where N is the number of keys.")
        .keys(&[Keys::range(1, -2, 1, TAKEN)])
        .args(&[many(KEY), double("timeout")])
        .waits(wait_of_pop),
    Row::write("blmove", 6, blmove)
        .tells(Tells::By(|args| moved(end(args, 3), end(args, 4))))
        .group(Group::List)
        .since("6.2.0")
        .flags(&[Flag::DenyOom, Flag::NoScript, Flag::Blocking])
        .says("Takes an item off one list and adds it to another, or waits for one.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, ADDED_TO)])
        .args(&[
            key("source", 0),
            key("destination", 1),
            one_of("wherefrom", LEFT_OR_RIGHT),
            one_of("whereto", LEFT_OR_RIGHT),
            double("timeout"),
        ])
        .waits(wait_of_move),
    Row::write("brpoplpush", 4, brpoplpush)
        .tells(Tells::By(|_| moved(Ok(End::Back), Ok(End::Front))))
        .group(Group::List)
        .since("2.2.0")
        .flags(&[Flag::DenyOom, Flag::NoScript, Flag::Blocking])
        .deprecated("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")
        .says("Takes the last item off one list and adds it in front of another, or waits for one.")
        .keys(&[Keys::at(1, TAKEN), Keys::at(2, ADDED_TO)])
        .args(&[key("source", 0), key("destination", 1), double("timeout")])
        .waits(wait_of_move),
    Row::write("blmpop", -5, blmpop)
        .tells(Tells::By(|args| taken_from(args, 2)))
        .group(Group::List)
        .since("7.0.0")
        .flags(&[Flag::Blocking])
        .says("Takes items off the first of several lists that has any, or waits for some.")
        .costs("O(N+M) where N is the number of keys and M the number of items taken.")
        .keys(&[Keys::counted(2, TAKEN)])
        .args(&[
            double("timeout"),
            integer("numkeys"),
            many(KEY),
            one_of("where", LEFT_OR_RIGHT),
            opt(integer("count").behind("COUNT")),
        ])
        .waits(wait_of_several),
];

fn wait_of_pop(args: Args<'_>) -> Result<Wait, Error> {
    Wait::for_one(Awaited::List, args)
}

fn wait_of_move(args: Args<'_>) -> Result<Wait, Error> {
    if args.len() == 6 {
        end(args, 3)?;
        end(args, 4)?;
    }
    wait_of_pop(args)
}

fn wait_of_several(args: Args<'_>) -> Result<Wait, Error> {
    let takes = several(args, 2)?.count;
    Wait::for_several(Awaited::List, args, takes)
}

fn pop(change: &mut Change<'_>, args: Args<'_>, end: End) -> Outcome {
    wait_of_pop(args)?;
    for place in 1..args.len() - 1 {
        let key = args.at(place);
        if let Some(mut list) = change.store.list_mut(change.db, key, change.at)? {
            change.reply.array(2);
            change.reply.bulk(key);
            answer(&mut change.reply, list.read().and_then(|list| list.at(end)));
            list.pop(end);
            return Ok(());
        }
    }
    change.reply.null_array();
    Err(Error::Nothing)
}

fn blpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, End::Front)
}

fn brpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, End::Back)
}

fn wait_and_move(change: &mut Change<'_>, args: Args<'_>, from: End, to: End) -> Outcome {
    wait_of_move(args)?;
    let source = change.store.list(change.db, args.at(1), change.at)?;
    let is_there = source.is_some();
    move_item(change, args, from, to)?;
    taken(is_there)
}

fn blmove(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (end(args, 3)?, end(args, 4)?);
    wait_and_move(change, args, from, to)
}

fn brpoplpush(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    wait_and_move(change, args, End::Back, End::Front)
}

fn blmpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let several = several(args, 2)?;
    Wait::for_several(Awaited::List, args, several.count)?;
    taken(pop_several(change, args, several)?)
}
