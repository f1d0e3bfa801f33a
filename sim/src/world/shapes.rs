//! Rare states of a member's store and disk: seen when they come, and counted.

use super::World;
use crate::goals::Goal;

impl World {
    /// Looks what has become of a member's store in a turn.
    pub(super) fn look_at_shape(&mut self, number: usize) {
        let member = &mut self.members[number];
        let Some(node) = &member.node else {
            return;
        };
        let now = node.store().shape();
        let before = std::mem::replace(&mut member.shape, now);
        if now == before {
            return;
        }
        // A store that was there before, and a table that was not emptied out as a whole.
        let grows = before.segments > 0;
        let shrinks = now.garbage_bytes <= before.garbage_bytes && now.detached <= before.detached;
        let met = [
            (grows && now.segments > before.segments, Goal::Divided),
            (shrinks && now.segments < before.segments, Goal::Joined),
            (grows && now.depth > before.depth, Goal::Deeper),
            (shrinks && now.depth < before.depth, Goal::Shallower),
            (now.detached > before.detached, Goal::Detached),
            (now.retired > before.retired, Goal::Retired),
            (now.renamed > before.renamed, Goal::Renamed),
            (now.garbage_bytes > before.garbage_bytes, Goal::Freed),
        ];
        for (_, goal) in met.into_iter().filter(|(is_met, _)| *is_met) {
            self.judge.reached(goal);
        }
    }
}
