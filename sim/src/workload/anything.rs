//! Every command that both the server and the model know, with arguments good and bad.

use seedis::command::flag::Flag;
use seedis::command::row::Row;
use seedis::command::table;

use super::garbage::{garbage, longest_line};
use super::grammar::Wishes;
use super::mangled::break_a_line;
use super::{Piece, Request, Workload, words};
use crate::draws::Dice;
use crate::model::waits::may_wait;
use crate::model::{self, Class};

/// Commands that end the conversation, stop the server or wait: others ask for those. And MONITOR,
/// whose lines answer nothing.
const NOT_ASKED: [&str; 8] = [
    "auth", "quit", "hello", "shutdown", "save", "debug", "wait", "monitor",
];

impl Workload {
    pub(super) fn anything(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if self.shape.garbage && dice.permille(6) {
            return vec![garbage(dice)];
        }
        if self.shape.garbage && dice.permille(1) {
            return vec![longest_line()];
        }
        if self.shape.garbage && dice.permille(10) {
            return vec![self.mangled(dice)];
        }
        if dice.permille(15) {
            return self.in_silence(dice);
        }
        if dice.permille(15) {
            return vec![Self::about_the_server(dice)];
        }
        let mut pieces = if self.watches || dice.permille(60) {
            let key = self.key("k", dice);
            self.watched(&key, dice, Self::any_request)
        } else {
            self.one_or_many(dice)
        };
        if dice.permille(15) {
            let at = dice.below(pieces.len() as u64 + 1) as usize;
            pieces.insert(at, words(&["CONFIG", "REWRITE"]));
        }
        pieces
    }

    /// A request, or a transaction.
    fn one_or_many(&self, dice: &mut Dice) -> Vec<Piece> {
        if dice.permille(30) {
            return vec![Piece::Request(self.strange_request(dice))];
        }
        let in_transaction = dice.permille(80);
        let count = match in_transaction {
            false => 1,
            // Some are so long that they are run in pieces wherever a turn does little.
            true if dice.permille(150) => dice.within(30, 90),
            true => dice.within(1, 5),
        };
        let mut pieces = Vec::new();
        if in_transaction {
            pieces.push(words(&["MULTI"]));
        }
        for _ in 0..count {
            let request = self.any_request(None, dice);
            let plain =
                |word: &Vec<u8>| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
            let inline = dice.permille(50) && request.iter().all(plain);
            pieces.push(if inline {
                Piece::Inline(request)
            } else {
                Piece::Request(request)
            });
        }
        if !in_transaction {
            return pieces;
        }
        let executes = dice.permille(900);
        pieces.push(words(&[if executes { "EXEC" } else { "DISCARD" }]));
        if dice.permille(100) {
            let at = 1 + dice.below(pieces.len() as u64 - 1) as usize;
            let version = *dice.pick(&["2", "3", "3", "4", "x"]);
            pieces.insert(at, words(&["HELLO", version]));
        }
        pieces
    }

    /// Requests whose replies the client does not want, and how it says so.
    fn in_silence(&self, dice: &mut Dice) -> Vec<Piece> {
        let quiet = |dice: &mut Dice| {
            loop {
                let request = self.any_request(None, dice);
                let row = model::find(&request[0]);
                let changes =
                    row.is_some_and(|r| matches!(r.class, Class::Session | Class::Server));
                // Nobody would know what was drawn.
                let draws = request[0].eq_ignore_ascii_case(b"spop");
                if !changes && !draws && !may_wait(&request) {
                    return Piece::Request(request);
                }
            }
        };
        let say = |how: &str| words(&["CLIENT", "REPLY", how]);
        // An open transaction would queue what it says.
        let end = words(&["DISCARD"]);
        if dice.permille(400) {
            return vec![end, say("SKIP"), quiet(dice)];
        }
        let mut pieces = vec![end, say("OFF")];
        for _ in 0..dice.within(1, 4) {
            if dice.permille(150) {
                pieces.push(say("skip"));
            }
            pieces.push(quiet(dice));
        }
        pieces.push(say("ON"));
        pieces
    }

