//! The commands that search a part of Earth, in pieces: words are read, members are found, put in
//! order, and answered or stored.

use alloc::boxed::Box;
use core::cmp::Ordering;
use core::mem;

use super::answer::{answer_distance, answer_place};
use super::hash::{self, Hash};
use super::words::Which;
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::Outcome;
use crate::command::pace::{Kept, Pace};
use crate::command::searching::{Hit, Order, Searching, Stage, Words};
use crate::command::walk::FIELDS_AT_ONCE;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Reply;
use crate::store::{Value, Zset};

impl Searching {
    /// The work that stands in its middle, or new work.
    fn of(pace: &mut Pace) -> Box<Self> {
        match mem::take(&mut pace.kept) {
            Kept::Searching(own) => own,
            _ => Box::default(),
        }
    }

    /// Goes on until all members are found and in order.
    fn run(
        &mut self,
        pace: &mut Pace,
        args: Args<'_>,
        which: Which,
        zset: Option<Zset<'_>>,
    ) -> Outcome {
        if self.stage == Stage::Read {
            self.words.read(pace, args, which, zset)?;
            self.stage = Stage::Search;
        }
        if self.stage == Stage::Search {
            if let Some(zset) = zset {
                self.search(pace, zset)?;
            }
            self.stage = Stage::Order;
        }
        if self.stage == Stage::Order {
            while let Some(order) = self.words.order
                && let Some(work) = self.hits.work()
            {
                pace.step(0, work)?;
                self.hits.step(&mut |one, other| compare(one, other, order));
            }
            self.stage = Stage::Begin;
        }
        Ok(())
    }

    /// Looks for members in each of the areas.
    fn search(&mut self, pace: &mut Pace, zset: Zset<'_>) -> Outcome {
        let areas = self.words.shape.areas();
        while self.area < areas.len() && !self.is_enough() {
            let Some(area) = areas[self.area] else {
                self.area += 1;
                continue;
            };
            let (from, to) = area.scores();
            let most = pace.steps(1).min(FIELDS_AT_ONCE);
            pace.step(0, most)?;
            let rank = match self.rank {
                Some(rank) => rank,
                None => zset.partition(&|score, _| score < from),
            };
            let (mut passed, mut is_done, mut bytes) = (0, true, 0);
            for (member, score) in zset.walk(rank) {
                if score >= to || self.is_enough() {
                    break;
                }
                if passed == most {
                    is_done = false;
                    break;
                }
                passed += 1;
                let place = hash::place(score);
                if let Some(distance_m) = self.words.shape.distance(place) {
                    bytes += member.len();
                    let member = self.texts.push(member);
                    self.hits.push(Hit {
                        member,
                        score,
                        place,
                        distance_m,
                    });
                }
            }
            pace.pay(bytes / BYTES_PER_WORK);
            self.rank = (!is_done).then_some(rank + passed);
            self.area += usize::from(is_done);
        }
        Ok(())
    }

    /// Returns true if no more members need be found.
    fn is_enough(&self) -> bool {
        self.words.any && self.hits.entries().len() as u64 >= self.words.count
    }

    /// The members that are wanted of those that were found.
    fn wanted(&self) -> usize {
        let found = self.hits.entries().len();
        match self.words.count {
            0 => found,
            count => usize::try_from(count).map_or(found, |count| count.min(found)),
        }
    }

    /// Answers the members.
    fn answer(&mut self, pace: &mut Pace, reply: &mut Reply<'_>) -> Outcome {
        let words = &self.words;
        let parts = [words.with_distance, words.with_hash, words.with_place];
        let parts = parts.into_iter().filter(|is_wanted| *is_wanted).count();
        let wanted = self.wanted();
        if self.stage == Stage::Begin {
            reply.array(wanted);
            self.stage = Stage::Give;
        }
        if self.stage == Stage::Give {
            while self.given < wanted {
                let hit = self.hits.entries()[self.given];
                let member = self.texts.get(hit.member);
                pace.step(0, 1 + parts + member.len() / BYTES_PER_WORK)?;
                if parts > 0 {
                    reply.array(parts + 1);
                }
                reply.bulk(member);
                if words.with_distance {
                    answer_distance(reply, hit.distance_m / words.shape.unit_m);
                }
                if words.with_hash {
                    reply.integer(hash::shown(hit.score));
                }
                if words.with_place {
                    answer_place(reply, hit.place);
                }
                self.given += 1;
            }
            self.stage = Stage::Free;
        }
        self.free(pace)
    }

