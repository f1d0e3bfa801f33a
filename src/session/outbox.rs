//! Replies that may leave, in the order of their requests.

use alloc::vec::Vec;

/// The bytes that the driver may send.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

/// What an idle client may hold for its next replies, in bytes.
const CAPACITY_MAX: usize = 64 << 10;

impl Outbox {
    /// Where replies are appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The bytes that have not been sent.
    pub fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// Whether all has been sent.
    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// How many bytes have not been sent.
    pub fn len(&self) -> usize {
        // While a reply is being written its buffer is lent out, and the sent part of it with it.
        self.bytes.len().saturating_sub(self.sent)
    }

    /// The driver has sent the first `count` bytes.
    pub fn sent(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.bytes.len());
        if self.sent == self.bytes.len() {
            self.sent = 0;
            self.bytes.clear();
            self.bytes.shrink_to(CAPACITY_MAX);
        } else if self.sent > self.bytes.len() / 2 && self.sent > CAPACITY_MAX {
            // A slow reader of a long reply: moving the second half pays for the first.
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_order_whatever_the_driver_takes_at_once() {
        let mut outbox = Outbox::default();
        let all: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
        outbox.buffer().extend_from_slice(&all);
        let mut left = Vec::new();
        for step in [1, 70_000, 100_000, 99_999, 30_000] {
            left.extend_from_slice(&outbox.unsent()[..step]);
            outbox.sent(step);
        }
        assert!(outbox.is_empty());
        assert_eq!(left, all);
    }
}
