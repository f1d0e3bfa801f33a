//! Scripts, given and by name, on keys that hold values of any type; and the transactions, watches
//! and waiting clients that they meet.

use super::{Piece, Workload, words};
use crate::draws::Dice;
use crate::model::Template;

impl Workload {
    pub(super) fn run_scripts(&mut self, dice: &mut Dice) -> Vec<Piece> {
        match dice.below(20) {
            0..=11 => vec![self.script(dice)],
            12 => vec![Self::keep(dice)],
            13 => vec![words(&["SCRIPT", "FLUSH"])],
            14..=15 => vec![self.plain(dice)],
            16 => {
                let queued = (0..dice.within(1, 3)).map(|_| {
                    if dice.coin() {
                        self.script(dice)
                    } else {
                        self.plain(dice)
                    }
                });
                let queued: Vec<Piece> = queued.collect();
                [vec![words(&["MULTI"])], queued, vec![words(&["EXEC"])]].concat()
            }
            17 => vec![words(&["WATCH", &self.script_key(dice)]), self.plain(dice)],
            18 => {
                let own = vec![words(&["MULTI"]), self.plain(dice), words(&["EXEC"])];
                let watch = words(&["WATCH", &self.script_key(dice)]);
                // A script of its own may be on its way to a watched key.
                let scripts = (0..dice.below(3)).map(|_| self.script(dice));
                let scripts: Vec<Piece> = scripts.collect();
                [vec![watch], scripts, own].concat()
            }
            _ => {
                let key = self.script_key(dice);
                let (name, timeout) = (
                    *dice.pick(&["BLPOP", "BRPOP"]),
                    *dice.pick(&["0.05", "0.5"]),
                );
                vec![words(&[name, &key, timeout])]
            }
        }
    }

    fn script_key(&self, dice: &mut Dice) -> String {
        format!("e{}", dice.below(self.shape.keys.min(6)))
    }

    /// A command on the same keys.
    fn plain(&self, dice: &mut Dice) -> Piece {
        let key = self.script_key(dice);
        let value = self.element(dice.below(4));
        match dice.below(9) {
            0 => words(&["SET", &key, &value]),
            1 => words(&["SET", &key, "5"]),
            2 => words(&["DEL", &key]),
            3 => words(&["RPUSH", &key, &value, "x"]),
            4 => words(&["SADD", &key, &value, "b", "a", "10"]),
            5 => words(&["HSET", &key, "f", "1"]),
            6 => words(&["LLEN", &key]),
            7 => words(&["PEXPIRE", &key, "50"]),
            _ => words(&["GET", &key]),
        }
    }

    /// A script is kept for those who call it by name.
    fn keep(dice: &mut Dice) -> Piece {
        words(&["SCRIPT", "LOAD", dice.pick(&Template::ALL).text()])
    }

    fn script(&self, dice: &mut Dice) -> Piece {
        let template = *dice.pick(&Template::ALL);
        let (first, second) = (self.script_key(dice), self.script_key(dice));
        let value = self.element(dice.below(4));
        let few = dice.within(0, 4).to_string();
        let (keys, others): (&[&str], &[&str]) = match template {
            Template::Limiter => (&[&first], &["40", &few]),
            Template::Unlock | Template::Endless => (&[&first], &[&value]),
            Template::Move => (&[&first, &second], &[&few]),
            Template::Counters => (&[&first], &["f", "g", "f"]),
            Template::Guarded => (&[&first, &second], &[&value]),
            Template::Chance | Template::Clock | Template::Get | Template::Broken => {
                (&[&first], &[])
            }
            Template::Collect => (&[&first, &second], &[]),
            Template::Undeclared => (&[], &[&first, &value]),
            Template::Push => (&[&first], &[&value, "x"]),
            Template::Sum => (&[&first], &["40"]),
        };
        let by_name = dice.permille(400);
        let only_reads = dice.permille(if template == Template::Get { 700 } else { 60 });
        let name = match (by_name, only_reads) {
            (false, false) => "EVAL",
            (true, false) => "EVALSHA",
            (false, true) => "EVAL_RO",
            (true, true) => "EVALSHA_RO",
        };
        let sha = template.sha();
        let text = if by_name { &sha[..] } else { template.text() };
        let count = keys.len().to_string();
        words(&[&[name, text, &count], keys, others].concat())
    }
}
