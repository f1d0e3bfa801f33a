//! Libraries that are loaded, replaced, removed and restored, and their functions, called on keys
//! that hold values of any type.

use super::{Piece, Workload, words};
use crate::draws::Dice;
use crate::model::libraries::{self, LIBRARIES, Library, VERSIONS};

impl Workload {
    pub(super) fn run_functions(&mut self, dice: &mut Dice) -> Vec<Piece> {
        match dice.below(20) {
            0..=9 => vec![self.call_function(dice)],
            10..=12 => vec![Self::load_library(dice)],
            13 => vec![Self::remove_library(dice)],
            14 => vec![Self::restore_libraries(dice)],
            15..=16 => vec![self.beside_functions(dice)],
            17 => {
                let key = self.function_key(dice);
                let own = vec![
                    words(&["MULTI"]),
                    self.call_function(dice),
                    words(&["EXEC"]),
                ];
                [vec![words(&["WATCH", &key])], own].concat()
            }
            _ => {
                let mut queued = vec![words(&["MULTI"]), self.beside_functions(dice)];
                for _ in 0..dice.within(1, 4) {
                    queued.push(match dice.below(6) {
                        0 => Self::load_library(dice),
                        1 => Self::remove_library(dice),
                        2 => words(&["FUNCTION", "LIST"]),
                        3 => words(&["FUNCTION", "DUMP"]),
                        _ => self.call_function(dice),
                    });
                }
                // A transaction that only looks is none of the log.
                queued.push(words(&["INCRBY", "y", "1"]));
                queued.push(words(&["EXEC"]));
                queued
            }
        }
    }

    fn function_key(&self, dice: &mut Dice) -> String {
        format!("y{}", dice.below(self.shape.keys.min(6)))
    }

    fn library(dice: &mut Dice) -> Library {
        Library {
            number: dice.below(LIBRARIES),
            version: dice.below(VERSIONS),
        }
    }

    fn call_function(&self, dice: &mut Dice) -> Piece {
        let number = dice.below(LIBRARIES);
        let (name, only_reads) = match dice.below(9) {
            0..=2 => (format!("bump{number}"), 50),
            3..=7 => (format!("Read{number}"), 600),
            _ => ("shared".to_owned(), 50),
        };
        let verb = if dice.permille(only_reads) {
            "FCALL_RO"
        } else {
            "FCALL"
        };
        words(&[verb, &name, "1", &self.function_key(dice)])
    }

    fn load_library(dice: &mut Dice) -> Piece {
        let text = Self::library(dice).text();
        if dice.permille(600) {
            words(&["FUNCTION", "LOAD", "REPLACE", &text])
        } else {
            words(&["FUNCTION", "LOAD", &text])
        }
    }

    fn remove_library(dice: &mut Dice) -> Piece {
        if dice.permille(250) {
            return words(&["FUNCTION", "FLUSH"]);
        }
        words(&["FUNCTION", "DELETE", &Self::library(dice).name()])
    }

    fn restore_libraries(dice: &mut Dice) -> Piece {
        let restored: Vec<Library> = (0..dice.below(3)).map(|_| Self::library(dice)).collect();
        let policy = *dice.pick(&["APPEND", "REPLACE", "FLUSH"]);
        let request = [
            b"FUNCTION".to_vec(),
            b"RESTORE".to_vec(),
            libraries::payload(&restored),
            policy.as_bytes().to_vec(),
        ];
        Piece::Request(request.to_vec())
    }

    /// A command on the same keys.
    fn beside_functions(&self, dice: &mut Dice) -> Piece {
        let key = self.function_key(dice);
        match dice.below(5) {
            0 => words(&["SET", &key, "5"]),
            1 => words(&["SET", &key, "x"]),
            2 => words(&["RPUSH", &key, "a"]),
            3 => words(&["PEXPIRE", &key, "50"]),
            _ => words(&["DEL", &key]),
        }
    }
}
