//! Numbers of Lua as texts and as integers, in the ways that C's library writes and casts them.

use alloc::format;
use alloc::string::{String, ToString};

/// The significant digits in which a number is handed to a command.
const DIGITS: i32 = 17;

/// The largest whole numbers that are written without an exponent.
const WHOLE_MAX: f64 = 9_223_372_036_854_774_784.0;

/// A number as the argument of a command: whole where it is, else in 17 digits.
pub(super) fn argument(number: f64) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() {
            "-nan"
        } else {
            "nan"
        }
        .to_string();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let is_small = (-WHOLE_MAX..=WHOLE_MAX).contains(&number);
    if is_small && number - libm::trunc(number) == 0.0 && !is_negative_zero(number) {
        return (number as i64).to_string();
    }
    if is_negative_zero(number) {
        return "-0".to_string();
    }
    in_digits(number)
}

fn is_negative_zero(number: f64) -> bool {
    number == 0.0 && number.is_sign_negative()
}

/// A number as `%.17g` writes it.
fn in_digits(number: f64) -> String {
    let shown = format!("{:.16e}", number.abs());
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    let digits = digits.trim_end_matches('0');
    let sign = if number < 0.0 { "-" } else { "" };
    if !(-4..DIGITS).contains(&exponent) {
        let (first, rest) = digits.split_at(digits.len().min(1));
        let point = if rest.is_empty() { "" } else { "." };
        let (mark, size) = (if exponent < 0 { '-' } else { '+' }, exponent.abs());
        return format!("{sign}{first}{point}{rest}e{mark}{size:02}");
    }
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let point = exponent as usize + 1;
    if digits.len() <= point {
        let zeros = "0".repeat(point - digits.len());
        return format!("{sign}{digits}{zeros}");
    }
    let (whole, rest) = digits.split_at(point);
    format!("{sign}{whole}.{rest}")
}

/// A number as an integer: without its fraction; one that is none in 64 bits is the least of all.
pub(super) fn integer(number: f64) -> i64 {
    let is_within = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    if is_within { number as i64 } else { i64::MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        let known = [
            (3.0, "3"),
            (-1.0, "-1"),
            (1.5, "1.5"),
            (0.1, "0.10000000000000001"),
            (1e20, "1e+20"),
            (1e-5, "1.0000000000000001e-05"),
            (0.001, "0.001"),
            (1_234_567.25, "1234567.25"),
            (1e15, "1000000000000000"),
            (1.7e308, "1.6999999999999999e+308"),
            (f64::INFINITY, "inf"),
        ];
        for (number, text) in known {
            assert_eq!(argument(number), text);
        }
    }

    #[test]
    fn what_is_no_integer_is_the_least_of_all() {
        assert_eq!((integer(1.9), integer(-1.9)), (1, -1));
        assert_eq!((integer(1e300), integer(f64::NAN)), (i64::MIN, i64::MIN));
    }
}
