//! Money that moves between accounts: each transfer is a transaction, so that the sum never
//! changes.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn bank(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let (from, to) = (self.key("a", dice), self.key("a", dice));
        let amount = dice.within(1, 50).to_string();
        if dice.permille(300) {
            let accounts = 0..self.shape.keys.min(8);
            let reads = accounts.map(|n| words(&["HGET", &format!("a{n}"), "money"]));
            return [words(&["MULTI"])]
                .into_iter()
                .chain(reads)
                .chain([words(&["EXEC"])])
                .collect();
        }
        let mut pieces = vec![
            words(&["MULTI"]),
            words(&["HINCRBY", &from, "money", &format!("-{amount}")]),
            words(&["HINCRBY", &to, "money", &amount]),
        ];
        match dice.below(12) {
            0 => pieces.push(words(&["DISCARD"])),
            1 => {
                // A request that cannot be queued: nothing of the transfer may happen.
                pieces.push(words(&["HINCRBY", &to]));
                pieces.push(words(&["EXEC"]));
            }
            _ => pieces.push(words(&["EXEC"])),
        }
        pieces
    }
}
