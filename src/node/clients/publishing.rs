//! Messages on their way to subscribers, in order, so many in each turn.
//!
//! A message is kept once, and its subscribers share it. Work is counted and never timed: one for
//! each subscriber, and more for one that has nothing else to be sent in this turn, since that
//! takes a write to a socket of its own; and work for the patterns that are compared. A message
//! that a turn cannot bring to all its subscribers goes on in the next, and its publisher waits
//! meanwhile. So no more messages are begun than there are publishers. Those of scripts and of
//! keyspace events, for which nobody waits, have a lane of their own and a share of each turn, and
//! nothing more is applied before they are told.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::command::verb::Topic;
use crate::ids::ConnId;
use crate::limits::{TOLD_BYTES_MAX, WAKE_WORK};
use crate::resp::reply::{Protocol, Reply};
use crate::session::Blocked;
use crate::store::glob;

use super::Clients;
use super::publication::{Lane, Origin, Publication, Stage};

/// About what it costs to come to the next pattern, in bytes that could be compared meanwhile.
const PATTERN_BYTES: usize = 32;

impl Clients {
    /// A message is published. Returns how many clients have it, and the work that this was; or
    /// nothing, where others come first or a turn is not enough. Then its publisher, if it is a
    /// client, is told later.
    pub(in crate::node) fn publish(
        &mut self,
        origin: Origin,
        (topic, channel, message): (Topic, &[u8], &[u8]),
    ) -> Option<(u64, usize)> {
        if !self.may_be_heard(topic, channel) {
            return Some((0, 0));
        }
        let mut publication = self.publication(origin, topic, channel, message);
        let before = self.publishing.left;
        let is_first = self.lane(origin).queue.is_empty();
        if is_first && self.bring(&mut publication, self.publishing.least(origin)) {
            self.shared.release(publication.body.id);
            let work = before - self.publishing.left;
            return Some((publication.receivers, work));
        }
        self.lane(origin).push(publication);
        None
    }

    /// The same in a transaction, whose client cannot wait: where a turn is not enough this is
    /// called again in the next one.
    pub(in crate::node) fn publish_in_transaction(
        &mut self,
        client: (u32, ConnId),
        (topic, channel, message): (Topic, &[u8], &[u8]),
    ) -> Option<u64> {
        let begun = self.publishing.step.take();
        let mut publication = match begun {
            Some((of, publication)) if of == client => publication,
            stale => {
                if let Some((_, publication)) = stale {
                    self.shared.release(publication.body.id);
                }
                if !self.may_be_heard(topic, channel) {
                    return Some(0);
                }
                let origin = Origin::Client(client.0, client.1);
                self.publication(origin, topic, channel, message)
            }
        };
        // It is applied, whoever publishes meanwhile.
        let least = self.publishing.least(Origin::Applied);
        if !self.bring(&mut publication, least) {
            self.publishing.step = Some((client, publication));
            return None;
        }
        self.shared.release(publication.body.id);
        Some(publication.receivers)
    }

    fn lane(&mut self, origin: Origin) -> &mut Lane {
        match origin {
            Origin::Client(..) | Origin::Member => &mut self.publishing.outer,
            Origin::Applied => &mut self.publishing.applied,
        }
    }

    /// Returns true if a transaction of this client is in the middle of publishing a message.
    pub(in crate::node) fn is_publishing(&self, client: (u32, ConnId)) -> bool {
        let step = self.publishing.step.as_ref();
        step.is_some_and(|(of, _)| *of == client)
    }

    /// Returns true if so many messages of other members wait that more are dropped.
    pub(in crate::node) fn are_too_many_told(&self) -> bool {
        self.publishing.outer.bytes > TOLD_BYTES_MAX
    }

    /// Returns true if so much that scripts have published waits that a transaction which runs more
    /// of them waits too.
    pub(in crate::node) fn is_much_published(&self) -> bool {
        self.publishing.applied.bytes > TOLD_BYTES_MAX
    }

    fn may_be_heard(&self, topic: Topic, channel: &[u8]) -> bool {
        self.channels.count(topic, channel) > 0
            || topic == Topic::Channel && self.channels.len(Topic::Pattern) > 0
    }

    fn publication(
        &mut self,
        origin: Origin,
        topic: Topic,
        channel: &[u8],
        message: &[u8],
    ) -> Publication {
        let mut body = Vec::with_capacity(channel.len() + message.len() + 48);
        let mut reply = Reply::new(&mut body, Protocol::Resp3);
        reply.bulk(channel);
        reply.bulk(message);
        Publication {
            topic,
            channel: Bytes::copy_from_slice(channel),
            body: self.shared.share(Bytes::from(body)),
            origin,
            receivers: 0,
            stage: Stage::Channel(0),
        }
    }

