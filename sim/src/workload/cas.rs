//! Compare-and-set: WATCH and read, then write in a transaction what follows from the value read.

use super::{Piece, Request, Workload, words};
use crate::draws::Dice;
use crate::wire::Value;

impl Workload {
    pub(super) fn compare_and_set(&mut self, dice: &mut Dice) -> Vec<Piece> {
        let Some((key, value)) = self.read.take() else {
            let key = format!("w{}", dice.below(self.shape.keys.min(3)));
            return vec![words(&["WATCH", &key]), words(&["HGET", &key, "n"])];
        };
        let name = format!("w{key}");
        if dice.permille(50) {
            return vec![words(&["UNWATCH"])];
        }
        let next = (value + 1).to_string();
        let mut pieces = Vec::new();
        if dice.permille(100) {
            // Its own write counts as any other: the transaction must be refused.
            pieces.push(words(&["HSET", &name, "n", &value.to_string()]));
        }
        pieces.push(words(&["MULTI"]));
        pieces.push(words(&["HSET", &name, "n", &next]));
        pieces.push(words(&["EXEC"]));
        pieces
    }

    pub(super) fn cas_replied(&mut self, request: &Request, value: &Value) {
        let [name, key, ..] = &request[..] else {
            return;
        };
        let key = std::str::from_utf8(&key[1..])
            .ok()
            .and_then(|number| number.parse().ok());
        if name == b"HGET"
            && let Some(key) = key
            && !value.is_error()
        {
            self.read = Some((key, value.number().unwrap_or_default()));
        }
    }
}
