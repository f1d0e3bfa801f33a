//! Faults: when each class strikes, what it does, and when it is over.

use super::frames::Cut;
use super::member::{Doom, Member};
use super::{Event, World};
use crate::decisions::address::{Address, Files};
use crate::decisions::decision::Strike;
use crate::disk::{NO_SPACE, OTHER_SHORTAGES};
use crate::draws::{Dice, Stream};
use crate::failing::Failing;
use crate::goals::Fault;
use crate::judge::End;
use crate::scenario::{Every, SECOND, Scenario};
use crate::states::RareState;

/// The classes that strike a member now and then.
const STRIKING: [Fault; 13] = [
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
    Fault::SlowDisk,
    Fault::OpFails,
    Fault::Stuck,
];

/// How many of a thousand crashes of a member of a group are the loss of power of all.
const OUTAGES: u64 = 60;

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
        Fault::SlowDisk => scenario.slow_disks,
        Fault::OpFails => scenario.op_fails,
        Fault::Stuck => scenario.sticks,
        _ => None,
    }
}

/// The stream of a class.
fn stream(fault: Fault) -> Stream {
    match fault {
        Fault::Jump | Fault::Drift | Fault::Freeze => Stream::CLOCK,
        Fault::Full | Fault::SyncFails | Fault::SlowDisk | Fault::OpFails | Fault::Stuck => {
            Stream::SPACE
        }
        Fault::Cut | Fault::Partition | Fault::Lag => Stream::CUT,
        _ => Stream::CRASH,
    }
}

/// For how long the effect of a fault lasts.
pub(super) enum Lasts {
    /// It has no end, or ends by itself.
    NotAtAll,
    /// For so many nanoseconds, after which somebody has to end it.
    For(u64),
}

impl World {
    /// Plans the first strike of each class, where the seed decides.
    pub(super) fn plan_faults(&mut self, member: usize) {
        if self.decisions.are_scripted() {
            return;
        }
        for fault in STRIKING {
            self.plan(member, fault, 1);
        }
    }

