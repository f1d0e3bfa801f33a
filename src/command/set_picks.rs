//! Members of sets by chance: SPOP, which takes them out, and SRANDMEMBER, which looks only.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::args::Args;
use super::context::{Change, Query};
use super::error::{Error, Outcome};
use super::making::{Making, Stage};
use super::pace::Kept;
use super::picks::{self, Source, WALK_SHARE, pick_work};
use super::set_walk::{self, set_at};
use super::strings::answer;
use super::walk::FIELDS_AT_ONCE;
use crate::limits::BYTES_PER_WORK;
use crate::store::{NewExpiry, Set, Text};

/// If a set is at most a part in so many of what is taken out of it, the rest is put aside and the
/// set given away as a whole.
const REST_SHARE: u64 = 5;

pub(super) fn spop(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 => {}
        3 => {
            return pop_many(
                change,
                args.at(1),
                args.at_least(2, 0, Error::MUST_BE_POSITIVE)?,
            );
        }
        _ => return Err(Error::SYNTAX),
    }
    let draw = change.dice.draw();
    let Some(mut set) = change.store.set_mut(change.db, args.at(1), change.at)? else {
        change.reply.null();
        return Ok(());
    };
    let member = set.read().and_then(|set| set.random(draw));
    answer(&mut change.reply, member);
    let member = member.map(Text::to_vec).unwrap_or_default();
    set.remove(&member);
    Ok(())
}

/// Takes up to `count` members out: all, by one draw each, all but those that are drawn to stay, or
/// those that are drawn in a walk over a large set.
fn pop_many(change: &mut Change<'_>, key: &[u8], count: u64) -> Outcome {
    let (db, at) = (change.db, change.at);
    let is_begun = change.pace.is_cut();
    let mut making = change.pace.making();
    if !is_begun {
        let set = change.store.set(db, key, at)?;
        let size = set.map_or(0, Set::len) as u64;
        change.reply.set(count.min(size) as usize);
        let rest = size.saturating_sub(count);
        match set {
            None => return Ok(()),
            Some(_) if count == 0 => return Ok(()),
            Some(_) if rest == 0 => making.stage = Stage::Walk,
            Some(set) => {
                making.stage = Stage::Draw;
                making.left = count;
                let is_mostly_taken = rest.saturating_mul(REST_SHARE) <= count;
                if is_mostly_taken {
                    making.made = Some(change.store.new_set_like(set));
                }
                if set.is_large() && count.saturating_mul(WALK_SHARE) > size {
                    making.stage = Stage::Choose;
                } else if is_mostly_taken {
                    making.left = rest;
                }
            }
        }
    }
    if making.stage == Stage::Choose {
        return choose_many(change, key, count, making);
    }
    let Some(mut set) = change.store.set_mut(db, key, at)? else {
        return Ok(());
    };
    if making.stage == Stage::Draw {
        change.dice.skip(making.passed);
        while making.left > 0 {
            let is_table = set.read().is_some_and(Set::is_large);
            if let Err(unfinished) = change.pace.step(0, pick_work(is_table)) {
                return change
                    .pace
                    .keep(Kept::Making, Err(unfinished), making)
                    .map(drop);
            }
            let member = set.read().and_then(|set| set.random(change.dice.draw()));
            let Some(member) = member else {
                break;
            };
            change.pace.pay(member.len() / BYTES_PER_WORK);
            if making.made.is_none() {
                answer(&mut change.reply, Some(member));
            }
            let member = member.to_vec();
            if let Some(made) = &mut making.made {
                made.add(&member);
            }
            set.remove(&member);
            making.passed += 1;
            making.left -= 1;
        }
        if making.made.is_none() {
            return Ok(());
        }
        making.stage = Stage::Walk;
    }
    if let Some(set) = set.read() {
        let done = set_walk::answer_all(change.pace, &mut change.reply, set, &mut making.cursor);
        making = change.pace.keep(Kept::Making, done, making)?;
    }
    match making.made {
        Some(rest) => change.store.put_set(db, key, rest, NewExpiry::Keep, at),
        None => drop(change.store.remove(db, key, at)),
    }
    Ok(())
}

/// Takes `count` members out of a large set in one walk, each with the chance that as many are
/// still to be taken of those that are left. Those that stay are put aside where they are few.
fn choose_many(
    change: &mut Change<'_>,
    key: &[u8],
    count: u64,
    mut making: Box<Making>,
) -> Outcome {
    let (db, at) = (change.db, change.at);
    change.dice.skip(making.passed);
    loop {
        let Some(mut set) = change.store.set_mut(db, key, at)? else {
            return Ok(());
        };
        let Some(read) = set.read() else {
            return Ok(());
        };
        let is_aside = making.made.is_some();
        // Those that were taken out are not there any more.
        let gone = if is_aside { 0 } else { count - making.left };
        let len = read.len() as u64 + gone;
        let most = change.pace.steps(1).min(FIELDS_AT_ONCE);
        if let Err(unfinished) = change.pace.step(0, most) {
            return change
                .pace
                .keep(Kept::Making, Err(unfinished), making)
                .map(drop);
        }
        let (mut taken, mut bytes) = (Vec::new(), 0);
        let Making {
            cursor,
            passed,
            left,
            made,
            ..
        } = &mut *making;
        let next = read.walk(*cursor, most, &mut |member| {
            let is_taken = change.dice.below(len - *passed) < *left;
            *passed += 1;
            if is_taken {
                *left -= 1;
                bytes += member.len();
                answer(&mut change.reply, Some(member));
            }
            match made {
                Some(rest) if !is_taken => {
                    rest.add(&member.as_bytes(&mut [0; 20]));
                }
                None if is_taken => taken.push(member.to_vec()),
                Some(_) | None => {}
            }
        });
        change.pace.pay(bytes / BYTES_PER_WORK);
        for member in taken {
            set.remove(&member);
        }
        making.cursor = next;
        if next == 0 || making.left == 0 && making.made.is_none() {
            break;
        }
    }
    if let Some(rest) = making.made {
        change.store.put_set(db, key, rest, NewExpiry::Keep, at);
    }
    Ok(())
}

pub(super) fn srandmember(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(Error::SYNTAX);
    }
    if args.len() == 2 {
        let draw = query.dice.draw();
        let set = set_at(query, args.at(1))?;
        picks::answer_one(query, set.map(Source::Set), draw);
        return Ok(());
    }
    let count = args.negatable(2)?;
    let set = set_at(query, args.at(1))?;
    picks::answer(query, set.map(Source::Set), (count, false))
}
