//! A client that has others closed, by each of the ways in which CLIENT KILL finds them.

use super::{Piece, Workload, words};
use crate::draws::Dice;

/// The address of a client.
pub(crate) fn address_of_client(number: usize) -> String {
    format!("10.0.0.{}:1", number + 1)
}

/// The address at which clients reach a member.
pub(crate) fn address_of_member(number: usize) -> String {
    format!("10.1.0.{}:6379", number + 1)
}

impl Workload {
    pub(super) fn kill(&self, dice: &mut Dice) -> Piece {
        let client = address_of_client(dice.below(10) as usize);
        let member = address_of_member(dice.below(self.shape.members + 1) as usize);
        let id = dice.within(0, 40).to_string();
        let skip = *dice.pick(&["yes", "no", "YES"]);
        let kind = *dice.pick(&["normal", "normal", "pubsub", "replica", "none"]);
        let rest: &[&str] = match dice.below(12) {
            0 | 1 => &[&client],
            2 | 3 => &["ADDR", &client],
            4 | 5 => &["laddr", &member, "ID", &id],
            6 => &["LADDR", "10.9.9.9:1"],
            7 => &["ID", &id],
            8 => &["ID", &id, "SKIPME", skip],
            9 => &["TYPE", kind, "ADDR", &client, "SKIPME", skip],
            10 => &["TYPE", kind, "LADDR", &member],
            _ => &["ID", &id, "NAME", "x"],
        };
        words(&[&["CLIENT", "KILL"], rest].concat())
    }
}
