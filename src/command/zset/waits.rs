//! Sorted sets: BZPOPMIN, BZPOPMAX and BZMPOP, whose clients wait for a member.

use super::members::{answer_member, pop_several, several, taken_from};
use crate::command::args::Args;
use crate::command::context::Change;
use crate::command::error::{Error, Outcome};
use crate::command::event::{KeyEvent, Tells};
use crate::command::flag::Flag;
use crate::command::grammar::{KEY, double, integer, many, one_of, opt, word};
use crate::command::group::Group;
use crate::command::key::{Keys, TAKEN};
use crate::command::row::Row;
use crate::command::wait::{Awaited, Wait, taken};

pub(in crate::command) const ROWS: &[Row] = &[
    Row::write("bzpopmin", -3, bzpopmin)
        .tells(Tells::Each(KeyEvent::ZSET_POP_MIN))
        .group(Group::SortedSet)
        .since("5.0.0")
        .flags(&[Flag::NoScript, Flag::Blocking, Flag::Fast])
        .says(
            "Takes the member with the lowest score off the first of several sorted sets that has \
             any, or waits for one.",
        )
        .costs("O(log(N)) where N is the number of members of the set.")
        .keys(&[Keys::range(1, -2, 1, TAKEN)])
        .args(&[many(KEY), double("timeout")])
        .waits(wait_of_pop),
    Row::write("bzpopmax", -3, bzpopmax)
        .tells(Tells::Each(KeyEvent::ZSET_POP_MAX))
        .group(Group::SortedSet)
        .since("5.0.0")
        .flags(&[Flag::NoScript, Flag::Blocking, Flag::Fast])
        .says(
            "Takes the member with the highest score off the first of several sorted sets that has \
             any, or waits for one.",
        )
        .costs("O(log(N)) where N is the number of members of the set.")
        .keys(&[Keys::range(1, -2, 1, TAKEN)])
        .args(&[many(KEY), double("timeout")])
        .waits(wait_of_pop),
    Row::write("bzmpop", -5, bzmpop)
        .tells(Tells::By(|args| taken_from(args, 2)))
        .group(Group::SortedSet)
        .since("7.0.0")
        .flags(&[Flag::Blocking])
        .says("Takes members off the first of several sorted sets that has any, or waits for some.")
        .costs("O(K) + O(N*log(M)) where K is the number of keys, N that of members taken.")
        .keys(&[Keys::counted(2, TAKEN)])
        .args(&[
            double("timeout"),
            integer("numkeys"),
            many(KEY),
            one_of("where", &[word("MIN"), word("MAX")]),
            opt(integer("count").behind("COUNT")),
        ])
        .waits(wait_of_several),
];

fn wait_of_pop(args: Args<'_>) -> Result<Wait, Error> {
    Wait::for_one(Awaited::SortedSet, args)
}

fn wait_of_several(args: Args<'_>) -> Result<Wait, Error> {
    let takes = several(args, 2)?.count;
    Wait::for_several(Awaited::SortedSet, args, takes)
}

fn pop(change: &mut Change<'_>, args: Args<'_>, highest: bool) -> Outcome {
    wait_of_pop(args)?;
    for place in 1..args.len() - 1 {
        let key = args.at(place);
        if let Some(mut zset) = change.store.zset_mut(change.db, key, change.at)? {
            change.reply.array(3);
            change.reply.bulk(key);
            let rank = if highest { zset.len() - 1 } else { 0 };
            if let Some((member, own)) = zset.remove_at(rank) {
                answer_member(&mut change.reply, (&member, own), true, false);
            }
            return Ok(());
        }
    }
    change.reply.null_array();
    Err(Error::Nothing)
}

fn bzpopmin(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, false)
}

fn bzpopmax(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, true)
}

fn bzmpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let several = several(args, 2)?;
    Wait::for_several(Awaited::SortedSet, args, several.count)?;
    taken(pop_several(change, args, several)?)
}
