//! Boundaries between what a process does: it may end, or stand still, at each of them.

use super::{Event, World};
use crate::decisions::address::{Address, Plain, Point};
use crate::decisions::decision::Strike;
use crate::draws::Dice;
use crate::goals::Fault;

impl World {
    /// One more boundary between effects: a doomed member may end here.
    pub(super) fn boundary(&mut self, number: usize, point: impl FnOnce() -> Point) -> bool {
        let life = self.members[number].life;
        let address = self.decisions.point(number, life, point);
        if self.decisions.are_scripted() {
            return self.pass_as_written(number, address.as_ref());
        }
        let member = &mut self.members[number];
        match &mut member.doom {
            None => true,
            Some(doom) if doom.boundaries > 0 => {
                doom.boundaries -= 1;
                true
            }
            Some(doom) => {
                let end = doom.end;
                self.crash(number, end, address, None);
                false
            }
        }
    }

    /// A boundary at which a script decides whether a member ends, or will stand still.
    fn pass_as_written(&mut self, number: usize, address: Option<&Address>) -> bool {
        if self.healed {
            return true;
        }
        for strike in self.decisions.strikes(address, |_| true) {
            match strike {
                Strike::Crash { end, fate } => {
                    self.crash(number, end, None, Some(&fate));
                    return false;
                }
                Strike::Hold { length } => self.decisions.hold(number, length),
                _ => {}
            }
        }
        true
    }

    /// The first boundary of a turn; false where the member ends at it.
    pub(super) fn begins_turn(&mut self, number: usize) -> bool {
        self.decisions.held(number);
        let life = self.members[number].life;
        let begun = || Point::Plain(Plain::TurnBegun);
        let address = self.decisions.point(number, life, begun);
        !self.decisions.are_scripted() || self.pass_as_written(number, address.as_ref())
    }

    /// Returns true if a member stands still now, between its inputs and its flush.
    pub(super) fn stands_mid_turn(&mut self, number: usize, dice: &mut Dice) -> bool {
        let hold = if self.decisions.are_scripted() {
            self.decisions.held(number)
        } else if !self.healed && dice.below(10_000) < self.scenario.mid_turn {
            Some(dice.exponential(100_000_000).min(1_000_000_000))
        } else {
            None
        };
        let Some(length) = hold else {
            return false;
        };
        self.fired(Fault::MidTurn);
        let address = self.decisions.last_point(number);
        self.record(address, || Strike::Hold { length });
        let time = self.time;
        let member = &mut self.members[number];
        member.mid_turn = true;
        member.stand_still(time, length);
        let flush = Event::Flush {
            member: number,
            life: member.life,
        };
        self.push(length, flush);
        true
    }
}
