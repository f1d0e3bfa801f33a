//! The first line of a library: the engine that runs it, and its name.

use alloc::vec::Vec;
use core::ops::Range;

use crate::command::error::Error;
use crate::quoting;

/// The name of a library, and its text behind the first line. The end of that line stays, so that
/// lines keep their numbers.
pub(super) fn read(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Error> {
    if !text.starts_with(b"#!") {
        return Err(Error::NO_LIBRARY_METADATA);
    }
    let end = text.iter().position(|byte| matches!(byte, b'\n' | 0));
    let end = end.filter(|end| text.get(*end) == Some(&b'\n'));
    let (line, rest) = text.split_at(end.ok_or(Error::BAD_LIBRARY_METADATA)?);
    let words = words(line).ok_or(Error::BAD_LIBRARY_METADATA)?;
    let (engine, words) = words.split_first().ok_or(Error::BAD_LIBRARY_METADATA)?;
    let engine = engine.get(2..).unwrap_or_default();
    let mut name = None;
    for word in words {
        match word.split_at_checked(5) {
            Some((key, value)) if key.eq_ignore_ascii_case(b"name=") => {
                if name.replace(value.to_vec()).is_some() {
                    return Err(Error::LIBRARY_NAMED_TWICE);
                }
            }
            _ => {
                return Err(Error::of(&[b"ERR Invalid metadata value given: ", word]));
            }
        }
    }
    let name = name.ok_or(Error::LIBRARY_NOT_NAMED)?;
    if !is_name(&name) {
        return Err(Error::LIBRARY_NAME);
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(Error::of(&[b"ERR Engine '", engine, b"' not found"]));
    }
    Ok((name, rest))
}

/// Returns true if libraries and functions may have this name.
pub(super) fn is_name(name: &[u8]) -> bool {
    let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_fit)
}

/// The words of a line, with the quoting of inline requests; nothing where a quote is not closed.
fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
    quoting::split(line, &mut bytes, &mut ranges).ok()?;
    let word = |range: &Range<u32>| bytes[range.start as usize..range.end as usize].to_vec();
    Some(ranges.iter().map(word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Vec<u8> {
        match read(text.as_bytes()).unwrap_err() {
            Error::Reply(text) => text.into_owned(),
            error => panic!("{error:?}"),
        }
    }

    #[test]
    fn the_first_line_of_a_library_names_it() {
        let found = read(b"#!LUA NAME=a_1\nx").unwrap();
        assert_eq!(found, (b"a_1".to_vec(), &b"\nx"[..]));
        for line in [
            "#!lua name=\"q\"\n",
            "#!lua 'name=q'\n",
            "#!lua name=\"\\x71\"\n",
        ] {
            assert_eq!(read(line.as_bytes()).unwrap().0, b"q", "{line}");
        }
        for (text, error) in [
            ("redis.call()", "ERR Missing library metadata"),
            ("#!lua name=a", "ERR Invalid library metadata"),
            ("#!lua name=\"a\n", "ERR Invalid library metadata"),
            ("#!lua name=\"a\"b\n", "ERR Invalid library metadata"),
            ("#!lua\n", "ERR Library name was not given"),
            ("#! lua\n", "ERR Invalid metadata value given: lua"),
            ("#!\n", "ERR Library name was not given"),
            ("#! name=x\n", "ERR Engine '' not found"),
            ("#!js name=x\n", "ERR Engine 'js' not found"),
            (
                "#!lua name=a name=b\n",
                "ERR Invalid metadata value, name argument was given multiple times",
            ),
            (
                "#!js name=a-b\n",
                "ERR Library names can only contain letters, numbers, or underscores(_) and must \
                 be at least one character long",
            ),
        ] {
            assert_eq!(refused(text), error.as_bytes(), "{text}");
        }
    }
}
