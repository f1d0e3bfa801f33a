//! A client that wants to be answered by whoever is near, from a state of which it bounds the age,
//! or from any.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    /// The least is hardly more than a follower can know.
    pub(super) fn wish_for_reads(dice: &mut Dice) -> Piece {
        let ms = dice.pick(&["100", "300", "1000", "3000"]);
        if dice.permille(300) {
            return words(&["READONLY"]);
        }
        words(&["RAFT", "READS", "BOUNDED", ms])
    }

    pub(super) fn read_near(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let get = words(&["GET", &self.key("r", dice)]);
        if dice.permille(40) {
            // From here on it is the leader's state that it wants, and then again anybody's.
            let ends = *dice.pick(&["READWRITE", "READWRITE", "RESET"]);
            self.watches = false;
            return vec![words(&[ends]), get.clone(), words(&["READONLY"]), get];
        }
        if !dice.permille(600) {
            return vec![get];
        }
        if !self.watches && dice.permille(500) {
            // The transaction follows in the next batch, when the key may be another.
            self.watches = true;
            let watch = words(&["WATCH", &self.key("r", dice), &self.key("r", dice)]);
            return vec![watch, get];
        }
        self.watches = false;
        let mut pieces = vec![words(&["MULTI"])];
        // A long one takes many turns, where a turn does little.
        let most = *dice.pick(&[6, 6, 6, 100]);
        for _ in 0..dice.within(0, most) {
            let (one, other) = (self.key("r", dice), self.key("r", dice));
            pieces.push(match dice.below(80) {
                0..30 => words(&["MGET", &one, &other]),
                30..40 => words(&["STRLEN", &one]),
                40 => words(&["PING"]),
                41 => words(&["SELECT", "0"]),
                42 => words(&["DBSIZE"]),
                45 => words(&["TTL", &one]),
                46 => words(&["WATCH", &one]),
                47 => words(&["READWRITE"]),
                48 => words(&["READONLY"]),
                _ => words(&["GET", &one]),
            });
        }
        if dice.permille(80) {
            let at = dice.within(1, pieces.len() as u64) as usize;
            // Where the write comes to be run, nobody else asks for that key.
            let set = words(&["SET", "o", &self.value(dice)]);
            let spoils = [set, words(&["NOSUCH"])];
            pieces.insert(at, dice.pick(&spoils).clone());
        }
        pieces.push(words(&[if dice.permille(950) {
            "EXEC"
        } else {
            "DISCARD"
        }]));
        pieces
    }
}
