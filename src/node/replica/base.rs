//! The facts that a base and a manifest hold besides keys: who a member is, and at which entry a
//! state stands.
//!
//! Both are blobs to the log. Numbers are little-endian and of fixed width. The first byte of a
//! base's head is the version of all that the base says, of the state too.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::node::replica::versions::EntryVersion;
use crate::take;
use crate::time::{Offset, Stamp};

/// The member that a data directory belongs to; stands in the manifest from its first day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::node) struct Identity {
    pub(in crate::node) id: NodeId,
    pub(in crate::node) cluster: ClusterId,
    pub(in crate::node) incarnation: Incarnation,
    /// The members that the group began with, as Raft encodes them.
    pub(in crate::node) founders: Vec<u8>,
}

impl Identity {
    pub(in crate::node) fn encode(&self) -> Vec<u8> {
        let numbers = [self.id.0, self.cluster.0, self.incarnation.0];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        bytes.extend_from_slice(&self.founders);
        bytes
    }

    pub(in crate::node) fn decode(mut bytes: &[u8]) -> Option<Self> {
        Some(Self {
            id: NodeId(take::u64(&mut bytes)?),
            cluster: ClusterId(take::u64(&mut bytes)?),
            incarnation: Incarnation(take::u64(&mut bytes)?),
            founders: bytes.to_vec(),
        })
    }
}

/// The flag of a base that says that there are other members, or were.
const GROUPED: u64 = 1;
/// The offset of the wall clock follows.
const HAS_OFFSET: u64 = 2;
/// The version of entries follows, which an entry has raised.
const HAS_VERSION: u64 = 4;
const FLAGS: u64 = GROUPED | HAS_OFFSET | HAS_VERSION;

/// The version of bases that this server writes, and the last one that it reads.
pub(super) const BASE_VERSION: u8 = 1;

/// Why a base's head cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum NoHead {
    /// The base is of this version, which a later server has written.
    Newer(u8),
    /// It is cut short, or of a version that never was.
    Malformed,
}

impl NoHead {
    /// In words for the operator.
    pub(in crate::node) fn text(self) -> String {
        match self {
            Self::Newer(version) => alloc::format!(
                "the base is of format {version}, and this version of seedis knows formats up to \
                 {BASE_VERSION}: use the version that wrote it, or a later one"
            ),
            Self::Malformed => "the base does not say at which entry it was made".into(),
        }
    }
}

/// At which entry a base stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::node) struct BaseHead {
    pub(in crate::node) index: LogIndex,
    pub(in crate::node) term: Term,
    /// Replicated time at that entry.
    pub(in crate::node) stamp: Stamp,
    /// How far the wall clock is ahead of that.
    pub(in crate::node) offset: Offset,
    /// There are other members, or were: what this one counts is synced from then on.
    pub(in crate::node) grouped: bool,
    /// The version of entries behind it.
    pub(in crate::node) entry_version: EntryVersion,
    /// The secret that orders the store's tables, if the group had one by then.
    pub(in crate::node) hash_seed: Option<u128>,
    /// The members at that entry, as Raft encodes them.
    pub(in crate::node) membership: Vec<u8>,
}

impl BaseHead {
    pub(in crate::node) fn encode(&self) -> Vec<u8> {
        let has_offset = self.offset != Offset(0);
        let mut flags = u64::from(has_offset) * HAS_OFFSET;
        flags |= u64::from(self.grouped) * GROUPED;
        let version = self.entry_version;
        let has_version = version != EntryVersion::default();
        flags |= u64::from(has_version) * HAS_VERSION;
        let seed = self.hash_seed.unwrap_or_default();
        let seeded = u64::from(self.hash_seed.is_some());
        let numbers = [
            self.index.0,
            self.term.0,
            self.stamp.0,
            flags,
            seeded,
            seed as u64,
            (seed >> 64) as u64,
        ];
        let mut bytes = alloc::vec![BASE_VERSION];
        bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        if has_offset {
            bytes.extend_from_slice(&self.offset.0.to_le_bytes());
        }
        if has_version {
            bytes.extend_from_slice(&u64::from(version.number).to_le_bytes());
            bytes.extend_from_slice(&version.since.0.to_le_bytes());
        }
        bytes.extend_from_slice(&self.membership);
        bytes
    }

