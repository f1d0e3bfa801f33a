//! Who belongs to a group.

use alloc::vec::Vec;

use crate::ids::NodeId;

use super::Corrupt;

/// The voters of a group, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    voters: Vec<NodeId>,
}

impl Membership {
    /// A group of one.
    pub fn alone(id: NodeId) -> Self {
        Self {
            voters: alloc::vec![id],
        }
    }

    /// The members that vote.
    pub fn voters(&self) -> &[NodeId] {
        &self.voters
    }

    /// As it stands in a base and in an entry.
    pub fn encode(&self) -> Vec<u8> {
        self.voters
            .iter()
            .flat_map(|id| id.0.to_le_bytes())
            .collect()
    }

    /// What `encode` wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let (chunks, rest) = bytes.as_chunks();
        if chunks.is_empty() || !rest.is_empty() {
            return Err(Corrupt);
        }
        let voters = chunks
            .iter()
            .map(|id| NodeId(u64::from_le_bytes(*id)))
            .collect();
        Ok(Self { voters })
    }
}
