//! Libraries of functions, one behind the other, as FUNCTION DUMP writes them.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::read::Source;
use super::write::put_string;

/// The byte in front of a library's text.
const LIBRARY: u8 = 245;
/// The byte in front of a library as release candidates of Redis 7.0 wrote it: name, engine and
/// description stand before a text without a first line.
const OLD_LIBRARY: u8 = 246;

/// Why bytes are no library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLibrary {
    /// Something else stands there.
    Type,
    /// Its text cannot be read, or is too long.
    Text,
}

/// Writes a library.
pub fn put_library(out: &mut Vec<u8>, text: &[u8]) {
    out.push(LIBRARY);
    put_string(out, text);
}

/// The text of the library at `at`, which may have so many bytes, and the place behind it.
pub fn library(
    value: &[u8],
    at: usize,
    bytes_max: usize,
) -> Result<(Cow<'_, [u8]>, usize), BadLibrary> {
    let mut source = Source {
        bytes: value,
        at,
        room: bytes_max,
    };
    let text = match source.array().map_err(|_| BadLibrary::Type)? {
        [LIBRARY] => source.string().map_err(|_| BadLibrary::Text)?,
        [OLD_LIBRARY] => old(&mut source).ok_or(BadLibrary::Text)?,
        _ => return Err(BadLibrary::Type),
    };
    if text.len() > bytes_max {
        return Err(BadLibrary::Text);
    }
    Ok((text, source.at))
}

fn old<'a>(source: &mut Source<'a>) -> Option<Cow<'a, [u8]>> {
    let name = source.string().ok()?;
    let engine = source.string().ok()?;
    if source.count().ok()? != 0 {
        source.string().ok()?;
    }
    let text = source.string().ok()?;
    Some(Cow::Owned(
        [b"#!", &*engine, b" name=", &*name, b"\n", &*text].concat(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_as_they_are_written() {
        let mut value = Vec::new();
        put_library(&mut value, b"one");
        put_library(&mut value, &[b'x'; 100]);
        let (first, next) = library(&value, 0, 100).unwrap();
        assert_eq!(&*first, b"one");
        assert_eq!(library(&value, next, 99), Err(BadLibrary::Text));
        let (second, end) = library(&value, next, 100).unwrap();
        assert_eq!((&*second, end), (&[b'x'; 100][..], value.len()));
        assert_eq!(library(&value, end, 100), Err(BadLibrary::Type));
        let old = b"\xf6\x03lib\x03LUA\x01\x04desc\x08return 1";
        let (text, end) = library(old, 0, 100).unwrap();
        assert_eq!((&*text, end), (&b"#!LUA name=lib\nreturn 1"[..], old.len()));
        assert_eq!(library(&[245, 5, b'x'], 0, 100), Err(BadLibrary::Text));
        assert_eq!(library(&[0, 1, b'x'], 0, 100), Err(BadLibrary::Type));
        // A string of 1,000 bytes that is said to come of 5.
        let bomb = b"\xf5\xc3\x05\x43\xe8\x00a\xe0\xff\x00";
        assert_eq!(library(bomb, 0, 100), Err(BadLibrary::Text));
    }
}
