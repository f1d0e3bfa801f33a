//! Parts of a value that are chosen by chance: what HRANDFIELD, SRANDMEMBER and ZRANDMEMBER share.

use core::mem;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::making::Stage;
use super::pace::Kept;
use super::strings::answer as answer_text;
use super::walk::FIELDS_AT_ONCE;
use super::zset::score;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::{Protocol, Reply};
use crate::rng;
use crate::store::{Hash, Set, Text, Zset};

/// The work of one pick by chance in a small value, or in a sorted set.
const PICK_WORK: usize = 4;
/// The same in a large table, in which several draws lead to nothing before one does not.
const TABLE_PICK_WORK: usize = 16;
/// If more than a part in so many is picked of a table, all of it is walked over, which costs less
/// than drawing.
pub(super) const WALK_SHARE: u64 = 16;
/// The same of other values, where drawing would meet the same parts too often.
const FEW_SHARE: u64 = 3;

/// The work of one pick by chance, in a table or elsewhere.
pub(super) fn pick_work(in_table: bool) -> usize {
    if in_table { TABLE_PICK_WORK } else { PICK_WORK }
}

/// How many parts are wanted, the same one several times perhaps if that is negative; and whether
/// `word` is given, which asks for the value behind each.
pub(super) fn wanted(args: Args<'_>, word: &str) -> Result<(i64, bool), Error> {
    let count = args.negatable(2)?;
    let has_word = match args.len() {
        3 => false,
        4 if args.is(3, word) => true,
        _ => return Err(Error::SYNTAX),
    };
    if has_word && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::OUT_OF_RANGE);
    }
    Ok((count, has_word))
}

