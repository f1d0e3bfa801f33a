//! S1, S2, S8, S12: the store against the model, key by key, and against those of other members.

use std::collections::BTreeMap;

use seedis::store::{End, Store, Text, Value};
use seedis::time::Stamp;

use super::dialogue::{Dialogue, Seen};
use super::invariant::{Id, Verdict, Violation};
use super::{Judge, Member};
use crate::model::want::Score;
use crate::model::{DATABASES, Datum, Encoding, Item, Model, WILD};
use crate::wire::shown;

/// The memory that the store may hold whatever its keys are: empty tables, and room to work in.
const MEMORY_FIXED: usize = 64 << 10;
/// How often it may hold what its keys and values have weighed at most: copies for a base, what was
/// removed and is not freed yet.
const MEMORY_FACTOR: usize = 3;

/// How a store keeps its keys: what two members have alike, whatever else they have been through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// The secret that orders its tables.
    seed: Option<u128>,
    /// The bytes of keys that stand in pages.
    paged: usize,
    /// The bytes of all tables, where the entries alone decide that.
    tables: Option<usize>,
}

impl Judge {
    /// The stamp up to which a member has applied entries, in milliseconds.
    pub(crate) fn stamp(&self, member: usize) -> u64 {
        self.members[member].history.stamp
    }

    /// Returns true if a member has applied all of the last entry that it has begun.
    pub(crate) fn is_whole(&self, member: usize) -> bool {
        self.members[member].history.ahead.is_empty()
    }

    /// S2: a member has this state behind an entry.
    pub(super) fn has_state(&mut self, member: usize, index: u64, digest: u128) -> Verdict {
        let known = *self.states.entry(index).or_insert(digest);
        if known == digest {
            return Ok(());
        }
        let text = format!("member {member} has state {digest:x} at {index}, it was {known:x}");
        Err(Violation::new(Id::S2, text))
    }

    /// S2, S12: behind an entry a member's tables are ordered by the same secret as those of others
    /// (or by none yet), and take the same memory.
    fn has_shape(&mut self, member: usize, index: u64, shape: Shape) -> Verdict {
        let known = self.shapes.entry(index).or_insert(shape);
        let was = *known;
        known.tables = known.tables.or(shape.tables);
        if was.seed != shape.seed {
            let (seed, was) = (shape.seed, was.seed);
            let text = format!("member {member} has order {seed:x?} at {index}, it was {was:x?}");
            return Err(Violation::new(Id::S2, text));
        }
        let both = was.tables.zip(shape.tables);
        if was.paged != shape.paged || both.is_some_and(|(one, other)| one != other) {
            let text = format!(
                "member {member} has {} bytes in pages and {:?} in tables at {index}, it was {} \
                 and {:?}",
                shape.paged, shape.tables, was.paged, was.tables
            );
            return Err(Violation::new(Id::S12, text));
        }
        Ok(())
    }

    /// Behind a turn: which watched keys are others now, where the model does not know. A write
    /// before the end of a turn in which EXEC is not executed comes before that EXEC.
    pub(crate) fn look_at_watches(&mut self, member: usize, store: &Store) {
        let at = self.members[member].history.stamp;
        let here = |dialogue: &&mut Dialogue| dialogue.member == member;
        for dialogue in self.dialogues.values_mut().filter(here) {
            for watch in dialogue.watched.iter_mut().filter(|w| w.db == WILD) {
                let now = item_of(store, WILD, &watch.key, at).map(without_form);
                match &watch.seen {
                    Seen::Nothing => watch.seen = Seen::Always(now),
                    // The clock may have said before WATCH that it was dead.
                    Seen::Always(Some(seen)) if seen.expiry.is_some() && now.is_none() => {}
                    Seen::Always(seen) if *seen != now => watch.seen = Seen::Changed,
                    Seen::Always(_) | Seen::Changed => {}
                }
            }
        }
    }

