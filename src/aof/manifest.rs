//! The manifest: whose directory it is, which base counts, and which segment comes first.

use alloc::vec::Vec;

use super::record::{self, Found, Place};
use crate::disk::FileName;

/// What it says in front of everything else, so that a stranger can tell what the file is.
const MAGIC: &[u8] = b"seedis manifest 1\n";
/// A place that no segment and no base has.
const PLACE: Place = Place {
    segment: u64::MAX,
    offset: 0,
};

/// Which files count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The number of the base; 0: there is none.
    pub base: u64,
    /// The first segment behind the base.
    pub first_segment: u64,
    /// The checksum of the record before that segment's first; 0: there was none.
    pub predecessor: u64,
    /// Whose directory it is, in its owner's own encoding.
    pub identity: Vec<u8>,
}

impl Manifest {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let numbers = [self.base, self.first_segment, self.predecessor].map(u64::to_le_bytes);
        record::put(&mut bytes, PLACE, &[numbers.as_flattened(), &self.identity]);
        bytes
    }

    /// What the file's bytes say; nothing where they are damaged or another version's.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let Found::Record { payload, .. } = record::find(rest, PLACE) else {
            return None;
        };
        let (base, payload) = payload.split_first_chunk()?;
        let (first_segment, payload) = payload.split_first_chunk()?;
        let (predecessor, identity) = payload.split_first_chunk()?;
        let [base, first_segment] = [base, first_segment].map(|bytes| u64::from_le_bytes(*bytes));
        if base.max(first_segment) > FileName::NUMBER_MAX {
            return None;
        }
        Some(Self {
            base,
            first_segment,
            predecessor: u64::from_le_bytes(*predecessor),
            identity: identity.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_what_it_was_told_and_nothing_when_damaged() {
        let manifest = Manifest {
            base: 3,
            first_segment: 4,
            predecessor: 5,
            identity: b"me".to_vec(),
        };
        let bytes = manifest.encode();
        assert_eq!(Manifest::decode(&bytes), Some(manifest));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert_eq!(Manifest::decode(&damaged), None, "{at}");
            assert_eq!(Manifest::decode(&bytes[..at]), None, "{at}");
        }
    }

    #[test]
    fn numbers_that_no_file_can_have_are_damage() {
        let decoded = |base, first_segment| {
            let manifest = Manifest {
                base,
                first_segment,
                ..Manifest::default()
            };
            Manifest::decode(&manifest.encode())
        };
        assert!(decoded(FileName::NUMBER_MAX, FileName::NUMBER_MAX).is_some());
        assert_eq!(decoded(FileName::NUMBER_MAX + 1, 1), None);
        assert_eq!(decoded(1, u64::MAX), None);
    }
}
