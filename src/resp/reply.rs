//! Replies as bytes: one writer for RESP2 and RESP3.
//!
//! Types that RESP2 lacks are written as Redis does: a map as a flat array, a double as a bulk
//! string, a null as an empty bulk, a push as an array.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::copying;

/// The version of the protocol that a client has chosen with HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The protocol that every client speaks at first.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// Writes one client's replies at the end of a buffer that the caller lends.
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> Reply<'a> {
    /// A writer that appends to `out` in the client's protocol.
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol }
    }

    /// The same writer for a shorter time.
    pub fn reborrow(&mut self) -> Reply<'_> {
        Reply {
            out: self.out,
            protocol: self.protocol,
        }
    }

    /// The protocol in which this writer writes.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// How many bytes the buffer holds: a mark for `truncate`.
    pub fn mark(&self) -> usize {
        self.out.len()
    }

    /// Takes back all that was written since `mark`.
    pub fn truncate(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// Appends bytes that are RESP already.
    pub fn raw(&mut self, bytes: &[u8]) {
        copying::append(self.out, bytes);
    }

    /// `+OK`.
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A simple string. Line breaks in it become spaces, lest it be taken for two replies.
    pub fn simple(&mut self, text: &str) {
        self.simple_bytes(text.as_bytes());
    }

    /// A simple string that holds bytes of a client.
    pub fn simple_bytes(&mut self, text: &[u8]) {
        self.line(b'+', text);
    }

    /// An error; `text` starts with its code. Line breaks in it become spaces (CVE-2025-67733 in
    /// Redis).
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// An error whose text holds bytes of a client.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.line(b'-', text);
    }

    /// An error of any bytes, line breaks kept: `!`, or a plain error without them. Redis itself
    /// sends only plain ones.
    pub fn bulk_error(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.error_bytes(text),
            Protocol::Resp3 => {
                self.length(b'!', text.len());
                self.raw(text);
                self.raw(b"\r\n");
            }
        }
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A bulk string.
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.length(b'$', bytes.len());
        self.raw(bytes);
        self.raw(b"\r\n");
    }

    /// The head of a bulk string of `len` bytes, for which room is made; these and a line break
    /// are appended with `raw`.
    pub fn bulk_head(&mut self, len: usize) {
        self.out.reserve(len + 32);
        self.length(b'$', len);
    }

    /// An integer in a bulk string, as Redis answers GET of a counter.
    pub fn bulk_integer(&mut self, value: i64) {
        let mut digits = [0; 20];
        let text = decimal(value, &mut digits);
        self.bulk(text);
    }

    /// A missing value: `_` or an empty bulk string.
    pub fn null(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.raw(b"$-1\r\n"),
            Protocol::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// An array that is not there: `_` or an empty array.
    pub fn null_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.raw(b"*-1\r\n"),
            Protocol::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// The head of an array; `len` replies follow.
    pub fn array(&mut self, len: usize) {
        self.length(b'*', len);
    }

    /// The head of a map; `len` pairs of replies follow.
    pub fn map(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.length(b'*', len * 2),
            Protocol::Resp3 => self.length(b'%', len),
        }
    }

    /// The head of a set; `len` replies follow.
    pub fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.length(b'*', len),
            Protocol::Resp3 => self.length(b'~', len),
        }
    }

    /// The head of a push, which answers no request; `len` replies follow.
    pub fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.length(b'*', len),
            Protocol::Resp3 => self.length(b'>', len),
        }
    }

    /// The head of `len` pairs of replies that say more about the reply behind them. RESP2 has no
    /// place for them: the caller leaves them out there.
    pub fn attribute(&mut self, len: usize) {
        self.length(b'|', len);
    }

    /// A boolean: `#t` and `#f`, or 1 and 0.
    pub fn boolean(&mut self, value: bool) {
        match (self.protocol, value) {
            (Protocol::Resp2, _) => self.integer(i64::from(value)),
            (Protocol::Resp3, true) => self.raw(b"#t\r\n"),
            (Protocol::Resp3, false) => self.raw(b"#f\r\n"),
        }
    }

    /// A double whose shortest decimal text the caller gives: `,1.5`, or a bulk string.
    pub fn double_text(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A number of any length in decimal: `(123`, or a bulk string.
    pub fn big_number(&mut self, digits: &str) {
        self.big_number_bytes(digits.as_bytes());
    }

    /// The same of what somebody else says to be one.
    pub fn big_number_bytes(&mut self, digits: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b'(', digits),
        }
    }

    /// Text for people, with its kind of three letters: `=`, or a bulk string.
    pub fn verbatim(&mut self, kind: [u8; 3], text: &str) {
        self.verbatim_bytes(kind, text.as_bytes());
    }

    /// Text for people that need not be UTF-8.
    pub fn verbatim_bytes(&mut self, kind: [u8; 3], text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.length(b'=', text.len() + 4);
                self.raw(&kind);
                self.raw(b":");
                self.raw(text);
                self.raw(b"\r\n");
            }
        }
    }

    /// A bulk string that is formatted in place.
    pub fn bulk_fmt(&mut self, text: core::fmt::Arguments<'_>) {
        let mut formatted = String::new();
        // Writing to a string cannot fail.
        let _ = formatted.write_fmt(text);
        self.bulk(formatted.as_bytes());
    }

    fn line(&mut self, marker: u8, text: &[u8]) {
        self.out.push(marker);
        let clean = |b: &u8| if matches!(b, b'\r' | b'\n') { b' ' } else { *b };
        self.out.extend(text.iter().map(clean));
        self.raw(b"\r\n");
    }

    fn length(&mut self, marker: u8, len: usize) {
        self.header(marker, len as i64);
    }

    fn header(&mut self, marker: u8, value: i64) {
        let mut digits = [0; 20];
        let text = decimal(value, &mut digits);
        self.out.push(marker);
        self.out.extend_from_slice(text);
        self.raw(b"\r\n");
    }
}

/// The decimal text of a number, written at the end of `digits`.
pub fn decimal(value: i64, digits: &mut [u8; 20]) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    &digits[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(protocol: Protocol, write: impl FnOnce(&mut Reply<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Reply::new(&mut out, protocol));
        out
    }

    #[test]
    fn decimal_writes_every_digit() {
        for value in [0, 7, -7, 10, i64::MAX, i64::MIN] {
            assert_eq!(decimal(value, &mut [0; 20]), value.to_string().as_bytes());
        }
    }

    #[test]
    fn what_resp2_lacks_is_written_as_redis_does() {
        let both = |write: fn(&mut Reply<'_>)| {
            (
                written(Protocol::Resp2, write),
                written(Protocol::Resp3, write),
            )
        };
        assert_eq!(
            both(|r| {
                r.null();
            }),
            (b"$-1\r\n".to_vec(), b"_\r\n".to_vec())
        );
        assert_eq!(both(|r| r.map(2)), (b"*4\r\n".to_vec(), b"%2\r\n".to_vec()));
        assert_eq!(
            both(|r| r.boolean(true)),
            (b":1\r\n".to_vec(), b"#t\r\n".to_vec())
        );
        assert_eq!(
            both(|r| r.push(1)),
            (b"*1\r\n".to_vec(), b">1\r\n".to_vec())
        );
    }

    #[test]
    fn a_client_cannot_end_an_error_early() {
        let bytes = written(Protocol::Resp2, |r| r.error_bytes(b"ERR 'a\r\n+OK'"));
        assert_eq!(bytes, b"-ERR 'a  +OK'\r\n");
    }
}
