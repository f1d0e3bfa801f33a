//! Scores as clients write them and read them.

use alloc::format;
use alloc::string::{String, ToString};

use super::hex;
use crate::command::error::Error;
use crate::resp::reply::Reply;

/// The number that `strtod` reads, rounded to the nearest: decimal, hexadecimal or infinite.
fn spelled(text: &str) -> Option<f64> {
    let number = text.parse().ok().or_else(|| hex::parse(text));
    number.filter(|number: &f64| !number.is_nan())
}

/// The number that a few digits are, which is how most scores are written.
fn whole(text: &[u8]) -> Option<f64> {
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    // So many digits are exact in 53 bits.
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    let number = number as f64;
    Some(if is_negative { -number } else { number })
}

/// A number of 64 bits as Redis reads one: decimal, hexadecimal, `inf` or `infinity`, and nothing
/// else around it. `None` where it is none, or leaves the range of such numbers.
pub(in crate::command) fn parse(text: &[u8]) -> Option<f64> {
    whole(text).or_else(|| parse_any(text))
}

fn parse_any(text: &[u8]) -> Option<f64> {
    let text = core::str::from_utf8(text).ok()?;
    let number = spelled(text)?;
    let is_hex = text.contains(['x', 'X']);
    let marks = if is_hex { ['p', 'P'] } else { ['e', 'E'] };
    let has_digit = |digits: &str| {
        let mut digits = digits.chars();
        digits.any(|digit| digit != '0' && digit.is_ascii_hexdigit())
    };
    let mantissa = text.split(marks).next().unwrap_or_default();
    let is_word = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    let overflows = number.is_infinite() && !is_word;
    let underflows = number == 0.0 && has_digit(mantissa);
    (!overflows && !underflows).then_some(number)
}

/// The number that an argument is, or `error`.
pub(in crate::command) fn read(text: &[u8], error: Error) -> Result<f64, Error> {
    parse(text).ok_or(error)
}

/// The shortest text that reads back as this number, laid out as Redis 7.2 does.
pub(in crate::command) fn text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_string();
    }
    // Whole numbers that are far from the ends of 64 bits are shown as such.
    let whole = number as i64;
    if whole as f64 == number && whole.unsigned_abs() <= i64::MAX as u64 / 2 {
        return whole.to_string();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let shown = format!("{:e}", number.abs());
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    let len = digits.len() as i32;
    // The power of ten that the digits as a whole number are multiplied by.
    let power = exponent - (len - 1);
    if power >= 0 && exponent < len + 7 {
        let zeros = "0".repeat(power as usize);
        return format!("{sign}{digits}{zeros}");
    }
    if power < 0 && (power > -7 || exponent.abs() < 4) {
        let point = len + power;
        return if point <= 0 {
            let zeros = "0".repeat(point.unsigned_abs() as usize);
            format!("{sign}0.{zeros}{digits}")
        } else {
            let (whole, rest) = digits.split_at(point as usize);
            format!("{sign}{whole}.{rest}")
        };
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{exponent:+}")
}

/// Answers a score.
pub(in crate::command) fn answer(reply: &mut Reply<'_>, score: f64) {
    reply.double_text(&text(score));
}

/// A score up to which, or from which on, members are wanted.
#[derive(Clone, Copy, Debug)]
struct Bound {
    score: f64,
    is_excluded: bool,
}

impl Bound {
    fn parse(text: &[u8]) -> Option<Self> {
        let (text, is_excluded) = match text {
            [b'(', rest @ ..] => (rest, true),
            _ => (text, false),
        };
        // Unlike a score, a bound may be beyond the range of numbers, have blanks in front, or be
        // nothing, which is 0.
        let text = core::str::from_utf8(text).ok()?;
        let score = match text.trim_ascii_start() {
            "" if text.is_empty() => 0.0,
            text => spelled(text)?,
        };
        Some(Self { score, is_excluded })
    }
}

/// Members wanted by their scores or by their bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Range<'a> {
    /// By score.
    Scores(Scores),
    /// By bytes, where all scores are equal.
    Lex(Lex<'a>),
}

/// A range of scores.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scores {
    min: Bound,
    max: Bound,
}

/// A range of members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lex<'a> {
    min: Edge<'a>,
    max: Edge<'a>,
}

