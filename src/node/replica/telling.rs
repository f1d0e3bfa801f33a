//! Messages to the subscribers of other members: each goes to every member, once, and is not kept.
//!
//! They are no part of the log. The messages of a turn leave as one frame, in the order in which
//! they were published:
//!
//! ```text
//! 0   8  CRC-64/XZ over all behind it
//! 8   1  version
//! 9   .  the messages, one behind the other:
//!        1  0: channel, 1: shard channel
//!        4  length of the channel's name
//!        4  length of the message
//!        .  the name, the message
//! ```
//!
//! Numbers are little-endian. A frame of another version is not read: members that are upgraded one
//! after the other do not hear each other's messages meanwhile, if the version has changed.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::checksum::crc64;
use crate::command::verb::Topic;
use crate::limits::TOLD_BYTES_MAX;
use crate::take;

/// The version of the frames that this code speaks.
const VERSION: u8 = 1;
const SUM_BYTES: usize = 8;

/// The messages of a turn, for other members.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Telling {
    frame: Vec<u8>,
    messages: u64,
}

impl Telling {
    /// Adds a message; false where it does not fit any more.
    pub(in crate::node) fn add(&mut self, topic: Topic, channel: &[u8], message: &[u8]) -> bool {
        let bytes = self.frame.len() + channel.len() + message.len();
        let lengths = u32::try_from(channel.len()).ok();
        let lengths = lengths.zip(u32::try_from(message.len()).ok());
        let Some((of_channel, of_message)) = lengths.filter(|_| bytes <= TOLD_BYTES_MAX) else {
            return false;
        };
        if self.frame.is_empty() {
            self.frame.extend_from_slice(&[0; SUM_BYTES]);
            self.frame.push(VERSION);
        }
        self.frame.push(u8::from(topic == Topic::Shard));
        self.frame.extend_from_slice(&of_channel.to_le_bytes());
        self.frame.extend_from_slice(&of_message.to_le_bytes());
        self.frame.extend_from_slice(channel);
        self.frame.extend_from_slice(message);
        self.messages += 1;
        true
    }

    /// The frame of what was added, and how many messages it holds.
    pub(super) fn take(&mut self) -> Option<(Bytes, u64)> {
        if self.frame.is_empty() {
            return None;
        }
        let mut frame = mem::take(&mut self.frame);
        let sum = crc64(&[], &frame[SUM_BYTES..]);
        frame[..SUM_BYTES].copy_from_slice(&sum.to_le_bytes());
        Some((Bytes::from(frame), mem::take(&mut self.messages)))
    }
}

/// A message: the kind of its channel, the channel's name, itself.
pub(in crate::node) type Told<'a> = (Topic, &'a [u8], &'a [u8]);

/// The messages of a frame; nothing, if it is none that this code can read.
pub(in crate::node) fn read(frame: &[u8]) -> Option<Vec<Told<'_>>> {
    let mut rest = frame;
    let sum = take::u64(&mut rest)?;
    if sum != crc64(&[], rest) || take::byte(&mut rest)? != VERSION {
        return None;
    }
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let topic = match take::byte(&mut rest)? {
            0 => Topic::Channel,
            1 => Topic::Shard,
            _ => return None,
        };
        let (of_channel, of_message) = (take::u32(&mut rest)?, take::u32(&mut rest)?);
        let channel = take::bytes(&mut rest, of_channel as usize)?;
        let message = take::bytes(&mut rest, of_message as usize)?;
        messages.push((topic, channel, message));
    }
    Some(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_back_in_their_order_and_nothing_else_is() {
        let all = [
            (Topic::Channel, &b"news"[..], &b"one"[..]),
            (Topic::Shard, b"", b""),
            (Topic::Channel, b"news", b"two"),
        ];
        let mut telling = Telling::default();
        assert!(telling.take().is_none());
        for (topic, channel, message) in all {
            assert!(telling.add(topic, channel, message));
        }
        let (frame, count) = telling.take().unwrap();
        assert_eq!((read(&frame).unwrap(), count), (all.to_vec(), 3));
        assert!(telling.take().is_none());
        for cut in 0..frame.len() {
            assert!(read(&frame[..cut]).is_none());
        }
        for place in 0..frame.len() {
            let mut other = frame.to_vec();
            other[place] ^= 1;
            assert!(read(&other).is_none());
        }
    }

    #[test]
    fn a_turn_tells_so_much_and_no_more() {
        let mut telling = Telling::default();
        let large = alloc::vec![0; TOLD_BYTES_MAX / 2];
        assert!(telling.add(Topic::Channel, b"a", &large));
        assert!(!telling.add(Topic::Channel, b"a", &large));
        assert!(telling.add(Topic::Channel, b"a", b"small"));
    }
}
