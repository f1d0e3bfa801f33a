//! Workloads without memory: registers, counters, short lives, hashes.

use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn register(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let key = self.key("r", dice);
        let value = self.value(dice);
        let piece = match dice.below(10) {
            0..=3 => words(&["GET", &key]),
            4..=7 => words(&["SET", &key, &value]),
            8 => words(&["GETSET", &key, &value]),
            _ => words(&["DEL", &key]),
        };
        vec![piece]
    }

    pub(super) fn counter(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let key = self.key("n", dice);
        let piece = match dice.below(8) {
            0..=3 => words(&["INCR", &key]),
            4..=5 => words(&["INCRBY", &key, &dice.below(1000).to_string()]),
            _ => words(&["GET", &key]),
        };
        vec![piece]
    }

    pub(super) fn ttl(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let key = self.key("t", dice);
        let value = self.value(dice);
        let millis = dice.exponential(400).max(1).to_string();
        let piece = match dice.below(12) {
            0..=2 => words(&["SET", &key, &value, "PX", &millis]),
            3 => words(&["PEXPIRE", &key, &millis]),
            4 => words(&["PEXPIRE", &key, &millis, "GT"]),
            5 => words(&["PERSIST", &key]),
            6..=8 => words(&["GET", &key]),
            9 => words(&["PTTL", &key]),
            10 => words(&["EXISTS", &key]),
            _ => words(&["PEXPIRETIME", &key]),
        };
        vec![piece]
    }

    pub(super) fn cache(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let key = self.key("cached", dice);
        let value = self.value(dice);
        let seconds = dice.within(100, 1000).to_string();
        let piece = match dice.below(16) {
            0..=4 => words(&["SET", &key, &value, "EX", &seconds]),
            5 => words(&["EXPIRE", &key, &seconds]),
            // What stays under a volatile policy does not stay for ever.
            6 => words(&["PERSIST", &key]),
            7 => words(&["SET", &key, &value]),
            8..=9 => words(&["DEL", &key]),
            10 => words(&["TOUCH", &key]),
            11 => words(&["OBJECT", "FREQ", &key]),
            _ => words(&["GET", &key]),
        };
        vec![piece]
    }

    /// Reads of much right behind one another, between two writes: where a turn does little each of
    /// them holds the store for many turns.
    fn long_reads(&self, dice: &mut Dice) -> Vec<Piece> {
        let mut pieces = vec![words(&["HINCRBY", &self.key("h", dice), "count", "1"])];
        for _ in 0..dice.within(2, 4) {
            let key = self.key("h", dice);
            pieces.push(match dice.below(3) {
                0 => words(&["HGETALL", &key]),
                1 => words(&["HVALS", &key]),
                _ => words(&["HMGET", &key, "f1", "f2", "f3", "f4", "f5", "count"]),
            });
        }
        let field = format!("f{}", dice.below(6));
        let value = self.value(dice);
        pieces.push(words(&["HSET", &self.key("h", dice), &field, &value]));
        pieces.push(words(&["HGETALL", &self.key("h", dice)]));
        pieces
    }

    pub(super) fn hashes(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if dice.permille(80) {
            return self.long_reads(dice);
        }
        let key = self.key("h", dice);
        let field = format!("f{}", dice.below(20));
        let value = self.value(dice);
        let piece = match dice.below(12) {
            0..=2 => words(&["HSET", &key, &field, &value]),
            3 => words(&["HSET", &key, &field, &value, "count", "0"]),
            4 => words(&["HINCRBY", &key, "count", &dice.below(9).to_string()]),
            5 => words(&["HDEL", &key, &field]),
            6 => words(&["HGETALL", &key]),
            7 => words(&["HMGET", &key, &field, "count"]),
            8 => words(&["HLEN", &key]),
            9 => words(&["HKEYS", &key]),
            10 => words(&["HSCAN", &key, "0", "COUNT", "100"]),
            _ => words(&["HGET", &key, &field]),
        };
        vec![piece]
    }
}
