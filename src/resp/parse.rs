//! Requests out of bytes that arrive in any pieces.
//!
//! The parser owns no bytes: it reads the caller's buffer and remembers where it stands in it, so
//! that no byte of a long argument is looked at twice. It follows Redis 7.2 in what it takes and
//! in every word of its complaints, and differs where the outcome in Redis hangs on how the bytes
//! were cut into packets: here it never does. Nothing is allocated on the word of a length.

use alloc::vec::Vec;
use core::ops::Range;

use super::reply::Reply;
use crate::{limits, quoting};

/// So many places of arguments are kept for the next request, whatever the last one needed.
const KEPT_ARGUMENTS: usize = 256;
/// So many bytes of unescaped arguments are kept for the next request.
const KEPT_SCRATCH_BYTES: usize = 4096;

/// The limits on a client's requests. It may change between two calls of [`Parser::next`]: each
/// length is judged by the limits under which its line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest argument, in bytes.
    pub bulk_bytes_max: u64,
    /// The most arguments of one request.
    pub arguments_max: u64,
    /// The longest inline request, and the longest line that announces a length, in bytes without
    /// the line's end.
    pub inline_bytes_max: usize,
    /// True if the client has authenticated, or need not; until then the limits of
    /// [`limits::UNAUTHENTICATED_ARGUMENTS_MAX`] and [`limits::UNAUTHENTICATED_BULK_BYTES_MAX`]
    /// hold as well.
    pub authenticated: bool,
}

impl Limits {
    /// The limits of a client that may send commands.
    pub const fn normal() -> Self {
        Self {
            bulk_bytes_max: limits::BULK_BYTES_MAX,
            arguments_max: limits::ARGUMENTS_MAX,
            inline_bytes_max: limits::INLINE_BYTES_MAX,
            authenticated: true,
        }
    }

    /// The limits of a client that has yet to authenticate.
    pub const fn unauthenticated() -> Self {
        Self {
            authenticated: false,
            ..Self::normal()
        }
    }
}

/// The parser's finding at the start of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole request; its arguments, at least one, are to be had until the next call.
    Request {
        /// The bytes that it took, which the caller drops.
        consumed: usize,
    },
    /// A request without arguments (a blank line, `*0`, `*-1`), to which nothing is answered.
    Empty {
        /// The bytes that it took, which the caller drops.
        consumed: usize,
    },
    /// The request goes on beyond the buffer.
    Incomplete {
        /// At least so many bytes are missing, one or more. A client claims this, so it may guide
        /// how much is read at once but not how much memory is set aside.
        wanted: usize,
    },
}

/// Why a client's bytes are no request. The start of the next request is then unknown: the caller
/// answers with the error and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The number of arguments is no number or too large.
    InvalidMultibulkLength,
    /// This byte stands at the start of an argument, instead of `$`.
    ExpectedDollar(u8),
    /// The length of an argument is no number, negative or too large.
    InvalidBulkLength,
    /// An inline request does not end in time.
    TooBigInline,
    /// The line with the number of arguments does not end in time.
    TooBigMultibulkCount,
    /// The line with the length of an argument does not end in time.
    TooBigBulkCount,
    /// A quote in an inline request is not closed, or does not end its word.
    UnbalancedQuotes,
    /// Too many arguments for a client that has not authenticated.
    UnauthenticatedMultibulkLength,
    /// An argument too long for a client that has not authenticated.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The words of Redis, without the code `ERR`. They may hold one byte of the client, of any
    /// value.
    pub fn text(self) -> Vec<u8> {
        let what: &[u8] = match self {
            Self::InvalidMultibulkLength => b"invalid multibulk length",
            Self::ExpectedDollar(got) => {
                return [b"Protocol error: expected '$', got '", &[got][..], b"'"].concat();
            }
            Self::InvalidBulkLength => b"invalid bulk length",
            Self::TooBigInline => b"too big inline request",
            Self::TooBigMultibulkCount => b"too big mbulk count string",
            Self::TooBigBulkCount => b"too big bulk count string",
            Self::UnbalancedQuotes => b"unbalanced quotes in request",
            Self::UnauthenticatedMultibulkLength => b"unauthenticated multibulk length",
            Self::UnauthenticatedBulkLength => b"unauthenticated bulk length",
        };
        [b"Protocol error: ", what].concat()
    }

    /// Answers with the error.
    pub fn write(self, reply: &mut Reply<'_>) {
        reply.error_bytes(&[&b"ERR "[..], &self.text()].concat());
    }
}

