//! The clients that have subscribed to each channel and pattern, and the bytes that they share.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::Bound;

use bytes::Bytes;

use crate::command::verb::Topic;
use crate::resp::reply::{Protocol, Reply};
use crate::session::outbox::Shared;

/// About what a name takes, besides its bytes.
const NAME_BYTES: usize = 200;

/// Bytes that several clients are sent, each counted once as long as somebody has to send it.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedBytes {
    last: u64,
    /// By number: how many hold the bytes, and how many bytes these are.
    held: BTreeMap<u64, (usize, usize)>,
    /// How many bytes all of them are.
    bytes: usize,
}

impl SharedBytes {
    /// Bytes that somebody holds from now on.
    pub(super) fn share(&mut self, bytes: Bytes) -> Shared {
        self.last += 1;
        self.held.insert(self.last, (1, bytes.len()));
        self.bytes += bytes.len();
        Shared {
            id: self.last,
            bytes,
        }
    }

    /// One more holds these bytes.
    pub(super) fn hold(&mut self, shared: &Shared) {
        if let Some((holders, _)) = self.held.get_mut(&shared.id) {
            *holders += 1;
        }
    }

    /// One holds the bytes with this number no more.
    pub(super) fn release(&mut self, id: u64) {
        let Some((holders, bytes)) = self.held.get_mut(&id) else {
            return;
        };
        *holders -= 1;
        if *holders == 0 {
            self.bytes -= *bytes;
            self.held.remove(&id);
        }
    }

    /// The memory that they take, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.held.len() * size_of::<(u64, usize, usize)>()
    }

    /// How many hold each of them.
    pub(super) fn holders(&self) -> BTreeMap<u64, usize> {
        let all = self.held.iter();
        all.map(|(id, (holders, _))| (*id, *holders)).collect()
    }
}

/// The subscribers of one channel or pattern.
#[derive(Clone, Debug)]
pub(super) struct Subscribers {
    slots: BTreeSet<u32>,
    /// The beginning of each message to them, in RESP2 and RESP3.
    heads: [Shared; 2],
}

impl Subscribers {
    /// The first of them at this slot or behind it.
    pub(super) fn next(&self, from: u32) -> Option<u32> {
        self.slots.range(from..).next().copied()
    }

    /// The beginning of a message to one that speaks a protocol.
    pub(super) fn head(&self, protocol: Protocol) -> &Shared {
        match protocol {
            Protocol::Resp2 => &self.heads[0],
            Protocol::Resp3 => &self.heads[1],
        }
    }
}

/// All channels and patterns that have subscribers.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    topics: [BTreeMap<Bytes, Subscribers>; Topic::COUNT],
    /// How many clients have subscribed to anything.
    pub(super) clients: usize,
    /// The memory of the names, in bytes.
    memory: usize,
}

impl Channels {
    /// A client subscribes to a name. Returns the name as all its subscribers share it.
    pub(super) fn add(
        &mut self,
        topic: Topic,
        name: &[u8],
        slot: u32,
        shared: &mut SharedBytes,
    ) -> Bytes {
        let names = &mut self.topics[topic as usize];
        if let Some(subscribers) = names.get_mut(name) {
            subscribers.slots.insert(slot);
            let known = names.get_key_value(name).map(|(name, _)| name.clone());
            return known.unwrap_or_default();
        }
        let name = Bytes::copy_from_slice(name);
        let heads = heads(topic, &name, shared);
        let slots = BTreeSet::from([slot]);
        names.insert(name.clone(), Subscribers { slots, heads });
        self.memory += NAME_BYTES + name.len();
        name
    }

    /// A client subscribes to a name no more.
    pub(super) fn remove(
        &mut self,
        topic: Topic,
        name: &[u8],
        slot: u32,
        shared: &mut SharedBytes,
    ) {
        let names = &mut self.topics[topic as usize];
        let Some(subscribers) = names.get_mut(name) else {
            return;
        };
        subscribers.slots.remove(&slot);
        if !subscribers.slots.is_empty() {
            return;
        }
        for head in &subscribers.heads {
            shared.release(head.id);
        }
        names.remove(name);
        self.memory -= NAME_BYTES + name.len();
    }

    /// The subscribers of a name.
    pub(super) fn of(&self, topic: Topic, name: &[u8]) -> Option<&Subscribers> {
        self.topics[topic as usize].get(name)
    }

    /// How many clients have subscribed to a name.
    pub(super) fn count(&self, topic: Topic, name: &[u8]) -> usize {
        self.of(topic, name).map_or(0, |all| all.slots.len())
    }

    /// How many names of a kind there are.
    pub(super) fn len(&self, topic: Topic) -> usize {
        self.topics[topic as usize].len()
    }

    /// The names of a kind.
    pub(super) fn names(&self, topic: Topic) -> impl Iterator<Item = &Bytes> {
        self.topics[topic as usize].keys()
    }

    /// The pattern behind another; the first, where there is no other.
    pub(super) fn pattern_behind(&self, other: Option<&Bytes>) -> Option<(&Bytes, &Subscribers)> {
        let from = other.map_or(Bound::Unbounded, Bound::Excluded);
        let patterns = &self.topics[Topic::Pattern as usize];
        patterns.range::<Bytes, _>((from, Bound::Unbounded)).next()
    }

    /// The memory that the names take, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// The numbers of shared bytes that are held here.
    pub(super) fn shared(&self) -> impl Iterator<Item = u64> {
        let patterns = self.topics[Topic::Pattern as usize].values();
        patterns.flat_map(|all| all.heads.iter().map(|head| head.id))
    }
}

/// The beginnings of each message to the subscribers of a name, in RESP2 and RESP3: all that stands
/// before the channel.
fn heads(topic: Topic, name: &[u8], shared: &mut SharedBytes) -> [Shared; 2] {
    let of_program = |text: &'static [u8]| Shared {
        id: 0,
        bytes: Bytes::from_static(text),
    };
    match topic {
        Topic::Channel => [
            of_program(b"*3\r\n$7\r\nmessage\r\n"),
            of_program(b">3\r\n$7\r\nmessage\r\n"),
        ],
        Topic::Shard => [
            of_program(b"*3\r\n$8\r\nsmessage\r\n"),
            of_program(b">3\r\n$8\r\nsmessage\r\n"),
        ],
        Topic::Pattern => [Protocol::Resp2, Protocol::Resp3].map(|protocol| {
            let mut out = Vec::new();
            let mut reply = Reply::new(&mut out, protocol);
            reply.push(4);
            reply.bulk(b"pmessage");
            reply.bulk(name);
            shared.share(Bytes::from(out))
        }),
    }
}
