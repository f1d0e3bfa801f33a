//! LCS: the longest subsequence that two strings share.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::grammar::{integer, key, opt, word};
use super::group::Group;
use super::key::{Keys, READ};
use super::pace::Kept;
use super::reach::Reach;
use super::row::Row;
use super::strings::text;
use super::subsequence::{Match, Table, matches};
use crate::limits::BULK_BYTES_MAX;
use crate::resp::reply::Reply;
use crate::store::Text;

pub(super) const ROWS: &[Row] = &[Row::read("lcs", -3, lcs)
    .reaches(Reach::Pairs)
    .group(Group::String)
    .since("7.0.0")
    .says("Finds the longest common subsequence of two strings.")
    .costs("O(N*M) where N and M are the lengths of the two strings.")
    .keys(&[Keys::range(1, 2, 1, READ)])
    .args(&[
        key("key1", 0),
        key("key2", 0),
        opt(word("LEN")),
        opt(word("IDX")),
        opt(integer("min-match-len").behind("MINMATCHLEN")),
        opt(word("WITHMATCHLEN")),
    ])];

/// So many pairs of bytes cost as much as a step.
const PAIRS_PER_WORK: usize = 256;

/// The options of LCS.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    len: bool,
    ranges: bool,
    with_len: bool,
    min: u64,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut place = 3;
        while place < args.len() {
            if args.is(place, "idx") {
                found.ranges = true;
            } else if args.is(place, "len") {
                found.len = true;
            } else if args.is(place, "withmatchlen") {
                found.with_len = true;
            } else if args.is(place, "minmatchlen") && place + 1 < args.len() {
                place += 1;
                found.min = args.integer(place)?.max(0) as u64;
            } else {
                return Err(Error::SYNTAX);
            }
            place += 1;
        }
        if found.ranges && found.len {
            return Err(Error::LCS_LEN_AND_IDX);
        }
        Ok(found)
    }
}

/// Refuses what would take Redis more transient memory than it allows itself.
fn check_size(a: usize, b: usize) -> Outcome {
    let cells = (a as u128 + 1) * (b as u128 + 1);
    if cells * 4 > u128::from(BULK_BYTES_MAX) {
        return Err(Error::LCS_TOO_LARGE);
    }
    Ok(())
}

fn write_ranges(reply: &mut Reply<'_>, options: Options, found: &[Match], len: u32) {
    let wanted = |stretch: &&Match| stretch.len as u64 >= options.min;
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(found.iter().filter(wanted).count());
    for stretch in found.iter().filter(wanted) {
        reply.array(if options.with_len { 3 } else { 2 });
        for first in [stretch.a, stretch.b] {
            reply.array(2);
            reply.integer(first as i64);
            reply.integer((first + stretch.len - 1) as i64);
        }
        if options.with_len {
            reply.integer(stretch.len as i64);
        }
    }
    reply.bulk(b"len");
    reply.integer(i64::from(len));
}

fn lcs(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let string = |place| match text(query, args.at(place)) {
        Err(error) if error == Error::WRONG_TYPE => Err(Error::LCS_NOT_STRINGS),
        found => found.map(|found| found.unwrap_or(Text::Bytes(b""))),
    };
    let (a, b) = (string(1)?, string(2)?);
    let options = Options::parse(args)?;
    check_size(a.len(), b.len())?;
    let (mut of_a, mut of_b) = ([0; 20], [0; 20]);
    let (a, b) = (&*a.as_bytes(&mut of_a), &*b.as_bytes(&mut of_b));
    let mut table = match mem::take(&mut query.pace.kept) {
        Kept::Table(table) => table,
        _ => Box::new(Table::new(a, b, !options.len)),
    };
    loop {
        let done = query.pace.step(0, 1);
        table = query.pace.keep(Kept::Table, done, table)?;
        let (before, most) = (
            table.done,
            query.pace.steps(1).saturating_mul(PAIRS_PER_WORK),
        );
        if !table.advance(a, b, most) {
            break;
        }
        query.pace.pay((table.done - before) / PAIRS_PER_WORK);
    }
    if options.len {
        query.reply.integer(i64::from(table.len()));
        return Ok(());
    }
    let found = matches(&table, a, b);
    if options.ranges {
        write_ranges(&mut query.reply, options, &found, table.len());
        return Ok(());
    }
    let mut shared = Vec::with_capacity(table.len() as usize);
    for stretch in found.iter().rev() {
        shared.extend_from_slice(&a[stretch.a..stretch.a + stretch.len]);
    }
    query.reply.bulk(&shared);
    Ok(())
}
