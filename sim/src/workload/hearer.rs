//! Clients that listen to keyspace events. One of two also writes, and so comes to the leader; the
//! other stays with the member that it has.

use super::listener::{EVENTS, KINDS_OF_EVENTS};
use super::{Piece, Workload, words};
use crate::draws::Dice;

impl Workload {
    pub(super) fn hear(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let event = *dice.pick(&EVENTS);
        let kind = *dice.pick(&KINDS_OF_EVENTS);
        let writes = self.client.is_multiple_of(2);
        match dice.below(100) {
            0..=9 => vec![words(&["SUBSCRIBE", event])],
            10..=29 => vec![words(&["PSUBSCRIBE", kind])],
            30..=32 => vec![words(&["UNSUBSCRIBE", event])],
            33..=36 => vec![words(&["PUNSUBSCRIBE", kind])],
            37..=38 => vec![words(&["UNSUBSCRIBE"]), words(&["PUNSUBSCRIBE"])],
            39..=59 if writes => vec![brief(dice)],
            60..=84 if writes => brief_transaction(dice),
            _ => vec![words(&["PING"])],
        }
    }
}

/// A write to one of few keys, which are soon gone again.
fn brief(dice: &mut Dice) -> Piece {
    let value = dice.below(2).to_string();
    let requests: [&[&str]; 12] = [
        &["SET", "said", &value],
        &["SET", "said", &value, "PX", "60"],
        &["DEL", "said", "told"],
        &["RPUSH", "told", &value],
        &["LPOP", "told"],
        &["LPOP", "told"],
        &["SADD", "told:s", &value],
        &["SREM", "told:s", &value],
        &["HSET", "told:h", &value, &value],
        &["HDEL", "told:h", &value],
        &["ZADD", "told:z", &value, &value],
        &["ZREM", "told:z", &value],
    ];
    let request: &&[&str] = dice.pick(&requests);
    words(request)
}

fn brief_transaction(dice: &mut Dice) -> Vec<Piece> {
    let writes = (0..dice.within(2, 6)).map(|_| brief(dice));
    let mut pieces = vec![words(&["MULTI"])];
    pieces.extend(writes);
    pieces.push(words(&["EXEC"]));
    pieces
}
