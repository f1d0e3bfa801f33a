//! Disk operations on their way: in order on each file, in any order between files, late or at
//! once.

use seedis::disk::{DiskDone, DiskError, DiskOp, FileKind, FileName};
use seedis::ids::Ticket;

use super::settling::CALM;
use super::{Event, World};
use crate::decisions::address::{Address, Deed, Part, Verb};
use crate::decisions::decision::Strike;
use crate::draws::Stream;
use crate::goals::Fault;
use crate::scenario::SECOND;
use crate::states::RareState;

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) ticket: Ticket,
    pub(super) op: DiskOp,
    /// Which operation it is, where operations are named.
    pub(super) address: Option<Address>,
    /// For how long the disk stands still in it, in nanoseconds.
    stalls: u64,
    /// The member's term when it was asked for; 0 where it had none.
    term: u64,
    /// When it was asked for, and how long the process had stood still by then, in nanoseconds.
    pub(super) asked: u64,
    pub(super) stood: u64,
}

impl Job {
    /// Returns true if it is to make the log durable.
    pub(super) fn is_log_sync(&self) -> bool {
        self.synced_log().is_some()
    }

    /// The file of the log that it is to make durable.
    pub(super) fn synced_log(&self) -> Option<FileName> {
        match &self.op {
            DiskOp::Sync { file } if file.kind() == FileKind::Log => Some(*file),
            _ => None,
        }
    }

    /// Returns true if it writes to this file.
    pub(super) fn writes_to(&self, file: FileName) -> bool {
        let is_write = matches!(
            &self.op,
            DiskOp::WriteAt { .. } | DiskOp::WriteShared { .. }
        );
        is_write && file_of(&self.op) == Some(file)
    }

    /// Returns true if it is one of those that put another base in force.
    pub(super) fn is_of_a_switch(&self) -> bool {
        let is_of_the_log = |file: FileName| file.kind() == FileKind::Log;
        !file_of(&self.op).is_some_and(is_of_the_log)
    }
}

/// The file that an operation is about; nothing where it is about the directory.
fn file_of(op: &DiskOp) -> Option<FileName> {
    match op {
        DiskOp::WriteAt { file, .. }
        | DiskOp::WriteShared { file, .. }
        | DiskOp::Sync { file }
        | DiskOp::Read { file, .. }
        | DiskOp::Truncate { file, .. } => Some(*file),
        DiskOp::Create { .. }
        | DiskOp::Rename { .. }
        | DiskOp::Remove { .. }
        | DiskOp::SyncDir
        | DiskOp::List => None,
    }
}

/// By how much a script lets an operation stall.
fn stall_of(strikes: Vec<Strike>) -> Option<u64> {
    strikes.into_iter().find_map(|strike| match strike {
        Strike::Stall { by } => Some(by),
        _ => None,
    })
}

/// A piece of a base is written.
const BASE: Deed = Deed {
    verb: Verb::Write,
    part: Part::NewBase,
};
/// How long after a failure writes may be refused, in nanoseconds.
const TIGHT_NS: u64 = 5_000_000_000;

