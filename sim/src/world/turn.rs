//! A member's turn: what is ready is handled, then one flush, then its effects; a crash between any
//! two.

use seedis::disk::DiskError;
use seedis::node::Phase;
use seedis::node::effect::{Effect, Effects, Note};
use seedis::node::input::Input;
use seedis::node::witness::Witnessed;

use super::disk_jobs::summary;
use super::member::{News, serves_as_leader};
use super::{Event, World};
use crate::decisions::address::{Plain, Point};
use crate::draws::{Dice, Stream};
use crate::goals::{Fault, Goal};
use crate::judge::invariant::{Id, Verdict, Violation};
use crate::judge::{Circumstances, End};

/// Of so many turns of a member one is looked at more closely.
const CHECKPOINT_TURNS: u64 = 8;

/// True while a member still lives after a boundary.
pub(super) type Alive = Result<bool, Violation>;

impl World {
    /// A member has something to do: its next turn comes soon.
    pub(super) fn wake(&mut self, number: usize) {
        self.wakes(number);
        let member = &mut self.members[number];
        if member.turn_planned || !member.is_up() {
            return;
        }
        member.turn_planned = true;
        let (life, turns) = (member.life, member.turns);
        let after = 500 + crate::draws::mixed(self.scenario.seed ^ turns) % 40_000;
        self.push(
            after,
            Event::Turn {
                member: number,
                life,
            },
        );
    }

    /// A member's deadline has passed, if it is still the one.
    pub(super) fn deadline(&mut self, number: usize, life: u64, version: u64) {
        let member = &mut self.members[number];
        if member.life == life && member.deadline_version == version {
            (member.due, member.deadline) = (true, None);
            self.wake(number);
        }
    }

    /// Asks the node when it wants to be woken, and plans that.
    pub(super) fn plan_deadline(&mut self, number: usize) {
        let time = self.time;
        let member = &mut self.members[number];
        let Some(node) = &member.node else {
            return;
        };
        let wanted = node
            .deadline()
            .map(|deadline| member.clock.when(deadline.at, time));
        if wanted == member.deadline || member.due {
            return;
        }
        member.deadline = wanted;
        member.deadline_version += 1;
        let (life, version) = (member.life, member.deadline_version);
        if let Some(at) = wanted {
            // Work that is left over costs a microsecond at least, or time would stand still.
            let after = at.saturating_sub(time).max(1000);
            self.push(
                after,
                Event::Deadline {
                    member: number,
                    life,
                    version,
                },
            );
        }
    }

    /// Tells a node something, and the judge what came of it.
    pub(super) fn inform(&mut self, number: usize, input: Input<'_>) -> Alive {
        let now = self.members[number].looks_at_its_clock(self.time);
        self.client_is_heard(&input, now);
        let Some(node) = &mut self.members[number].node else {
            return Ok(false);
        };
        let names = self.decisions.are_named();
        let point = names.then(|| Point::behind_input(&input));
        node.handle(now, input);
        self.listen(number, Heard::Handled)?;
        Ok(self.boundary(number, || point.unwrap_or(Point::Known)))
    }

