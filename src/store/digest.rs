//! A number for a state: equal for equal states, whatever their history.
//!
//! Every key gives a number of its own, and the digest is their sum: so it depends on no order, no
//! seed, no capacity and no encoding.

use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use super::{DbId, Value};
use crate::time::Stamp;

/// The number of one key.
pub(super) fn of_key(db: DbId, key: &[u8], expiry: Option<Stamp>, value: Value<'_>) -> u128 {
    let mut scratch = [0; 20];
    let expiry = expiry.map_or([0; 9], |time| {
        let mut bytes = [1; 9];
        bytes[1..].copy_from_slice(&time.0.to_le_bytes());
        bytes
    });
    let db = db.to_le_bytes();
    match value {
        Value::String(text) => mix(&[b"string", &db, key, &expiry, text.as_bytes(&mut scratch)]),
        Value::Hash(hash) => {
            let fields = hash
                .iter()
                .map(|(field, value)| mix(&[field, value]))
                .fold(0, u128::wrapping_add);
            mix(&[b"hash", &db, key, &expiry, &fields.to_le_bytes()])
        }
    }
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
