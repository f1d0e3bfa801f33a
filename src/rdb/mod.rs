//! Redis's own form of values, as DUMP writes them and RESTORE reads them.
//!
//! A payload is the value, two bytes that say which version of the form it has, and a checksum of
//! all that. Values are written in the plain form of each type, which every Redis since 7.0 reads.
//! They are read in any form that a Redis of up to version 7.2 writes, and are not believed:
//! lengths and counts are checked before anything is taken for what it says.

#![allow(
    clippy::big_endian_bytes,
    reason = "lengths in Redis's form have their highest byte first"
)]

mod compact;
pub mod crc64;
mod element;
mod library;
mod lzf;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use element::BadPayload;
pub use library::{BadLibrary, library, put_library};
pub use read::{Reading, ValueItem, ValueKind};
pub use write::{VERSION, put_footer, put_integer, put_kind, put_length, put_score, put_string};

/// The newest that is read: that of Redis 7.2.
pub const NEWEST: u16 = 11;
/// The bytes behind the value: the version and the checksum.
pub const FOOTER_BYTES: usize = 10;
/// The bytes of the checksum.
pub const SUM_BYTES: usize = 8;

/// The value in a payload, if that ends with a version that is read, and the checksum that it says
/// to have of all before that. It is for the caller to see that this one is right.
pub fn parts(payload: &[u8]) -> Option<(&[u8], u64)> {
    let (rest, sum) = payload.split_last_chunk::<SUM_BYTES>()?;
    let (value, version) = rest.split_last_chunk::<2>()?;
    let is_known = u16::from_le_bytes(*version) <= NEWEST;
    is_known.then_some((value, u64::from_le_bytes(*sum)))
}
