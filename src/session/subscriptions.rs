//! The channels and patterns that one client has subscribed to.

use alloc::collections::BTreeSet;

use bytes::Bytes;

use crate::command::verb::Topic;

/// About what a subscription takes here and where the node finds who has subscribed, besides the
/// name, which stands there once for all its subscribers.
const SUBSCRIPTION_BYTES: usize = 160;

/// The names, each once, by their kind.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    names: [BTreeSet<Bytes>; Topic::COUNT],
    /// How many bytes the names have.
    bytes: usize,
}

impl Subscriptions {
    /// Returns true if there is none.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(BTreeSet::is_empty)
    }

    /// How many of a kind there are.
    pub fn len(&self, topic: Topic) -> usize {
        self.names[topic as usize].len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.names.iter().map(BTreeSet::len).sum()
    }

    /// How many bytes the names have.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns true if a name is among them.
    pub fn has(&self, topic: Topic, name: &[u8]) -> bool {
        self.names[topic as usize].contains(name)
    }

    /// Adds a name that is not among them.
    pub fn add(&mut self, topic: Topic, name: Bytes) {
        self.bytes += name.len();
        self.names[topic as usize].insert(name);
    }

    /// Takes a name out; false where it was not among them.
    pub fn remove(&mut self, topic: Topic, name: &[u8]) -> bool {
        let was_there = self.names[topic as usize].remove(name);
        self.bytes -= if was_there { name.len() } else { 0 };
        was_there
    }

    /// The first name of a kind.
    pub fn first(&self, topic: Topic) -> Option<Bytes> {
        self.names[topic as usize].first().cloned()
    }

    /// The number that a client is told when it has subscribed to something, or no longer does:
    /// channels and patterns are counted together, shard channels by themselves.
    pub fn told(&self, topic: Topic) -> usize {
        match topic {
            Topic::Shard => self.len(Topic::Shard),
            Topic::Channel | Topic::Pattern => self.len(Topic::Channel) + self.len(Topic::Pattern),
        }
    }

    /// The memory that they take, in bytes, without the names.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.count() * SUBSCRIPTION_BYTES
    }
}
