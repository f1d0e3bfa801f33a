//! The context of a command: the store, replicated time, dice and the reply.

use crate::resp::reply::Reply;
use crate::rng;
use crate::store::{DbId, Store, Value};
use crate::time::{Offset, Stamp};

use super::error::Error;
use super::pace::Pace;

/// Chance for one command: draws that depend on where it stands in the log and on nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    index: u64,
    place: u64,
    drawn: u64,
}

/// The stream of draws that commands make.
const COMMAND_STREAM: u64 = 0x636f_6d6d;

impl Dice {
    /// The dice of the command at `place` of the entry at `index`.
    pub fn new(index: u64, place: u64) -> Self {
        Self {
            index,
            place,
            drawn: 0,
        }
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.drawn += 1;
        rng::draw(COMMAND_STREAM, self.index, self.place, self.drawn)
    }

    /// Passes over so many draws, which were made before.
    pub fn skip(&mut self, draws: u64) {
        self.drawn += draws;
    }

    /// A number in `0..bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        rng::below(self.draw(), bound)
    }
}

/// The context of a reading command.
#[derive(Debug)]
pub struct Query<'a> {
    /// All keys and values; a query changes none.
    pub store: &'a Store,
    /// The database that the client has selected.
    pub db: DbId,
    /// Replicated time: what is dead by it is dead for good.
    pub at: Stamp,
    /// How far the wall clock is ahead of replicated time.
    pub offset: Offset,
    /// The leader's own clock: what is dead only by this one must be asked for again.
    pub clock: Stamp,
    /// Chance.
    pub dice: Dice,
    /// The reply to be written.
    pub reply: Reply<'a>,
    /// How far it goes now, where it is long by nature.
    pub pace: &'a mut Pace,
}

impl<'a> Query<'a> {
    /// The value of a live key. `Error::Due` where the leader's clock alone would call it dead.
    pub fn get(&self, key: &[u8]) -> Result<Option<Value<'a>>, Error> {
        self.get_in(self.db, key)
    }

    /// The encoding of a live key's value, as OBJECT ENCODING names it.
    pub(super) fn encoding(&self, key: &[u8]) -> Result<Option<&'static str>, Error> {
        let value = self.get(key)?;
        Ok(value.and_then(|_| self.store.encoding(self.db, key, self.at)))
    }

    /// The value of a live key as one of a type, which `of` reads; an error where it is of another.
    pub(super) fn get_as<T>(
        &self,
        key: &[u8],
        of: fn(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let value = self.get(key)?;
        value
            .map(|value| of(value).ok_or(Error::WRONG_TYPE))
            .transpose()
    }

    /// The value of a live key in any database.
    pub fn get_in(&self, db: DbId, key: &[u8]) -> Result<Option<Value<'a>>, Error> {
        match self.store.get_timed(db, key, self.at) {
            None => Ok(None),
            Some((_, Some(expiry))) if expiry <= self.clock => Err(Error::Due),
            Some((value, _)) => Ok(Some(value)),
        }
    }
}

impl Query<'_> {
    /// Returns true if the key has expired by the leader's clock alone, while the store still shows
    /// it.
    pub fn is_due(&self, key: &[u8]) -> bool {
        let expiry = self.store.expiry(self.db, key);
        expiry.is_some_and(|expiry| expiry <= self.clock)
    }
}

/// The context of a writing command, when its entry is applied.
#[derive(Debug)]
pub struct Change<'a> {
    /// All keys and values.
    pub store: &'a mut Store,
    /// The database that the client had selected.
    pub db: DbId,
    /// The entry's stamp: the only time there is in apply.
    pub at: Stamp,
    /// How far the wall clock is ahead of that.
    pub offset: Offset,
    /// Chance.
    pub dice: Dice,
    /// The reply to be written; it goes nowhere if the client is another member's.
    pub reply: Reply<'a>,
    /// How far it goes now, where it is long by nature.
    pub pace: &'a mut Pace,
}

impl Change<'_> {
    /// The value of a live key.
    pub fn get(&self, key: &[u8]) -> Option<Value<'_>> {
        self.store.get(self.db, key, self.at)
    }

    /// The same moment seen as a query, for a reading command inside a transaction.
    pub fn as_query(&mut self) -> Query<'_> {
        Query {
            store: self.store,
            db: self.db,
            at: self.at,
            offset: self.offset,
            clock: self.at,
            dice: self.dice,
            reply: self.reply.reborrow(),
            pace: self.pace,
        }
    }
}
