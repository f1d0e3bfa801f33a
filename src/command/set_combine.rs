//! Sets put together: intersections, unions and differences, answered, stored or counted.
//!
//! All keys are looked at first, since a wrong type goes before all else. Then members are walked
//! over in pieces: those of the smallest set for an intersection, of the first for a difference, of
//! all for a union, and a new set on the side tells which of these have come before. Those of a
//! piece are looked for in one of the other sets after the other, since these may be many.

use alloc::boxed::Box;
use core::mem;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::making::{Making, Stage};
use super::pace::{Kept, Pace};
use super::set_walk::set_at;
use super::walk::FIELDS_AT_ONCE;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Protocol;
use crate::store::{NewExpiry, Set};

/// How sets are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Intersection,
    Union,
    Difference,
}

/// The use of the members that remain.
#[derive(Clone, Copy, Debug)]
enum Use {
    Answer(Protocol),
    Store,
    /// They are counted, up to a limit.
    Count(u64),
}

/// The set at a key, in the query or change that asks.
type Look<'l, 's> = &'l dyn Fn(&[u8]) -> Result<Option<Set<'s>>, Error>;

/// Sets that are put together.
struct Sources<'l, 'a, 's> {
    how: How,
    keys: Args<'a>,
    look: Look<'l, 's>,
    wanted: Use,
}

impl Sources<'_, '_, '_> {
    /// Goes on as far as the pace allows.
    fn run(&self, pace: &mut Pace, making: &mut Making) -> Outcome {
        if making.stage == Stage::Look {
            let is_empty = self.look_at_keys(pace, making)?;
            making.stage = if is_empty { Stage::Free } else { Stage::Walk };
        }
        loop {
            match making.stage {
                Stage::Walk => self.walk(pace, making)?,
                Stage::Compare => self.compare(pace, making)?,
                Stage::Take => self.take_batch(pace, making)?,
                _ => break,
            }
        }
        match (&mut making.made, self.wanted) {
            (Some(made), Use::Answer(_)) => {
                pace.free(made.is_large(), &mut |parts| made.dismantle(parts))
            }
            _ => Ok(()),
        }
    }

    /// Looks at the types of all keys, and finds the one to begin with. Returns true if nothing can
    /// come out.
    fn look_at_keys(&self, pace: &mut Pace, making: &mut Making) -> Result<bool, Error> {
        while (making.passed as usize) < self.keys.len() {
            pace.step(0, 1)?;
            let place = making.passed as usize;
            let len = (self.look)(self.keys.at(place))?.map_or(0, Set::len) as u64;
            // The shortest so far is kept in `cursor`.
            if self.how == How::Intersection && (place == 0 || len < making.cursor) {
                (making.start, making.cursor) = (place, len);
            }
            making.passed += 1;
        }
        let shortest = mem::take(&mut making.cursor);
        (making.key, making.passed) = (making.start, 0);
        Ok(self.how == How::Intersection && shortest == 0)
    }

    /// Walks over the next members: takes those of a union, and gathers the others.
    fn walk(&self, pace: &mut Pace, making: &mut Making) -> Outcome {
        let ends = match self.how {
            How::Union => self.keys.len(),
            How::Intersection | How::Difference => making.start + 1,
        };
        let is_enough = matches!(self.wanted, Use::Count(most) if making.passed >= most);
        if making.key >= ends || is_enough {
            making.stage = Stage::Free;
            return Ok(());
        }
        pace.step(0, 1)?;
        let Some(set) = (self.look)(self.keys.at(making.key))? else {
            making.key += 1;
            return Ok(());
        };
        let most = pace.steps(1).min(FIELDS_AT_ONCE).min(set.len());
        let mut bytes = 0;
        let mut batch = mem::take(&mut making.batch);
        batch.clear();
        let next = set.walk(making.cursor, most, &mut |member| {
            let mut text = [0; 20];
            let member = member.as_bytes(&mut text);
            bytes += member.len();
            match self.how {
                How::Union => self.take(making, &member),
                How::Intersection | How::Difference => batch.push(&member, 0.0),
            }
        });
        pace.pay(most + bytes / BYTES_PER_WORK);
        making.batch = batch;
        making.cursor = next;
        making.key += usize::from(next == 0);
        if self.how != How::Union {
            (making.stage, making.other) = (Stage::Compare, 0);
        }
        Ok(())
    }

    /// Looks for the gathered members in the other sets, and drops those that do not remain.
    fn compare(&self, pace: &mut Pace, making: &mut Making) -> Outcome {
        while making.other < self.keys.len() && !making.batch.is_empty() {
            if making.other != making.start {
                pace.step(0, 1 + making.batch.len())?;
                if let Some(other) = (self.look)(self.keys.at(making.other))? {
                    let wanted = self.how == How::Intersection;
                    making.batch.retain(|member, score| {
                        (other.contains(member) == wanted).then_some(score)
                    });
                }
            }
            making.other += 1;
        }
        making.stage = Stage::Take;
        Ok(())
    }

    /// Takes the members that remain.
    fn take_batch(&self, pace: &mut Pace, making: &mut Making) -> Outcome {
        pace.step(0, making.batch.len())?;
        let batch = mem::take(&mut making.batch);
        for (member, _) in batch.iter() {
            self.take(making, member);
        }
        making.batch = batch;
        making.stage = Stage::Walk;
        Ok(())
    }

    fn take(&self, making: &mut Making, member: &[u8]) {
        let mut add = || making.made.as_mut().is_none_or(|made| made.add(member));
        match self.wanted {
            Use::Count(_) => making.passed += 1,
            Use::Store => {
                add();
            }
            Use::Answer(protocol) => {
                if add() {
                    making.found.push(protocol, member);
                }
            }
        }
    }
}

