//! Places on Earth as scores of sorted sets: added, looked up, and searched for.

mod answer;
pub(super) mod hash;
mod search;
pub(super) mod shape;
mod words;

use alloc::collections::BTreeSet;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{Arg, KEY, block, double, integer, key, many, one_of, opt, string, word};
use super::group::Group;
use super::key::{Keys, READ, REPLACED, UPDATED};
use super::reach::Reach;
use super::row::Row;
use super::zset::{Conditions, Given, add_all};
use crate::resp::reply::Reply;
use crate::store::Value;
use answer::{answer_distance, answer_place};
use hash::Point;
pub(super) use search::looks_at;
use search::{
    georadius, georadius_ro, georadiusbymember, georadiusbymember_ro, geosearch, geosearchstore,
};
use words::{read_place, read_unit};

const MEMBER: Arg = string("member");
const LONGITUDE: Arg = double("longitude");
const LATITUDE: Arg = double("latitude");
const RADIUS: Arg = double("radius");
const UNIT: Arg = one_of("unit", &[word("M"), word("KM"), word("FT"), word("MI")]);
const ORDER: Arg = opt(one_of("order", &[word("ASC"), word("DESC")]));
const WITH_COORD: Arg = opt(word("WITHCOORD"));
const WITH_DIST: Arg = opt(word("WITHDIST"));
const WITH_HASH: Arg = opt(word("WITHHASH"));
const COUNT: Arg = opt(block(
    "count",
    &[integer("count").behind("COUNT"), opt(word("ANY"))],
));
const COUNT_OF_RADIUS: Arg = opt(block(
    "count",
    &[
        integer("count").behind("COUNT"),
        opt(word("ANY").since("6.2.0")),
    ],
));
const FROM: Arg = one_of(
    "from",
    &[
        MEMBER.behind("FROMMEMBER"),
        block("longitude_latitude", &[LONGITUDE, LATITUDE]).behind("FROMLONLAT"),
    ],
);
const BY: Arg = one_of(
    "by",
    &[
        block("circle", &[RADIUS.behind("BYRADIUS"), UNIT]),
        block(
            "box",
            &[double("width").behind("BYBOX"), double("height"), UNIT],
        ),
    ],
);
const STORE: Arg = opt(key("storekey", 1).behind("STORE"));
const STORE_DIST: Arg = opt(key("storedistkey", 2).behind("STOREDIST"));
const COSTS_OF_SEARCH: &str = "O(N+log(M)) where N is the number of members in the areas that \
                               cover what is searched, and M that of the set; those found are \
                               sorted if an order is wanted.";

pub(super) const ROWS: &[Row] = &[
    Row::write("geoadd", -5, geoadd)
        .tells(Tells::Each(KeyEvent::ZSET_ADD))
        .group(Group::Geo)
        .since("3.2.0")
        .flags(&[Flag::DenyOom])
        .says("Gives members of a sorted set their places on Earth.")
        .costs("O(N*log(M)) where N is the number of members given and M that of the set.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[
            KEY,
            opt(one_of("condition", &[word("NX"), word("XX")]).since("6.2.0")),
            opt(word("CH").since("6.2.0")),
            many(block("data", &[LONGITUDE, LATITUDE, MEMBER])),
        ])
        .adds(members_added),
    Row::read("geopos", -2, geopos)
        .group(Group::Geo)
        .since("3.2.0")
        .says("Returns the places of members.")
        .costs("O(N) where N is the number of members given.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, opt(many(MEMBER))]),
    Row::read("geodist", -4, geodist)
        .group(Group::Geo)
        .since("3.2.0")
        .says("Returns the distance of two members.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, string("member1"), string("member2"), opt(UNIT)]),
    Row::read("geohash", -2, geohash)
        .group(Group::Geo)
        .since("3.2.0")
        .says("Returns the places of members as geohashes of eleven letters.")
        .costs("O(N) where N is the number of members given.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, opt(many(MEMBER))]),
    Row::read("geosearch", -7, geosearch)
        .reaches(Reach::Area)
        .group(Group::Geo)
        .since("6.2.0")
        .says("Returns the members in a circle or a box on Earth.")
        .costs(COSTS_OF_SEARCH)
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY, FROM, BY, ORDER, COUNT, WITH_COORD, WITH_DIST, WITH_HASH,
        ]),
    Row::write("geosearchstore", -8, geosearchstore)
        .reaches(Reach::Area)
        .tells(Tells::Kept(&[KeyEvent::GEO_SEARCH_STORE]))
        .group(Group::Geo)
        .since("6.2.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the members in a circle or a box on Earth under another key.")
        .costs(COSTS_OF_SEARCH)
        .keys(&[Keys::at(1, REPLACED), Keys::at(2, READ)])
        .args(&[
            key("destination", 0),
            key("source", 1),
            FROM,
            BY,
            ORDER,
            COUNT,
            opt(word("STOREDIST")),
        ]),
    Row::write("georadius", -6, georadius)
        .reaches(Reach::Area)
        .tells(Tells::Kept(&[KeyEvent::GEO_RADIUS_STORE]))
        .group(Group::Geo)
        .since("3.2.0")
        .flags(&[Flag::DenyOom])
        .counts_lookups()
        .deprecated(
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        )
        .says("Returns or stores the members in a circle. It is a write either way.")
        .costs(COSTS_OF_SEARCH)
        .keys(&[
            Keys::at(1, READ),
            Keys::after("STORE", 6, 1, REPLACED),
            Keys::after("STOREDIST", 6, 1, REPLACED),
        ])
        .args(&[
            KEY,
            LONGITUDE,
            LATITUDE,
            RADIUS,
            UNIT,
            WITH_COORD,
            WITH_DIST,
            WITH_HASH,
            COUNT_OF_RADIUS,
            ORDER,
            STORE,
            STORE_DIST,
        ]),
    Row::read("georadius_ro", -6, georadius_ro)
        .reaches(Reach::Area)
        .group(Group::Geo)
        .since("3.2.10")
        .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")
        .says("Returns the members in a circle.")
        .costs(COSTS_OF_SEARCH)
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            LONGITUDE,
            LATITUDE,
            RADIUS,
            UNIT,
            WITH_COORD,
            WITH_DIST,
            WITH_HASH,
            COUNT_OF_RADIUS,
            ORDER,
        ]),
    Row::write("georadiusbymember", -5, georadiusbymember)
        .reaches(Reach::Area)
        .tells(Tells::Kept(&[KeyEvent::GEO_RADIUS_STORE]))
        .group(Group::Geo)
        .since("3.2.0")
        .flags(&[Flag::DenyOom])
        .counts_lookups()
        .deprecated(
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )
        .says("Returns or stores the members in a circle about one. It is a write either way.")
        .costs(COSTS_OF_SEARCH)
        .keys(&[
            Keys::at(1, READ),
            Keys::after("STORE", 5, 1, REPLACED),
            Keys::after("STOREDIST", 5, 1, REPLACED),
        ])
        .args(&[
            KEY, MEMBER, RADIUS, UNIT, WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER, STORE,
            STORE_DIST,
        ]),
    Row::read("georadiusbymember_ro", -5, georadiusbymember_ro)
        .reaches(Reach::Area)
        .group(Group::Geo)
        .since("3.2.10")
        .deprecated(
            "6.2.0",
            "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )
        .says("Returns the members in a circle about one.")
        .costs(COSTS_OF_SEARCH)
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY, MEMBER, RADIUS, UNIT, WITH_COORD, WITH_DIST, WITH_HASH, COUNT, ORDER,
        ]),
];

