//! The naive store: what every other one must equal.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{DbId, End, Text, Value, WrongType, parse_i64};
use crate::time::Stamp;

pub(super) type Fields = BTreeMap<Vec<u8>, Vec<u8>>;
pub(super) type Members = BTreeSet<Vec<u8>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Datum {
    /// With its encoding.
    Text(Vec<u8>, &'static str),
    Hash(Fields),
    List(Vec<Vec<u8>>),
    Set(Members),
    /// Scores as bits.
    Zset(BTreeMap<Vec<u8>, u64>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) datum: Datum,
    pub(super) expiry: Option<Stamp>,
}

impl Item {
    fn live(&self, at: Stamp) -> bool {
        self.expiry.is_none_or(|time| time > at)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) keys: BTreeMap<(DbId, Vec<u8>), Item>,
}

impl Model {
    /// Takes up what a store shows; whether the key was shown before.
    pub(super) fn show(
        &mut self,
        db: DbId,
        key: &[u8],
        value: Value<'_>,
        expiry: Option<Stamp>,
    ) -> bool {
        let datum = match value {
            Value::String(text) => Datum::Text(text.to_vec(), text.encoding()),
            Value::Hash(hash) => {
                let fields: Fields = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec())).collect();
                assert_eq!(fields.len(), hash.len());
                Datum::Hash(fields)
            }
            Value::Zset(zset) => {
                let pairs = zset.walk(0).map(|(member, score)| (member.to_vec(), score));
                let pairs: Vec<_> = pairs.collect();
                assert!(pairs.is_sorted_by(
                    |one, other| one.1 < other.1 || one.1 <= other.1 && one.0 < other.0
                ));
                assert_eq!(pairs.len(), zset.len());
                let bits = pairs
                    .into_iter()
                    .map(|(member, score)| (member, score.to_bits()));
                Datum::Zset(bits.collect())
            }
            Value::List(list) => {
                let items: Vec<_> = list.walk(0, End::Back).map(Text::to_vec).collect();
                assert_eq!(items.len(), list.len());
                Datum::List(items)
            }
            Value::Set(set) => {
                let members: Members = set.iter().map(Text::to_vec).collect();
                assert_eq!(members.len(), set.len());
                Datum::Set(members)
            }
        };
        let item = Item { datum, expiry };
        self.keys.insert((db, key.to_vec()), item).is_some()
    }

    /// Forgets what is dead.
    pub(super) fn bury(&mut self, at: Stamp) {
        self.keys.retain(|_, item| item.live(at));
    }

    pub(super) fn text(&self, db: DbId, key: &[u8]) -> Result<Option<Vec<u8>>, WrongType> {
        match self.keys.get(&(db, key.to_vec())).map(|item| &item.datum) {
            None => Ok(None),
            Some(Datum::Text(text, _)) => Ok(Some(text.clone())),
            Some(_) => Err(WrongType),
        }
    }

    pub(super) fn expiry(&self, db: DbId, key: &[u8]) -> Option<Stamp> {
        self.keys.get(&(db, key.to_vec()))?.expiry
    }

    pub(super) fn put(&mut self, db: DbId, key: &[u8], text: &[u8], expiry: Option<Stamp>) {
        let encoding = match parse_i64(text) {
            Some(_) => "int",
            None if text.len() <= 44 => "embstr",
            None => "raw",
        };
        self.put_as(db, key, (text, encoding), expiry);
    }

    fn put_as(
        &mut self,
        db: DbId,
        key: &[u8],
        (text, encoding): (&[u8], &'static str),
        expiry: Option<Stamp>,
    ) {
        let datum = Datum::Text(text.to_vec(), encoding);
        self.keys.insert((db, key.to_vec()), Item { datum, expiry });
    }

    pub(super) fn splice(
        &mut self,
        db: DbId,
        key: &[u8],
        offset: Option<usize>,
        bytes: &[u8],
    ) -> Result<usize, WrongType> {
        let old = self.text(db, key)?;
        if bytes.is_empty() && offset.is_some() {
            return Ok(old.map_or(0, |text| text.len()));
        }
        if old.is_none() && offset.is_none() {
            self.put(db, key, bytes, None);
            return Ok(bytes.len());
        }
        let mut text = old.unwrap_or_default();
        let offset = offset.unwrap_or(text.len());
        let end = offset + bytes.len();
        if text.len() < end {
            text.resize(end, 0);
        }
        text[offset..end].copy_from_slice(bytes);
        self.put_as(db, key, (&text, "raw"), self.expiry(db, key));
        Ok(text.len())
    }

    /// The fields of a hash, which is made where it is absent.
    pub(super) fn fields(&mut self, db: DbId, key: &[u8]) -> Result<&mut Fields, WrongType> {
        let item = self.keys.entry((db, key.to_vec())).or_insert_with(|| Item {
            datum: Datum::Hash(Fields::new()),
            expiry: None,
        });
        match &mut item.datum {
            Datum::Hash(fields) => Ok(fields),
            _ => Err(WrongType),
        }
    }

    /// The items of a list, which is made where it is absent.
    pub(super) fn items(&mut self, db: DbId, key: &[u8]) -> Result<&mut Vec<Vec<u8>>, WrongType> {
        let item = self.keys.entry((db, key.to_vec())).or_insert_with(|| Item {
            datum: Datum::List(Vec::new()),
            expiry: None,
        });
        match &mut item.datum {
            Datum::List(items) => Ok(items),
            _ => Err(WrongType),
        }
    }

    /// The members of a sorted set, which is made where it is absent.
    pub(super) fn scores(
        &mut self,
        db: DbId,
        key: &[u8],
    ) -> Result<&mut BTreeMap<Vec<u8>, u64>, WrongType> {
        let item = self.keys.entry((db, key.to_vec())).or_insert_with(|| Item {
            datum: Datum::Zset(BTreeMap::new()),
            expiry: None,
        });
        match &mut item.datum {
            Datum::Zset(members) => Ok(members),
            _ => Err(WrongType),
        }
    }

    /// The members of a set, which is made where it is absent.
    pub(super) fn members(&mut self, db: DbId, key: &[u8]) -> Result<&mut Members, WrongType> {
        let item = self.keys.entry((db, key.to_vec())).or_insert_with(|| Item {
            datum: Datum::Set(Members::new()),
            expiry: None,
        });
        match &mut item.datum {
            Datum::Set(members) => Ok(members),
            _ => Err(WrongType),
        }
    }

    /// Forgets what has nothing in it.
    pub(super) fn tidy(&mut self, db: DbId, key: &[u8]) {
        let key = (db, key.to_vec());
        let is_empty = match self.keys.get(&key).map(|item| &item.datum) {
            None | Some(Datum::Text(..)) => false,
            Some(Datum::Hash(fields)) => fields.is_empty(),
            Some(Datum::List(items)) => items.is_empty(),
            Some(Datum::Set(members)) => members.is_empty(),
            Some(Datum::Zset(members)) => members.is_empty(),
        };
        if is_empty {
            self.keys.remove(&key);
        }
    }

    pub(super) fn rename(&mut self, db: DbId, from: &[u8], to_db: DbId, to: &[u8]) -> bool {
        match self.keys.remove(&(db, from.to_vec())) {
            None => false,
            Some(item) => {
                self.keys.insert((to_db, to.to_vec()), item);
                true
            }
        }
    }

    pub(super) fn copy(&mut self, db: DbId, from: &[u8], to_db: DbId, to: &[u8]) -> bool {
        match self.keys.get(&(db, from.to_vec())).cloned() {
            None => false,
            Some(item) => {
                self.keys.insert((to_db, to.to_vec()), item);
                true
            }
        }
    }

    pub(super) fn flush(&mut self, db: DbId) {
        self.keys.retain(|(held, _), _| *held != db);
    }

    pub(super) fn len(&self, db: DbId) -> u64 {
        self.keys.keys().filter(|(held, _)| *held == db).count() as u64
    }
}
