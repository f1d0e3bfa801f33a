//! The contents of an entry: the commands of one turn, one behind the other.
//!
//! A command is its database (one byte), the number of its arguments and each argument behind its
//! length; numbers are LEB128. A transaction is the byte 0xff, the number of its commands, and
//! these. Keys that are evicted are the byte 0xfb, or 0xfa where only those go that have an expiry,
//! their database and, as the arguments of a command, their names. In front of a command that runs
//! a script, or of a transaction with one, stand the byte 0xf9 and the bounds of scripts. In front
//! of all may stand the byte 0xfc and a byte: the version of entries to which the group is raised,
//! of which this entry is already. Then the byte 0xfe and 16 bytes: the secret that orders the
//! tables of the store, should it have none yet. Then, where it has changed, how far the wall clock
//! is ahead of replicated time: the byte 0xfd and that number, of which the lowest bit is the sign.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::scripting::run::ScriptBounds;
use crate::copying;
use crate::limits::DATABASES;
use crate::time::Offset;
use crate::varint;

const TRANSACTION: u8 = 0xff;
const SEED: u8 = 0xfe;
const OFFSET: u8 = 0xfd;
const VERSION: u8 = 0xfc;
const VICTIMS: u8 = 0xfb;
const VOLATILE_VICTIMS: u8 = 0xfa;
const BOUNDS: u8 = 0xf9;

/// A payload with these commands and a secret for a store that has none yet.
pub fn with_seed(seed: u128, commands: &[u8]) -> Bytes {
    [&[SEED], &seed.to_le_bytes()[..], commands].concat().into()
}

/// A payload that raises the version of entries, and is of that version.
pub fn with_version(version: u8, rest: &[u8]) -> Vec<u8> {
    [&[VERSION, version], rest].concat()
}

/// Appends one command.
pub fn put_command(out: &mut Vec<u8>, db: u32, args: Args<'_>) {
    put_words(out, db, args.iter());
}

/// Appends a database, and words: the arguments of a command, or names of keys.
fn put_words<'a>(out: &mut Vec<u8>, db: u32, words: impl ExactSizeIterator<Item = &'a [u8]>) {
    out.push(db as u8);
    varint::put(out, words.len() as u64);
    for word in words {
        varint::put(out, word.len() as u64);
        copying::append(out, word);
    }
}

/// Returns the bytes that stand before the arguments of a command, of which so many follow.
pub fn command_head(db: u32, arguments: usize) -> Vec<u8> {
    let mut head = alloc::vec![db as u8];
    varint::put(&mut head, arguments as u64);
    head
}

/// Returns the bytes that stand before an argument of so many bytes.
pub fn argument_head(bytes: usize) -> Vec<u8> {
    let mut head = Vec::new();
    varint::put(&mut head, bytes as u64);
    head
}

/// Appends the head of a transaction and its commands, as `put_command` wrote them.
pub fn put_transaction(out: &mut Vec<u8>, count: u32, commands: &[u8]) {
    out.push(TRANSACTION);
    varint::put(out, u64::from(count));
    out.extend_from_slice(commands);
}

/// Appends the names of keys of a database that are evicted, where `only_volatile` says so only if
/// they have an expiry then.
pub fn put_victims<'a>(
    out: &mut Vec<u8>,
    db: u32,
    only_volatile: bool,
    names: impl ExactSizeIterator<Item = &'a [u8]>,
) {
    out.push(if only_volatile {
        VOLATILE_VICTIMS
    } else {
        VICTIMS
    });
    put_words(out, db, names);
}

/// Appends the offset of the wall clock that is in force from this entry on.
pub fn put_offset(out: &mut Vec<u8>, offset: Offset) {
    out.push(OFFSET);
    varint::put(out, (offset.0 << 1 ^ offset.0 >> 63) as u64);
}

/// Appends the bounds of the scripts that follow.
pub fn put_bounds(out: &mut Vec<u8>, bounds: ScriptBounds) {
    out.push(BOUNDS);
    varint::put(out, bounds.instructions);
    varint::put(out, bounds.memory_bytes);
    out.push(u8::from(bounds.is_out_of_memory));
}

