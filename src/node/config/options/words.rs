//! The words of a line of a configuration file: quotes and escapes, read and written as Redis does.

use alloc::vec::Vec;

/// Why a line cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A quote that is not closed, or is followed by something else than a blank.
    Quotes,
    /// A byte that no configuration file holds: Redis ends the line there, unseen.
    Nul,
}

impl Unreadable {
    /// The same for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Quotes => {
                "Unbalanced quotes in configuration line: a quote is not closed, or no blank \
                 follows it"
            }
            Self::Nul => "a NUL byte; inside double quotes it is written \\x00",
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Takes a line apart. In `"…"` the escapes `\n \r \t \b \a \xHH \" \\` count, in `'…'` only `\'`.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unreadable> {
    if line.contains(&0) {
        return Err(Unreadable::Nul);
    }
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.iter().position(|byte| !is_blank(*byte));
        let Some(start) = start else {
            return Ok(words);
        };
        let (word, behind) = first_word(&rest[start..])?;
        words.push(word);
        rest = behind;
    }
}

/// The word with which `rest` begins, and what stands behind it.
fn first_word(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Unreadable> {
    let mut word = Vec::new();
    while let [byte, behind @ ..] = rest {
        match byte {
            byte if is_blank(*byte) => break,
            b'"' => rest = double_quoted(behind, &mut word)?,
            b'\'' => rest = single_quoted(behind, &mut word)?,
            byte => {
                word.push(*byte);
                rest = behind;
                continue;
            }
        }
        // A word ends where its quote does.
        if rest.first().is_some_and(|byte| !is_blank(*byte)) {
            return Err(Unreadable::Quotes);
        }
        break;
    }
    Ok((word, rest))
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unreadable> {
    loop {
        match rest {
            [] => return Err(Unreadable::Quotes),
            [b'"', behind @ ..] => return Ok(behind),
            [b'\\', b'x', high, low, behind @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(digit(*high) << 4 | digit(*low));
                rest = behind;
            }
            [b'\\', escaped, behind @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    byte => *byte,
                });
                rest = behind;
            }
            [byte, behind @ ..] => {
                word.push(*byte);
                rest = behind;
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unreadable> {
    loop {
        match rest {
            [] => return Err(Unreadable::Quotes),
            [b'\\', b'\'', behind @ ..] => {
                word.push(b'\'');
                rest = behind;
            }
            [b'\'', behind @ ..] => return Ok(behind),
            [byte, behind @ ..] => {
                word.push(*byte);
                rest = behind;
            }
        }
    }
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        b'a'..=b'f' => hex - b'a' + 10,
        _ => hex.wrapping_sub(b'A').wrapping_add(10),
    }
}

/// A word as it stands in a file so that `split` gives exactly these bytes back.
pub fn quoted(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@%+=,~*-".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return word.to_vec();
    }
    let mut text = Vec::with_capacity(word.len() + 2);
    text.push(b'"');
    for byte in word {
        match byte {
            b'\\' | b'"' => text.extend([b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            0x07 => text.extend(b"\\a"),
            0x08 => text.extend(b"\\b"),
            b' '..=b'~' => text.push(*byte),
            other => {
                let hex = b"0123456789abcdef";
                let (high, low) = (usize::from(other >> 4), usize::from(other & 15));
                text.extend([b'\\', b'x', hex[high], hex[low]]);
            }
        }
    }
    text.push(b'"');
    text
}

/// A line without the blanks around it; nothing where it is empty or a comment.
pub fn trimmed(line: &[u8]) -> Option<&[u8]> {
    let is_edge = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !is_edge(byte))?;
    let end = line.iter().rposition(|byte| !is_edge(byte))?;
    let line = &line[start..=end];
    (line[0] != b'#').then_some(line)
}
