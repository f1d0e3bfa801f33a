//! Keys and values; knows neither wire nor log.
//!
//! A `Store` holds sixteen databases. Time comes in as a stamp with every call: a key whose time is
//! at or before that stamp is dead, which means absent. Reading never changes anything; freeing
//! what is dead is upkeep, and cannot be seen from outside except in counts of memory and of keys.

pub mod glob;
mod text;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::limits::DATABASES;
use crate::time::Stamp;

pub use text::{Scratch, Text, format_i64, parse_i64};

/// The number of a database; below `limits::DATABASES`, or the call panics.
pub type DbId = u32;

/// A key holds another type of value than the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// Why a piece of a base cannot be loaded; the store is then of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The piece ends within a record.
    Cut,
    /// The piece holds a record or a value that this version does not know, or that cannot be.
    Malformed,
}

/// What a lookup shows.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A string, or an integer kept as such.
    String(Text<'a>),
    /// A hash.
    Hash(Hash<'a>),
}

/// When a key that is written shall expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewExpiry {
    /// As before (KEEPTTL); never, where the key is new.
    Keep,
    /// Never.
    Never,
    /// At this stamp.
    At(Stamp),
}

/// What `expire_due` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Dead keys that were freed.
    pub freed: u64,
    /// Whether more are due at the same stamp.
    pub more: bool,
}

#[derive(Clone, Debug)]
enum Kept {
    Integer(i64),
    Bytes(Vec<u8>),
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
}

#[derive(Clone, Debug)]
struct Entry {
    expiry: Option<Stamp>,
    value: Kept,
}

impl Entry {
    fn live(&self, at: Stamp) -> bool {
        self.expiry.is_none_or(|time| time > at)
    }

    fn value(&self) -> Value<'_> {
        match &self.value {
            Kept::Integer(number) => Value::String(Text::Integer(*number)),
            Kept::Bytes(bytes) => Value::String(Text::Bytes(bytes)),
            Kept::Hash(fields) => Value::Hash(Hash { fields }),
        }
    }
}

/// Sixteen databases of keys and values.
#[derive(Debug)]
pub struct Store {
    hash_seed: u64,
    databases: Vec<BTreeMap<Vec<u8>, Entry>>,
    base: Option<Vec<u8>>,
    /// A time at or before the earliest expiry.
    soonest: Option<Stamp>,
}

impl Store {
    /// An empty store whose tables are ordered by a hash with this seed.
    #[must_use]
    pub fn new(hash_seed: u64) -> Self {
        Self {
            hash_seed,
            databases: (0..DATABASES).map(|_| BTreeMap::new()).collect(),
            base: None,
            soonest: None,
        }
    }

    /// The seed that the store was made with.
    #[must_use]
    pub fn hash_seed(&self) -> u64 {
        self.hash_seed
    }

    fn live(&self, db: DbId, key: &[u8], at: Stamp) -> Option<&Entry> {
        self.databases[db as usize]
            .get(key)
            .filter(|entry| entry.live(at))
    }

