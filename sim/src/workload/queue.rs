//! Elements that are pushed and popped: each is another one, so that the judge knows what became of
//! it.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn queue(&mut self, dice: &mut Dice) -> Vec<Piece> {
        // One list is a queue proper, the others are used from both ends.
        let (list, other) = (*dice.pick(&["q0", "q1", "q2"]), *dice.pick(&["q1", "q2"]));
        let timeout = *dice.pick(&["0.05", "0.2", "0.5", "2", "0"]);
        let front = list == "q0" || dice.coin();
        let piece = match dice.below(20) {
            0..=7 => {
                let name = if list == "q0" || dice.coin() {
                    "RPUSH"
                } else {
                    "LPUSH"
                };
                let elements = (0..dice.within(1, 3)).map(|nth| self.element(nth));
                let own: Vec<String> = elements.collect();
                let own = own.iter().map(|element| &element[..]);
                let all: Vec<&str> = [name, list].into_iter().chain(own).collect();
                words(&all)
            }
            8..=9 => {
                let score = dice.below(5).to_string();
                words(&["ZADD", "p0", &score, &self.element(0)])
            }
            10..=11 => words(&[if front { "LPOP" } else { "RPOP" }, list]),
            12 => words(&["LPOP", list, "3"]),
            13..=15 => words(&[if front { "BLPOP" } else { "BRPOP" }, list, timeout]),
            16 => words(&["LMOVE", "q1", other, "LEFT", "RIGHT"]),
            17 => words(&["BLMOVE", "q2", other, "RIGHT", "LEFT", timeout]),
            18 => words(&["ZPOPMIN", "p0"]),
            _ => words(&["BZPOPMIN", "p0", timeout]),
        };
        vec![piece]
    }

    pub(super) fn element(&self, nth: u64) -> String {
        format!("e{}-{}-{nth}", self.client, self.made)
    }
}
