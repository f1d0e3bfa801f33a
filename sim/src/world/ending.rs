//! The end of a process: what was on its way to the disk, what the power leaves of that, and when
//! the next life begins.

use std::mem;

use seedis::store::Shape;
use seedis::time::Mono;

use super::member::Doom;
use super::{Event, Segment, World};
use crate::decisions::address::Address;
use crate::decisions::decision::{Fate, Strike};
use crate::disk::Profile;
use crate::draws::{Dice, Stream};
use crate::goals::Fault;
use crate::judge::{End, Reasons};

/// The key of the dice of names that wait to be durable, beside those of other crashes.
const NAMES: u64 = 1 << 51;

impl World {
    /// A member ends: its process dies, and with it, or not, what the disk had not made durable.
    pub(super) fn end(&mut self, number: usize, end: End) {
        self.crash(number, end, None, None);
    }

    /// A member ends because that was decided: drawn, for an address, or written down, with its
    /// fate.
    pub(super) fn crash(
        &mut self,
        number: usize,
        end: End,
        drawn: Option<Address>,
        written: Option<&Fate>,
    ) {
        self.look_at_end(number);
        let time = self.time;
        let member = &mut self.members[number];
        let recovering = !member.serving;
        let seed = self.scenario.seed;
        let mut dice = Dice::new(seed, Stream::CRASH, number as u64, member.life);
        let mut profile = *dice.pick(&Profile::ALL);
        // The order of names matters most where one has just taken the place of another.
        let mut names = Dice::new(seed, Stream::CRASH, NAMES | number as u64, member.life);
        if member.disk.has_renamed() && names.coin() {
            profile = Profile::AnySubset;
        }
        // Of what was on its way to the disk, the first operations arrive.
        let jobs = mem::take(&mut member.jobs);
        let mut done = dice.below(jobs.len() as u64 + 1) as usize;
        if let Some(fate) = written {
            (profile, done) = (fate.profile, fate.arrive);
        }
        for job in jobs.into_values().take(done) {
            let _ = self.perform_op(number, job.op, job.address);
        }
        let member = &mut self.members[number];
        if let Some(fate) = written {
            member.disk.set_dice(fate.dice);
        }
        let disk_dice = member.disk.dice();
        if end == End::Power {
            member.unsynced.clear();
            member.disk.crash(profile);
            member.clock.reboot(time, dice.below(1 << 40));
            member.told = Mono(0);
        }
        member.keep_deciding();
        member.node = None;
        member.life += 1;
        member.reasons = Reasons::default();
        (member.shape, member.changing) = (Shape::default(), false);
        member.busy.clear();
        member.outcomes.clear();
        member.news.clear();
        member.greeted.clear();
        member.frames.clear();
        member.arrivals.clear();
        member.stirred.clear();
        member.writable.clear();
        member.held.clear();
        (member.due, member.deadline) = (false, None);
        member.deadline_version += 1;
        (member.turn_planned, member.mid_turn) = (false, false);
        let age = member.age(time);
        member.hangs_no_longer(time);
        member.stands_no_longer(time);
        member.barrier = 0;
        (member.doom, member.frozen_from) = (None, None);
        member.stood_with_its_clock = false;
        (member.stopping, member.serving) = (false, false);
        (member.sync_failed, member.may_end) = (false, false);
        (member.waits_unsynced, member.was_told, member.hears_leader) = (None, None, None);
        member.asked_beside.clear();
        (member.is_rewriting, member.rewrite_failed) = (false, false);
        member.told_to_stop = None;
        let life = member.life;
        self.fired(match end {
            End::Power => Fault::Power,
            End::Process => Fault::Kill,
            End::Stop => Fault::Stop,
        });
        if recovering {
            self.fired(Fault::DuringRecovery);
        }
        self.tell(|| format!("member {number} ends: {end:?}, {profile:?}"));
        self.judge.lost(number, end, age);
        let of_member = |c: &super::links::Connection| c.member == number && c.life + 1 == life;
        let conns = self.connections.iter().filter(|(_, c)| of_member(c));
        let conns: Vec<u64> = conns.map(|(conn, _)| *conn).collect();
        for conn in conns {
            self.send(conn, false, Segment::Reset);
        }
        let flips = !self.healed && dice.permille(self.scenario.flips);
        if flips && !self.decisions.are_scripted() {
            // By dice of its own: a script, which draws none of it, must come back at the same
            // time.
            let mut own = self.dice(Stream::CRASH, 1 << 32 | number as u64, life);
            self.flip(number, &mut own);
        }
        let down = Address::Down {
            member: number,
            life: life - 1,
        };
        self.keep_copy(number, life - 1);
        for strike in self.decisions.strikes(Some(&down), |_| true) {
            match strike {
                Strike::Flip { file, at, bit } => self.flip_bit(number, file, at, bit),
                Strike::Damage { file, at, harm } => self.damage(number, file, at, harm),
                Strike::Wipe => self.wipe(number),
                Strike::Rewind { life } => self.rewind(number, life),
                _ => false,
            };
        }
        self.harm_disk(number);
        let drawn_after = dice.exponential(300_000_000);
        let after = written.map_or(drawn_after, |fate| fate.back);
        self.push(after, Event::Start { member: number });
        self.record(drawn, || Strike::Crash {
            end,
            fate: Fate {
                profile,
                dice: disk_dice,
                arrive: done,
                back: after,
            },
        });
        // Now and then the next crash comes while it recovers.
        let recurs = dice.permille(250) && !self.healed;
        if recurs && !self.decisions.are_scripted() {
            let boundaries = dice.below(20);
            self.members[number].doom = Some(Doom { end, boundaries });
        }
    }
}
