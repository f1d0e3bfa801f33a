//! S1: the store against the model, key by key.

use std::collections::BTreeMap;

use seedis::store::{Store, Value};
use seedis::time::Stamp;

use super::Judge;
use super::invariant::{Id, Verdict, Violation};
use crate::model::{DATABASES, Datum, Item};
use crate::wire::shown;

impl Judge {
    /// S1: all keys, values and times of a member's store are those of the model.
    pub(crate) fn audit(&self, member: usize, store: &Store) -> Verdict {
        let history = &self.members[member].history;
        let at = history.stamp;
        for db in 0..DATABASES {
            let mut found: BTreeMap<Vec<u8>, Item> = BTreeMap::new();
            store.for_each_key(db, Stamp(at), &mut |key, value| {
                let datum = match value {
                    Value::String(text) => Datum::Text(text.to_vec()),
                    Value::Hash(hash) => {
                        let fields = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec()));
                        Datum::Hash(fields.collect())
                    }
                };
                let expiry = store.expiry(db, key).map(|stamp| stamp.0);
                found.insert(key.to_vec(), Item { datum, expiry });
            });
            for (key, item) in history.model.live(db, at) {
                match found.remove(key) {
                    Some(other) if other == *item => {}
                    other => {
                        let key = shown(key);
                        let text =
                            format!("db {db} key {key}: the store has {other:?}, not {item:?}");
                        return Err(Violation::new(Id::S1, text));
                    }
                }
            }
            if let Some((key, item)) = found.first_key_value() {
                let key = shown(key);
                let text = format!("db {db} key {key}: the store has {item:?}, the model nothing");
                return Err(Violation::new(Id::S1, text));
            }
        }
        Ok(())
    }
}