impl World {
    /// A node wants something of its disk. True if it was done on the spot and its outcome waits.
    pub(super) fn disk_asked(&mut self, number: usize, ticket: Ticket, op: DiskOp) -> bool {
        let time = self.time;
        let member = &mut self.members[number];
        member.last_job += 1;
        let job = member.last_job;
        let key = (number as u64) << 56 | member.life << 32;
        let address = self.decisions.deed(number, member.life, Deed::of(&op));
        let mut dice = crate::draws::Dice::new(self.scenario.seed, Stream::DISK, key, job);
        // A thread of its own makes it, as it makes syncs.
        let is_shared = matches!(op, DiskOp::WriteShared { .. });
        let is_sync = matches!(op, DiskOp::Sync { .. } | DiskOp::SyncDir);
        let file = file_of(&op);
        let after = match file {
            Some(file) => member
                .busy
                .get(&file)
                .copied()
                .unwrap_or_default()
                .max(member.barrier),
            // What changes the directory comes behind all before it and before all behind it.
            None => member
                .busy
                .values()
                .copied()
                .max()
                .unwrap_or_default()
                .max(member.barrier),
        };
        let stuck = member.stuck.filter(|(files, _)| files.hold(&op));
        // An operation that waits behind another one has waited with it.
        let is_first = after <= time && !self.healed;
        let stuck = stuck.map_or(0, |(_, by)| if is_first { by } else { 0 });
        let is_base = Deed::of(&op) == BASE && self.scenario.base_latency > 0 && !self.healed;
        let is_inline = !is_sync && !is_shared && stuck == 0 && !is_base;
        if self.scenario.inline_disk && is_inline && after <= time && !dice.permille(20) {
            let outcome = self.perform_op(number, op, address);
            self.members[number].outcomes.push((ticket, outcome));
            return true;
        }
        let slow = is_sync && self.scenario.sync_latency > 0 && !self.healed;
        let mean = if slow {
            self.scenario.sync_latency
        } else if is_base {
            // Eight times as long as it is to take.
            8 * self.scenario.base_latency
        } else {
            self.scenario.disk_latency
        };
        let mut takes = dice.exponential(mean);
        if self.decisions.are_steady() {
            takes = mean;
        }
        if !is_sync {
            takes /= 8;
        }
        let lag = if is_sync && !self.healed {
            member.disk_lag + stuck
        } else {
            stuck
        };
        takes += lag;
        let drawn = dice.below(10_000) < self.scenario.stalls;
        let stall = if self.healed {
            None
        } else if self.decisions.are_scripted() {
            stall_of(self.decisions.strikes(address.as_ref(), Strike::stalls))
        } else {
            drawn.then(|| dice.within(100_000_000, 500_000_000))
        };
        takes += stall.unwrap_or_default();
        let at = after.max(time) + takes + 1;
        match file {
            Some(file) => {
                member.busy.insert(file, at);
            }
            None => member.barrier = at,
        }
        let named = address.clone();
        let job_here = Job {
            ticket,
            op,
            address,
            stalls: stall.unwrap_or_default() + stuck,
            term: member.term(),
            asked: time,
            stood: member.stood,
        };
        if (lag > 0 || after > time) && member.is_tight(time) {
            // Where each sync takes seconds there is room again when those for room are made, and
            // a write that is tried again waits behind them.
            let until = member.ran(time) + (at - time) + TIGHT_NS;
            member.tight_until = member.tight_until.max(until);
        }
        if at - time > SECOND && at > self.scenario.duration {
            // What waits for it goes on only then.
            self.awaits(at - time + CALM);
        }
        let member = &mut self.members[number];
        // It hangs as well where it waits behind another operation, which may have been slow.
        if (lag > 0 || after > time) && job_here.is_log_sync() {
            member.hangs_since.get_or_insert(time);
        }
        member.jobs.insert(job, job_here);
        let life = member.life;
        if let Some(by) = stall {
            self.fired(Fault::Stall);
            self.record(named, || Strike::Stall { by });
        }
        self.push(
            at - time,
            Event::Disk {
                member: number,
                life,
                job,
            },
        );
        false
    }

    /// Performs an operation, and keeps in mind which files hold what no sync has covered.
    pub(super) fn perform_op(
        &mut self,
        number: usize,
        op: DiskOp,
        address: Option<Address>,
    ) -> Result<DiskDone, DiskError> {
        self.arm_sync(number, &op, address.as_ref());
        let failed = self.fails(number, &op, address.as_ref());
        let member = &mut self.members[number];
        let dice = member.disk.dice();
        match &op {
            DiskOp::WriteAt { file, .. } | DiskOp::WriteShared { file, .. } => {
                member.unsynced.insert(*file);
            }
            _ if failed.is_some() => {}
            DiskOp::Create { file, .. } => {
                member.unsynced.remove(file);
                member.bad.take_if(|bad| bad == file);
            }
            DiskOp::Rename { from, to } => {
                let moved = member.unsynced.remove(from);
                member.unsynced.remove(to);
                member.unsynced.extend(moved.then_some(*to));
                member.bad.take_if(|bad| bad == to);
            }
            DiskOp::Remove { file } => {
                member.bad.take_if(|bad| bad == file);
            }
            _ => {}
        }
        let has_failed = failed.is_some();
        let sync = matches!(op, DiskOp::Sync { .. }).then(|| op.clone());
        let removed = match &op {
            DiskOp::Remove { file } => Some(*file),
            _ => None,
        };
        let switches = matches!(&op, DiskOp::Rename { to, .. } if *to == FileName::MANIFEST);
        let outcome = failed.map_or_else(|| member.disk.perform(op), Err);
        member.note_removal(removed, &outcome);
        if let Err(error) = &outcome {
            member.reasons.note(error.words());
        }
        let is_sync = sync.is_some() && !matches!(outcome, Err(DiskError::NotFound));
        if has_failed || is_sync && outcome.is_err() {
            // A node that cannot prepare a file for its log may take the disk for a full one.
            let until = member.ran(self.time).saturating_add(TIGHT_NS);
            member.tight_until = member.tight_until.max(until);
        }
        if switches && outcome.is_ok() {
            self.look_at_switch(number);
        }
        if let Some(sync) = sync {
            self.sync_has_ended(number, &sync, dice, address, &outcome);
        }
        outcome
    }

