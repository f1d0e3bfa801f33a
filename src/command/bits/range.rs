//! Bits of a part of a string: how many are set, and which is the first that is set, or clear.

use core::ops::Range;

use super::place::{BYTES_PER_STEP, PIECE_BYTES, is_set};
use crate::command::args::Args;
use crate::command::context::Query;
use crate::command::error::{Error, Outcome};
use crate::command::pace::Pace;
use crate::command::strings::text;
use crate::store::Text;

/// A part of a string as a request names it: both ends count, from the end where they are negative.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: i64,
    end: Option<i64>,
    in_bits: bool,
}

impl Part {
    /// Reads the words from `place` on: a start, an end that may be missing, and what they count.
    fn read(args: Args<'_>, place: usize) -> Result<Self, Error> {
        let start = args.integer(place)?;
        let unit = place + 2;
        let in_bits = args.is(unit, "bit");
        if args.len() > unit && !in_bits && !args.is(unit, "byte") {
            return Err(Error::SYNTAX);
        }
        let end = if args.len() > place + 1 {
            Some(args.integer(place + 1)?)
        } else {
            None
        };
        Ok(Self {
            start,
            end,
            in_bits,
        })
    }

    /// The bits of a string of so many bytes that are in it.
    fn bits(self, bytes: usize) -> Range<u64> {
        let total = bytes as i64 * if self.in_bits { 8 } else { 1 };
        let from_front = |place: i64| {
            let place = if place < 0 {
                place.saturating_add(total)
            } else {
                place
            };
            place.max(0)
        };
        let start = from_front(self.start);
        let end = self.end.map_or(total - 1, from_front).min(total - 1);
        if start > end {
            return 0..0;
        }
        let width = if self.in_bits { 1 } else { 8 };
        start as u64 * width..(end as u64 + 1) * width
    }
}

/// The bytes in which these bits stand, of which there are some.
fn bytes_of(bits: &Range<u64>) -> Range<usize> {
    (bits.start / 8) as usize..bits.end.div_ceil(8) as usize
}

/// How many bits of these bytes are set.
fn ones(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let words = words
        .iter()
        .map(|word| u64::from(u64::from_le_bytes(*word).count_ones()));
    words.sum::<u64>()
        + rest
            .iter()
            .map(|byte| u64::from(byte.count_ones()))
            .sum::<u64>()
}

/// How many of the bits at both edges of a part, in its first and its last byte, are set and not in
/// it.
fn ones_beside(text: Text<'_>, bits: &Range<u64>) -> u64 {
    let bytes = bytes_of(bits);
    let before = u16::from(text.byte(bytes.start)) >> (8 - bits.start % 8);
    let behind = match bits.end % 8 {
        0 => 0,
        used => text.byte(bytes.end - 1) << used,
    };
    u64::from(before.count_ones()) + u64::from(behind.count_ones())
}

pub(super) fn bitcount(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let part = match args.len() {
        2 => None,
        4 | 5 => {
            // The end is read before the word behind it, unlike that of BITPOS.
            args.integer(2)?;
            args.integer(3)?;
            Some(Part::read(args, 2)?)
        }
        // As in Redis, an end cannot be missing here.
        _ => return Err(Error::SYNTAX),
    };
    let text = text(query, args.at(1))?.unwrap_or(Text::Bytes(b""));
    let bits = match part {
        None => 0..text.len() as u64 * 8,
        // Two ends that count from the end, in the wrong order, are nothing however long it is.
        Some(part) if part.start < 0 && part.end.is_some_and(|e| e < 0 && part.start > e) => 0..0,
        Some(part) => part.bits(text.len()),
    };
    if bits.is_empty() {
        query.reply.integer(0);
        return Ok(());
    }
    let bytes = bytes_of(&bits);
    let first = query.pace.from(bytes.start as u64) as usize;
    for place in (first..bytes.end).step_by(PIECE_BYTES) {
        let piece = next_piece(query.pace, place, bytes.end)?;
        let mut count = 0;
        text.for_each_piece_of(piece, &mut |bytes| count += ones(bytes));
        query.pace.count += count as i64;
    }
    let count = query.pace.count - ones_beside(text, &bits) as i64;
    query.reply.integer(count);
    Ok(())
}

/// The bytes of the next piece, which is paid for.
fn next_piece(pace: &mut Pace, place: usize, end: usize) -> Result<Range<usize>, Error> {
    let piece = place..end.min(place + PIECE_BYTES);
    pace.step(place as u64, 1 + piece.len() / BYTES_PER_STEP)?;
    Ok(piece)
}

/// The first bit in these bytes of a text that is like `wanted`, and is within `bits`.
fn find(text: Text<'_>, piece: Range<usize>, bits: &Range<u64>, wanted: bool) -> Option<u64> {
    let dull = if wanted { 0 } else { u8::MAX };
    let (mut place, mut found) = (piece.start, None);
    text.for_each_piece_of(piece, &mut |bytes| {
        let mut rest = bytes;
        while found.is_none()
            && let Some(nth) = rest.iter().position(|byte| *byte != dull)
        {
            let first = (place + bytes.len() - rest.len() + nth) as u64 * 8;
            let own = first.max(bits.start)..(first + 8).min(bits.end);
            found = { own }.find(|bit| is_set(rest[nth], *bit) == wanted);
            rest = &rest[nth + 1..];
        }
        place += bytes.len();
    });
    found
}

pub(super) fn bitpos(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let wanted = match args.integer(2)? {
        0 => false,
        1 => true,
        _ => return Err(Error::BIT_WANTED),
    };
    let part = match args.len() {
        3 => Part {
            start: 0,
            end: None,
            in_bits: false,
        },
        4..=6 => Part::read(args, 3)?,
        _ => return Err(Error::SYNTAX),
    };
    let Some(text) = text(query, args.at(1))? else {
        query.reply.integer(if wanted { -1 } else { 0 });
        return Ok(());
    };
    let bits = part.bits(text.len());
    if bits.is_empty() {
        query.reply.integer(-1);
        return Ok(());
    }
    let bytes = bytes_of(&bits);
    let first = query.pace.from(bytes.start as u64) as usize;
    for place in (first..bytes.end).step_by(PIECE_BYTES) {
        let piece = next_piece(query.pace, place, bytes.end)?;
        if let Some(bit) = find(text, piece, &bits, wanted) {
            query.reply.integer(bit as i64);
            return Ok(());
        }
    }
    // A string without an end that was asked for goes on with zeros.
    let behind = if wanted || part.end.is_some() {
        -1
    } else {
        text.len() as i64 * 8
    };
    query.reply.integer(behind);
    Ok(())
}
