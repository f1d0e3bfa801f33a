//! What the pieces of a base consist of: records, each of which says one thing of one key.
//!
//! A record is `kind · database · key · …`, numbers as `varint`, bytes behind their length. A key
//! begins with one of the first four kinds and its expiry; a large value comes in several records,
//! of which the first begins the key and the others add to it.

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
}

impl Tag {
    const ALL: [Self; 6] = [
        Self::Integer,
        Self::Bytes,
        Self::Packed,
        Self::Table,
        Self::More,
        Self::Fields,
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
        Stored::Packed(packed) => {
            head(out, Tag::Packed, name, expiry);
            put_bytes(out, packed);
        }
        Stored::Table(_) => head(out, Tag::Table, name, expiry),
    }
}

/// Adds bytes to a string.
pub(super) fn more(out: &mut Vec<u8>, name: Name<'_>, bytes: &[u8]) {
    head(out, Tag::More, name, None);
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

/// The beginning of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) tag: Tag,
    pub(super) name: Name<'a>,
    pub(super) expiry: Option<Stamp>,
}

/// Takes the beginning of a record off the front.
pub(super) fn take_head<'a>(from: &mut &'a [u8]) -> Result<Head<'a>, LoadError> {
    let (kind, rest) = from.split_first().ok_or(LoadError::Cut)?;
    *from = rest;
    let tag = Tag::ALL
        .get(usize::from(kind & !EXPIRES))
        .ok_or(LoadError::Malformed)?;
    let db = take(from)?;
    if db >= u64::from(DATABASES) {
        return Err(LoadError::Malformed);
    }
    let key = take_bytes(from)?;
    let expiry = match kind & EXPIRES {
        0 => None,
        _ => Some(Stamp(take(from)?)),
    };
    Ok(Head {
        tag: *tag,
        name: Name {
            db: db as DbId,
            key,
        },
        expiry,
    })
}

/// Takes a number off the front.
pub(super) fn take(from: &mut &[u8]) -> Result<u64, LoadError> {
    varint::take(from).ok_or(LoadError::Cut)
}

/// Takes bytes with their length off the front.
pub(super) fn take_bytes<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], LoadError> {
    varint::take_bytes(from).ok_or(LoadError::Cut)
}