    /// Hands what a node has witnessed to the judge.
    fn listen(&mut self, number: usize, heard: Heard) -> Verdict {
        if self.black_box {
            self.does_not_listen(number);
            return Ok(());
        }
        let member = &mut self.members[number];
        let (age, tight) = (member.age(self.time), member.is_tight(self.time));
        let Some(node) = &mut member.node else {
            return Ok(());
        };
        let mut records = node.witness();
        let phase = node.phase();
        let leads = serves_as_leader(node);
        let led_before = std::mem::replace(&mut member.led, leads);
        self.judge.stands_midway(number, node.is_mid_command());
        self.judge
            .follows(number, node.raft(), (led_before, leads), self.time);
        // One that has come just now has time to be heard of.
        let membership = node.membership().filter(|_| leads);
        let company = || {
            let members = membership.into_iter().flat_map(|all| all.members());
            members.map(|one| (one.id, one.incarnation))
        };
        if !led_before || !company().eq(member.company.iter().copied()) {
            member.company = company().collect();
            member.led_from = member.passed(self.time);
        }
        let around = Circumstances {
            time: self.time,
            now: member.clock.read(self.time),
            age,
            serving: phase == Phase::Serving,
            leads: leads || led_before,
            hears: member.hears(self.time),
            loading: false,
            tight,
            reasons: member.reasons,
            memory: crate::judge::Refusal::default(),
        };
        self.judge.told_time(number, around.now);
        let most = member.config.memory_max as usize;
        if let Some(node) = member.node.as_ref().filter(|_| most > 0) {
            let at = self.judge.stamp(number);
            let account = super::evicting::account(node, (member.config.memory_policy, most), at);
            self.judge.uses_memory(number, account);
        }
        for record in &records {
            if let Witnessed::Raises { version } = record {
                self.check_raise(number, *version)?;
            }
        }
        if tight {
            self.judge.is_tight(number);
        }
        if self.trace {
            for record in &records {
                crate::report::line(&format!("        witness {record:?}"));
            }
        }
        self.watch.note_answers(&self.seen, number, &records);
        let member = &self.members[number];
        if member.serving && phase == Phase::Recovering && self.members.len() > 1 {
            // Another member's state takes the place of its own.
            self.members[number].serving = false;
            self.agreement.forgets(number);
        }
        let member = &mut self.members[number];
        if member.serving || phase != Phase::Serving {
            if records.is_empty() {
                return Ok(());
            }
            self.judge.witnessed(number, records, around)?;
            return match &self.members[number].node {
                // In the middle of a command the state is none that anybody may see.
                Some(node) if !node.is_mid_command() => {
                    self.judge.check_spoilt(number, node.store())
                }
                _ => Ok(()),
            };
        }
        // It has begun to serve: how far it has recovered is known when it has flushed.
        member.held.append(&mut records);
        let Heard::Flushed { recovered } = heard else {
            return Ok(());
        };
        member.serving = true;
        let mut before = std::mem::take(&mut member.held);
        // What is answered behind the first entry is answered by a node that serves; an EXEC that
        // came early may bring entries of its own with it.
        let entry = |record: &Witnessed| match record {
            Witnessed::Entry { index, .. } => Some(index.0),
            _ => None,
        };
        let first = before.iter().position(|record| entry(record).is_some());
        let answers = before
            .iter()
            .skip(first.unwrap_or(0))
            .position(|record| matches!(record, Witnessed::Answered { .. }));
        let from = answers.map_or(before.len(), |at| at + first.unwrap_or(0));
        let after = before.split_off(from);
        let plain = after.is_empty();
        let recovered = if after.iter().any(|record| entry(record).is_some()) {
            before.iter().rev().find_map(entry)
        } else {
            recovered
        };
        self.judge.witnessed(number, before, around)?;
        self.judge.serves(number, recovered)?;
        self.members[number].flipped = None;
        self.tell(|| format!("member {number} serves, recovered up to {recovered:?}"));
        if plain {
            self.audit(number, true)?;
        }
        self.judge.witnessed(number, after, around)
    }

    /// Returns true in some of a member's turns: what lasts, once it is wrong, is looked at then.
    pub(super) fn is_checkpoint(&self, number: usize) -> bool {
        self.members[number].turns.is_multiple_of(CHECKPOINT_TURNS)
    }

    pub(super) fn audit(&mut self, number: usize, recovered: bool) -> Verdict {
        match &self.members[number].node {
            Some(node) if !node.is_mid_command() => {
                self.judge.audit(number, node.store(), recovered)
            }
            _ => Ok(()),
        }
    }

