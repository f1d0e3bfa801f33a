//! Replies read back: what a client, the simulator and the tests make of a server's bytes.
//!
//! Every type of RESP2 and RESP3 is known except the streamed ones, which Redis does not send. The
//! decoder is stricter than a client need be, for it also judges what this server writes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::parse::strict_i64;
use super::reply::{Protocol, Reply};
use crate::limits;

/// One reply, or one part of a reply.
///
/// The three ways to say that nothing is there are kept apart, and numbers beyond integers keep
/// their text, so that [`Value::encode`] gives back the very bytes that were decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `+`: a line.
    Simple(Vec<u8>),
    /// `-`: a line that starts with the error's code.
    Error(Vec<u8>),
    /// `:`: an integer.
    Integer(i64),
    /// `$`: any bytes.
    Bulk(Vec<u8>),
    /// `*`: values in order.
    Array(Vec<Value>),
    /// `$-1`: no bulk string (RESP2).
    NullBulk,
    /// `*-1`: no array (RESP2).
    NullArray,
    /// `_`: nothing (RESP3).
    Null,
    /// `#`: a boolean (RESP3).
    Boolean(bool),
    /// `,`: a double, as its text (RESP3).
    Double(String),
    /// `(`: an integer of any length, as its text (RESP3).
    BigNumber(String),
    /// `!`: an error of any bytes (RESP3).
    BulkError(Vec<u8>),
    /// `=`: text for people (RESP3).
    Verbatim {
        /// The kind of text: `txt` or `mkd`.
        kind: [u8; 3],
        /// The text without its kind.
        text: Vec<u8>,
    },
    /// `%`: pairs in the order in which they came (RESP3).
    Map(Vec<(Value, Value)>),
    /// `~`: values of which none should come twice (RESP3).
    Set(Vec<Value>),
    /// `>`: what the server says unasked (RESP3).
    Push(Vec<Value>),
    /// `|`: a value about which more is said than was asked (RESP3).
    Attributed {
        /// The attributes.
        attributes: Vec<(Value, Value)>,
        /// The value itself.
        value: Box<Value>,
    },
}

impl Value {
    /// Returns true if this is a null, in any of its three forms.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::NullBulk | Self::NullArray)
    }

    /// Returns true if this is an error, of either kind.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_) | Self::BulkError(_))
    }

    /// The bytes of a string or an error of any kind.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(bytes)
            | Self::Error(bytes)
            | Self::Bulk(bytes)
            | Self::BulkError(bytes)
            | Self::Verbatim { text: bytes, .. } => Some(bytes),
            Self::Double(text) | Self::BigNumber(text) => Some(text.as_bytes()),
            Self::Attributed { value, .. } => value.as_bytes(),
            Self::Integer(_)
            | Self::Array(_)
            | Self::NullBulk
            | Self::NullArray
            | Self::Null
            | Self::Boolean(_)
            | Self::Map(_)
            | Self::Set(_)
            | Self::Push(_) => None,
        }
    }

    /// Appends the bytes of this value. A line break in a [`Value::Simple`] or a [`Value::Error`],
    /// which no decoded one has, becomes a space.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut reply = Reply::new(out, Protocol::Resp3);
        match self {
            Self::Simple(text) => reply.simple_bytes(text),
            Self::Error(text) => reply.error_bytes(text),
            Self::Integer(value) => reply.integer(*value),
            Self::Bulk(bytes) => reply.bulk(bytes),
            Self::Array(items) => {
                reply.array(items.len());
                encode_all(items, out);
            }
            Self::NullBulk => reply.raw(b"$-1\r\n"),
            Self::NullArray => reply.raw(b"*-1\r\n"),
            Self::Null => reply.null(),
            Self::Boolean(value) => reply.boolean(*value),
            Self::Double(text) => reply.double_text(text),
            Self::BigNumber(digits) => reply.big_number(digits),
            Self::BulkError(text) => reply.bulk_error(text),
            Self::Verbatim { kind, text } => reply.verbatim_bytes(*kind, text),
            Self::Map(pairs) => {
                reply.map(pairs.len());
                encode_pairs(pairs, out);
            }
            Self::Set(items) => {
                reply.set(items.len());
                encode_all(items, out);
            }
            Self::Push(items) => {
                reply.push(items.len());
                encode_all(items, out);
            }
            Self::Attributed { attributes, value } => {
                reply.attribute(attributes.len());
                encode_pairs(attributes, out);
                value.encode(out);
            }
        }
    }
}

fn encode_all(items: &[Value], out: &mut Vec<u8>) {
    for item in items {
        item.encode(out);
    }
}

fn encode_pairs(pairs: &[(Value, Value)], out: &mut Vec<u8>) {
    for (key, value) in pairs {
        key.encode(out);
        value.encode(out);
    }
}

/// Appends a request the way every client library sends it: an array of bulk strings.
pub fn encode_request<A: AsRef<[u8]>>(arguments: &[A], out: &mut Vec<u8>) {
    let mut reply = Reply::new(out, Protocol::Resp2);
    reply.array(arguments.len());
    for argument in arguments {
        reply.bulk(argument.as_ref());
    }
}

