//! Sorted sets that are the result of a command, answered or stored.

use alloc::boxed::Box;
use core::mem;

use super::members::answer_member;
use crate::command::combining::{Combining, Stage};
use crate::command::context::Change;
use crate::command::error::{Error, Outcome};
use crate::command::pace::{Kept, Pace};
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::{Protocol, Reply};
use crate::store::NewZset;

/// The work of taking a member: it is put into a table and into a tree.
pub(super) const TAKE_WORK: usize = 2;
/// The work of freeing a part of a large set, and how many are freed in one step.
const PART_WORK: usize = 16;

impl Combining {
    /// The command that stands in its middle, or a new one.
    pub(super) fn of(pace: &mut Pace) -> Box<Self> {
        match mem::take(&mut pace.kept) {
            Kept::Combining(combining) => combining,
            _ => Box::default(),
        }
    }

    /// Keeps it if it is not done. Returns it if it is.
    pub(super) fn keep(
        self: Box<Self>,
        pace: &mut Pace,
        done: Outcome,
    ) -> Result<Box<Self>, Error> {
        match done {
            Ok(()) => Ok(self),
            Err(Error::Unfinished) => {
                pace.kept = Kept::Combining(self);
                Err(Error::Unfinished)
            }
            Err(error) => Err(error),
        }
    }
}

/// Answers the set that was made in passing, with its scores where they are wanted, and frees it.
pub(super) fn answer_made(pace: &mut Pace, reply: &mut Reply<'_>, own: &mut Combining) -> Outcome {
    let nested = reply.protocol() == Protocol::Resp3;
    let Combining {
        stage,
        cursor,
        with_scores,
        made: Some(made),
        ..
    } = own
    else {
        return Ok(());
    };
    if !matches!(stage, Stage::Answer | Stage::Free) {
        let flat = if *with_scores && !nested { 2 } else { 1 };
        reply.array(made.len() * flat);
        (*stage, *cursor) = (Stage::Answer, 0);
    }
    if *stage == Stage::Answer {
        let entries = made.read().map(|zset| zset.walk(*cursor as usize));
        for entry in entries.into_iter().flatten() {
            pace.step(0, 1 + entry.0.len() / BYTES_PER_WORK)?;
            answer_member(reply, entry, *with_scores, nested);
            *cursor += 1;
        }
        *stage = Stage::Free;
    }
    free(pace, made)
}

/// Frees a set that was made in passing.
fn free(pace: &mut Pace, made: &mut NewZset) -> Outcome {
    while made.is_large() {
        let mut parts = pace.steps(PART_WORK).min(PART_WORK);
        pace.step(0, parts * PART_WORK)?;
        if !made.dismantle(&mut parts) {
            break;
        }
    }
    Ok(())
}

/// Lets a key hold the set that was made, whatever it held, and answers how many members it has.
pub(super) fn put_made(change: &mut Change<'_>, key: &[u8], own: Box<Combining>) {
    let made = own.made.unwrap_or_else(|| change.store.new_zset());
    change.reply.integer(made.len() as i64);
    change.store.put_zset(change.db, key, made, change.at);
}
