//! L7: a leader whose disk is full, or has become slow, transfers leadership, where others have
//! room.

use seedis::disk::FileName;
use seedis::node::{Node, Phase};
use seedis::raft::Raft;

use super::World;
use super::disk_jobs::Job;
use super::member::Member;
use crate::judge::invariant::{Id, Verdict, Violation};

/// How long it may take, by the time that the leader's process runs. A target that is not heard of
/// in an election is told again after two seconds.
const BOUND: u64 = 3_500_000_000;
/// How long a sync of the log may take before the disk counts as slow, as clocks go.
const SLOW: u64 = 1_500_000_000;
/// For how long an attempt to be transferred of a slow disk counts, as clocks go.
const ATTEMPT: u64 = 75_000_000_000;
/// A process that stood still for so long while it waited for its disk may not know who was slow.
const STOOD: u64 = 300_000_000;

/// Returns true if a leader hears that a majority of the others has a healthy disk.
fn could_transfer(node: &Node) -> bool {
    let raft = node.raft();
    // A transfer that an operator wants may take as long as it takes to be given up.
    let is_free = |raft: &&Raft| !raft.is_transferring();
    let raft = raft.filter(is_free);
    node.phase() == Phase::Serving && raft.is_some_and(Raft::has_unstrained_voter)
}

impl Member {
    /// Returns true if its disk keeps the log waiting, and its node must have seen that.
    fn is_kept_waiting(&self, time: u64) -> bool {
        // No record waits for a file that nothing is written to: it is being prepared.
        let holds_records = |file: FileName| {
            let is_on_its_way = self.jobs.values().any(|job| job.writes_to(file));
            is_on_its_way || self.unsynced.contains(&file)
        };
        let holds_up = |job: &&Job| job.synced_log().is_some_and(holds_records);
        let asked = self.jobs.values().filter(holds_up);
        let ahead = self.paused_until.saturating_sub(time);
        let stood = self.stood - ahead;
        let is_slow = |asked: u64, before: u64| {
            let stood = stood.saturating_sub(before);
            stood < STOOD && time - asked - stood > SLOW
        };
        asked.into_iter().any(|job| is_slow(job.asked, job.stood))
    }
}

impl World {
    /// A leader transfers leadership.
    pub(super) fn has_transferred(&mut self, number: usize) {
        let member = &mut self.members[number];
        member.transferred_at = Some(member.ran(self.time));
    }

    /// Looks whether a member clings to leadership.
    pub(super) fn check_room(&mut self, number: usize) -> Verdict {
        let member = &mut self.members[number];
        let ran = member.ran(self.time);
        let tried = member.transferred_at.is_some_and(|at| ran < at + ATTEMPT);
        let is_slow = member.is_kept_waiting(self.time) && !tried;
        let clings = member
            .node
            .as_ref()
            .is_some_and(|node| (node.no_space() || is_slow) && could_transfer(node));
        member.clings_since = clings.then(|| member.clings_since.unwrap_or(ran));
        if member.clings_since.is_some_and(|since| ran > since + BOUND) {
            let why = if is_slow {
                "waits for its disk"
            } else {
                "has no room"
            };
            let text = format!("member {number} {why}, and leads others that are better off");
            return Err(Violation::new(Id::L7, text));
        }
        Ok(())
    }
}
