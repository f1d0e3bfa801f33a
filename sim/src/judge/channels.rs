//! Messages, and clients as listeners: all that the judge knows of channels.

use std::collections::{BTreeMap, BTreeSet};

use super::hearing::Hearing;
use super::monitors::Monitor;
pub(crate) use super::topic::Topic;
use crate::model::matches;
use crate::wire::Value;

/// The names to which somebody has subscribed.
pub(super) type Names = BTreeSet<(Topic, Vec<u8>)>;

/// A message by what it is: no two are alike.
pub(super) type Key = (Topic, Vec<u8>, Vec<u8>);

/// A message that somebody has asked to publish.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) publisher: u64,
    /// The member that was asked.
    pub(super) member: usize,
    /// Its place among all.
    pub(super) nth: u64,
    /// Since when it may be on its way there.
    pub(super) begun: Option<u64>,
    /// When its publisher was told how many have it.
    pub(super) told: Option<u64>,
    /// It is known that it was not published.
    pub(super) is_refused: bool,
    /// The clients that have it, and by which name.
    pub(super) heard: BTreeSet<(u64, (Topic, Vec<u8>))>,
}

/// All that is known of messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    /// How many answers there were so far.
    pub(super) moment: u64,
    pub(super) messages: BTreeMap<Key, Message>,
    /// Clients that have gone and may still be known as listeners, and their members.
    pub(super) gone: BTreeMap<u64, usize>,
}

/// A message that a client must have before it has a reply that was given later.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) key: Key,
    pub(super) name: (Topic, Vec<u8>),
    pub(super) publisher: u64,
    pub(super) nth: u64,
    pub(super) since: u64,
}

/// A change that a reply brings for its client.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// The step of its member is told from which on it hears of events.
    Begins((Topic, Vec<u8>), usize),
    Ends((Topic, Vec<u8>)),
    EndsAll,
    Monitors,
    /// Its client keeps what it has read of a key, in a database, when so many steps were applied;
    /// in a transaction at some place.
    Keeps {
        key: Vec<u8>,
        db: u32,
        since: usize,
        place: Option<usize>,
    },
    /// It has written a key of which it need not hear for that: it keeps that instead, or that
    /// there is nothing.
    Writes {
        key: Vec<u8>,
        value: Option<Vec<u8>>,
        since: usize,
        place: Option<usize>,
    },
    /// It keeps nothing any more.
    Forgets,
    /// It was given when so many steps were applied.
    Shows(usize),
}

/// A client as a listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Listener {
    /// The names to which it has subscribed, as its member has them, each with since when.
    pub(super) names: BTreeMap<(Topic, Vec<u8>), u64>,
    /// The same, as the client knows it.
    pub(super) known: Names,
    /// Those that it has given up in a transaction whose reply was the last thing that it heard.
    pub(super) given_up: Names,
    pub(super) due: Vec<Due>,
    /// Of each publisher, the place of the last message that it has.
    pub(super) last: BTreeMap<u64, u64>,
    /// The keyspace events that it has heard.
    pub(super) hearing: Hearing,
    /// When a message of its own has begun to be on its way.
    pub(super) begun: Option<u64>,
    /// Nobody knows what it listens to.
    pub(super) is_unsure: bool,
    /// The client as one who is shown requests.
    pub(super) monitor: Monitor,
}

impl Listener {
    /// Returns true if it may ask for little else in RESP2.
    pub(super) fn listens(&self) -> bool {
        !self.names.is_empty()
    }

    fn count(&self, topic: Topic) -> i64 {
        self.names.keys().filter(|(of, _)| *of == topic).count() as i64
    }

    /// The number that it is told.
    pub(super) fn told(&self, topic: Topic) -> i64 {
        match topic {
            Topic::Shard => self.count(Topic::Shard),
            _ => self.count(Topic::Channel) + self.count(Topic::Pattern),
        }
    }

    /// The names by which a message comes to it.
    pub(super) fn names_of(&self, topic: Topic, channel: &[u8]) -> Vec<((Topic, Vec<u8>), u64)> {
        let all = self.names.iter().filter(|((of, name), _)| match of {
            Topic::Pattern => topic == Topic::Channel && matches(name, channel),
            of => *of == topic && name == channel,
        });
        all.map(|(name, since)| (name.clone(), *since)).collect()
    }

    /// A transaction has been run since some moment, and is answered now: messages that came
    /// meanwhile may stand behind its reply.
    pub(super) fn heard_late(&mut self, since: u64, now: u64) {
        for due in self.due.iter_mut().filter(|due| due.since >= since) {
            due.since = now;
        }
    }

    /// The client has a reply that changes this for it.
    pub(super) fn hears_of(&mut self, changes: Vec<Change>, is_exec: bool) {
        self.given_up.clear();
        for change in changes {
            match change {
                Change::Begins(name, since) => {
                    if self.known.insert(name.clone()) {
                        self.hearing.begins(&name, since);
                    }
                }
                Change::Ends(name) => {
                    if self.known.remove(&name) && is_exec {
                        self.given_up.insert(name);
                    }
                }
                Change::EndsAll => {
                    self.known.clear();
                    self.monitor.is_known = false;
                }
                Change::Monitors => self.monitor.is_known = true,
                Change::Keeps { .. }
                | Change::Writes { .. }
                | Change::Forgets
                | Change::Shows(_) => {}
            }
        }
    }
}

/// The words of a request to publish: what kind of channel it is, its name, and the message.
pub(super) fn publishes(words: &[Vec<u8>]) -> Option<Key> {
    let [name, channel, message] = words else {
        return None;
    };
    let topic = match &name.to_ascii_lowercase()[..] {
        b"publish" => Topic::Channel,
        b"spublish" => Topic::Shard,
        _ => return None,
    };
    Some((topic, channel.clone(), message.clone()))
}

/// Returns true if a request begins or ends subscriptions, and of which kind they are.
pub(crate) fn subscribes(words: &[Vec<u8>]) -> Option<(bool, Topic)> {
    Some(match &words.first()?.to_ascii_lowercase()[..] {
        b"subscribe" => (true, Topic::Channel),
        b"psubscribe" => (true, Topic::Pattern),
        b"ssubscribe" => (true, Topic::Shard),
        b"unsubscribe" => (false, Topic::Channel),
        b"punsubscribe" => (false, Topic::Pattern),
        b"sunsubscribe" => (false, Topic::Shard),
        _ => return None,
    })
}

/// The parts of a value that is a message: the name by which it has come, its channel, itself.
pub(super) fn message_in(value: &Value, resp3: bool) -> Option<((Topic, Vec<u8>), Key)> {
    let items = match value {
        Value::Push(items) if resp3 => items,
        Value::Array(items) if !resp3 => items,
        _ => return None,
    };
    let texts: Option<Vec<&[u8]>> = items.iter().map(Value::text).collect();
    let own = |text: &[u8]| text.to_vec();
    match texts?[..] {
        [b"message", channel, text] => {
            let name = (Topic::Channel, own(channel));
            Some((name, (Topic::Channel, own(channel), own(text))))
        }
        [b"pmessage", pattern, channel, text] => {
            let name = (Topic::Pattern, own(pattern));
            Some((name, (Topic::Channel, own(channel), own(text))))
        }
        [b"smessage", channel, text] => {
            let name = (Topic::Shard, own(channel));
            Some((name, (Topic::Shard, own(channel), own(text))))
        }
        _ => None,
    }
}