/// The beginning or the end of a range of members.
#[derive(Clone, Copy, Debug)]
enum Edge<'a> {
    /// Before all members.
    Lowest,
    /// Behind all members.
    Highest,
    /// At this member, which is in the range or not.
    At { member: &'a [u8], is_excluded: bool },
}

impl<'a> Edge<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        match text {
            b"-" => Some(Self::Lowest),
            b"+" => Some(Self::Highest),
            [b'(', member @ ..] => Some(Self::At {
                member,
                is_excluded: true,
            }),
            [b'[', member @ ..] => Some(Self::At {
                member,
                is_excluded: false,
            }),
            _ => None,
        }
    }

    /// Returns true if a member lies in front of a range that begins here.
    fn is_above(self, held: &[u8]) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::At {
                member,
                is_excluded: true,
            } => held <= member,
            Self::At { member, .. } => held < member,
        }
    }

    /// Returns true if a member lies in a range that ends here, or in front of it.
    fn is_not_below(self, held: &[u8]) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::At {
                member,
                is_excluded: true,
            } => held < member,
            Self::At { member, .. } => held <= member,
        }
    }
}

impl<'a> Range<'a> {
    /// The scores between two arguments.
    pub(super) fn scores(min: &[u8], max: &[u8]) -> Result<Self, Error> {
        let bounds = Bound::parse(min).zip(Bound::parse(max));
        let (min, max) = bounds.ok_or(Error::BOUND_NOT_A_FLOAT)?;
        Ok(Self::Scores(Scores { min, max }))
    }

    /// The members between two arguments.
    pub(super) fn lex(min: &'a [u8], max: &'a [u8]) -> Result<Self, Error> {
        let edges = Edge::parse(min).zip(Edge::parse(max));
        let (min, max) = edges.ok_or(Error::BOUND_NOT_A_MEMBER)?;
        Ok(Self::Lex(Lex { min, max }))
    }

    /// Returns true if a member lies in front of the range.
    pub(super) fn is_above(&self, score: f64, member: &[u8]) -> bool {
        match self {
            Self::Scores(Scores { min, .. }) if min.is_excluded => score <= min.score,
            Self::Scores(Scores { min, .. }) => score < min.score,
            Self::Lex(lex) => lex.min.is_above(member),
        }
    }

    /// Returns true if a member lies in the range, or in front of it.
    pub(super) fn is_not_below(&self, score: f64, member: &[u8]) -> bool {
        match self {
            Self::Scores(Scores { max, .. }) if max.is_excluded => score < max.score,
            Self::Scores(Scores { max, .. }) => score <= max.score,
            Self::Lex(lex) => lex.max.is_not_below(member),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_are_shown_as_redis_shows_them() {
        for (number, shown) in [
            (1.0, "1"),
            (-1.5, "-1.5"),
            (2.34, "2.34"),
            (0.1, "0.1"),
            (1e17, "100000000000000000"),
            (1e19, "1e+19"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (1.5e-9, "1.5e-9"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (-0.0, "-0"),
        ] {
            assert_eq!(text(number), shown);
        }
    }

    #[test]
    fn a_few_digits_are_read_as_any_number_is() {
        for text in [
            "0",
            "-0",
            "00",
            "007",
            "-12",
            "1",
            "999999999999999",
            "-999999999999999",
            "1234567890123456",
            "-",
            "",
            "--1",
            "+1",
            "1 ",
            "1.0",
            "1e3",
            "0x1f",
            "inf",
        ] {
            let bytes = text.as_bytes();
            assert_eq!(
                parse(bytes).map(f64::to_bits),
                parse_any(bytes).map(f64::to_bits),
                "{text}"
            );
        }
        assert_eq!(whole(b"-12"), Some(-12.0));
    }

    #[test]
    fn what_is_no_number_is_no_score() {
        for good in [
            "1",
            "+1",
            "-1.5e3",
            ".5",
            "5.",
            "inf",
            "-INF",
            "+Infinity",
            "1e308",
        ] {
            assert!(parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "", " 1", "1 ", "nan", "1x", "1e400", "1e-400", "--1", "in", "1,5",
        ] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_score_reads_back(bits: u64) {
            let number = f64::from_bits(bits);
            if !number.is_nan() {
                prop_assert_eq!(parse(text(number).as_bytes()).map(f64::to_bits), Some(bits));
            }
        }
    }
}
