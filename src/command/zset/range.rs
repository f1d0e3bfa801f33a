//! Sorted sets: ranges by rank, by score and by member.

use super::making::{TAKE_WORK, put_made};
use super::members::{answer_member, zset_at};
use super::score::Range;
use crate::command::args::Args;
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::pace::Kept;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Protocol;
use crate::store::Zset;

/// The meaning of the two arguments of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// The members that are wanted, and their order.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    range: Between<'a>,
    is_reversed: bool,
    with_scores: bool,
    /// How many of them are skipped, and how many are wanted of the rest; negative: all.
    limit: (i64, i64),
}

#[derive(Clone, Copy, Debug)]
enum Between<'a> {
    Ranks(i64, i64),
    Of(Range<'a>),
}

/// The place that a rank means in a set of `len` members: a negative one counts from the end.
fn place_of(rank: i64, len: usize) -> i64 {
    if rank < 0 {
        rank.saturating_add(len as i64)
    } else {
        rank
    }
}

impl Between<'_> {
    /// From which rank to which, which is not wanted any more, in a set of `len` members.
    fn ranks(&self, zset: Zset<'_>, len: usize) -> (usize, usize) {
        match self {
            Self::Ranks(start, stop) => {
                let start = place_of(*start, len).max(0);
                let end = place_of(*stop, len).saturating_add(1).clamp(0, len as i64);
                (start.min(end) as usize, end as usize)
            }
            Self::Of(range) => {
                let start = zset.partition(&|score, member| range.is_above(score, member));
                let end = zset.partition(&|score, member| range.is_not_below(score, member));
                (start, end.max(start))
            }
        }
    }
}

impl<'a> Wanted<'a> {
    /// Reads the arguments from the first bound on. `by` and `is_reversed` are those of the
    /// command; `is_open`: words may say others. `may_score`: scores may be asked for.
    fn parse(
        args: Args<'a>,
        at: usize,
        (mut by, mut is_reversed, is_open): (By, bool, bool),
        may_score: bool,
    ) -> Result<Self, Error> {
        let (mut with_scores, mut limit) = (false, (0, -1));
        let mut place = at + 2;
        while place < args.len() {
            if may_score && args.is(place, "withscores") {
                with_scores = true;
            } else if args.is(place, "limit") && place + 2 < args.len() {
                limit = (args.integer(place + 1)?, args.integer(place + 2)?);
                place += 2;
            } else if is_open && !is_reversed && args.is(place, "rev") {
                is_reversed = true;
            } else if is_open && by == By::Rank && args.is(place, "bylex") {
                by = By::Lex;
            } else if is_open && by == By::Rank && args.is(place, "byscore") {
                by = By::Score;
            } else {
                return Err(Error::SYNTAX);
            }
            place += 1;
        }
        if limit.1 != -1 && by == By::Rank {
            return Err(Error::LIMIT_OF_RANKS);
        }
        if with_scores && by == By::Lex {
            return Err(Error::SCORES_BY_LEX);
        }
        let (min, max) = if is_reversed && by != By::Rank {
            (args.at(at + 1), args.at(at))
        } else {
            (args.at(at), args.at(at + 1))
        };
        let range = match by {
            By::Rank => Between::Ranks(args.integer(at)?, args.integer(at + 1)?),
            By::Score => Between::Of(Range::scores(min, max)?),
            By::Lex => Between::Of(Range::lex(min, max)?),
        };
        Ok(Self {
            range,
            is_reversed,
            with_scores,
            limit,
        })
    }

    /// The ranks of the members that are wanted, counted from the end where they come from there.
    fn ranks(&self, zset: Zset<'_>) -> (usize, usize) {
        let len = zset.len();
        let (start, end) = self.range.ranks(zset, len);
        let (start, end) = match self.range {
            // Ranks count from the end already.
            Between::Of(_) if self.is_reversed => (len - end, len - start),
            _ => (start, end),
        };
        let (skipped, count) = match self.range {
            Between::Ranks(..) => (0, -1),
            Between::Of(_) => self.limit,
        };
        let Ok(skipped) = usize::try_from(skipped) else {
            return (end, end);
        };
        let start = start.saturating_add(skipped).min(end);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        (start, end.min(start.saturating_add(count)))
    }

    /// The members from a rank on in the order that is wanted.
    fn walk<'s>(&self, zset: Zset<'s>, rank: usize) -> impl Iterator<Item = (&'s [u8], f64)> {
        let (forth, back) = if self.is_reversed {
            (None, Some(zset.walk_back(zset.len() - rank)))
        } else {
            (Some(zset.walk(rank)), None)
        };
        forth
            .into_iter()
            .flatten()
            .chain(back.into_iter().flatten())
    }
}

