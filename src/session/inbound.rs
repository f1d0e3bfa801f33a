//! The bytes that a client has sent and that are not yet made into a request.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::resp::parse::Parser;

use super::large::Large;

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
    /// before.
    pub fn keep(&mut self, rest: &[u8]) {
        self.kept.extend_from_slice(rest);
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

/// The capacity that an idle client may hold for its next request, in bytes.
const KEPT_CAPACITY_MAX: usize = 64 << 10;
