//! Sorted sets: members added, removed, looked up and drawn.

use alloc::collections::BTreeSet;

use super::score;
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::event::{KeyEvent, Tells};
use crate::command::picks::{self, Source};
use crate::command::several::Several;
use crate::command::walk::scan_members;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::{Protocol, Reply};
use crate::store::{Value, Zset, ZsetMut};

/// The sorted set at a key of a query.
pub(super) fn zset_at<'s>(query: &Query<'s>, key: &[u8]) -> Result<Option<Zset<'s>>, Error> {
    query.get_as(key, Value::as_zset)
}

/// Answers a member, with its score where that is wanted. `nested`: as an array of both.
pub(super) fn answer_member(
    reply: &mut Reply<'_>,
    (member, own): (&[u8], f64),
    with_score: bool,
    nested: bool,
) {
    if with_score && nested {
        reply.array(2);
    }
    reply.bulk(member);
    if with_score {
        score::answer(reply, own);
    }
}

/// The members that ZADD writes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::command) struct Conditions {
    pub(in crate::command) absent: bool,
    pub(in crate::command) present: bool,
    greater: bool,
    less: bool,
    /// Those that get another score are counted, too.
    pub(in crate::command) changed: bool,
    increments: bool,
}

/// How members are given: from which place on, each with so many words of which it is the last, and
/// what the score is that these mean.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) struct Given {
    pub(in crate::command) first: usize,
    pub(in crate::command) words: usize,
    pub(in crate::command) score: fn(Args<'_>, usize) -> Result<f64, Error>,
}

/// The conditions of ZADD, and where its scores begin.
fn conditions(args: Args<'_>) -> Result<(Conditions, usize), Error> {
    let (mut all, mut place) = (Conditions::default(), 2);
    loop {
        match () {
            () if args.is(place, "nx") => all.absent = true,
            () if args.is(place, "xx") => all.present = true,
            () if args.is(place, "gt") => all.greater = true,
            () if args.is(place, "lt") => all.less = true,
            () if args.is(place, "ch") => all.changed = true,
            () if args.is(place, "incr") => all.increments = true,
            () => break,
        }
        place += 1;
    }
    let pairs = args.len().saturating_sub(place);
    if pairs == 0 || pairs % 2 == 1 {
        return Err(Error::SYNTAX);
    }
    if all.absent && all.present {
        return Err(Error::XX_AND_NX);
    }
    if all.greater && all.less || all.absent && (all.greater || all.less) {
        return Err(Error::GT_LT_AND_NX);
    }
    if all.increments && pairs > 2 {
        return Err(Error::INCR_OF_MANY);
    }
    Ok((all, place))
}

/// The event of ZADD.
pub(super) fn added_or_incremented(args: Args<'_>) -> Tells {
    let increments = conditions(args).is_ok_and(|(all, _)| all.increments);
    Tells::Each(if increments {
        KeyEvent::ZSET_INCR
    } else {
        KeyEvent::ZSET_ADD
    })
}

/// The event of ZMPOP, in which the number of keys stands at `place`.
pub(super) fn taken_from(args: Args<'_>, place: usize) -> Tells {
    several(args, place).map_or(Tells::Nothing, |several| {
        Tells::Each(if several.end {
            KeyEvent::ZSET_POP_MAX
        } else {
            KeyEvent::ZSET_POP_MIN
        })
    })
}

/// The outcome of ZADD for one member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::command) enum Done {
    Nothing,
    Added(f64),
    /// Its score is another one, or is the same.
    Scored(f64, bool),
}

impl Conditions {
    /// The score for a member that has `old`; nothing where it keeps that.
    fn score(self, old: Option<f64>, given: f64) -> Result<Option<f64>, Error> {
        let Some(old) = old else {
            return Ok((!self.present).then_some(given));
        };
        if self.absent {
            return Ok(None);
        }
        let new = if self.increments { old + given } else { given };
        if new.is_nan() {
            return Err(Error::SCORE_NOT_A_NUMBER);
        }
        let is_kept = self.less && new >= old || self.greater && new <= old;
        Ok((!is_kept).then_some(new))
    }
}

fn add(
    zset: &mut ZsetMut<'_>,
    member: &[u8],
    given: f64,
    conditions: Conditions,
) -> Result<Done, Error> {
    let (mut done, mut error) = (Done::Nothing, None);
    let is_changed = zset.update(member, |old| {
        let new = conditions.score(old, given).unwrap_or_else(|why| {
            error = Some(why);
            None
        })?;
        done = match old {
            None => Done::Added(new),
            Some(_) => Done::Scored(new, false),
        };
        Some(new)
    });
    match (error, done) {
        (Some(error), _) => Err(error),
        (None, Done::Scored(new, _)) => Ok(Done::Scored(new, is_changed)),
        (None, done) => Ok(done),
    }
}

