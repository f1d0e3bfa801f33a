//! Replies that may leave, in the order of their requests.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A reply that may leave only when it is known that this member led when it was written.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// The round of questions that tells.
    round: u64,
    start: usize,
    end: usize,
}

/// Replies, of which the driver may send those before the first that is held.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    holds: VecDeque<Hold>,
}

/// The capacity that an idle client may hold for its next replies, in bytes.
const CAPACITY_MAX: usize = 64 << 10;

impl Outbox {
    /// The buffer to which replies are appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends a reply that was written elsewhere; where it begins. The buffer of a long one stays
    /// where nothing stands before it.
    pub fn append(&mut self, reply: Vec<u8>) -> usize {
        let mark = self.bytes.len();
        if mark == 0 {
            self.bytes = reply;
        } else {
            self.bytes.extend_from_slice(&reply);
        }
        mark
    }

    /// The bytes that may be sent and have not been.
    pub fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..self.permitted()]
    }

    fn permitted(&self) -> usize {
        self.holds
            .front()
            .map_or(self.bytes.len(), |hold| hold.start)
    }

    /// Returns true if all that may be sent has been.
    pub fn is_empty(&self) -> bool {
        self.sent == self.permitted()
    }

    /// How many bytes have not been sent, held ones included.
    pub fn len(&self) -> usize {
        // While a reply is being written its buffer is lent out, and the sent part of it with it.
        self.bytes.len().saturating_sub(self.sent)
    }

    /// The place at which the next reply begins.
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.bytes.len() + self.holds.len() * size_of::<Hold>()
    }

    /// The driver has sent the first `count` bytes.
    pub fn sent(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.permitted());
        if self.sent == self.bytes.len() {
            self.sent = 0;
            self.bytes.clear();
            self.bytes.shrink_to(CAPACITY_MAX);
        } else if self.sent > self.bytes.len() / 2 && self.sent > CAPACITY_MAX {
            // A slow reader of a long reply: moving the second half pays for the first.
            self.bytes.drain(..self.sent);
            for hold in &mut self.holds {
                hold.start -= self.sent;
                hold.end -= self.sent;
            }
            self.sent = 0;
        }
    }

    /// Holds what stands behind `start` until `round` has been answered.
    pub fn hold(&mut self, round: u64, start: usize) {
        let end = self.bytes.len();
        if start < end {
            self.holds.push_back(Hold { round, start, end });
        }
    }

    /// Returns true if anything is held.
    pub fn is_holding(&self) -> bool {
        !self.holds.is_empty()
    }

    /// Lets go of what waited for this round or an earlier one.
    pub fn release(&mut self, round: u64) {
        while self
            .holds
            .pop_front_if(|hold| hold.round <= round)
            .is_some()
        {}
    }

    /// Puts an error in the place of each reply that is held; how many these were.
    pub fn refuse_held(&mut self, error: &[u8]) -> usize {
        let Some(first) = self.holds.front() else {
            return 0;
        };
        let count = self.holds.len();
        let mut rest = self.bytes.split_off(first.start);
        let from = first.start;
        let mut at = 0;
        for hold in self.holds.drain(..) {
            self.bytes.extend_from_slice(&rest[at..hold.start - from]);
            self.bytes.extend_from_slice(error);
            at = hold.end - from;
        }
        self.bytes.extend(rest.drain(at..));
        count
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

    #[test]
    fn a_held_reply_waits_for_its_round_and_all_behind_it_wait_too() {
        let mut outbox = Outbox::default();
        outbox.buffer().extend_from_slice(b"a");
        for (round, reply) in [(1, b"b"), (2, b"c")] {
            let start = outbox.buffer().len();
            outbox.buffer().extend_from_slice(reply);
            outbox.hold(round, start);
        }
        outbox.buffer().extend_from_slice(b"d");
        assert_eq!(outbox.unsent(), b"a");
        outbox.sent(1);
        assert!(outbox.is_empty());
        outbox.release(1);
        assert_eq!(outbox.unsent(), b"b");
        assert_eq!(outbox.refuse_held(b"no"), 1);
        assert_eq!(outbox.unsent(), b"bnod");
        assert!(!outbox.is_holding());
    }
}
