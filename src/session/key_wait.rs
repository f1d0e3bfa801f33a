//! A request whose client waits for a key to hold something, or is being given something of it.

use alloc::boxed::Box;
use core::ops::Range;

use crate::command::row::Row;
use crate::command::wait::Wait;
use crate::time::Mono;

/// The request, and how far it has come.
#[derive(Clone, Debug)]
pub struct KeyWait {
    /// Its command.
    pub row: &'static Row,
    /// The database that its client has selected.
    pub db: u32,
    /// Its words, as an entry of the log holds them.
    pub request: Box<[u8]>,
    /// The keys that it waits for in those, each once.
    pub keys: Box<[Range<u32>]>,
    /// The value that it waits for, and how long.
    pub wait: Wait,
    /// When its client is answered that nothing has come.
    pub until: Option<Mono>,
    /// Its number among all such requests, in the order in which they came.
    pub ticket: u64,
    /// How far it has come.
    pub stage: Stage,
    /// CLIENT UNBLOCK has asked for its end while something was on its way to it. The client is
    /// told so if there was nothing: by an error, where this is true.
    pub unblocked: Option<bool>,
}

/// How far a request has come that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its client waits.
    Waits,
    /// It is proposed.
    Takes(Taking),
}

/// The prospects of a request that is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It is certain to find something.
    Surely,
    /// It takes something if there is something. If not, it stands in its place again.
    Perhaps {
        /// The number of the batch with which it was proposed: between those of a batch nothing
        /// stands in the log.
        batch: u64,
    },
}

/// About what a key takes where the node finds who waits for it, besides its name.
const KEY_BYTES: usize = 240;

impl KeyWait {
    /// The names of its keys.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let name = |key: &Range<u32>| &self.request[key.start as usize..key.end as usize];
        self.keys.iter().map(name)
    }

    /// The memory that it takes, in bytes: here, and where the node finds who waits for a key.
    pub fn memory(&self) -> usize {
        let names: usize = self.keys.iter().map(ExactSizeIterator::len).sum();
        let keys = self.keys.len() * (size_of::<Range<u32>>() + KEY_BYTES) + names;
        size_of::<Self>() + self.request.len() + keys
    }
}
