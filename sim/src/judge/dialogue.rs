//! One connection as its client sees it: what was asked, what was selected, what is owed.

use std::collections::VecDeque;

use super::history::{Command, Words};
use super::invariant::Id;
use crate::model::Want;

/// Something that a client has sent.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// A request.
    Request(Words),
    /// Bytes that are no request.
    Garbage {
        /// The complaint that they must get.
        complaint: String,
        /// They are a request but for one byte too many.
        limit: bool,
    },
    /// A request behind such bytes: nobody may look at it.
    Behind(Words),
}

/// A reply that the client is to receive.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) want: Want,
    pub(crate) resp3: bool,
    pub(crate) asked: Asked,
    /// What another reply would break, where it is not the order of replies.
    pub(crate) suspect: Option<Id>,
}

/// A transaction that is being put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) queued: Vec<Command>,
    pub(crate) db: u32,
    pub(crate) failed: bool,
    /// A request may have been refused because the disk is full.
    pub(crate) unsure: bool,
}

/// A watched key.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) db: u32,
    pub(crate) key: Vec<u8>,
    /// The key's version when WATCH was answered.
    pub(crate) version: u64,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialogue {
    pub(crate) member: usize,
    /// What is not answered yet, in the order of asking, with its number among all that was asked.
    pub(crate) asked: VecDeque<(Asked, u64)>,
    /// What is answered and has not reached the client yet.
    pub(crate) owed: VecDeque<Owed>,
    pub(crate) db: u32,
    pub(crate) resp3: bool,
    pub(crate) transaction: Option<Transaction>,
    pub(crate) watched: Vec<Watched>,
    /// The last reply closes the connection.
    pub(crate) closing: bool,
}
