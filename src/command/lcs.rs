//! LCS: the longest subsequence that two strings share.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::args::Args;
use super::context::Query;
use super::error::{Error, Outcome};
use super::pace::Kept;
use super::strings::text;
use crate::limits::BULK_BYTES_MAX;
use crate::resp::reply::Reply;
use crate::store::Text;

/// So many pairs of bytes cost as much as a step.
const PAIRS_PER_WORK: usize = 256;

/// What LCS is asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    len: bool,
    ranges: bool,
    with_len: bool,
    min: u64,
}

impl Wishes {
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

/// The lengths of the subsequences of all beginnings, reduced to what the way back asks of them.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The row above, overwritten from left to right; place 0 is the empty beginning.
    row: Vec<u32>,
    /// One bit for each pair of places: whether leaving a byte of the first string loses nothing,
    /// and leaving one of the second would. Empty where only the length is wanted.
    up: Vec<u64>,
    width: usize,
    /// How many pairs are done.
    done: usize,
    /// What stood above and to the left of the next pair.
    diagonal: u32,
}

impl Table {
    fn new(a: &[u8], b: &[u8], with_way: bool) -> Self {
        let bits = if with_way { a.len() * b.len() } else { 0 };
        Self {
            row: vec![0; b.len() + 1],
            up: vec![0; bits.div_ceil(64)],
            width: b.len(),
            done: 0,
            diagonal: 0,
        }
    }

    /// How long the whole subsequence is.
    fn len(&self) -> u32 {
        self.row[self.width]
    }

    /// Does so many pairs more, in one row; whether any is left.
    fn advance(&mut self, a: &[u8], b: &[u8], most: usize) -> bool {
        if self.width == 0 || self.done == a.len() * self.width {
            return false;
        }
        let (i, first) = (self.done / self.width, self.done % self.width);
        let end = self.width.min(first.saturating_add(most.max(1)));
        let with_way = !self.up.is_empty();
        let (byte, row) = (a[i], &mut self.row);
        let mut diagonal = if first == 0 { 0 } else { self.diagonal };
        for j in first..end {
            let above = row[j + 1];
            let left = row[j];
            row[j + 1] = if byte == b[j] {
                diagonal + 1
            } else {
                if with_way && above > left {
                    let bit = i * self.width + j;
                    self.up[bit / 64] |= 1 << (bit % 64);
                }
                above.max(left)
            };
            diagonal = above;
        }
        self.diagonal = diagonal;
        self.done += end - first;
        true
    }

    fn goes_up(&self, i: usize, j: usize) -> bool {
        let bit = i * self.width + j;
        self.up[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// A stretch that both strings share: its first places, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Match {
    a: usize,
    b: usize,
    len: usize,
}

/// Walks from the ends to the fronts, as Redis does, and gives the stretches in that order.
fn matches(table: &Table, a: &[u8], b: &[u8]) -> Vec<Match> {
    let mut found = Vec::new();
    let mut open: Option<Match> = None;
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            i -= 1;
            j -= 1;
            let len = open.map_or(0, |stretch| stretch.len) + 1;
            open = Some(Match { a: i, b: j, len });
        } else {
            found.extend(open.take());
            if table.goes_up(i - 1, j - 1) {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }
    found.extend(open);
    found
}

/// Refuses what would take Redis more transient memory than it allows itself.
fn check_size(a: usize, b: usize) -> Outcome {
    let cells = (a as u128 + 1) * (b as u128 + 1);
    if cells * 4 > u128::from(BULK_BYTES_MAX) {
        return Err(Error::LCS_TOO_LARGE);
    }
    Ok(())
}

fn write_ranges(reply: &mut Reply<'_>, wishes: Wishes, found: &[Match], len: u32) {
    let wanted = |stretch: &&Match| stretch.len as u64 >= wishes.min;
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(found.iter().filter(wanted).count());
    for stretch in found.iter().filter(wanted) {
        reply.array(if wishes.with_len { 3 } else { 2 });
        for first in [stretch.a, stretch.b] {
            reply.array(2);
            reply.integer(first as i64);
            reply.integer((first + stretch.len - 1) as i64);
        }
        if wishes.with_len {
            reply.integer(stretch.len as i64);
        }
    }
    reply.bulk(b"len");
    reply.integer(i64::from(len));
}

pub(super) fn lcs(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let string = |place| match text(query, args.at(place)) {
        Err(error) if error == Error::WRONG_TYPE => Err(Error::LCS_NOT_STRINGS),
        found => found.map(|found| found.unwrap_or(Text::Bytes(b""))),
    };
    let (a, b) = (string(1)?, string(2)?);
    let wishes = Wishes::parse(args)?;
    check_size(a.len(), b.len())?;
    let (mut of_a, mut of_b) = ([0; 20], [0; 20]);
    let (a, b) = (&*a.as_bytes(&mut of_a), &*b.as_bytes(&mut of_b));
    let mut table = match mem::take(&mut query.pace.kept) {
        Kept::Table(table) => table,
        _ => Box::new(Table::new(a, b, !wishes.len)),
    };
    loop {
        if let Err(unfinished) = query.pace.step(0, 1) {
            query.pace.kept = Kept::Table(table);
            return Err(unfinished);
        }
        let (before, most) = (
            table.done,
            query.pace.steps(1).saturating_mul(PAIRS_PER_WORK),
        );
        if !table.advance(a, b, most) {
            break;
        }
        query.pace.pay((table.done - before) / PAIRS_PER_WORK);
    }
    if wishes.len {
        query.reply.integer(i64::from(table.len()));
        return Ok(());
    }
    let found = matches(&table, a, b);
    if wishes.ranges {
        write_ranges(&mut query.reply, wishes, &found, table.len());
        return Ok(());
    }
    let mut shared = Vec::with_capacity(table.len() as usize);
    for stretch in found.iter().rev() {
        shared.extend_from_slice(&a[stretch.a..stretch.a + stretch.len]);
    }
    query.reply.bulk(&shared);
    Ok(())
}
