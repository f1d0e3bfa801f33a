//! SUBSCRIBE, UNSUBSCRIBE and their kin: which clients listen to what.

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::error::{Error, Outcome};
use crate::command::slot;
use crate::command::verb::Topic;
use crate::limits;
use crate::resp::reply::Reply;

use super::Clients;

impl Clients {
    /// SUBSCRIBE and its kin; the reply is written in pieces, one for each name.
    pub(in crate::node) fn begin_subscriptions(
        &mut self,
        slot: u32,
        topic: Topic,
        args: Args<'_>,
        is_cluster: bool,
        reply: &mut Reply<'_>,
    ) -> Outcome {
        let names = args.from(1);
        let own = self.sessions.get(slot);
        let own = own.and_then(|session| session.subscriptions.as_ref());
        let new = || {
            names
                .iter()
                .filter(|name| own.is_none_or(|own| !own.has(topic, name)))
        };
        let count = own.map_or(0, |own| own.count()) + new().count();
        let bytes = own.map_or(0, |own| own.bytes()) + new().map(<[u8]>::len).sum::<usize>();
        if count > limits::SUBSCRIPTIONS_MAX || bytes > limits::SUBSCRIPTION_BYTES_MAX {
            return Err(Error::TOO_MANY_SUBSCRIPTIONS);
        }
        if topic == Topic::Shard && is_cluster {
            let mut slots = names.iter().map(slot::of);
            let first = slots.next();
            if slots.any(|other| Some(other) != first) {
                return Err(Error::CROSS_SLOT);
            }
        }
        for name in names.iter() {
            let told = self.subscribe(slot, topic, name);
            reply.push(3);
            reply.bulk(match topic {
                Topic::Channel => b"subscribe",
                Topic::Pattern => b"psubscribe",
                Topic::Shard => b"ssubscribe",
            });
            reply.bulk(name);
            reply.integer(told as i64);
        }
        Ok(())
    }

    /// UNSUBSCRIBE and its kin: of all names where none is given.
    pub(in crate::node) fn end_subscriptions(
        &mut self,
        slot: u32,
        topic: Topic,
        args: Args<'_>,
        reply: &mut Reply<'_>,
    ) {
        let mut tell = |name: Option<&[u8]>, told: usize| {
            reply.push(3);
            reply.bulk(match topic {
                Topic::Channel => b"unsubscribe",
                Topic::Pattern => b"punsubscribe",
                Topic::Shard => b"sunsubscribe",
            });
            match name {
                Some(name) => reply.bulk(name),
                None => reply.null(),
            }
            reply.integer(told as i64);
        };
        for name in args.from(1).iter() {
            tell(Some(name), self.unsubscribe(slot, topic, name));
        }
        if args.len() > 1 {
            return;
        }
        if self.subscription(slot, topic).is_none() {
            let session = self.sessions.get(slot);
            let own = session.and_then(|session| session.subscriptions.as_ref());
            tell(None, own.map_or(0, |own| own.told(topic)));
        }
        while let Some(name) = self.subscription(slot, topic) {
            tell(Some(&name), self.unsubscribe(slot, topic, &name));
        }
    }

    /// A client subscribes to something. Returns the number that it is told.
    fn subscribe(&mut self, slot: u32, topic: Topic, name: &[u8]) -> usize {
        let Some(session) = self.sessions.get_mut(slot) else {
            return 0;
        };
        if session.subscriptions.is_none() {
            self.channels.clients += 1;
        }
        let own = session.subscriptions.get_or_insert_default();
        if !own.has(topic, name) {
            let name = self.channels.add(topic, name, slot, &mut self.shared);
            own.add(topic, name);
        }
        own.told(topic)
    }

    /// A client subscribes to something no more. Returns the number that it is told.
    fn unsubscribe(&mut self, slot: u32, topic: Topic, name: &[u8]) -> usize {
        let session = self.sessions.get_mut(slot);
        let Some(session) = session.filter(|session| session.subscriptions.is_some()) else {
            return 0;
        };
        let mut told = 0;
        if let Some(own) = &mut session.subscriptions {
            if own.remove(topic, name) {
                self.channels.remove(topic, name, slot, &mut self.shared);
            }
            told = own.told(topic);
        }
        if session
            .subscriptions
            .as_ref()
            .is_some_and(|own| own.is_empty())
        {
            session.subscriptions = None;
            self.channels.clients -= 1;
        }
        told
    }

    /// A name of a kind to which a client has subscribed.
    fn subscription(&self, slot: u32, topic: Topic) -> Option<Bytes> {
        let own = self.sessions.get(slot)?.subscriptions.as_ref()?;
        own.first(topic)
    }

    /// A client subscribes to nothing any more.
    pub(in crate::node) fn unsubscribe_all(&mut self, slot: u32) {
        for topic in Topic::ALL {
            while let Some(name) = self.subscription(slot, topic) {
                self.unsubscribe(slot, topic, &name);
            }
        }
    }

    /// How many names of a kind have subscribers.
    pub(in crate::node) fn topics(&self, topic: Topic) -> usize {
        self.channels.len(topic)
    }

    /// How many clients have subscribed to a name.
    pub(in crate::node) fn subscribers(&self, topic: Topic, name: &[u8]) -> usize {
        self.channels.count(topic, name)
    }

    /// How many clients have subscribed to anything.
    pub(in crate::node) fn all_subscribers(&self) -> usize {
        self.channels.clients
    }

    /// The names of a kind that have subscribers.
    pub(in crate::node) fn topic_names(&self, topic: Topic) -> impl Iterator<Item = &Bytes> {
        self.channels.names(topic)
    }
}
