//! A state that is being received, and its pieces (thesis 5).

use bytes::Bytes;

use super::membership::Membership;
use super::message::SnapshotId;

/// A piece of a state, for the owner to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedChunk {
    /// Of which state.
    pub id: SnapshotId,
    /// Its offset, in bytes; at 0, all that came before is to be forgotten.
    pub offset: u64,
    /// Its bytes.
    pub data: Bytes,
    /// With the last piece, the membership of the state: it is whole now, and is to be put in
    /// force or refused.
    pub whole: Option<Membership>,
}

/// A state that is being received.
#[derive(Clone, Debug)]
pub(super) struct Receiving {
    pub(super) id: SnapshotId,
    pub(super) membership: Membership,
    /// Up to here the owner has taken it.
    pub(super) taken: u64,
    /// The piece behind that, which the owner has not taken yet.
    pub(super) piece: Option<Bytes>,
}

impl Receiving {
    /// Returns true if all of it has come.
    pub(super) fn is_whole(&self) -> bool {
        self.taken == self.id.bytes
    }
}
