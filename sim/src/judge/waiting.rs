//! Requests that wait for a key: what their clients are answered when nothing has come.

use super::dialogue::Asked;
use super::group::Standing;
use super::history::Words;
use super::invariant::{Id, Violation};
use super::{Circumstances, Judge};
use crate::goals::Goal;
use crate::model::waits::{may_wait, timeout_of};
use crate::model::{self, Want};

impl Judge {
    /// The standing of a member when it says that nothing has come.
    pub(super) fn standing_in_vain(
        &self,
        member: usize,
        asked: &Asked,
        floor: u64,
    ) -> Option<Standing> {
        let standing = self.standing(member, asked, floor)?;
        Some(Standing {
            writes: false,
            ..standing
        })
    }

    /// The answers allowed to a request that has waited for a key and was given nothing: its time
    /// is over, or its client has said that it will send nothing more.
    pub(super) fn waited(
        &mut self,
        conn: u64,
        words: &Words,
        since: u64,
        around: Circumstances,
    ) -> Want {
        self.goals.reach(Goal::Waited);
        let has_ended = self.dialogues.get(&conn).is_some_and(|d| d.ended);
        let row = model::find(&words[0]).filter(|row| row.takes(words.len()));
        let timeout = row.and_then(|_| timeout_of(words).ok());
        let passed = around.time.saturating_sub(since) / 1_000_000;
        // Its monotonic clock may go faster than true time, but not much.
        let is_over = timeout.is_some_and(|ms| ms > 0 && passed * 2 + 20 >= ms);
        if may_wait(words) && timeout.is_some() && (is_over || has_ended) {
            Want::NullArray
        } else {
            Want::OneOf(Vec::new())
        }
    }
}

/// P4: a client that may wait is told of a command that has taken something, or was refused.
pub(super) fn may_end_wait(conn: u64, words: &Words, want: Want) -> Result<Want, Violation> {
    if !may_wait(words) || !matches!(want, Want::Null | Want::NullArray) {
        return Ok(want);
    }
    let text = format!("c{conn} is told that nothing has come, and has not waited");
    Err(Violation::new(Id::P4, text))
}

/// Redis's words for what is wrong with a request that may wait: it is refused before it waits.
pub(super) fn wrong_wait(words: &Words) -> Option<String> {
    may_wait(words).then(|| timeout_of(words).err()).flatten()
}