    /// Plans what a script has happen at a certain time.
    pub(super) fn plan_script(&mut self) {
        let timed = (0..).zip(self.decisions.all());
        let timed = timed.filter_map(|(number, decision)| match decision.address {
            Address::Time { member, at } => {
                Some((at, member.unwrap_or(0), decision.strike.fault()?, number))
            }
            _ => None,
        });
        for (at, member, fault, ordinal) in timed.collect::<Vec<_>>() {
            let strike = Event::Fault {
                member,
                fault,
                ordinal,
            };
            self.push(at, strike);
        }
        for (client, at) in self.decisions.moments() {
            self.push(at, Event::Act { client });
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
        if self.decisions.are_scripted() {
            self.strike_as_written(ordinal as usize);
            return;
        }
        self.plan(number, fault, ordinal + 1);
        let mut dice = self.fault_dice(number, fault, ordinal << 1 | 1);
        // What a leader does when it is alone is where others have erred.
        let leads = |member: &Member| member.node.as_ref().is_some_and(|n| n.leads().is_some());
        let leader = self.members.iter().position(leads);
        let hunts = self.scenario.hunts;
        let is_hunted = match fault {
            Fault::Cut | Fault::Lag | Fault::SlowDisk | Fault::Stuck | Fault::Freeze => dice.coin(),
            Fault::Power | Fault::Pause => hunts > 0 && dice.permille(hunts),
            _ => false,
        };
        let number = leader.filter(|_| is_hunted).unwrap_or(number);
        if leader == Some(number) || fault == Fault::Partition {
            self.hurry();
            if let Some(leader) = leader {
                for client in &mut self.clients {
                    client.workload.hears_of(leader);
                }
            }
        }
        match fault {
            Fault::Power if self.may_all_lose_power() && dice.permille(OUTAGES) => {
                return self.strike_all_down();
            }
            Fault::Power => return self.strike_down(number, &mut dice),
            Fault::Aimed => return self.strike_aimed(number, &mut dice),
            _ => {}
        }
        if let Some(strike) = self.drawn(number, fault, &mut dice) {
            self.strike(number, &strike);
        }
        if fault == Fault::Freeze && self.scenario.config.lease_reads && dice.coin() {
            // The first word that it hears would tell it that another leads.
            let (hears, speaks) = (false, dice.coin());
            let length = dice.within(500_000_000, 3_000_000_000);
            let deaf = Strike::Cut {
                hears,
                speaks,
                length,
            };
            self.strike(number, &deaf);
        }
    }

    /// The effect of a class on a member this time; `None` if the disk will say it.
    fn drawn(&mut self, number: usize, fault: Fault, dice: &mut Dice) -> Option<Strike> {
        let (members, flaps) = (self.members.len(), self.scenario.flaps);
        let time = self.time;
        let member = &mut self.members[number];
        // A leader that relies on its lease must be able to notice that its clock stood still: it
        // looks whether the wall clock has gone 50 ms further.
        let shortest = if member.config.lease_reads {
            80_000_000
        } else {
            0
        };
        Some(match fault {
            Fault::Pause => Strike::Pause {
                length: dice.exponential(200_000_000).min(2_000_000_000),
            },
            Fault::Freeze => Strike::Freeze {
                length: dice
                    .exponential(500_000_000)
                    .min(3_000_000_000)
                    .max(shortest),
            },
            Fault::Jump => {
                let hour = 3_600_000_000;
                let scale = *dice.pick(&[1_000, 1_000_000, 60_000_000, hour, 48 * hour]);
                let by_us = dice.within(1, scale) as i64;
                let wrong_us = member.clock.wrong_us(time);
                // What was wrong is often set right by whoever sees it.
                let by_us = match dice.below(4) {
                    0 => by_us,
                    1 => -by_us,
                    _ if wrong_us.abs() > 1_000_000 => -wrong_us,
                    _ => by_us,
                };
                Strike::Jump { by_us }
            }
            Fault::Drift => {
                let lease = member.config.lease_reads;
                let most = if lease {
                    900
                } else {
                    *dice.pick(&[200, 20_000, 200_000])
                };
                let ppm = dice.within(0, 2 * most) as i64 - most as i64;
                Strike::Drift { ppm }
            }
            Fault::Full => Strike::Fill {
                space: dice.below(16 << 10),
                // In a group long enough for a leader to be seen that clings to leadership.
                length: dice.within(50_000_000, if members > 1 { 12 } else { 4 } * SECOND),
                code: if dice.coin() {
                    NO_SPACE
                } else {
                    *dice.pick(&OTHER_SHORTAGES)
                },
            },
            Fault::SyncFails => {
                member.disk.fail_next_sync = true;
                self.tell(|| format!("member {number}: {} strikes", fault.key()));
                return None;
            }
            Fault::OpFails => {
                member.failing.push(Failing::draw(dice, members > 1));
                self.tell(|| format!("member {number}: {} strikes", fault.key()));
                return None;
            }
            Fault::Stuck => Strike::Stick {
                files: *dice.pick(&[
                    Files::Logs,
                    Files::EvenLogs,
                    Files::OddLogs,
                    Files::Bases,
                    Files::Names,
                ]),
                by: dice.within(20_000_000, 1_200_000_000),
                length: dice.within(200_000_000, 6 * SECOND),
            },
            Fault::SlowDisk => Strike::Slow {
                by: dice.within(300_000_000, 8 * SECOND),
                length: dice.within(SECOND, 12 * SECOND),
            },
            Fault::Cut => {
                let [hears, speaks] =
                    *dice.pick(&[[false, false], [false, false], [true, false], [false, true]]);
                Strike::Cut {
                    hears,
                    speaks,
                    length: dice.within(50_000_000, 5_000_000_000),
                }
            }
            Fault::Lag => Strike::Lag {
                by: dice.within(100_000_000, 2_000_000_000),
                mute: dice.coin(),
                length: dice.within(300_000_000, 4_000_000_000),
            },
            Fault::Partition => Strike::Part {
                hears: super::frames::partition(members, dice),
                length: dice.within(50_000_000, 6_000_000_000),
                turns: (flaps > 0 && dice.permille(flaps))
                    .then(|| dice.within(50_000_000, 600_000_000)),
            },
            _ => return None,
        })
    }

    /// A line of a script strikes.
    fn strike_as_written(&mut self, line: usize) {
        let decision = &self.decisions.all()[line];
        let Address::Time { member, .. } = decision.address else {
            return;
        };
        let (number, strike) = (member.unwrap_or(0), decision.strike.clone());
        let happens = match &strike {
            Strike::Crash { end, fate } => {
                let up = self.members[number].is_up();
                if up {
                    self.crash(number, *end, None, Some(fate));
                }
                up
            }
            other => self.strike(number, other),
        };
        if happens {
            self.decisions.applied(line);
        }
    }

    /// Lets a fault strike a member, if it can. True if it does.
    pub(super) fn strike(&mut self, number: usize, strike: &Strike) -> bool {
        let time = self.time;
        let Some(fault) = strike.fault() else {
            return false;
        };
        let Some(lasts) = self.effect(number, strike) else {
            return false;
        };
        if fault == Fault::Partition {
            self.tell(|| "the group is parted".to_owned());
        } else {
            self.tell(|| format!("member {number}: {} strikes", fault.key()));
        }
        if let Lasts::For(length) = lasts {
            self.push(
                length,
                Event::Over {
                    member: number,
                    fault,
                },
            );
        }
        let who = (fault != Fault::Partition).then_some(number);
        let address = Address::Time {
            member: who,
            at: time,
        };
        self.record(Some(address), || strike.clone());
        true
    }

    /// Lets a fault have its effect on a member; `None` if it cannot strike now.
    pub(super) fn effect(&mut self, number: usize, strike: &Strike) -> Option<Lasts> {
        let (time, fault) = (self.time, strike.fault()?);
        let parted = self.partition.is_some();
        let members = self.members.len();
        let member = &mut self.members[number];
        let mut lasts = Lasts::NotAtAll;
        match *strike {
            Strike::Pause { length } if member.is_up() => member.stand_still(time, length),
            Strike::Freeze { length } if member.is_up() && member.frozen_from.is_none() => {
                member.stand_still(time, length);
                (member.frozen_from, member.stood_with_its_clock) = (Some(time), true);
                lasts = Lasts::For(length);
            }
            // Together with a jump by as much that would be hidden.
            Strike::Jump { .. } if member.config.lease_reads && member.paused_until > time => {
                return None;
            }
            Strike::Jump { by_us } => {
                member.clock.jump(by_us);
                self.wake(number);
            }
            Strike::Drift { ppm } => {
                member.clock.set_drift(time, ppm);
                self.plan_deadline(number);
            }
            Strike::Fill {
                space,
                length,
                code,
            } => {
                (member.disk.space, member.disk.shortage) = (Some(space), code);
                member.tight_until = u64::MAX;
                lasts = Lasts::For(length);
            }
            Strike::Slow { by, length } if member.disk_lag == 0 => {
                member.disk_lag = by;
                lasts = Lasts::For(length);
            }
            Strike::Stick { files, by, length } if member.stuck.is_none() => {
                member.stuck = Some((files, by));
                lasts = Lasts::For(length);
            }
            Strike::Cut {
                hears,
                speaks,
                length,
            } if member.cut.is_none() => {
                member.cut = Some(Cut { hears, speaks });
                lasts = Lasts::For(length);
            }
            Strike::Lag { by, mute, length } if member.lag == 0 => {
                member.lag = by;
                // Deaf to what comes late, and mute: it takes itself for the leader for as long.
                if mute && member.cut.is_none() {
                    let (hears, speaks) = (true, false);
                    member.cut = Some(Cut { hears, speaks });
                }
                lasts = Lasts::For(length);
            }
            // One at a time, whoever draws it.
            Strike::Part {
                ref hears,
                length,
                turns,
            } if !parted && hears.len() == members => {
                (self.partition, self.flaps) = (Some(hears.clone()), turns);
                lasts = Lasts::For(length);
                if turns.is_some() {
                    self.fired(Fault::Flap);
                }
            }
            Strike::Stop if member.may_be_ended() => {
                member.stopping = true;
                self.wake(number);
            }
            _ => return None,
        }
        // A stop is counted when the process has ended.
        if fault != Fault::Stop {
            self.fired(fault);
        }
        Some(lasts)
    }

    /// Returns true if all members of a group may lose their power at once.
    fn may_all_lose_power(&self) -> bool {
        let [power, ..] = self.scenario.ends;
        self.members.len() > 1 && power > 0
    }

    /// The power fails at all members at once, so that no disk has what another one lacks.
    fn strike_all_down(&mut self) {
        let at = self.time;
        let mut all = true;
        for number in 0..self.members.len() {
            let is_up = self.members[number].may_be_ended();
            if is_up {
                let member = Some(number);
                self.crash(number, End::Power, Some(Address::Time { member, at }), None);
            }
            all &= is_up;
        }
        if all {
            self.judge.goals.met(RareState::Outage);
        }
    }

    /// A member is to end, at once or some boundaries later.
    fn strike_down(&mut self, number: usize, dice: &mut Dice) {
        if !self.members[number].may_be_ended() {
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
                self.strike(number, &Strike::Stop);
            }
            _ if dice.permille(200) => {
                let (member, at) = (Some(number), self.time);
                self.crash(number, end, Some(Address::Time { member, at }), None);
            }
            _ => {
                let boundaries = dice.below(30);
                self.members[number].doom = Some(Doom { end, boundaries });
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
                member.has_room_again(time);
            }
            Fault::SlowDisk => member.disk_lag = 0,
            Fault::Stuck => member.stuck = None,
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
        member.failing.clear();
        if !member.serving {
            // The base of one that serves stays as bad as it is: nothing may hang on it.
            member.bad = None;
        }
        if member.disk.space.take().is_some() {
            member.has_room_again(time);
        }
        self.over(number, Fault::Freeze);
        self.over(number, Fault::Lag);
        self.over(number, Fault::SlowDisk);
        self.over(number, Fault::Stuck);
        self.over(number, Fault::Partition);
        self.goes_on(number);
    }
}