    fn free(&mut self, pace: &mut Pace) -> Outcome {
        loop {
            pace.step(0, 1)?;
            if !self.texts.free() {
                return Ok(());
            }
        }
    }

    /// Lets the target hold the members, with their places or distances as scores.
    fn store(&mut self, change: &mut Change<'_>, target: &[u8]) -> Outcome {
        let (db, at) = (change.db, change.at);
        let wanted = self.wanted();
        if matches!(self.stage, Stage::Begin | Stage::Give) {
            self.stage = Stage::Give;
            let made = self.made.get_or_insert_with(|| change.store.new_zset());
            let hits = self.hits.entries().iter().take(wanted);
            for hit in hits.skip(self.given) {
                let member = self.texts.get(hit.member);
                change.pace.step(0, 2 + member.len() / BYTES_PER_WORK)?;
                let score = if self.words.stores_distance {
                    hit.distance_m / self.words.shape.unit_m
                } else {
                    hit.score
                };
                made.put(member, |_| score);
                self.given += 1;
            }
            change.reply.integer(made.len() as i64);
            if let Some(made) = self.made.take() {
                change.store.put_zset(db, target, made, at);
            }
            self.stage = Stage::Free;
        }
        self.free(change.pace)
    }
}

/// How many members a search looks at, at most; 0 where it is refused.
pub(in crate::command) fn looks_at<'a>(
    name: &str,
    args: Args<'_>,
    zset: impl Fn(usize) -> Option<Zset<'a>>,
) -> u64 {
    let Some(which) = Which::of(name) else {
        return 0;
    };
    let Some(zset) = zset(which.source()) else {
        return 0;
    };
    let (mut words, mut pace) = (Words::default(), Pace::default());
    pace.allow(usize::MAX);
    if words.read(&mut pace, args, which, Some(zset)).is_err() {
        return 0;
    }
    let places = |area: Hash| {
        let (from, to) = area.scores();
        let [first, behind] = [from, to].map(|border| zset.partition(&|score, _| score < border));
        behind.saturating_sub(first) as u64
    };
    words.shape.areas().into_iter().flatten().map(places).sum()
}

/// The order of two members. Those that are as far come as they were found.
fn compare(one: &Hit, other: &Hit, order: Order) -> Ordering {
    let nearer = one.distance_m.total_cmp(&other.distance_m);
    match order {
        Order::Nearest => nearer,
        Order::Furthest => nearer.reverse(),
    }
}

fn ask(query: &mut Query<'_>, args: Args<'_>, which: Which) -> Outcome {
    let zset = query.get_as(args.at(which.source()), Value::as_zset)?;
    let mut own = Searching::of(query.pace);
    let mut done = own.run(query.pace, args, which, zset);
    if done.is_ok() {
        done = own.answer(query.pace, &mut query.reply);
    }
    query.pace.keep(Kept::Searching, done, own).map(drop)
}

fn change(change: &mut Change<'_>, args: Args<'_>, which: Which) -> Outcome {
    let mut own = Searching::of(change.pace);
    let done = change_in_pieces(change, args, which, &mut own);
    change.pace.keep(Kept::Searching, done, own).map(drop)
}

fn change_in_pieces(
    change: &mut Change<'_>,
    args: Args<'_>,
    which: Which,
    own: &mut Searching,
) -> Outcome {
    if matches!(own.stage, Stage::Read | Stage::Search | Stage::Order) {
        let zset = change
            .store
            .zset(change.db, args.at(which.source()), change.at)?;
        own.run(change.pace, args, which, zset)?;
    }
    match own.words.target {
        Some(target) => own.store(change, args.at(target)),
        None => own.answer(change.pace, &mut change.reply),
    }
}

pub(super) fn geosearch(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    ask(query, args, Which::Search)
}

pub(super) fn geosearchstore(on: &mut Change<'_>, args: Args<'_>) -> Outcome {
    change(on, args, Which::Store)
}

pub(super) fn georadius(on: &mut Change<'_>, args: Args<'_>) -> Outcome {
    change(on, args, Which::Radius)
}

pub(super) fn georadius_ro(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    ask(query, args, Which::RadiusReads)
}

pub(super) fn georadiusbymember(on: &mut Change<'_>, args: Args<'_>) -> Outcome {
    change(on, args, Which::Member)
}

pub(super) fn georadiusbymember_ro(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    ask(query, args, Which::MemberReads)
}
