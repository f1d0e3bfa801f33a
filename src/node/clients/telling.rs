//! Keyspace events on their way to those who listen, in the order in which they happened.
//!
//! Events are messages that this member publishes to its own clients. They are made of what has
//! happened only when a turn has work left for them, and nothing more is applied meanwhile: so no
//! more of them wait than one command or transaction brings.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::command::event::{Classes, Happened};
use crate::command::verb::Topic;
use crate::ids::DbId;
use crate::time::Stamp;

use super::Clients;
use super::notices::{Untold, bytes_of};
use super::publication::Origin;

/// So many touched keys are looked at with the work of one event.
const KEYS_PER_WORK: usize = 8;

impl Clients {
    /// Returns true if somebody may hear of keyspace events of these classes.
    pub(in crate::node) fn hears_events(&self, wanted: Classes) -> bool {
        wanted.tells() && self.channels.clients > 0
    }

    /// Keys were touched, of which events are to be made behind all others.
    pub(in crate::node) fn have_happened(&mut self, untold: Untold) {
        self.notices.bytes += untold.touched.iter().map(bytes_of).sum::<usize>();
        self.notices.untold.push_back(untold);
    }

    /// Events were made of what a script has done, of so many bytes: they come behind all others.
    pub(in crate::node) fn were_made(&mut self, mut made: VecDeque<Happened>, bytes: usize) {
        self.notices.bytes += bytes;
        if self.notices.waiting.is_empty() {
            self.notices.waiting = made;
        } else {
            self.notices.waiting.append(&mut made);
        }
    }

    /// Returns true if more is to be told of what has happened before more does.
    pub(in crate::node) fn has_happenings(&self) -> bool {
        self.has_events() || self.has_invalid()
    }

    /// Returns true if events wait to be told or to be made, or messages of scripts wait.
    pub(super) fn has_events(&self) -> bool {
        !self.notices.waiting.is_empty() || self.has_untold() || self.has_applied_begun()
    }

    /// Returns true if the last turn has left events to be told: reads that may bring more wait.
    pub(in crate::node) fn are_events_behind(&self) -> bool {
        self.notices.are_behind
    }

    /// Returns true once when the events are told that the last turn had left.
    pub(in crate::node) fn have_events_caught_up(&mut self) -> bool {
        !self.has_events() && core::mem::take(&mut self.notices.are_behind)
    }

    /// Returns true if events wait to be made.
    pub(in crate::node) fn has_untold(&self) -> bool {
        !self.notices.untold.is_empty()
    }

    /// Makes the events of up to so many of the touched keys that come next. `is_there` says
    /// whether a key exists at a moment.
    pub(in crate::node) fn make_events(
        &mut self,
        wanted: Classes,
        most: usize,
        is_there: impl Fn((DbId, &[u8]), Stamp) -> bool,
    ) {
        let notices = &mut self.notices;
        let Some(mut next) = notices.untold.pop_front() else {
            return;
        };
        let (tells, at, before) = (next.tells, next.at, notices.waiting.len());
        let mut some = next.some(most);
        // Also what comes to nothing is work.
        self.publishing.pay(1 + some.len() / KEYS_PER_WORK);
        notices.bytes -= some.iter().map(bytes_of).sum::<usize>();
        let exists = |of: DbId, key: &[u8]| is_there((of, key), at);
        tells.tell(wanted, some.make_contiguous(), exists, &mut notices.waiting);
        let made = notices.waiting.range(before..);
        notices.bytes += made.map(Happened::memory).sum::<usize>();
        if !next.touched.is_empty() {
            notices.untold.push_front(next);
        }
    }

    /// Tells events that wait, as far as this turn goes; true if more have to be made before.
    pub(in crate::node) fn tell_events(&mut self, wanted: Classes) -> bool {
        while !self.has_applied_begun() && self.publishing.left > 0 {
            let Some(happened) = self.notices.waiting.pop_front() else {
                return self.has_untold();
            };
            self.notices.bytes -= happened.memory();
            let Happened { event, db, key } = happened;
            self.publishing.pay(1);
            let mut channel = core::mem::take(&mut self.notices.channel);
            if wanted.has(Classes::KEYSPACE) {
                name_channel(&mut channel, "keyspace", db, &key);
                self.publish(
                    Origin::Applied,
                    (Topic::Channel, &channel, event.name.as_bytes()),
                );
            }
            if wanted.has(Classes::KEYEVENT) {
                name_channel(&mut channel, "keyevent", db, event.name.as_bytes());
                self.publish(Origin::Applied, (Topic::Channel, &channel, &key));
            }
            self.notices.channel = channel;
        }
        false
    }
}

/// Writes the name of a channel of events.
fn name_channel(channel: &mut Vec<u8>, kind: &str, db: u32, name: &[u8]) {
    channel.clear();
    channel.extend_from_slice(b"__");
    channel.extend_from_slice(kind.as_bytes());
    channel.extend_from_slice(b"@");
    if db >= 10 {
        channel.push(b'0' + (db / 10) as u8);
    }
    channel.push(b'0' + (db % 10) as u8);
    channel.extend_from_slice(b"__:");
    channel.extend_from_slice(name);
}
