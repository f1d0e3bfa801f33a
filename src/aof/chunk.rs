//! Bytes of records on their way to a segment.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::ids::{PersistSeq, Ticket};

use super::record::Position;

/// A part of a record's body.
#[derive(Clone, Debug)]
pub enum BodyPart {
    /// Bytes that are the record's own.
    Own(Vec<u8>),
    /// A large payload, whose memory others hold too.
    Shared {
        /// The payload.
        bytes: Bytes,
        /// Its checksum.
        sum: u64,
    },
}

impl BodyPart {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared { bytes, .. } => bytes.len(),
        }
    }
}

/// Bytes on their way to a segment.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) place: Position,
    /// The end of the last record that ends before `place`, in the same segment.
    pub(super) boundary: u64,
    pub(super) content: Content,
    /// The last record that ends in it, or before it.
    pub(super) last: PersistSeq,
}

/// The place of a chunk's bytes.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Here.
    Own(Vec<u8>),
    /// A piece of a large payload.
    Shared(Bytes),
}

impl Content {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }
}

/// A chunk that the disk is asked to write.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    pub(super) ticket: Ticket,
    pub(super) place: Position,
    pub(super) boundary: u64,
    /// The bytes to write, if their buffer does not come back.
    pub(super) shared: Option<Bytes>,
    pub(super) last: PersistSeq,
}
