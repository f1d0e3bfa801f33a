//! The memory that the keys and values of a server may take, now and at most since it began.

use std::collections::BTreeMap;

use super::{Datum, Item, Model};

/// The most that a key may cost besides its name and its value: its share of tables with room to
/// grow.
const KEY_BYTES: usize = 200;
/// The most that a list may cost besides its items, if it is kept in blocks.
const LIST_BYTES: usize = 9000;
/// The most that a sorted set may cost besides its members: a first chunk of its tree.
const ZSET_BYTES: usize = 14_000;
/// The most that a member of one may cost besides its bytes.
const MEMBER_BYTES: usize = 200;
/// The most that an item may cost besides its text.
const ITEM_BYTES: usize = 100;
/// The most that a hash or a set may cost besides what is in it, where it is a table of its own.
const HASH_BYTES: usize = 600;
/// The most that a field or a member may cost besides its name and its value.
const FIELD_BYTES: usize = 100;

/// The weight of each key. The dead count too: a server need not have looked at them since.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    of_keys: BTreeMap<(u32, Vec<u8>), usize>,
    /// Keys that the present command has changed.
    changed: Vec<(u32, Vec<u8>)>,
    now: usize,
    most: usize,
}

impl Weights {
    /// A key is another one.
    pub(super) fn changes(&mut self, db: u32, key: &[u8]) {
        self.changed.push((db, key.to_vec()));
    }

    /// A database is emptied.
    pub(super) fn empties(&mut self, db: u32) {
        self.of_keys.retain(|(of, _), _| *of != db);
        self.now = self.of_keys.values().sum();
    }
}

impl Model {
    /// Weighs again what the command behind has changed.
    pub(super) fn weigh(&mut self) {
        while let Some((db, key)) = self.weights.changed.pop() {
            let items = self.databases.get(&db);
            let item = items.and_then(|items| items.get(&key));
            let new = item.map_or(0, |item| KEY_BYTES + key.len() + weight(item));
            let old = match new {
                0 => self.weights.of_keys.remove(&(db, key)),
                new => self.weights.of_keys.insert((db, key), new),
            };
            self.weights.now = self.weights.now + new - old.unwrap_or(0);
        }
        self.weights.most = self.weights.most.max(self.weights.now);
    }

    /// The most memory that keys and values may have taken since the log began.
    pub(crate) fn weight_once(&self) -> usize {
        self.weights.most
    }
}

fn weight(item: &Item) -> usize {
    match &item.datum {
        // A run has room for a quarter more.
        Datum::Text(text, _) => text.len() + text.len() / 4,
        Datum::Hash(fields) => {
            let fields = fields.iter();
            HASH_BYTES
                + fields
                    .map(|(f, v)| FIELD_BYTES + f.len() + v.len())
                    .sum::<usize>()
        }
        Datum::Zset(members) => {
            let members = members.keys();
            ZSET_BYTES + members.map(|m| MEMBER_BYTES + 3 * m.len()).sum::<usize>()
        }
        Datum::List(items) => {
            let items = items.iter().map(|item| ITEM_BYTES + 2 * item.len());
            LIST_BYTES + items.sum::<usize>()
        }
        Datum::Set(members) => {
            let bytes = members.iter().map(|member| FIELD_BYTES + member.len());
            HASH_BYTES + bytes.sum::<usize>()
        }
    }
}
