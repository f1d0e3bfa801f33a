//! The records of a base, each of which says one thing of one key.
//!
//! A record of a key is `what it says · kind · database · key · [expiry] · body`, numbers as
//! `varint`, bytes behind their length. A key begins once: the body is a small value, or empty, and
//! then the parts of a large value follow in records of their own. The kinds and the meaning of a
//! body are the types' matter. The first record of all says at which time the state stands, the
//! last one its digest.

use alloc::vec::Vec;

use crate::ids::DbId;
use crate::limits::TABLES;
use crate::take;
use crate::time::Stamp;
use crate::varint::{self, put, put_bytes};

/// The time at which the state stands, in eight bytes.
const OPENING: u8 = 0;
/// A key begins.
const BEGIN: u8 = 1;
/// A key begins, and expires.
const BEGIN_EXPIRING: u8 = 2;
/// A part of a large value.
const PART: u8 = 3;
/// The state's digest, in sixteen bytes.
const CLOSING: u8 = 4;

/// Why a piece of a base cannot be loaded; the store is then of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// The piece ends within a record.
    Cut,
    /// The piece holds a record or a value that this version does not know, or that cannot be.
    Malformed,
    /// The loaded state is not the one that the base says was written.
    Differs,
}

/// The key of which a record says something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) db: DbId,
    pub(super) key: &'a [u8],
}

/// A record as it is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Record<'a> {
    Opening {
        at: Stamp,
    },
    /// A key begins with a value of this kind: all of a small one, nothing of a large one.
    Begin {
        name: Name<'a>,
        expiry: Option<Stamp>,
        kind: u8,
        body: &'a [u8],
    },
    /// A part of the value that began before.
    Part {
        name: Name<'a>,
        kind: u8,
        body: &'a [u8],
    },
    Closing {
        digest: u128,
    },
}

impl Record<'_> {
    /// Appends it to `out`.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Opening { at } => {
                out.push(OPENING);
                out.extend_from_slice(&at.0.to_le_bytes());
            }
            Self::Begin {
                name,
                expiry,
                kind,
                body,
            } => {
                let what = expiry.map_or(BEGIN, |_| BEGIN_EXPIRING);
                put_name(out, [what, kind], name);
                if let Some(time) = expiry {
                    put(out, time.0);
                }
                put_bytes(out, body);
            }
            Self::Part { name, kind, body } => {
                put_name(out, [PART, kind], name);
                put_bytes(out, body);
            }
            Self::Closing { digest } => {
                out.push(CLOSING);
                out.extend_from_slice(&digest.to_le_bytes());
            }
        }
    }
}

fn put_name(out: &mut Vec<u8>, what: [u8; 2], name: Name<'_>) {
    out.extend_from_slice(&what);
    put(out, u64::from(name.db));
    put_bytes(out, name.key);
}

/// Takes a record off the front.
pub(super) fn take<'a>(from: &mut &'a [u8]) -> Result<Record<'a>, LoadError> {
    let [what] = take_array(from)?;
    match what {
        OPENING => {
            let at = Stamp(u64::from_le_bytes(take_array(from)?));
            return Ok(Record::Opening { at });
        }
        CLOSING => {
            let digest = u128::from_le_bytes(take_array(from)?);
            return Ok(Record::Closing { digest });
        }
        BEGIN | BEGIN_EXPIRING | PART => {}
        _ => return Err(LoadError::Malformed),
    }
    let [kind] = take_array(from)?;
    let db = take_number(from)?;
    if db >= u64::from(TABLES) {
        return Err(LoadError::Malformed);
    }
    let name = Name {
        db: db as DbId,
        key: take_bytes(from)?,
    };
    if what == PART {
        let body = take_bytes(from)?;
        return Ok(Record::Part { name, kind, body });
    }
    let expiry = match what {
        BEGIN_EXPIRING => Some(Stamp(take_number(from)?)),
        _ => None,
    };
    Ok(Record::Begin {
        name,
        expiry,
        kind,
        body: take_bytes(from)?,
    })
}

fn take_number(from: &mut &[u8]) -> Result<u64, LoadError> {
    varint::take(from).ok_or(LoadError::Cut)
}

fn take_bytes<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], LoadError> {
    varint::take_bytes(from).ok_or(LoadError::Cut)
}

fn take_array<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], LoadError> {
    take::array(from).ok_or(LoadError::Cut)
}
