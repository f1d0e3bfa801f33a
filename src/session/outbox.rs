//! Replies that may leave, in the order of their requests.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::copying;

/// Bytes that several clients share, and the number by which their memory is counted once; 0: they
/// are part of the program.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The number.
    pub id: u64,
    /// The bytes.
    pub bytes: Bytes,
}

/// A message between replies.
#[derive(Clone, Debug)]
struct Push {
    /// It stands behind so many bytes of replies.
    at: usize,
    parts: [Shared; 2],
    /// How much of it has been sent.
    sent: usize,
}

impl Push {
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// The bytes that have not been sent.
    fn unsent(&self) -> [&[u8]; 2] {
        let [head, body] = &self.parts;
        let of_head = self.sent.min(head.bytes.len());
        let of_body = self.sent - of_head;
        [&head.bytes[of_head..], &body.bytes[of_body..]]
    }
}

/// A reply that may leave only when it is known that this member led when it was written.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// The round of questions that tells.
    round: u64,
    start: usize,
    end: usize,
}

/// Replies, of which the driver may send those before the first that is held, and messages between
/// them.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Replies before `bytes`, all of which may leave. A client that does not read must not cost a
    /// copy of all that it is owed each time that it is owed more.
    blocks: VecDeque<Vec<u8>>,
    /// How much of the first of them has been sent.
    block_sent: usize,
    /// How many bytes of them have not been sent.
    block_bytes: usize,
    bytes: Vec<u8>,
    sent: usize,
    holds: VecDeque<Hold>,
    /// Messages, in order. Their bytes are shared with other clients.
    pushes: VecDeque<Push>,
    /// How many bytes of messages have not been sent.
    pushed: usize,
    /// A reply is being made elsewhere, behind which messages come.
    is_making: bool,
    /// Those messages, and how many bytes they are.
    late: Vec<[Shared; 2]>,
    late_bytes: usize,
    /// The numbers of shared bytes that are not needed here any more, each as often as it was.
    released: Vec<u64>,
}

