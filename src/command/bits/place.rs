//! The place of a bit, and how many bytes are looked at in one step.

use crate::command::args::parse_integer;
use crate::command::error::Error;
use crate::limits::BULK_BYTES_MAX;

/// So many bytes are looked at, or joined, for what one step costs.
pub(super) const BYTES_PER_STEP: usize = 1024;
/// The most bytes that are looked at, or made, at once: as many as a chunk of a long string.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// The place of a bit.
pub(super) fn bit_offset(text: &[u8]) -> Result<u64, Error> {
    let offset = parse_integer(text).and_then(|offset| u64::try_from(offset).ok());
    offset
        .filter(|offset| offset / 8 < BULK_BYTES_MAX)
        .ok_or(Error::BIT_OFFSET)
}

/// Returns true if a bit of a byte is set.
pub(super) fn is_set(byte: u8, offset: u64) -> bool {
    byte >> (7 - offset % 8) & 1 == 1
}
