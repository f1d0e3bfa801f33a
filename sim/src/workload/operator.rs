//! Who changes the group while others use it: members come, get a vote, go, and transfer leadership
//! away. Nothing is remembered: most requests make no sense at the moment, and are refused.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn operate(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let member = dice.within(1, self.shape.members.max(1)).to_string();
        let piece = match dice.below(20) {
            0..=4 => words(&["RAFT", "ADD", &member]),
            5..=10 => words(&["RAFT", "PROMOTE", &member]),
            11..=13 => words(&["RAFT", "REMOVE", &member]),
            14 => words(&["RAFT", "TRANSFER", &member]),
            15..=16 => words(&["RAFT", "TRANSFER"]),
            17 => words(&["RAFT", "SNAPSHOT"]),
            18 => words(&["RAFT", "NODES"]),
            _ => words(&["RAFT", "INFO"]),
        };
        vec![piece]
    }
}
