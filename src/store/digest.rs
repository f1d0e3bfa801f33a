//! A number for a state: equal for equal states, whatever their history.
//!
//! Every key gives a number, and so does every field of a hash and every part of a string; the
//! digest is their sum. So it depends on no order, no seed and no capacity, and of the encodings on
//! none but that of a short string which was written in part, and is called `raw`. A base can be
//! summed up record by record while it is written and while it is loaded.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use super::record::{Begun, Name, Record};
use super::value::string::rope::CHUNK_BYTES;
use super::{DbId, Hash, Text, Value};
use crate::time::Stamp;

/// A string is summed up in parts of so many bytes: one chunk of those that are kept in chunks.
pub(super) const PART_BYTES: usize = CHUNK_BYTES;

/// The number of one key with its value.
pub(super) fn of_key(name: Name<'_>, expiry: Option<Stamp>, value: Value<'_>) -> u128 {
    match value {
        Value::String(text) => {
            let kind: &[u8] = match text {
                Text::Raw(_) => b"raw",
                _ => b"string",
            };
            of_head(kind, name, expiry).wrapping_add(of_text(name, 0, text))
        }
        Value::Hash(hash) => of_head(b"hash", name, expiry).wrapping_add(of_hash(name, hash)),
    }
}

fn of_head(kind: &[u8], name: Name<'_>, expiry: Option<Stamp>) -> u128 {
    let expiry = expiry.map_or([0; 9], |time| {
        let mut bytes = [1; 9];
        bytes[1..].copy_from_slice(&time.0.to_le_bytes());
        bytes
    });
    mix(&[kind, &name.db.to_le_bytes(), name.key, &expiry])
}

/// The number of a text that stands at `offset` of a string, which is the beginning of a part.
fn of_text(name: Name<'_>, offset: u64, text: Text<'_>) -> u128 {
    let (db, mut at) = (name.db.to_le_bytes(), offset);
    let mut sum = 0u128;
    text.for_each_piece(&mut |piece| {
        for part in piece.chunks(PART_BYTES) {
            let number = mix(&[b"part", &db, name.key, &at.to_le_bytes(), part]);
            at += part.len() as u64;
            sum = sum.wrapping_add(number);
        }
    });
    sum
}

fn of_hash(name: Name<'_>, hash: Hash<'_>) -> u128 {
    let fields = hash
        .iter()
        .map(|(field, value)| of_field(name, field, value));
    fields.fold(0, u128::wrapping_add)
}

fn of_field(name: Name<'_>, field: &[u8], value: &[u8]) -> u128 {
    mix(&[b"field", &name.db.to_le_bytes(), name.key, field, value])
}

/// A number for a list of parts, in which the bounds of the parts count.
fn mix(parts: &[&[u8]]) -> u128 {
    let half = |seed| {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        for part in parts {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
        hasher.finish()
    };
    u128::from(half(1)) << 64 | u128::from(half(2))
}

/// The digest of what the records of a base say, as far as they have passed. Keys that are dead
/// stand in a base where they have not been freed yet; they do not count.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    at: Stamp,
    sum: u128,
    /// Dead keys of which more records may come.
    dead: BTreeSet<(DbId, Box<[u8]>)>,
}

impl Tally {
    pub(super) fn new(at: Stamp) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    pub(super) fn sum(&self) -> u128 {
        self.sum
    }

    /// One more record; a packed hash in it must be sound.
    pub(super) fn add(&mut self, record: &Record<'_>) {
        let sum = match *record {
            Record::Opening { .. } | Record::Closing { .. } => return,
            Record::Key(name, expiry, value) => {
                if expiry.is_some_and(|time| time <= self.at) {
                    if matches!(value, Begun::Bytes(_) | Begun::Table) {
                        self.dead.insert((name.db, name.key.into()));
                    }
                    return;
                }
                match value {
                    Begun::Integer(number) => {
                        of_key(name, expiry, Value::String(Text::Integer(number)))
                    }
                    Begun::Bytes(bytes) => of_key(name, expiry, Value::String(Text::Bytes(bytes))),
                    Begun::Raw(bytes) => of_key(name, expiry, Value::String(Text::Raw(bytes))),
                    Begun::Packed(fields) => {
                        of_key(name, expiry, Value::Hash(Hash::packed(fields)))
                    }
                    Begun::Table => of_head(b"hash", name, expiry),
                }
            }
            Record::More { name, .. } | Record::Fields { name, .. } if self.is_dead(name) => {
                return;
            }
            Record::More {
                name,
                offset,
                bytes,
            } => of_text(name, offset, Text::Bytes(bytes)),
            Record::Fields { name, fields } => fields
                .iter()
                .map(|(field, value)| of_field(name, field, value))
                .fold(0, u128::wrapping_add),
        };
        self.sum = self.sum.wrapping_add(sum);
    }

    fn is_dead(&self, name: Name<'_>) -> bool {
        !self.dead.is_empty() && self.dead.contains(&(name.db, name.key.into()))
    }
}
