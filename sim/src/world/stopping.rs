//! L9: a server that is told to stop ends within a bounded time.

use seedis::node::{Node, Phase};

use super::World;
use super::member::Member;
use crate::judge::invariant::{Id, Verdict, Violation};

/// How long a stop may take, in nanoseconds, by the time that the process runs and its clock shows:
/// some for a transfer of leadership, ten seconds for what others have to confirm, and some for
/// what is to be synced.
const BOUND: u64 = 14_000_000_000;

impl Member {
    /// It is told to stop, by the operator or by a client.
    pub(super) fn is_told_to_stop(&mut self, time: u64) {
        let told = (self.passed(time), self.age(time).hung);
        self.told_to_stop.get_or_insert(told);
    }

    /// Returns true if it was told to stop, and ends with these words for want of room for what was
    /// not answered.
    pub(super) fn gives_up_stopping(&self, failure: &str) -> bool {
        self.told_to_stop.is_some()
            && failure.starts_with("shutting down while the log cannot be written")
            && self.reasons.are_told(failure)
    }

    /// For how long it has been stopping, the time not counted in which its disk hung.
    fn has_been_stopping(&self, time: u64) -> u64 {
        self.told_to_stop.map_or(0, |(told, before)| {
            let hung = self.age(time).hung - before;
            self.passed(time).since(told).saturating_sub(hung)
        })
    }
}

impl World {
    /// Notes which members are stopping, and looks whether one has not ended in time.
    pub(super) fn check_stop(&mut self, number: usize) -> Verdict {
        let member = &mut self.members[number];
        if member.node.as_ref().map(Node::phase) == Some(Phase::Stopping) {
            member.is_told_to_stop(self.time);
        }
        self.has_stopped(number)
    }

    /// L9: no member is still stopping long after it was told to.
    pub(super) fn have_stopped(&self) -> Verdict {
        (0..self.members.len()).try_for_each(|number| self.has_stopped(number))
    }

    fn has_stopped(&self, number: usize) -> Verdict {
        let member = &self.members[number];
        if member.has_been_stopping(self.time) <= BOUND {
            return Ok(());
        }
        let text = format!("told to stop, and has not ended: {}", member.condition());
        Err(Violation::new(Id::L9, text))
    }
}
