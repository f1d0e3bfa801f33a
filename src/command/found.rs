//! The names that a walk has found so far, as the reply will show them.

use alloc::vec::Vec;

use crate::resp::reply::{Protocol, Reply};

/// Bulk strings, or numbers, that are counted while they are written, since an array's length comes
/// first.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    count: usize,
    pub(super) bytes: Vec<u8>,
    /// How many were looked at.
    pub(super) shown: usize,
}

impl Found {
    /// Adds one.
    pub(super) fn push(&mut self, protocol: Protocol, text: &[u8]) {
        self.count += 1;
        Reply::new(&mut self.bytes, protocol).bulk(text);
    }

    /// Adds one that writes itself.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.count += 1;
        write(&mut self.bytes);
    }

    /// Adds a number.
    pub(super) fn push_integer(&mut self, number: i64) {
        self.count += 1;
        Reply::new(&mut self.bytes, Protocol::Resp2).integer(number);
    }

    /// Writes all as a set.
    pub(super) fn write_set_to(&self, reply: &mut Reply<'_>) {
        reply.set(self.count);
        reply.raw(&self.bytes);
    }

    /// Writes all as an array.
    pub(super) fn write_to(&self, reply: &mut Reply<'_>) {
        reply.array(self.count);
        reply.raw(&self.bytes);
    }
}
