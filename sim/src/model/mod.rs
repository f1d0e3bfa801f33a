//! A naive Redis: what every command must answer, written down a second time.
//!
//! It shares no code with the server. The server is quick where this is plain: sorted maps, whole
//! copies, no laziness. A key whose time has come is absent.

mod bits;
mod connection;
mod expiry;
mod floats;
mod geo;
mod hashes;
mod hll;
mod keys;
pub(crate) mod libraries;
mod lists;
mod object;
pub(crate) mod payloads;
mod scan;
mod scripts;
mod sets;
mod sort;
mod strings;
mod table;
mod text;
pub(crate) mod waits;
pub(crate) mod want;
mod weight;
mod zset_ranges;
mod zsets;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) use connection::select;
pub(crate) use object::{is_help as is_help_for_object, refusal as refusal_of_object};
pub(crate) use scripts::Template;
pub(crate) use table::{Class, Row, find, rows, strangers};
pub(crate) use text::matches;
pub(crate) use want::Want;
use weight::Weights;

use crate::wire::shown;

/// An integer in the strict form that Redis demands.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    text::integer(text)
}

/// How many databases there are.
pub(crate) const DATABASES: u32 = 16;

/// The database of which the model knows nothing: what the commands do there that it does not know,
/// and those that it knows among them, is judged by what holds of every command.
pub(crate) const WILD: u32 = 9;

pub(crate) const WRONG_TYPE: &str =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
pub(crate) const SYNTAX: &str = "ERR syntax error";
pub(crate) const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

/// The fields of a hash.
pub(crate) type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

/// The members of a set.
pub(crate) type Members = BTreeSet<Vec<u8>>;

/// How a string is kept, as OBJECT ENCODING tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Int,
    Embstr,
    Raw,
}

impl Encoding {
    /// The longest string that is `embstr`.
    const EMBSTR_BYTES_MAX: usize = 44;

    /// That of a text which is never an integer.
    fn of(text: &[u8]) -> Self {
        if text.len() <= Self::EMBSTR_BYTES_MAX {
            Self::Embstr
        } else {
            Self::Raw
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Embstr => "embstr",
            Self::Raw => "raw",
        }
    }
}

/// A value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Datum {
    Text(Vec<u8>, Encoding),
    Hash(Fields),
    List(Vec<Vec<u8>>),
    Set(Members),
    Zset(BTreeMap<Vec<u8>, want::Score>),
}

impl Datum {
    /// A string that was set.
    pub(crate) fn set(text: Vec<u8>) -> Self {
        let encoding = match text::integer(&text) {
            Some(_) => Encoding::Int,
            None => Encoding::of(&text),
        };
        Self::Text(text, encoding)
    }

    /// A string that a float was added to.
    fn sum(text: Vec<u8>) -> Self {
        let encoding = Encoding::of(&text);
        Self::Text(text, encoding)
    }

    /// A string that was written in part.
    fn written(text: Vec<u8>) -> Self {
        Self::Text(text, Encoding::Raw)
    }

    /// Its type as TYPE names it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(..) => "string",
            Self::Hash(_) => "hash",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Zset(_) => "zset",
        }
    }
}

impl fmt::Debug for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.type_name())?;
        match self {
            Self::Text(text, encoding) => write!(f, "{} {encoding:?}", shown(text)),
            Self::Hash(fields) => write!(f, "{{{}}}", want::listed(fields.iter().flat_map(pair))),
            Self::List(items) => write!(f, "[{}]", want::listed(items)),
            Self::Set(members) => write!(f, "{{{}}}", want::listed(members)),
            Self::Zset(members) => write!(f, "{{{}}}", want::pairs_listed(members)),
        }
    }
}

fn pair<'a>((name, value): (&'a Vec<u8>, &'a Vec<u8>)) -> [&'a Vec<u8>; 2] {
    [name, value]
}

/// A value and the time at which it dies, in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) datum: Datum,
    pub(crate) expiry: Option<u64>,
}

/// When a command is executed, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Replicated time: what is dead by it is absent.
    pub(crate) at: u64,
    /// How far the wall clock is ahead of that: what moments mean that it names.
    pub(crate) offset: i64,
    /// The latest that the member's own clock may have said, by which remaining times are told.
    pub(crate) latest: u64,
}

impl Moment {
    /// The moment of a command in the log.
    pub(crate) fn exactly(at: u64, offset: i64) -> Self {
        let latest = at;
        Self { at, offset, latest }
    }
}

/// All keys and values, as they should be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    databases: BTreeMap<u32, BTreeMap<Vec<u8>, Item>>,
    /// How often each key was written, for WATCH.
    versions: BTreeMap<(u32, Vec<u8>), u64>,
    /// The versions when the present step began, of the keys that the step has changed.
    before: BTreeMap<(u32, Vec<u8>), u64>,
    /// The texts of the scripts that are kept, by their names.
    scripts: BTreeMap<String, Vec<u8>>,
    /// The libraries that are loaded.
    libraries: libraries::Loaded,
    /// The keys that were written since this was last taken, in order.
    written: Vec<(u32, Vec<u8>)>,
    /// The same of each command that the last script has called, with what has become of them.
    called: Vec<Called>,
    /// The memory that all of it may take.
    weights: Weights,
}

