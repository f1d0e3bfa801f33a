//! A line of words with the quoting of Redis, for people who type.
//!
//! The rules are those of Redis, oddities included: a quote may open within a word but must end
//! it, and a vertical tab parts two words only where a word has not yet begun.

use alloc::vec::Vec;
use core::ops::Range;

/// A quote was not closed, or something stood directly behind a closed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Splits a line, without its end, into words. The words' bytes go to `scratch`, for an escape
/// makes a word shorter than it was written; where each stands in there goes to `ranges`.
///
/// The line is shorter than 4 GiB and holds no NUL.
pub fn split(
    line: &[u8],
    scratch: &mut Vec<u8>,
    ranges: &mut Vec<Range<u32>>,
) -> Result<(), Unbalanced> {
    let mut rest = line;
    loop {
        while let [b, after @ ..] = rest
            && is_blank(*b)
        {
            rest = after;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let start = scratch.len();
        rest = word(rest, scratch)?;
        ranges.push(start as u32..scratch.len() as u32);
    }
}

/// Appends the word that `rest` starts with and returns what stands behind it.
fn word<'a>(mut rest: &'a [u8], scratch: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Ok(rest),
            [b'"', after @ ..] => return closed(double_quoted(after, scratch)?),
            [b'\'', after @ ..] => return closed(single_quoted(after, scratch)?),
            [b, after @ ..] => {
                scratch.push(*b);
                rest = after;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], scratch: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] => return Err(Unbalanced),
            [b'"', after @ ..] => return Ok(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                scratch.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            [b'\\', b, after @ ..] => {
                scratch.push(match b {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    b => *b,
                });
                rest = after;
            }
            [b, after @ ..] => {
                scratch.push(*b);
                rest = after;
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], scratch: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] => return Err(Unbalanced),
            [b'\'', after @ ..] => return Ok(after),
            [b'\\', b'\'', after @ ..] => {
                scratch.push(b'\'');
                rest = after;
            }
            [b, after @ ..] => {
                scratch.push(*b);
                rest = after;
            }
        }
    }
}

/// A closing quote ends its word: only a blank or the end of the line may follow.
fn closed(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest {
        [b, ..] if !is_blank(*b) => Err(Unbalanced),
        _ => Ok(rest),
    }
}

/// White space as C defines it.
fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | 0x09..=0x0d)
}

/// The value of a digit that is known to be hexadecimal.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
        let (mut scratch, mut ranges) = (Vec::new(), Vec::new());
        split(line, &mut scratch, &mut ranges)?;
        let word = |r: &Range<u32>| scratch[r.start as usize..r.end as usize].to_vec();
        Ok(ranges.iter().map(word).collect())
    }

    #[test]
    fn quoting_is_that_of_redis() {
        let cases: [(&[u8], &[&[u8]]); 12] = [
            (b"", &[]),
            (b" \t ", &[]),
            (b"set k v", &[b"set", b"k", b"v"]),
            (b"  set\t k  ", &[b"set", b"k"]),
            (br#"set "a b" ''"#, &[b"set", b"a b", b""]),
            (br#""\x41\xfF\x0""#, &[b"A\xffx0"]),
            (br#""\n\r\t\b\a\q\"\\""#, &[b"\n\r\t\x08\x07q\"\\"]),
            (br"'\n\''", &[br"\n'"]),
            (br#"a"b c""#, &[b"ab c"]),
            (b"a\x0bb \x0bc", &[b"a\x0bb", b"c"]),
            (b"\"a\"\x0bb", &[b"a", b"b"]),
            (b"\xff\x80", &[b"\xff\x80"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).unwrap(), expected, "{line:?}");
        }
    }

    #[test]
    fn a_quote_must_close_and_end_its_word() {
        let cases: [&[u8]; 8] = [
            b"\"", b"'", b"a \"b", b"'b", b"\"a\"b", b"'a'b", b"\"a\\", b"\"a\\\"",
        ];
        for line in cases {
            assert_eq!(words(line), Err(Unbalanced), "{line:?}");
        }
    }
}
