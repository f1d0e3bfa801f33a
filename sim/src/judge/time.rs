//! S10: replicated time goes on as the clocks of the member do that stamps, whatever its wall clock
//! does.
//!
//! Lives are counted by replicated time. So a key that is given n seconds lives for n seconds of
//! the leader's monotonic clock, but for what is forgiven here: a wall clock that steps by up to a
//! second is followed, or waited for, and one that stays ahead for ten minutes is believed. And
//! what an entry says of the wall clock is what the wall clock says: by that, moments are
//! understood that clients name.

use std::collections::{BTreeMap, BTreeSet};

use seedis::time::{Now, Offset, Stamp};

use super::invariant::{Id, Verdict, Violation};

/// By how much a wall clock may step before that is a jump, in milliseconds.
const STEP_MS: u64 = 1000;
/// Readings are rounded to milliseconds, and clocks may run apart by a part in so many.
const ROUNDED_MS: u64 = 20;
const APART: u64 = 500;
/// How long a wall clock must be ahead before replicated time follows, in milliseconds.
const BELIEVED_AFTER_MS: u64 = 10 * 60 * 1000;

/// By how much a wall clock may step while so much passes by the monotonic one, in milliseconds.
pub(super) fn step_ms(passed_ms: u64) -> u64 {
    STEP_MS + ROUNDED_MS + passed_ms / APART
}

/// The clocks of a member.
#[derive(Clone, Copy, Debug, Default)]
struct Clocks {
    /// How far its wall clock is ahead of its monotonic one, in milliseconds.
    ahead: Option<i64>,
    /// By how much steps may have moved replicated time since the anchor, in milliseconds.
    forgiven: u64,
}

/// The clocks of a member when it began to stamp.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    member: usize,
    stamp: u64,
    mono_ms: u64,
    /// The last stamp, by the monotonic clock.
    last_ms: u64,
}

/// The stamps so far, and the times that they imply.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    clocks: Vec<Clocks>,
    anchor: Option<Anchor>,
    /// The latest that the wall clock of a lone server has said when it stamped.
    latest_ms: u64,
    /// An entry has said that the wall clock and replicated time differ.
    has_differed: bool,
    /// The offsets that were in force for those who gave a stamp.
    given: BTreeMap<Stamp, BTreeSet<Offset>>,
}

impl Times {
    pub(super) fn new(members: usize) -> Self {
        Self {
            clocks: vec![Clocks::default(); members],
            ..Self::default()
        }
    }

    /// A member was told the time.
    pub(super) fn told(&mut self, member: usize, now: Now) {
        let ahead = now.wall_ms() as i64 - now.mono.as_millis() as i64;
        let clocks = &mut self.clocks[member];
        let before = clocks.ahead.replace(ahead).unwrap_or(ahead);
        let by = before.abs_diff(ahead);
        if by > 1 {
            clocks.forgiven += by.min(STEP_MS + ROUNDED_MS);
        }
    }

    /// A member's process has ended: its next one has not counted what passed meanwhile.
    pub(super) fn lost(&mut self, member: usize) {
        self.clocks[member] = Clocks::default();
        self.anchor = self.anchor.filter(|anchor| anchor.member != member);
    }

    /// An entry was proposed.
    pub(super) fn stamped(
        &mut self,
        member: usize,
        stamp: Stamp,
        offset: Offset,
        now: Now,
    ) -> Verdict {
        self.given.entry(stamp).or_default().insert(offset);
        let (wall, mono_ms) = (now.wall_ms(), now.mono.as_millis());
        let anchor = self.anchor.filter(|anchor| anchor.member == member);
        let Some(anchor) = anchor else {
            let has_jumped = self.clocks[member].forgiven > 0;
            self.begins(member, stamp, mono_ms);
            return self.continues(stamp, offset, wall, has_jumped);
        };
        let said = offset.wall_of(stamp);
        if said.abs_diff(wall) > step_ms(mono_ms.saturating_sub(anchor.last_ms)) {
            let text = format!("stamp {stamp} means {said} by the wall clock, which says {wall}");
            return Err(Violation::new(Id::S10, text));
        }
        let passed = mono_ms.saturating_sub(anchor.mono_ms);
        let went = stamp.0.saturating_sub(anchor.stamp);
        let forgiven = self.clocks[member].forgiven + step_ms(passed);
        let is_apart = went.abs_diff(passed) > forgiven;
        // A wall clock that has been ahead for so long has seen a time that nobody has counted.
        let is_believed = went > passed && passed >= BELIEVED_AFTER_MS && stamp.0 == wall;
        if is_apart && !is_believed {
            let text = format!(
                "replicated time went on by {went} ms while {passed} ms passed by the clock of n{}",
                member + 1
            );
            return Err(Violation::new(Id::S10, text));
        }
        if is_apart {
            self.begins(member, stamp, mono_ms);
        } else if let Some(anchor) = &mut self.anchor {
            anchor.last_ms = mono_ms;
        }
        self.continues(stamp, offset, wall, true)
    }

    /// An entry is applied, and this offset is in force behind it.
    pub(super) fn applied(&self, stamp: Stamp, offset: i64) -> Verdict {
        let given = self.given.get(&stamp);
        if given.is_none_or(|given| given.contains(&Offset(offset))) {
            return Ok(());
        }
        let text = format!("stamp {stamp} was given with {given:?}, and {offset} ms are in force");
        Err(Violation::new(Id::S10, text))
    }

    fn begins(&mut self, member: usize, stamp: Stamp, mono_ms: u64) {
        self.clocks[member].forgiven = 0;
        self.anchor = Some(Anchor {
            member,
            stamp: stamp.0,
            mono_ms,
            last_ms: mono_ms,
        });
    }

    /// A server of its own counts what passes while it is down, as the wall clock has it.
    ///
    /// A jump while it runs is no time that has passed.
    fn continues(&mut self, stamp: Stamp, offset: Offset, wall: u64, has_jumped: bool) -> Verdict {
        let is_lone = self.clocks.len() == 1;
        let has_gone_on = is_lone && wall >= self.latest_ms && !self.has_differed && !has_jumped;
        self.latest_ms = self.latest_ms.max(wall);
        if has_gone_on && offset > Offset(0) {
            let text = format!(
                "stamp {stamp} forgets {} ms that a server was down",
                offset.0
            );
            return Err(Violation::new(Id::S10, text));
        }
        self.has_differed |= offset != Offset(0);
        Ok(())
    }
}