/// Lets a query put the sets at `keys` together. Returns what it has found, at the end.
fn ask(query: &mut Query<'_>, keys: Args<'_>, how: How, wanted: Use) -> Result<Box<Making>, Error> {
    // The pace is taken out of the query, which looks keys up meanwhile.
    let mut pace = mem::take(query.pace);
    let mut making = pace.making();
    if how == How::Union && making.made.is_none() {
        making.made = Some(query.store.new_set());
    }
    let look = &|key: &[u8]| set_at(query, key);
    let sources = Sources {
        how,
        keys,
        look,
        wanted,
    };
    let done = sources.run(&mut pace, &mut making);
    *query.pace = pace;
    query.pace.keep(Kept::Making, done, making)
}

fn answer(query: &mut Query<'_>, keys: Args<'_>, how: How) -> Outcome {
    let wanted = Use::Answer(query.reply.protocol());
    let making = ask(query, keys, how, wanted)?;
    making.found.write_set_to(&mut query.reply);
    Ok(())
}

/// Lets the first key hold what comes of the sets at the others.
fn store(change: &mut Change<'_>, args: Args<'_>, how: How) -> Outcome {
    let mut making = change.pace.making();
    let (store, db, at) = (&*change.store, change.db, change.at);
    if making.made.is_none() {
        making.made = Some(store.new_set());
    }
    let sources = Sources {
        how,
        keys: args.from(2),
        look: &|key| Ok(store.set(db, key, at)?),
        wanted: Use::Store,
    };
    let done = sources.run(change.pace, &mut making);
    let making = change.pace.keep(Kept::Making, done, making)?;
    let made = making.made.unwrap_or_else(|| store.new_set());
    change.reply.integer(made.len() as i64);
    change
        .store
        .put_set(db, args.at(1), made, NewExpiry::Never, at);
    Ok(())
}

pub(super) fn sinter(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    answer(query, args.from(1), How::Intersection)
}

pub(super) fn sunion(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    answer(query, args.from(1), How::Union)
}

pub(super) fn sdiff(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    answer(query, args.from(1), How::Difference)
}

pub(super) fn sinterstore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    store(change, args, How::Intersection)
}

pub(super) fn sunionstore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    store(change, args, How::Union)
}

pub(super) fn sdiffstore(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    store(change, args, How::Difference)
}

pub(super) fn sintercard(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let end = args.end_of_keys(1)?.filter(|end| *end <= args.len());
    let end = end.ok_or(Error::MORE_KEYS_THAN_ARGUMENTS)?;
    let mut limit = 0;
    for place in (end..args.len()).step_by(2) {
        if !args.is(place, "limit") || place + 1 == args.len() {
            return Err(Error::SYNTAX);
        }
        limit = args.at_least(place + 1, 0, Error::LIMIT_NEGATIVE)?;
    }
    let most = if limit == 0 { u64::MAX } else { limit };
    let making = ask(
        query,
        args.between(2, end),
        How::Intersection,
        Use::Count(most),
    )?;
    let counted = making.passed.min(most);
    query.reply.integer(counted as i64);
    Ok(())
}
