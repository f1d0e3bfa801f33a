//! Redis's glob patterns, matched without recursion.
//!
//! `*` any run, `?` any byte, `[a-c]` and `[^a-c]` classes, `\` takes the next byte literally.
//! Redis's own matcher recurses at each star and can be made to run for hours; here only the last
//! star is ever taken back, which is enough: what stands before it has matched in the earliest
//! place, and a later place leaves less for the rest. The work is at most pattern length × text
//! length.

/// Returns true if `text` matches `pattern`, as KEYS, SCAN and PSUBSCRIBE understand it.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    run(pattern, text, |byte| byte)
}

/// As `matches`, with ASCII letters of either case equal.
#[must_use]
pub fn matches_nocase(pattern: &[u8], text: &[u8]) -> bool {
    run(pattern, text, |byte| byte.to_ascii_lowercase())
}

fn run(pattern: &[u8], text: &[u8], fold: impl Fn(u8) -> u8) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and how far the text was when it last took a byte.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            retry = Some((p, t));
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        if p < pattern.len()
            && let (true, length) = one(&pattern[p..], text[t], &fold)
        {
            p += length;
            t += 1;
            continue;
        }
        match retry {
            None => return false,
            Some((behind_star, taken)) => {
                p = behind_star;
                t = taken + 1;
                retry = Some((behind_star, t));
            }
        }
    }
}

/// Returns whether the first element of `pattern`, which is not a star, takes `byte`, and the
/// element's length.
fn one(pattern: &[u8], byte: u8, fold: &impl Fn(u8) -> u8) -> (bool, usize) {
    match pattern {
        [b'?', ..] => (true, 1),
        [b'[', ..] => class(pattern, byte, fold),
        // A backslash at the very end stands for itself.
        [b'\\', literal, ..] => (fold(*literal) == fold(byte), 2),
        [literal, ..] => (fold(*literal) == fold(byte), 1),
        [] => (false, 0),
    }
}

/// A class, as Redis reads it: an unclosed one ends with the pattern, a range may run backwards,
/// `]` right behind `[` or `[^` closes it, and what closes an escaped range is taken as it stands.
fn class(pattern: &[u8], byte: u8, fold: &impl Fn(u8) -> u8) -> (bool, usize) {
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = 1 + usize::from(negated);
    let mut found = false;
    loop {
        match &pattern[at..] {
            [] => break,
            [b'\\', literal, ..] => {
                found |= *literal == byte || fold(*literal) == fold(byte);
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [low, b'-', high, ..] => {
                let (low, high, byte) = (fold(*low), fold(*high), fold(byte));
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= fold(*literal) == fold(byte);
                at += 1;
            }
        }
    }
    (found != negated, at)
}
