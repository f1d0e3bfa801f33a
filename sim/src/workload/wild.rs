//! Every command that is about keys, known to the model or not, in a database of its own.
//!
//! Which keys a request names, and whether it reaches into another database, its row says; so a
//! command is asked for here as soon as it stands in the table.

use seedis::command::flag::Flag;
use seedis::command::row::{Empties, Kind, Row};
use seedis::command::table;

use super::grammar::Wishes;
use super::{Piece, Request, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn wild(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if self.watches || dice.permille(200) {
            let key = self.key("u", dice);
            return self.watched(&key, dice, Self::wild_request);
        }
        let request = |dice: &mut Dice| Piece::Request(self.wild_request(None, dice));
        if !dice.permille(100) {
            return vec![request(dice)];
        }
        let mut pieces = vec![words(&["MULTI"])];
        pieces.extend((0..dice.within(1, 6)).map(|_| request(dice)));
        pieces.push(words(&["EXEC"]));
        pieces
    }

    /// A request of as many words as its command takes, so that a transaction queues it; a write of
    /// a key, where one is given.
    fn wild_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        loop {
            let row = dice.pick(table::rows());
            let fits = is_wild(row) && (key.is_none() || row.is_write() && !row.keys.is_empty());
            let rare = row.empties != Empties::Nothing && !dice.permille(50);
            if !fits || rare {
                continue;
            }
            let request = self.request(row, Wishes { names: "u", key }, dice);
            if row.takes(request.len()) {
                return request;
            }
        }
    }
}

/// Returns true if a command looks at the keys of its client's database alone, or changes them.
fn is_wild(row: &Row) -> bool {
    let is_about_keys = matches!(row.kind, Kind::Read(_) | Kind::Write(_))
        && (row.has(Flag::ReadOnly) || row.is_write());
    let reaches_out =
        row.empties == Empties::Everything || row.keys.iter().any(|keys| keys.elsewhere.is_some());
    is_about_keys && !reaches_out && !row.has(Flag::Blocking) && !row.has(Flag::NoMulti)
}
