//! Faults: when each class strikes, what it does, and when it is over.

use super::frames::Cut;
use super::member::{Doom, Member};
use super::{Event, World};
use crate::draws::{Dice, Stream};
use crate::goals::Fault;
use crate::judge::End;
use crate::scenario::{Every, Scenario};

/// The classes that strike a member now and then.
const STRIKING: [Fault; 10] = [
    Fault::Power,
    Fault::Pause,
    Fault::Jump,
    Fault::Drift,
    Fault::Freeze,
    Fault::Full,
    Fault::SyncFails,
    Fault::Cut,
    Fault::Partition,
    Fault::Lag,
];

/// How often a class strikes. All three ways to end come under the name of the first.
fn every(scenario: &Scenario, fault: Fault) -> Every {
    match fault {
        Fault::Power => scenario.crashes,
        Fault::Pause => scenario.pauses,
        Fault::Jump => scenario.jumps,
        Fault::Drift => scenario.drifts,
        Fault::Freeze => scenario.freezes,
        Fault::Full => scenario.full,
        Fault::SyncFails => scenario.sync_fails,
        Fault::Cut => scenario.cuts,
        Fault::Lag => scenario.lags,
        Fault::Partition => scenario.partitions,
        _ => None,
    }
}

/// The stream of a class.
fn stream(fault: Fault) -> Stream {
    match fault {
        Fault::Jump | Fault::Drift | Fault::Freeze => Stream::CLOCK,
        Fault::Full | Fault::SyncFails => Stream::SPACE,
        Fault::Cut | Fault::Partition | Fault::Lag => Stream::CUT,
        _ => Stream::CRASH,
    }
}

impl World {
    /// Plans the first strike of each class.
    pub(super) fn plan_faults(&mut self, member: usize) {
        for fault in STRIKING {
            self.plan(member, fault, 1);
        }
    }

    fn fault_dice(&self, member: usize, fault: Fault, ordinal: u64) -> Dice {
        let key = (fault as u64) << 32 | member as u64 | 1 << 48;
        self.dice(stream(fault), key, ordinal)
    }

    fn plan(&mut self, member: usize, fault: Fault, ordinal: u64) {
        let Some(mean) = every(&self.scenario, fault) else {
            return;
        };
        let after = self
            .fault_dice(member, fault, ordinal << 1)
            .exponential(mean);
        self.push(
            after,
            Event::Fault {
                member,
                fault,
                ordinal,
            },
        );
    }

    /// A class strikes.
    pub(super) fn fault(&mut self, number: usize, fault: Fault, ordinal: u64) {
        if self.healed {
            return;
        }
        self.plan(number, fault, ordinal + 1);
        let mut dice = self.fault_dice(number, fault, ordinal << 1 | 1);
        let time = self.time;
        // What a leader does when it is alone is where others have erred.
        let leads = |member: &Member| member.node.as_ref().is_some_and(|n| n.leads().is_some());
        let leader = self.members.iter().position(leads);
        let hunts = self.scenario.hunts;
        let is_hunted = match fault {
            Fault::Cut | Fault::Lag => dice.coin(),
            Fault::Power | Fault::Pause => hunts > 0 && dice.permille(hunts),
            _ => false,
        };
        let number = leader.filter(|_| is_hunted).unwrap_or(number);
        if leader == Some(number) || fault == Fault::Partition {
            self.hurry();
        }
        if fault == Fault::Power {
            self.strike_down(number, &mut dice);
            return;
        }
        if fault == Fault::Partition {
            self.part(number, &mut dice);
            return;
        }
        let member = &mut self.members[number];
        let mut lasts = None;
        match fault {
            Fault::Pause if member.is_up() => {
                member.stand_still(time, dice.exponential(200_000_000).min(2_000_000_000));
            }
            Fault::Freeze if member.is_up() && member.frozen_from.is_none() => {
                let length = dice.exponential(500_000_000).min(3_000_000_000);
                member.stand_still(time, length);
                member.frozen_from = Some(time);
                lasts = Some(length);
            }
            Fault::Jump => {
                let scale = *dice.pick(&[1_000, 1_000_000, 60_000_000, 3_600_000_000]);
                let by = dice.within(1, scale) as i64;
                member.clock.jump(if dice.coin() { by } else { -by });
                self.wake(number);
            }
            Fault::Drift => {
                let lease = member.config.lease_reads;
                let most = if lease {
                    900
                } else {
                    *dice.pick(&[200, 20_000, 200_000])
                };
                member
                    .clock
                    .set_drift(time, dice.within(0, 2 * most) as i64 - most as i64);
                self.plan_deadline(number);
            }
            Fault::Full => {
                member.disk.space = Some(dice.below(16 << 10));
                member.tight_until = u64::MAX;
                lasts = Some(dice.within(50_000_000, 4_000_000_000));
            }
            Fault::SyncFails => member.disk.fail_next_sync = true,
            Fault::Cut if member.cut.is_none() => {
                let [hears, speaks] =
                    *dice.pick(&[[false, false], [false, false], [true, false], [false, true]]);
                member.cut = Some(Cut { hears, speaks });
                lasts = Some(dice.within(50_000_000, 5_000_000_000));
            }
            Fault::Lag if member.lag == 0 => {
                member.lag = dice.within(100_000_000, 2_000_000_000);
                // Deaf to what comes late, and mute: it believes in its office for as long.
                if dice.coin() && member.cut.is_none() {
                    let (hears, speaks) = (true, false);
                    member.cut = Some(Cut { hears, speaks });
                }
                lasts = Some(dice.within(300_000_000, 4_000_000_000));
            }
            _ => return,
        }
        // A failing sync is counted when it fails.
        if fault != Fault::SyncFails {
            self.fired(fault);
        }
        self.tell(|| format!("member {number}: {} strikes", fault.key()));
        if let Some(length) = lasts {
            self.push(
                length,
                Event::Over {
                    member: number,
                    fault,
                },
            );
        }
    }

