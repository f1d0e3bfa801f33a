//! A client that wants to be answered by whoever is near, from a state of which it bounds the age.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    /// The least is hardly more than a follower can know.
    pub(super) fn wish_for_reads(dice: &mut Dice) -> Piece {
        let ms = dice.pick(&["100", "300", "1000", "3000"]);
        words(&["RAFT", "READS", "BOUNDED", ms])
    }

    pub(super) fn read_near(&self, dice: &mut Dice) -> Vec<Piece> {
        vec![words(&["GET", &self.key("r", dice)])]
    }
}
