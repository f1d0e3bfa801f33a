//! Walks over the members of a set in pieces, and what the commands on sets share besides.

use super::context::Query;
use super::error::{Error, Outcome};
use super::pace::Pace;
use super::strings::answer;
use super::walk::FIELDS_AT_ONCE;
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Reply;
use crate::store::{Set, Text, Value};

/// The set at a key of a query.
pub(super) fn set_at<'s>(query: &Query<'s>, key: &[u8]) -> Result<Option<Set<'s>>, Error> {
    query.get_as(key, Value::as_set)
}

/// Walks over a set in pieces, from `cursor` on; `take` says what each member costs beside the
/// walk.
pub(super) fn walk(
    pace: &mut Pace,
    set: Set<'_>,
    cursor: &mut u64,
    take: &mut dyn FnMut(Text<'_>) -> usize,
) -> Outcome {
    loop {
        let count = pace.steps(1).min(FIELDS_AT_ONCE).min(set.len());
        pace.step(*cursor, count)?;
        let mut work = 0;
        *cursor = set.walk(*cursor, count, &mut |member| work += take(member));
        pace.pay(work);
        if *cursor == 0 {
            return Ok(());
        }
    }
}

/// Answers the members of a set in pieces, from `cursor` on; the head of the reply is written.
pub(super) fn answer_all(
    pace: &mut Pace,
    reply: &mut Reply<'_>,
    set: Set<'_>,
    cursor: &mut u64,
) -> Outcome {
    walk(pace, set, cursor, &mut |member| {
        answer(reply, Some(member));
        member.len() / BYTES_PER_WORK
    })
}
