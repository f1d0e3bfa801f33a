//! The arguments of one request: ranges of a buffer that somebody else holds.

use core::ops::Range;

use super::error::Error;
use crate::limits::DATABASES;
use crate::store::DbId;

/// A request's arguments; the first is the command's name.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    buffer: &'a [u8],
    ranges: &'a [Range<u32>],
}

impl<'a> Args<'a> {
    /// Arguments that stand at `ranges` of `buffer`.
    pub fn new(buffer: &'a [u8], ranges: &'a [Range<u32>]) -> Self {
        Self { buffer, ranges }
    }

    /// How many there are, the name included.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Returns true if there is not even a name.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The command's name as the client spelled it.
    pub fn name(&self) -> &'a [u8] {
        self.at(0)
    }

    /// The argument at `place`, which the arity of the row has promised; empty where it did not.
    pub fn at(&self, place: usize) -> &'a [u8] {
        self.get(place).unwrap_or_default()
    }

    /// The argument at `place`, if there is one.
    pub fn get(&self, place: usize) -> Option<&'a [u8]> {
        let range = self.ranges.get(place)?;
        self.buffer.get(range.start as usize..range.end as usize)
    }

    /// The arguments from `place` on.
    #[must_use]
    pub fn from(&self, place: usize) -> Args<'a> {
        Args {
            buffer: self.buffer,
            ranges: self.ranges.get(place..).unwrap_or_default(),
        }
    }

    /// The arguments from `place` to before `end`, which both are within them.
    #[must_use]
    pub fn between(&self, place: usize, end: usize) -> Args<'a> {
        Args {
            buffer: self.buffer,
            ranges: self.ranges.get(place..end).unwrap_or_default(),
        }
    }

    /// All arguments in order, the name first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let buffer = self.buffer;
        self.ranges
            .iter()
            .map(move |r| &buffer[r.start as usize..r.end as usize])
    }

    /// Returns true if the argument at `place` is this word, in any case.
    pub fn is(&self, place: usize, word: &str) -> bool {
        self.at(place).eq_ignore_ascii_case(word.as_bytes())
    }

    /// The argument at `place` as an integer, in the strict form that Redis demands.
    pub fn integer(&self, place: usize) -> Result<i64, Error> {
        parse_integer(self.at(place)).ok_or(Error::NOT_AN_INTEGER)
    }

    /// The argument at `place` as an integer whose negative is one as well.
    pub(super) fn negatable(&self, place: usize) -> Result<i64, Error> {
        match self.integer(place)? {
            i64::MIN => Err(Error::out_of_range(-i64::MAX, i64::MAX)),
            number => Ok(number),
        }
    }

    /// The place after the keys whose number is the argument at `place`, if that fits.
    pub(super) fn end_of_keys(&self, place: usize) -> Result<Option<usize>, Error> {
        let keys = self.at_least(place, 1, Error::KEYS_NOT_POSITIVE)?;
        let keys = usize::try_from(keys).ok();
        Ok(keys.and_then(|keys| keys.checked_add(place + 1)))
    }

    /// The argument at `place` as a number that is `least` or more; `error` where it is none.
    pub(super) fn at_least(&self, place: usize, least: u64, error: Error) -> Result<u64, Error> {
        let number = parse_integer(self.at(place)).and_then(|number| u64::try_from(number).ok());
        number.filter(|number| *number >= least).ok_or(error)
    }

    /// The number behind COUNT, where that may stand at `place` and nothing else; 1 without it. As
    /// in Redis, the number is looked at before what is behind it.
    pub(super) fn last_count(&self, place: usize) -> Result<u64, Error> {
        if place == self.len() {
            return Ok(1);
        }
        if !self.is(place, "count") || place + 1 == self.len() {
            return Err(Error::SYNTAX);
        }
        let count = self.at_least(place + 1, 1, Error::COUNT_NOT_POSITIVE)?;
        if place + 2 < self.len() {
            return Err(Error::SYNTAX);
        }
        Ok(count)
    }

    /// The database that the argument at `place` names.
    pub fn database(&self, place: usize) -> Result<DbId, Error> {
        let (min, max) = (i64::from(i32::MIN), i64::from(i32::MAX));
        let number = self.integer(place)?;
        if !(min..=max).contains(&number) {
            return Err(Error::out_of_range(min, max));
        }
        match DbId::try_from(number) {
            Ok(db) if db < DATABASES => Ok(db),
            _ => Err(Error::DB_OUT_OF_RANGE),
        }
    }
}

/// An integer as Redis reads one: no spaces, no plus sign, no leading zeros.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] => return (!negative).then_some(0),
        [] | [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut magnitude = 0_u64;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(value))?;
    }
    if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_strictly_as_redis_reads_them() {
        let good: [(&[u8], i64); 6] = [
            (b"0", 0),
            (b"-1", -1),
            (b"10", 10),
            (b"9223372036854775807", i64::MAX),
            (b"-9223372036854775808", i64::MIN),
            (b"123456789", 123_456_789),
        ];
        for (text, value) in good {
            assert_eq!(parse_integer(text), Some(value));
        }
        let bad: [&[u8]; 11] = [
            b"",
            b"-",
            b"+1",
            b"01",
            b"-0",
            b" 1",
            b"1 ",
            b"1a",
            b"9223372036854775808",
            b"-9223372036854775809",
            b"99999999999999999999",
        ];
        for text in bad {
            assert_eq!(parse_integer(text), None, "{text:?}");
        }
    }
}
