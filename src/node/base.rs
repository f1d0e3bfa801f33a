//! What a base and a manifest say besides keys: who a member is, and at which entry a state stands.
//!
//! Both are blobs to the log. Numbers are little-endian and of fixed width.

use alloc::vec::Vec;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::time::Stamp;

/// Who a data directory belongs to; stands in the manifest from its first day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: NodeId,
    pub(super) cluster: ClusterId,
    pub(super) incarnation: Incarnation,
    /// The seed of the store's hash: part of the replicated state, since it orders what SCAN
    /// shows.
    pub(super) hash_seed: u64,
    /// The members that the group began with, as Raft encodes them.
    pub(super) founders: Vec<u8>,
}

impl Identity {
    pub(super) fn encode(&self) -> Vec<u8> {
        let numbers = [
            self.id.0,
            self.cluster.0,
            self.incarnation.0,
            self.hash_seed,
        ];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        bytes.extend_from_slice(&self.founders);
        bytes
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        Some(Self {
            id: NodeId(number(&mut bytes)?),
            cluster: ClusterId(number(&mut bytes)?),
            incarnation: Incarnation(number(&mut bytes)?),
            hash_seed: number(&mut bytes)?,
            founders: bytes.to_vec(),
        })
    }
}

/// At which entry a base stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseHead {
    pub(super) index: LogIndex,
    pub(super) term: Term,
    /// Replicated time at that entry.
    pub(super) stamp: Stamp,
    /// There are other members, or were: what this one counts is synced from then on.
    pub(super) grouped: bool,
    /// The members at that entry, as Raft encodes them.
    pub(super) membership: Vec<u8>,
}

impl BaseHead {
    pub(super) fn encode(&self) -> Vec<u8> {
        let grouped = u64::from(self.grouped);
        let numbers = [self.index.0, self.term.0, self.stamp.0, grouped];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        bytes.extend_from_slice(&self.membership);
        bytes
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        Some(Self {
            index: LogIndex(number(&mut bytes)?),
            term: Term(number(&mut bytes)?),
            stamp: Stamp(number(&mut bytes)?),
            grouped: number(&mut bytes)? != 0,
            membership: bytes.to_vec(),
        })
    }
}

/// The number at the front, which is taken away.
pub(super) fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*first))
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
            hash_seed: 9,
            founders: alloc::vec![4, 5],
        };
        assert_eq!(Identity::decode(&identity.encode()), Some(identity));
        let head = BaseHead {
            index: LogIndex(5),
            term: Term(2),
            stamp: Stamp(1),
            grouped: true,
            membership: alloc::vec![1, 2, 3],
        };
        assert_eq!(BaseHead::decode(&head.encode()), Some(head));
    }

    #[test]
    fn what_is_too_short_is_refused() {
        assert_eq!(Identity::decode(&[0; 31]), None);
        assert_eq!(BaseHead::decode(&[0; 31]), None);
    }
}