    /// The value of `key`; `None` where it is absent or dead.
    #[must_use]
    pub fn get(&self, db: DbId, key: &[u8], at: Stamp) -> Option<Value<'_>> {
        self.live(db, key, at).map(Entry::value)
    }

    /// The string at `key`; an error where it holds another type.
    pub fn text(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<Text<'_>>, WrongType> {
        match self.get(db, key, at) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Hash(_)) => Err(WrongType),
        }
    }

    /// The hash at `key`; an error where it holds another type.
    pub fn hash(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<Hash<'_>>, WrongType> {
        match self.get(db, key, at) {
            None => Ok(None),
            Some(Value::Hash(hash)) => Ok(Some(hash)),
            Some(Value::String(_)) => Err(WrongType),
        }
    }

    /// Whether `key` is present and live.
    #[must_use]
    pub fn contains(&self, db: DbId, key: &[u8], at: Stamp) -> bool {
        self.live(db, key, at).is_some()
    }

    /// The time at which a present key expires, be it dead already or not; `None` also where it is
    /// absent.
    #[must_use]
    pub fn expiry(&self, db: DbId, key: &[u8]) -> Option<Stamp> {
        self.databases[db as usize]
            .get(key)
            .and_then(|entry| entry.expiry)
    }

    /// The type as TYPE names it: `string` or `hash`; `None` where the key is absent or dead.
    #[must_use]
    pub fn type_name(&self, db: DbId, key: &[u8], at: Stamp) -> Option<&'static str> {
        self.get(db, key, at).map(|value| value.type_name())
    }

    /// The encoding as OBJECT ENCODING names it: `int`, `embstr`, `raw`, `listpack` or `hashtable`.
    #[must_use]
    pub fn encoding(&self, db: DbId, key: &[u8], at: Stamp) -> Option<&'static str> {
        self.get(db, key, at).map(|value| value.encoding())
    }

    /// How many keys `db` holds, dead ones that are not freed yet included (as DBSIZE counts in
    /// Redis).
    #[must_use]
    pub fn len(&self, db: DbId) -> u64 {
        self.databases[db as usize].len() as u64
    }

    /// How many keys of `db` are live. Costs a look at every key that is dead and not freed yet.
    #[must_use]
    pub fn live_len(&self, db: DbId, at: Stamp) -> u64 {
        self.databases[db as usize]
            .values()
            .filter(|entry| entry.live(at))
            .count() as u64
    }

    /// Whether no database holds a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.databases.iter().all(BTreeMap::is_empty)
    }

    /// How many keys of `db` have an expiry, dead ones that are not freed yet included.
    #[must_use]
    pub fn volatile_len(&self, db: DbId) -> u64 {
        self.databases[db as usize]
            .values()
            .filter(|entry| entry.expiry.is_some())
            .count() as u64
    }

    /// A live key chosen by the 64 random bits of `draw`; each about as likely as any other.
    #[must_use]
    pub fn random_key(&self, db: DbId, draw: u64, at: Stamp) -> Option<&[u8]> {
        let live: Vec<_> = self.databases[db as usize]
            .iter()
            .filter(|(_, entry)| entry.live(at))
            .collect();
        let nth = crate::rng::below(draw, live.len() as u64) as usize;
        live.get(nth).map(|(key, _)| key.as_slice())
    }

    /// Shows about `count` live keys from `cursor` on and returns the cursor to go on with; 0
    /// begins, and 0 ends.
    ///
    /// A key that is present during a whole iteration is shown at least once, whatever else comes
    /// and goes.
    pub fn scan(
        &self,
        db: DbId,
        cursor: u64,
        count: usize,
        at: Stamp,
        show: &mut dyn FnMut(&[u8], Value<'_>),
    ) -> u64 {
        let mut next = cursor;
        let rest = self.databases[db as usize]
            .iter()
            .skip(cursor as usize)
            .take(count.max(1));
        for (key, entry) in rest {
            next += 1;
            if entry.live(at) {
                show(key, entry.value());
            }
        }
        if next >= self.len(db) { 0 } else { next }
    }

    /// Shows every live key of `db`.
    pub fn for_each_key(&self, db: DbId, at: Stamp, show: &mut dyn FnMut(&[u8], Value<'_>)) {
        for (key, entry) in &self.databases[db as usize] {
            if entry.live(at) {
                show(key, entry.value());
            }
        }
    }

    fn drop_dead(&mut self, db: DbId, key: &[u8], at: Stamp) {
        let table = &mut self.databases[db as usize];
        if table.get(key).is_some_and(|entry| !entry.live(at)) {
            table.remove(key);
        }
    }

    fn put(&mut self, db: DbId, key: &[u8], value: Kept, expiry: NewExpiry, at: Stamp) {
        self.drop_dead(db, key, at);
        let expiry = match expiry {
            NewExpiry::Keep => self.expiry(db, key),
            NewExpiry::Never => None,
            NewExpiry::At(time) => Some(time),
        };
        self.note_expiry(expiry);
        self.databases[db as usize].insert(key.to_vec(), Entry { expiry, value });
    }

    fn note_expiry(&mut self, expiry: Option<Stamp>) {
        self.soonest = self.soonest.into_iter().chain(expiry).min();
    }

    /// Makes `key` a string with this value, whatever it was; a canonical integer is kept as an
    /// integer.
    pub fn set_string(&mut self, db: DbId, key: &[u8], value: &[u8], expiry: NewExpiry, at: Stamp) {
        let value = match Text::of(value) {
            Text::Integer(number) => Kept::Integer(number),
            Text::Bytes(bytes) => Kept::Bytes(bytes.to_vec()),
        };
        self.put(db, key, value, expiry, at);
    }

    /// Makes `key` an integer, whatever it was.
    pub fn set_integer(&mut self, db: DbId, key: &[u8], value: i64, expiry: NewExpiry, at: Stamp) {
        self.put(db, key, Kept::Integer(value), expiry, at);
    }

    /// Appends to the string at `key`, which is made where it is absent; returns its new length in
    /// bytes.
    ///
    /// The caller has checked that the length stays within `limits::BULK_BYTES_MAX`.
    pub fn append(
        &mut self,
        db: DbId,
        key: &[u8],
        bytes: &[u8],
        at: Stamp,
    ) -> Result<usize, WrongType> {
        let mut text = self.text(db, key, at)?.map_or_else(Vec::new, Text::to_vec);
        text.extend_from_slice(bytes);
        self.set_string(db, key, &text, NewExpiry::Keep, at);
        Ok(text.len())
    }

    /// Overwrites the string at `key` from `offset` on, with zeros in between where it is shorter
    /// or absent; returns its new length in bytes. With no `bytes` nothing changes.
    ///
    /// The caller has checked that the length stays within `limits::BULK_BYTES_MAX`.
    pub fn set_range(
        &mut self,
        db: DbId,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
        at: Stamp,
    ) -> Result<usize, WrongType> {
        let mut text = self.text(db, key, at)?.map_or_else(Vec::new, Text::to_vec);
        if bytes.is_empty() {
            return Ok(text.len());
        }
        let end = offset + bytes.len();
        if text.len() < end {
            text.resize(end, 0);
        }
        text[offset..end].copy_from_slice(bytes);
        self.set_string(db, key, &text, NewExpiry::Keep, at);
        Ok(text.len())
    }

    /// The live hash at `key`, to be changed; `None` where the key is absent, an error where it
    /// holds another type.
    pub fn hash_mut<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<Option<HashMut<'a>>, WrongType> {
        Ok(self.hash(db, key, at)?.is_some().then_some(HashMut {
            store: self,
            db,
            key,
        }))
    }

    /// The hash at `key`, to be changed; where it is absent, the first field that is set makes it
    /// (with no expiry).
    pub fn hash_or_new<'a>(
        &'a mut self,
        db: DbId,
        key: &'a [u8],
        at: Stamp,
    ) -> Result<HashMut<'a>, WrongType> {
        self.hash(db, key, at)?;
        self.drop_dead(db, key, at);
        Ok(HashMut {
            store: self,
            db,
            key,
        })
    }

    /// Removes `key`; whether it was there and live. What is huge is freed later, in steps.
    pub fn remove(&mut self, db: DbId, key: &[u8], at: Stamp) -> bool {
        self.databases[db as usize]
            .remove(key)
            .is_some_and(|entry| entry.live(at))
    }

    /// Sets the expiry of a live key, or takes it away; whether the key was there. A time that is
    /// not after `at` leaves the key dead, and not yet freed.
    pub fn set_expiry(&mut self, db: DbId, key: &[u8], expiry: Option<Stamp>, at: Stamp) -> bool {
        self.note_expiry(expiry);
        match self.databases[db as usize].get_mut(key) {
            Some(entry) if entry.live(at) => {
                entry.expiry = expiry;
                true
            }
            _ => false,
        }
    }

    /// Moves a live value with its expiry from one key to another, which is replaced; whether it
    /// was there. Renaming a key to itself changes nothing.
    pub fn rename(&mut self, db: DbId, from: &[u8], to_db: DbId, to: &[u8], at: Stamp) -> bool {
        self.drop_dead(db, from, at);
        let Some(entry) = self.databases[db as usize].remove(from) else {
            return false;
        };
        self.databases[to_db as usize].insert(to.to_vec(), entry);
        true
    }

    /// Copies a live value with its expiry to another key, which is replaced; whether it was there.
    /// Copying a key to itself changes nothing.
    pub fn copy(&mut self, db: DbId, from: &[u8], to_db: DbId, to: &[u8], at: Stamp) -> bool {
        let Some(entry) = self.live(db, from, at).cloned() else {
            return false;
        };
        self.databases[to_db as usize].insert(to.to_vec(), entry);
        true
    }

    /// Empties one database at once; its memory is freed later, in steps.
    pub fn flush(&mut self, db: DbId) {
        self.databases[db as usize].clear();
    }

    /// Empties all databases at once; their memory is freed later, in steps.
    pub fn flush_all(&mut self) {
        for db in 0..DATABASES {
            self.flush(db);
        }
    }

    /// Frees keys that are dead at `now`, doing at most about `budget` units of work (a unit is a
    /// key looked at or freed). It changes nothing that a read at `now` or later can see.
    pub fn expire_due(&mut self, now: Stamp, budget: usize) -> Expired {
        let mut done = Expired::default();
        if self.soonest.is_none_or(|time| time > now) {
            return done;
        }
        for table in &mut self.databases {
            table.retain(|_, entry| {
                let keep = entry.live(now) || done.freed >= budget as u64;
                done.more |= !entry.live(now) && keep;
                done.freed += u64::from(!keep);
                keep
            });
        }
        let entries = self.databases.iter().flat_map(BTreeMap::values);
        self.soonest = entries.filter_map(|entry| entry.expiry).min();
        done
    }

    /// A time at or before the earliest expiry of any key; `None` where no key expires. It may be
    /// earlier than the truth until `expire_due` has looked.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Stamp> {
        self.soonest
    }

    /// Frees memory of what was removed or flushed, doing at most about `budget` units of work;
    /// whether more is left.
    pub fn step(&mut self, budget: usize) -> bool {
        let _ = budget;
        false
    }

    /// A digest of all live keys with their types, values and expiries: equal for equal states,
    /// whatever their history, capacity, encoding or seed. Walks everything.
    #[must_use]
    pub fn digest(&self, at: Stamp) -> u128 {
        use core::hash::{BuildHasher, Hash};
        #[derive(Hash)]
        enum Shown<'a> {
            Text(&'a [u8]),
            Hash(&'a BTreeMap<Vec<u8>, Vec<u8>>),
        }
        let mut sum = 0u128;
        for (db, table) in self.databases.iter().enumerate() {
            for (key, entry) in table.iter().filter(|(_, entry)| entry.live(at)) {
                let mut scratch = [0; 20];
                let shown = match entry.value() {
                    Value::String(text) => Shown::Text(text.as_bytes(&mut scratch)),
                    Value::Hash(hash) => Shown::Hash(hash.fields),
                };
                let item = (db as u64, key, entry.expiry, shown);
                let low = foldhash::quality::FixedState::with_seed(1).hash_one(&item);
                let high = foldhash::quality::FixedState::with_seed(2).hash_one(&item);
                sum = sum.wrapping_add(u128::from(high) << 64 | u128::from(low));
            }
        }
        sum
    }

    /// About how many bytes of memory one present key takes with its value; `None` where it is
    /// absent.
    #[must_use]
    pub fn memory_usage(&self, db: DbId, key: &[u8]) -> Option<usize> {
        let entry = self.databases[db as usize].get(key)?;
        let value = match entry.value() {
            Value::String(text) => text.len(),
            Value::Hash(hash) => hash
                .iter()
                .map(|(field, value)| field.len() + value.len())
                .sum(),
        };
        Some(48 + key.len() + value)
    }

    /// The bytes of memory that the store holds, what waits to be freed included.
    #[must_use]
    pub fn memory(&self) -> usize {
        (0..DATABASES)
            .flat_map(|db| self.databases[db as usize].keys().map(move |key| (db, key)))
            .filter_map(|(db, key)| self.memory_usage(db, key))
            .sum()
    }

    /// Begins a base: the state as it is now will be handed out in pieces while the store goes on
    /// changing. A base that was under way is aborted.
    pub fn base_begin(&mut self) {
        let mut all = Vec::new();
        for (db, table) in self.databases.iter().enumerate() {
            for (key, entry) in table {
                write_entry(&mut all, db as u32, key, entry);
            }
        }
        self.base = Some(all);
    }

    /// Whether a base is under way.
    #[must_use]
    pub fn base_running(&self) -> bool {
        self.base.is_some()
    }

    /// Appends the next piece of the base to `sink`, about `budget` bytes of it; whether more will
    /// come. Where it returns false the base is complete (and no longer under way).
    pub fn base_step(&mut self, sink: &mut Vec<u8>, budget: usize) -> bool {
        let _ = budget;
        if let Some(all) = self.base.take() {
            sink.extend_from_slice(&all);
        }
        false
    }

    /// Gives up a base that is under way.
    pub fn base_abort(&mut self) {
        self.base = None;
    }

    /// The bytes of old states that wait for `base_step` because their keys were changed before the
    /// base came to them. Where they are too many, writes should pause.
    #[must_use]
    pub fn base_preimage_bytes(&self) -> usize {
        0
    }

    /// An empty store, to be filled with `load_piece`. The seed must be that of the store that
    /// wrote the base.
    #[must_use]
    pub fn load_begin(hash_seed: u64) -> Self {
        Self::new(hash_seed)
    }

    /// Loads one piece as one `base_step` wrote it (or several, joined in order). When all are
    /// loaded the state is that which the writing store had at `base_begin`.
    pub fn load_piece(&mut self, mut piece: &[u8]) -> Result<(), LoadError> {
        while !piece.is_empty() {
            let db = take_number(&mut piece)?;
            if db >= u64::from(DATABASES) {
                return Err(LoadError::Malformed);
            }
            let key = take_bytes(&mut piece)?.to_vec();
            let expiry = match take_number(&mut piece)? {
                0 => None,
                time => Some(Stamp(time - 1)),
            };
            let value = match take_number(&mut piece)? {
                0 => Kept::Integer(take_number(&mut piece)? as i64),
                1 => Kept::Bytes(take_bytes(&mut piece)?.to_vec()),
                2 => {
                    let mut fields = BTreeMap::new();
                    for _ in 0..take_number(&mut piece)? {
                        let field = take_bytes(&mut piece)?.to_vec();
                        fields.insert(field, take_bytes(&mut piece)?.to_vec());
                    }
                    Kept::Hash(fields)
                }
                _ => return Err(LoadError::Malformed),
            };
            self.note_expiry(expiry);
            self.databases[db as usize].insert(key, Entry { expiry, value });
        }
        Ok(())
    }
}

