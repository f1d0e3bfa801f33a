//! Numbers of Lua as texts and as integers, in the ways that C's library writes and casts them.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::lua;

/// The significant digits in which a number is handed to a command.
const DIGITS: usize = 17;

/// The largest whole numbers that are written without an exponent.
const WHOLE_MAX: f64 = 9_223_372_036_854_774_784.0;

/// A number as the argument of a command: whole where it is, else in 17 digits.
pub(super) fn argument(number: f64) -> Vec<u8> {
    let is_small = (-WHOLE_MAX..=WHOLE_MAX).contains(&number);
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    let mut text = Vec::new();
    if is_small && number - libm::trunc(number) == 0.0 && !is_negative_zero {
        text.extend_from_slice((number as i64).to_string().as_bytes());
    } else {
        lua::general(number, DIGITS, false, false, &mut text);
    }
    text
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
            (-0.0, "-0"),
            (f64::NAN, "-nan"),
            (-f64::NAN, "-nan"),
        ];
        for (number, text) in known {
            assert_eq!(argument(number), text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_integer_is_the_least_of_all() {
        assert_eq!((integer(1.9), integer(-1.9)), (1, -1));
        assert_eq!((integer(1e300), integer(f64::NAN)), (i64::MIN, i64::MIN));
    }
}
