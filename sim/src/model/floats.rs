//! Decimal numbers for INCRBYFLOAT and HINCRBYFLOAT, exact as far as the workloads go.
//!
//! Redis adds in 80-bit floating point and prints 17 digits. Sums of a few binary fractions are
//! exact there and in decimal alike, and the workloads ask for no others.

/// Millionths.
const ONE: i128 = 1_000_000;

/// A number as the model knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// So many millionths.
    Finite(i128),
    Infinite,
}

/// Reads a number; nothing where Redis would refuse it.
pub(crate) fn parse(text: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if ["inf", "infinity"].contains(&&digits.to_ascii_lowercase()[..]) {
        return Some(Number::Infinite);
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<u32>().ok()?),
        None => (digits, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !is_number(whole) || !is_number(part) {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part: i128 = format!("{part:0<6}").get(..6)?.parse().ok()?;
    let value = (whole * ONE + part).checked_mul(10_i128.checked_pow(exponent)?)?;
    Some(Number::Finite(if negative { -value } else { value }))
}

/// The sum as Redis prints it; nothing where it is no number that can be kept.
pub(crate) fn sum(a: Number, b: Number) -> Option<Vec<u8>> {
    let (Number::Finite(a), Number::Finite(b)) = (a, b) else {
        return None;
    };
    let sum = a + b;
    let sign = if sum < 0 { "-" } else { "" };
    let (whole, part) = (sum.abs() / ONE, sum.abs() % ONE);
    let text = format!("{sign}{whole}.{part:06}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Some(text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_printed_without_needless_digits() {
        let add = |a: &str, b: &str| sum(parse(a.as_bytes())?, parse(b.as_bytes())?);
        assert_eq!(add("1.5", "-0.25").unwrap(), b"1.25");
        assert_eq!(add("1.5", "-1.5").unwrap(), b"0");
        assert_eq!(add("3", "1e2").unwrap(), b"103");
        assert_eq!(add("-0.5", "0.25").unwrap(), b"-0.25");
        assert_eq!(add("1", "inf"), None);
        assert_eq!(parse(b"abc"), None);
        assert_eq!(parse(b""), None);
    }
}