/// How many members ZADD certainly adds to a set that is not there.
pub(super) fn members_added(args: Args<'_>) -> usize {
    let Ok((conditions, first)) = conditions(args) else {
        return 0;
    };
    let mut members = BTreeSet::new();
    for place in (first..args.len()).step_by(2) {
        if conditions.present || score::parse(args.at(place)).is_none() {
            return 0;
        }
        members.insert(args.at(place + 1));
    }
    members.len()
}

/// The same of ZINCRBY.
pub(super) fn member_incremented(args: Args<'_>) -> usize {
    usize::from(score::parse(args.at(2)).is_some())
}

/// Adds all members that are given, and counts them in the pace; what was done for the last one.
pub(in crate::command) fn add_all(
    change: &mut Change<'_>,
    args: Args<'_>,
    conditions: Conditions,
    given: Given,
) -> Result<Done, Error> {
    let Given {
        first,
        words,
        score,
    } = given;
    // None is written where one is no number.
    if !change.pace.is_cut() && args.len() > first + words {
        for place in (first..args.len()).step_by(words) {
            score(args, place)?;
        }
    }
    let first_score = score(args, first)?;
    let (db, key, at) = (change.db, args.at(1), change.at);
    let mut done = Done::Nothing;
    let may_make = !conditions.present || change.pace.is_cut();
    if may_make || change.store.zset(db, key, at)?.is_some() {
        let mut zset = change.store.zset_or_new(db, key, at)?;
        let places = change.pace.from(first as u64)..args.len() as u64;
        for place in places.step_by(words) {
            let member = args.at(place as usize + words - 1);
            change.pace.step(place, 1 + member.len() / BYTES_PER_WORK)?;
            let own = if place == first as u64 {
                first_score
            } else {
                score(args, place as usize)?
            };
            done = add(&mut zset, member, own, conditions)?;
            change.pace.count += i64::from(match done {
                Done::Nothing => false,
                Done::Added(_) => true,
                Done::Scored(_, changed) => changed && conditions.changed,
            });
        }
    }
    Ok(done)
}

pub(super) fn zadd(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let (conditions, first) = conditions(args)?;
    let given = Given {
        first,
        words: 2,
        score: |args, place| score::read(args.at(place), Error::NOT_A_FLOAT),
    };
    let done = add_all(change, args, conditions, given)?;
    match done {
        _ if !conditions.increments => change.reply.integer(change.pace.count),
        Done::Nothing => change.reply.null(),
        Done::Added(new) | Done::Scored(new, _) => score::answer(&mut change.reply, new),
    }
    Ok(())
}

pub(super) fn zincrby(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let by = score::read(args.at(2), Error::NOT_A_FLOAT)?;
    let mut zset = change.store.zset_or_new(change.db, args.at(1), change.at)?;
    let conditions = Conditions {
        increments: true,
        ..Conditions::default()
    };
    match add(&mut zset, args.at(3), by, conditions)? {
        Done::Nothing => change.reply.null(),
        Done::Added(new) | Done::Scored(new, _) => score::answer(&mut change.reply, new),
    }
    Ok(())
}

