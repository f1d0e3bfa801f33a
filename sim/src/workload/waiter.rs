//! Clients that wait for keys, and that let these hold something, in each of the ways there are.

use super::{Piece, WAITERS, Workload, words};
use crate::draws::Dice;

/// Keys that clients wait for.
const AWAITED: [&str; 3] = ["b0", "b1", "b2"];
/// These, and others that may take their names.
const ALL: [&str; 5] = ["b0", "b1", "b2", "c0", "c1"];
const TIMEOUTS: [&str; 7] = ["0.05", "0.2", "0.5", "1", "2", "0", "0"];
const SIDES: [&str; 2] = ["LEFT", "RIGHT"];
/// A database from which values come to that of these clients.
const ELSEWHERE: &str = "7";

impl Workload {
    pub(super) fn wait_or_wake(&mut self, dice: &mut Dice) -> Vec<Piece> {
        match dice.below(100) {
            0..=5 => vec![self.unblock(dice)],
            6..=50 => vec![wait(dice)],
            51..=85 => vec![self.wake(0, dice)],
            86..=89 => self.moved_here(dice),
            _ => {
                let mut pieces = vec![words(&["MULTI"])];
                for nth in 0..dice.within(1, 4) {
                    let waits = dice.permille(150);
                    pieces.push(if waits {
                        wait(dice)
                    } else {
                        self.wake(nth, dice)
                    });
                }
                pieces.push(words(&["EXEC"]));
                pieces
            }
        }
    }

    /// Ends the wait of a client that has come at about the same time.
    fn unblock(&self, dice: &mut Dice) -> Piece {
        let id = (self.conn + dice.within(0, 12)).saturating_sub(6);
        let id = id.to_string();
        match dice.below(4) {
            0 => words(&["CLIENT", "UNBLOCK", &id, "ERROR"]),
            1 => words(&["CLIENT", "UNBLOCK", &id, "TIMEOUT"]),
            _ => words(&["CLIENT", "UNBLOCK", &id]),
        }
    }

    /// A request that may let a key hold something, or takes that away.
    fn wake(&self, nth: u64, dice: &mut Dice) -> Piece {
        let (key, other) = (*dice.pick(&ALL), *dice.pick(&ALL));
        let element = |at: u64| self.element(nth * 10 + at);
        let end = *dice.pick(&SIDES);
        match dice.below(34) {
            0..=9 => {
                let name = *dice.pick(&["RPUSH", "LPUSH"]);
                let own: Vec<String> = (0..dice.within(1, 3)).map(element).collect();
                let own = own.iter().map(|element| &element[..]);
                let all: Vec<&str> = [name, key].into_iter().chain(own).collect();
                words(&all)
            }
            10..=13 => {
                let score = dice.below(5).to_string();
                words(&["ZADD", key, &score, &element(0), "1", &element(1)])
            }
            14 => words(&["ZINCRBY", key, "1", &element(0)]),
            15..=17 => words(&["RENAME", key, other]),
            18 => words(&["COPY", key, other, "REPLACE"]),
            19..=20 => words(&["LMOVE", key, other, end, "LEFT"]),
            21 => words(&["RPOPLPUSH", key, other]),
            22 => words(&["SORT", key, "ALPHA", "STORE", other]),
            23 => words(&["ZRANGESTORE", key, other, "0", "-1"]),
            24 => words(&["RPUSHX", key, &element(0)]),
            25..=26 => words(&["SET", key, "x"]),
            27..=29 => words(&["DEL", key]),
            30 => words(&["LPOP", key, "2"]),
            31 => words(&["ZPOPMIN", key]),
            32 => words(&["LTRIM", key, "1", "-1"]),
            _ => words(&["PEXPIRE", key, "40"]),
        }
    }

    /// A value is made in another database and moved.
    fn moved_here(&self, dice: &mut Dice) -> Vec<Piece> {
        let key = *dice.pick(&AWAITED);
        let here = &WAITERS.to_string();
        let brings = if dice.coin() {
            words(&["MOVE", key, here])
        } else {
            words(&["COPY", key, key, "DB", here, "REPLACE"])
        };
        vec![
            words(&["MULTI"]),
            words(&["SELECT", ELSEWHERE]),
            words(&["DEL", key]),
            words(&["RPUSH", key, &self.element(0), &self.element(1)]),
            brings,
            words(&["SELECT", here]),
            words(&["EXEC"]),
        ]
    }
}

/// A request whose client waits, if there is nothing for it.
fn wait(dice: &mut Dice) -> Piece {
    let (key, other) = (*dice.pick(&AWAITED), *dice.pick(&AWAITED));
    let timeout = *dice.pick(&TIMEOUTS);
    let (from, to) = (*dice.pick(&SIDES), *dice.pick(&SIDES));
    let first = dice.below(3) as usize;
    let several = (0..*dice.pick(&[1, 1, 2, 2, 3])).map(|nth| AWAITED[(first + nth) % 3]);
    let several: Vec<&str> = several.collect();
    let count = several.len().to_string();
    let most = dice.within(1, 4).to_string();
    let of_lists = dice.below(20) < 15;
    let all = match (of_lists, dice.below(10)) {
        (true, 0..=4) => {
            let name = *dice.pick(&["BLPOP", "BRPOP"]);
            [&[name][..], &several, &[timeout]].concat()
        }
        (true, 5) => vec!["BLMOVE", key, other, from, to, timeout],
        (true, 6) => vec!["BRPOPLPUSH", key, other, timeout],
        (true, _) => {
            let tail: &[&str] = &[from, "COUNT", &most];
            [&["BLMPOP", timeout, &count][..], &several, tail].concat()
        }
        (false, 0..=6) => {
            let name = *dice.pick(&["BZPOPMIN", "BZPOPMAX"]);
            [&[name][..], &several, &[timeout]].concat()
        }
        (false, _) => {
            let tail: &[&str] = &["MIN", "COUNT", &most];
            [&["BZMPOP", timeout, &count][..], &several, tail].concat()
        }
    };
    words(&all)
}
