//! Elements that stand close together in one string, in the four forms in which Redis has them.

use super::element::{BadPayload, Element};

/// The form in which elements stand close together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Since Redis 7.
    Listpack,
    /// Before that.
    Ziplist,
    /// Fields and their values, before that.
    Zipmap,
    /// Integers in their order.
    Intset,
}

/// The byte behind the last element of all forms but the last.
const END: u8 = 0xff;

impl Form {
    /// The place of the first element in such a string.
    pub(super) fn first(self, bytes: &[u8]) -> Result<usize, BadPayload> {
        let len = bytes.len() as u64;
        let (head, said) = match self {
            // It has only one byte for a count, which does not count beyond 253.
            Self::Zipmap => (1, len),
            Self::Listpack => (6, length(bytes, 0)?),
            Self::Ziplist => (10, length(bytes, 0)?),
            Self::Intset => {
                let (width, count) = (width(bytes)?, length(bytes, 4)?);
                (8, 8 + count * width as u64)
            }
        };
        let ends = self == Self::Intset || bytes.last() == Some(&END);
        if said != len || bytes.len() < head || !ends {
            return Err(BadPayload);
        }
        Ok(head)
    }

    /// The value of a field that ends at a place, and the place of the next field.
    pub(super) fn value(self, bytes: &[u8], at: usize) -> Found<'_> {
        match self {
            Self::Zipmap => zipmap(bytes, at, 1),
            form => form.element(bytes, at),
        }
    }

    /// The element at a place, and the place of the next; nothing behind the last.
    pub(super) fn element(self, bytes: &[u8], at: usize) -> Found<'_> {
        match self {
            Self::Listpack => listpack(bytes, at),
            Self::Ziplist => ziplist(bytes, at),
            Self::Zipmap => zipmap(bytes, at, 0),
            Self::Intset if at == bytes.len() => Ok(None),
            Self::Intset => {
                let width = width(bytes)?;
                let number = number(bytes, at, width)?;
                Ok(Some((Element::Integer(number), at + width)))
            }
        }
    }
}

/// How many bytes each integer of an intset has.
fn width(bytes: &[u8]) -> Result<usize, BadPayload> {
    match number(bytes, 0, 4)? {
        width @ (2 | 4 | 8) => Ok(width as usize),
        _ => Err(BadPayload),
    }
}

/// A length, or a count.
fn length(bytes: &[u8], at: usize) -> Result<u64, BadPayload> {
    Ok(u64::from(number(bytes, at, 4)? as u32))
}

fn part(bytes: &[u8], at: usize, len: usize) -> Result<&[u8], BadPayload> {
    let end = at.checked_add(len).ok_or(BadPayload)?;
    bytes.get(at..end).ok_or(BadPayload)
}

/// A little-endian integer of so many bytes, with its sign.
fn number(bytes: &[u8], at: usize, width: usize) -> Result<i64, BadPayload> {
    let own = part(bytes, at, width)?;
    let mut whole = [0; 8];
    whole[..width].copy_from_slice(own);
    let shift = 64 - 8 * width as u32;
    Ok(i64::from_le_bytes(whole) << shift >> shift)
}

/// An unsigned big-endian integer.
fn big(bytes: &[u8], at: usize, width: usize) -> Result<usize, BadPayload> {
    let own = part(bytes, at, width)?;
    Ok(own
        .iter()
        .fold(0, |all, byte| all << 8 | usize::from(*byte)))
}

type Found<'a> = Result<Option<(Element<'a>, usize)>, BadPayload>;

fn listpack(bytes: &[u8], at: usize) -> Found<'_> {
    let first = *bytes.get(at).ok_or(BadPayload)?;
    let low = |mask: u8| usize::from(first & mask);
    let next = |at: usize| {
        bytes
            .get(at)
            .map(|byte| usize::from(*byte))
            .ok_or(BadPayload)
    };
    let (head, length, integer) = match first {
        0..0x80 => (1, 0, Some(i64::from(first))),
        0x80..0xc0 => (1, low(0x3f), None),
        0xc0..0xe0 => {
            let raw = (low(0x1f) << 8 | next(at + 1)?) as i64;
            (2, 0, Some(raw << 51 >> 51))
        }
        0xe0..0xf0 => (2, low(0x0f) << 8 | next(at + 1)?, None),
        0xf0 => {
            let length = length(bytes, at + 1)?;
            (5, length as usize, None)
        }
        0xf1..=0xf4 => {
            let width = [2, 3, 4, 8][usize::from(first - 0xf1)];
            (1 + width, 0, Some(number(bytes, at + 1, width)?))
        }
        END if at + 1 == bytes.len() => return Ok(None),
        _ => return Err(BadPayload),
    };
    let element = match integer {
        Some(integer) => Element::Integer(integer),
        None => Element::Bytes(part(bytes, at + head, length)?),
    };
    let size = head + length;
    // Behind each element stands how long it is, for walks back.
    let back = match size {
        0..128 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    part(bytes, at, size + back)?;
    Ok(Some((element, at + size + back)))
}

fn ziplist(bytes: &[u8], at: usize) -> Found<'_> {
    match *bytes.get(at).ok_or(BadPayload)? {
        END if at + 1 == bytes.len() => return Ok(None),
        END => return Err(BadPayload),
        _ => {}
    }
    // How long the element before it is.
    let at = at + if bytes[at] == 0xfe { 5 } else { 1 };
    let first = *bytes.get(at).ok_or(BadPayload)?;
    let low = usize::from(first & 0x3f);
    let (head, length) = match first {
        0..0x40 => (1, low),
        0x40..0x80 => (2, low << 8 | big(bytes, at + 1, 1)?),
        0x80 => (5, big(bytes, at + 1, 4)?),
        0xc0 | 0xd0 | 0xe0 | 0xf0 | 0xfe => {
            let width = match first {
                0xc0 => 2,
                0xd0 => 4,
                0xe0 => 8,
                0xf0 => 3,
                _ => 1,
            };
            let integer = number(bytes, at + 1, width)?;
            return Ok(Some((Element::Integer(integer), at + 1 + width)));
        }
        0xf1..=0xfd => {
            let integer = i64::from(first & 0x0f) - 1;
            return Ok(Some((Element::Integer(integer), at + 1)));
        }
        _ => return Err(BadPayload),
    };
    let element = Element::Bytes(part(bytes, at + head, length)?);
    Ok(Some((element, at + head + length)))
}

/// A field or, with one byte more that tells how many are unused behind it, a value.
fn zipmap(bytes: &[u8], at: usize, more: usize) -> Found<'_> {
    let (head, length) = match *bytes.get(at).ok_or(BadPayload)? {
        END if at + 1 == bytes.len() => return Ok(None),
        254 => (5, length(bytes, at + 1)? as usize),
        END => return Err(BadPayload),
        length => (1, usize::from(length)),
    };
    let unused = match more {
        0 => 0,
        _ => usize::from(*bytes.get(at + head).ok_or(BadPayload)?),
    };
    let element = Element::Bytes(part(bytes, at + head + more, length)?);
    let next = at + head + more + length + unused;
    part(bytes, at, next - at)?;
    Ok(Some((element, next)))
}
