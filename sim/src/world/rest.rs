//! A11, A12, L10, L11: what a node has left when it has done its work, and that it rests then.

use seedis::disk::{DiskDone, DiskError, FileKind, FileName};
use seedis::node::config::Fsync;
use seedis::node::{Node, Phase, named_in};
use seedis::raft::Raft;

use super::member::Member;
use super::owed::Rest;
use super::{Event, World};
use crate::judge::Policy;
use crate::judge::invariant::{Id, Verdict, Violation};

/// How long a node may wait for more writers before it begins a sync, in nanoseconds: so long, and
/// an eighth of what the last one took.
const LINGERS: u64 = 300_000_000;
/// So much later an idle log is marked, and synced for that.
const MARKED: u64 = 900_000_000;
/// A run that makes so many events has no end: one that is allowed more than usual shows that.
const ENDLESS: u64 = 2_000_000;
/// For how long a group is watched that nobody asks for anything, in nanoseconds.
const RESTS: u64 = 2_000_000_000;
/// After so long all that clients have asked has come, in nanoseconds.
const SETTLES: u64 = 1_000_000_000;
/// How long after the faults have ended a log may be longer than the settings want, in nanoseconds:
/// a state that is being sent to a member that is gone holds the next base up for some time.
const OUTGROWN: u64 = 15_000_000_000;
/// How often the process of a member is sampled, in nanoseconds.
const SAMPLES: u64 = 250_000_000;
/// The zeros at the end of a record that cannot be told from those behind it, in bytes.
const ZEROS: u64 = 16;

/// The base and the first segment that a manifest names.
struct Named {
    base: u64,
    first_segment: u64,
}

impl Member {
    pub(super) fn begins_base(&mut self) {
        self.is_rewriting = true;
    }

    /// A file was removed, or was not.
    pub(super) fn note_removal(
        &mut self,
        removed: Option<FileName>,
        outcome: &Result<DiskDone, DiskError>,
    ) {
        match removed {
            Some(file) if outcome.is_err() => {
                self.spared.insert(file);
            }
            Some(file) => {
                self.spared.remove(&file);
            }
            None => {}
        }
    }

    /// Returns true if its log is longer than the settings want, and nothing speaks against a base.
    fn is_outgrown(&self) -> bool {
        let known = self.node.as_ref().and_then(|node| {
            let (size, base) = node.log_size()?;
            // What nobody has committed follows the log into every file.
            let stays = node.raft()?.bytes_after(node.applied()) as u64;
            let bytes = size.log_bytes.saturating_sub(stays);
            (base < node.applied()).then_some((bytes, size.base_bytes))
        });
        let percentage = u64::from(self.config.rewrite_percentage);
        percentage > 0
            && !self.rewrite_failed
            && !self.node.as_ref().is_some_and(Node::is_removed)
            && known.is_some_and(|(bytes, base_bytes)| {
                bytes >= self.config.rewrite_min_bytes && bytes / percentage > base_bytes / 100
            })
    }

    /// The manifest on its disk.
    fn manifest(&self) -> Option<Named> {
        let mut files = self.disk.files();
        let (_, image) = files.find(|(file, _)| *file == FileName::MANIFEST)?;
        let (base, first_segment) = named_in(image.written())?;
        Some(Named {
            base,
            first_segment,
        })
    }

    /// A file that nobody needs any more.
    fn leftover(&self, manifest: &Named) -> Option<FileName> {
        let is_over = |file: &FileName| {
            let is_old = match file.kind() {
                FileKind::Log => file.number() < manifest.first_segment,
                FileKind::Base => file.number() != manifest.base,
                _ => false,
            };
            is_old && !self.spared.contains(file)
        };
        self.disk.files().map(|(file, _)| file).find(is_over)
    }

    /// Returns true if something that the log holds is written, and no sync of it on its way.
    fn waits_for_a_sync(&self) -> bool {
        let is_busy = !self.jobs.is_empty() || !self.outcomes.is_empty();
        if is_busy || self.unsynced.is_empty() {
            return false;
        }
        let serves = |node: &Node| node.phase() == Phase::Serving && !node.no_space();
        let Some(manifest) = self
            .manifest()
            .filter(|_| self.node.as_ref().is_some_and(serves))
        else {
            return false;
        };
        let mut files = self.disk.files();
        files.any(|(file, _)| {
            let counts = file.kind() == FileKind::Log && file.number() >= manifest.first_segment;
            counts && self.unsynced.contains(&file)
        })
    }

    /// Returns true if its disk has nothing to do but what the log asks for, and its node knows all
    /// that it has done.
    fn has_switched(&self) -> bool {
        self.serving
            && self.outcomes.is_empty()
            && !self
                .jobs
                .values()
                .any(super::disk_jobs::Job::is_of_a_switch)
    }
}

impl World {
    /// A base was written, or could not be.
    pub(super) fn ends_base(&mut self, number: usize, well: bool) {
        self.judge.has_saved(number, well, self.time);
        let member = &mut self.members[number];
        (member.is_rewriting, member.rewrite_failed) = (false, !well);
        member.rewrites += u64::from(well);
        // Some of many.
        member.has_rewritten = well && member.rewrites.is_power_of_two();
    }

    /// A6: a base that has just come to count is looked at.
    pub(super) fn look_at_base(&mut self, number: usize) -> Verdict {
        if std::mem::take(&mut self.members[number].has_rewritten) {
            self.look_twice(number, false)?;
        }
        Ok(())
    }

