//! Values that hold something in a code of its own: bits of strings, places on Earth, and
//! HyperLogLogs.
//!
//! The grammar draws the same commands, but places that seldom meet; here a few keys hold much, and
//! what is asked for is there.

mod bits;
mod geo;
mod hll;

use super::{Piece, Request, Workload, words};
use crate::draws::Dice;

/// The letters with which keys begin: of strings of bits, of sets of places, of HyperLogLogs.
const LETTERS: [&str; 3] = ["b", "g", "p"];

/// A request out of words.
fn request(words: &[&str]) -> Request {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

impl Workload {
    pub(super) fn coded(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if self.watches || dice.permille(80) {
            let letter = *dice.pick(&LETTERS);
            let key = self.coded_key(letter, dice);
            return self.watched(&key, dice, Self::coded_request);
        }
        let own = |dice: &mut Dice| Piece::Request(self.coded_request(None, dice));
        if !dice.permille(80) {
            return vec![own(dice)];
        }
        let mut pieces = vec![words(&["MULTI"])];
        pieces.extend((0..dice.within(1, 5)).map(|_| own(dice)));
        pieces.push(words(&["EXEC"]));
        pieces
    }

    /// A key of a kind of values, rarely of another.
    fn coded_key(&self, letter: &str, dice: &mut Dice) -> String {
        let letter = if dice.permille(15) { "l" } else { letter };
        format!("{letter}{}", dice.below(self.shape.keys.clamp(1, 3)))
    }

    /// A request; a write of a key, where one is given.
    fn coded_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        let letter = match key {
            Some(key) => &key[..1],
            None => *dice.pick(&LETTERS),
        };
        if key.is_none() && dice.permille(100) {
            return self.whole_request(letter, dice);
        }
        match letter {
            "g" => self.geo_request(key, dice),
            "p" => self.sketch_request(key, dice),
            _ => self.bits_request(key, dice),
        }
    }

    /// A request about a key as a whole.
    fn whole_request(&self, letter: &str, dice: &mut Dice) -> Request {
        let (key, other) = (self.coded_key(letter, dice), self.coded_key(letter, dice));
        let millis = dice.exponential(600).max(1).to_string();
        match dice.below(8) {
            0 => request(&["DEL", &key]),
            1 => request(&["COPY", &key, &other, "REPLACE"]),
            2 => request(&["RENAME", &key, &other]),
            3 => request(&["PEXPIRE", &key, &millis]),
            4 => request(&["PERSIST", &key]),
            5 => request(&["PTTL", &key]),
            6 => request(&["OBJECT", "ENCODING", &key]),
            _ => request(&["BGREWRITEAOF"]),
        }
    }
}
