//! S17: CLIENT PAUSE, and what a member keeps back while it is in force.

use super::Judge;
use super::history::{Words, is_write, spelled};
use super::invariant::{Id, Verdict, Violation};
use crate::goals::Goal;
use crate::model::waits::may_wait;
use crate::model::{self, Want};

/// For so long a CLIENT UNPAUSE may be on its way, in nanoseconds.
const UNPAUSED_FOR: u64 = 20_000_000_000;

impl Judge {
    /// The answer to CLIENT PAUSE: from here on writes wait.
    pub(super) fn client_pause(&mut self, member: usize, words: &Words) -> Want {
        let error = |text: &str| Want::Error(text.to_owned());
        if let Some(mode) = words.get(3)
            && !mode.eq_ignore_ascii_case(b"write")
            && !mode.eq_ignore_ascii_case(b"all")
        {
            return error("ERR CLIENT PAUSE mode must be WRITE or ALL");
        }
        let Some(timeout) = words.get(2).and_then(|word| model::integer(word)) else {
            return error("ERR timeout is not an integer or out of range");
        };
        let Ok(timeout) = u64::try_from(timeout) else {
            return error("ERR timeout is negative");
        };
        let member = &mut self.members[member];
        let until = member.high.2.saturating_add(timeout * 1_000_000);
        member.paused_until = member.paused_until.max(until);
        self.goals.reach(Goal::Paused);
        Want::OK
    }

    /// A member's process begins, and knows of no pause.
    pub(super) fn forgets_pause(&mut self, member: usize) {
        self.members[member].paused_until = 0;
    }

    /// S17: a member hands nothing to the log that changes keys while it keeps writes back; but
    /// what has waited for a key is served right behind what brings it.
    pub(super) fn keeps_its_pause(
        &self,
        member: usize,
        words: &Words,
        (time, mono): (u64, u64),
    ) -> Verdict {
        let until = self.members[member].paused_until;
        // Nobody knows when one that was asked for took place.
        let unpaused = self.unpaused_at;
        let is_unpaused = unpaused.is_some_and(|at| at + UNPAUSED_FOR >= time);
        if mono >= until || is_unpaused || !is_write(words) || may_wait(words) {
            return Ok(());
        }
        let text = format!(
            "member {member} proposes {} and is paused for another {} us",
            spelled(words),
            (until - mono) / 1000
        );
        Err(Violation::new(Id::S17, text))
    }
}
