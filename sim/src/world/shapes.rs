//! Rare states of a member's store: seen when they come, and counted.

use super::World;
use crate::states::RareState;

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
            (grows && now.segments > before.segments, RareState::Divided),
            (shrinks && now.segments < before.segments, RareState::Joined),
            (grows && now.depth > before.depth, RareState::Deeper),
            (shrinks && now.depth < before.depth, RareState::Shallower),
            (now.detached > before.detached, RareState::Detached),
            (now.retired > before.retired, RareState::Retired),
            (now.renamed > before.renamed, RareState::Renamed),
            (now.garbage_bytes > before.garbage_bytes, RareState::Freed),
        ];
        for (_, state) in met.into_iter().filter(|(is_met, _)| *is_met) {
            self.judge.goals.met(state);
        }
    }
}
