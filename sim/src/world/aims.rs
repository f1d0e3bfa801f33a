//! Faults that are aimed: at the rare messages and steps at which a group changes hands or members,
//! or a log its base, and which what strikes at random would hardly ever hit.

use super::member::Doom;
use super::{Event, World};
use crate::decisions::decision::Strike;
use crate::draws::{Dice, Stream};
use crate::goals::Fault;
use crate::judge::End;

/// The key of the dice of steps, beside those of other faults of this stream.
const STEPS: u64 = 1 << 49;
/// The key of the dice of switches to another base, beside those of other crashes.
const SWITCHES: u64 = 1 << 50;
/// In so many of 1000 switches the power fails, and within so many boundaries.
const SWITCH_CRASHES: u64 = 500;
const SWITCH_BOUNDARIES: u64 = 8;
/// The key of the dice of leaders with entries that nobody has acknowledged yet.
const BACKLOGS: u64 = 1 << 52;
/// Of so many turns of such a leader that may be struck one is.
const BACKLOG_TURNS: u64 = 100;
/// A step is over when a member is struck for it, in nanoseconds.
const BEHIND: u64 = 1000;

impl World {
    /// A member is struck at this very step: it is cut off, ends at one of its next boundaries,
    /// stands still, or hears the others late.
    pub(super) fn strike_aimed(&mut self, number: usize, dice: &mut Dice) {
        let length = dice.within(100_000_000, 3_000_000_000);
        let by = dice.within(100_000_000, 2_000_000_000);
        let [hears, speaks] = *dice.pick(&[[false, false], [true, false], [false, true]]);
        let mute = dice.coin();
        match dice.below(6) {
            0..=2 => self.strike(
                number,
                &Strike::Cut {
                    hears,
                    speaks,
                    length,
                },
            ),
            3 => self.strike(
                number,
                &Strike::Pause {
                    length: length.min(by),
                },
            ),
            4 => self.strike(number, &Strike::Lag { by, mute, length }),
            _ => {
                let end = if dice.coin() {
                    End::Power
                } else {
                    End::Process
                };
                let boundaries = dice.below(8);
                let member = &mut self.members[number];
                if member.may_be_ended() {
                    member.doom = Some(Doom { end, boundaries });
                }
                true
            }
        };
        self.fired(Fault::Aimed);
    }

    /// A member is to be struck right behind this step, which has this number among those of its
    /// kind.
    pub(super) fn aim(&mut self, member: usize, ordinal: u64) {
        self.aim_in(BEHIND, member, ordinal);
    }

    /// The same, so much later, in nanoseconds.
    pub(super) fn aim_in(&mut self, after: u64, member: usize, ordinal: u64) {
        let fault = Fault::Aimed;
        let strike = Event::Fault {
            member,
            fault,
            ordinal,
        };
        self.push(after, strike);
    }

    /// A manifest has its name, and that is not durable yet: the power may fail before it is, or
    /// when the files that it replaces are removed.
    pub(super) fn look_at_switch(&mut self, number: usize) {
        let [power, ..] = self.scenario.ends;
        let crashes = self.scenario.crashes.is_some() && power > 0;
        if !crashes || self.healed || self.decisions.are_scripted() {
            return;
        }
        let member = &self.members[number];
        let (life, job) = (member.life, member.last_job);
        let key = SWITCHES | life << 8 | number as u64;
        let mut dice = self.dice(Stream::CRASH, key, job);
        let boundaries = dice.below(SWITCH_BOUNDARIES);
        let member = &mut self.members[number];
        if dice.permille(SWITCH_CRASHES) && member.may_be_ended() {
            let end = End::Power;
            member.doom.get_or_insert(Doom { end, boundaries });
        }
    }

    /// A change of members begins or ends in the view of a member: a step at which it, or another,
    /// may be struck.
    pub(super) fn look_at_changes(&mut self, number: usize) {
        let member = &mut self.members[number];
        let Some(raft) = member.node.as_ref().and_then(|node| node.raft()) else {
            return;
        };
        let is_changing = raft.is_changing();
        let was = std::mem::replace(&mut member.changing, is_changing);
        let turns = member.turns;
        let aims = self.scenario.aims;
        if was == is_changing || aims == 0 || self.healed || self.decisions.are_scripted() {
            return;
        }
        let mut dice = self.dice(Stream::CUT, STEPS | number as u64, turns);
        if dice.permille(aims) {
            let other = dice.below(self.members.len() as u64) as usize;
            let struck = if dice.coin() { number } else { other };
            self.aim(struck, STEPS | turns);
        }
    }

    /// A leader has proposed more than is committed: the fate of that when another leads is seen
    /// best if it is struck then.
    pub(super) fn look_at_backlog(&mut self, number: usize) {
        let aims = self.scenario.aims;
        if aims == 0 || self.healed || self.decisions.are_scripted() {
            return;
        }
        let member = &self.members[number];
        let raft = member.node.as_ref().and_then(|node| node.raft());
        if !raft.is_some_and(|raft| raft.is_leader() && raft.last() > raft.commit()) {
            return;
        }
        let turns = member.turns;
        let mut dice = self.dice(Stream::CUT, BACKLOGS | number as u64, turns);
        if dice.permille(aims) && dice.below(BACKLOG_TURNS) == 0 {
            self.aim(number, BACKLOGS | turns);
        }
    }
}
