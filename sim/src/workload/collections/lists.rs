//! Requests about lists.

use super::Asking;
use crate::draws::Dice;
use crate::workload::items::{count, fair_count, index};
use crate::workload::mood::{Type, Way};

impl Asking<'_> {
    fn list(&self, dice: &mut Dice) -> Vec<u8> {
        self.key(Type::List, dice)
    }

    /// One end or the other, rarely none.
    fn end(&mut self, dice: &mut Dice) -> &mut Self {
        let word = match dice.below(60) {
            0 => "MIDDLE",
            1..=30 => "LEFT",
            31..=33 => "right",
            _ => "RIGHT",
        };
        self.word(word)
    }

    fn push(&mut self, dice: &mut Dice) {
        let name = *dice.pick(&["RPUSH", "LPUSH", "RPUSH", "LPUSH", "RPUSHX", "LPUSHX"]);
        let key = self.list(dice);
        self.begin(name, key);
        for _ in 0..self.batch(dice) {
            self.text(dice);
        }
    }

    fn pop(&mut self, dice: &mut Dice) {
        let (name, key) = (*dice.pick(&["LPOP", "RPOP"]), self.list(dice));
        self.begin(name, key);
        if dice.coin() {
            self.put(fair_count(dice));
        }
    }

    pub(super) fn change_list(&mut self, dice: &mut Dice) {
        match (self.mood.way, dice.below(10)) {
            (Way::Grow, 0..=7) => return self.push(dice),
            (Way::Shrink, 0..=3) => return self.pop(dice),
            _ => {}
        }
        let (key, other) = (self.list(dice), self.list(dice));
        match dice.below(20) {
            0..=3 => self.push(dice),
            4..=5 => self.pop(dice),
            6 => {
                self.begin("LTRIM", key).put(index(dice)).put(index(dice));
            }
            7..=9 => {
                self.begin("LREM", key).put(count(dice)).text(dice);
            }
            10..=11 => {
                self.begin("LSET", key).put(index(dice)).text(dice);
            }
            12..=14 => {
                let place = *dice.pick(&["BEFORE", "AFTER", "after"]);
                self.begin("LINSERT", key).word(place).text(dice).text(dice);
            }
            15..=16 => {
                self.begin("LMOVE", key).put(other).end(dice).end(dice);
            }
            17 => {
                self.begin("RPOPLPUSH", key).put(other);
            }
            _ => {
                self.numbered("LMPOP", Type::List, dice).end(dice);
                if dice.coin() {
                    self.word("COUNT").put(fair_count(dice));
                }
            }
        }
    }

    pub(super) fn read_list(&mut self, dice: &mut Dice) {
        let key = self.list(dice);
        match dice.below(12) {
            0..=1 => {
                self.begin("LLEN", key);
            }
            2..=4 => {
                self.begin("LINDEX", key).put(index(dice));
            }
            5..=7 => {
                self.begin("LRANGE", key).put(index(dice)).put(index(dice));
            }
            8 => {
                self.begin("LRANGE", key).word("0").word("-1");
            }
            _ => {
                self.begin("LPOS", key).text(dice);
                if dice.coin() {
                    self.word("RANK").put(count(dice));
                }
                if dice.coin() {
                    self.word("COUNT").put(fair_count(dice));
                }
                if dice.coin() {
                    self.word("MAXLEN").put(fair_count(dice));
                }
            }
        }
    }
}