fn range(query: &mut Query<'_>, args: Args<'_>, own: (By, bool, bool)) -> Outcome {
    let wanted = Wanted::parse(args, 2, own, true)?;
    let Some(zset) = zset_at(query, args.at(1))? else {
        query.reply.array(0);
        return Ok(());
    };
    let (start, end) = wanted.ranks(zset);
    let nested = query.reply.protocol() == Protocol::Resp3;
    if !query.pace.is_cut() {
        let flat = if wanted.with_scores && !nested { 2 } else { 1 };
        query.reply.array((end - start) * flat);
    }
    let first = query.pace.from(start as u64);
    let entries = wanted.walk(zset, first as usize);
    for (place, entry) in (first..end as u64).zip(entries) {
        query.pace.step(place, 1 + entry.0.len() / BYTES_PER_WORK)?;
        answer_member(&mut query.reply, entry, wanted.with_scores, nested);
    }
    Ok(())
}

pub(super) fn zrange(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    range(query, args, (By::Rank, false, true))
}

pub(super) fn zrevrange(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    range(query, args, (By::Rank, true, false))
}

pub(super) fn zrangebyscore(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    range(query, args, (By::Score, false, false))
}

pub(super) fn zrevrangebyscore(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    range(query, args, (By::Score, true, false))
}

pub(super) fn zrangebylex(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    range(query, args, (By::Lex, false, false))
}

pub(super) fn zrevrangebylex(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    range(query, args, (By::Lex, true, false))
}

pub(super) fn zrangestore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let wanted = Wanted::parse(args, 3, (By::Rank, false, true), false)?;
    let mut own = change.pace.combining();
    let zset = change.store.zset(change.db, args.at(2), change.at)?;
    let mut made = own.made.take().unwrap_or_else(|| change.store.new_zset());
    let done = zset.map_or(Ok(()), |zset| {
        let (start, end) = wanted.ranks(zset);
        let first = start + own.cursor as usize;
        for (member, score) in wanted.walk(zset, first).take(end - first) {
            let work = TAKE_WORK + member.len() / BYTES_PER_WORK;
            change.pace.step(0, work)?;
            made.put(member, |_| score);
            own.cursor += 1;
        }
        Ok(())
    });
    own.made = Some(made);
    let own = change.pace.keep(Kept::Combining, done, own)?;
    put_made(change, args.at(1), own);
    Ok(())
}

fn count(query: &mut Query<'_>, key: &[u8], range: Range<'_>) -> Outcome {
    let count = zset_at(query, key)?.map_or(0, |zset| {
        let (start, end) = Between::Of(range).ranks(zset, zset.len());
        end - start
    });
    query.reply.integer(count as i64);
    Ok(())
}

pub(super) fn zcount(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let range = Range::scores(args.at(2), args.at(3))?;
    count(query, args.at(1), range)
}

pub(super) fn zlexcount(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let range = Range::lex(args.at(2), args.at(3))?;
    count(query, args.at(1), range)
}

fn remove(change: &mut Change<'_>, key: &[u8], range: Between<'_>) -> Outcome {
    if let Some(mut zset) = change.store.zset_mut(change.db, key, change.at)? {
        while let Some(read) = zset.read() {
            // Ranks are those of the set as it was at first.
            let removed = change.pace.count as usize;
            let (start, end) = range.ranks(read, read.len() + removed);
            let end = match range {
                Between::Ranks(..) => end.saturating_sub(removed),
                Between::Of(_) => end,
            };
            if start >= end {
                break;
            }
            let most = (end - start).min(change.pace.steps(1));
            change.pace.step(0, most)?;
            for _ in 0..most {
                zset.remove_at(start);
            }
            change.pace.count += most as i64;
        }
    }
    change.reply.integer(change.pace.count);
    Ok(())
}

pub(super) fn zremrangebyrank(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let range = Between::Ranks(args.integer(2)?, args.integer(3)?);
    remove(change, args.at(1), range)
}

pub(super) fn zremrangebyscore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let range = Range::scores(args.at(2), args.at(3))?;
    remove(change, args.at(1), Between::Of(range))
}

pub(super) fn zremrangebylex(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let range = Range::lex(args.at(2), args.at(3))?;
    remove(change, args.at(1), Between::Of(range))
}
