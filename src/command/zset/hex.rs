//! Hexadecimal numbers as `strtod` reads them: `0x1.8p3` is twelve.

/// The bits of a mantissa.
const BITS: i64 = 53;
/// The exponent of the lowest bit that a number can have.
const LOWEST: i64 = -1074;
/// More than any exponent that matters, and few enough to be added up.
const FAR: i64 = 1 << 40;

/// The number, rounded to the nearest; `None` where the text is none in this form.
pub(super) fn parse(text: &str) -> Option<f64> {
    let (sign, rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, text.as_bytes()),
    };
    let [b'0', b'x' | b'X', rest @ ..] = rest else {
        return None;
    };
    let mark = rest.iter().position(|byte| matches!(byte, b'p' | b'P'));
    let (digits, mut exponent) = match mark {
        None => (rest, 0),
        Some(mark) => (&rest[..mark], exponent(&rest[mark + 1..])?),
    };
    let (mut mantissa, mut is_behind, mut any) = (0_u64, false, false);
    for byte in digits {
        if *byte == b'.' && !is_behind {
            is_behind = true;
            continue;
        }
        let digit = u64::from(char::from(*byte).to_digit(16)?);
        any = true;
        exponent -= if is_behind { 4 } else { 0 };
        if mantissa >> 58 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            // Of digits beyond all that count it matters only that one is not zero.
            exponent += 4;
            mantissa |= u64::from(digit != 0);
        }
    }
    any.then(|| sign * rounded(mantissa, exponent))
}

/// A sign, perhaps, and digits.
fn exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |value: i64, digit| {
        let digit = i64::from(char::from(*digit).to_digit(10)?) * sign;
        Some((value * 10 + digit).clamp(-FAR, FAR))
    })
}

/// The number nearest to `mantissa` times two to the power of `exponent`; of two, the even one.
fn rounded(mantissa: u64, exponent: i64) -> f64 {
    let bits = i64::from(u64::BITS - mantissa.leading_zeros());
    let lowest = LOWEST.max(exponent + bits - BITS);
    let Ok(shift) = u32::try_from(lowest - exponent) else {
        return scaled(mantissa, exponent);
    };
    let whole = mantissa.checked_shr(shift).unwrap_or(0);
    let rest = mantissa ^ whole.checked_shl(shift).unwrap_or(0);
    let half = 1_u64.checked_shl(shift).unwrap_or(0) / 2;
    let is_up = shift > 0 && shift < 64 && (rest > half || rest == half && whole & 1 == 1);
    scaled(whole + u64::from(is_up), lowest)
}

/// A product that is a number, or too large for one.
fn scaled(whole: u64, mut exponent: i64) -> f64 {
    let mut number = whole as f64;
    while exponent != 0 && number != 0.0 && number.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        let power = f64::from_bits(((1023 + step) as u64) << 52);
        number *= power;
        exponent -= step;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_numbers_are_read_as_c_reads_them() {
        let good = [
            ("0x10", 16.0),
            ("-0X1.8p3", -12.0),
            ("+0x.8", 0.5),
            ("0x1p-1074", 5e-324),
            ("0x1.8p-1074", 1e-323),
            ("0x0.8p-1074", 0.0),
            ("0x1p-1075", 0.0),
            ("0x1.1p-1075", 5e-324),
            ("0x1.fffffffffffff7p0", 1.999_999_999_999_999_8),
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1.00000000000008p0", 1.0),
            (
                "0x1.000000000000080000000000000000001p0",
                1.000_000_000_000_000_2,
            ),
            ("0x1p1024", f64::INFINITY),
            ("0x1p99999999999999999999", f64::INFINITY),
            ("0x1p-99999999999999999999", 0.0),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1p-1022", f64::MIN_POSITIVE),
        ];
        for (text, number) in good {
            assert_eq!(parse(text), Some(number), "{text}");
        }
        for text in [
            "0x", "0xp1", "0x1p", "0x1p+", "0xg", "0x1.2.3", "10", "x10", "0x 1", "0x1 ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