    /// A turn.
    pub(super) fn turn(&mut self, number: usize, life: u64) -> Verdict {
        let member = &mut self.members[number];
        if member.life != life || !member.is_up() || !member.turn_planned {
            return Ok(());
        }
        let member = number;
        if self.must_wait(number, Event::Turn { member, life }) {
            return Ok(());
        }
        let member = &mut self.members[number];
        member.turn_planned = false;
        if member.mid_turn {
            return Ok(());
        }
        member.turns += 1;
        let turns = member.turns;
        if !self.begins_turn(number) {
            return Ok(());
        }
        self.looks_inside(|world| world.check_synced(number))?;
        let mut dice = self.dice(Stream::TURN, number as u64, turns);
        let disk_first = dice.coin();
        if disk_first && !self.tell_outcomes(number)? {
            return Ok(());
        }
        if !self.read_all(number, &mut dice)? || !self.tell_outcomes(number)? {
            return Ok(());
        }
        if std::mem::take(&mut self.members[number].due) && !self.inform(number, Input::Timer)? {
            return Ok(());
        }
        if std::mem::take(&mut self.members[number].stopping) {
            self.members[number].is_told_to_stop(self.time);
            if !self.inform(number, Input::Stop)? {
                return Ok(());
            }
        }
        if self.stands_mid_turn(number, &mut dice) {
            return Ok(());
        }
        self.flush(number, &mut dice)
    }

    /// Returns true if a process still stands still where it was to go on: the event comes again
    /// when it does.
    fn must_wait(&mut self, number: usize, event: Event) -> bool {
        let member = &self.members[number];
        if self.time < member.paused_until {
            self.push(member.paused_until - self.time, event);
            return true;
        }
        if member.frozen_from.is_some() {
            // Its clock goes on from where it stood before anybody looks at it.
            self.over(number, Fault::Freeze);
        }
        false
    }

    /// A process goes on now, whatever was planned for when it would.
    pub(super) fn goes_on(&mut self, number: usize) {
        let member = &mut self.members[number];
        if self.time < member.paused_until {
            member.turn_planned = false;
        }
        member.stands_no_longer(self.time);
        let (life, member) = (member.life, number);
        if self.members[number].mid_turn {
            self.push(0, Event::Flush { member, life });
        }
        self.wake(number);
    }

    /// The end of a turn in the middle of which the process stood still.
    pub(super) fn late_flush(&mut self, number: usize, life: u64) -> Verdict {
        let member = &self.members[number];
        if member.life != life || !member.mid_turn {
            return Ok(());
        }
        let member = number;
        if self.must_wait(number, Event::Flush { member, life }) {
            return Ok(());
        }
        let member = &mut self.members[number];
        member.mid_turn = false;
        let turns = member.turns;
        let mut dice = self.dice(Stream::TURN, number as u64 | 1 << 32, turns);
        self.wake(number);
        self.flush(number, &mut dice)
    }

