//! The bytes that a client has sent and that are not yet made into a request.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::copying;
use crate::resp::parse::Parser;

use super::large::{self, Large};

/// A parser and the bytes that it must see again.
#[derive(Clone, Debug, Default)]
pub struct Inbound {
    /// The parser's state for the request at the start of `kept`.
    pub parser: Parser,
    /// The bytes of requests that are not whole, or not taken yet; large arguments are not among
    /// them.
    pub kept: Vec<u8>,
    /// The request at the start of `kept`, where it has a large argument.
    pub large: Option<Box<Large>>,
}

impl Inbound {
    /// Keeps what was not consumed of `bytes`, which is either new or `kept` itself, taken out
    /// before. There is room at once for the rest of an argument of which much has come.
    pub fn keep(&mut self, rest: &[u8]) {
        if let Some((at, length)) = self.parser.open_bulk() {
            let have = self.kept.len() + rest.len();
            let whole = at + length + END_BYTES;
            if (have..=have * large::AHEAD).contains(&whole) {
                self.kept.reserve(whole - self.kept.len());
            }
        }
        copying::append(&mut self.kept, rest);
    }

    /// Drops the first `count` kept bytes, and the memory too where a large request has left it.
    pub fn drop_front(&mut self, count: usize) {
        self.kept.drain(..count);
        if self.kept.is_empty() && self.kept.capacity() > KEPT_CAPACITY_MAX {
            self.kept = Vec::new();
        }
    }

    /// How many bytes are held.
    pub fn len(&self) -> usize {
        let large = self.large.as_ref();
        self.kept.len() + large.map_or(0, |large| large.gathering.len())
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        let large = self.large.as_ref();
        self.kept.len() + large.map_or(0, |large| large.memory())
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The bytes behind an argument.
const END_BYTES: usize = 2;
/// The capacity that an idle client may hold for its next request, in bytes.
const KEPT_CAPACITY_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::parse::{Limits, Step};

    fn kept(announced: usize, come: usize) -> usize {
        let mut inbound = Inbound::default();
        let mut bytes = alloc::format!("*2\r\n$3\r\nGET\r\n${announced}\r\n").into_bytes();
        bytes.resize(bytes.len() + come, b'v');
        let limits = Limits::normal();
        let step = inbound.parser.next(&bytes, &limits);
        assert!(matches!(step, Ok(Step::Incomplete { .. })));
        inbound.keep(&bytes);
        inbound.kept.capacity()
    }

    #[test]
    fn room_is_made_for_the_rest_of_an_argument_of_which_much_has_come() {
        assert!(kept(65_536, 60_000) >= 65_538);
        assert!(kept(1 << 29, 60_000) < 1 << 20);
    }
}
