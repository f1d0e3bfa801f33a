//! Words of a `.sim` file: numbers, times, bytes.

use std::fmt::Write as _;

/// The meaning of a word, or why it has none.
pub(super) type Parsed<T> = Result<T, String>;

/// So many equal bytes in a row are written as their number.
const RUN_MIN: usize = 16;
/// No word is longer than what a client may send.
const WORD_MAX: usize = 1 << 20;

/// A number.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Parsed<T> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number, or does not fit here"))
}

/// Yes or no.
pub(super) fn flag(text: &str) -> Parsed<bool> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no")),
    }
}

/// A time, in the unit that leaves the fewest digits.
pub(super) fn time(nanoseconds: u64) -> String {
    let (unit, scale, digits) = match nanoseconds {
        0..1_000_000 => ("us", 1000, 3),
        1_000_000..1_000_000_000 => ("ms", 1_000_000, 6),
        _ => ("s", 1_000_000_000, 9),
    };
    let (whole, rest) = (nanoseconds / scale, nanoseconds % scale);
    if rest == 0 {
        return format!("{whole}{unit}");
    }
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}{unit}", fraction.trim_end_matches('0'))
}

/// Nanoseconds out of a time.
pub(super) fn nanoseconds(text: &str) -> Parsed<u64> {
    let wrong = || format!("`{text}` is not a time such as 1.5s, 20ms or 7us");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let places = match &text[digits.len()..] {
        "s" => 9,
        "ms" => 6,
        "us" => 3,
        _ => return Err(wrong()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > places || !all_digits(whole) || !all_digits(fraction) {
        return Err(wrong());
    }
    let joined = format!("{whole}{fraction:0<places$}");
    joined.parse().map_err(|_| wrong())
}

fn escaped(byte: u8) -> String {
    byte.escape_ascii().to_string()
}

/// Bytes as a word: bare where they can be, else in quotes.
pub(super) fn word(bytes: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'#');
    let mut runs = bytes.chunk_by(|a, b| a == b);
    if !bytes.is_empty() && bytes.iter().all(is_plain) && runs.all(|run| run.len() < RUN_MIN) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut word = "\"".to_owned();
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() >= RUN_MIN {
            let _ = write!(word, "\\({}*{})", escaped(run[0]), run.len());
        } else {
            for byte in run {
                word.push_str(&escaped(*byte));
            }
        }
    }
    word.push('"');
    word
}

/// Takes the first word off a line; nothing where there is none.
pub(super) fn next_word(line: &str) -> Parsed<Option<(Vec<u8>, &str)>> {
    let line = line.trim_start();
    let Some(quoted) = line.strip_prefix('"') else {
        let end = line.find(' ').unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        return Ok((!word.is_empty()).then(|| (word.as_bytes().to_vec(), rest)));
    };
    let mut bytes = Vec::new();
    let mut rest = quoted;
    loop {
        if let Some(behind) = rest.strip_prefix('"') {
            return Ok(Some((bytes, behind)));
        }
        if let Some(run) = rest.strip_prefix("\\(") {
            let (byte, behind) = one_byte(run)?;
            let (count, behind) = behind
                .strip_prefix('*')
                .and_then(|count| count.split_once(')'))
                .ok_or("a run of bytes is written as \\(x*400)")?;
            let count: usize = number(count)?;
            if count > WORD_MAX || bytes.len() + count > WORD_MAX {
                return Err(format!("a word is at most {WORD_MAX} bytes long"));
            }
            bytes.extend(std::iter::repeat_n(byte, count));
            rest = behind;
        } else {
            let (byte, behind) = one_byte(rest)?;
            bytes.push(byte);
            rest = behind;
        }
    }
}

/// One byte, escaped or not, and what is behind it.
fn one_byte(text: &str) -> Parsed<(u8, &str)> {
    let open = || "a quote is not closed".to_owned();
    let Some(escape) = text.strip_prefix('\\') else {
        let first = text.bytes().next().ok_or_else(open)?;
        if !first.is_ascii() {
            return Err("bytes beyond ASCII are written as \\xe4".to_owned());
        }
        return Ok((first, &text[1..]));
    };
    let kind = escape.bytes().next().ok_or_else(open)?;
    let plain = |byte| Ok((byte, &escape[1..]));
    match kind {
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        b'"' | b'\'' | b'\\' => plain(kind),
        b'x' => {
            let digits = escape.get(1..3).ok_or_else(open)?;
            let byte = u8::from_str_radix(digits, 16);
            let byte = byte.map_err(|_| format!("`\\x{digits}` is not a byte"))?;
            Ok((byte, &escape[3..]))
        }
        _ => Err("unknown escape; \\xNN stands for any byte".to_owned()),
    }
}

/// All words of a line.
pub(super) fn all_words(mut line: &str) -> Parsed<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    while let Some((word, rest)) = next_word(line)? {
        words.push(word);
        line = rest;
    }
    Ok(words)
}