    /// A request about the server that waits for something, or tells who is asking.
    fn about_the_server(dice: &mut Dice) -> Piece {
        let count = *dice.pick(&["0", "1", "1", "2", "9", "-1", "x"]);
        let timeout = *dice.pick(&["1", "10", "50", "300", "-1", "x"]);
        let sleep = *dice.pick(&["0", "0.01", "0.3", "x", "-1"]);
        let kind = *dice.pick(&[
            "string", "integer", "double", "null", "array", "verbatim", "x",
        ]);
        let request: &[&str] = match dice.below(16) {
            0..=4 => &["WAIT", count, timeout],
            5..=6 => &["SAVE"],
            7 => &["DEBUG", "SLEEP", sleep],
            8..=9 => &["DEBUG", "PROTOCOL", kind],
            10 => &["DEBUG", "DIGEST"],
            11 => &["DEBUG", "OBJECT", "k1"],
            12 => &["debug", "x\r\n+OK"],
            13 => &["CLIENT", "ID"],
            14 => &["CLIENT", "INFO"],
            _ => &["CLIENT", "LIST"],
        };
        words(request)
    }

    /// A watched key is written, perhaps by the same words as before; later something is executed.
    pub(super) fn watched(
        &mut self,
        key: &str,
        dice: &mut Dice,
        request: fn(&Self, Option<&str>, &mut Dice) -> Request,
    ) -> Vec<Piece> {
        self.watches = !self.watches;
        if !self.watches {
            let own = Piece::Request(request(self, None, dice));
            return vec![words(&["MULTI"]), own, words(&["EXEC"])];
        }
        let write = Piece::Request(request(self, Some(key), dice));
        let watch = words(&["WATCH", key]);
        match dice.below(4) {
            0 => vec![watch],
            1 => vec![watch, write],
            // What it has written itself before is no change.
            2 => vec![write, watch],
            _ => vec![write.clone(), watch, write],
        }
    }

    /// A request of which the model knows nothing, that changes no key, and that an open
    /// transaction would queue.
    fn strange_request(&self, dice: &mut Dice) -> Request {
        loop {
            let row = dice.pick(model::strangers());
            if row.class == Class::Write || NOT_ASKED.contains(&row.name) {
                continue;
            }
            let Some(row) = table::find(row.name.as_bytes()) else {
                continue;
            };
            let request = self.request(
                row,
                Wishes {
                    names: "k",
                    key: None,
                },
                dice,
            );
            let called = request.get(1).and_then(|own| row.subcommand(own));
            let called = if row.is_container() {
                called
            } else {
                Some(row)
            };
            let fits =
                |row: &Row| row.takes(request.len()) && !row.has(Flag::NoMulti) && !row.is_write();
            if called.is_some_and(fits) {
                return request;
            }
        }
    }

    /// A request that the model can answer; a write of a key, where one is given.
    fn any_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        let row = loop {
            let row = dice.pick(model::rows());
            let fits = key.is_none() || row.class == Class::Write;
            // An emptied store teaches little.
            let rare = row.name.starts_with("flush") && (key.is_some() || !dice.permille(50));
            if fits && !rare && !NOT_ASKED.contains(&row.name) {
                break row;
            }
        };
        if dice.permille(5) {
            let word = format!("{}X", row.name);
            return vec![word.into_bytes(), self.value(dice).into_bytes()];
        }
        if row.name == "raft" {
            return reads(dice);
        }
        // What the server does not have is asked for by its name alone.
        let Some(row) = table::find(row.name.as_bytes()) else {
            return vec![row.name.as_bytes().to_vec()];
        };
        let wishes = Wishes { names: "k", key };
        let mut request = self.request(row, wishes, dice);
        if dice.permille(10) {
            break_a_line(&mut request, dice);
        }
        // A word too few, a word too many.
        match dice.below(40) {
            0 => request.truncate(request.len().max(2) - 1),
            1 => request.push(self.value(dice).into_bytes()),
            _ => {}
        }
        request
    }
}

/// Which reads this client wants from now on.
fn reads(dice: &mut Dice) -> Request {
    const LEVELS: [&str; 6] = [
        "DEFAULT",
        "LINEARIZABLE",
        "LEASE",
        "FOLLOWER",
        "BOUNDED",
        "LOCAL",
    ];
    let level = *dice.pick(&LEVELS);
    let ms = (level == "BOUNDED").then(|| dice.within(1, 3000).to_string());
    let words = ["RAFT", "READS", level].into_iter().chain(ms.as_deref());
    words.map(|word| word.as_bytes().to_vec()).collect()
}