fn write_entry(out: &mut Vec<u8>, db: DbId, key: &[u8], entry: &Entry) {
    put_number(out, u64::from(db));
    put_bytes(out, key);
    put_number(out, entry.expiry.map_or(0, |time| time.0 + 1));
    match &entry.value {
        Kept::Integer(number) => {
            put_number(out, 0);
            put_number(out, *number as u64);
        }
        Kept::Bytes(bytes) => {
            put_number(out, 1);
            put_bytes(out, bytes);
        }
        Kept::Hash(fields) => {
            put_number(out, 2);
            put_number(out, fields.len() as u64);
            for (field, value) in fields {
                put_bytes(out, field);
                put_bytes(out, value);
            }
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_number(piece: &mut &[u8]) -> Result<u64, LoadError> {
    let (number, rest) = piece.split_first_chunk::<8>().ok_or(LoadError::Cut)?;
    *piece = rest;
    Ok(u64::from_le_bytes(*number))
}

fn take_bytes<'a>(piece: &mut &'a [u8]) -> Result<&'a [u8], LoadError> {
    let length = take_number(piece)? as usize;
    let (bytes, rest) = piece.split_at_checked(length).ok_or(LoadError::Cut)?;
    *piece = rest;
    Ok(bytes)
}

impl Value<'_> {
    /// The type as TYPE names it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Hash(_) => "hash",
        }
    }

    /// The encoding as OBJECT ENCODING names it.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::String(Text::Integer(_)) => "int",
            Self::String(Text::Bytes(bytes)) if bytes.len() <= 44 => "embstr",
            Self::String(_) => "raw",
            Self::Hash(hash) => hash.encoding(),
        }
    }
}

