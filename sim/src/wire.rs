//! RESP as a client speaks it: requests written, replies read back by a decoder that forgives
//! nothing.
//!
//! It shares no code with the server. Each value has exactly one spelling here, so that equal
//! values mean equal bytes.

use std::fmt;

/// A reply, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Array(Vec<Value>),
    NullBulk,
    NullArray,
    Null,
    Boolean(bool),
    Double(Vec<u8>),
    Verbatim(Vec<u8>),
    Map(Vec<Value>),
    Set(Vec<Value>),
    Push(Vec<Value>),
}

impl Value {
    /// Returns true if it is an error.
    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// The text of a bulk or simple string.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Bulk(text) => Some(text),
            _ => None,
        }
    }

    /// The integer that it is, or that its text says.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => std::str::from_utf8(self.text()?).ok()?.parse().ok(),
        }
    }

    /// The parts of an array.
    pub(crate) fn items(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }
}

/// Bytes for people: as text where they are, long ones cut.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(80)];
    let dots = if cut.len() < bytes.len() { "…" } else { "" };
    format!("\"{}\"{dots}", cut.escape_ascii())
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, items: &[Value]| {
            write!(f, "{name}[")?;
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{item}")?;
            }
            f.write_str("]")
        };
        match self {
            Self::Simple(text) => write!(f, "+{}", shown(text)),
            Self::Error(text) => write!(f, "-{}", shown(text)),
            Self::Integer(number) => write!(f, ":{number}"),
            Self::Bulk(text) => f.write_str(&shown(text)),
            Self::Array(items) => list(f, "", items),
            Self::Map(items) => list(f, "%", items),
            Self::Set(items) => list(f, "~", items),
            Self::Push(items) => list(f, ">", items),
            Self::NullBulk => f.write_str("null bulk"),
            Self::NullArray => f.write_str("null array"),
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Double(text) => write!(f, ",{}", shown(text)),
            Self::Verbatim(text) => write!(f, "={}", shown(text)),
        }
    }
}

