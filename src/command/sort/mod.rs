//! SORT and SORT_RO: the items of a list, a set or a sorted set in another order, or others in
//! their place.

mod words;
mod work;

use super::args::Args;
use super::context::{Change, Query};
use super::error::Outcome;
use super::event::{KeyEvent, Tells};
use super::flag::{Category, Flag};
use super::grammar::{Arg, KEY, block, integer, key, key_pattern, many, one_of, opt, word};
use super::group::Group;
use super::key::{Keys, READ, REPLACED};
use super::pace::Kept;
use super::reach::Reach;
use super::row::Row;

use super::sorting::Sorting;
use words::store_place;
use work::Look;

const BY: Arg = opt(key_pattern("by-pattern", 1).shown("pattern").behind("BY"));
const LIMIT: Arg = opt(block("limit", &[integer("offset"), integer("count")]).behind("LIMIT"));
const GET: Arg =
    opt(many(key_pattern("get-pattern", 1).shown("pattern").behind("GET")).each_behind());
const ORDER: Arg = opt(one_of("order", &[word("ASC"), word("DESC")]));
const ALPHA: Arg = opt(word("ALPHA"));

/// The keys that patterns make of items: no request names them.
const BY_PATTERN: Keys = Keys::found(|_, _| {}, READ)
    .note("Those of BY and GET: their names are made of the items that are sorted.");

pub(super) const ROWS: &[Row] = &[
    Row::write("sort", -2, sort)
        .reaches(Reach::Sorted)
        .tells(Tells::Kept(&[KeyEvent::SORT_STORE]))
        .group(Group::Generic)
        .since("1.0.0")
        .flags(&[Flag::DenyOom])
        .within(Category::Set)
        .within(Category::SortedSet)
        .within(Category::List)
        .within(Category::Dangerous)
        .counts_lookups()
        .says("Sorts the items of a list, a set or a sorted set, and may store them.")
        .costs(
            "O(N+M*log(M)) where N is the number of items, and M that of those that are sorted. \
             It is a write, stored or not: SORT_RO is not.",
        )
        .keys(&[
            Keys::at(1, READ),
            BY_PATTERN,
            Keys::found(
                |args, take| store_place(args).into_iter().for_each(take),
                REPLACED,
            )
            .note("That of STORE, which may stand anywhere among the words."),
        ])
        .args(&[
            KEY,
            BY,
            LIMIT,
            GET,
            ORDER,
            ALPHA,
            opt(key("destination", 2).behind("STORE")),
        ]),
    Row::read("sort_ro", -2, sort_ro)
        .reaches(Reach::Sorted)
        .group(Group::Generic)
        .since("7.0.0")
        .within(Category::Set)
        .within(Category::SortedSet)
        .within(Category::List)
        .within(Category::Dangerous)
        .says("Sorts the items of a list, a set or a sorted set.")
        .costs("O(N+M*log(M)) where N is the number of items, and M that of those that are sorted.")
        .keys(&[Keys::at(1, READ), BY_PATTERN])
        .args(&[KEY, BY, LIMIT, GET, ORDER, ALPHA]),
];

fn sort(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut sorting = Sorting::of(change.pace);
    let look = Look {
        store: &*change.store,
        db: change.db,
        at: change.at,
        clock: change.at,
    };
    let mut done = sorting.run(change.pace, look, args, true, &mut change.reply);
    if done.is_ok() {
        done = sorting.store(change, args);
    }
    change.pace.keep(Kept::Sorting, done, sorting).map(drop)
}

fn sort_ro(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let mut sorting = Sorting::of(query.pace);
    let look = Look {
        store: query.store,
        db: query.db,
        at: query.at,
        clock: query.clock,
    };
    let done = sorting.run(query.pace, look, args, false, &mut query.reply);
    query.pace.keep(Kept::Sorting, done, sorting).map(drop)
}
