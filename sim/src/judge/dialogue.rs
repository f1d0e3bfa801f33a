//! One connection as its client sees it: what was asked, what was selected, what is owed.

use std::collections::VecDeque;

use super::channels::{Change, Listener};
use super::group::Standing;
use super::history::{Command, Words};
use super::invariant::Id;
use super::keeper::Keeper;
use super::staleness::Wish;
use super::walks::{Step, Walks};
use crate::model::{Item, Want};

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

/// Something that was asked, and when.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) asked: Asked,
    /// When, in nanoseconds of true time.
    pub(crate) at: u64,
    /// Its number among all that was asked.
    pub(crate) number: u64,
    /// The last entry of which anybody had been told.
    pub(crate) floor: u64,
    /// How many answers there had been.
    pub(crate) moment: u64,
    /// Replicated time then, as its member knew it.
    pub(crate) stamp: u64,
}

/// A reply that the client is to receive.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) want: Want,
    pub(crate) resp3: bool,
    pub(crate) asked: Asked,
    /// The standing of the member of a group, for a request that looked at the store.
    pub(crate) standing: Option<Standing>,
    /// The invariant that another reply would break, if it is not the order of replies.
    pub(crate) suspect: Option<Id>,
    /// When it was asked for, in nanoseconds.
    pub(crate) asked_at: u64,
    /// True if the reply is worth nothing where its member has ceased to lead since.
    pub(crate) may_fall: bool,
    /// The step of a walk that it is.
    pub(crate) step: Option<Step>,
    /// How many answers there had been when it was given.
    pub(crate) moment: u64,
    /// The changes that it brings to what its client listens to.
    pub(super) changes: Vec<Change>,
    /// False where more replies to the same request follow.
    pub(crate) is_last: bool,
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
    /// The value in the store, if the model does not know it.
    pub(crate) seen: Seen,
    /// True if it was alive then, by replicated time.
    pub(crate) alive: bool,
    /// False if it was dead when WATCH was asked.
    pub(crate) may_be_alive: bool,
    /// True if it may have been dead when WATCH was answered, by a clock ahead of replicated time.
    pub(crate) may_be_dead: bool,
    /// When it dies, where it was certainly alive.
    pub(crate) dies: Option<u64>,
    /// It may have been written between the asking of WATCH and its answer.
    pub(crate) is_doubtful: bool,
    /// WATCH was answered by a member that did not lead: by what it had applied, and nothing else.
    pub(crate) is_old: bool,
    /// How often the member had begun to hold another state.
    pub(crate) states: u64,
    /// The connection that watches it, and the number of its request.
    pub(crate) place: (u64, u64),
}

/// The observations of a watched key in the store since WATCH.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// Nobody has looked yet.
    Nothing,
    /// It has held this whenever somebody looked.
    Always(Option<Item>),
    /// It has held one thing and then another.
    Changed,
}

/// The replies that a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Silence {
    /// All.
    #[default]
    None,
    /// None, until it says otherwise.
    All,
    /// Not that to the next request.
    Next,
    /// Not that to the present one.
    Present,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialogue {
    pub(crate) member: usize,
    /// The questions that are not answered yet, in the order of asking.
    pub(crate) asked: VecDeque<Question>,
    /// The replies that are given and have not reached the client yet.
    pub(crate) owed: VecDeque<Owed>,
    pub(crate) db: u32,
    pub(crate) resp3: bool,
    pub(crate) transaction: Option<Transaction>,
    pub(crate) watched: Vec<Watched>,
    /// Its client as a listener.
    pub(super) listener: Listener,
    /// And as one that tracks.
    pub(super) keeper: Keeper,
    /// The changes that the present answer brings to these.
    pub(super) changes: Vec<Change>,
    /// The reads that it wants.
    pub(crate) wish: Wish,
    /// The replies that it wants.
    pub(crate) silence: Silence,
    /// The last entry that holds something that it has written, and was told of.
    pub(crate) wrote: u64,
    /// The walks with a cursor that it follows.
    pub(crate) walks: Walks,
    /// When a long read of it began that is not at its end.
    pub(crate) held_at: Option<u64>,
    /// The last reply closes the connection.
    pub(crate) closing: bool,
    /// The client sends no more, and is owed what it has asked.
    pub(crate) ended: bool,
    /// Which database is selected is not known any more, and so not what replies should be.
    pub(crate) blind: bool,
}
