//! Clients that subscribe and publish, in each of the ways there are.

use super::{Piece, Workload, words};
use crate::draws::Dice;

const CHANNELS: [&str; 5] = ["c0", "c1", "c2", "d0", "c*"];
const PATTERNS: [&str; 7] = ["c*", "c?", "*", "[cd]0", "c[^1]", "x*", "c\\*"];
pub(super) const EVENTS: [&str; 3] = [
    "__keyevent@0__:set",
    "__keyspace@0__:said",
    "__keyevent@0__:del",
];
pub(super) const KINDS_OF_EVENTS: [&str; 3] =
    ["__key*@*__:*", "__keyevent@*__:*", "__keyspace@0__:*"];
const SHARDS: [&str; 4] = ["{s}0", "{s}1", "s", "{t}0"];

impl Workload {
    pub(super) fn listen_or_tell(&mut self, dice: &mut Dice) -> Vec<Piece> {
        match dice.below(100) {
            0..=24 => vec![subscription(dice)],
            25..=33 => vec![end_of_subscription(dice)],
            34..=75 => (0..dice.within(1, 5)).map(|_| self.publish(dice)).collect(),
            76..=81 => vec![question(dice)],
            82..=84 => vec![words(&["PING"]), words(&["PING", "text"])],
            85 if dice.coin() => vec![words(&["GET", "r0"])],
            85 => vec![words(&["MONITOR"])],
            86 => vec![words(&["RESET"])],
            87 => vec![words(&["HELLO", *dice.pick(&["2", "3"])])],
            88..=90 => {
                // A write of its own stands before the message.
                let value = self.value(dice);
                vec![words(&["SET", "said", &value]), self.publish(dice)]
            }
            91..=92 => {
                let ends = [words(&["RESET"]), words(&["HELLO", "3"])];
                let on = words(&["CLIENT", "REPLY", "ON"]);
                let off = words(&["CLIENT", "REPLY", "OFF"]);
                let one = |dice: &mut Dice| words(&["SUBSCRIBE", *dice.pick(&CHANNELS)]);
                let listens = (0..dice.within(1, 3)).map(|_| one(dice));
                ends.into_iter()
                    .chain([off])
                    .chain(listens)
                    .chain([on])
                    .collect()
            }
            _ => self.transaction_of_messages(dice),
        }
    }

    fn transaction_of_messages(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let mut pieces = vec![words(&["MULTI"])];
        for _ in 0..dice.within(1, 5) {
            pieces.push(match dice.below(10) {
                0 => words(&["SUBSCRIBE", *dice.pick(&CHANNELS)]),
                1 => words(&["PUNSUBSCRIBE", *dice.pick(&PATTERNS)]),
                2 => words(&["PING"]),
                3 => words(&["SET", "said", &self.value(dice)]),
                _ => self.publish(dice),
            });
        }
        let executes = dice.permille(900);
        pieces.push(words(&[if executes { "EXEC" } else { "DISCARD" }]));
        pieces
    }

    /// A message that is like no other.
    pub(super) fn publish(&mut self, dice: &mut Dice) -> Piece {
        self.told += 1;
        let mut message = format!("m{}-{}-{}", self.client, self.conn, self.told);
        if dice.permille(200) {
            let len = dice.below(self.shape.value_bytes.max(1)) as usize;
            let more = len.saturating_sub(message.len());
            message.extend(std::iter::repeat_n('x', more));
        }
        if dice.permille(150) {
            return words(&["SPUBLISH", *dice.pick(&SHARDS), &message]);
        }
        words(&["PUBLISH", *dice.pick(&CHANNELS), &message])
    }
}

/// Shard channels: those of one request are in one slot.
fn of_one_slot(dice: &mut Dice) -> &'static [&'static str] {
    let (one, other) = SHARDS.split_at(3);
    if dice.coin() { one } else { other }
}

/// One to three of some names.
fn some<'a>(names: &[&'a str], dice: &mut Dice) -> Vec<&'a str> {
    (0..*dice.pick(&[1, 1, 2, 3]))
        .map(|_| *dice.pick(names))
        .collect()
}

fn subscription(dice: &mut Dice) -> Piece {
    let (name, names) = match dice.below(13) {
        0..=4 => ("SUBSCRIBE", some(&CHANNELS, dice)),
        5..=7 => ("PSUBSCRIBE", some(&PATTERNS, dice)),
        8..=9 => ("SSUBSCRIBE", some(of_one_slot(dice), dice)),
        10 => ("SUBSCRIBE", some(&EVENTS, dice)),
        _ => ("PSUBSCRIBE", some(&KINDS_OF_EVENTS, dice)),
    };
    words(&[&[name], &names[..]].concat())
}

fn end_of_subscription(dice: &mut Dice) -> Piece {
    let (name, names) = match dice.below(12) {
        0..=4 => ("UNSUBSCRIBE", some(&CHANNELS, dice)),
        5..=7 => ("PUNSUBSCRIBE", some(&PATTERNS, dice)),
        8..=9 => ("SUNSUBSCRIBE", some(&SHARDS, dice)),
        10 => ("UNSUBSCRIBE", some(&EVENTS, dice)),
        _ => ("PUNSUBSCRIBE", some(&KINDS_OF_EVENTS, dice)),
    };
    let all = dice.permille(300);
    let names = if all { &[] } else { &names[..] };
    words(&[&[name], names].concat())
}

fn question(dice: &mut Dice) -> Piece {
    match dice.below(6) {
        0 => words(&["PUBSUB", "NUMPAT"]),
        1 => words(&["PUBSUB", "CHANNELS"]),
        2 => words(&["PUBSUB", "CHANNELS", *dice.pick(&PATTERNS)]),
        3 => words(&["PUBSUB", "SHARDCHANNELS"]),
        4 => words(&["PUBSUB", "SHARDNUMSUB", *dice.pick(&SHARDS)]),
        _ => words(&["PUBSUB", "NUMSUB", *dice.pick(&CHANNELS), "c0"]),
    }
}