    /// S1: all keys, values and times of a member's store are those of the model. `recovered`: it
    /// has just come back.
    pub(crate) fn audit(&mut self, member: usize, store: &Store, recovered: bool) -> Verdict {
        let Member { history, .. } = &mut self.members[member];
        let at = history.stamp;
        let mut takes = 0;
        knows_the_next(store, at)?;
        for db in (0..DATABASES).filter(|db| *db != WILD) {
            if let Some(bytes) = equal(store, &history.model, db, at) {
                takes += bytes;
                continue;
            }
            // They differ: the same once more, slowly, for the words that say where.
            let mut found: BTreeMap<Vec<u8>, Item> = BTreeMap::new();
            store.for_each_key(db, Stamp(at), &mut |key, value| {
                found.insert(key.to_vec(), item(store, db, key, &value));
            });
            for (key, item) in history.model.live(db, at) {
                takes += key.len() + bytes_of(&item.datum);
                match found.remove(key) {
                    Some(other) if other == *item => {}
                    other => {
                        let id = history.blame((db, key), other.as_ref(), recovered);
                        let key = shown(key);
                        let text =
                            format!("db {db} key {key}: the store has {other:?}, not {item:?}");
                        return Err(Violation::new(id, text));
                    }
                }
            }
            if let Some((key, item)) = found.first_key_value() {
                let id = history.blame((db, key), Some(item), recovered);
                let key = shown(key);
                let text = format!("db {db} key {key}: the store has {item:?}, the model nothing");
                return Err(Violation::new(id, text));
            }
        }
        let whole = history.ahead.is_empty().then_some(history.applied);
        let most = history.model.weight_once();
        let memory = store.memory();
        if memory < takes || memory > MEMORY_FIXED + MEMORY_FACTOR * most {
            let text = format!("the account says {memory} bytes, for {takes} now and {most} once");
            return Err(Violation::new(Id::S8, text));
        }
        match whole {
            Some(index) => {
                let shape = Shape {
                    seed: store.seed(),
                    paged: store.paged_bytes(Stamp(at)),
                    tables: store.tables_memory(),
                };
                self.has_shape(member, index, shape)?;
                self.has_state(member, index, store.digest(Stamp(at)))
            }
            None => Ok(()),
        }
    }
}

/// S14: no key dies before the store looks for dead ones.
fn knows_the_next(store: &Store, at: u64) -> Verdict {
    let next = store.next_expiry().map_or(u64::MAX, |stamp| stamp.0);
    for db in 0..DATABASES {
        let mut early = None;
        store.for_each_key(db, Stamp(at), &mut |key, _| {
            let dies = store.expiry(db, key).map(|stamp| stamp.0);
            early = dies.filter(|dies| *dies < next).or(early);
        });
        if let Some(dies) = early {
            let text = format!("a key of db {db} dies at {dies}, and the store looks at {next}");
            return Err(Violation::new(Id::S14, text));
        }
    }
    Ok(())
}

/// Compares one database with the model, key by key; what its keys and values take at least, if
/// they are equal.
fn equal(store: &Store, model: &Model, db: u32, at: u64) -> Option<usize> {
    let (mut count, mut takes, mut same) = (0, 0, true);
    store.for_each_key(db, Stamp(at), &mut |key, value| {
        let Some(item) = model.get(db, key, at) else {
            same = false;
            return;
        };
        let expiry = store.expiry(db, key).map(|stamp| stamp.0);
        same &= expiry == item.expiry && holds(&value, &item.datum);
        count += 1;
        takes += key.len() + bytes_of(&item.datum);
    });
    (same && model.live(db, at).count() == count).then_some(takes)
}