/// The decoder's finding at the start of the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole value.
    Value {
        /// The value.
        value: Value,
        /// The bytes that it took, which the caller drops.
        consumed: usize,
    },
    /// The value goes on beyond the buffer.
    Incomplete {
        /// At least so many bytes are missing, one or more.
        wanted: usize,
    },
}

/// Why bytes are no reply. The start of the next reply is then unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// No type starts with this byte.
    UnknownType(u8),
    /// A line or a string does not end with CR LF.
    LineEnd,
    /// A length is no number, negative or beyond counting.
    Length,
    /// The content of a line does not fit its type, for example letters in an integer.
    Content,
    /// A line or a string is longer than the decoder was told to bear.
    TooLong,
    /// Values stand in one another more than [`limits::NESTING_MAX`] deep.
    TooDeep,
}

/// Finds one server's replies, one after the other; no byte is looked at twice, and nothing is
/// allocated on the word of a length.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The values that have begun, the outermost first.
    open: Vec<Open>,
    /// How many bytes of the buffer are understood.
    at: usize,
    /// Behind `at`, so many bytes hold no end of the line.
    scanned: usize,
    /// The marker and the length of the string at `at`, once its line was read.
    string: Option<(u8, usize)>,
    /// The longest line or string, in bytes.
    bytes_max: usize,
    /// The error, once there was one: then all that follows gives the same.
    failed: Option<Malformed>,
}

/// A value whose parts are still to come.
#[derive(Clone, Debug)]
struct Open {
    kind: Kind,
    /// The parts that are still to come.
    left: u64,
    /// The parts that came; of pairs, keys and values in turn.
    parts: Vec<Value>,
}

#[derive(Clone, Debug)]
enum Kind {
    Array,
    Map,
    Set,
    Push,
    /// The attributes themselves.
    Attributes,
    /// The value to which these attributes belong.
    Attributed(Vec<(Value, Value)>),
}

/// The meaning of one line, or of one string with its line.
enum Part {
    Incomplete { wanted: usize },
    Opened,
    Whole(Value),
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder that bears strings as long as a request may hold.
    pub const fn new() -> Self {
        Self::with_bytes_max(limits::BULK_BYTES_MAX as usize)
    }

    /// A decoder that bears lines and strings of at most `bytes_max` bytes, line ends and markers
    /// not counted.
    pub const fn with_bytes_max(bytes_max: usize) -> Self {
        Self {
            open: Vec::new(),
            at: 0,
            scanned: 0,
            string: None,
            bytes_max,
            failed: None,
        }
    }

