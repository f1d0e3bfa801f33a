//! Lists, sets and sorted sets that grow and become small again, with items that come again and
//! again: what the grammar, which knows no value from another, asks for too rarely.
//!
//! A client follows a mood for some requests: it lets collections grow, or takes them down to
//! nothing, or asks for this and that. So large forms are met by how many items there are, too.

mod lists;
mod sets;
mod zsets;

use super::items::{self, Pool, count};
use super::mood::{Mood, Type, Way};
use super::{Piece, Request, Workload, words};
use crate::draws::Dice;

/// The longest text.
const TEXT_BYTES_MAX: u64 = 5000;

/// A request that is being made.
struct Asking<'a> {
    mood: Mood,
    workload: &'a Workload,
    words: Request,
}

impl Asking<'_> {
    /// Begins with a command and a key.
    fn begin(&mut self, name: &str, key: Vec<u8>) -> &mut Self {
        self.words = vec![name.as_bytes().to_vec(), key];
        self
    }

    fn word(&mut self, word: &str) -> &mut Self {
        self.words.push(word.as_bytes().to_vec());
        self
    }

    fn put(&mut self, word: Vec<u8>) -> &mut Self {
        self.words.push(word);
        self
    }

    fn text(&mut self, dice: &mut Dice) -> &mut Self {
        let most = self.workload.shape.value_bytes.clamp(70, TEXT_BYTES_MAX);
        let text = self.mood.pool.text(most, dice);
        self.put(text)
    }

    /// How many items a request has.
    fn batch(&self, dice: &mut Dice) -> u64 {
        match (self.mood.way, self.mood.many) {
            (Way::Grow, true) => dice.within(20, 150),
            (Way::Grow, false) => dice.within(1, 25),
            (Way::Shrink, true) => dice.within(1, 80),
            _ => dice.within(1, 4),
        }
    }

    /// A key of a collection, mostly of the type that it should have.
    fn key(&self, of: Type, dice: &mut Dice) -> Vec<u8> {
        let letter = match of {
            _ if dice.permille(12) => *dice.pick(&["l", "s", "z"]),
            Type::List => "l",
            Type::Set => "s",
            Type::Zset => "z",
        };
        let keys = self.workload.shape.keys.clamp(1, 3);
        format!("{letter}{}", dice.below(keys)).into_bytes()
    }

    /// Begins with a command, a number of keys and so many, or nearly so many, of them.
    fn numbered(&mut self, name: &str, of: Type, dice: &mut Dice) -> &mut Self {
        let keys = dice.within(1, 3);
        let said = match dice.below(60) {
            0 => keys + 1,
            1 => 0,
            _ => keys,
        };
        self.begin(name, said.to_string().into_bytes());
        for _ in 0..keys {
            let key = self.key(of, dice);
            self.put(key);
        }
        self
    }
}

impl Workload {
    pub(super) fn collections(&mut self, dice: &mut Dice) -> Vec<Piece> {
        if self.mood.left == 0 {
            let many = dice.permille(200);
            self.mood = Mood {
                left: dice.within(5, 40),
                way: *dice.pick(&[Way::Grow, Way::Grow, Way::Shrink, Way::Mix, Way::Mix]),
                of: *dice.pick(&[Type::List, Type::Set, Type::Zset]),
                pool: if many && self.shape.members == 1 && dice.permille(500) {
                    // A group would have to send all of it.
                    Pool::Padded(*dice.pick(&[300, 700]))
                } else {
                    Pool::draw(dice, many)
                },
                many,
            };
        }
        self.mood.left -= 1;
        if self.watches || dice.permille(60) {
            let letter = *dice.pick(&["l", "s", "z"]);
            let key = format!("{letter}{}", dice.below(self.shape.keys.clamp(1, 3)));
            return self.watched(&key, dice, Self::collection_request);
        }
        if dice.permille(25) {
            return self.filled_and_taken(dice);
        }
        let request = |dice: &mut Dice| Piece::Request(self.collection_request(None, dice));
        if !dice.permille(80) {
            return vec![request(dice)];
        }
        let mut pieces = vec![words(&["MULTI"])];
        pieces.extend((0..dice.within(1, 5)).map(|_| request(dice)));
        pieces.push(words(&["EXEC"]));
        pieces
    }

