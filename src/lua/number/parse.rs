//! Numbers out of text, as `tonumber` and the lexer read them.

/// The number that `text` is, spaces around it allowed: decimal, hexadecimal, `inf` or `nan`.
pub(in crate::lua) fn parse(text: &[u8]) -> Option<f64> {
    let text = trim(text);
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = match digits {
        [b'0', b'x' | b'X', rest @ ..] => hexadecimal(rest)?,
        [b'0'..=b'9' | b'.', ..] => decimal(digits)?,
        _ => named(digits)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// The integer of a base from 2 to 36 that `text` is, spaces around it allowed.
///
/// A minus sign wraps around, and what does not fit is the greatest, as `strtoul` has it.
pub(in crate::lua) fn parse_in_base(text: &[u8], base: u32) -> Option<f64> {
    let text = trim(text);
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let digits = match digits {
        [b'0', b'x' | b'X', rest @ ..] if base == 16 && !rest.is_empty() => rest,
        _ => digits,
    };
    if digits.is_empty() {
        return None;
    }
    let mut sum = 0_u64;
    let mut overflow = false;
    for &byte in digits {
        let digit = char::from(byte)
            .to_digit(36)
            .filter(|digit| *digit < base)?;
        match sum
            .checked_mul(u64::from(base))
            .and_then(|sum| sum.checked_add(u64::from(digit)))
        {
            Some(next) => sum = next,
            None => overflow = true,
        }
    }
    if overflow {
        return Some(u64::MAX as f64);
    }
    Some(if negative { sum.wrapping_neg() } else { sum } as f64)
}

/// The text up to a zero byte, where C's own functions end, without the spaces around it.
fn trim(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == 0);
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let from = text
        .iter()
        .position(|byte| !is_space(byte))
        .unwrap_or(text.len());
    let to = text
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(from, |last| last + 1);
    text.get(from..to).unwrap_or_default()
}

fn named(text: &[u8]) -> Option<f64> {
    if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
        Some(f64::INFINITY)
    } else if text.eq_ignore_ascii_case(b"nan") {
        Some(f64::NAN)
    } else {
        None
    }
}

fn decimal(text: &[u8]) -> Option<f64> {
    if text.len() <= 15 && text.iter().all(u8::is_ascii_digit) {
        let sum = text
            .iter()
            .fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        return Some(sum as f64);
    }
    let is_plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    if !text.iter().all(is_plain) {
        return None;
    }
    // What the standard library reads of these characters is what C reads, and both round alike.
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// No power of two that is greater, or less than its inverse, makes a difference.
const SCALE_MAX: i64 = 10_000;

/// The digits of a hexadecimal number, with fraction and binary exponent as in C99.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    let (digits, exponent) = match text.iter().position(|byte| matches!(byte, b'p' | b'P')) {
        Some(at) => (text.get(..at)?, binary_exponent(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let (mut sum, mut scale) = (0_u64, exponent);
    let (mut seen, mut behind_point, mut inexact) = (false, false, false);
    for &byte in digits {
        if byte == b'.' && !behind_point {
            behind_point = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        seen = true;
        if sum >> 60 == 0 {
            sum = sum << 4 | u64::from(digit);
            scale -= if behind_point { 4 } else { 0 };
        } else {
            inexact |= digit != 0;
            scale += if behind_point { 0 } else { 4 };
        }
    }
    // The lowest of more than 56 bits only says on which side of a half the number is.
    let scale = scale.clamp(-SCALE_MAX, SCALE_MAX) as i32;
    seen.then(|| libm::scalbn((sum | u64::from(inexact)) as f64, scale))
}

fn binary_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Digits of the number itself may move it by less.
    let sum = digits.iter().fold(0_i64, |sum, digit| {
        (sum * 10 + i64::from(digit - b'0')).min(1 << 40)
    });
    Some(if negative { -sum } else { sum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_c_reads_it() {
        for (text, number) in [
            ("10", 10.0),
            (" 1e2 ", 100.0),
            ("-.5", -0.5),
            ("5.", 5.0),
            ("0x10", 16.0),
            ("0x.8p1", 1.0),
            ("-0xA", -10.0),
            ("1e400", f64::INFINITY),
            ("INF", f64::INFINITY),
            ("12345678901234567890", 12_345_678_901_234_567_890.0),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(number), "{text}");
        }
        let fraction = alloc::format!("0x.{}1p120004", "0".repeat(30_000));
        assert_eq!(parse(fraction.as_bytes()), Some(1.0));
        let whole = alloc::format!("0x1{}p-120000", "0".repeat(30_000));
        assert_eq!(parse(whole.as_bytes()), Some(1.0));
        for text in [
            "", " ", "1 2", "1e", "0x", "0xg", "e5", ".", "1..2", "--1", "1_0", "infi",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn bases_are_read_as_c_reads_them() {
        assert_eq!(parse_in_base(b"ff", 16), Some(255.0));
        assert_eq!(parse_in_base(b"0xff", 16), Some(255.0));
        assert_eq!(parse_in_base(b"zz", 36), Some(1295.0));
        assert_eq!(parse_in_base(b"12", 2), None);
        assert_eq!(parse_in_base(b"-1", 10), Some(u64::MAX as f64));
    }
}
