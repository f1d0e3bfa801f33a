//! Walks with SCAN and its kin, from cursor 0 to cursor 0, over keys and members of which some come
//! and go, and most stay.

use super::walk::Walk;
use super::{Piece, Request, Workload, words};
use crate::draws::Dice;
use crate::wire::Value;

/// How many names there may be.
const POPULATIONS: [u64; 4] = [20, 150, 400, 1000];
/// How many are added at once.
const BATCH: (u64, u64) = (20, 60);
const COUNTS: [&str; 8] = ["1", "2", "5", "10", "40", "150", "300", "1000"];

impl Workload {
    pub(super) fn walk(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if self.population == 0 {
            self.population = *dice.pick(&POPULATIONS);
        }
        if let Some(Walk {
            before,
            behind,
            cursor,
        }) = &mut self.walk
            && dice.permille(750)
            && let Some(cursor) = cursor.take()
        {
            let mut step: Vec<&str> = before.iter().map(|word| &word[..]).collect();
            step.push(&cursor);
            step.extend(behind.iter().map(|word| &word[..]));
            if dice.permille(700) {
                step.extend(["COUNT", *dice.pick(&COUNTS)]);
            }
            return vec![words(&step)];
        }
        match dice.below(10) {
            0..=3 => vec![self.add(dice)],
            4..=5 => vec![self.take_away(dice)],
            _ if self.walk.is_some() => vec![self.take_away(dice)],
            _ => {
                let key = *dice.pick(&["", "yh", "ys", "yz"]);
                let name = match key {
                    "yh" => "HSCAN",
                    "ys" => "SSCAN",
                    "yz" => "ZSCAN",
                    _ => "SCAN",
                };
                let before = [name, key].into_iter().filter(|word| !word.is_empty());
                let behind: &[&str] = match dice.below(8) {
                    0 => &["MATCH", "*1*"],
                    1 => &["match", "y*"],
                    2 if key.is_empty() => &["TYPE", "string"],
                    _ => &[],
                };
                self.walk = Some(Walk {
                    before: before.map(str::to_owned).collect(),
                    behind: behind.iter().map(|word| (*word).to_owned()).collect(),
                    cursor: Some("0".to_owned()),
                });
                self.walk(dice)
            }
        }
    }

    /// A name of the population: the lower half are those that stay.
    fn name(&self, from: u64, dice: &mut Dice) -> String {
        let name = from + dice.below((self.population - from).max(1));
        format!("y{name}")
    }

    fn add(&self, dice: &mut Dice) -> Piece {
        let kind = dice.below(4);
        let mut request: Vec<String> = match kind {
            0 => vec!["MSET".into()],
            1 => vec!["HSET".into(), "yh".into()],
            2 => vec!["SADD".into(), "ys".into()],
            _ => vec!["ZADD".into(), "yz".into()],
        };
        let few = self.population / 2;
        for _ in 0..dice.within(BATCH.0.min(few), BATCH.1.min(few)) {
            let name = self.name(0, dice);
            match kind {
                0 | 1 => request.extend([name, dice.below(100).to_string()]),
                2 => request.push(name),
                _ => request.extend([dice.below(100).to_string(), name]),
            }
        }
        piece(request)
    }

    /// Some go, of the upper half alone, and at times all.
    fn take_away(&self, dice: &mut Dice) -> Piece {
        if dice.permille(15) {
            // For those who watch a key of another database too.
            return words(&["FLUSHDB"]);
        }
        if dice.permille(20) {
            return words(&["DEL", dice.pick::<&str>(&["yh", "ys", "yz"])]);
        }
        let before: &[&str] = match dice.below(4) {
            0 => &["DEL"],
            1 => &["HDEL", "yh"],
            2 => &["SREM", "ys"],
            _ => &["ZREM", "yz"],
        };
        let mut request: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
        request.extend((0..dice.within(1, 6)).map(|_| self.name(self.population / 2, dice)));
        if before == ["DEL"] && dice.permille(200) {
            request.truncate(2);
            request[0] = "PEXPIRE".into();
            request.push(dice.exponential(300).max(1).to_string());
        }
        piece(request)
    }

    /// A step has shown something.
    pub(super) fn walk_replied(&mut self, request: &Request, value: &Value) {
        let is_step = request[0].ends_with(b"SCAN");
        let Some(walk) = self.walk.as_mut().filter(|_| is_step) else {
            return;
        };
        let next = match value.items() {
            Some([Value::Bulk(next), _]) => String::from_utf8_lossy(next).into_owned(),
            _ => "0".to_owned(),
        };
        if next == "0" {
            self.walk = None;
        } else {
            walk.cursor = Some(next);
        }
    }
}

fn piece(request: Vec<String>) -> Piece {
    Piece::Request(request.into_iter().map(String::into_bytes).collect())
}
