//! Sorted sets that are the result of a command, answered or stored.

use alloc::boxed::Box;

use super::members::answer_member;
use crate::command::combining::{Combining, Stage};
use crate::command::context::Change;
use crate::command::error::Outcome;
use crate::command::pace::Pace;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::{Protocol, Reply};

/// The work of taking a member: it is put into a table and into a tree.
pub(super) const TAKE_WORK: usize = 2;

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
    pace.free(made.is_large(), &mut |parts| made.dismantle(parts))
}

/// Lets a key hold the set that was made, whatever it held, and answers how many members it has.
pub(super) fn put_made(change: &mut Change<'_>, key: &[u8], own: Box<Combining>) {
    let made = own.made.unwrap_or_else(|| change.store.new_zset());
    change.reply.integer(made.len() as i64);
    change.store.put_zset(change.db, key, made, change.at);
}
