//! A base that is being written: its files, the kinds of its records, and how far it has come.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::disk::{FileKind, FileName};
use crate::ids::{PersistSeq, Ticket};

/// Kinds of a base's records, as their payload's first byte.
pub(super) const HEAD: u8 = b'h';
pub(super) const PIECE: u8 = b'p';
pub(super) const FOOTER: u8 = b'e';

/// How the last rewrite went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewriteState {
    /// There is none, or its end has been told.
    Absent,
    /// It is under way.
    Running,
    /// The new base counts; its size in bytes.
    Done {
        /// Bytes.
        bytes: u64,
    },
    /// It was given up; the log is as it was.
    Failed,
}

/// How far a rewrite has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Pieces are coming.
    Writing,
    /// All pieces are handed over.
    Whole,
    SyncingBase,
    RenamingBase,
    SyncingName,
    /// The first record behind the base must be durable before older segments can go.
    AwaitingLog,
    CreatingManifest,
    WritingManifest,
    SyncingManifest,
    RenamingManifest,
    SyncingSwitch,
    Done,
    Failed,
}

/// A rewrite under way.
#[derive(Clone, Debug)]
pub(super) struct Rewriting {
    pub(super) stage: Stage,
    /// The base's number.
    pub(super) number: u64,
    /// The first segment behind the base; of a base that is received it is known at the end.
    pub(super) first_segment: u64,
    pub(super) bytes: u64,
    /// Up to here its syncing was asked for.
    pub(super) sync_asked: u64,
    pub(super) ticket: Option<Ticket>,
    /// Writes and syncs of the base that are on their way.
    pub(super) writing: VecDeque<Ticket>,
    /// The record with which the log went on.
    pub(super) first: PersistSeq,
    /// The checksum of the record before that.
    pub(super) predecessor: u64,
    pub(super) earlier_bytes: u64,
    pub(super) spare: Vec<Vec<u8>>,
}

/// The file in which the base of this number is written.
pub(super) fn base_tmp(number: u64) -> FileName {
    FileName::new(FileKind::BaseTmp, number)
}

/// The file of the base of this number.
pub(super) fn base(number: u64) -> FileName {
    FileName::new(FileKind::Base, number)
}
