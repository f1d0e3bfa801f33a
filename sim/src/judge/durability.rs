//! The entries that must be there after a crash: which ones were answered, and which of them the
//! policy promises.

use std::collections::VecDeque;

use seedis::node::config::Fsync;

use super::invariant::{Id, Verdict, Violation};
use super::leaders::Redirects;
use super::writes::Writes;
use super::{Judge, Member};
use crate::goals::Goal;

/// When an answered entry may be lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Policy {
    /// There is no log: everything is lost with the process.
    #[default]
    Memory,
    /// There is a log.
    Logged(Fsync),
}

/// Under `everysec`, what was answered so long before a crash must survive it, in nanoseconds: of
/// time in which the process could run and its disk did not hang. While it hangs no more is
/// answered than what fits into as much time.
const BOUND_NS: u64 = 3_000_000_000;

/// A moment in the life of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// For how long the process could run so far, in nanoseconds.
    pub(crate) ran: u64,
    /// For how long its disk has let a sync of the log hang so far, or what stands before one.
    pub(crate) hung: u64,
}

impl Age {
    /// How long ago that was, the time not counted in which the disk hung.
    fn since(self, earlier: Self) -> u64 {
        let hung = self.hung.saturating_sub(earlier.hung);
        self.ran.saturating_sub(earlier.ran).saturating_sub(hung)
    }
}

/// The way in which a member's life has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The machine lost its power.
    Power,
    /// The process died; what it had written stays.
    Process,
    /// It was asked to stop and did so in good order.
    Stop,
}

/// The promises that one member has made.
#[derive(Clone, Debug, Default)]
pub(super) struct Durability {
    pub(super) policy: Policy,
    /// The highest entry that was answered.
    answered: u64,
    /// When which entries were answered, as far as that matters still.
    recent: VecDeque<(Age, u64)>,
    /// The highest entry that was answered longer ago.
    old: u64,
    /// The lowest index to which recovery must come.
    floor: u64,
    /// A sync has failed in this life, and the node was told.
    sync_failed: bool,
    /// A sync has failed, and what it was to make durable may be gone.
    damaged: bool,
    /// A bit has flipped since the last life, and whether the node has said that something is
    /// damaged.
    flipped: bool,
    noted: bool,
    /// The entry up to which a recovery has come that was served from, and that is synced.
    served: u64,
    /// How far a recovery had come whose process died in it.
    seen: u64,
    /// Under `always`, entries that are synced, and the latest that the clock may have said when
    /// they were known to be.
    synced: VecDeque<(u64, u64)>,
    /// The highest entry that a record behind it knew to be synced.
    witnessed: u64,
}

impl Durability {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// A8: a reply is owed for an entry.
    pub(super) fn answered(&mut self, index: u64, now: Age) -> Verdict {
        if self.sync_failed {
            let text = format!("entry {index} was answered behind a failed sync");
            return Err(Violation::new(Id::A8, text));
        }
        if index > self.answered {
            self.answered = index;
            self.recent.push_back((now, index));
        }
        self.age(|then| now.ran.saturating_sub(then.ran));
        Ok(())
    }

    /// An entry is applied, or recovered and served from: whatever is proposed later says so.
    pub(super) fn applied(&mut self, index: u64, stamp: u64, high: u64) {
        if self.policy != Policy::Logged(Fsync::Always) {
            return;
        }
        // What has a later stamp than any clock could give was proposed behind.
        while let Some((older, _)) = self.synced.pop_front_if(|(_, high)| *high < stamp) {
            self.witnessed = older;
        }
        self.synced.push_back((index, high));
    }

    fn age(&mut self, since: impl Fn(Age) -> u64) {
        let is_old = |(at, _): &mut (Age, u64)| since(*at) > BOUND_NS;
        while let Some((_, index)) = self.recent.pop_front_if(is_old) {
            self.old = index;
        }
    }

    /// As `check_floor`, while it is not known yet what the node will say of damage.
    pub(super) fn check_prefix(&self, index: u64) -> Verdict {
        if self.flipped {
            Ok(())
        } else {
            self.check_floor(index)
        }
    }

    /// A1, A2, A4, A5, A10: what was promised is there.
    pub(super) fn check_floor(&self, index: u64) -> Verdict {
        let Self { floor, .. } = self;
        let before = self.served.max(self.seen);
        if self.flipped && index < self.witnessed {
            let known = self.witnessed;
            let text = format!("a bit flipped, and of {known} entries known to be synced {index}");
            return Err(Violation::new(Id::A5, text));
        }
        if self.flipped {
            let text =
                format!("a bit flipped; recovery came to {index} of {floor} and says nothing");
            let silent = index < *floor && !self.noted;
            return if silent {
                Err(Violation::new(Id::A10, text))
            } else {
                Ok(())
            };
        }
        if index < before {
            let text = format!("recovery came to {index}, and to {before} the time before");
            return Err(Violation::new(Id::A4, text));
        }
        if index < *floor {
            let text = format!("entries up to {floor} must survive, and recovery came to {index}");
            let always = self.policy == Policy::Logged(Fsync::Always);
            return Err(Violation::new(if always { Id::A1 } else { Id::A2 }, text));
        }
        Ok(())
    }