    /// The group falls apart: one parting at a time, whoever draws it.
    fn part(&mut self, member: usize, dice: &mut Dice) {
        if self.partition.is_some() {
            return;
        }
        let fault = Fault::Partition;
        self.partition = Some(super::frames::partition(self.members.len(), dice));
        self.fired(fault);
        self.tell(|| "the group is parted".to_owned());
        let length = dice.within(50_000_000, 6_000_000_000);
        let flaps = self.scenario.flaps;
        self.flaps = None;
        if flaps > 0 && dice.permille(flaps) {
            self.fired(Fault::Flap);
            self.flaps = Some(dice.within(50_000_000, 600_000_000));
        }
        self.push(length, Event::Over { member, fault });
    }

    /// A member is to end, at once or some boundaries later.
    fn strike_down(&mut self, number: usize, dice: &mut Dice) {
        let member = &mut self.members[number];
        if !member.is_up() || member.doom.is_some() || member.stopping {
            return;
        }
        let [power, process, stop] = self.scenario.ends;
        let drawn = dice.below(power + process + stop);
        let end = if drawn < power {
            End::Power
        } else if drawn < power + process {
            End::Process
        } else {
            End::Stop
        };
        match end {
            End::Stop => {
                member.stopping = true;
                self.wake(number);
            }
            _ if dice.permille(200) => self.end(number, end),
            _ => {
                let boundaries = dice.below(30);
                member.doom = Some(Doom { end, boundaries });
            }
        }
    }

    /// A lasting fault ends.
    pub(super) fn over(&mut self, number: usize, fault: Fault) {
        let time = self.time;
        let member = &mut self.members[number];
        match fault {
            Fault::Full => {
                member.disk.space = None;
                member.tight_until = member.ran(time) + 2_000_000_000;
            }
            Fault::Cut => member.cut = None,
            Fault::Lag => (member.lag, member.cut) = (0, None),
            Fault::Partition => self.partition = None,
            Fault::Freeze => {
                if let Some(from) = member.frozen_from.take() {
                    member.clock.freeze(from, time - from);
                    self.plan_deadline(number);
                }
            }
            _ => {}
        }
    }

    /// Nothing is wrong with a member any more.
    pub(super) fn heal_member(&mut self, number: usize) {
        let time = self.time;
        let member = &mut self.members[number];
        member.doom = None;
        member.disk.fail_next_sync = false;
        if member.disk.space.take().is_some() {
            member.tight_until = member.ran(time) + 2_000_000_000;
        }
        self.over(number, Fault::Freeze);
        self.over(number, Fault::Lag);
        self.over(number, Fault::Partition);
        self.members[number].stands_no_longer(time);
        self.wake(number);
    }
}
