//! Strings as they are shown: bytes, or an integer that is kept as such.

pub(in crate::store) mod made;
pub(in crate::store) mod rope;
pub(in crate::store) mod write;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;

use super::parts::{Parts, Show};
use crate::store::kind::Kind;
use rope::{CHUNK_BYTES, Rope};

/// The longest text whose encoding is called `embstr`, in bytes.
const EMBSTR_BYTES_MAX: usize = 44;

/// Room for the text of any `i64`.
pub type Scratch = [u8; 20];

/// The value of a string key.
///
/// A text that is set is kept as an integer where it is exactly how Redis would print an `i64`; all
/// else is bytes, and so is what INCRBYFLOAT leaves. Only OBJECT ENCODING shows the difference.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// An integer kept as such.
    Integer(i64),
    /// Any other string.
    Bytes(&'a [u8]),
    /// A short string that was appended to or overwritten in part.
    Raw(&'a [u8]),
    /// A string so long that it is kept in chunks.
    Rope(&'a Rope),
}

impl<'a> Text<'a> {
    /// The text of `bytes`: an integer where they are the canonical form of one.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        parse_i64(bytes).map_or(Self::Bytes(bytes), Self::Integer)
    }

    /// The integer that a small value of that kind is.
    pub(in crate::store) fn stored_integer(bytes: &[u8]) -> Self {
        let bytes = bytes.first_chunk().expect("an integer has eight bytes");
        Self::Integer(i64::from_le_bytes(*bytes))
    }

    /// The encoding as OBJECT ENCODING names it.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self {
            Self::Integer(_) => "int",
            Self::Bytes(bytes) if bytes.len() <= EMBSTR_BYTES_MAX => "embstr",
            Self::Bytes(_) | Self::Raw(_) | Self::Rope(_) => "raw",
        }
    }

    /// As which value it counts in a digest.
    pub(in crate::store) fn mark(self) -> &'static str {
        match self {
            Self::Raw(_) => "raw",
            Self::Integer(_) | Self::Bytes(_) | Self::Rope(_) => Rope::TYPE,
        }
    }

    /// Shows its chunks, each with its offset, as the parts of a base hold them.
    pub(in crate::store) fn show_items(self, show: Show<'_>) {
        let mut offset = 0u64;
        self.for_each_piece(&mut |piece| {
            for chunk in piece.chunks(CHUNK_BYTES) {
                show(&[&offset.to_le_bytes(), chunk]);
                offset += chunk.len() as u64;
            }
        });
    }

    /// Its length in bytes, as STRLEN tells it.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Integer(number) => digits(number),
            Self::Bytes(bytes) | Self::Raw(bytes) => bytes.len(),
            Self::Rope(rope) => rope.len(),
        }
    }

    /// Returns true if the text is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns true if it is the same text as another.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Bytes(one) | Self::Raw(one), Self::Bytes(other) | Self::Raw(other)) => {
                one == other
            }
            (Self::Rope(rope), text) | (text, Self::Rope(rope)) => {
                rope.is(&text.as_bytes(&mut [0; 20]))
            }
            (Self::Integer(number), text) | (text, Self::Integer(number)) => {
                text.as_i64() == Some(number)
            }
        }
    }

    /// The integer that the text is, where it is one in canonical form (as INCR wants it).
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            Self::Bytes(bytes) | Self::Raw(bytes) => parse_i64(bytes),
            // Longer than any integer.
            Self::Rope(_) => None,
        }
    }

    /// The text as bytes in one run: an integer is written into `scratch`, a rope copied together.
    #[must_use]
    pub fn as_bytes<'b>(self, scratch: &'b mut Scratch) -> Cow<'b, [u8]>
    where
        'a: 'b,
    {
        match self {
            Self::Integer(number) => Cow::Borrowed(format_i64(number, scratch)),
            Self::Bytes(bytes) | Self::Raw(bytes) => Cow::Borrowed(bytes),
            Self::Rope(_) => Cow::Owned(self.to_vec()),
        }
    }

    /// Shows the text piece by piece, without a copy of it.
    pub fn for_each_piece(self, show: &mut dyn FnMut(&[u8])) {
        self.for_each_piece_of(0..self.len(), show);
    }

    /// Shows a part of the text piece by piece; the range must lie within it.
    pub fn for_each_piece_of(self, range: Range<usize>, show: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Integer(number) => show(&format_i64(number, &mut [0; 20])[range]),
            Self::Bytes(bytes) | Self::Raw(bytes) => show(&bytes[range]),
            Self::Rope(rope) => rope.range(range.start, range.end).for_each(show),
        }
    }

    /// The byte at a place, as a string that goes on with zeros behind its end has it.
    #[must_use]
    pub fn byte(self, place: usize) -> u8 {
        let mut found = 0;
        if place < self.len() {
            self.for_each_piece_of(place..place + 1, &mut |piece| found = piece[0]);
        }
        found
    }

    /// Returns true if these bytes stand at `offset`.
    #[must_use]
    pub fn holds(self, offset: usize, bytes: &[u8]) -> bool {
        let Some(end) = offset.checked_add(bytes.len()) else {
            return false;
        };
        if self.len() < end {
            return false;
        }
        let (mut rest, mut is_same) = (bytes, true);
        self.for_each_piece_of(offset..end, &mut |piece| {
            let (front, behind) = rest.split_at(piece.len());
            is_same &= piece == front;
            rest = behind;
        });
        is_same
    }

    /// Appends the text to `out`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        self.for_each_piece(&mut |piece| out.extend_from_slice(piece));
    }

    /// The text as bytes of its own.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        self.write_to(&mut out);
        out
    }
}

/// Of which kind a string is that was written in part, and is no longer than a chunk: longer ones
/// than these are called `raw` anyway.
pub(in crate::store) const fn kind_of_written(len: usize) -> Kind {
    if len <= EMBSTR_BYTES_MAX {
        Kind::Raw
    } else {
        Kind::Bytes
    }
}

/// The integer whose canonical text `bytes` is: no plus sign, no leading zero, no `-0`, no blanks.
#[must_use]
pub fn parse_i64(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut magnitude: u64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        // Nineteen digits stay below 10^19, which a u64 holds.
        magnitude = magnitude * 10 + u64::from(digit - b'0');
    }
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// The canonical text of `number`, written into `scratch`.
#[must_use]
pub fn format_i64(number: i64, scratch: &mut Scratch) -> &[u8] {
    let mut at = scratch.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        scratch[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        scratch[at] = b'-';
    }
    &scratch[at..]
}

/// How many bytes the canonical text of `number` has.
fn digits(number: i64) -> usize {
    let magnitude = number.unsigned_abs();
    magnitude.checked_ilog10().map_or(1, |log| log as usize + 1) + usize::from(number < 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_canonical_texts_are_integers() {
        for (text, number) in [
            ("0", 0),
            ("-1", -1),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            let text = Text::of(text.as_bytes());
            assert!(matches!(text, Text::Integer(found) if found == number));
        }
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "00",
            " 1",
            "1 ",
            "1a",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
        ] {
            let bytes = text.as_bytes();
            assert!(
                matches!(Text::of(bytes), Text::Bytes(found) if found == bytes),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_shown_as_it_was_written(number: i64) {
            let written = number.to_string();
            let text = Text::of(written.as_bytes());
            prop_assert!(matches!(text, Text::Integer(found) if found == number));
            prop_assert_eq!(text.to_vec(), written.as_bytes());
            prop_assert_eq!(text.len(), written.len());
        }
    }
}
