//! Bytes that are not what they should be.

/// Bytes that are no entry: too short, of no known kind, or not those that were checksummed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;
