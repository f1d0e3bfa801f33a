//! Numbers as text: what C's `printf` makes of `%g`, `%e`, `%f` and of integers.

use alloc::vec::Vec;
use core::fmt::{self, Write};

/// Appends a number as `tostring` gives it, which is `%.14g`.
pub(in crate::lua) fn append(number: f64, out: &mut Vec<u8>) {
    let whole = number as i64;
    // Fifteen digits are one more than fit, so that larger ones take an exponent.
    if whole as f64 == number && whole.unsigned_abs() < 100_000_000_000_000 {
        if whole == 0 && number.is_sign_negative() {
            out.push(b'-');
        }
        return append_integer(whole, out);
    }
    general(number, 14, false, false, out);
}

/// Appends an integer in decimal.
pub(in crate::lua) fn append_integer(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut from = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        from -= 1;
        if let Some(digit) = digits.get_mut(from) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

struct Appended<'a>(&'a mut Vec<u8>);

impl Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Appends formatted text, which cannot fail.
pub(in crate::lua) fn append_text(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let _ = Appended(out).write_fmt(text);
}

/// Appends infinity or NaN, whose sign no platform agrees on; false for other numbers.
fn not_finite(number: f64, upper: bool, out: &mut Vec<u8>) -> bool {
    let text: &[u8] = match (number.is_nan(), number.is_infinite(), number < 0.0, upper) {
        (true, _, _, false) => b"-nan",
        (true, _, _, true) => b"-NAN",
        (_, true, true, false) => b"-inf",
        (_, true, true, true) => b"-INF",
        (_, true, false, false) => b"inf",
        (_, true, false, true) => b"INF",
        _ => return false,
    };
    out.extend_from_slice(text);
    true
}

/// Appends `%.{precision}e`.
pub(in crate::lua) fn scientific(
    number: f64,
    precision: usize,
    point: bool,
    upper: bool,
    out: &mut Vec<u8>,
) {
    if not_finite(number, upper, out) {
        return;
    }
    let (digits, exponent) = digits_of(number, precision + 1);
    if number.is_sign_negative() {
        out.push(b'-');
    }
    mantissa(&digits, point, out);
    append_exponent(exponent, upper, out);
}

/// Appends `%.{precision}f`.
pub(in crate::lua) fn fixed(number: f64, precision: usize, point: bool, out: &mut Vec<u8>) {
    if not_finite(number, false, out) {
        return;
    }
    append_text(out, format_args!("{number:.precision$}"));
    if point && precision == 0 {
        out.push(b'.');
    }
}

/// Appends what `%.{precision}g` of C writes, with all its zeros if `all`, and a large E if
/// `upper`.
pub fn general(number: f64, precision: usize, all: bool, upper: bool, out: &mut Vec<u8>) {
    if not_finite(number, upper, out) {
        return;
    }
    let precision = precision.max(1);
    let (mut digits, exponent) = digits_of(number, precision);
    if number.is_sign_negative() {
        out.push(b'-');
    }
    if !all {
        while digits.len() > 1 && digits.last() == Some(&b'0') {
            digits.pop();
        }
    }
    if exponent < -4 || exponent >= precision as i32 {
        mantissa(&digits, all, out);
        append_exponent(exponent, upper, out);
        return;
    }
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend((1..-exponent).map(|_| b'0'));
        out.extend_from_slice(&digits);
        return;
    }
    let before_point = exponent as usize + 1;
    for at in 0..before_point {
        out.push(digits.get(at).copied().unwrap_or(b'0'));
    }
    if let Some(rest) = digits.get(before_point..)
        && (!rest.is_empty() || all)
    {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
}

fn mantissa(digits: &[u8], point: bool, out: &mut Vec<u8>) {
    let Some((first, rest)) = digits.split_first() else {
        return;
    };
    out.push(*first);
    if point || !rest.is_empty() {
        out.push(b'.');
    }
    out.extend_from_slice(rest);
}

fn append_exponent(exponent: i32, upper: bool, out: &mut Vec<u8>) {
    out.push(if upper { b'E' } else { b'e' });
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let magnitude = exponent.unsigned_abs();
    append_text(out, format_args!("{magnitude:02}"));
}

/// So many digits of the number's magnitude, rightly rounded, and its decimal exponent.
fn digits_of(number: f64, count: usize) -> (Vec<u8>, i32) {
    let mut text = Vec::with_capacity(count + 8);
    let (magnitude, precision) = (number.abs(), count.saturating_sub(1));
    append_text(&mut text, format_args!("{magnitude:.precision$e}"));
    let at = text
        .iter()
        .position(|byte| *byte == b'e')
        .unwrap_or(text.len());
    let exponent = text.get(at + 1..).unwrap_or_default();
    let exponent = core::str::from_utf8(exponent)
        .ok()
        .and_then(|text| text.parse().ok());
    text.truncate(at);
    text.retain(u8::is_ascii_digit);
    (text, exponent.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: f64) -> Vec<u8> {
        let mut out = Vec::new();
        append(number, &mut out);
        out
    }

    #[test]
    fn numbers_are_shown_as_c_shows_them() {
        for (number, text) in [
            (5.0, "5"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.33333333333333"),
            (1e15, "1e+15"),
            (1e14, "1e+14"),
            (99_999_999_999_999.0, "99999999999999"),
            (123_456_789_012_345.0, "1.2345678901234e+14"),
            (1e100, "1e+100"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (2.5e-308, "2.5e-308"),
        ] {
            assert_eq!(shown(number), text.as_bytes(), "{text}");
        }
    }
}
