//! A walk with a cursor over keys, or over the parts of a value, in pieces: what SCAN and its kin
//! share.

use core::mem;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::found::Found;
use super::pace::{Kept, Pace};
use crate::limits::BYTES_PER_WORK;
use crate::resp::reply::Reply;
use crate::store::glob;

/// The count of who wants all that there is, however long it takes.
const ALL: usize = i64::MAX as usize;

/// How many parts of a value are looked at in one step.
pub(super) const FIELDS_AT_ONCE: usize = 256;

/// The options of a walk, after its cursor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a> {
    pattern: Option<&'a [u8]>,
    pub(super) count: usize,
    pub(super) type_name: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    /// Reads MATCH and COUNT, and TYPE where there are types.
    pub(super) fn parse(words: Args<'a>, typed: bool) -> Result<Self, Error> {
        let mut found = Self {
            pattern: None,
            count: 10,
            type_name: None,
        };
        for place in (0..words.len()).step_by(2) {
            let value = words.get(place + 1).ok_or(Error::SYNTAX)?;
            if words.is(place, "count") {
                let count = words.integer(place + 1)?;
                if count < 1 {
                    return Err(Error::SYNTAX);
                }
                found.count = usize::try_from(count).unwrap_or(usize::MAX);
            } else if words.is(place, "match") {
                found.pattern = Some(value);
            } else if typed && words.is(place, "type") {
                found.type_name = Some(value);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(found)
    }

    /// Returns true if a name is to be shown.
    pub(super) fn likes(&self, name: &[u8]) -> bool {
        self.pattern
            .is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// A cursor as `strtoul` reads one whole.
pub(super) fn cursor(text: &[u8]) -> Result<u64, Error> {
    let digits = match text {
        [b'+' | b'-', rest @ ..] if !rest.is_empty() => rest,
        _ => text,
    };
    let mut value = 0_u64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Error::INVALID_CURSOR);
        }
        value = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
            .ok_or(Error::INVALID_CURSOR)?;
    }
    let negative = text.first() == Some(&b'-');
    Ok(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// The head of the reply of a walk: where it goes on. The found names are written after it.
pub(super) fn write_cursor(reply: &mut Reply<'_>, next: u64) {
    reply.array(2);
    reply.bulk_fmt(format_args!("{next}"));
}

/// Answers a walk over the members of the value at the first key, as HSCAN and its kin do. `find`
/// finds the value; `scan` shows about so many of its members from a cursor on, each with what is
/// answered after it, and returns the cursor to go on with.
pub(super) fn scan_members<'s, T: Copy>(
    query: &mut Query<'s>,
    args: Args<'_>,
    find: fn(&Query<'s>, &[u8]) -> Result<Option<T>, Error>,
    scan: impl Fn(T, u64, usize, &mut dyn FnMut(&[u8], Option<&[u8]>)) -> u64,
) -> Outcome {
    let cursor = cursor(args.at(2))?;
    // As in Redis, an absent key or another type is found out before the words behind the cursor
    // are read.
    let Some(value) = find(query, args.at(1))? else {
        write_cursor(&mut query.reply, 0);
        query.reply.array(0);
        return Ok(());
    };
    let options = Options::parse(args.from(3), false)?;
    let protocol = query.reply.protocol();
    let mut show = |cursor, most, found: &mut Found| {
        let mut shown = 0;
        let next = scan(value, cursor, most, &mut |member, behind| {
            shown += 1;
            if options.likes(member) {
                found.push(protocol, member);
                if let Some(text) = behind {
                    found.push(protocol, text);
                }
            }
        });
        Ok((next, shown))
    };
    let (next, found) = walk(query.pace, cursor, options.count, &mut show)?;
    write_cursor(&mut query.reply, next);
    found.write_to(&mut query.reply);
    Ok(())
}

/// A walk in steps: what one step shows at a cursor, at most so many, and where it goes on then.
pub(super) type Show<'s> = dyn FnMut(u64, usize, &mut Found) -> Result<(u64, usize), Error> + 's;

/// Walks from `cursor` on until `count` are shown, a step shows fewer than it might, or all are.
pub(super) fn walk(
    pace: &mut Pace,
    cursor: u64,
    count: usize,
    show: &mut Show<'_>,
) -> Result<(u64, Found), Error> {
    let mut cursor = pace.from(cursor);
    let mut found = match mem::take(&mut pace.kept) {
        Kept::Found(found) => found,
        _ => Found::default(),
    };
    loop {
        let left = count - found.shown.min(count);
        let most = left.min(pace.steps(1)).min(FIELDS_AT_ONCE);
        if let Err(unfinished) = pace.step(cursor, most) {
            pace.kept = Kept::Found(found);
            return Err(unfinished);
        }
        let before = found.bytes.len();
        let (next, shown) = show(cursor, most, &mut found)?;
        pace.pay((found.bytes.len() - before) / BYTES_PER_WORK);
        found.shown += shown;
        // Dead keys and the pace make a step show fewer: who wants all is not to see them.
        let ends_early = shown < most && count < ALL;
        if next == 0 || ends_early || found.shown >= count {
            return Ok((next, found));
        }
        cursor = next;
    }
}