/// Finds one client's requests, one after the other.
///
/// Between two requests (after [`Step::Request`] or [`Step::Empty`]) it remembers nothing but
/// memory to reuse; a caller short of memory may put a new one in its place there.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    /// The ranges of the request's arguments, as far as they were found.
    ranges: Vec<Range<u32>>,
    /// The unescaped arguments of an inline request.
    scratch: Vec<u8>,
    /// True if the ranges refer to `scratch`.
    inline: bool,
    /// How many bytes of the buffer are understood; 0 until the number of arguments is known.
    at: usize,
    /// Behind `at`, so many bytes hold no end of the line.
    scanned: usize,
    /// The arguments that are still to come.
    left: u64,
    /// The length of the argument at `at`, once its line was read.
    bulk: Option<usize>,
    /// The error, once there was one: then all that follows gives the same.
    failed: Option<ProtocolError>,
}

impl Parser {
    /// A parser at the start of a connection.
    pub const fn new() -> Self {
        Self {
            ranges: Vec::new(),
            scratch: Vec::new(),
            inline: false,
            at: 0,
            scanned: 0,
            left: 0,
            bulk: None,
            failed: None,
        }
    }

    /// Looks for one whole request at the start of `buffer`, the bytes that are not consumed yet
    /// (fewer than 4 GiB).
    ///
    /// After [`Step::Incomplete`] the caller comes again with the same bytes and more behind them;
    /// after the other two it first drops `consumed` bytes. An error is final: every later call
    /// repeats it.
    pub fn next(&mut self, buffer: &[u8], limits: &Limits) -> Result<Step, ProtocolError> {
        assert!(
            u32::try_from(buffer.len()).is_ok(),
            "the limit on the query buffer is below 4 GiB"
        );
        if let Some(error) = self.failed {
            return Err(error);
        }
        let step = self.step(buffer, limits);
        match step {
            Ok(Step::Incomplete { .. }) => {}
            Ok(Step::Request { .. } | Step::Empty { .. }) => {
                self.at = 0;
                self.scanned = 0;
            }
            Err(error) => {
                self.failed = Some(error);
                self.ranges.clear();
            }
        }
        step
    }

    /// Forgets what it has seen of a request, and keeps its memory for another.
    pub fn restart(&mut self) {
        self.forget_request();
        *self = Self {
            ranges: core::mem::take(&mut self.ranges),
            scratch: core::mem::take(&mut self.scratch),
            ..Self::new()
        };
    }

    /// The ranges of the arguments of the request just found, in [`Parser::bytes`].
    pub fn arguments(&self) -> &[Range<u32>] {
        &self.ranges
    }

    /// How many arguments the request has, which is not whole yet and no inline one.
    pub fn count(&self) -> usize {
        self.ranges.len() + self.left as usize
    }

    /// After [`Step::Incomplete`], where in the buffer an argument begins of which only a part is
    /// there, and its length, if its line was read.
    pub fn open_bulk(&self) -> Option<(usize, usize)> {
        Some((self.at, self.bulk?))
    }

    /// The caller takes that argument for itself: it drops from the buffer what of it is there, and
    /// comes again when it has had all of it, with what follows. In the request it stands as an
    /// empty one.
    pub fn take_bulk(&mut self) {
        self.bulk = self.bulk.map(|_| 0);
    }