/// The item that stands next in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A command of this database; its arguments are in the ranges.
    Command {
        /// The database.
        db: u32,
    },
    /// Keys of this database that are evicted; their names are in the ranges.
    Victims {
        /// The database.
        db: u32,
        /// Those that have no expiry then stay.
        only_volatile: bool,
    },
    /// A transaction of so many commands, which follow.
    Transaction {
        /// How many.
        count: u32,
    },
}

/// Reads a payload from front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    payload: &'a [u8],
    at: usize,
    version: Option<u8>,
    seed: Option<u128>,
    bounds: Option<ScriptBounds>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `payload`.
    pub fn new(payload: &'a [u8]) -> Self {
        let (version, at) = match payload {
            [VERSION, version, ..] => (Some(*version), 2),
            _ => (None, 0),
        };
        let head = payload[at..].split_first_chunk::<17>();
        let head = head.filter(|(head, _)| head[0] == SEED);
        let seed = head.and_then(|(head, _)| head.last_chunk().copied());
        Self {
            payload,
            at: if seed.is_some() { at + 17 } else { at },
            version,
            seed: seed.map(u128::from_le_bytes),
            bounds: None,
        }
    }

    /// The version of entries to which the payload raises its group.
    pub fn version(&self) -> Option<u8> {
        self.version
    }

    /// The secret that the payload brings.
    pub fn seed(&self) -> Option<u128> {
        self.seed
    }

    /// The bounds of the scripts that follow, where this reader has come past some.
    pub fn bounds(&self) -> Option<ScriptBounds> {
        self.bounds
    }

    /// A reader that goes on where another stood.
    pub fn at(payload: &'a [u8], at: usize) -> Self {
        Self {
            payload,
            at,
            version: None,
            seed: None,
            bounds: None,
        }
    }

    /// Returns the offset in bytes at which the next item begins.
    pub fn place(&self) -> usize {
        self.at
    }

    /// The offset of the wall clock, where one stands in front of the commands, which is stepped
    /// over.
    pub fn offset(&mut self) -> Option<Offset> {
        if self.payload.get(self.at) != Some(&OFFSET) {
            return None;
        }
        self.at += 1;
        let number = self.number()?;
        Some(Offset((number >> 1) as i64 ^ -((number & 1) as i64)))
    }

    /// The next item; the arguments of a command are put into `ranges`, which point into the
    /// payload. Nothing at the end, and nothing where the payload is not one (its checksum has
    /// vouched for it, so that is our own mistake).
    pub fn next(&mut self, ranges: &mut Vec<Range<u32>>) -> Option<Item> {
        ranges.clear();
        let mut first = self.byte()?;
        while first == BOUNDS {
            self.bounds = Some(ScriptBounds {
                instructions: self.number()?,
                memory_bytes: self.number()?,
                is_out_of_memory: self.byte()? != 0,
                is_queued: false,
            });
            first = self.byte()?;
        }
        let victims = matches!(first, VICTIMS | VOLATILE_VICTIMS).then_some(first);
        if victims.is_some() {
            first = self.byte()?;
        }
        let count = self.number()?;
        if first != TRANSACTION && u32::from(first) >= DATABASES {
            return None;
        }
        if first == TRANSACTION {
            return Some(Item::Transaction {
                count: u32::try_from(count).ok()?,
            });
        }
        for _ in 0..count {
            let len = self.number()? as usize;
            let end = self
                .at
                .checked_add(len)
                .filter(|end| *end <= self.payload.len())?;
            ranges.push(self.at as u32..end as u32);
            self.at = end;
        }
        let db = u32::from(first);
        Some(match victims {
            None => Item::Command { db },
            Some(kind) => Item::Victims {
                db,
                only_volatile: kind == VOLATILE_VICTIMS,
            },
        })
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.payload.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut rest = self.payload.get(self.at..)?;
        let number = varint::take(&mut rest)?;
        self.at = self.payload.len() - rest.len();
        Some(number)
    }
}

/// The place of a command in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its database.
    pub(super) db: u32,
    /// Its number, or that of its transaction, among all of the payload, from 1 on.
    pub(super) nth: u64,
    pub(super) is_in_transaction: bool,
}

/// A part of a payload that writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    Command(Args<'a>),
    /// Names of keys that are evicted.
    Victims(Args<'a>),
}

