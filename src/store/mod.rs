//! Keys and values; knows neither wire nor log.
//!
//! A `Store` holds sixteen databases. Time comes in as a stamp with every call: a key whose time is
//! at or before that stamp is dead, which means absent. Reading never changes anything; freeing
//! what is dead is upkeep, and cannot be seen from outside except in counts of memory and of keys.
//!
//! `dict` is the table and `entry` what stands in it. `value` holds the types: nothing else here
//! knows one from another. `change` is the narrow place through which every change goes, where the
//! base that is under way gets what is about to be changed; a type goes there through a `slot`.
#![allow(
    clippy::vec_box,
    clippy::unnecessary_box_returns,
    clippy::boxed_local,
    clippy::borrowed_box,
    reason = "a big value has its box for life: tables, bases and garbage hand over eight bytes"
)]

mod account;
mod base;
mod big;
mod change;
mod choice;
mod copying;
mod dict;
mod digest;
mod encoding;
mod entry;
mod evict;
mod expiry;
mod garbage;
pub mod glob;
mod heat;
mod keyspace;
mod kind;
mod libraries;
mod load;
mod record;
mod room;
mod saving;
mod scripts;
mod shape;
mod slot;
mod touches;
mod upkeep;
mod uses;
mod using;
mod value;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;

use bytes::Bytes;

pub use crate::ids::DbId;
use crate::limits::TABLES;
use crate::time::Stamp;
use base::Base;
use big::Big;
use dict::Dict;
use digest::Tally;
use entry::View;
use garbage::Garbage;
use record::Name;
use touches::Touches;
use upkeep::Upkeep;
use uses::Using;

pub use big::NewCopy;
pub use choice::{Candidate, Choice};
#[cfg(test)]
pub(crate) use dict::FETCHED;
pub use dict::Tables;
pub use encoding::{Border, Borders};
pub use expiry::Expired;
pub use heat::Tracking;
pub use record::LoadError;
pub use shape::Shape;
pub use touches::{Named, Touched};
pub use value::Value;
pub use value::hash::Hash;
pub use value::hash::write::HashMut;
pub use value::list::write::ListMut;
pub use value::list::{End, List};
pub use value::set::Set;
pub use value::set::made::NewSet;
pub use value::set::write::SetMut;
pub use value::string::made::NewText;
pub use value::string::rope::Rope;
pub use value::string::{Scratch, Text, format_i64, parse_i64};
pub use value::zset::Zset;
pub use value::zset::made::NewZset;
pub use value::zset::write::ZsetMut;

/// A key holds another type of value than the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

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

/// How often keys were looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// They were there, and alive.
    pub hits: u64,
    /// They were not.
    pub misses: u64,
}

/// Sixteen databases of keys and values.
#[derive(Clone, Debug)]
pub struct Store {
    tables: Tables,
    databases: Vec<Dict<Big>>,
    garbage: Garbage,
    base: Option<Box<Base>>,
    /// The digest of the base that was written or loaded last.
    base_digest: Option<u128>,
    /// The digest of what was loaded, while a base is.
    loading: Option<Box<Tally>>,
    /// The number of the base that is under way, or was the last. A block that bears it is in that
    /// base, or came after its beginning.
    epoch: u8,
    /// How many bases were given up since the last one that came to its end.
    given_up: u8,
    upkeep: Upkeep,
    changes: u64,
    touches: Touches,
    /// The memory in which the values of the present entry stand: one that is most of it need not
    /// be copied.
    lent: Option<Bytes>,
    using: Using,
    /// How often a key was looked for, and found alive, since this was asked for.
    lookups: Cell<Lookups>,
    /// The buffer in which a small hash is rewritten.
    scratch: Vec<u8>,
    /// The borders at which OBJECT ENCODING names another encoding.
    borders: Borders,
}

