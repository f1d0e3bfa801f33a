//! Replicated time as the next entry would have it, from what this member's clocks say.
//!
//! Lives are counted by replicated time, and replicated time goes on as the leader's monotonic
//! clock does: a jump of the wall clock neither kills a key nor lets one live on. The time of the
//! wall clock is kept beside it as a number that entries carry, the *offset*; moments that clients
//! name by the wall clock are understood, and shown, by it. So the wall clock may be wrong by a day
//! and be set right again: who names a moment then is understood by the clock of then.
//!
//! Small differences are no jumps: replicated time follows a wall clock that is ahead, and goes at
//! half its pace while it leads. The wall clock is believed against the monotonic one in two
//! cases: it alone has seen how long a server was down, and a machine that was suspended does not
//! count that time either, so that a jump which is still there after minutes is one of time itself.

use core::time::Duration;

use crate::time::{Mono, Now, Offset, Stamp};

/// By how much the wall clock may step before that is a jump, in milliseconds.
const STEP_MS_MAX: u64 = 1000;
/// One part in so many by which the two clocks of a machine may run apart besides.
const APART: u64 = 500;
/// How long the wall clock must be ahead before replicated time follows.
const BELIEVED_AFTER: Duration = Duration::from_mins(10);

/// The clock from which the next stamp follows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timekeeper {
    /// The last stamp that was given or applied; 0: none was.
    stamp: Stamp,
    /// When that was, by this member's monotonic clock.
    when: Mono,
    /// The offset of the last entry that was proposed or applied.
    offset: Offset,
    /// Since when the wall clock has been ahead by more than a step.
    ahead_since: Option<Mono>,
    /// This process has read its state, and counts.
    counts: bool,
}

impl Timekeeper {
    /// The stamp and the offset that an entry of this moment is given.
    pub(super) fn reading(&self, now: Now) -> (Stamp, Offset) {
        let (stamp, offset) = self.without_belief(now);
        let is_believed = offset > Offset(0)
            && self
                .ahead_since
                .is_some_and(|since| now.mono.since(since) >= BELIEVED_AFTER);
        if is_believed {
            (Stamp(now.wall_ms()), Offset(0))
        } else {
            (stamp, offset)
        }
    }

    fn without_belief(&self, now: Now) -> (Stamp, Offset) {
        let wall = now.wall_ms();
        if self.stamp == Stamp(0) {
            return (Stamp(wall), Offset(0));
        }
        let elapsed = now.mono.since(self.when).as_millis() as u64;
        let run_on = Stamp(self.stamp.0.saturating_add(elapsed));
        let step = STEP_MS_MAX + elapsed / APART;
        for offset in [self.offset, Offset(0)] {
            let by_wall = offset.stamp_of(wall as i64).max(0) as u64;
            if by_wall.abs_diff(run_on.0) <= step {
                let slow = self.stamp.0.saturating_add(elapsed / 2);
                return (Stamp(by_wall.max(slow)), offset);
            }
        }
        (run_on, Offset::between(wall, run_on))
    }

    /// The offset of the last entry that was proposed or applied.
    pub(super) fn offset(&self) -> Offset {
        self.offset
    }

    /// An entry is given this stamp and offset.
    pub(super) fn gives(&mut self, (stamp, offset): (Stamp, Offset), now: Now) {
        (self.stamp, self.when, self.offset) = (stamp, now.mono, offset);
        self.watch(now);
    }

    /// Replicated time has come to `stamp`. An entry that was applied late has been stamped long
    /// ago: this member's own count goes on where it is further.
    pub(super) fn reaches(&mut self, stamp: Stamp, now: Now) {
        let elapsed = now.mono.since(self.when).as_millis() as u64;
        if !self.counts {
            return;
        }
        if self.stamp == Stamp(0) || stamp.0 >= self.stamp.0.saturating_add(elapsed) {
            (self.stamp, self.when) = (stamp, now.mono);
        }
    }

    /// Nothing that was proposed is on its way: this offset is in force.
    pub(super) fn goes_by(&mut self, offset: Offset) {
        self.offset = offset;
    }

    /// The state was read from a disk, at this time and with this offset. How long no process was
    /// there to count, only the wall clock has seen.
    pub(super) fn begins(&mut self, stamp: Stamp, offset: Offset, now: Now) {
        self.offset = offset;
        if self.counts {
            self.reaches(stamp, now);
            return;
        }
        self.counts = true;
        self.when = now.mono;
        if stamp != Stamp(0) {
            let by_wall = offset.stamp_of(now.wall_ms() as i64).max(0) as u64;
            self.stamp = Stamp(by_wall.max(stamp.0));
        }
    }

    /// This member begins to lead: from here on its own wall clock is watched.
    pub(super) fn leads(&mut self) {
        self.ahead_since = None;
    }

    /// Looks whether the wall clock is ahead.
    pub(super) fn watch(&mut self, now: Now) {
        let is_ahead = self.without_belief(now).1 > Offset(0);
        let since = self.ahead_since.unwrap_or(now.mono);
        self.ahead_since = is_ahead.then_some(since);
    }

    /// When replicated time will follow a wall clock that is ahead.
    pub(super) fn follows_at(&self) -> Option<Mono> {
        self.ahead_since.map(|since| since + BELIEVED_AFTER)
    }
}

#[cfg(test)]
mod tests;
