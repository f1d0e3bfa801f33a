//! Clients that track, and keep what they have read. One of two also writes. They hear where their
//! connection has begun with RESP3.

use super::{GET_BY_SCRIPT, Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn keep_reads(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let key = format!("kept:{}", dice.below(3));
        let value = self.value(dice);
        let writes = self.client.is_multiple_of(2);
        match dice.below(100) {
            0..=14 => {
                let mode: &[&str] = match self.client % 3 {
                    0 => &["CLIENT", "TRACKING", "ON", "NOLOOP"],
                    _ => &["CLIENT", "TRACKING", "ON"],
                };
                vec![words(mode)]
            }
            15 => vec![words(&["CLIENT", "TRACKING", "OFF"])],
            16..=24 if self.client % 4 == 1 => vec![words(&["READONLY"])],
            25..=44 if writes => vec![words(&["SET", &key, &value])],
            45..=54 if writes => {
                let ms = dice.within(5, 200).to_string();
                vec![words(&["SET", &key, &value, "PX", &ms])]
            }
            55..=59 if writes => vec![words(&["DEL", &key])],
            60..=64 => vec![words(&["PING"])],
            // What its scripts read it has read as well.
            65..=69 => vec![words(&["EVAL", GET_BY_SCRIPT, "1", &key])],
            70..=74 => vec![words(&["EVAL_RO", GET_BY_SCRIPT, "1", &key])],
            _ => vec![words(&["GET", &key])],
        }
    }
}