impl Store {
    /// An empty store whose tables are made like this.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self {
            tables,
            databases: (0..TABLES).map(|_| Dict::new(tables)).collect(),
            garbage: Garbage::new(tables.freed_at_once_bytes),
            base: None,
            base_digest: None,
            loading: None,
            epoch: 0,
            given_up: 0,
            upkeep: Upkeep::default(),
            changes: 0,
            touches: Touches::default(),
            lent: None,
            using: Using::default(),
            lookups: Cell::default(),
            scratch: Vec::new(),
            borders: Borders::default(),
        }
    }

    /// The secret that orders its tables, once there is one.
    #[must_use]
    pub fn seed(&self) -> Option<u128> {
        self.tables.seed
    }

    /// Gives the store its secret. Once it has one, or holds a key, it keeps the order that it has.
    pub fn set_seed(&mut self, seed: u128) {
        if self.tables.seed.is_none() && self.is_empty() {
            self.tables.seed = Some(seed);
            let tables = self.tables;
            self.databases.fill_with(|| Dict::new(tables));
        }
    }

    /// A number that moves exactly when a value, how a string is kept, a key's presence or its
    /// expiry really changes: not when the same is written again, and not when what is dead is
    /// freed. Emptying a database that still holds keys counts, be they dead or not, and so does
    /// putting what was made on the side (`put_set`, `put_zset`), and a copy, whatever was there.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Starts or stops recording touches; a new store does not record.
    pub fn listen(&mut self, listens: bool) {
        self.touches.listen(listens);
    }

    /// Takes what was touched since this was last called, in order.
    pub fn take_touched(&mut self) -> Vec<Touched> {
        self.touches.take()
    }

    /// The keys that the present call of a script has touched so far, and the dead ones that it has
    /// freed, each in order.
    pub fn of_call(&self) -> (&[Touched], &[Named]) {
        self.touches.of_call()
    }

    /// A call of a script is at its end: the next one touches keys anew.
    pub fn end_call(&mut self) {
        self.touches.end_call();
    }

    /// Starts to record which keys are freed that are dead by this time, or stops it.
    pub fn hear_ends(&mut self, at: Option<Stamp>) {
        self.touches.hear_ends(at);
    }

    /// Takes the dead keys that were freed since this was last called, in order.
    pub fn take_ended(&mut self) -> Vec<Named> {
        self.touches.take_ended()
    }

    /// Starts or stops recording which keys are looked for in vain.
    pub fn hear_misses(&mut self, hears: bool) {
        self.touches.hear_misses(hears);
    }

    /// Takes the keys that were looked for in vain since this was last called, in order and each
    /// once.
    pub fn take_missed(&mut self) -> Vec<Named> {
        self.touches.take_missed()
    }

    fn dict(&self, db: DbId) -> &Dict<Big> {
        &self.databases[db as usize]
    }

    fn dict_mut(&mut self, db: DbId) -> &mut Dict<Big> {
        &mut self.databases[db as usize]
    }

    /// The entry at `key`, expired or not.
    fn view(&self, db: DbId, key: &[u8]) -> Option<View<'_, Big>> {
        let dict = self.dict(db);
        dict.get(dict.hash(key), key)
    }

    fn live(&self, db: DbId, key: &[u8], at: Stamp) -> Option<View<'_, Big>> {
        let dict = self.dict(db);
        let found = dict.get_placed(dict.hash(key), key);
        let found = found.filter(|(_, view)| view.live(at));
        let mut lookups = self.lookups.get();
        lookups.hits += u64::from(found.is_some());
        lookups.misses += u64::from(found.is_none());
        self.lookups.set(lookups);
        let Some((place, view)) = found else {
            self.touches.missed(db, key);
            return None;
        };
        self.using.found(db, place);
        Some(view)
    }

    /// Returns true if a database is so large that it is worth its price to read ahead in it.
    #[must_use]
    pub fn is_far(&self, db: DbId) -> bool {
        self.dict(db).is_far()
    }

    /// Reads ahead where the first of these keys stand. Nothing follows from it but that they are
    /// found sooner.
    pub fn fetch<'k>(&self, db: DbId, keys: impl Iterator<Item = &'k [u8]>) {
        self.dict(db).fetch(keys);
    }

    /// How often keys were looked for since the last call.
    pub fn take_lookups(&self) -> Lookups {
        self.lookups.take()
    }

    /// The value of `key`; `None` where it is absent or dead.
    #[must_use]
    pub fn get(&self, db: DbId, key: &[u8], at: Stamp) -> Option<Value<'_>> {
        self.live(db, key, at).map(|view| view.value())
    }

    /// The same with its expiry.
    #[must_use]
    pub fn get_timed(&self, db: DbId, key: &[u8], at: Stamp) -> Option<(Value<'_>, Option<Stamp>)> {
        let view = self.live(db, key, at)?;
        Some((view.value(), view.expiry))
    }

    /// The value for one who asks how large it is, which is no use of it.
    #[must_use]
    pub fn peek(&self, db: DbId, key: &[u8], at: Stamp) -> Option<Value<'_>> {
        let place = self.find_live(db, key, at)?;
        Some(self.dict(db).view(place).value())
    }

    /// Returns true if `key` is present and live.
    #[must_use]
    pub fn contains(&self, db: DbId, key: &[u8], at: Stamp) -> bool {
        self.live(db, key, at).is_some()
    }

    /// The same for one who only tells of keys, which is no use of them.
    #[must_use]
    pub fn holds(&self, db: DbId, key: &[u8], at: Stamp) -> bool {
        self.find_live(db, key, at).is_some()
    }

    /// The type as TYPE names it; `None` where the key is absent or dead.
    #[must_use]
    pub fn type_name(&self, db: DbId, key: &[u8], at: Stamp) -> Option<&'static str> {
        self.get(db, key, at).map(|value| value.type_name())
    }

    /// The encoding as OBJECT ENCODING names it.
    #[must_use]
    pub fn encoding(&self, db: DbId, key: &[u8], at: Stamp) -> Option<&'static str> {
        let view = self.view(db, key).filter(|view| view.live(at))?;
        Some(view.value().encoding(view.encoding()))
    }

    /// Lets what is written from now on have the encodings that these borders give it.
    pub fn set_borders(&mut self, borders: Borders) {
        self.borders = borders;
    }

    /// How many keys `db` holds, dead ones that are not freed yet included (as DBSIZE counts in
    /// Redis).
    #[must_use]
    pub fn len(&self, db: DbId) -> u64 {
        self.dict(db).len()
    }

    /// How many keys of `db` are live. Costs a look at the segments with keys that are dead and not
    /// freed yet.
    #[must_use]
    pub fn live_len(&self, db: DbId, at: Stamp) -> u64 {
        let dict = self.dict(db);
        dict.len() - dict.dead(at)
    }

    /// Returns true if no database holds a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.databases.iter().all(Dict::is_empty)
    }

    /// A live key chosen by the 64 random bits of `draw`; each about as likely as any other.
    #[must_use]
    pub fn random_key(&self, db: DbId, draw: u64, at: Stamp) -> Option<&[u8]> {
        self.dict(db)
            .random(draw, &|view| view.live(at))
            .map(|view| view.key)
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
        self.dict(db).scan(cursor, count, &mut |view| {
            let live = view.live(at);
            if live {
                show(view.key, view.value());
            }
            live
        })
    }

    /// Shows every live key of `db`.
    pub fn for_each_key(&self, db: DbId, at: Stamp, show: &mut dyn FnMut(&[u8], Value<'_>)) {
        for view in self.dict(db).iter().filter(|view| view.live(at)) {
            show(view.key, view.value());
        }
    }

    /// Frees memory of what was removed or flushed, doing at most about `budget` units of work (a
    /// unit is a segment of a table, a few that are small, or one large value); whether more is
    /// left.
    pub fn step(&mut self, budget: usize) -> bool {
        self.garbage.step(budget)
    }

    /// All live keys of a database. Walks everything.
    pub fn keys(&self, db: DbId, at: Stamp) -> impl Iterator<Item = &[u8]> {
        let dict = self.databases.get(db as usize);
        let views = dict.into_iter().flat_map(|dict| dict.iter());
        views.filter(move |view| view.live(at)).map(|view| view.key)
    }

    /// Its present make-up, for a simulation.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let [detached, retired, renamed] = self.base.as_ref().map_or([0; 3], |base| base.owes());
        Shape {
            segments: self.databases.iter().map(Dict::segments).sum(),
            depth: self.databases.iter().map(Dict::depth).max().unwrap_or(0),
            detached,
            retired,
            renamed,
            garbage_bytes: self.garbage.memory(),
        }
    }

    /// A digest of all live keys with their types, values and expiries: equal for equal states,
    /// whatever their history, capacity, encoding or seed. Walks everything.
    #[must_use]
    pub fn digest(&self, at: Stamp) -> u128 {
        let mut sum = 0u128;
        for (db, dict) in (0..).zip(&self.databases) {
            for view in dict.iter().filter(|view| view.live(at)) {
                let (name, value) = (Name { db, key: view.key }, view.value());
                sum = sum.wrapping_add(digest::of_key(name, view.expiry, value));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests;
