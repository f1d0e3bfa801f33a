//! What the pieces of a base consist of: records, each of which says one thing of one key.
//!
//! A record is `kind · database · key · …`, numbers as `varint`, bytes behind their length. A key
//! begins with one of the first four kinds and its expiry; a large value comes in several records,
//! of which the first begins the key and the others add to it. The first record of all says at
//! which time the state stands, the last one its digest.

use alloc::vec::Vec;

use super::entry::Stored;
use super::varint::{put, put_bytes};
use super::{DbId, LoadError, varint};
use crate::limits::DATABASES;
use crate::time::Stamp;

/// Set in the kind of a record whose key expires.
const EXPIRES: u8 = 0x40;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// A key that holds an integer, in eight bytes.
    Integer,
    /// A key that holds a string, or its beginning.
    Bytes,
    /// A key that holds a packed hash.
    Packed,
    /// A key that holds a hash with a table, whose fields come in other records.
    Table,
    /// More bytes of a string.
    More,
    /// Fields of a table: how many, then each with its value.
    Fields,
    /// The time at which the state stands, as an expiry; of no key.
    Opening,
    /// The state's digest, in sixteen bytes; of no key.
    Closing,
    /// A key that holds a short string that was written in part.
    Raw,
}

impl Tag {
    const ALL: [Self; 9] = [
        Self::Integer,
        Self::Bytes,
        Self::Packed,
        Self::Table,
        Self::More,
        Self::Fields,
        Self::Opening,
        Self::Closing,
        Self::Raw,
    ];
}

/// The key of which a record says something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) db: DbId,
    pub(super) key: &'a [u8],
}

/// Writes what every record begins with.
fn head(out: &mut Vec<u8>, tag: Tag, name: Name<'_>, expiry: Option<Stamp>) {
    let expires = if expiry.is_some() { EXPIRES } else { 0 };
    out.push(tag as u8 | expires);
    put(out, u64::from(name.db));
    put_bytes(out, name.key);
    if let Some(time) = expiry {
        put(out, time.0);
    }
}

/// Begins a key; of a table only that it is one.
pub(super) fn begin(out: &mut Vec<u8>, name: Name<'_>, expiry: Option<Stamp>, stored: Stored<'_>) {
    match stored {
        Stored::Integer(number) => {
            head(out, Tag::Integer, name, expiry);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Stored::Bytes(bytes) => {
            head(out, Tag::Bytes, name, expiry);
            put_bytes(out, bytes);
        }
        Stored::Raw(bytes) => {
            head(out, Tag::Raw, name, expiry);
            put_bytes(out, bytes);
        }
        // The rest comes in records of its own.
        Stored::Rope(rope) => {
            head(out, Tag::Bytes, name, expiry);
            put_bytes(out, rope.chunks().next().unwrap_or_default());
        }
        Stored::Packed(packed) => {
            head(out, Tag::Packed, name, expiry);
            put_bytes(out, packed);
        }
        Stored::Table(_) => head(out, Tag::Table, name, expiry),
    }
}

/// Adds bytes to a string, which is `offset` bytes long so far.
pub(super) fn more(out: &mut Vec<u8>, name: Name<'_>, offset: u64, bytes: &[u8]) {
    head(out, Tag::More, name, None);
    put(out, offset);
    put_bytes(out, bytes);
}

/// Adds fields to a table: `count` of them, written with `field` before.
pub(super) fn fields(out: &mut Vec<u8>, name: Name<'_>, count: u64, fields: &[u8]) {
    head(out, Tag::Fields, name, None);
    put(out, count);
    out.extend_from_slice(fields);
}

/// One field of those that `fields` adds.
pub(super) fn field(out: &mut Vec<u8>, field: &[u8], value: &[u8]) {
    put_bytes(out, field);
    put_bytes(out, value);
}

/// Begins a base: the state stands at this time.
pub(super) fn opening(out: &mut Vec<u8>, at: Stamp) {
    head(out, Tag::Opening, Name { db: 0, key: &[] }, Some(at));
}

/// Ends a base: this is its digest.
pub(super) fn closing(out: &mut Vec<u8>, digest: u128) {
    head(out, Tag::Closing, Name { db: 0, key: &[] }, None);
    out.extend_from_slice(&digest.to_le_bytes());
}

/// A record as it is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Record<'a> {
    Opening {
        at: Stamp,
    },
    /// A key begins, with its expiry.
    Key(Name<'a>, Option<Stamp>, Begun<'a>),
    More {
        name: Name<'a>,
        offset: u64,
        bytes: &'a [u8],
    },
    Fields {
        name: Name<'a>,
        fields: Fields<'a>,
    },
    Closing {
        digest: u128,
    },
}

/// What a key begins with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begun<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
    Raw(&'a [u8]),
    Packed(&'a [u8]),
    Table,
}

/// Fields with their values, none of them cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    left: u64,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn iter(mut self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        core::iter::from_fn(move || {
            self.left = self.left.checked_sub(1)?;
            let field = varint::take_bytes(&mut self.bytes)?;
            Some((field, varint::take_bytes(&mut self.bytes)?))
        })
    }
}

/// Takes a record off the front.
pub(super) fn take<'a>(from: &mut &'a [u8]) -> Result<Record<'a>, LoadError> {
    let (kind, rest) = from.split_first().ok_or(LoadError::Cut)?;
    *from = rest;
    let tag = Tag::ALL
        .get(usize::from(kind & !EXPIRES))
        .ok_or(LoadError::Malformed)?;
    let db = take_number(from)?;
    if db >= u64::from(DATABASES) {
        return Err(LoadError::Malformed);
    }
    let name = Name {
        db: db as DbId,
        key: take_bytes(from)?,
    };
    let expiry = match kind & EXPIRES {
        0 => None,
        _ => Some(Stamp(take_number(from)?)),
    };
    Ok(match tag {
        Tag::Integer => {
            let number = i64::from_le_bytes(take_array(from)?);
            Record::Key(name, expiry, Begun::Integer(number))
        }
        Tag::Bytes => Record::Key(name, expiry, Begun::Bytes(take_bytes(from)?)),
        Tag::Raw => Record::Key(name, expiry, Begun::Raw(take_bytes(from)?)),
        Tag::Packed => Record::Key(name, expiry, Begun::Packed(take_bytes(from)?)),
        Tag::Table => Record::Key(name, expiry, Begun::Table),
        Tag::More => Record::More {
            name,
            offset: take_number(from)?,
            bytes: take_bytes(from)?,
        },
        Tag::Fields => {
            let fields = Fields {
                left: take_number(from)?,
                bytes: from,
            };
            for _ in 0..fields.left {
                take_bytes(from)?;
                take_bytes(from)?;
            }
            Record::Fields { name, fields }
        }
        Tag::Opening => Record::Opening {
            at: expiry.ok_or(LoadError::Malformed)?,
        },
        Tag::Closing => Record::Closing {
            digest: u128::from_le_bytes(take_array(from)?),
        },
    })
}

fn take_number(from: &mut &[u8]) -> Result<u64, LoadError> {
    varint::take(from).ok_or(LoadError::Cut)
}

fn take_bytes<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], LoadError> {
    varint::take_bytes(from).ok_or(LoadError::Cut)
}

fn take_array<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], LoadError> {
    let (array, rest) = from.split_first_chunk().ok_or(LoadError::Cut)?;
    *from = rest;
    Ok(*array)
}
