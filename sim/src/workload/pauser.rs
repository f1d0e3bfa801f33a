//! A client that has requests of all clients wait, and lets them go on. One of two only does the
//! former: of the other's pauses nobody knows for sure when they are over.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn pause(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let most = dice.below(3);
        let ms = match dice.below(6) {
            0 => 0,
            1 => 1,
            _ => dice.within(5, [40, 200, 900][most as usize]),
        };
        let ms = ms.to_string();
        let mode = *dice.pick(&["WRITE", "WRITE", "write", "ALL", "all"]);
        let write = words(&["SET", &self.key("u", dice), &self.value(dice)]);
        let pause = words(&["CLIENT", "PAUSE", &ms, mode]);
        match dice.below(20) {
            0..=8 => vec![pause],
            9 => vec![words(&["CLIENT", "PAUSE", &ms])],
            10 => vec![words(&["CLIENT", "PAUSE", &ms, "some"])],
            11 => vec![words(&["CLIENT", "PAUSE", *dice.pick(&["-1", "x", ""])])],
            12..=13 if self.client.is_multiple_of(2) => vec![words(&["CLIENT", "UNPAUSE"])],
            // Its own pause stands before its own writes.
            14..=15 => vec![pause, write, words(&["GET", "u0"])],
            16 => {
                let multi = words(&["MULTI"]);
                vec![multi, write.clone(), pause, write, words(&["EXEC"])]
            }
            17 => vec![self.publish(dice)],
            _ => vec![write],
        }
    }
}
