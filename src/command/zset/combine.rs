//! Sorted sets: unions, intersections and differences.
//!
//! All keys are looked at first, then the words behind them are read: a wrong type goes before a
//! wrong word, as in Redis. Then members are gathered, some at a time, from the smallest set for an
//! intersection, from the first for a difference, and from all for a union, the smallest first,
//! since sums depend on the order; each time those that the other sets leave over go into a set on
//! the side.

use alloc::boxed::Box;
use core::mem;

use super::making::{TAKE_WORK, answer_made, put_made};
use super::score;
use crate::command::args::Args;
use crate::command::combining::{Aggregate, Combining, Ranked, Stage};
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::pace::{Kept, Pace};
use crate::command::walk::FIELDS_AT_ONCE;
use crate::limits::BYTES_PER_WORK;
use crate::store::{Set, Value, Zset};

/// The ways to combine sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Union,
    Intersection,
    Difference,
}

/// The words that a command of this family takes, and the use of the members that remain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// Those that choose what is answered.
    Answers,
    /// None of those: the result is stored.
    Stores,
    /// Only how many members are enough: they are counted.
    Counts,
}

/// Members that are combined. Those of a set have the score 1.
#[derive(Clone, Copy, Debug)]
enum Source<'s> {
    Zset(Zset<'s>),
    Set(Set<'s>),
}

impl<'s> Source<'s> {
    /// The collection that a value is, if the key is there.
    fn of(value: Option<Value<'s>>) -> Result<Option<Self>, Error> {
        match value {
            None => Ok(None),
            Some(Value::Zset(zset)) => Ok(Some(Self::Zset(zset))),
            Some(Value::Set(set)) => Ok(Some(Self::Set(set))),
            Some(_) => Err(Error::WRONG_TYPE),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Zset(zset) => zset.len(),
            Self::Set(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Zset(zset) => zset.score(member),
            Self::Set(set) => set.contains(member).then_some(1.0),
        }
    }

    /// Shows about `count` members from `cursor` on, each once, and returns the cursor to go on
    /// with: the walk begins and ends with 0.
    fn walk(self, cursor: u64, count: usize, show: &mut dyn FnMut(&[u8], f64)) -> u64 {
        match self {
            Self::Zset(zset) => zset.show(cursor, count, show),
            Self::Set(set) => set.walk(cursor, count, &mut |member| {
                show(&member.as_bytes(&mut [0; 20]), 1.0);
            }),
        }
    }
}

/// The source at a key, in the query or change that asks.
type Look<'l, 's> = &'l dyn Fn(&[u8]) -> Result<Option<Source<'s>>, Error>;

/// Sets that are combined.
struct Sources<'l, 'a, 's> {
    how: How,
    words: Words,
    args: Args<'a>,
    /// The place of the first key, and the number of keys.
    first: usize,
    count: usize,
    look: Look<'l, 's>,
}

impl<'l, 'a, 's> Sources<'l, 'a, 's> {
    /// The sources of a request in which the number of keys stands at `at`.
    fn read(
        args: Args<'a>,
        at: usize,
        (how, words, name): (How, Words, &'static str),
        look: Look<'l, 's>,
    ) -> Result<Self, Error> {
        let count = args.integer(at)?;
        if count < 1 {
            return Err(Error::no_input_key(name));
        }
        let first = at + 1;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > args.len() - first {
            return Err(Error::SYNTAX);
        }
        Ok(Self {
            how,
            words,
            args,
            first,
            count,
            look,
        })
    }

    fn source(&self, nth: usize) -> Result<Option<Source<'s>>, Error> {
        (self.look)(self.args.at(self.first + nth))
    }

    /// Goes on as far as the pace allows, until all members are taken.
    fn run(&self, pace: &mut Pace, own: &mut Combining) -> Outcome {
        if own.stage == Stage::Look {
            self.look_at_keys(pace, own)?;
            own.word = self.first + self.count;
            own.stage = Stage::Read;
        }
        if own.stage == Stage::Read {
            self.read_words(pace, own)?;
            own.stage = Stage::Order;
        }
        if own.stage == Stage::Order {
            while self.how != How::Difference
                && let Some(work) = own.order.work()
            {
                pace.step(0, work)?;
                own.order.step(&mut |one, other| one.len.cmp(&other.len));
            }
            own.stage = Stage::Gather;
        }
        loop {
            match own.stage {
                Stage::Gather => {
                    if !self.gather(pace, own)? {
                        return Ok(());
                    }
                    (own.stage, own.other) = (Stage::Compare, 1);
                }
                Stage::Compare => {
                    self.compare(pace, own)?;
                    own.stage = Stage::Take;
                }
                Stage::Take => {
                    self.take(pace, own)?;
                    own.stage = Stage::Gather;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Looks at the types of all keys and at how many members each has.
    fn look_at_keys(&self, pace: &mut Pace, own: &mut Combining) -> Outcome {
        own.order.reserve(self.count);
        while own.order.entries().len() < self.count {
            pace.step(0, 1)?;
            let nth = own.order.entries().len();
            let len = self.source(nth)?.map_or(0, Source::len);
            own.order.push(Ranked { len, nth });
        }
        Ok(())
    }

    /// Reads the words behind the keys.
    fn read_words(&self, pace: &mut Pace, own: &mut Combining) -> Outcome {
        let args = self.args;
        while own.word < args.len() {
            pace.step(0, 1)?;
            let (place, left) = (own.word, args.len() - own.word);
            let combines = self.how != How::Difference && self.words != Words::Counts;
            if own.missing > 0 {
                let weight = score::read(args.at(place), Error::WEIGHT_NOT_A_FLOAT)?;
                own.weights.push(weight);
                own.missing -= 1;
                own.word += 1;
            } else if combines && left > self.count && args.is(place, "weights") {
                own.weights.clear();
                own.missing = self.count;
                own.word += 1;
            } else if combines && left >= 2 && args.is(place, "aggregate") {
                own.aggregate = match () {
                    () if args.is(place + 1, "sum") => Aggregate::Sum,
                    () if args.is(place + 1, "min") => Aggregate::Min,
                    () if args.is(place + 1, "max") => Aggregate::Max,
                    () => return Err(Error::SYNTAX),
                };
                own.word += 2;
            } else if self.words == Words::Answers && args.is(place, "withscores") {
                own.with_scores = true;
                own.word += 1;
            } else if self.words == Words::Counts && left >= 2 && args.is(place, "limit") {
                own.limit = args.at_least(place + 1, 0, Error::LIMIT_NEGATIVE)?;
                own.word += 2;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(())
    }

    /// Gathers the next members of those that may come out. Returns false if there are none.
    fn gather(&self, pace: &mut Pace, own: &mut Combining) -> Result<bool, Error> {
        let ends = match self.how {
            How::Union => self.count,
            How::Intersection | How::Difference => 1,
        };
        let is_enough = own.limit > 0 && own.counted >= own.limit;
        while own.source < ends && !is_enough {
            pace.step(0, 1)?;
            let nth = own.order.entries()[own.source].nth;
            let Some(source) = self.source(nth)? else {
                own.source += 1;
                continue;
            };
            let most = pace.steps(1).min(FIELDS_AT_ONCE);
            let weight = own.weight(nth);
            let Combining { batch, cursor, .. } = &mut *own;
            batch.clear();
            *cursor = source.walk(*cursor, most, &mut |member, score| {
                let weighed = score * weight;
                let score = match self.how {
                    How::Difference => score,
                    _ if weighed.is_nan() => 0.0,
                    _ => weighed,
                };
                batch.push(member, score);
            });
            pace.pay(batch.len() + batch.bytes() / BYTES_PER_WORK);
            own.source += usize::from(own.cursor == 0);
            return Ok(true);
        }
        Ok(false)
    }

    /// Looks for the gathered members in the other sources, and drops those that do not come out.
    fn compare(&self, pace: &mut Pace, own: &mut Combining) -> Outcome {
        if self.how == How::Union {
            return Ok(());
        }
        while own.other < self.count && !own.batch.is_empty() {
            pace.step(0, 1 + own.batch.len())?;
            let nth = own.order.entries()[own.other].nth;
            let (source, weight, aggregate) = (self.source(nth)?, own.weight(nth), own.aggregate);
            own.batch.retain(|member, score| {
                let other = source.and_then(|source| source.score(member));
                match self.how {
                    How::Difference => other.is_none().then_some(score),
                    // As in Redis, what is no number here spoils the whole sum.
                    _ => other.map(|other| aggregate.of(score, other * weight)),
                }
            });
            own.other += 1;
        }
        Ok(())
    }

    fn take(&self, pace: &mut Pace, own: &mut Combining) -> Outcome {
        let members = own.batch.len();
        if self.words == Words::Counts {
            own.counted += members as u64;
            return Ok(());
        }
        pace.step(0, members * TAKE_WORK)?;
        let aggregate = own.aggregate;
        let Some(made) = &mut own.made else {
            return Ok(());
        };
        for (member, score) in own.batch.iter() {
            made.put(member, |held| {
                held.map_or(score, |held| aggregate.of(held, score))
            });
        }
        Ok(())
    }
}

/// Lets a query combine sets. Returns what it has found, at the end.
fn ask(
    query: &mut Query<'_>,
    args: Args<'_>,
    what: (How, Words, &'static str),
) -> Result<Box<Combining>, Error> {
    // The pace is taken out of the query, which looks keys up meanwhile.
    let mut pace = mem::take(query.pace);
    let mut own = pace.combining();
    if what.1 == Words::Answers && own.made.is_none() {
        own.made = Some(query.store.new_zset());
    }
    let look = &|key: &[u8]| Source::of(query.get(key)?);
    let sources = Sources::read(args, 1, what, look);
    let done = sources.and_then(|sources| sources.run(&mut pace, &mut own));
    *query.pace = pace;
    query.pace.keep(Kept::Combining, done, own)
}

fn answer(query: &mut Query<'_>, args: Args<'_>, how: How, name: &'static str) -> Outcome {
    let mut own = ask(query, args, (how, Words::Answers, name))?;
    let done = answer_made(query.pace, &mut query.reply, &mut own);
    query.pace.keep(Kept::Combining, done, own).map(drop)
}

pub(super) fn zunion(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    answer(query, args, How::Union, "zunion")
}

pub(super) fn zinter(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    answer(query, args, How::Intersection, "zinter")
}

pub(super) fn zdiff(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    answer(query, args, How::Difference, "zdiff")
}

pub(super) fn zintercard(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let own = ask(
        query,
        args,
        (How::Intersection, Words::Counts, "zintercard"),
    )?;
    let counted = match own.limit {
        0 => own.counted,
        limit => own.counted.min(limit),
    };
    query.reply.integer(counted as i64);
    Ok(())
}

fn store(change: &mut Change<'_>, args: Args<'_>, how: How, name: &'static str) -> Outcome {
    let mut own = change.pace.combining();
    let (store, db, at) = (&*change.store, change.db, change.at);
    own.made.get_or_insert_with(|| store.new_zset());
    let look = &|key: &[u8]| Source::of(store.get(db, key, at));
    let sources = Sources::read(args, 2, (how, Words::Stores, name), look);
    let done = sources.and_then(|sources| sources.run(change.pace, &mut own));
    let own = change.pace.keep(Kept::Combining, done, own)?;
    put_made(change, args.at(1), own);
    Ok(())
}

pub(super) fn zunionstore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    store(change, args, How::Union, "zunionstore")
}

pub(super) fn zinterstore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    store(change, args, How::Intersection, "zinterstore")
}

pub(super) fn zdiffstore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    store(change, args, How::Difference, "zdiffstore")
}