    /// Looks for one whole value at the start of `buffer`, the bytes that are not consumed yet.
    ///
    /// After [`Decoded::Incomplete`] the caller comes again with the same bytes and more behind
    /// them; after [`Decoded::Value`] it first drops `consumed` bytes. An error is final: every
    /// later call repeats it.
    pub fn next(&mut self, buffer: &[u8]) -> Result<Decoded, Malformed> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        loop {
            let whole = match self.part(buffer) {
                Err(error) => {
                    self.failed = Some(error);
                    self.open = Vec::new();
                    return Err(error);
                }
                Ok(Part::Incomplete { wanted }) => return Ok(Decoded::Incomplete { wanted }),
                Ok(Part::Opened) => self.close(None),
                Ok(Part::Whole(value)) => self.close(Some(value)),
            };
            if let Some(value) = whole {
                let consumed = mem::take(&mut self.at);
                return Ok(Decoded::Value { value, consumed });
            }
        }
    }

    /// Puts a value into the innermost open one, closes all that are complete with it, and returns
    /// the outermost if it is among them.
    fn close(&mut self, mut value: Option<Value>) -> Option<Value> {
        loop {
            let Some(mut open) = self.open.pop() else {
                return value;
            };
            if let Some(value) = value.take() {
                open.parts.push(value);
                open.left -= 1;
            }
            if open.left > 0 {
                self.open.push(open);
                return None;
            }
            match open.kind {
                Kind::Array => value = Some(Value::Array(open.parts)),
                Kind::Set => value = Some(Value::Set(open.parts)),
                Kind::Push => value = Some(Value::Push(open.parts)),
                Kind::Map => value = Some(Value::Map(pairs(open.parts))),
                Kind::Attributes => self.open.push(Open {
                    kind: Kind::Attributed(pairs(open.parts)),
                    left: 1,
                    parts: Vec::new(),
                }),
                Kind::Attributed(attributes) => {
                    value = open.parts.pop().map(|value| Value::Attributed {
                        attributes,
                        value: Box::new(value),
                    });
                }
            }
        }
    }

    fn part(&mut self, buffer: &[u8]) -> Result<Part, Malformed> {
        if let Some((marker, len)) = self.string {
            return self.string(buffer, marker, len);
        }
        let Some(&marker) = buffer.get(self.at) else {
            return Ok(Part::Incomplete { wanted: 1 });
        };
        if !b"+-:$*_#,(!=%~>|".contains(&marker) {
            return Err(Malformed::UnknownType(marker));
        }
        let Some(line) = self.line(buffer)? else {
            return Ok(Part::Incomplete { wanted: 1 });
        };
        let whole = match (marker, line) {
            (b'+', _) => Value::Simple(line.to_vec()),
            (b'-', _) => Value::Error(line.to_vec()),
            (b':', _) => Value::Integer(strict_i64(line).ok_or(Malformed::Content)?),
            (b'$', b"-1") => Value::NullBulk,
            (b'*', b"-1") => Value::NullArray,
            (b'_', b"") => Value::Null,
            (b'#', b"t") => Value::Boolean(true),
            (b'#', b"f") => Value::Boolean(false),
            (b',', _) => Value::Double(double(line)?),
            (b'(', _) => Value::BigNumber(big_number(line)?),
            (b'_' | b'#', _) => return Err(Malformed::Content),
            (b'$' | b'!' | b'=', _) => {
                let len = usize::try_from(length(line)?).map_err(|_| Malformed::TooLong)?;
                if len > self.bytes_max {
                    return Err(Malformed::TooLong);
                }
                return self.string(buffer, marker, len);
            }
            _ => {
                let count = length(line)?;
                return self.opened(marker, count);
            }
        };
        Ok(Part::Whole(whole))
    }

    fn opened(&mut self, marker: u8, count: u64) -> Result<Part, Malformed> {
        if self.open.len() == limits::NESTING_MAX {
            return Err(Malformed::TooDeep);
        }
        let (kind, parts) = match marker {
            b'*' => (Kind::Array, Some(count)),
            b'~' => (Kind::Set, Some(count)),
            b'>' => (Kind::Push, Some(count)),
            b'%' => (Kind::Map, count.checked_mul(2)),
            _ => (Kind::Attributes, count.checked_mul(2)),
        };
        self.open.push(Open {
            kind,
            left: parts.ok_or(Malformed::Length)?,
            parts: Vec::new(),
        });
        Ok(Part::Opened)
    }

    /// Reads the string at `at`, whose line was read.
    fn string(&mut self, buffer: &[u8], marker: u8, len: usize) -> Result<Part, Malformed> {
        let rest = buffer.get(self.at..).unwrap_or_default();
        let needed = len.saturating_add(2);
        if rest.len() < needed {
            self.string = Some((marker, len));
            let wanted = needed - rest.len();
            return Ok(Part::Incomplete { wanted });
        }
        let (bytes, behind) = rest.split_at(len);
        if !behind.starts_with(b"\r\n") {
            return Err(Malformed::LineEnd);
        }
        self.string = None;
        self.at += needed;
        Ok(Part::Whole(match (marker, bytes) {
            (b'$', _) => Value::Bulk(bytes.to_vec()),
            (b'!', _) => Value::BulkError(bytes.to_vec()),
            (_, &[a, b, c, b':', ref text @ ..]) => Value::Verbatim {
                kind: [a, b, c],
                text: text.to_vec(),
            },
            _ => return Err(Malformed::Content),
        }))
    }

    /// The line at `at` without its marker and its end, if it is there yet; then stands behind it.
    fn line<'a>(&mut self, buffer: &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = buffer.get(self.at + 1..).unwrap_or_default();
        let window = &rest[..rest.len().min(self.bytes_max.saturating_add(1))];
        let unseen = window.get(self.scanned..).unwrap_or_default();
        let found = unseen.iter().position(|b| matches!(b, b'\r' | b'\n'));
        self.scanned = found.map_or(window.len(), |found| self.scanned + found);
        if self.scanned > self.bytes_max {
            return Err(Malformed::TooLong);
        }
        let (line, behind) = rest.split_at(self.scanned);
        match *behind {
            [b'\r', b'\n', ..] => {
                self.at += line.len() + 3;
                self.scanned = 0;
                Ok(Some(line))
            }
            [b'\r'] => Ok(None),
            [b'\r' | b'\n', ..] => Err(Malformed::LineEnd),
            _ => Ok(None),
        }
    }
}

/// Keys and values in turn, as pairs. Their number is even, for a map's length counts pairs.
fn pairs(parts: Vec<Value>) -> Vec<(Value, Value)> {
    let mut pairs = Vec::with_capacity(parts.len() / 2);
    let mut parts = parts.into_iter();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn length(line: &[u8]) -> Result<u64, Malformed> {
    let value = strict_i64(line).ok_or(Malformed::Length)?;
    u64::try_from(value).map_err(|_| Malformed::Length)
}

fn double(line: &[u8]) -> Result<String, Malformed> {
    let text = core::str::from_utf8(line).map_err(|_| Malformed::Content)?;
    text.parse::<f64>().map_err(|_| Malformed::Content)?;
    Ok(text.into())
}

fn big_number(line: &[u8]) -> Result<String, Malformed> {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::Content);
    }
    let text = core::str::from_utf8(line).map_err(|_| Malformed::Content)?;
    Ok(text.into())
}

#[cfg(test)]
mod tests;