    /// The entry up to which all must survive.
    fn promised(&mut self, end: End, now: Age) -> u64 {
        self.age(|then| now.since(then));
        let end = if self.damaged { End::Power } else { end };
        match (self.policy, end) {
            (Policy::Memory, _) | (Policy::Logged(Fsync::No), End::Power) => 0,
            (Policy::Logged(Fsync::EverySecond), End::Power) => self.old,
            (Policy::Logged(_), _) => self.answered,
        }
    }
}

impl Judge {
    /// A sync of a member has failed: under a relaxed policy, what it was to cover may be gone.
    pub(crate) fn sync_lost(&mut self, member: usize) {
        self.members[member].durability.damaged = true;
    }

    /// A sync of a member's log has failed, and the member is being told.
    pub(crate) fn sync_failed(&mut self, member: usize) {
        self.members[member].durability.sync_failed = true;
    }

    /// A bit of a member's files has flipped, or was put right.
    pub(crate) fn flipped(&mut self, member: usize, flipped: bool) {
        let durability = &mut self.members[member].durability;
        (durability.flipped, durability.noted) = (flipped, false);
        if self.group.is_none() {
            self.states.clear();
            self.shapes.clear();
        }
    }

    /// A member has said that its files are damaged.
    pub(crate) fn damage_noted(&mut self, member: usize) {
        self.members[member].durability.noted = true;
    }

    /// Returns true if it has said so since a bit has flipped.
    pub(crate) fn is_damage_noted(&self, member: usize) -> bool {
        self.members[member].durability.noted
    }

    /// A member is gone, be it by a crash or on request.
    pub(crate) fn lost(&mut self, member: usize, end: End, now: Age) {
        self.forgets_pause(member);
        self.may_skip(member);
        self.knows_nobody(member);
        self.time.lost(member);
        self.members[member].writes = Writes::default();
        self.members[member].redirects = Redirects::default();
        if self.group.is_some() {
            self.members[member].durability.sync_failed = false;
            return self.group_lost(member);
        }
        let member = &mut self.members[member];
        let durability = &mut member.durability;
        if durability.policy != Policy::Logged(Fsync::Always) {
            // What is lost makes room for other entries.
            self.states.clear();
            self.shapes.clear();
        }
        let promised = durability.promised(end, now);
        // What survived the death of a process may still be lost by a failure of the power.
        durability.floor = if member.serving {
            promised
        } else {
            durability.floor.min(promised)
        };
        // What a recovery has read may not be durable; with the process alone nothing is lost.
        durability.seen = match end {
            _ if member.serving || durability.damaged => 0,
            End::Power => 0,
            End::Process | End::Stop => durability.seen.max(member.history.applied),
        };
        (durability.sync_failed, durability.damaged) = (false, false);
        durability.recent.clear();
        member.serving = false;
        member.history.forget();
        if durability.policy == Policy::Memory {
            member.history.entries.clear();
            self.draws.forget_behind(0);
        }
    }

    /// Returns the rule that is broken where a member refuses to start although nothing is damaged.
    pub(crate) fn refuses(&self, member: usize) -> Id {
        let Member {
            durability,
            history,
            ..
        } = &self.members[member];
        // What it cannot read any more it has read before, and served from. The last entry may be
        // read and not applied.
        if history.applied + 1 < durability.served {
            Id::A4
        } else {
            Id::A5
        }
    }

    /// A1, A2, A4: a member serves, with all entries up to `index` recovered.
    pub(crate) fn serves(&mut self, number: usize, index: Option<u64>) -> Verdict {
        if self.group.is_some() {
            self.group_serves(number);
            return Ok(());
        }
        let member = &mut self.members[number];
        let index = index.unwrap_or(member.history.applied);
        if member.history.applied < index {
            member.history.rebuild(index, &self.draws);
        }
        let durability = &mut member.durability;
        durability.check_floor(index)?;
        if index < durability.answered {
            self.goals.reach(Goal::AnsweredLost);
        }
        // Clients may read it from now on, so that it must not vanish again. Recovery syncs what it
        // has found; the entry with which the new term begins is synced by policy.
        let opens = member
            .history
            .entry(index)
            .is_some_and(|e| e.steps.is_empty());
        durability.served = match durability.policy {
            Policy::Logged(Fsync::Always) => index,
            Policy::Logged(_) if opens => index.saturating_sub(1),
            _ => 0,
        };
        durability.seen = 0;
        durability.synced.clear();
        durability.applied(index, 0, member.high.0);
        durability.witnessed = durability.witnessed.min(index);
        (durability.flipped, durability.noted) = (false, false);
        (durability.answered, durability.old) = (index, index.min(durability.old));
        member.history.entries.retain(|entry| entry.index <= index);
        self.draws.forget_behind(index);
        // What recovery executed again is no news to those who watched meanwhile.
        for dialogue in self.dialogues.values_mut().filter(|d| d.member == number) {
            for watch in &mut dialogue.watched {
                watch.version = member.history.model.version(watch.db, &watch.key);
            }
        }
        member.serving = true;
        member.serves_from = self.asked;
        if index > 0 {
            self.goals.reach(Goal::Recovered);
        }
        Ok(())
    }
}