pub(super) fn zrem(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    if let Some(mut zset) = change.store.zset_mut(change.db, args.at(1), change.at)? {
        for place in change.pace.from(2)..args.len() as u64 {
            change.pace.step(place, 1)?;
            change.pace.count += i64::from(zset.remove(args.at(place as usize)));
            if zset.is_empty() {
                break;
            }
        }
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

pub(super) fn zcard(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let len = zset_at(query, args.at(1))?.map_or(0, Zset::len);
    query.reply.integer(len as i64);
    Ok(())
}

fn answer_score(reply: &mut Reply<'_>, found: Option<f64>) {
    match found {
        Some(own) => score::answer(reply, own),
        None => reply.null(),
    }
}

pub(super) fn zscore(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let found = zset_at(query, args.at(1))?.and_then(|zset| zset.score(args.at(2)));
    answer_score(&mut query.reply, found);
    Ok(())
}

pub(super) fn zmscore(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let zset = zset_at(query, args.at(1))?;
    if !query.pace.is_cut() {
        query.reply.array(args.len() - 2);
    }
    for place in query.pace.from(2)..args.len() as u64 {
        query.pace.step(place, 1)?;
        let found = zset.and_then(|zset| zset.score(args.at(place as usize)));
        answer_score(&mut query.reply, found);
    }
    Ok(())
}

fn rank(query: &mut Query<'_>, args: Args<'_>, name: &str, from_end: bool) -> Outcome {
    let with_score = match args.len() {
        3 => false,
        4 if args.is(3, "withscore") => true,
        4 => return Err(Error::SYNTAX),
        _ => return Err(Error::arity(name)),
    };
    let zset = zset_at(query, args.at(1))?;
    let found = zset.and_then(|zset| {
        let (rank, own) = (zset.rank(args.at(2))?, zset.score(args.at(2))?);
        Some((
            if from_end {
                zset.len() - 1 - rank
            } else {
                rank
            },
            own,
        ))
    });
    match found {
        None if with_score => query.reply.null_array(),
        None => query.reply.null(),
        Some((rank, own)) => {
            if with_score {
                query.reply.array(2);
            }
            query.reply.integer(rank as i64);
            if with_score {
                score::answer(&mut query.reply, own);
            }
        }
    }
    Ok(())
}

pub(super) fn zrank(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    rank(query, args, "zrank", false)
}

pub(super) fn zrevrank(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    rank(query, args, "zrevrank", true)
}

/// Takes up to `count` members off one end of a sorted set and answers them.
fn pop_many(
    change: &mut Change<'_>,
    key: &[u8],
    count: u64,
    highest: bool,
    nested: bool,
) -> Outcome {
    let Some(mut zset) = change.store.zset_mut(change.db, key, change.at)? else {
        return Ok(());
    };
    let taken = change.pace.from(0);
    let left = (count - taken).min(zset.len() as u64);
    if !change.pace.is_cut() {
        change
            .reply
            .array(left as usize * if nested { 1 } else { 2 });
    }
    for taken in taken..taken + left {
        change.pace.step(taken, 1)?;
        let rank = if highest { zset.len() - 1 } else { 0 };
        if let Some((member, own)) = zset.remove_at(rank) {
            answer_member(&mut change.reply, (&member, own), true, nested);
            change.pace.pay(member.len() / BYTES_PER_WORK);
        }
    }
    Ok(())
}

fn pop(change: &mut Change<'_>, args: Args<'_>, highest: bool) -> Outcome {
    if args.len() > 3 {
        return Err(Error::SYNTAX);
    }
    let count = match args.get(2) {
        None => 1,
        Some(_) => args.at_least(2, 0, Error::MUST_BE_POSITIVE)?,
    };
    if change
        .store
        .zset(change.db, args.at(1), change.at)?
        .is_none()
    {
        change.reply.array(0);
        return Ok(());
    }
    let nested = change.reply.protocol() == Protocol::Resp3 && args.len() == 3;
    pop_many(change, args.at(1), count, highest, nested)
}

pub(super) fn zpopmin(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, false)
}

pub(super) fn zpopmax(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    pop(change, args, true)
}

/// Returns true if the word at `place` asks for the highest scores, false if for the lowest.
fn is_highest(args: Args<'_>, place: usize) -> Result<bool, Error> {
    match () {
        () if args.is(place, "min") => Ok(false),
        () if args.is(place, "max") => Ok(true),
        () => Err(Error::SYNTAX),
    }
}

/// The request of ZMPOP, in which the number of keys stands at `place`.
pub(super) fn several(args: Args<'_>, place: usize) -> Result<Several<bool>, Error> {
    Several::read(args, place, is_highest)
}

/// Takes members off the first set that has any; false where none has, which is answered too.
pub(super) fn pop_several(
    change: &mut Change<'_>,
    args: Args<'_>,
    several: Several<bool>,
) -> Result<bool, Error> {
    let has_any = |change: &Change<'_>, key: &[u8]| {
        let zset = change.store.zset(change.db, key, change.at)?;
        Ok(zset.is_some())
    };
    several.take(change, args, has_any, |change, key, count, highest| {
        pop_many(change, key, count, highest, true)
    })
}

pub(super) fn zmpop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let several = several(args, 1)?;
    pop_several(change, args, several)?;
    Ok(())
}

pub(super) fn zrandmember(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 2 {
        let draw = query.dice.draw();
        let zset = zset_at(query, args.at(1))?;
        picks::answer_one(query, zset.map(Source::Zset), draw);
        return Ok(());
    }
    let wanted = picks::wanted(args, "withscores")?;
    let zset = zset_at(query, args.at(1))?;
    picks::answer(query, zset.map(Source::Zset), wanted)
}

pub(super) fn zscan(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    scan_members(query, args, zset_at, |zset, cursor, most, show| {
        zset.scan(cursor, most, &mut |member, own| {
            show(member, Some(score::text(own).as_bytes()));
        })
    })
}