    /// Goes on with the messages of clients and of other members. Returns a client whose message is
    /// with all its subscribers, and which waits for their number.
    pub(in crate::node) fn go_on_publishing(&mut self) -> Option<u32> {
        while let Some(publication) = self.bring_next(Origin::Member) {
            let Origin::Client(slot, conn) = publication.origin else {
                continue;
            };
            let receivers = publication.receivers;
            if let Some(session) = self.sessions.get_same(slot, conn)
                && matches!(session.blocked, Some(Blocked::Publishing { .. }))
            {
                session.blocked = Some(Blocked::Publishing { receivers });
                return Some(slot);
            }
        }
        None
    }

    /// Goes on with the messages of what was applied.
    pub(in crate::node) fn go_on_with_applied(&mut self) {
        while self.bring_next(Origin::Applied).is_some() {}
    }

    /// Brings the next message of a lane to its subscribers, if the turn goes so far.
    fn bring_next(&mut self, origin: Origin) -> Option<Publication> {
        let mut publication = self.lane(origin).pop()?;
        if !self.bring(&mut publication, self.publishing.least(origin)) {
            self.lane(origin).push_again(publication);
            return None;
        }
        self.shared.release(publication.body.id);
        Some(publication)
    }

    /// Returns true if messages are on their way, or others wait to be made of what has happened;
    /// so many keys may be tracked.
    pub(in crate::node) fn has_publications(&self, tracked_keys_max: usize) -> bool {
        !self.publishing.outer.queue.is_empty()
            || self.has_events()
            || self.has_to_invalidate(tracked_keys_max)
    }

    /// Returns true if messages of what was applied are on their way.
    pub(super) fn has_applied_begun(&self) -> bool {
        !self.publishing.applied.queue.is_empty()
    }

    /// The next turn may do so much.
    pub(in crate::node) fn may_publish(&mut self, work: usize) {
        self.publishing.begin_turn(work);
        self.notices.are_behind = self.has_events();
    }

    /// Brings a message to its subscribers; false where the turn has no more than the least work
    /// left before all have it.
    fn bring(&mut self, publication: &mut Publication, least: usize) -> bool {
        loop {
            if self.publishing.left <= least {
                return false;
            }
            let (topic, name, from) = match &publication.stage {
                Stage::Channel(from) => (publication.topic, publication.channel.clone(), *from),
                Stage::Patterns {
                    within: Some((pattern, from)),
                    ..
                } => (Topic::Pattern, pattern.clone(), *from),
                Stage::Patterns { behind, .. } => {
                    let Some((pattern, _)) = self.channels.pattern_behind(behind.as_ref()) else {
                        return true;
                    };
                    let pattern = pattern.clone();
                    let matches = glob::matches(&pattern, &publication.channel);
                    let lengths = pattern.len() + publication.channel.len();
                    self.publishing.compare(PATTERN_BYTES + lengths);
                    publication.stage = Stage::Patterns {
                        behind: Some(pattern.clone()),
                        within: matches.then_some((pattern, 0)),
                    };
                    continue;
                }
            };
            let subscribers = self.channels.of(topic, &name);
            let next = subscribers.and_then(|all| Some((all.next(from)?, all)));
            let Some((slot, subscribers)) = next else {
                match &mut publication.stage {
                    Stage::Channel(_) if topic == Topic::Shard => return true,
                    Stage::Channel(_) => {
                        publication.stage = Stage::Patterns {
                            behind: None,
                            within: None,
                        };
                    }
                    Stage::Patterns { within, .. } => *within = None,
                }
                continue;
            };
            match &mut publication.stage {
                Stage::Channel(from) => *from = slot + 1,
                Stage::Patterns { within, .. } => *within = Some((name, slot + 1)),
            }
            let Some(session) = self.sessions.get_mut(slot).filter(|one| !one.closing) else {
                continue;
            };
            let head = subscribers.head(session.protocol).clone();
            self.shared.hold(&head);
            self.shared.hold(&publication.body);
            let parts = [head, publication.body.clone()];
            publication.receivers += 1;
            if publication.origin == Origin::Client(slot, session.conn) {
                // It has its answer before its own message.
                session.outbox.push_late(parts);
            } else {
                session.outbox.push(parts);
            }
            let wakes = self.mark_dirty(slot);
            self.publishing.pay(1 + if wakes { WAKE_WORK } else { 0 });
        }
    }

    /// The bytes that a client does not need any more may be let go.
    pub(super) fn release_shared(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot) {
            for id in session.outbox.take_released() {
                self.shared.release(id);
            }
        }
    }
}