    /// The bytes to which [`Parser::arguments`] refers: the buffer that was given to
    /// [`Parser::next`], or the unescaped words of an inline request.
    pub fn bytes<'a>(&'a self, buffer: &'a [u8]) -> &'a [u8] {
        if self.inline { &self.scratch } else { buffer }
    }

    fn step(&mut self, buffer: &[u8], limits: &Limits) -> Result<Step, ProtocolError> {
        if self.at == 0 {
            self.forget_request();
            match buffer.first() {
                None => return Ok(Step::Incomplete { wanted: 1 }),
                Some(b'*') => {}
                Some(_) => return self.inline(buffer, limits),
            }
            match self.length(buffer, limits, ProtocolError::TooBigMultibulkCount)? {
                Length::Incomplete => return Ok(Step::Incomplete { wanted: 1 }),
                Length::Known(count) => self.left = argument_count(count, limits)?,
            }
            if self.left == 0 {
                return Ok(Step::Empty { consumed: self.at });
            }
        }
        while self.left > 0 {
            let len = match self.bulk {
                Some(len) => len,
                None => match self.length(buffer, limits, ProtocolError::TooBigBulkCount)? {
                    Length::Incomplete => return Ok(Step::Incomplete { wanted: 1 }),
                    Length::Known(len) => bulk_bytes(len, limits)?,
                },
            };
            // As in Redis, what stands in the place of the line's end is not looked at.
            let needed = len.saturating_add(2);
            let there = buffer.len().saturating_sub(self.at);
            if there < needed {
                self.bulk = Some(len);
                let wanted = needed - there;
                return Ok(Step::Incomplete { wanted });
            }
            self.bulk = None;
            // Both lie within the buffer, whose length fits in 32 bits.
            self.ranges.push(self.at as u32..(self.at + len) as u32);
            self.at += needed;
            self.left -= 1;
        }
        Ok(Step::Request { consumed: self.at })
    }

