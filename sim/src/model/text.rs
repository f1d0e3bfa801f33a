//! Numbers and patterns as Redis reads them.

/// An integer in the one spelling that Redis takes.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Returns true if a text matches a glob pattern: written by its recursive definition.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skipped| matches(rest, &text[skipped..])),
        _ if text.is_empty() => false,
        [b'?', rest @ ..] => matches(rest, &text[1..]),
        [b'[', class @ ..] => {
            let (found, rest) = in_class(class, text[0]);
            found && matches(rest, &text[1..])
        }
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            *literal == text[0] && matches(rest, &text[1..])
        }
    }
}

/// Returns whether a byte is in the class that starts after its bracket, and the rest after the
/// class.
fn in_class(class: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut rest) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    loop {
        rest = match rest {
            [] => break,
            [b']', behind @ ..] => {
                rest = behind;
                break;
            }
            [b'\\', literal, behind @ ..] => {
                found |= *literal == byte;
                behind
            }
            [a, b'-', b, behind @ ..] => {
                found |= byte >= *a.min(b) && byte <= *a.max(b);
                behind
            }
            [literal, behind @ ..] => {
                found |= *literal == byte;
                behind
            }
        };
    }
    (found != negated, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_redis_has_them() {
        let good: [(&[u8], &[u8]); 8] = [
            (b"*", b""),
            (b"a*c", b"abbbc"),
            (b"a?c", b"abc"),
            (b"[a-c]x", b"bx"),
            (b"[^a-c]x", b"dx"),
            (b"\\*", b"*"),
            (b"**a", b"bba"),
            (b"[c-a]", b"b"),
        ];
        assert!(good.iter().all(|(pattern, text)| matches(pattern, text)));
        let bad: [(&[u8], &[u8]); 5] = [
            (b"", b"a"),
            (b"a?", b"a"),
            (b"[a]", b"b"),
            (b"\\*", b"a"),
            (b"a*b", b"ac"),
        ];
        assert!(bad.iter().all(|(pattern, text)| !matches(pattern, text)));
    }
}
