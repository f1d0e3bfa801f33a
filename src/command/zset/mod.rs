//! Sorted sets: the commands whose names begin with Z.

#![allow(clippy::float_cmp, reason = "scores are equal or they are not")]

mod combine;
mod hex;
mod making;
mod members;
mod range;
pub(super) mod score;
mod waits;

use self::combine::{zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore};
pub(super) use self::members::{Conditions, Given, add_all};
pub(super) use self::waits::ROWS as WAITS;

use self::members::{
    added_or_incremented, member_incremented, members_added, taken_from, zadd, zcard, zincrby,
    zmpop, zmscore, zpopmax, zpopmin, zrandmember, zrank, zrem, zrevrank, zscan, zscore,
};
use self::range::{
    zcount, zlexcount, zrange, zrangebylex, zrangebyscore, zrangestore, zremrangebylex,
    zremrangebyrank, zremrangebyscore, zrevrange, zrevrangebylex, zrevrangebyscore,
};
use super::event::{KeyEvent, Tells};
use super::flag::Flag;
use super::grammar::{
    Arg, KEY, block, double, integer, key, many, one_of, opt, pattern, string, word,
};
use super::group::Group;
use super::key::{CHANGED, CUT, Keys, LOOKED_AT, READ, REPLACED, TAKEN, UPDATED};
use super::reach::Reach;
use super::row::Row;
use super::tip;

const MEMBER: Arg = string("member");
const WITH_SCORES: Arg = opt(word("WITHSCORES"));
const LIMIT: Arg = opt(block("limit", &[integer("offset"), integer("count")]).behind("LIMIT"));
const SORT_BY: Arg = opt(one_of("sortby", &[word("BYSCORE"), word("BYLEX")]).since("6.2.0"));
const REV: Arg = opt(word("REV").since("6.2.0"));
const COUNT: Arg = opt(integer("count").behind("COUNT"));
const WEIGHTS: Arg = opt(many(integer("weight").behind("WEIGHTS")));
const AGGREGATE: Arg =
    opt(one_of("aggregate", &[word("SUM"), word("MIN"), word("MAX")]).behind("AGGREGATE"));