/// A collection of which parts are chosen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'s> {
    Hash(Hash<'s>),
    Set(Set<'s>),
    Zset(Zset<'s>),
}

/// A part of one.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Field(&'a [u8], &'a [u8]),
    Member(Text<'a>),
    Scored(&'a [u8], f64),
}

impl<'a> Part<'a> {
    fn name(self) -> Text<'a> {
        match self {
            Self::Field(name, _) | Self::Scored(name, _) => Text::Bytes(name),
            Self::Member(name) => name,
        }
    }

    /// Answers it, with what stands behind it where that is wanted. Returns the work of that.
    fn answer(self, reply: &mut Reply<'_>, with_value: bool) -> usize {
        let mut bytes = self.name().len();
        if with_value && reply.protocol() == Protocol::Resp3 {
            reply.array(2);
        }
        answer_text(reply, Some(self.name()));
        match self {
            Self::Field(_, value) if with_value => {
                reply.bulk(value);
                bytes += value.len();
            }
            Self::Scored(_, own) if with_value => score::answer(reply, own),
            _ => {}
        }
        bytes / BYTES_PER_WORK
    }
}

impl<'s> Source<'s> {
    fn len(self) -> u64 {
        let len = match self {
            Self::Hash(hash) => hash.len(),
            Self::Set(set) => set.len(),
            Self::Zset(zset) => zset.len(),
        };
        len as u64
    }

    /// Returns true if it is a large table.
    fn is_table(self) -> bool {
        match self {
            Self::Hash(hash) => hash.is_large(),
            Self::Set(set) => set.is_large(),
            Self::Zset(_) => false,
        }
    }

    /// The part that a draw chooses, each as likely as any other.
    fn random(self, draw: u64) -> Option<Part<'s>> {
        match self {
            Self::Hash(hash) => {
                let (field, value) = hash.random(draw)?;
                Some(Part::Field(field, value))
            }
            Self::Set(set) => set.random(draw).map(Part::Member),
            Self::Zset(zset) => {
                let rank = rng::below(draw, zset.len() as u64);
                let (member, own) = zset.walk(rank as usize).next()?;
                Some(Part::Scored(member, own))
            }
        }
    }

    /// Shows about `count` parts from `cursor` on, each once, and returns the cursor to go on with:
    /// the walk begins and ends with 0.
    fn walk(self, cursor: u64, count: usize, show: &mut dyn FnMut(Part<'_>)) -> u64 {
        match self {
            Self::Hash(hash) => hash.scan(cursor, count, &mut |field, value| {
                show(Part::Field(field, value));
            }),
            Self::Set(set) => set.walk(cursor, count, &mut |member| show(Part::Member(member))),
            Self::Zset(zset) => zset.show(cursor, count, &mut |member, own| {
                show(Part::Scored(member, own));
            }),
        }
    }
}

/// Answers one part by chance, or that there is no value.
pub(super) fn answer_one(query: &mut Query<'_>, source: Option<Source<'_>>, draw: u64) {
    let part = source.and_then(|source| source.random(draw));
    answer_text(&mut query.reply, part.map(Part::name));
}

/// Answers so many parts by chance, the same one several times perhaps if `count` is negative, each
/// with what stands behind it where that is wanted.
pub(super) fn answer(
    query: &mut Query<'_>,
    source: Option<Source<'_>>,
    (count, with_values): (i64, bool),
) -> Outcome {
    let Some(source) = source else {
        query.reply.array(0);
        return Ok(());
    };
    let picks = match u64::try_from(count) {
        Ok(count) => count.min(source.len()),
        Err(_) => count.unsigned_abs(),
    };
    if !query.pace.is_cut() {
        let is_flat = with_values && query.reply.protocol() == Protocol::Resp2;
        query
            .reply
            .array(picks as usize * if is_flat { 2 } else { 1 });
    }
    let share = if source.is_table() {
        WALK_SHARE
    } else {
        FEW_SHARE
    };
    if count < 0 {
        pick_any(query, source, picks, with_values)
    } else if picks <= source.len() / share {
        pick_few(query, source, picks, with_values)
    } else {
        pick_many(query, source, picks, with_values)
    }
}

/// So many parts, the same one several times perhaps: each pick is drawn by itself.
fn pick_any(query: &mut Query<'_>, source: Source<'_>, picks: u64, with_values: bool) -> Outcome {
    let from = query.pace.from(0);
    query.dice.skip(from);
    for place in from..picks {
        query.pace.step(place, pick_work(source.is_table()))?;
        if let Some(part) = source.random(query.dice.draw()) {
            let work = part.answer(&mut query.reply, with_values);
            query.pace.pay(work);
        }
    }
    Ok(())
}

/// So many different parts, of a few times as many: drawing until enough differ takes at most half
/// as many draws again on average, and the rest is not looked at.
fn pick_few(query: &mut Query<'_>, source: Source<'_>, picks: u64, with_values: bool) -> Outcome {
    let mut making = query.pace.making();
    let mut seen = mem::take(&mut making.made).unwrap_or_else(|| query.store.new_set());
    query.dice.skip(making.passed);
    let mut done = Ok(());
    while making.stage != Stage::Free && done.is_ok() && (seen.len() as u64) < picks {
        done = query.pace.step(0, pick_work(source.is_table()));
        if done.is_ok() {
            making.passed += 1;
            let part = source.random(query.dice.draw());
            let is_new = |part: &Part<'_>| seen.add(&part.name().as_bytes(&mut [0; 20]));
            if let Some(part) = part.filter(is_new) {
                let work = part.answer(&mut query.reply, with_values);
                query.pace.pay(work);
            }
        }
    }
    if done.is_ok() {
        // From here on it becomes smaller.
        making.stage = Stage::Free;
        done = query
            .pace
            .free(seen.is_large(), &mut |parts| seen.dismantle(parts));
    }
    making.made = Some(seen);
    query.pace.keep(Kept::Making, done, making).map(drop)
}

/// So many different parts, or all. In one walk, each part stays with the chance that as many are
/// picked as are still wanted of those that are left.
fn pick_many(query: &mut Query<'_>, source: Source<'_>, picks: u64, with_values: bool) -> Outcome {
    let mut making = query.pace.making();
    if !query.pace.is_cut() {
        making.left = picks;
    }
    query.dice.skip(making.passed);
    loop {
        let most = query.pace.steps(1).min(FIELDS_AT_ONCE);
        if let Err(unfinished) = query.pace.step(0, most) {
            return query
                .pace
                .keep(Kept::Making, Err(unfinished), making)
                .map(drop);
        }
        let mut work = 0;
        making.cursor = source.walk(making.cursor, most, &mut |part| {
            let left = source.len() - making.passed;
            let is_picked = query.dice.below(left) < making.left;
            making.passed += 1;
            if is_picked {
                making.left -= 1;
                work += part.answer(&mut query.reply, with_values);
            }
        });
        query.pace.pay(work);
        if making.cursor == 0 {
            return Ok(());
        }
    }
}