    fn tell_outcomes(&mut self, number: usize) -> Alive {
        for (ticket, outcome) in std::mem::take(&mut self.members[number].outcomes) {
            self.digest_outcome(ticket, &outcome);
            self.tell(|| {
                let how = match &outcome {
                    Ok(_) => "done".to_owned(),
                    Err(DiskError::NoSpace { .. }) => "no space".to_owned(),
                    Err(error) => format!("{error:?}"),
                };
                format!("member {number} {ticket}: {how}")
            });
            if self.members[number].sync_failed && outcome.is_err() {
                self.judge.sync_failed(number);
            }
            if !self.inform(number, Input::Disk { ticket, outcome })? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends a turn, and performs its effects.
    fn flush(&mut self, number: usize, dice: &mut Dice) -> Verdict {
        for left in (0..64).rev() {
            let now = self.members[number].looks_at_its_clock(self.time);
            let mut effects = Effects::new();
            let Some(node) = &mut self.members[number].node else {
                return Ok(());
            };
            node.flush(now, &mut effects);
            self.members[number].stood_with_its_clock = false;
            let recovered = effects.iter().find_map(|effect| match effect {
                Effect::Note(note) => match **note {
                    Note::Recovered { index, .. } => Some(index.0),
                    _ => None,
                },
                _ => None,
            });
            let notes = effects.iter().filter_map(|effect| match effect {
                Effect::Note(note) => Some(&**note),
                _ => None,
            });
            let mut transferred = false;
            // Only an older copy of a disk, which scripts alone put back, makes logs differ.
            let may_differ = self.members.iter().any(|one| !one.copies.is_empty());
            for note in notes {
                self.look_at_note(number, note);
                match note {
                    Note::Contradicted(_) | Note::Contradicting { .. } if !may_differ => {
                        let text = format!("member {number} says: {note}");
                        self.sees(Err(Violation::new(Id::R3, text)))?;
                    }
                    Note::Damage(_) => self.judge.damage_noted(number),
                    Note::SnapshotInstalled { .. } => self.judge.reached(Goal::Installed),
                    Note::Repaired { .. } => self.judge.reached(Goal::Repaired),
                    Note::RewriteBegun { .. } => self.members[number].begins_base(),
                    Note::RewriteDone { .. } => self.ends_base(number, true),
                    Note::RewriteFailed { .. } => self.ends_base(number, false),
                    Note::Transferring { .. } => {
                        self.judge.reached(Goal::Strained);
                        transferred = true;
                    }
                    _ => {}
                }
            }
            if transferred {
                self.has_transferred(number);
            }
            self.listen(number, Heard::Flushed { recovered })?;
            let verdict = self.check_member(number);
            self.sees(verdict)?;
            self.looks_inside(|world| world.check_room(number))?;
            self.looks_inside(|world| world.check_stop(number))?;
            if !self.boundary(number, || Point::Plain(Plain::Flushed)) {
                return Ok(());
            }
            let stopped = effects
                .iter()
                .any(|effect| matches!(effect, Effect::Stopped { .. }));
            if self.members[number].sync_failed && !stopped {
                let told = self.members[number].outcomes.is_empty();
                if told {
                    let text =
                        "a sync of the log, or a write to it, has failed, and the node goes on";
                    self.sees(Err(Violation::new(Id::A8, text)))?;
                }
            }
            let mut again = false;
            for effect in effects {
                let names = self.decisions.are_named();
                let point = names.then(|| Point::behind_effect(&effect));
                match self.perform(number, effect)? {
                    Performed::Gone => return Ok(()),
                    Performed::Done => {}
                    Performed::Again => again = true,
                }
                if !self.boundary(number, || point.unwrap_or(Point::Known)) {
                    return Ok(());
                }
            }
            // What is told is flushed: outcomes that come too late for that are the next turn's.
            if !again || left == 0 {
                break;
            }
            if !self.tell_outcomes(number)? {
                return Ok(());
            }
        }
        if let Some(node) = self.members[number]
            .node
            .as_ref()
            .filter(|_| !self.black_box)
        {
            if self.is_checkpoint(number) {
                node.check_clients()
                    .map_err(|text| Violation::new(Id::S9, format!("member {number}: {text}")))?;
            }
            if !node.is_mid_command() {
                self.judge.look_at_watches(number, node.store());
            }
            self.check_rules(number)?;
            self.look_at_syncs(number);
        }
        self.looks_inside(|world| world.check_leading(number))?;
        self.looks_inside(|world| world.check_relations(number))?;
        self.look_at_shape(number);
        self.look_at_standing(number);
        self.look_at_changes(number);
        self.look_at_backlog(number);
        let audits = dice.permille(self.scenario.audits) && !self.black_box;
        if audits && self.members[number].serving {
            self.audit(number, false)?;
            self.check_files(number)?;
            self.check_bounds(number)?;
        }
        self.plan_deadline(number);
        let member = &self.members[number];
        if !member.stirred.is_empty() || !member.outcomes.is_empty() {
            self.wake(number);
        }
        Ok(())
    }

    fn perform(&mut self, number: usize, effect: Effect) -> Result<Performed, Violation> {
        let alive = |alive: bool, then: Performed| if alive { then } else { Performed::Gone };
        match effect {
            Effect::Send { conn } => {
                let blocked = self.connections.get(&conn.0).is_some_and(|c| c.blocked);
                if !blocked {
                    return Ok(alive(self.write(number, conn.0)?, Performed::Done));
                }
            }
            Effect::Close { conn, linger } => {
                let time = self.time;
                if !linger {
                    let dropped = self.may_be_dropped(number, conn.0);
                    if dropped {
                        self.judge.drops(conn.0);
                    }
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        connection.dropped = dropped;
                    }
                    return Ok(alive(self.shut(number, conn.0)?, Performed::Done));
                }
                if let Some(connection) = self.connections.get_mut(&conn.0) {
                    connection.closing = true;
                    connection.lingers_since.get_or_insert(time);
                    if !connection.blocked {
                        return Ok(alive(self.write(number, conn.0)?, Performed::Done));
                    }
                }
            }
            Effect::Resume { conn } => {
                self.members[number].stirred.insert(conn.0);
            }
            Effect::Disk { ticket, op } => {
                self.digest_op(ticket, &op);
                self.tell(|| format!("member {number} {ticket}: {}", summary(&op)));
                if self.disk_asked(number, ticket, op) {
                    return Ok(Performed::Again);
                }
            }
            Effect::Note(note) => self.tell(|| format!("member {number}: {note}")),
            Effect::Stopped { failure } => return self.stopped(number, failure.map(|f| *f)),
            Effect::Message { to, frame, .. } => self.send_frame(number, to, *frame)?,
            told @ Effect::Tell { .. } => self.tell_subscribers(number, told),
            Effect::Configuration { number: wish, .. } => {
                let (life, member) = (self.members[number].life, number as u64);
                let fails = self
                    .dice(Stream::CONFIGURATION, member << 32 | life, wish)
                    .permille(300);
                let news = News::Configuration { wish, fails };
                self.members[number].news.push(news);
                self.wake(number);
            }
            Effect::LogLevel(_) | Effect::ScriptLine(_) => {}
        }
        Ok(Performed::Done)
    }

    /// The node has stopped by itself.
    fn stopped(&mut self, number: usize, failure: Option<String>) -> Result<Performed, Violation> {
        let member = &self.members[number];
        let tight = member.is_tight(self.time);
        // One that has cut what was damaged, and ends for want of room, goes on from there.
        let has_cut = tight && self.judge.is_damage_noted(number);
        match failure {
            None => self.end(number, End::Stop),
            Some(failure) if member.may_end && member.reasons.are_told(&failure) => {
                self.judge.reached(Goal::Stopped);
                // Somebody has looked at the disk.
                self.members[number].bad = None;
                self.end(number, End::Process);
            }
            Some(_) if member.flipped.is_some() && !member.serving && !has_cut => {
                self.judge.reached(Goal::Refused);
                self.end(number, End::Process);
                self.repair(number);
            }
            // Its manifest names it alone, and what it has lost is who came later.
            Some(_) if member.is_harmed() && self.scenario.founders == 1 => {
                self.judge.reached(Goal::Refused);
                self.end(number, End::Process);
                self.mend(number);
            }
            Some(failure) if self.is_outdated(number, &failure) => {
                self.judge.reached(Goal::Outdated);
                self.tell(|| format!("member {number} stops: {failure}"));
                self.end(number, End::Process);
            }
            // It was told to stop, and waits no longer for room: all that was answered is looked
            // for in its next life.
            Some(failure) if tight && member.gives_up_stopping(&failure) => {
                self.judge.reached(Goal::Stopped);
                self.end(number, End::Process);
            }
            // What is short for a while is waited for.
            Some(failure) if tight && failure.starts_with("a write to the log failed") => {
                let text = format!("member {number} stopped for want of room: {failure}");
                self.sees(Err(Violation::new(Id::A9, text)))?;
                self.end(number, End::Process);
            }
            Some(_) if tight && !member.serving => {
                self.judge.reached(Goal::Stopped);
                self.end(number, End::Process);
            }
            Some(failure) => {
                // No fault that is allowed makes a node unable to go on.
                let id = match failure.split(' ').next().unwrap_or_default() {
                    _ if member.serving => Id::A1,
                    name if name.starts_with("base-") || failure.contains("manifest") => Id::A7,
                    _ if failure.contains("the log is damaged") => self.judge.refuses(number),
                    _ => Id::A2,
                };
                let text = format!("member {number} stopped: {failure}");
                self.sees(Err(Violation::new(id, text)))?;
                self.end(number, End::Process);
            }
        }
        Ok(Performed::Gone)
    }
}

/// After what the node is listened to.
#[derive(Clone, Copy, Debug)]
enum Heard {
    Handled,
    /// With the entry up to which it has recovered, if it has just said so.
    Flushed {
        recovered: Option<u64>,
    },
}

/// The outcome of an effect.
enum Performed {
    Done,
    /// The node was told something: there is to be another flush.
    Again,
    /// The member has ended.
    Gone,
}
