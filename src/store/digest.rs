//! A number for a state: equal for equal states, whatever their history.
//!
//! Every key gives a number, and so does every item of its value: a field of a hash, a part of a
//! string. The digest is their sum. So it depends on no order, no seed and no capacity, and of the
//! encodings on none but that of a short string which was written in part, and is called `raw`. A
//! base can be summed up record by record while it is written and while it is loaded.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use super::encoding::Encoding;
use super::kind::Kind;
use super::record::{Name, Record};
use super::value::{Large, Value};
use crate::ids::DbId;
use crate::time::Stamp;

/// The number of one key with its value.
pub(super) fn of_key(name: Name<'_>, expiry: Option<Stamp>, value: Value<'_>) -> u128 {
    let mut sum = of_head(name, expiry, value.mark());
    value.show_items(&mut |item| sum = sum.wrapping_add(of_item(name, item)));
    sum
}

fn of_head(name: Name<'_>, expiry: Option<Stamp>, mark: &str) -> u128 {
    let expiry = expiry.map_or([0; 9], |time| {
        let mut bytes = [1; 9];
        bytes[1..].copy_from_slice(&time.0.to_le_bytes());
        bytes
    });
    mix(name, b"key", &[mark.as_bytes(), &expiry])
}

fn of_item(name: Name<'_>, item: &[&[u8]]) -> u128 {
    mix(name, b"item", item)
}

/// A number for a list of parts, in which the bounds of the parts count.
fn mix(name: Name<'_>, what: &[u8], parts: &[&[u8]]) -> u128 {
    let half = |seed| {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        let mut add = |part: &[u8]| {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        };
        add(what);
        add(&name.db.to_le_bytes());
        add(name.key);
        for part in parts {
            add(part);
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
    /// Dead keys of which parts may come.
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

    /// One more record, which was written by this version or loaded.
    pub(super) fn add(&mut self, record: &Record<'_>) {
        match *record {
            Record::Opening { .. } | Record::Closing { .. } => {}
            Record::Begin {
                name,
                expiry,
                kind,
                body,
            } => {
                let is_dead = expiry.is_some_and(|time| time <= self.at);
                let number = match Kind::of_byte(kind) {
                    _ if is_dead => 0,
                    Some(kind) => of_key(name, expiry, Value::small(kind, body)),
                    None => of_head(name, expiry, Large::mark(Encoding::of_begin_byte(kind).0)),
                };
                self.sum = self.sum.wrapping_add(number);
                if is_dead && Kind::of_byte(kind).is_none() {
                    self.dead.insert((name.db, name.key.into()));
                }
            }
            Record::Part { name, kind, body } => {
                if self.is_dead(name) {
                    return;
                }
                let mut sum = self.sum;
                let mut add = |item: &[&[u8]]| sum = sum.wrapping_add(of_item(name, item));
                Large::show_part(kind, body, &mut add);
                self.sum = sum;
            }
        }
    }

    fn is_dead(&self, name: Name<'_>) -> bool {
        !self.dead.is_empty() && self.dead.contains(&(name.db, name.key.into()))
    }
}