    fn inline(&mut self, buffer: &[u8], limits: &Limits) -> Result<Step, ProtocolError> {
        let Some(end) = self.line(buffer, b'\n', limits, ProtocolError::TooBigInline)? else {
            return Ok(Step::Incomplete { wanted: 1 });
        };
        let line = &buffer[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.inline = true;
        quoting::split(line, &mut self.scratch, &mut self.ranges)
            .map_err(|quoting::Unbalanced| ProtocolError::UnbalancedQuotes)?;
        let consumed = end + 1;
        Ok(if self.ranges.is_empty() {
            Step::Empty { consumed }
        } else {
            Step::Request { consumed }
        })
    }

    /// Reads the line at `at`, a marker and a number, and stands behind it.
    #[inline]
    fn length(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        too_big: ProtocolError,
    ) -> Result<Length, ProtocolError> {
        let is_bulk = too_big == ProtocolError::TooBigBulkCount;
        let marker = if is_bulk { b'$' } else { b'*' };
        let rest = buffer.get(self.at..).unwrap_or_default();
        // Nearly every length has one to three digits; these arms take what the long way takes.
        let (value, bytes) = match *rest {
            [m, a @ b'0'..=b'9', b'\r', _, ..] if m == marker => (digit(a), 4),
            [m, a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', _, ..] if m == marker => {
                (digit(a) * 10 + digit(b), 5)
            }
            [
                m,
                a @ b'1'..=b'9',
                b @ b'0'..=b'9',
                c @ b'0'..=b'9',
                b'\r',
                _,
                ..,
            ] if m == marker => (digit(a) * 100 + digit(b) * 10 + digit(c), 6),
            _ => return self.long_length(buffer, limits, too_big),
        };
        self.at += bytes;
        self.scanned = 0;
        Ok(Length::Known(Some(value)))
    }

    #[cold]
    fn long_length(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        too_big: ProtocolError,
    ) -> Result<Length, ProtocolError> {
        let Some(end) = self.line(buffer, b'\r', limits, too_big)? else {
            return Ok(Length::Incomplete);
        };
        // As in Redis, the byte behind the carriage return must be there but may be any.
        if end + 1 == buffer.len() {
            return Ok(Length::Incomplete);
        }
        let line = &buffer[self.at..end];
        if too_big == ProtocolError::TooBigBulkCount && line.first() != Some(&b'$') {
            return Err(ProtocolError::ExpectedDollar(buffer[self.at]));
        }
        let value = strict_i64(&line[1..]);
        self.at = end + 2;
        self.scanned = 0;
        Ok(Length::Known(value))
    }

    /// The end of the line that begins at `at` in `buffer`, if it has come.
    fn line(
        &mut self,
        buffer: &[u8],
        end: u8,
        limits: &Limits,
        too_big: ProtocolError,
    ) -> Result<Option<usize>, ProtocolError> {
        let rest = buffer.get(self.at..).unwrap_or_default();
        let bytes_max = limits.inline_bytes_max;
        // A line may have `bytes_max` bytes before its end. Redis sees a longer one too if it
        // arrives with its end in one piece; that must not depend on the pieces.
        let window = &rest[..rest.len().min(bytes_max.saturating_add(1))];
        let unseen = window.get(self.scanned..).unwrap_or_default();
        // Redis looks with strchr, to which a NUL hides all behind it: such a line never ends.
        let found = unseen.iter().position(|&b| b == end || b == 0);
        self.scanned = found.map_or(window.len(), |found| self.scanned + found);
        if window.get(self.scanned) == Some(&end) {
            return Ok(Some(self.at + self.scanned));
        }
        if rest.len() > bytes_max {
            return Err(too_big);
        }
        Ok(None)
    }

    /// Makes room for the next request, and gives back what a huge one needed unless it is needed
    /// again.
    fn forget_request(&mut self) {
        self.inline = false;
        let (arguments, bytes) = (self.ranges.len(), self.scratch.len());
        self.ranges.clear();
        self.scratch.clear();
        if self.ranges.capacity() > KEPT_ARGUMENTS.max(arguments * 4) {
            self.ranges.shrink_to(KEPT_ARGUMENTS);
        }
        if self.scratch.capacity() > KEPT_SCRATCH_BYTES.max(bytes * 4) {
            self.scratch.shrink_to(KEPT_SCRATCH_BYTES);
        }
    }
}

enum Length {
    Incomplete,
    /// The number, unless there was none.
    Known(Option<i64>),
}

fn digit(b: u8) -> i64 {
    i64::from(b - b'0')
}

/// How many arguments follow; a negative number means none.
fn argument_count(count: Option<i64>, limits: &Limits) -> Result<u64, ProtocolError> {
    let count = count.ok_or(ProtocolError::InvalidMultibulkLength)?;
    let count = u64::try_from(count).unwrap_or(0);
    if count > limits.arguments_max {
        return Err(ProtocolError::InvalidMultibulkLength);
    }
    if !limits.authenticated && count > limits::UNAUTHENTICATED_ARGUMENTS_MAX {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    Ok(count)
}

/// How many bytes the argument has.
fn bulk_bytes(len: Option<i64>, limits: &Limits) -> Result<usize, ProtocolError> {
    let len = len.and_then(|len| u64::try_from(len).ok());
    let len = len.ok_or(ProtocolError::InvalidBulkLength)?;
    if len > limits.bulk_bytes_max {
        return Err(ProtocolError::InvalidBulkLength);
    }
    if !limits.authenticated && len > limits::UNAUTHENTICATED_BULK_BYTES_MAX {
        return Err(ProtocolError::UnauthenticatedBulkLength);
    }
    usize::try_from(len).map_err(|_| ProtocolError::InvalidBulkLength)
}

/// A number as Redis writes it: no plus sign, no leading zero, no blank, no `-0`.
pub(super) fn strict_i64(text: &[u8]) -> Option<i64> {
    match text {
        b"0" => return Some(0),
        [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..] => {}
        _ => return None,
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
