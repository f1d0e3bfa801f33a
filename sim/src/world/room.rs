//! L7: a leader whose disk is full gives its office away, where others have room.

use seedis::node::{Node, Phase};

use super::World;
use crate::judge::invariant::{Id, Verdict, Violation};

/// How long it may take, by the time that the leader's process runs. An heir that is not heard of
/// in an election is told again after two seconds.
const BOUND: u64 = 3_500_000_000;

/// Whether a leader has no room, and hears that a majority has.
fn had_better_not_lead(node: &Node) -> bool {
    let raft = node.raft();
    node.no_space()
        && node.phase() == Phase::Serving
        && raft.is_some_and(|raft| raft.can_be_relieved())
}

impl World {
    /// Looks whether a member clings to its office.
    pub(super) fn check_room(&mut self, number: usize) -> Verdict {
        let member = &mut self.members[number];
        let ran = member.ran(self.time);
        let clings = member.node.as_ref().is_some_and(had_better_not_lead);
        member.clings_since = clings.then(|| member.clings_since.unwrap_or(ran));
        if member.clings_since.is_some_and(|since| ran > since + BOUND) {
            let text = format!("member {number} has no room, and leads others that have");
            return Err(Violation::new(Id::L7, text));
        }
        Ok(())
    }
}