/// The score that the place at an argument is.
fn score_at(args: Args<'_>, at: usize) -> Result<f64, Error> {
    Ok(hash::score(read_place(args, at)?))
}

/// The conditions of GEOADD, and where its places begin.
fn given(args: Args<'_>) -> Result<(Conditions, Given), Error> {
    let (mut conditions, mut first) = (Conditions::default(), 2);
    loop {
        match () {
            () if args.is(first, "nx") => conditions.absent = true,
            () if args.is(first, "xx") => conditions.present = true,
            () if args.is(first, "ch") => conditions.changed = true,
            () => break,
        }
        first += 1;
    }
    let words = args.len().saturating_sub(first);
    if words == 0 || !words.is_multiple_of(3) || conditions.absent && conditions.present {
        return Err(Error::SYNTAX);
    }
    let given = Given {
        first,
        words: 3,
        score: score_at,
    };
    Ok((conditions, given))
}

/// How many members GEOADD certainly adds to a set that is not there.
fn members_added(args: Args<'_>) -> usize {
    let Ok((conditions, given)) = given(args) else {
        return 0;
    };
    let mut members = BTreeSet::new();
    for place in (given.first..args.len()).step_by(3) {
        if conditions.present || score_at(args, place).is_err() {
            return 0;
        }
        members.insert(args.at(place + 2));
    }
    members.len()
}

fn geoadd(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (conditions, given) = given(args)?;
    add_all(change, args, conditions, given)?;
    change.reply.integer(change.pace.count);
    Ok(())
}

/// Answers something of the place of each member that is given.
fn each_place(
    query: &mut Query<'_>,
    args: Args<'_>,
    answer: fn(&mut Reply<'_>, Option<Point>),
) -> Outcome {
    let zset = query.get_as(args.at(1), Value::as_zset)?;
    if !query.pace.is_cut() {
        query.reply.array(args.len() - 2);
    }
    for at in query.pace.from(2)..args.len() as u64 {
        query.pace.step(at, 1)?;
        let score = zset.and_then(|zset| zset.score(args.at(at as usize)));
        answer(&mut query.reply, score.map(hash::place));
    }
    Ok(())
}

fn geopos(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    each_place(query, args, |reply, place| match place {
        Some(place) => answer_place(reply, place),
        None => reply.null_array(),
    })
}

fn geohash(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    each_place(query, args, |reply, place| match place {
        Some(place) => reply.bulk(&hash::letters(place)),
        None => reply.null(),
    })
}

fn geodist(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let unit_m = match args.len() {
        4 => 1.0,
        5 => read_unit(args, 4)?,
        _ => return Err(Error::SYNTAX),
    };
    let zset = query.get_as(args.at(1), Value::as_zset)?;
    let place = |at: usize| {
        zset.and_then(|zset| zset.score(args.at(at)))
            .map(hash::place)
    };
    match place(2).zip(place(3)) {
        Some((one, other)) => {
            answer_distance(&mut query.reply, shape::distance(one, other) / unit_m);
        }
        None => query.reply.null(),
    }
    Ok(())
}