/// The capacity that an idle client may hold for its next replies, in bytes.
const CAPACITY_MAX: usize = 16 << 10;

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
            copying::append(&mut self.bytes, &reply);
        }
        mark
    }

    /// The bytes that may be sent and have not been, in order; no piece is empty.
    pub fn unsent(&self) -> impl Iterator<Item = &[u8]> {
        let end = self.permitted();
        let mut at = self.sent;
        let pushes = self.pushes.iter().take_while(move |push| push.at <= end);
        let pieces = pushes.flat_map(move |push| {
            let before = &self.bytes[at..push.at];
            at = push.at;
            let [head, body] = push.unsent();
            [before, head, body]
        });
        let last = self.pushes.iter().take_while(|push| push.at <= end).last();
        let rest = &self.bytes[last.map_or(self.sent, |push| push.at)..end];
        let mut passed = self.block_sent;
        let blocks = self
            .blocks
            .iter()
            .map(move |block| &block[mem::take(&mut passed)..]);
        let all = blocks.chain(pieces).chain([rest]);
        all.filter(|piece| !piece.is_empty())
    }

    fn permitted(&self) -> usize {
        self.holds
            .front()
            .map_or(self.bytes.len(), |hold| hold.start)
    }

    /// Returns true if all that may be sent has been.
    pub fn is_empty(&self) -> bool {
        let end = self.permitted();
        self.blocks.is_empty()
            && self.sent == end
            && self.pushes.front().is_none_or(|push| push.at > end)
    }

    /// How many bytes have not been sent, held ones included.
    pub fn len(&self) -> usize {
        // While a reply is being written its buffer is lent out, and the sent part of it with it.
        let replies = self.bytes.len().saturating_sub(self.sent) + self.block_bytes;
        replies + self.pushed + self.late_bytes
    }

    /// How many bytes of messages wait, which are kept once for all who are sent them.
    pub fn shared_len(&self) -> usize {
        self.pushed + self.late_bytes
    }

    /// How many messages wait.
    pub fn pushes(&self) -> usize {
        self.pushes.len() + self.late.len()
    }

    /// A reply is made elsewhere from now on: messages come behind it.
    pub fn begin_reply(&mut self) {
        self.is_making = true;
    }

    /// Puts a message behind the replies. It has two parts, either of which may be shared with
    /// others.
    pub fn push(&mut self, parts: [Shared; 2]) {
        if self.is_making {
            return self.push_late(parts);
        }
        let at = self.bytes.len();
        let push = Push { at, parts, sent: 0 };
        self.pushed += push.len();
        self.pushes.push_back(push);
    }

    /// Puts a message behind the next reply.
    pub fn push_late(&mut self, parts: [Shared; 2]) {
        self.late_bytes += parts.iter().map(|part| part.bytes.len()).sum::<usize>();
        self.late.push(parts);
    }

    /// The reply is made, and stands here: what was to come behind it does.
    pub fn end_reply(&mut self) {
        (self.is_making, self.late_bytes) = (false, 0);
        for parts in mem::take(&mut self.late) {
            self.push(parts);
        }
    }

    /// The numbers of shared bytes that are held here, each as often as it is.
    pub fn shared(&self) -> impl Iterator<Item = u64> {
        let waiting = self.pushes.iter().map(|push| &push.parts);
        let all = waiting.chain(&self.late).flatten();
        let released = self.released.iter().copied();
        all.map(|part| part.id)
            .filter(|id| *id != 0)
            .chain(released)
    }

    /// The numbers of shared bytes that are not needed any more since this was last asked for, each
    /// as often as they were.
    pub fn take_released(&mut self) -> Vec<u64> {
        mem::take(&mut self.released)
    }

    /// Drops all that waits.
    pub fn clear(&mut self) {
        let late = mem::take(&mut self.late);
        let pushes = mem::take(&mut self.pushes);
        let mut released = mem::take(&mut self.released);
        let all = pushes.into_iter().map(|push| push.parts).chain(late);
        released.extend(all.flatten().map(|part| part.id).filter(|id| *id != 0));
        *self = Self {
            released,
            ..Self::default()
        };
    }

    /// The place at which the next reply begins.
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.block_sent
            + self.block_bytes
            + self.bytes.len()
            + self.holds.len() * size_of::<Hold>()
            + self.pushes.len() * size_of::<Push>()
            + self.late.len() * size_of::<[Shared; 2]>()
    }

    /// Takes the first `count` bytes out of what may leave.
    fn pass(&mut self, count: usize) {
        let (end, mut left) = (self.permitted(), count);
        while left > 0 {
            let next = self.pushes.front().map_or(end, |push| push.at.min(end));
            let passed = left.min(next - self.sent);
            self.sent += passed;
            left -= passed;
            let push = self.pushes.front_mut().filter(|push| push.at <= end);
            let Some(push) = push.filter(|_| left > 0) else {
                return;
            };
            let passed = left.min(push.len() - push.sent);
            push.sent += passed;
            left -= passed;
            self.pushed -= passed;
            if push.sent == push.len() {
                let ids = self.pushes.pop_front().map(|push| push.parts);
                let ids = ids.into_iter().flatten().map(|part| part.id);
                self.released.extend(ids.filter(|id| *id != 0));
            }
        }
    }

    /// Replies stay where they are from now on, and what comes stands elsewhere, if they are many
    /// bytes: those that may leave, up to the first message between them.
    pub fn seal(&mut self, least: usize) {
        let next = self.pushes.front().map_or(self.bytes.len(), |push| push.at);
        let end = self.permitted().min(next);
        // What is left is copied: each byte of it once for one that stays.
        if end < least.max(1) || self.bytes.len() - end > end {
            return;
        }
        let rest = self.bytes.split_off(end);
        let mut block = mem::replace(&mut self.bytes, rest);
        if !self.blocks.is_empty() {
            // It may stay for long.
            block.shrink_to_fit();
        }
        for hold in &mut self.holds {
            hold.start -= end;
            hold.end -= end;
        }
        for push in &mut self.pushes {
            push.at -= end;
        }
        let sent = mem::take(&mut self.sent);
        if self.blocks.is_empty() {
            self.block_sent = sent;
        }
        self.block_bytes += block.len() - sent;
        self.blocks.push_back(block);
    }

    /// Takes the first bytes out of blocks; how many of `count` are left.
    fn pass_blocks(&mut self, mut count: usize) -> usize {
        while let Some(block) = self.blocks.front() {
            let passed = count.min(block.len() - self.block_sent);
            self.block_sent += passed;
            self.block_bytes -= passed;
            count -= passed;
            if self.block_sent < block.len() {
                break;
            }
            self.blocks.pop_front();
            self.block_sent = 0;
        }
        count
    }

    /// The driver has sent the first `count` bytes.
    pub fn sent(&mut self, count: usize) {
        let count = self.pass_blocks(count);
        self.pass(count);
        if self.sent == self.bytes.len() {
            // Messages that wait stand behind all of them.
            for push in &mut self.pushes {
                push.at = 0;
            }
            self.sent = 0;
            if self.bytes.capacity() > CAPACITY_MAX {
                self.bytes = Vec::new();
            }
            self.bytes.clear();
        } else if self.sent > self.bytes.len() / 2 && self.sent > CAPACITY_MAX {
            // A slow reader of a long reply: moving the second half pays for the first.
            self.bytes.drain(..self.sent);
            for hold in &mut self.holds {
                hold.start -= self.sent;
                hold.end -= self.sent;
            }
            for push in &mut self.pushes {
                push.at -= self.sent;
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
        for push in &mut self.pushes {
            // It stands before a held reply or behind it, and never within.
            let before = self.holds.iter().take_while(|hold| hold.end <= push.at);
            let (gone, come) = before.fold((0, 0), |(gone, come), hold| {
                (gone + hold.end - hold.start, come + error.len())
            });
            push.at = push.at - gone + come;
        }
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

    fn unsent(outbox: &Outbox) -> Vec<u8> {
        outbox.unsent().flatten().copied().collect()
    }

    fn message(id: u64, text: &'static [u8]) -> [Shared; 2] {
        let part = |id, text| Shared {
            id,
            bytes: Bytes::from_static(text),
        };
        [part(0, b"<"), part(id, text)]
    }

    #[test]
    fn messages_keep_their_places_between_replies_whatever_is_taken_at_once() {
        for step in 1..12 {
            let mut outbox = Outbox::default();
            outbox.push(message(1, b"one>"));
            outbox.buffer().extend_from_slice(b"aaa");
            outbox.push(message(2, b"two>"));
            outbox.push(message(1, b"one>"));
            outbox.buffer().extend_from_slice(b"b");
            outbox.begin_reply();
            outbox.push(message(3, b"three>"));
            outbox.buffer().extend_from_slice(b"c");
            outbox.end_reply();
            let (all, mut left) = (outbox.len(), Vec::new());
            while !outbox.is_empty() {
                let piece: Vec<u8> = unsent(&outbox).into_iter().take(step).collect();
                outbox.sent(piece.len());
                left.extend(piece);
                assert_eq!(outbox.len(), all - left.len());
            }
            assert_eq!(left, b"<one>aaa<two><one>bc<three>");
            assert_eq!(outbox.take_released(), [1, 2, 1, 3]);
            assert_eq!((outbox.len(), outbox.memory()), (0, 0));
        }
    }

    #[test]
    fn a_message_waits_behind_a_held_reply_and_stays_behind_its_refusal() {
        let mut outbox = Outbox::default();
        for (round, text) in [(1, b"first"), (2, b"other")] {
            outbox.push(message(round, b"m>"));
            let start = outbox.end();
            outbox.buffer().extend_from_slice(text);
            outbox.hold(round, start);
        }
        outbox.push(message(3, b"m>"));
        assert_eq!(unsent(&outbox), b"<m>");
        let mut other = outbox.clone();
        outbox.release(1);
        assert_eq!(unsent(&outbox), b"<m>first<m>");
        outbox.sent(9);
        assert_eq!(outbox.refuse_held(b"no"), 1);
        assert_eq!(unsent(&outbox), b"m>no<m>");
        other.refuse_held(b"no");
        assert_eq!(unsent(&other), b"<m>no<m>no<m>");
        other.clear();
        assert_eq!((other.len(), other.take_released().len()), (0, 3));
    }

    #[test]
    fn what_is_sealed_leaves_first_and_what_stands_behind_keeps_its_place() {
        for step in [1, 2, 3, 7, 100] {
            let mut outbox = Outbox::default();
            let mut left = Vec::new();
            outbox.buffer().extend_from_slice(b"first");
            outbox.sent(1);
            outbox.seal(6);
            assert!(outbox.blocks.is_empty(), "too little");
            outbox.seal(5);
            outbox.buffer().extend_from_slice(b"second");
            outbox.push(message(1, b"m>"));
            let start = outbox.end();
            outbox.buffer().extend_from_slice(b"held");
            outbox.hold(1, start);
            outbox.seal(1);
            assert_eq!(outbox.blocks.len(), 2);
            assert_eq!(unsent(&outbox), b"irstsecond<m>");
            outbox.release(1);
            outbox.seal(1);
            assert_eq!(outbox.blocks.len(), 2, "a message stands there");
            outbox.buffer().extend_from_slice(b"last");
            let all = outbox.len();
            while !outbox.is_empty() {
                let piece: Vec<u8> = unsent(&outbox).into_iter().take(step).collect();
                outbox.sent(piece.len());
                left.extend(piece);
                assert_eq!(outbox.len(), all - left.len());
            }
            assert_eq!(left, b"irstsecond<m>heldlast");
            assert_eq!((outbox.len(), outbox.memory()), (0, 0));
        }
    }

    #[test]
    fn bytes_leave_in_order_whatever_the_driver_takes_at_once() {
        let mut outbox = Outbox::default();
        let all: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
        outbox.buffer().extend_from_slice(&all);
        let mut left = Vec::new();
        for step in [1, 70_000, 100_000, 99_999, 30_000] {
            left.extend_from_slice(&unsent(&outbox)[..step]);
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
        assert_eq!(unsent(&outbox), b"a");
        outbox.sent(1);
        assert!(outbox.is_empty());
        outbox.release(1);
        assert_eq!(unsent(&outbox), b"b");
        assert_eq!(outbox.refuse_held(b"no"), 1);
        assert_eq!(unsent(&outbox), b"bnod");
        assert!(!outbox.is_holding());
    }
}
