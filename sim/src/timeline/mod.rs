//! A run in which one can go forth and back: copies of the world now and then, and what lies
//! between is done again.
//!
//! A copy has less room to grow than its original, and what is decided by how much memory is held
//! may come out otherwise in it. So each event that is done again is compared with the first time.
//! The run is done again from its beginning, which is never a copy, as soon as one differs; and no
//! copy goes on beyond what has happened.

mod causes;
mod copies;
pub(crate) mod message;

use std::mem;

use causes::Causes;
pub(crate) use causes::Head;
use copies::Copies;

use crate::judge::invariant::Verdict;
use crate::run::guarded;
use crate::subject::Subject;
use crate::world::World;
use crate::world::observed::{Seen, Watch};

/// How a run ends.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    /// The last event.
    pub(crate) event: u64,
    pub(crate) verdict: Verdict,
}

/// The copies of the world that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Enough to go back quickly.
    Sparse,
    /// Nothing: whoever reads a run once from front to back does not go back.
    Nothing,
}

/// A run and the place in it where somebody stands.
#[derive(Debug)]
pub(crate) struct Timeline {
    subject: Subject,
    pub(crate) world: World,
    /// The world is the run itself, and no copy of it.
    is_own: bool,
    /// The run itself, behind all events that have happened, while the world is a copy.
    front: Option<Box<World>>,
    /// The digest behind each event, as it was the first time.
    digests: Vec<u128>,
    /// The observations of the event after which the world stands; none at the start.
    pub(crate) seen: Vec<Seen>,
    causes: Causes,
    copies: Copies,
    ending: Option<Ending>,
}

impl Timeline {
    /// A run before its first event.
    pub(crate) fn new(subject: &Subject, keep: Keep) -> Self {
        let world = subject.world();
        Self {
            subject: subject.clone(),
            is_own: true,
            front: None,
            digests: Vec::new(),
            seen: Vec::new(),
            causes: Causes::new(world.members_count()),
            copies: Copies::new(keep, &world),
            ending: None,
            world,
        }
    }

    /// The event behind which the world stands; 0 before the first.
    pub(crate) fn event(&self) -> u64 {
        self.world.events
    }

    /// How the run ends, once somebody has been there.
    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// Returns true if the world stands where the run ends.
    pub(crate) fn is_at_end(&self) -> bool {
        self.ending
            .as_ref()
            .is_some_and(|ending| ending.event == self.event())
    }

    /// The head of an event that was already passed.
    pub(crate) fn head(&self, event: u64) -> Option<&Head> {
        self.causes.head(event)
    }

    /// An event and what led to it, the last first, back to where the world was moved from outside.
    pub(crate) fn chain(&self, event: u64) -> Vec<u64> {
        self.causes.chain(event)
    }

    /// The next event; false at the end.
    pub(crate) fn next(&mut self) -> bool {
        let from = self.event();
        self.goto(from + 1);
        self.event() > from
    }

    /// Goes to behind an event, or to the end, where that comes before.
    pub(crate) fn goto(&mut self, event: u64) {
        let end = self.ending.as_ref().map_or(u64::MAX, |ending| ending.event);
        let target = event.min(end);
        if target == self.event() {
            return;
        }
        // The last step is always done, so that what it shows is seen.
        let is_behind = target > self.event();
        if let Some(world) = self.copies.before(target, is_behind.then(|| self.event())) {
            let last = mem::replace(&mut self.world, world);
            if self.is_own && last.events == self.digests.len() as u64 {
                self.front = Some(Box::new(last));
            }
            self.is_own = false;
            self.seen.clear();
        } else if !is_behind {
            self.begin_again();
        }
        while self.event() < target && self.execute(target) {}
    }

    /// Goes to behind the first event at or after a time, in nanoseconds.
    pub(crate) fn goto_time(&mut self, time: u64) {
        match self.causes.first_at(time) {
            Some(event) => self.goto(event),
            None => while self.world.time < time && self.next() {},
        }
    }

    /// Goes to the end.
    pub(crate) fn goto_end(&mut self) {
        self.goto(self.subject.order.events);
        // Whether an event is the last only the step behind it tells.
        while self.ending.is_none() {
            self.next();
        }
        self.goto(self.subject.order.events);
    }

    /// Goes to the beginning, where copies lead elsewhere.
    fn begin_again(&mut self) {
        self.world = self.subject.world();
        (self.is_own, self.front) = (true, None);
        self.copies = Copies::new(Keep::Nothing, &self.world);
        self.seen.clear();
    }

    /// Makes the next event happen; false where there is none.
    fn execute(&mut self, target: u64) -> bool {
        let before = self.event();
        let is_known = before < self.digests.len() as u64;
        if !is_known
            && !self.is_own
            && let Some(front) = self.front.take()
        {
            (self.world, self.is_own) = (*front, true);
        }
        self.world.watch = if before + 1 == target {
            Watch::Everything
        } else if self.causes.knows(before + 1) {
            Watch::Off
        } else {
            Watch::Causes
        };
        let (world, most) = (&mut self.world, self.subject.order.events);
        let result = guarded(|| world.advance(most));
        self.world.watch = Watch::Off;
        let seen = self.world.take_seen();
        let digest = (self.event() > before).then(|| self.world.digest.bits());
        if is_known && digest != self.digests.get(before as usize).copied() {
            self.begin_again();
            return true;
        }
        if let Some(digest) = digest {
            if !is_known {
                self.digests.push(digest);
            }
            self.causes.note(self.event(), self.world.time, &seen);
            self.seen = seen;
        }
        let verdict = match result {
            Ok(true) => {
                self.copies.offer(&self.world, target);
                return true;
            }
            Ok(false) => {
                let world = &mut self.world;
                guarded(|| world.judge_history())
            }
            Err(violation) => Err(violation),
        };
        let event = self.event();
        self.ending.get_or_insert(Ending { event, verdict });
        false
    }
}

#[cfg(test)]
mod tests;
