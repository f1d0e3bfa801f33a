//! Numbers of some bits within bytes: read, written, and added up.

use crate::command::args::parse_integer;
use crate::command::bit_work::Overflow;
use crate::command::error::Error;

/// The bytes that hold any field, wherever it begins in the first of them.
pub(super) const WINDOW: usize = 9;

/// How a number is kept: with so many bits, and a sign or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width {
    is_signed: bool,
    pub(super) bits: u32,
}

impl Width {
    /// The width that a word as `i16` or `u8` names.
    pub(super) fn read(word: &[u8]) -> Result<Self, Error> {
        let (sign, digits) = word.split_first().ok_or(Error::FIELD_TYPE)?;
        let is_signed = match sign {
            b'i' => true,
            b'u' => false,
            _ => return Err(Error::FIELD_TYPE),
        };
        // As in Redis, a zero byte ends it.
        let end = digits.iter().position(|byte| *byte == 0);
        let bits = parse_integer(&digits[..end.unwrap_or(digits.len())]);
        let most = if is_signed { 64 } else { 63 };
        match bits {
            Some(bits) if (1..=most).contains(&bits) => Ok(Self {
                is_signed,
                bits: bits as u32,
            }),
            _ => Err(Error::FIELD_TYPE),
        }
    }

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    /// The least and the greatest number that fit.
    fn range(self) -> (i128, i128) {
        if self.is_signed {
            let half = 1_i128 << (self.bits - 1);
            (-half, half - 1)
        } else {
            (0, i128::from(self.mask()))
        }
    }

    /// The number that these bits are.
    fn number(self, bits: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.is_signed {
            (bits << unused) as i64 >> unused
        } else {
            bits as i64
        }
    }

    /// How far the bits of a field that begins at a bit stand from the end of its window.
    fn shift(self, offset: u64) -> u32 {
        WINDOW as u32 * 8 - (offset % 8) as u32 - self.bits
    }

    /// The number at a bit, of which the first byte of the window has the first.
    pub(super) fn load(self, window: &[u8; WINDOW], offset: u64) -> i64 {
        let all = joined(window) >> self.shift(offset);
        self.number(all as u64 & self.mask())
    }

    /// Writes a number there.
    pub(super) fn keep(self, window: &mut [u8; WINDOW], offset: u64, number: i64) {
        let shift = self.shift(offset);
        let mask = u128::from(self.mask());
        let all = joined(window) & !(mask << shift) | (number as u128 & mask) << shift;
        for (place, byte) in window.iter_mut().rev().enumerate() {
            *byte = (all >> (8 * place)) as u8;
        }
    }

    /// The number that `given` becomes in such a field, or that comes of adding it to what is held;
    /// `None` where it does not fit and shall not be changed.
    pub(super) fn fit(self, held: Option<i64>, given: i64, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.range();
        let sum = match held {
            Some(held) => i128::from(held) + i128::from(given),
            // Without a sign, a number below zero counts as the one with the same bits.
            None if !self.is_signed => i128::from(given as u64),
            None => i128::from(given),
        };
        // In Redis the distance from such a number to the greatest leaves 64 bits, and it counts as
        // one that is too large.
        let is_far_below = held.is_none() && self.bits < 64 && max - sum > i128::from(i64::MAX);
        let nearest = if sum > max || is_far_below {
            max
        } else if sum < min {
            min
        } else {
            return Some(sum as i64);
        };
        match overflow {
            Overflow::Wrap => Some(self.number(sum as u64 & self.mask())),
            Overflow::Saturate => Some(nearest as i64),
            Overflow::Fail => None,
        }
    }
}

/// The bytes of a window as one number, the first the highest.
fn joined(window: &[u8; WINDOW]) -> u128 {
    window
        .iter()
        .fold(0, |all, byte| all << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn width(word: &str) -> Width {
        Width::read(word.as_bytes()).expect("a width")
    }

    #[test]
    fn widths_are_those_of_redis() {
        for bad in ["", "i", "u0", "i65", "u64", "x8", "i-1", "i08", "8", "i8 "] {
            assert!(Width::read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(width("i64").bits, 64);
        assert_eq!(width("u8\0x").bits, 8);
    }

    #[test]
    fn what_does_not_fit_wraps_saturates_or_fails() {
        let (i8, u8) = (width("i8"), width("u8"));
        for (width, held, given, wrapped, nearest) in [
            (i8, Some(127), 1, -128, 127),
            (i8, Some(-128), -1, 127, -128),
            (u8, Some(255), 2, 1, 255),
            (u8, Some(0), -1, 255, 0),
            (u8, None, -1, 255, 255),
            (i8, None, 200, -56, 127),
            (i8, None, -200, 56, -128),
            (i8, None, i64::MIN, 0, 127),
            (width("i64"), Some(i64::MAX), 1, i64::MIN, i64::MAX),
            (width("i64"), Some(i64::MIN), -1, i64::MAX, i64::MIN),
        ] {
            assert_eq!(width.fit(held, given, Overflow::Wrap), Some(wrapped));
            assert_eq!(width.fit(held, given, Overflow::Saturate), Some(nearest));
            assert_eq!(width.fit(held, given, Overflow::Fail), None);
        }
        assert_eq!(i8.fit(Some(100), 27, Overflow::Fail), Some(127));
    }

    proptest! {
        #[test]
        fn a_field_reads_as_it_was_written_and_touches_nothing_else(
            window: [u8; WINDOW],
            offset in 0_u64..8,
            bits in 1_u32..=64,
            is_signed: bool,
            number: i64,
        ) {
            let width = Width { is_signed: is_signed || bits == 64, bits };
            let number = width.number(number as u64 & width.mask());
            let mut written = window;
            width.keep(&mut written, offset, number);
            prop_assert_eq!(width.load(&written, offset), number);
            let bit = |window: &[u8; WINDOW], at: u64| {
                window[(at / 8) as usize] >> (7 - at % 8) & 1
            };
            for at in (0..WINDOW as u64 * 8).filter(|at| {
                !(offset..offset + u64::from(bits)).contains(at)
            }) {
                prop_assert_eq!(bit(&window, at), bit(&written, at));
            }
        }
    }
}