pub(super) const ROWS: &[Row] = &[
    Row::write("zadd", -4, zadd)
        .tells(Tells::By(added_or_incremented))
        .group(Group::SortedSet)
        .since("1.2.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Gives members of a sorted set their scores.")
        .costs("O(N*log(M)) where N is the number of members given and M that of the set.")
        .keys(&[Keys::at(1, UPDATED)])
        .args(&[
            KEY,
            opt(one_of("condition", &[word("NX"), word("XX")]).since("3.0.2")),
            opt(one_of("comparison", &[word("GT"), word("LT")]).since("6.2.0")),
            opt(word("CH").since("3.0.2")),
            opt(word("INCR").since("3.0.2")),
            many(block("data", &[double("score"), MEMBER])),
        ])
        .adds(members_added),
    Row::write("zincrby", 4, zincrby)
        .tells(Tells::Each(KeyEvent::ZSET_INCR))
        .group(Group::SortedSet)
        .since("1.2.0")
        .flags(&[Flag::DenyOom, Flag::Fast])
        .says("Adds to the score of a member.")
        .costs("O(log(M)) where M is the number of members of the set.")
        .keys(&[Keys::at(1, CHANGED)])
        .args(&[KEY, integer("increment"), MEMBER])
        .adds(member_incremented),
    Row::write("zrem", -3, zrem)
        .tells(Tells::Each(KeyEvent::ZSET_REM))
        .group(Group::SortedSet)
        .since("1.2.0")
        .flags(&[Flag::Fast])
        .says("Removes members of a sorted set.")
        .costs("O(N*log(M)) where N is the number of members given and M that of the set.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, many(MEMBER)]),
    Row::write("zremrangebyrank", 4, zremrangebyrank)
        .reaches(Reach::Counted)
        .tells(Tells::Each(KeyEvent::ZSET_REM_BY_RANK))
        .group(Group::SortedSet)
        .since("2.0.0")
        .says("Removes the members between two ranks.")
        .costs("O(N*log(M)) where N is the number of members removed and M that of the set.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, integer("start"), integer("stop")]),
    Row::write("zremrangebyscore", 4, zremrangebyscore)
        .reaches(Reach::Counted)
        .tells(Tells::Each(KeyEvent::ZSET_REM_BY_SCORE))
        .group(Group::SortedSet)
        .since("1.2.0")
        .says("Removes the members between two scores.")
        .costs("O(N*log(M)) where N is the number of members removed and M that of the set.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, double("min"), double("max")]),
    Row::write("zremrangebylex", 4, zremrangebylex)
        .reaches(Reach::Counted)
        .tells(Tells::Each(KeyEvent::ZSET_REM_BY_LEX))
        .group(Group::SortedSet)
        .since("2.8.9")
        .says("Removes the members between two others, if all scores are equal.")
        .costs("O(N*log(M)) where N is the number of members removed and M that of the set.")
        .keys(&[Keys::at(1, CUT)])
        .args(&[KEY, string("min"), string("max")]),
    Row::write("zpopmin", -2, zpopmin)
        .tells(Tells::Each(KeyEvent::ZSET_POP_MIN))
        .group(Group::SortedSet)
        .since("5.0.0")
        .flags(&[Flag::Fast])
        .says("Takes the members with the lowest scores off a sorted set.")
        .costs("O(N*log(M)) where N is the number of members taken and M that of the set.")
        .keys(&[Keys::at(1, TAKEN)])
        .args(&[KEY, opt(integer("count"))]),
    Row::write("zpopmax", -2, zpopmax)
        .tells(Tells::Each(KeyEvent::ZSET_POP_MAX))
        .group(Group::SortedSet)
        .since("5.0.0")
        .flags(&[Flag::Fast])
        .says("Takes the members with the highest scores off a sorted set.")
        .costs("O(N*log(M)) where N is the number of members taken and M that of the set.")
        .keys(&[Keys::at(1, TAKEN)])
        .args(&[KEY, opt(integer("count"))]),
    Row::write("zmpop", -4, zmpop)
        .tells(Tells::By(|args| taken_from(args, 1)))
        .group(Group::SortedSet)
        .since("7.0.0")
        .says("Takes members off the first of several sorted sets that has any.")
        .costs("O(K) + O(N*log(M)) where K is the number of keys, N that of members taken.")
        .keys(&[Keys::counted(1, TAKEN)])
        .args(&[
            integer("numkeys"),
            many(KEY),
            one_of("where", &[word("MIN"), word("MAX")]),
            COUNT,
        ]),
    Row::write("zrangestore", -5, zrangestore)
        .reaches(Reach::Counted)
        .tells(Tells::Kept(&[KeyEvent::ZSET_RANGE_STORE]))
        .group(Group::SortedSet)
        .since("6.2.0")
        .flags(&[Flag::DenyOom])
        .says("Stores a range of a sorted set under another key.")
        .costs("O(log(N)+M) where N is the number of members of the set and M that of the range.")
        .keys(&[Keys::at(1, REPLACED), Keys::at(2, READ)])
        .args(&[
            key("dst", 0),
            key("src", 1),
            string("min"),
            string("max"),
            opt(one_of("sortby", &[word("BYSCORE"), word("BYLEX")])),
            opt(word("REV")),
            LIMIT,
        ]),
    Row::write("zunionstore", -4, zunionstore)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::ZSET_UNION_STORE]))
        .group(Group::SortedSet)
        .since("2.0.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the union of sorted sets.")
        .costs("O(N)+O(M*log(M)) where N is the number of all members, M that of the result.")
        .keys(&[Keys::at(1, REPLACED), Keys::counted(2, READ)])
        .args(&[
            key("destination", 0),
            integer("numkeys"),
            many(key("key", 1)),
            WEIGHTS,
            AGGREGATE,
        ]),
    Row::write("zinterstore", -4, zinterstore)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::ZSET_INTER_STORE]))
        .group(Group::SortedSet)
        .since("2.0.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the intersection of sorted sets.")
        .costs("O(N*K)+O(M*log(M)) where N is the size of the smallest of K sets, M the result's.")
        .keys(&[Keys::at(1, REPLACED), Keys::counted(2, READ)])
        .args(&[
            key("destination", 0),
            integer("numkeys"),
            many(key("key", 1)),
            WEIGHTS,
            AGGREGATE,
        ]),
    Row::write("zdiffstore", -4, zdiffstore)
        .reaches(Reach::Values)
        .tells(Tells::Kept(&[KeyEvent::ZSET_DIFF_STORE]))
        .group(Group::SortedSet)
        .since("6.2.0")
        .flags(&[Flag::DenyOom])
        .says("Stores the members of a sorted set that others do not have.")
        .costs("O(N*K)+O(M*log(M)) where N is the size of the first of K sets, M the result's.")
        .keys(&[Keys::at(1, REPLACED), Keys::counted(2, READ)])
        .args(&[
            key("destination", 0),
            integer("numkeys"),
            many(key("key", 1)),
        ]),
    Row::read("zcard", 2, zcard)
        .group(Group::SortedSet)
        .since("1.2.0")
        .flags(&[Flag::Fast])
        .says("Returns the number of members of a sorted set.")
        .keys(&[Keys::at(1, LOOKED_AT)])
        .args(&[KEY]),
    Row::read("zscore", 3, zscore)
        .group(Group::SortedSet)
        .since("1.2.0")
        .flags(&[Flag::Fast])
        .says("Returns the score of a member.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, MEMBER]),
    Row::read("zmscore", -3, zmscore)
        .group(Group::SortedSet)
        .since("6.2.0")
        .flags(&[Flag::Fast])
        .says("Returns the scores of members.")
        .costs("O(N) where N is the number of members given.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, many(MEMBER)]),
    Row::read("zrank", -3, zrank)
        .group(Group::SortedSet)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the rank of a member, the lowest score first.")
        .costs("O(log(M)) where M is the number of members of the set.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, MEMBER, opt(word("WITHSCORE").since("7.2.0"))]),
    Row::read("zrevrank", -3, zrevrank)
        .group(Group::SortedSet)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the rank of a member, the highest score first.")
        .costs("O(log(M)) where M is the number of members of the set.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, MEMBER, opt(word("WITHSCORE").since("7.2.0"))]),
    Row::read("zcount", 4, zcount)
        .group(Group::SortedSet)
        .since("2.0.0")
        .flags(&[Flag::Fast])
        .says("Returns the number of members between two scores.")
        .costs("O(log(M)) where M is the number of members of the set.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, double("min"), double("max")]),
    Row::read("zlexcount", 4, zlexcount)
        .group(Group::SortedSet)
        .since("2.8.9")
        .flags(&[Flag::Fast])
        .says("Returns the number of members between two others, if all scores are equal.")
        .costs("O(log(M)) where M is the number of members of the set.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, string("min"), string("max")]),
    Row::read("zrange", -4, zrange)
        .group(Group::SortedSet)
        .since("1.2.0")
        .says("A range of a sorted set, by rank, by score or by member.")
        .costs("O(log(M)+N) where M is the number of members of the set and N that of the range.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            string("start"),
            string("stop"),
            SORT_BY,
            REV,
            opt(block("limit", &[integer("offset"), integer("count")])
                .behind("LIMIT")
                .since("6.2.0")),
            WITH_SCORES,
        ]),
    Row::read("zrevrange", -4, zrevrange)
        .group(Group::SortedSet)
        .since("1.2.0")
        .deprecated("6.2.0", "`ZRANGE` with the `REV` argument")
        .says("A range of a sorted set by rank, the highest score first.")
        .costs("O(log(M)+N) where M is the number of members of the set and N that of the range.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, integer("start"), integer("stop"), WITH_SCORES]),
    Row::read("zrangebyscore", -4, zrangebyscore)
        .group(Group::SortedSet)
        .since("1.0.5")
        .deprecated("6.2.0", "`ZRANGE` with the `BYSCORE` argument")
        .says("Returns the members between two scores.")
        .costs("O(log(M)+N) where M is the number of members of the set and N that of the range.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            double("min"),
            double("max"),
            opt(word("WITHSCORES").since("2.0.0")),
            LIMIT,
        ]),
    Row::read("zrevrangebyscore", -4, zrevrangebyscore)
        .group(Group::SortedSet)
        .since("2.2.0")
        .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")
        .says("Returns the members between two scores, the highest score first.")
        .costs("O(log(M)+N) where M is the number of members of the set and N that of the range.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, double("max"), double("min"), WITH_SCORES, LIMIT]),
    Row::read("zrangebylex", -4, zrangebylex)
        .group(Group::SortedSet)
        .since("2.8.9")
        .deprecated("6.2.0", "`ZRANGE` with the `BYLEX` argument")
        .says("Returns the members between two others, if all scores are equal.")
        .costs("O(log(M)+N) where M is the number of members of the set and N that of the range.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, string("min"), string("max"), LIMIT]),
    Row::read("zrevrangebylex", -4, zrevrangebylex)
        .group(Group::SortedSet)
        .since("2.8.9")
        .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")
        .says("Returns the members between two others, the last first, if all scores are equal.")
        .costs("O(log(M)+N) where M is the number of members of the set and N that of the range.")
        .keys(&[Keys::at(1, READ)])
        .args(&[KEY, string("max"), string("min"), LIMIT]),
    Row::read("zrandmember", -2, zrandmember)
        .group(Group::SortedSet)
        .since("6.2.0")
        .tips(tip::VARIES)
        .says("Returns members of a sorted set by chance.")
        .reaches(Reach::Picks)
        .costs("O(N) where N is the number of members answered.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            opt(block(
                "options",
                &[integer("count"), opt(word("WITHSCORES"))],
            )),
        ]),
    Row::read("zunion", -3, zunion)
        .reaches(Reach::Values)
        .group(Group::SortedSet)
        .since("6.2.0")
        .says("Returns the union of sorted sets.")
        .costs("O(N)+O(M*log(M)) where N is the number of all members, M that of the result.")
        .keys(&[Keys::counted(1, READ)])
        .args(&[
            integer("numkeys"),
            many(KEY),
            WEIGHTS,
            AGGREGATE,
            WITH_SCORES,
        ]),
    Row::read("zinter", -3, zinter)
        .reaches(Reach::Values)
        .group(Group::SortedSet)
        .since("6.2.0")
        .says("Returns the intersection of sorted sets.")
        .costs("O(N*K)+O(M*log(M)) where N is the size of the smallest of K sets, M the result's.")
        .keys(&[Keys::counted(1, READ)])
        .args(&[
            integer("numkeys"),
            many(KEY),
            WEIGHTS,
            AGGREGATE,
            WITH_SCORES,
        ]),
    Row::read("zdiff", -3, zdiff)
        .reaches(Reach::Values)
        .group(Group::SortedSet)
        .since("6.2.0")
        .says("Returns the members of a sorted set that others do not have.")
        .costs("O(N*K)+O(M*log(M)) where N is the size of the first of K sets, M the result's.")
        .keys(&[Keys::counted(1, READ)])
        .args(&[integer("numkeys"), many(KEY), WITH_SCORES]),
    Row::read("zintercard", -3, zintercard)
        .reaches(Reach::Values)
        .group(Group::SortedSet)
        .since("7.0.0")
        .says("Returns the number of members that sorted sets have in common.")
        .costs("O(N*K) where N is the number of members of the smallest of K sets.")
        .keys(&[Keys::counted(1, READ)])
        .args(&[
            integer("numkeys"),
            many(KEY),
            opt(integer("limit").behind("LIMIT")),
        ]),
    Row::read("zscan", -3, zscan)
        .reaches(Reach::Values)
        .group(Group::SortedSet)
        .since("2.8.0")
        .tips(tip::VARIES)
        .says("Some members of a sorted set, and a cursor to go on with.")
        .costs("O(1) for each call, O(N) for a whole walk over N members.")
        .keys(&[Keys::at(1, READ)])
        .args(&[
            KEY,
            integer("cursor"),
            opt(pattern("pattern").behind("MATCH")),
            opt(integer("count").behind("COUNT")),
        ]),
];
