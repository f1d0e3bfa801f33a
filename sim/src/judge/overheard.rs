//! N5, N6: clients hear of keyspace events what their member has applied.
//!
//! Of dead keys that are freed, and of keys that are new or missing, little is known: they are not
//! asked for, or are looked at by themselves.

use super::events::Event;
use super::hearing::{WAYS_MAX, hear, misses};
use super::invariant::{Id, Verdict, Violation};
use super::topic::Topic;
use super::{Circumstances, Judge};
use crate::goals::Goal;
use crate::model::WILD;
use crate::wire::shown;
use crate::workload::KEPT;

impl Judge {
    /// A member has applied a step, and with it what its clients may hear of.
    pub(super) fn has_happened(&mut self, number: usize, around: Circumstances) {
        let member = &mut self.members[number];
        let written = std::mem::take(&mut member.history.written);
        // Those that clients keep stand in the first database.
        for key in written
            .iter()
            .filter(|key| key.starts_with(KEPT.as_bytes()))
        {
            let item = member.history.model.get(0, key, member.history.stamp);
            if item.is_some_and(|item| item.expiry.is_some()) {
                member.touches.dies(key);
            }
        }
        member.touches.step(written);
        let mut events = std::mem::take(&mut member.history.happened);
        if self.tells_events == [false; 2] {
            return;
        }
        let is_sure = member.serving && around.serving;
        for event in &mut events {
            event.is_doubtful |= !is_sure;
        }
        if !events.is_empty() {
            member.happened.push(events);
        }
    }

    /// How many steps of a member have given rise to events.
    pub(super) fn events_so_far(&self, member: usize) -> usize {
        self.members[member].happened.len()
    }

    /// N5, N6: a keyspace event has come to a client that listens to this name. False where the
    /// channel is no such one.
    pub(super) fn heard_event(
        &mut self,
        conn: u64,
        name: &(Topic, Vec<u8>),
        (channel, message): (&[u8], &[u8]),
    ) -> Result<bool, Violation> {
        let Some((of_event, db, rest)) = parts(channel) else {
            return Ok(false);
        };
        let (event, key) = if of_event {
            (rest, message)
        } else {
            (message, rest)
        };
        let Some(dialogue) = self.dialogues.get_mut(&conn) else {
            return Ok(true);
        };
        let text = format!("{} of {} in {db}", shown(event), shown(key));
        let wrong = |id, why: &str| Err(Violation::new(id, format!("c{conn} {why} {text}")));
        if !self.tells_events[usize::from(of_event)] {
            return wrong(Id::N5, "hears, though nobody wants events, of");
        }
        if db == WILD || event == b"expired" {
            return Ok(true);
        }
        let happened = &self.members[dialogue.member].happened;
        let ear = (name.clone(), of_event);
        let Some(ways) = dialogue.listener.hearing.0.get_mut(&ear) else {
            return Ok(true);
        };
        let is_it = |one: &Event| one.name.as_bytes() == event && one.db == db && one.key == key;
        let (mut found, mut why) = (Vec::new(), None);
        for way in ways.iter() {
            why = hear(&ear, way.clone(), happened, &is_it, &mut found).or(why);
        }
        found.dedup();
        if found.is_empty() || found.len() > WAYS_MAX {
            let is_unsure = dialogue.listener.is_unsure || !found.is_empty();
            dialogue.listener.hearing.0.remove(&ear);
            return match why {
                _ if is_unsure => Ok(true),
                Some(missed) => wrong(Id::N6, &format!("has not heard {missed}, and hears")),
                None => wrong(
                    Id::N5,
                    "hears what has not happened, or again, or too late:",
                ),
            };
        }
        *ways = found;
        self.goals.reach(Goal::HeardEvent);
        Ok(true)
    }

    /// N6: all that was sent has arrived.
    pub(super) fn all_events_are_heard(&self, conn: u64) -> Verdict {
        let Some(dialogue) = self.dialogues.get(&conn) else {
            return Ok(());
        };
        if dialogue.listener.is_unsure || dialogue.closing || dialogue.ended {
            return Ok(());
        }
        let happened = &self.members[dialogue.member].happened;
        for (ear, ways) in &dialogue.listener.hearing.0 {
            let is_told = self.tells_events[usize::from(ear.1)];
            if !is_told || !dialogue.listener.names.contains_key(&ear.0) {
                continue;
            }
            let missed = ways.iter().map(|way| misses(ear, way.clone(), happened));
            // In one of the ways it has heard all.
            if let Some(missed) = missed.reduce(|one, other| one.and(other)).flatten() {
                let text = format!("c{conn} has not heard {missed}");
                return Err(Violation::new(Id::N6, text));
            }
        }
        Ok(())
    }
}

/// The parts of a channel of events: whether it is that of an event, the database, and the rest.
fn parts(channel: &[u8]) -> Option<(bool, u32, &[u8])> {
    let rest = channel.strip_prefix(b"__key")?;
    let (of_event, rest) = match rest.strip_prefix(b"space@") {
        Some(rest) => (false, rest),
        None => (true, rest.strip_prefix(b"event@")?),
    };
    let end = rest.iter().position(|byte| *byte == b'_')?;
    let db = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some((of_event, db, rest[end..].strip_prefix(b"__:")?))
}
