//! Floats of 80 bits, as the x87 keeps them: what INCRBYFLOAT computes in.
//!
//! Redis adds in the C type `long double`, prints 17 decimals and cuts the zeros behind them. If
//! that type has 80 bits, sums have a mantissa of 64 bits, and clients see the last of them. No
//! platform's floats are asked here, so that all members print the same.

use alloc::vec::Vec;

use super::big::Big;

/// The bits of a mantissa.
const PRECISION: u32 = 64;
/// The exponent of the lowest bit of the smallest numbers.
const LOWEST: i32 = -16_445;
/// The exponent of the lowest bit of the largest numbers.
const HIGHEST: i32 = 16_320;
/// The longest text that is read, in bytes: Redis's buffer without its end mark.
const TEXT_BYTES_MAX: usize = 5 * 1024 - 1;

/// A finite number: `mantissa * 2^exponent`.
///
/// The highest bit of the mantissa is one, but where the exponent is the lowest there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Finite {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// A number that is not NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extended(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Finite(Finite),
    Infinite,
}

impl Finite {
    /// The number nearest to `whole * 2^exponent`, and a little more where it is not `exact`; of
    /// two nearest the even one. `None` where it is too large.
    fn nearest(negative: bool, whole: u128, exponent: i32, exact: bool) -> Option<Self> {
        let bits = 128 - whole.leading_zeros();
        let excess = bits.saturating_sub(PRECISION) as i32;
        // Small numbers have fewer bits, since no exponent is below the lowest.
        let cut = excess.max(LOWEST.saturating_sub(exponent)).max(0) as u32;
        let kept = whole.checked_shr(cut).unwrap_or(0);
        let rest = whole - kept.checked_shl(cut).unwrap_or(0);
        let half = cut
            .checked_sub(1)
            .map_or(0, |place| 1_u128.checked_shl(place).unwrap_or(0));
        let up =
            cut > 0 && cut <= 128 && (rest > half || rest == half && (!exact || kept & 1 == 1));
        let mut mantissa = kept + u128::from(up);
        let mut exponent = exponent.saturating_add_unsigned(cut);
        if mantissa >> PRECISION != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
        let mut mantissa = mantissa as u64;
        if mantissa == 0 {
            exponent = LOWEST;
        } else {
            let room = exponent.saturating_sub(LOWEST).max(0) as u32;
            let places = mantissa.leading_zeros().min(room);
            mantissa <<= places;
            exponent -= places as i32;
        }
        (exponent <= HIGHEST).then_some(Self {
            negative,
            mantissa,
            exponent,
        })
    }

    fn sum(self, other: Self) -> Option<Self> {
        let (large, small) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        // One bit is left free for the carry.
        let head = u128::from(large.mantissa) << 63;
        let whole = u128::from(small.mantissa) << 63;
        let distance = large.exponent.abs_diff(small.exponent);
        let tail = whole.checked_shr(distance).unwrap_or(0);
        let exact = tail.checked_shl(distance).unwrap_or(0) == whole;
        let exponent = large.exponent - 63;
        if large.negative == small.negative {
            return Self::nearest(large.negative, head + tail, exponent, exact);
        }
        // What was cut from the tail makes the difference a little smaller: one less, and a rest.
        match head.checked_sub(tail + u128::from(!exact)) {
            Some(rest) => Self::nearest(large.negative, rest, exponent, exact),
            None => Self::nearest(small.negative, tail - head, exponent, exact),
        }
    }

    /// As `"%.17Lf"` prints it, without the zeros at its end.
    fn write(self, out: &mut Vec<u8>) {
        const DECIMALS: usize = 17;
        const SCALE: u128 = 100_000_000_000_000_000;
        let (mut digits, decimals) = if self.exponent >= 0 {
            let whole = Big::new(self.mantissa).shifted(self.exponent.unsigned_abs());
            (whole.into_decimal(), 0)
        } else {
            // 64 bits and 57 bits stay within 128.
            let scaled = u128::from(self.mantissa) * SCALE;
            let cut = self.exponent.unsigned_abs();
            let kept = scaled.checked_shr(cut).unwrap_or(0);
            let rest = scaled - kept.checked_shl(cut).unwrap_or(0);
            let half = 1_u128.checked_shl(cut - 1).unwrap_or(u128::MAX);
            let up = rest > half || rest == half && kept & 1 == 1;
            let mut rounded = kept + u128::from(up);
            let mut digits = Vec::new();
            while rounded > 0 {
                digits.push(b'0' + (rounded % 10) as u8);
                rounded /= 10;
            }
            (digits, DECIMALS)
        };
        while digits.len() <= decimals {
            digits.push(b'0');
        }
        let zeros = digits.iter().take(decimals).take_while(|d| **d == b'0');
        let zeros = zeros.count();
        // Redis knows no negative zero.
        if self.negative && digits.iter().any(|digit| *digit != b'0') {
            out.push(b'-');
        }
        out.extend(digits[decimals..].iter().rev());
        if zeros < decimals {
            out.push(b'.');
            out.extend(digits[zeros..decimals].iter().rev());
        }
    }
}

impl Extended {
    /// Zero.
    pub(super) const ZERO: Self = Self(Kind::Finite(Finite {
        negative: false,
        mantissa: 0,
        exponent: LOWEST,
    }));