/// Appends a request as clients write it.
pub(crate) fn request<T: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[T]) {
    out.push(b'*');
    number(out, args.len());
    for arg in args {
        let arg = arg.as_ref();
        out.push(b'$');
        number(out, arg.len());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend_from_slice(number.to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The reason why a server's bytes are not RESP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// Reads replies out of a stream of bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoder {
    bytes: Vec<u8>,
    at: usize,
}

impl Decoder {
    /// More bytes have come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns true if bytes of an unfinished reply are left.
    pub(crate) fn is_amid(&self) -> bool {
        self.at < self.bytes.len()
    }

    /// The next whole reply.
    pub(crate) fn next(&mut self) -> Result<Option<Value>, Malformed> {
        let mut cursor = Cursor {
            bytes: &self.bytes,
            at: self.at,
        };
        match cursor.value(0) {
            Ok(value) => {
                self.at = cursor.at;
                Ok(Some(value))
            }
            Err(Stop::Incomplete) => Ok(None),
            Err(Stop::Malformed(why)) => {
                let rest = shown(&self.bytes[self.at..]);
                Err(Malformed(format!("{why} in {rest}")))
            }
        }
    }
}

enum Stop {
    Incomplete,
    Malformed(&'static str),
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
            return Err(Stop::Incomplete);
        };
        match rest.get(end..end + 2) {
            Some(b"\r\n") => {}
            None if rest[end] == b'\r' => return Err(Stop::Incomplete),
            _ => return Err(Stop::Malformed("a lone CR or LF")),
        }
        self.at += end + 2;
        Ok(&rest[..end])
    }

    fn integer(&mut self) -> Result<i64, Stop> {
        let line = self.line()?;
        let text = std::str::from_utf8(line).map_err(|_| Stop::Malformed("no number"))?;
        let number: i64 = text.parse().map_err(|_| Stop::Malformed("no number"))?;
        // A plus sign or a leading zero would parse as well.
        if number.to_string() == text {
            Ok(number)
        } else {
            Err(Stop::Malformed("a number in another spelling"))
        }
    }

    fn blob(&mut self, len: i64) -> Result<Vec<u8>, Stop> {
        let len = usize::try_from(len).map_err(|_| Stop::Malformed("a negative length"))?;
        let rest = &self.bytes[self.at..];
        if rest.len() < len + 2 {
            return Err(Stop::Incomplete);
        }
        if &rest[len..len + 2] != b"\r\n" {
            return Err(Stop::Malformed("a bulk string without its end"));
        }
        self.at += len + 2;
        Ok(rest[..len].to_vec())
    }

    fn list(&mut self, len: i64, depth: u32) -> Result<Vec<Value>, Stop> {
        let len = usize::try_from(len).map_err(|_| Stop::Malformed("a negative length"))?;
        let mut items = Vec::with_capacity(len.min(1024));
        for _ in 0..len {
            items.push(self.value(depth + 1)?);
        }
        Ok(items)
    }

    fn value(&mut self, depth: u32) -> Result<Value, Stop> {
        if depth > 16 {
            return Err(Stop::Malformed("values nested too deep"));
        }
        let marker = *self.bytes.get(self.at).ok_or(Stop::Incomplete)?;
        self.at += 1;
        Ok(match marker {
            b'+' => Value::Simple(self.line()?.to_vec()),
            b'-' => Value::Error(self.line()?.to_vec()),
            b':' => Value::Integer(self.integer()?),
            b'$' => match self.integer()? {
                -1 => Value::NullBulk,
                len => Value::Bulk(self.blob(len)?),
            },
            b'*' => match self.integer()? {
                -1 => Value::NullArray,
                len => Value::Array(self.list(len, depth)?),
            },
            b'_' => match self.line()? {
                b"" => Value::Null,
                _ => return Err(Stop::Malformed("a null with content")),
            },
            b'#' => match self.line()? {
                b"t" => Value::Boolean(true),
                b"f" => Value::Boolean(false),
                _ => return Err(Stop::Malformed("no boolean")),
            },
            b',' => Value::Double(self.line()?.to_vec()),
            b'=' => {
                let len = self.integer()?;
                Value::Verbatim(self.blob(len)?)
            }
            b'%' => {
                let len = self.integer()?;
                Value::Map(self.list(len.saturating_mul(2), depth)?)
            }
            b'~' => {
                let len = self.integer()?;
                Value::Set(self.list(len, depth)?)
            }
            b'>' => {
                let len = self.integer()?;
                Value::Push(self.list(len, depth)?)
            }
            _ => return Err(Stop::Malformed("an unknown type")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_whatever_the_pieces() {
        let stream =
            b"+OK\r\n$3\r\na\r\n\r\n*2\r\n:-7\r\n$-1\r\n%1\r\n+k\r\n_\r\n*-1\r\n-ERR x\r\n";
        for cut in 0..stream.len() {
            let mut decoder = Decoder::default();
            let mut found = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                decoder.feed(part);
                while let Some(value) = decoder.next().unwrap() {
                    found.push(value);
                }
            }
            assert!(!decoder.is_amid());
            let wanted = [
                Value::Simple(b"OK".to_vec()),
                Value::Bulk(b"a\r\n".to_vec()),
                Value::Array(vec![Value::Integer(-7), Value::NullBulk]),
                Value::Map(vec![Value::Simple(b"k".to_vec()), Value::Null]),
                Value::NullArray,
                Value::Error(b"ERR x".to_vec()),
            ];
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for bytes in [
            &b":+1\r\n"[..],
            b":01\r\n",
            b"+a\nb\r\n",
            b"?\r\n",
            b"$1\r\nabc",
            b"#x\r\n",
        ] {
            let mut decoder = Decoder::default();
            decoder.feed(bytes);
            assert!(decoder.next().is_err(), "{bytes:?}");
        }
    }
}
