//! Sorted sets: unions, intersections and differences.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::members::answer_member;
use super::score;
use super::store::store as store_members;
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::resp::reply::{Protocol, Reply};
use crate::store::{Set, Value, Zset};

/// The ways to combine sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Union,
    Intersection,
    Difference,
}

/// How the scores of a member are put together that several sets have.
#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            // Infinities of both signs are nothing together.
            Self::Sum if (one + other).is_nan() => 0.0,
            Self::Sum => one + other,
            Self::Min if other < one => other,
            Self::Max if other > one => other,
            Self::Min | Self::Max => one,
        }
    }
}

/// Members that are combined. Those of a set have the score 1.
#[derive(Clone, Copy, Debug)]
enum Source<'s> {
    Zset(Zset<'s>),
    Set(Set<'s>),
}

impl Source<'_> {
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

    fn each(self, show: &mut dyn FnMut(&[u8], f64)) {
        match self {
            Self::Zset(zset) => zset.walk(0).for_each(|(member, score)| show(member, score)),
            Self::Set(set) => {
                for member in set.iter() {
                    show(&member.as_bytes(&mut [0; 20]), 1.0);
                }
            }
        }
    }
}

/// The arguments of a command of this family.
struct Wanted<'s> {
    how: How,
    sources: Vec<Option<Source<'s>>>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// How many members are enough.
    limit: u64,
}

/// The words that a command of this family takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// Those that choose what is answered.
    Answers,
    /// None of those: the result is stored.
    Stores,
    /// Only how many members are enough.
    Counts,
}

impl<'s> Wanted<'s> {
    /// Reads the arguments from the number of keys on. As in Redis, keys are looked at before the
    /// words behind them.
    fn parse(
        args: Args<'_>,
        at: usize,
        (how, words, name): (How, Words, &'static str),
        get: impl Fn(&[u8]) -> Result<Option<Value<'s>>, Error>,
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
        let sources = (first..first + count).map(|place| source(get(args.at(place))?));
        let mut wanted = Self {
            how,
            sources: sources.collect::<Result<_, Error>>()?,
            weights: alloc::vec![1.0; count],
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        let mut place = first + count;
        while place < args.len() {
            let left = args.len() - place;
            let combines = how != How::Difference && words != Words::Counts;
            if combines && left > count && args.is(place, "weights") {
                for (nth, weight) in wanted.weights.iter_mut().enumerate() {
                    *weight = score::read(args.at(place + 1 + nth), Error::WEIGHT_NOT_A_FLOAT)?;
                }
                place += count + 1;
            } else if combines && left >= 2 && args.is(place, "aggregate") {
                wanted.aggregate = match () {
                    () if args.is(place + 1, "sum") => Aggregate::Sum,
                    () if args.is(place + 1, "min") => Aggregate::Min,
                    () if args.is(place + 1, "max") => Aggregate::Max,
                    () => return Err(Error::SYNTAX),
                };
                place += 2;
            } else if words == Words::Answers && args.is(place, "withscores") {
                wanted.with_scores = true;
                place += 1;
            } else if words == Words::Counts && left >= 2 && args.is(place, "limit") {
                wanted.limit = args.at_least(place + 1, 0, Error::LIMIT_NEGATIVE)?;
                place += 2;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(wanted)
    }

    /// The members of the combination with their scores, in their order.
    fn combine(&self) -> Vec<(Vec<u8>, f64)> {
        let sources = &self.sources;
        let weigh = |nth: usize, score: f64| {
            let score = score * self.weights[nth];
            if score.is_nan() { 0.0 } else { score }
        };
        let mut all: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
        // Sums are made as Redis makes them, from the smallest set on, since they depend on that.
        let mut order: Vec<usize> = (0..sources.len()).collect();
        if self.how != How::Difference {
            order.sort_by_key(|nth| sources[*nth].map_or(0, Source::len));
        }
        let each = |nth: usize, show: &mut dyn FnMut(&[u8], f64)| {
            if let Some(source) = sources[nth] {
                source.each(show);
            }
        };
        match self.how {
            How::Union => {
                for nth in order {
                    each(nth, &mut |member, score| {
                        let score = weigh(nth, score);
                        if let Some(held) = all.get_mut(member) {
                            *held = self.aggregate.of(*held, score);
                        } else {
                            all.insert(member.to_vec(), score);
                        }
                    });
                }
            }
            How::Intersection => {
                let (first, rest) = order.split_first().expect("there is a key");
                each(*first, &mut |member, score| {
                    let mut sum = Some(weigh(*first, score));
                    if self.limit > 0 && all.len() as u64 == self.limit {
                        sum = None;
                    }
                    for nth in rest {
                        // As in Redis, what is no number here spoils the whole sum.
                        sum = sum.and_then(|sum| {
                            let other = sources[*nth]?.score(member)? * self.weights[*nth];
                            Some(self.aggregate.of(sum, other))
                        });
                    }
                    if let Some(sum) = sum {
                        all.insert(member.to_vec(), sum);
                    }
                });
            }
            How::Difference => {
                each(0, &mut |member, score| {
                    all.insert(member.to_vec(), score);
                });
                for nth in 1..sources.len() {
                    each(nth, &mut |member, _| {
                        all.remove(member);
                    });
                }
            }
        }
        let mut all: Vec<_> = all.into_iter().collect();
        // The sort is stable, and members are in their order already.
        all.sort_by(|one, other| one.1.partial_cmp(&other.1).unwrap_or(Ordering::Equal));
        all
    }

    fn answer(&self, reply: &mut Reply<'_>, members: &[(Vec<u8>, f64)]) {
        let nested = reply.protocol() == Protocol::Resp3;
        let flat = if self.with_scores && !nested { 2 } else { 1 };
        reply.array(members.len() * flat);
        for (member, score) in members {
            answer_member(reply, (member, *score), self.with_scores, nested);
        }
    }
}

/// The collection that a source is, if the key is there.
fn source(value: Option<Value<'_>>) -> Result<Option<Source<'_>>, Error> {
    match value {
        None => Ok(None),
        Some(Value::Zset(zset)) => Ok(Some(Source::Zset(zset))),
        Some(Value::Set(set)) => Ok(Some(Source::Set(set))),
        Some(_) => Err(Error::WRONG_TYPE),
    }
}

fn answer(query: &mut Query<'_>, args: Args<'_>, how: How, name: &'static str) -> Outcome {
    let wanted = Wanted::parse(args, 1, (how, Words::Answers, name), |key| query.get(key))?;
    let members = wanted.combine();
    wanted.answer(&mut query.reply, &members);
    Ok(())
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
    let own = (How::Intersection, Words::Counts, "zintercard");
    let members = Wanted::parse(args, 1, own, |key| query.get(key))?.combine();
    query.reply.integer(members.len() as i64);
    Ok(())
}

fn store(change: &mut Change<'_>, args: Args<'_>, how: How, name: &'static str) -> Outcome {
    let own = (how, Words::Stores, name);
    let members = Wanted::parse(args, 2, own, |key| Ok(change.get(key)))?.combine();
    store_members(change, args.at(1), &members)?;
    change.reply.integer(members.len() as i64);
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