/// A command that a script has called, and which keys it has written.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) db: u32,
    pub(crate) words: Vec<Vec<u8>>,
    pub(crate) written: Vec<(u32, Vec<u8>)>,
    /// Those of them that were gone behind it.
    pub(crate) gone: Vec<(u32, Vec<u8>)>,
}

/// One command with its surroundings.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) model: &'a mut Model,
    pub(crate) db: u32,
    pub(crate) moment: Moment,
    pub(crate) args: &'a [&'a [u8]],
    /// The members that the server has drawn, where that is the server's to choose.
    pub(crate) drawn: &'a [Vec<u8>],
}

/// A reply, or the text of an error.
pub(crate) type Answer = Result<Want, String>;

impl Call<'_> {
    pub(crate) fn arg(&self, place: usize) -> Vec<u8> {
        self.args
            .get(place)
            .map_or_else(Vec::new, |arg| arg.to_vec())
    }

    pub(crate) fn word(&self, place: usize) -> String {
        String::from_utf8_lossy(&self.arg(place)).to_ascii_lowercase()
    }

    pub(crate) fn name(&self) -> String {
        self.word(0)
    }

    pub(crate) fn integer(&self, place: usize) -> Result<i64, String> {
        text::integer(&self.arg(place)).ok_or_else(|| NOT_AN_INTEGER.to_owned())
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Item> {
        self.model.get(self.db, key, self.moment.at)
    }

    pub(crate) fn text(&self, key: &[u8]) -> Result<Option<Vec<u8>>, String> {
        match self.get(key).map(|item| &item.datum) {
            None => Ok(None),
            Some(Datum::Text(text, _)) => Ok(Some(text.clone())),
            Some(_) => Err(WRONG_TYPE.to_owned()),
        }
    }

    pub(crate) fn hash(&self, key: &[u8]) -> Result<Option<&Fields>, String> {
        match self.get(key).map(|item| &item.datum) {
            None => Ok(None),
            Some(Datum::Hash(fields)) => Ok(Some(fields)),
            Some(_) => Err(WRONG_TYPE.to_owned()),
        }
    }

    pub(crate) fn set(&self, key: &[u8]) -> Result<Option<&Members>, String> {
        match self.get(key).map(|item| &item.datum) {
            None => Ok(None),
            Some(Datum::Set(members)) => Ok(Some(members)),
            Some(_) => Err(WRONG_TYPE.to_owned()),
        }
    }

    /// The fields of the hash at a key that holds one or nothing; they are about to be written.
    pub(crate) fn fields_to_write(&mut self, key: &[u8]) -> &mut Fields {
        if self.get(key).is_none() {
            self.put(key, Datum::Hash(Fields::new()), None);
        } else {
            self.model.touch(self.db, key);
        }
        let database = self.model.databases.entry(self.db).or_default();
        match database.get_mut(key).map(|item| &mut item.datum) {
            Some(Datum::Hash(fields)) => fields,
            _ => unreachable!("the caller has looked at the type"),
        }
    }

    /// The members of the set at a key that holds one or nothing; they are about to be written.
    pub(crate) fn members_to_write(&mut self, key: &[u8]) -> &mut Members {
        if self.get(key).is_none() {
            self.put(key, Datum::Set(Members::new()), None);
        } else {
            self.model.touch(self.db, key);
        }
        let database = self.model.databases.entry(self.db).or_default();
        match database.get_mut(key).map(|item| &mut item.datum) {
            Some(Datum::Set(members)) => members,
            _ => unreachable!("the caller has looked at the type"),
        }
    }

    pub(crate) fn expiry(&self, key: &[u8]) -> Option<u64> {
        self.get(key).and_then(|item| item.expiry)
    }

    pub(crate) fn put(&mut self, key: &[u8], datum: Datum, expiry: Option<u64>) {
        let item = Item { datum, expiry };
        self.model.put(self.db, key, item, self.moment.at);
    }

    /// A new value that keeps the time of the old one.
    pub(crate) fn replace(&mut self, key: &[u8], datum: Datum) {
        let expiry = self.expiry(key);
        self.put(key, datum, expiry);
    }

    /// A string is kept as one that was written in part from now on, which is no write of it.
    fn keep_raw(&mut self, key: &[u8]) {
        self.model.weights.changes(self.db, key);
        let database = self.model.databases.entry(self.db).or_default();
        if let Some(Datum::Text(_, encoding)) = database.get_mut(key).map(|item| &mut item.datum) {
            *encoding = Encoding::Raw;
        }
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let there = self.get(key).is_some();
        self.model.remove(self.db, key, self.moment.at);
        there
    }
}