/// Shows all commands and victims of a payload. Returns how many there are; a transaction counts as
/// one, and so does each that is left of one that has begun before.
pub(super) fn each_command(payload: &[u8], mut show: impl FnMut(Place, Part<'_>)) -> u64 {
    let (mut reader, mut ranges) = (Reader::new(payload), Vec::new());
    let (mut nth, mut inside) = (0, 0);
    reader.offset();
    while let Some(item) = reader.next(&mut ranges) {
        let is_in_transaction = inside > 0;
        match item {
            Item::Transaction { count } => {
                nth += 1;
                inside = count;
            }
            Item::Command { db } | Item::Victims { db, .. } => {
                nth += u64::from(!is_in_transaction);
                inside -= u32::from(is_in_transaction);
                let place = Place {
                    db,
                    nth,
                    is_in_transaction,
                };
                let args = Args::new(payload, &ranges);
                let is_command = matches!(item, Item::Command { .. });
                show(
                    place,
                    if is_command {
                        Part::Command(args)
                    } else {
                        Part::Victims(args)
                    },
                );
            }
        }
    }
    nth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_transactions_are_read_as_they_were_written() {
        let long = [b'v'; 300];
        let buffer = [&b"SETkey"[..], &long].concat();
        let ranges = [0..3, 3..6, 6..306];
        let args = Args::new(&buffer, &ranges);
        let mut inner = Vec::new();
        put_command(&mut inner, 3, args);
        let mut payload = Vec::new();
        put_command(&mut payload, 0, args);
        put_transaction(&mut payload, 1, &inner);
        let mut reader = Reader::new(&payload);
        let mut found = Vec::new();
        let mut words = |reader: &mut Reader<'_>| {
            let item = reader.next(&mut found);
            let words: Vec<Vec<u8>> = Args::new(&payload, &found)
                .iter()
                .map(<[u8]>::to_vec)
                .collect();
            (item, words)
        };
        let wanted: Vec<Vec<u8>> = args.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(
            words(&mut reader),
            (Some(Item::Command { db: 0 }), wanted.clone())
        );
        assert_eq!(
            words(&mut reader),
            (Some(Item::Transaction { count: 1 }), Vec::new())
        );
        assert_eq!(words(&mut reader), (Some(Item::Command { db: 3 }), wanted));
        assert_eq!(words(&mut reader).0, None);
        assert_eq!(reader.seed(), None);
    }

    #[test]
    fn a_secret_stands_in_front_of_the_commands() {
        let mut commands = Vec::new();
        put_command(&mut commands, 3, Args::new(b"setkv", &[0..3, 3..4, 4..5]));
        let payload = with_seed(u128::MAX - 1, &commands);
        let (mut reader, mut ranges) = (Reader::new(&payload), Vec::new());
        assert_eq!(reader.seed(), Some(u128::MAX - 1));
        assert_eq!(reader.next(&mut ranges), Some(Item::Command { db: 3 }));
        assert_eq!(Args::new(&payload, &ranges).name(), b"set");
        assert_eq!(reader.next(&mut ranges), None);
        // What ends within it is none.
        let mut cut = Reader::new(&payload[..16]);
        assert_eq!((cut.seed(), cut.next(&mut ranges)), (None, None));
    }

    #[test]
    fn a_version_stands_in_front_of_all() {
        let mut rest = Vec::new();
        put_offset(&mut rest, Offset(-5));
        put_command(&mut rest, 3, Args::new(b"setkv", &[0..3, 3..4, 4..5]));
        let payload = with_version(2, &with_seed(7, &rest));
        let (mut reader, mut ranges) = (Reader::new(&payload), Vec::new());
        assert_eq!((reader.version(), reader.seed()), (Some(2), Some(7)));
        assert_eq!(reader.offset(), Some(Offset(-5)));
        assert_eq!(reader.next(&mut ranges), Some(Item::Command { db: 3 }));
        let alone = with_version(2, &[]);
        let mut alone = Reader::new(&alone);
        assert_eq!((alone.version(), alone.seed()), (Some(2), None));
        assert_eq!((alone.offset(), alone.next(&mut ranges)), (None, None));
        assert_eq!(Reader::new(&rest).version(), None);
        assert_eq!(Reader::new(&[VERSION]).version(), None);
    }
}