    /// Reads what `strtold` takes in whole: decimal, hexadecimal or infinite, without space before
    /// it. Not what is NaN, rounds to infinity or, not being zero, rounds to zero.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Some(Self(Kind::Infinite));
        }
        let number = match rest {
            [b'0', b'x' | b'X', rest @ ..] => Spelled::parse(rest, 16)?.round_base_two(negative)?,
            _ => Spelled::parse(rest, 10)?.round_base_ten(negative)?,
        };
        Some(Self(Kind::Finite(number)))
    }

    /// The sum; `None` where that is infinite or no number.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        match (self.0, other.0) {
            (Kind::Finite(a), Kind::Finite(b)) => a.sum(b).map(|sum| Self(Kind::Finite(sum))),
            _ => None,
        }
    }

    /// Returns true if it is finite.
    pub(super) fn is_finite(self) -> bool {
        matches!(self.0, Kind::Finite(_))
    }

    /// A thousand times the number, computed in 80 bits and rounded up to a whole one; `None` where
    /// it leaves 64 bits.
    pub(super) fn thousandfold(self) -> Option<i64> {
        let Kind::Finite(number) = self.0 else {
            return None;
        };
        let whole = u128::from(number.mantissa) * 1000;
        let product = Finite::nearest(number.negative, whole, number.exponent, true)?;
        let mantissa = i128::from(product.mantissa);
        let up = i128::from(!product.negative);
        let magnitude = if product.mantissa == 0 {
            0
        } else if product.exponent > 0 {
            // The highest bit of the mantissa is one.
            return None;
        } else {
            let places = product.exponent.unsigned_abs();
            let kept = mantissa.checked_shr(places).unwrap_or(0);
            let is_whole = kept.checked_shl(places) == Some(mantissa);
            kept + if is_whole { 0 } else { up }
        };
        let sign = if product.negative { -1 } else { 1 };
        i64::try_from(sign * magnitude).ok()
    }

    /// The text that Redis keeps and answers.
    pub(super) fn to_text(self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.0 {
            Kind::Finite(number) => number.write(&mut out),
            Kind::Infinite => out.extend_from_slice(b"inf"),
        }
        out
    }
}

/// A number as it is written: `digits * base^exponent`, the base of the exponent being 10 or 2.
#[derive(Debug)]
struct Spelled {
    digits: Big,
    exponent: i64,
}

impl Spelled {
    /// Digits of base 10 or 16 with at most one point, and an exponent (of 10 or of 2) behind `e`
    /// or `p`.
    fn parse(text: &[u8], base: u32) -> Option<Self> {
        let mark = if base == 10 { b'e' } else { b'p' };
        let end = text
            .iter()
            .position(|byte| byte.to_ascii_lowercase() == mark);
        let (number, exponent) = match end {
            None => (text, 0),
            Some(end) => (&text[..end], parse_exponent(&text[end + 1..])?),
        };
        let step = if base == 10 { 1 } else { 4 };
        let (mut digits, mut behind, mut point, mut any) = (Big::default(), 0, false, false);
        // Zeros at the end would only make the number longer.
        let mut zeros = 0_i64;
        for byte in number {
            if *byte == b'.' && !point {
                point = true;
                continue;
            }
            let digit = char::from(*byte).to_digit(base)?;
            any = true;
            behind += i64::from(point);
            if digit == 0 {
                zeros += 1;
                continue;
            }
            for _ in 0..zeros {
                digits.multiply_add(base, 0);
            }
            zeros = 0;
            digits.multiply_add(base, digit);
        }
        any.then(|| Self {
            digits,
            exponent: exponent.saturating_add((zeros - behind) * step),
        })
    }

    fn round_base_ten(self, negative: bool) -> Option<Finite> {
        // Beyond these every number of at most so many digits is too large or too small.
        const FAR: i64 = 5000 + TEXT_BYTES_MAX as i64;
        if self.digits.is_zero() {
            return Finite::nearest(negative, 0, 0, true);
        }
        if self.exponent.abs() > FAR {
            return None;
        }
        let power = self.exponent.unsigned_abs() as u32;
        let (mut above, mut below) = (self.digits, Big::new(1));
        if self.exponent < 0 {
            below.multiply_power_of_ten(power);
        } else {
            above.multiply_power_of_ten(power);
        }
        round_quotient(negative, above, below, 0)
    }

    fn round_base_two(self, negative: bool) -> Option<Finite> {
        const FAR: i64 = 20_000 + 4 * TEXT_BYTES_MAX as i64;
        if self.digits.is_zero() {
            return Finite::nearest(negative, 0, 0, true);
        }
        if self.exponent.abs() > FAR {
            return None;
        }
        round_quotient(negative, self.digits, Big::new(1), self.exponent as i32)
    }
}

/// The number nearest to `above / below * 2^exponent`, none of them zero; `None` where it is too
/// large or too small.
fn round_quotient(negative: bool, above: Big, below: Big, exponent: i32) -> Option<Finite> {
    // A quotient of 66 or 67 bits: all that the rounding looks at, beside whether there is a rest.
    let wanted = below.bits() as i32 + 66;
    let places = wanted - above.bits() as i32;
    let (above, below) = if places >= 0 {
        (above.shifted(places.unsigned_abs()), below)
    } else {
        (above, below.shifted(places.unsigned_abs()))
    };
    let (quotient, exact) = above.divide(&below);
    Finite::nearest(negative, quotient, exponent - places, exact)
        .filter(|number| number.mantissa != 0)
}

/// A sign, perhaps, and digits; what is larger than any exponent counts as very large.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        let digit = char::from(*digit).to_digit(10)?;
        value = (value * 10 + i64::from(digit)).min(1 << 40);
    }
    Some(if negative { -value } else { value })
}