    /// A collection of so many items, of which some or nearly all are taken at once.
    fn filled_and_taken(&self, dice: &mut Dice) -> Vec<Piece> {
        let count = *dice.pick(&[6, 12, 40, 150]);
        let left = match dice.below(3) {
            0 => dice.within(1, count - 1),
            _ => dice.within(1, count / 6),
        };
        let number = dice.below(self.shape.keys.clamp(1, 3));
        let items: Vec<String> = (0..count).map(|nth| format!("m{nth}")).collect();
        let (taken, last) = ((count - left).to_string(), format!("-{}", left + 1));
        let (key, fill, take): (String, &str, &[&str]) = match dice.below(8) {
            0 => (format!("l{number}"), "RPUSH", &["LPOP", &taken]),
            1 => (format!("l{number}"), "RPUSH", &["LTRIM", &taken, "-1"]),
            2..=4 => (format!("s{number}"), "SADD", &["SPOP", &taken]),
            5 => (format!("z{number}"), "ZADD", &["ZPOPMAX", &taken]),
            _ => (
                format!("z{number}"),
                "ZADD",
                &["ZREMRANGEBYRANK", "0", &last],
            ),
        };
        let mut all = vec![fill, &key];
        for item in &items {
            if fill == "ZADD" {
                all.push("1");
            }
            all.push(item);
        }
        let mut pieces = vec![words(&["DEL", &key]), words(&all)];
        if dice.coin() {
            let ms = dice.within(300, 30_000).to_string();
            pieces.push(words(&["PEXPIRE", &key, &ms]));
        }
        let (name, rest) = (take[0], &take[1..]);
        pieces.push(words(&[&[name, &key], rest].concat()));
        pieces.push(words(&["PTTL", &key]));
        pieces
    }

    /// A request about collections; a write of a key, where one is given.
    fn collection_request(&self, key: Option<&str>, dice: &mut Dice) -> Request {
        let mut asking = Asking {
            mood: self.mood,
            workload: self,
            words: Vec::new(),
        };
        if let Some(key) = key {
            asking.write(key, dice);
            return asking.words;
        }
        let of = match dice.below(10) {
            0..=6 => self.mood.of,
            _ => *dice.pick(&[Type::List, Type::Set, Type::Zset]),
        };
        if dice.permille(90) {
            asking.whole(of, dice);
            return asking.words;
        }
        let changes = match self.mood.way {
            Way::Mix => dice.permille(400),
            Way::Grow | Way::Shrink => dice.permille(750),
        };
        match (of, changes) {
            (Type::List, true) => asking.change_list(dice),
            (Type::List, false) => asking.read_list(dice),
            (Type::Set, true) => asking.change_set(dice),
            (Type::Set, false) => asking.read_set(dice),
            (Type::Zset, true) => asking.change_zset(dice),
            (Type::Zset, false) => asking.read_zset(dice),
        }
        asking.words
    }
}

impl Asking<'_> {
    /// A write of a key that is watched.
    fn write(&mut self, key: &str, dice: &mut Dice) {
        let name = key.as_bytes().to_vec();
        let (few, many) = (dice.coin(), dice.permille(300));
        match key.as_bytes().first() {
            Some(b'l') if many => self.begin("LTRIM", name).put(items::index(dice)).word("-1"),
            Some(b'l') if few => self.begin("LPOP", name),
            Some(b'l') => self.begin("RPUSH", name).text(dice),
            Some(b's') if many => self.begin("SPOP", name).word("400"),
            Some(b's') if few => self.begin("SREM", name).text(dice),
            Some(b's') => self.begin("SADD", name).text(dice),
            _ if many => self.begin("ZPOPMAX", name).word("400"),
            _ if few => self.begin("ZREM", name).text(dice),
            _ => self.begin("ZADD", name).put(items::score(dice)).text(dice),
        };
    }

    /// A request about a key as a whole.
    fn whole(&mut self, of: Type, dice: &mut Dice) {
        let (key, other) = (self.key(of, dice), self.key(of, dice));
        // Some outlive what is done to them meanwhile.
        let mean = *dice.pick(&[600, 600, 20_000]);
        let millis = dice.exponential(mean).max(1).to_string();
        match dice.below(25) {
            0..=3 => self.begin("COPY", key).put(other).word("REPLACE"),
            4 => self.begin("COPY", key).put(other),
            5..=6 => self.begin("RENAME", key).put(other),
            7 => self.begin("RENAMENX", key).put(other),
            8 => self.begin("DEL", key),
            9 => self.begin("UNLINK", key).put(other),
            10..=11 | 20..=22 => self.begin("PEXPIRE", key).word(&millis),
            12 => self.begin("PERSIST", key),
            13..=14 => self.begin("PTTL", key),
            15 => self.begin("TYPE", key),
            16 => self.begin("OBJECT", b"ENCODING".to_vec()).put(key),
            17 => self
                .begin("SCAN", b"0".to_vec())
                .word("COUNT")
                .put(count(dice)),
            18 => self.begin("EXISTS", key).put(other),
            19 => self.begin("COPY", key).put(other).word("DB").word("4"),
            _ => {
                self.words = vec![b"BGREWRITEAOF".to_vec()];
                self
            }
        };
    }
}
