//! Requests about sets.

use super::Asking;
use crate::draws::Dice;
use crate::workload::items::{count, fair_count};
use crate::workload::mood::{Type, Way};

impl Asking<'_> {
    fn set(&self, dice: &mut Dice) -> Vec<u8> {
        self.key(Type::Set, dice)
    }

    /// A command on members that are given.
    fn members(&mut self, name: &str, dice: &mut Dice) {
        let key = self.set(dice);
        self.begin(name, key);
        for _ in 0..self.batch(dice) {
            self.text(dice);
        }
    }

    /// Some sets, of which one may be sorted.
    fn sets(&mut self, dice: &mut Dice) {
        for _ in 0..dice.within(1, 3) {
            let key = self.set(dice);
            self.put(key);
        }
    }

    fn pop_member(&mut self, dice: &mut Dice) {
        let key = self.set(dice);
        self.begin("SPOP", key);
        if dice.permille(600) {
            self.put(fair_count(dice));
        } else if dice.permille(200) {
            // Most of what a set has that has grown for some time.
            let most = *dice.pick(&[20, 60, 200]);
            self.put(dice.within(most / 2, most).to_string().into_bytes());
        }
    }

    pub(super) fn change_set(&mut self, dice: &mut Dice) {
        match (self.mood.way, dice.below(10)) {
            (Way::Grow, 0..=7) => return self.members("SADD", dice),
            (Way::Shrink, 0..=2) => return self.members("SREM", dice),
            (Way::Shrink, 3..=5) => return self.pop_member(dice),
            _ => {}
        }
        let (key, other) = (self.set(dice), self.set(dice));
        match dice.below(12) {
            0..=2 => self.members("SADD", dice),
            3..=4 => self.members("SREM", dice),
            5..=6 => self.pop_member(dice),
            7..=8 => {
                self.begin("SMOVE", key).put(other).text(dice);
            }
            _ => {
                let names = ["SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"];
                self.begin(names[dice.below(3) as usize], key).sets(dice);
            }
        }
    }

    pub(super) fn read_set(&mut self, dice: &mut Dice) {
        let key = self.set(dice);
        match dice.below(16) {
            0..=2 => {
                self.begin("SISMEMBER", key).text(dice);
            }
            3..=4 => self.members("SMISMEMBER", dice),
            5 => {
                self.begin("SMEMBERS", key);
            }
            6 => {
                self.begin("SCARD", key);
            }
            7..=8 => {
                self.begin("SRANDMEMBER", key);
                if dice.permille(800) {
                    self.put(count(dice));
                }
            }
            9 => {
                self.begin("SSCAN", key).word("0");
                if dice.coin() {
                    self.word("COUNT").put(count(dice));
                }
            }
            10..=11 => {
                self.numbered("SINTERCARD", Type::Set, dice);
                if dice.permille(700) {
                    self.word("LIMIT").put(fair_count(dice));
                }
            }
            _ => {
                let name = *dice.pick(&["SUNION", "SINTER", "SDIFF"]);
                self.begin(name, key);
                if dice.permille(800) {
                    self.sets(dice);
                }
            }
        }
    }
}
