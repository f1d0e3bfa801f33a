//! The client that changes the group while others use it: members come, get a vote, go, and
//! leadership is transferred. Little is remembered: most requests make no sense at the moment, and
//! are refused.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    /// A leader that was cut off and leads again soon afterwards may have been sent a state in
    /// between, while clients kept their connections to it.
    pub(super) fn move_leadership(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let any = dice.below(self.shape.members.max(1)) as usize;
        let to = match dice.below(10) {
            0 => any,
            1..=2 => return vec![words(&["RAFT", "INFO"])],
            _ => self.struck.unwrap_or(any),
        };
        vec![words(&["RAFT", "TRANSFER", &(to + 1).to_string()])]
    }

    pub(super) fn operate(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let member = dice.within(1, self.shape.members.max(1)).to_string();
        if let Some(piece) = self.plan.pop_front() {
            return vec![piece];
        }
        if dice.permille(80) {
            // It changes its mind twice, before the first word has reached everybody.
            let again = |verb: &str| words(&["RAFT", verb, &member]);
            return vec![again("ADD"), again("REMOVE"), again("ADD")];
        }
        let piece = match dice.below(20) {
            0..=4 => words(&["RAFT", "ADD", &member]),
            5..=10 => words(&["RAFT", "PROMOTE", &member]),
            11..=13 => words(&["RAFT", "REMOVE", &member]),
            14 => words(&["RAFT", "TRANSFER", &member]),
            15..=16 => {
                // A new leader is asked at once for what takes others' word.
                for _ in 0..dice.below(2) * 4 {
                    let other = dice.within(1, self.shape.members.max(1)).to_string();
                    self.plan.push_back(words(&["RAFT", "REMOVE", &other]));
                }
                words(&["RAFT", "TRANSFER"])
            }
            17 => words(&["RAFT", "SNAPSHOT"]),
            18 => words(&["RAFT", "NODES"]),
            _ => words(&["RAFT", "INFO"]),
        };
        vec![piece]
    }
}