fn holds(value: &Value<'_>, datum: &Datum) -> bool {
    match (value, datum) {
        (Value::String(found), Datum::Text(text, encoding)) => {
            let same = match found {
                Text::Bytes(bytes) | Text::Raw(bytes) => bytes == text,
                Text::Integer(_) | Text::Rope(_) => found.to_vec() == *text,
            };
            same && found.encoding() == encoding.name()
        }
        (Value::Hash(hash), Datum::Hash(fields)) => {
            let mut count = 0;
            let has =
                |field: &[u8], value: &[u8]| fields.get(field).is_some_and(|own| own == value);
            hash.iter()
                .inspect(|_| count += 1)
                .all(|(field, value)| has(field, value))
                && count == fields.len()
        }
        (Value::List(list), Datum::List(items)) => {
            let shown = list.walk(0, End::Back).map(Text::to_vec);
            list.len() == items.len() && shown.eq(items.iter().cloned())
        }
        (Value::Set(set), Datum::Set(members)) => {
            let mut count = 0;
            let counted = set.iter().inspect(|_| count += 1);
            { counted }.all(|member| members.contains(&member.to_vec())) && count == members.len()
        }
        (Value::Zset(zset), Datum::Zset(members)) => {
            let known = |(member, score): (&[u8], f64)| members.get(member) == Some(&Score(score));
            let mut last: Option<(&[u8], f64)> = None;
            let mut rises = |(member, score)| {
                let before = last.replace((member, score));
                before.is_none_or(|(other, low)| low < score || low <= score && other < member)
            };
            zset.len() == members.len()
                && zset.walk(0).count() == members.len()
                && zset.walk(0).all(|entry| known(entry) && rises(entry))
        }
        // Not whatever else: of a new type the compiler asks here.
        (
            Value::String(_) | Value::Hash(_) | Value::List(_) | Value::Set(_) | Value::Zset(_),
            _,
        ) => false,
    }
}

/// The first key in which two stores differ, for people.
pub(crate) fn difference(one: &Store, other: &Store, at: u64) -> String {
    let mut words = String::new();
    for db in 0..DATABASES {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for store in [one, other] {
            store.for_each_key(db, Stamp(at), &mut |key, _| keys.push(key.to_vec()));
        }
        let differs = |key: &&Vec<u8>| item_of(one, db, key, at) != item_of(other, db, key, at);
        if let Some(key) = keys.iter().find(differs).filter(|_| words.is_empty()) {
            let [one, other] = [one, other].map(|store| item_of(store, db, key, at));
            let key = shown(key);
            words = format!("db {db} key {key} is {one:?}, not {other:?}");
        }
    }
    words
}

/// The value that the store holds at a key that is alive.
pub(super) fn item_of(store: &Store, db: u32, key: &[u8], at: u64) -> Option<Item> {
    let value = store.get(db, key, Stamp(at))?;
    Some(item(store, db, key, &value))
}

fn item(store: &Store, db: u32, key: &[u8], value: &Value<'_>) -> Item {
    let datum = match value {
        Value::String(text) => {
            let all = [Encoding::Int, Encoding::Embstr, Encoding::Raw];
            let encoding = all
                .into_iter()
                .find(|encoding| encoding.name() == text.encoding());
            Datum::Text(text.to_vec(), encoding.expect("a string has one of three"))
        }
        Value::Hash(hash) => {
            let fields = hash.iter().map(|(f, v)| (f.to_vec(), v.to_vec()));
            Datum::Hash(fields.collect())
        }
        Value::Zset(zset) => {
            let members = zset
                .walk(0)
                .map(|(member, score)| (member.to_vec(), Score(score)));
            Datum::Zset(members.collect())
        }
        Value::List(list) => Datum::List(list.walk(0, End::Back).map(Text::to_vec).collect()),
        Value::Set(set) => Datum::Set(set.iter().map(Text::to_vec).collect()),
    };
    let expiry = store.expiry(db, key).map(|stamp| stamp.0);
    Item { datum, expiry }
}

/// The least memory that a value takes.
fn bytes_of(datum: &Datum) -> usize {
    // Whatever is short may be a number that is kept as such.
    const NUMBER_BYTES_MAX: usize = 20;
    let least = |text: &Vec<u8>| match text.len() {
        0..=NUMBER_BYTES_MAX => 0,
        len => len,
    };
    match datum {
        Datum::Text(text, _) => least(text),
        Datum::Hash(fields) => fields.iter().map(|(f, v)| least(f) + least(v)).sum(),
        Datum::List(items) => items.iter().map(least).sum(),
        Datum::Set(members) => members.iter().map(least).sum(),
        Datum::Zset(members) => members.keys().map(least).sum(),
    }
}

/// The item of a string without the form in which it is kept: a write that changes nothing may keep
/// it in another one.
fn without_form(mut item: Item) -> Item {
    if let Datum::Text(_, encoding) = &mut item.datum {
        *encoding = Encoding::Raw;
    }
    item
}