    /// A11: no file is left over, and no old state is kept for nothing.
    pub(super) fn check_files(&self, number: usize) -> Verdict {
        let member = &self.members[number];
        let Some(node) = member.node.as_ref().filter(|_| member.has_switched()) else {
            return Ok(());
        };
        if node.store().base_running() && !member.is_rewriting {
            let text = format!("member {number} keeps old states, and writes no base");
            return Err(Violation::new(Id::A11, text));
        }
        // The files of a base that is being written count only at its end, and an operation that
        // has failed may have left some.
        if member.is_rewriting || member.reasons.are_any() {
            return Ok(());
        }
        let left = member
            .manifest()
            .and_then(|manifest| member.leftover(&manifest));
        left.map_or(Ok(()), |file| {
            let text = format!("member {number} has no use for {file}, and keeps it");
            Err(Violation::new(Id::A11, text))
        })
    }

    /// A12: where each write is answered behind a sync, one is on its way soon. Looked at before a
    /// turn, in which the node may begin one for another reason.
    pub(super) fn check_synced(&self, number: usize) -> Verdict {
        let member = &self.members[number];
        let Some(since) = member.waits_unsynced else {
            return Ok(());
        };
        let bound = LINGERS + member.longest_sync / 8;
        let waited = member.passed(self.time).since(since);
        if waited > bound && bound < MARKED {
            let text = format!("member {number} does not sync for {waited} ns what it has written");
            return Err(Violation::new(Id::A12, text));
        }
        Ok(())
    }

    /// Behind a turn: whether something that is written waits for a sync that nobody has asked for.
    pub(super) fn look_at_syncs(&mut self, number: usize) {
        let always =
            self.members.len() > 1 || self.scenario.policy == Policy::Logged(Fsync::Always);
        let member = &mut self.members[number];
        let waits = always && member.waits_for_a_sync() && !member.is_tight(self.time);
        let now = member.passed(self.time);
        member.waits_unsynced = waits.then(|| member.waits_unsynced.unwrap_or(now));
    }

    /// A11: the log knows how long it is; what a failed write has left behind it does not count.
    fn check_length(&self, number: usize) -> Verdict {
        let member = &self.members[number];
        let size = member.node.as_ref().and_then(Node::log_size);
        let (Some((size, _)), Some(manifest)) = (size, member.manifest()) else {
            return Ok(());
        };
        if member.is_rewriting || !member.has_switched() || !member.jobs.is_empty() {
            return Ok(());
        }
        let segments = member.disk.files().filter(|(file, _)| {
            file.kind() == FileKind::Log && file.number() >= manifest.first_segment
        });
        let lengths: Vec<u64> = segments
            .map(|(_, image)| image.written().len() as u64)
            .collect();
        let (found, count) = (lengths.iter().sum::<u64>(), lengths.len() as u64);
        if found > size.log_bytes || found + ZEROS * count < size.log_bytes {
            let text = format!(
                "member {number} takes its log for {} bytes long, and it has {found}",
                size.log_bytes
            );
            return Err(Violation::new(Id::A11, text));
        }
        Ok(())
    }

    /// L10: a run that has come to its last event has not come to its end.
    pub(super) fn comes_to_rest(&self, events: u64) -> Verdict {
        if !self.healed || events < ENDLESS {
            return Ok(());
        }
        let conditions: Vec<String> = self.members.iter().map(Member::condition).collect();
        let text = format!("there is no end: {}", conditions.join("; "));
        self.sees(Err(Violation::new(Id::L10, text)))
    }

    /// L10, L11: a group that nobody asks for anything rests. False while that is being watched.
    pub(super) fn has_rested(&mut self, rest: &mut Rest) -> Result<bool, Violation> {
        // Only a look inside shows whether it has anything left to do.
        if self.black_box {
            return Ok(true);
        }
        let nodes = self.members.iter().filter_map(|one| one.node.as_ref());
        let applied = nodes.clone().map(|node| node.applied().0).max();
        let applied = applied.unwrap_or_default();
        let rafts = nodes.filter_map(Node::raft);
        let led = rafts.filter(|raft| raft.is_leader()).map(Raft::term).max();
        // A leader begins its term with an entry.
        let begins = std::mem::replace(&mut rest.led, led) != led;
        if rest.since.is_none() || begins {
            rest.since = Some(self.time);
            // Nothing else may ever happen.
            self.push(SETTLES + RESTS, Event::Take { conn: 0, count: 0 });
        }
        let since = rest.since.unwrap_or(self.time);
        // What clients had asked that wait no longer may still be on its way.
        if self.time < since + SETTLES {
            rest.applied = applied;
        }
        // Time goes on for a key that dies, or that was to die and is gone: then the store looks at
        // a later time than before.
        let looks_at = |member: &Member| member.node.as_ref()?.store().next_expiry();
        let next: Vec<_> = self.members.iter().map(looks_at).collect();
        if std::mem::replace(&mut rest.next, next.clone()) != next {
            rest.applied = applied;
        }
        // The first entry of a term may be applied long after its leader was elected.
        if applied > rest.applied + 1 {
            let before = rest.applied;
            let text = format!("nobody asks, and {before} entries have become {applied}");
            return Err(Violation::new(Id::L10, text));
        }
        if self.time < since + SETTLES + RESTS {
            return Ok(false);
        }
        for number in 0..self.members.len() {
            self.check_files(number)?;
            self.check_length(number)?;
        }
        let outgrown = self.members.iter().find(|member| member.is_outgrown());
        if let Some(member) = outgrown {
            if self.time > since + OUTGROWN {
                let text = format!("member {} does not rewrite its log", member.number);
                return Err(Violation::new(Id::L11, text));
            }
            // A driver that samples the process wakes it several times a second.
            let number = member.number;
            if self.time >= rest.sampled + SAMPLES {
                rest.sampled = self.time;
                self.wake(number);
                self.push(SAMPLES, Event::Take { conn: 0, count: 0 });
            }
            return Ok(false);
        }
        Ok(true)
    }
}
