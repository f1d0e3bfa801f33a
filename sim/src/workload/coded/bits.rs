//! Bits of strings, among them of some that are longer than a chunk.

use super::request;
use crate::draws::Dice;
use crate::workload::grammar::WIDTHS;
use crate::workload::{Request, Workload};

/// The bits of a chunk of a long string.
const CHUNK_BITS: u64 = 64 << 13;

impl Workload {
    /// The place of a bit: at the front, or about where a chunk ends if strings may be long.
    fn place_of_bit(&self, dice: &mut Dice) -> u64 {
        let is_long = self.shape.value_bytes >= 40_000 && dice.permille(300);
        match dice.below(8) {
            _ if is_long => CHUNK_BITS - 20 + dice.below(60),
            0..=5 => dice.below(60),
            _ => dice.below(1000),
        }
    }

    /// An end of a part, which may count from the end.
    fn end_of_part(&self, dice: &mut Dice) -> String {
        match dice.below(10) {
            0..=3 => dice.below(12).to_string(),
            4..=6 => format!("-{}", dice.within(1, 12)),
            _ => self.place_of_bit(dice).to_string(),
        }
    }

    pub(super) fn bits_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        let own = key.map_or_else(|| self.coded_key("b", dice), str::to_owned);
        let place = self.place_of_bit(dice).to_string();
        let bit = *dice.pick(&["0", "1", "1"]);
        let writes = key.is_some() || dice.permille(600);
        match (writes, dice.below(12)) {
            (true, 0..=3) => request(&["SETBIT", &own, &place, bit]),
            (true, 4..=7) => self.field_request(&own, dice),
            (true, 8) => request(&["SET", &own, &self.value(dice)]),
            (true, 9) => request(&["APPEND", &own, "\u{7f}z"]),
            (true, _) => {
                let how = *dice.pick(&["AND", "OR", "XOR", "NOT"]);
                let mut made = request(&["BITOP", how, &own]);
                let sources = if how == "NOT" { 1 } else { dice.within(1, 3) };
                for _ in 0..sources {
                    made.push(self.coded_key("b", dice).into_bytes());
                }
                made
            }
            (false, 0..=1) => request(&["GETBIT", &own, &place]),
            (false, 2) => request(&["BITCOUNT", &own]),
            (false, 3) => request(&["STRLEN", &own]),
            (false, 4) => self.field_reads(&own, dice),
            (false, nth) => {
                let mut made = if nth < 8 {
                    request(&["BITCOUNT", &own, &self.end_of_part(dice)])
                } else {
                    let start = self.end_of_part(dice);
                    request(&["BITPOS", &own, *dice.pick(&["0", "1"]), &start])
                };
                if nth < 11 {
                    made.push(self.end_of_part(dice).into_bytes());
                    let unit = *dice.pick(&["", "BYTE", "BIT", "BIT"]);
                    if !unit.is_empty() {
                        made.push(unit.as_bytes().to_vec());
                    }
                }
                made
            }
        }
    }

    /// The width and the place of a field.
    fn field_words(&self, made: &mut Request, dice: &mut Dice) {
        made.push(dice.pick(&WIDTHS[..10]).as_bytes().to_vec());
        let place = if dice.coin() {
            format!("#{}", dice.below(6))
        } else {
            self.place_of_bit(dice).to_string()
        };
        made.push(place.into_bytes());
    }

    /// Fields that are written, and some that are read. Many of them are run in pieces wherever a
    /// turn does little.
    fn field_request(&self, key: &str, dice: &mut Dice) -> Request {
        let mut made = request(&["BITFIELD", key]);
        let many = dice.permille(150);
        for _ in 0..if many {
            dice.within(10, 40)
        } else {
            dice.within(1, 4)
        } {
            let word = *dice.pick(&["SET", "INCRBY", "INCRBY", "GET", "OVERFLOW", "OVERFLOW"]);
            made.push(word.as_bytes().to_vec());
            if word == "OVERFLOW" {
                made.push(dice.pick(&["WRAP", "SAT", "FAIL"]).as_bytes().to_vec());
                continue;
            }
            self.field_words(&mut made, dice);
            if word != "GET" {
                let given = *dice.pick(&[
                    "1",
                    "-1",
                    "3",
                    "-100",
                    "255",
                    "70000",
                    "-9223372036854775808",
                ]);
                made.push(given.as_bytes().to_vec());
            }
        }
        made
    }

    fn field_reads(&self, key: &str, dice: &mut Dice) -> Request {
        let mut made = request(&["BITFIELD_RO", key]);
        for _ in 0..dice.within(1, 5) {
            made.push(b"GET".to_vec());
            self.field_words(&mut made, dice);
        }
        made
    }
}