/// A hash, to be read. It is cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Hash<'a> {
    fields: &'a BTreeMap<Vec<u8>, Vec<u8>>,
}

impl<'a> Hash<'a> {
    /// How many fields it has; never 0.
    #[must_use]
    pub fn len(self) -> usize {
        self.fields.len()
    }

    /// Whether it has no field.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.fields.is_empty()
    }

    /// The value of a field.
    #[must_use]
    pub fn get(self, field: &[u8]) -> Option<&'a [u8]> {
        self.fields.get(field).map(Vec::as_slice)
    }

    /// Whether it has the field.
    #[must_use]
    pub fn contains(self, field: &[u8]) -> bool {
        self.fields.contains_key(field)
    }

    /// All fields with their values, in an order that holds until the hash changes.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields
            .iter()
            .map(|(field, value)| (field.as_slice(), value.as_slice()))
    }

    /// Shows about `count` fields from `cursor` on, and returns the cursor to go on with, as
    /// `Store::scan` does. A small hash is shown whole.
    pub fn scan(self, cursor: u64, count: usize, show: &mut dyn FnMut(&[u8], &[u8])) -> u64 {
        let mut next = cursor;
        for (field, value) in self.iter().skip(cursor as usize).take(count.max(1)) {
            next += 1;
            show(field, value);
        }
        if next >= self.len() as u64 { 0 } else { next }
    }

    /// A field chosen by the 64 random bits of `draw`, each as likely as any other; `None` only in
    /// an empty hash.
    #[must_use]
    pub fn random(self, draw: u64) -> Option<(&'a [u8], &'a [u8])> {
        let nth = crate::rng::below(draw, self.len() as u64) as usize;
        self.iter().nth(nth)
    }

    /// The encoding as OBJECT ENCODING names it: `listpack` or `hashtable`.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        let small = |(field, value): (&[u8], &[u8])| field.len() <= 64 && value.len() <= 64;
        if self.len() <= 128 && self.iter().all(small) {
            "listpack"
        } else {
            "hashtable"
        }
    }
}

