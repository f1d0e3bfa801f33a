//! The keys that may be evicted.

use crate::ids::DbId;

/// Which keys may go, and in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only keys with an expiry.
    pub only_volatile: bool,
    /// The sooner, the sooner it expires; otherwise as its uses say.
    pub by_expiry: bool,
}

/// A key that may go.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its database.
    pub db: DbId,
    /// The key.
    pub key: &'a [u8],
    /// How well it may be missed: the larger, the sooner it goes.
    pub coldness: u64,
    /// The bytes that it takes with its value.
    pub bytes: usize,
}