    /// The disk has come to an operation.
    pub(super) fn disk_done(&mut self, number: usize, life: u64, job: u64) {
        let member = &mut self.members[number];
        if member.life != life {
            return;
        }
        let Some(Job {
            ticket,
            op,
            address,
            stalls,
            term,
            asked,
            ..
        }) = member.jobs.remove(&job)
        else {
            return;
        };
        if matches!(op, DiskOp::Sync { .. }) {
            member.longest_sync = member.longest_sync.max(self.time - asked);
        }
        if term > 0 && member.term() > term && file_of(&op).is_some() {
            self.judge.goals.met(RareState::HandOver);
        }
        let member = &mut self.members[number];
        // A sync waits behind all that is written before it, and a large value is written in many
        // pieces.
        if member.hangs_since.is_none() {
            member.hung += stalls;
        }
        if !member.jobs.values().any(Job::is_log_sync) {
            member.hangs_no_longer(self.time);
        }
        let outcome = self.perform_op(number, op, address);
        self.members[number].outcomes.push((ticket, outcome));
        self.wake(number);
    }

    /// Puts what the disk has done into the digest.
    pub(super) fn digest_outcome(&mut self, ticket: Ticket, outcome: &Result<DiskDone, DiskError>) {
        self.digest.word(ticket.0);
        match outcome {
            Ok(DiskDone::Done) => self.digest.word(1),
            Ok(DiskDone::Written { bytes }) => self.digest.word(bytes.len() as u64),
            Ok(DiskDone::Read { bytes }) => self.digest.bytes(bytes),
            Ok(DiskDone::Listed { files }) => self.digest.word(files.len() as u64),
            Err(_) => self.digest.word(2),
        }
    }

    /// Puts what a node asks of its disk into the digest.
    pub(super) fn digest_op(&mut self, ticket: Ticket, op: &DiskOp) {
        self.digest.word(ticket.0);
        match op {
            DiskOp::WriteAt { offset, bytes, .. } => {
                self.digest.word(*offset);
                self.digest.bytes(bytes);
            }
            DiskOp::WriteShared { offset, bytes, .. } => {
                self.digest.word(*offset);
                self.digest.bytes(bytes);
            }
            DiskOp::Create { size, .. } => self.digest.word(*size),
            DiskOp::Read { offset, len, .. } => self.digest.word(offset << 32 ^ u64::from(*len)),
            DiskOp::Truncate { len, .. } => self.digest.word(*len),
            DiskOp::Sync { .. } => self.digest.word(3),
            DiskOp::Rename { .. } => self.digest.word(4),
            DiskOp::Remove { .. } => self.digest.word(5),
            DiskOp::SyncDir => self.digest.word(6),
            DiskOp::List => self.digest.word(7),
        }
    }
}

/// A disk operation for people.
pub(super) fn summary(op: &DiskOp) -> String {
    match op {
        DiskOp::WriteAt {
            file,
            offset,
            bytes,
        } => {
            format!("write {file} at {offset}, {} bytes", bytes.len())
        }
        DiskOp::WriteShared {
            file,
            offset,
            bytes,
        } => {
            format!("write {file} at {offset}, a piece of {} bytes", bytes.len())
        }
        DiskOp::Create { file, size } => format!("create {file} of {size} bytes"),
        DiskOp::Sync { file } => format!("sync {file}"),
        DiskOp::Read { file, offset, len } => format!("read {file} at {offset}, {len} bytes"),
        DiskOp::Truncate { file, len } => format!("truncate {file} to {len} bytes"),
        DiskOp::Rename { from, to } => format!("rename {from} to {to}"),
        DiskOp::Remove { file } => format!("remove {file}"),
        DiskOp::SyncDir => "sync the directory".to_owned(),
        DiskOp::List => "list".to_owned(),
    }
}