impl Model {
    /// The value of a key that is alive.
    pub(crate) fn get(&self, db: u32, key: &[u8], at: u64) -> Option<&Item> {
        let item = self.databases.get(&db)?.get(key)?;
        item.expiry.is_none_or(|expiry| expiry > at).then_some(item)
    }

    /// Returns true if a key has expired and was not written since.
    pub(crate) fn has_expired(&self, db: u32, key: &[u8], at: u64) -> bool {
        let item = self
            .databases
            .get(&db)
            .and_then(|database| database.get(key));
        item.is_some_and(|item| item.expiry.is_some_and(|expiry| expiry <= at))
    }

    /// When a key dies or has died.
    pub(crate) fn expiry(&self, db: u32, key: &[u8]) -> Option<u64> {
        self.databases.get(&db)?.get(key)?.expiry
    }

    /// The keys of a database that are alive, in order.
    pub(crate) fn live(&self, db: u32, at: u64) -> impl Iterator<Item = (&Vec<u8>, &Item)> {
        let items = self.databases.get(&db).into_iter().flatten();
        items.filter(move |(_, item)| item.expiry.is_none_or(|expiry| expiry > at))
    }

    /// Puts a value; where nothing lived and the value is dead from the start, nothing changes.
    pub(crate) fn put(&mut self, db: u32, key: &[u8], item: Item, at: u64) {
        let lives = item.expiry.is_none_or(|expiry| expiry > at);
        if lives || self.get(db, key, at).is_some() {
            self.touch(db, key);
        }
        self.weights.changes(db, key);
        self.databases
            .entry(db)
            .or_default()
            .insert(key.to_vec(), item);
    }

    /// Takes a key away; to take away what is dead is no change.
    pub(crate) fn remove(&mut self, db: u32, key: &[u8], at: u64) {
        let lives = self.get(db, key, at).is_some();
        self.weights.changes(db, key);
        self.databases.entry(db).or_default().remove(key);
        if lives {
            self.touch(db, key);
        }
    }

    pub(crate) fn flush(&mut self, db: Option<u32>, at: u64) {
        let databases: Vec<u32> = match db {
            Some(db) => vec![db],
            None => self.databases.keys().copied().collect(),
        };
        for db in databases {
            let living: Vec<_> = self.live(db, at).map(|(key, _)| key.clone()).collect();
            self.databases.remove(&db);
            self.weights.empties(db);
            for key in living {
                self.touch(db, &key);
            }
        }
    }

    fn touch(&mut self, db: u32, key: &[u8]) {
        self.weights.changes(db, key);
        let place = (db, key.to_vec());
        let version = self.versions.entry(place.clone()).or_default();
        self.before.entry(place.clone()).or_insert(*version);
        *version += 1;
        if self.written.last() != Some(&place) {
            self.written.push(place);
        }
    }

    /// Takes the keys that were written since this was last called, in order.
    pub(crate) fn take_written(&mut self) -> Vec<(u32, Vec<u8>)> {
        std::mem::take(&mut self.written)
    }

    /// Takes what the script has done that was run last, in order.
    pub(crate) fn take_called(&mut self) -> Vec<Called> {
        std::mem::take(&mut self.called)
    }

    /// A step begins: a command, or a transaction.
    pub(crate) fn begin_step(&mut self) {
        self.before.clear();
    }

    /// The keys that the present step has changed so far.
    pub(crate) fn touched(&self) -> Vec<(u32, Vec<u8>)> {
        self.before.keys().cloned().collect()
    }

    /// A number that grows whenever the key is written.
    pub(crate) fn version(&self, db: u32, key: &[u8]) -> u64 {
        let written = self.versions.get(&(db, key.to_vec()));
        written.copied().unwrap_or_default()
    }

    /// The result of `version` when the present step began.
    pub(crate) fn version_before(&self, db: u32, key: &[u8]) -> u64 {
        let place = (db, key.to_vec());
        let before = self
            .before
            .get(&place)
            .or_else(|| self.versions.get(&place));
        before.copied().unwrap_or_default()
    }

    /// Runs a command whose name and number of arguments fit its row.
    pub(crate) fn run(&mut self, row: &Row, db: u32, moment: Moment, args: &[&[u8]]) -> Want {
        self.follow(row, db, moment, args, &[])
    }

    /// As `run`, of a command with which the server has drawn these members.
    pub(crate) fn follow(
        &mut self,
        row: &Row,
        db: u32,
        moment: Moment,
        args: &[&[u8]],
        drawn: &[Vec<u8>],
    ) -> Want {
        if db == WILD && row.class != Class::Session {
            return Want::whatever();
        }
        let mut call = Call {
            model: self,
            db,
            moment,
            args,
            drawn,
        };
        let answer = (row.run)(&mut call);
        self.weigh();
        match answer {
            Ok(want) => want,
            Err(text) => Want::Error(text.replace(['\r', '\n'], " ")),
        }
    }
}

#[cfg(test)]
mod tests;