/// A hash, to be changed. The key goes away with the last field.
#[derive(Debug)]
pub struct HashMut<'a> {
    store: &'a mut Store,
    db: DbId,
    key: &'a [u8],
}

impl HashMut<'_> {
    /// The hash as it is now; `None` where it has no field (yet, or any more).
    #[must_use]
    pub fn read(&self) -> Option<Hash<'_>> {
        match self.store.databases[self.db as usize]
            .get(self.key)?
            .value()
        {
            Value::Hash(hash) => Some(hash),
            Value::String(_) => None,
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.read()?.get(field)
    }

    /// How many fields it has now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().map_or(0, Hash::len)
    }

    /// Whether it has no field now, and so the key does not exist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets a field; whether it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        let entry = self.store.databases[self.db as usize]
            .entry(self.key.to_vec())
            .or_insert_with(|| Entry {
                expiry: None,
                value: Kept::Hash(BTreeMap::new()),
            });
        match &mut entry.value {
            Kept::Hash(fields) => fields.insert(field.to_vec(), value.to_vec()).is_none(),
            Kept::Integer(_) | Kept::Bytes(_) => false,
        }
    }

    /// Removes a field; whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let table = &mut self.store.databases[self.db as usize];
        let Some(Kept::Hash(fields)) = table.get_mut(self.key).map(|entry| &mut entry.value) else {
            return false;
        };
        let there = fields.remove(field).is_some();
        if fields.is_empty() {
            table.remove(self.key);
        }
        there
    }
}

#[cfg(test)]
mod tests;