    pub(in crate::node) fn decode(bytes: &[u8]) -> Result<Self, NoHead> {
        match bytes.split_first() {
            Some((&BASE_VERSION, rest)) => Self::decode_numbers(rest).ok_or(NoHead::Malformed),
            Some((&version, _)) if version > BASE_VERSION => Err(NoHead::Newer(version)),
            _ => Err(NoHead::Malformed),
        }
    }

    fn decode_numbers(mut bytes: &[u8]) -> Option<Self> {
        let (index, term) = (take::u64(&mut bytes)?, take::u64(&mut bytes)?);
        let (stamp, flags) = (take::u64(&mut bytes)?, take::u64(&mut bytes)?);
        if flags & !FLAGS != 0 {
            return None;
        }
        let seeded = take::u64(&mut bytes)?;
        let (low, high) = (take::u64(&mut bytes)?, take::u64(&mut bytes)?);
        let offset = if flags & HAS_OFFSET == 0 {
            0
        } else {
            take::u64(&mut bytes)?
        };
        let entry_version = if flags & HAS_VERSION == 0 {
            EntryVersion::default()
        } else {
            EntryVersion {
                number: u8::try_from(take::u64(&mut bytes)?).ok()?,
                since: LogIndex(take::u64(&mut bytes)?),
            }
        };
        Some(Self {
            index: LogIndex(index),
            term: Term(term),
            stamp: Stamp(stamp),
            offset: Offset(offset as i64),
            grouped: flags & GROUPED != 0,
            entry_version,
            hash_seed: (seeded != 0).then_some(u128::from(high) << 64 | u128::from(low)),
            membership: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let identity = Identity {
            id: NodeId(3),
            cluster: ClusterId(u64::MAX),
            incarnation: Incarnation(7),
            founders: alloc::vec![4, 5],
        };
        assert_eq!(Identity::decode(&identity.encode()), Some(identity));
        let head = BaseHead {
            index: LogIndex(5),
            term: Term(2),
            stamp: Stamp(1),
            offset: Offset(-5),
            grouped: true,
            entry_version: EntryVersion {
                number: 2,
                since: LogIndex(4),
            },
            hash_seed: Some(u128::MAX - 7),
            membership: alloc::vec![1, 2, 3],
        };
        assert_eq!(BaseHead::decode(&head.encode()), Ok(head.clone()));
        let early = BaseHead {
            hash_seed: None,
            entry_version: EntryVersion::default(),
            ..head
        };
        assert_eq!(BaseHead::decode(&early.encode()), Ok(early));
    }

    #[test]
    fn what_is_too_short_is_refused() {
        assert_eq!(Identity::decode(&[0; 23]), None);
        let mut head = [0; 57];
        head[0] = BASE_VERSION;
        assert!(BaseHead::decode(&head).is_ok());
        for cut in 0..57 {
            assert_eq!(BaseHead::decode(&head[..cut]), Err(NoHead::Malformed));
        }
    }
    #[test]
    fn a_base_of_a_later_format_is_refused_with_its_number() {
        let mut head = alloc::vec![0; 60];
        head[0] = BASE_VERSION + 1;
        let refused = BaseHead::decode(&head).unwrap_err();
        assert_eq!(refused, NoHead::Newer(BASE_VERSION + 1));
        assert!(refused.text().contains("the base is of format 2"));
        // Format 0 never was: the first bytes of an index stood there.
        head[0] = 0;
        assert_eq!(BaseHead::decode(&head), Err(NoHead::Malformed));
    }
}
