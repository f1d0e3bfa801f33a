//! The keyspace events that a client has heard, in each way in which that may be.
//!
//! A client that listens hears of each step that its member has applied since, once and in order.

use std::collections::{BTreeMap, BTreeSet};

use super::events::Event;
use super::topic::Topic;
use crate::model::{WILD, matches};
use crate::wire::shown;

/// The name by which a client listens, and whether the channel is that of the event.
pub(super) type Ear = ((Topic, Vec<u8>), bool);

/// How far a client may have heard by one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// The step of the last event that it has heard, or with which it began.
    step: usize,
    /// The places in that step of what it has heard.
    of_step: BTreeSet<usize>,
    /// Since which step it must hear all.
    since: usize,
}

/// So many ways in which a client may have heard what it has are looked at.
pub(super) const WAYS_MAX: usize = 64;

/// A client, as one that hears of events: by each name, the ways in which it may have heard what it
/// has. There are several where an event is doubtful.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearing(pub(super) BTreeMap<Ear, Vec<Heard>>);

impl Hearing {
    /// It must hear of what happens from this step on. Events of steps before may still be on their
    /// way: one that is being told, those for which applying pauses, and the step in the middle of
    /// which it begins.
    pub(super) fn begins(&mut self, name: &(Topic, Vec<u8>), since: usize) {
        for of_event in [false, true] {
            let heard = Heard {
                step: since.saturating_sub(3),
                of_step: BTreeSet::new(),
                since,
            };
            self.0.insert((name.clone(), of_event), vec![heard]);
        }
    }
}

/// The first step of which a client must hear all that begins when so many have been applied. In
/// the middle of a step its member has touched keys of which nobody wanted to hear.
pub(super) fn first_whole(steps: usize, is_midway: bool) -> usize {
    steps + usize::from(is_midway)
}

/// Returns true if a client that listens to this name hears of an event.
fn is_heard_by(((topic, name), of_event): &Ear, event: &Event) -> bool {
    let (kind, rest) = if *of_event {
        ("event", event.name.as_bytes())
    } else {
        ("space", &event.key[..])
    };
    let mut channel = format!("__key{kind}@{}__:", event.db).into_bytes();
    channel.extend_from_slice(rest);
    match topic {
        Topic::Channel => channel == *name,
        Topic::Pattern => matches(name, &channel),
        Topic::Shard => false,
    }
}

/// Adds the ways in which a client may have heard the event that it hears now. Returns an event
/// that it would have missed, where there is no further way for that.
pub(super) fn hear(
    ear: &Ear,
    mut way: Heard,
    happened: &[Vec<Event>],
    is_it: &dyn Fn(&Event) -> bool,
    found: &mut Vec<Heard>,
) -> Option<String> {
    while let Some(events) = happened.get(way.step) {
        for (nth, event) in events.iter().enumerate() {
            // Of one key it hears in order, also within a step.
            let is_behind = |later: &usize| {
                *later > nth && (events[*later].db, &events[*later].key) == (event.db, &event.key)
            };
            if !is_it(event) || way.of_step.contains(&nth) || way.of_step.iter().any(is_behind) {
                continue;
            }
            let mut with = way.clone();
            with.of_step.insert(nth);
            found.push(with);
            if !event.is_doubtful && way.step >= way.since {
                return None;
            }
        }
        let missed = pass(ear, &mut way, events);
        if missed.is_some() {
            return missed;
        }
    }
    None
}

/// Goes on to the next step, unless an event of this one was missed, which is returned.
fn pass(ear: &Ear, way: &mut Heard, events: &[Event]) -> Option<String> {
    let missed = missed(ear, way, events);
    if missed.is_none() {
        way.step += 1;
        way.of_step.clear();
    }
    missed
}

/// An event that a client must have heard in this way, and has not.
pub(super) fn misses(ear: &Ear, way: Heard, happened: &[Vec<Event>]) -> Option<String> {
    hear(ear, way, happened, &|_| false, &mut Vec::new())
}

/// An event of the present step that a client must have heard by a name, and has not.
fn missed(ear: &Ear, heard: &Heard, events: &[Event]) -> Option<String> {
    if heard.step < heard.since {
        return None;
    }
    let is_missed = |(nth, event): &(usize, &Event)| {
        !heard.of_step.contains(nth)
            && !event.is_doubtful
            && event.db != WILD
            && is_heard_by(ear, event)
    };
    let (_, event) = events.iter().enumerate().find(is_missed)?;
    Some(format!(
        "{} of {} in {}",
        event.name,
        shown(&event.key),
        event.db
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(key: &str) -> Vec<Event> {
        vec![Event {
            name: "set",
            db: 0,
            key: key.as_bytes().to_vec(),
            is_doubtful: false,
        }]
    }

    /// The event that a client must have heard which began behind one step, perhaps in the middle
    /// of the second.
    fn missed(is_midway: bool, steps: &[Vec<Event>]) -> Option<String> {
        let name = (Topic::Pattern, b"*".to_vec());
        let mut hearing = Hearing::default();
        hearing.begins(&name, first_whole(1, is_midway));
        let ear = (name, true);
        misses(&ear, hearing.0[&ear][0].clone(), steps)
    }

    #[test]
    fn of_a_step_in_the_middle_of_which_it_begins_a_client_need_not_hear() {
        let steps = [happened("a"), happened("b")];
        assert_eq!(missed(true, &steps), None);
        assert!(missed(false, &steps).is_some_and(|text| text.contains('b')));
        let steps = [happened("a"), happened("b"), happened("c")];
        assert!(missed(true, &steps).is_some_and(|text| text.contains('c')));
    }
}
