//! Reading ahead in the store: where the keys stand of requests that a client has sent at once, and
//! of the commands of one entry.

use alloc::vec::Vec;
use core::iter;
use core::ops::Range;

use crate::limits::KEYS_FETCHED;
use crate::resp::parse::{Limits, Parser, Step};
use crate::store::{DbId, Store};

use super::entry::{Item, Reader};

/// Requests with more arguments are not looked at: to do so twice costs more than it gains.
const ARGUMENTS_MAX: usize = 8;
const LIMITS: Limits = Limits {
    arguments_max: ARGUMENTS_MAX as u64,
    ..Limits::normal()
};

/// Lets the processor read where the first keys of a client's next requests stand, with a parser of
/// which only the memory is kept. Returns for how many requests that was done, or need not be; at
/// least one.
pub(super) fn fetch_requests(store: &Store, db: DbId, bytes: &[u8], parser: &mut Parser) -> usize {
    if !store.is_far(db) {
        return KEYS_FETCHED;
    }
    let (mut at, mut count) = (0, 0);
    parser.restart();
    let keys = iter::from_fn(|| {
        let rest = bytes.get(at..).filter(|rest| rest.starts_with(b"*"))?;
        let Ok(Step::Request { consumed }) = parser.next(rest, &LIMITS) else {
            return None;
        };
        let key = parser.arguments().get(1)?;
        (at, count) = (at + consumed, count + 1);
        rest.get(key.start as usize..key.end as usize)
    });
    store.fetch(db, keys);
    count.max(1)
}

/// The same for the commands of an entry from a place in its payload on; the ranges are memory that
/// is used again.
pub(super) fn fetch_commands(
    store: &Store,
    payload: &[u8],
    at: usize,
    ranges: &mut Vec<Range<u32>>,
) -> usize {
    let Some(Item::Command { db }) = Reader::at(payload, at).next(ranges) else {
        return 1;
    };
    if !store.is_far(db) {
        return KEYS_FETCHED;
    }
    let (mut reader, mut count) = (Reader::at(payload, at), 0);
    let keys = iter::from_fn(|| {
        let item = reader.next(ranges)?;
        if !matches!(item, Item::Command { db: other } if other == db) {
            return None;
        }
        let key = ranges.get(1).filter(|_| ranges.len() <= ARGUMENTS_MAX)?;
        count += 1;
        payload.get(key.start as usize..key.end as usize)
    });
    store.fetch(db, keys);
    count.max(1)
}

#[cfg(test)]
mod tests;
