//! The facts that a judge may know of the order in which a node did things; kept only where the
//! configuration asks for it.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::command::scripting::lines::ScriptLine;
use crate::ids::{ConnId, LogIndex};
use crate::time::{Offset, Stamp};

/// One thing that was done, in the order of doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witnessed {
    /// An entry is being applied, while serving or in recovery.
    Entry {
        /// Its index.
        index: LogIndex,
        /// Its stamp.
        stamp: Stamp,
        /// The version of entries by which it is applied.
        version: u8,
        /// Its bytes, as `entry` encodes them.
        payload: Bytes,
    },
    /// An entry was proposed.
    Stamped {
        /// Its stamp.
        stamp: Stamp,
        /// How far it says the wall clock to be ahead of that.
        offset: Offset,
    },
    /// A command was handed to the log, by itself or in a transaction: it is in the next entry, or
    /// is refused.
    Proposed {
        /// The database.
        db: u32,
        /// Its words.
        words: Vec<Vec<u8>>,
    },
    /// This leader has proposed to raise the version of entries.
    Raises {
        /// To this one.
        version: u8,
    },
    /// The state in memory is forgotten: another member's takes its place.
    Reloads,
    /// Memory holds a base's state, and what was applied before is forgotten.
    Restored {
        /// The entry at which it stands.
        index: LogIndex,
        /// The version of entries behind it.
        version: u8,
    },
    /// A base has been written or loaded.
    Digest {
        /// The entry at which it stands.
        index: LogIndex,
        /// The digest of its state, as the base says it.
        digest: u128,
    },
    /// The next command of that entry was executed.
    Step {
        /// Its reply, be it for nobody: what was drawn by chance stands in it.
        reply: Vec<u8>,
        /// The lines for the server's log that its scripts have written, but for those of reads.
        lines: Vec<ScriptLine>,
    },
    /// A client's long read has begun: it is of the state as it is now, and is answered later.
    Held {
        /// The client.
        conn: ConnId,
    },
    /// A message that a client has published is on its way to its subscribers, and the client is
    /// answered later.
    Publishes {
        /// The client.
        conn: ConnId,
    },
    /// A piece of a command was run, and it goes on later.
    Piece {
        /// The command.
        name: &'static str,
    },
    /// A client waits from now on for a key to hold something, or does so again.
    Waits {
        /// The client.
        conn: ConnId,
        /// The number of its request among all that may wait, in the order in which they came.
        ticket: u64,
    },
    /// A client's next reply was written.
    Answered {
        /// The client.
        conn: ConnId,
        /// The source of the reply.
        answer: Answer,
    },
}

/// The source of a reply: the command or request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The command that was executed last.
    Step,
    /// A request that looked at the store as it is now.
    Read,
    /// A request that looked at the store of a member that does not lead, as the client wished; and
    /// every WATCH and EXEC that such a member has done.
    Old,
    /// A request that has waited for a key to hold something, and was given nothing: its time was
    /// over, or it was not to wait any longer.
    Waited,
    /// A request that did not look at the store, or was refused.
    Other,
    /// A request that only a leader may answer, and this member does not lead, or ceased to.
    Elsewhere,
}

impl Answer {
    /// Returns the source of a finished reply that did not come from the store.
    pub(super) fn of_reply(reply: &[u8]) -> Self {
        let codes: [&[u8]; 3] = [b"-MOVED ", b"-CLUSTERDOWN ", b"-UNCERTAIN "];
        if codes.iter().any(|code| reply.starts_with(code)) {
            Self::Elsewhere
        } else {
            Self::Other
        }
    }
}

/// The record; empty for ever where nobody asked for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    on: bool,
    seen: Vec<Witnessed>,
    /// The reply so far of a command that is cut into pieces and has no client here.
    begun: Vec<u8>,
    /// The lines that scripts of a command have written so far.
    lines: Vec<ScriptLine>,
}

impl Witness {
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            ..Self::default()
        }
    }

    /// Returns true if somebody has asked for it.
    pub(super) fn is_kept(&self) -> bool {
        self.on
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> Witnessed) {
        if self.on {
            self.seen.push(what());
        }
    }

    /// A part of a reply that nobody waits for is dropped.
    pub(super) fn drops(&mut self, part: &[u8]) {
        if self.on {
            self.begun.extend_from_slice(part);
        }
    }

    /// Scripts of a command have written lines.
    pub(super) fn says(&mut self, lines: &[ScriptLine]) {
        if self.on {
            self.lines.extend_from_slice(lines);
        }
    }

    /// A command was executed; `rest` is its reply, behind what was dropped of it.
    pub(super) fn step(&mut self, rest: &[u8]) {
        if !self.on {
            return;
        }
        let mut reply = core::mem::take(&mut self.begun);
        let lines = core::mem::take(&mut self.lines);
        reply.extend_from_slice(rest);
        self.seen.push(Witnessed::Step { reply, lines });
    }

    pub(super) fn take(&mut self) -> Vec<Witnessed> {
        core::mem::take(&mut self.seen)
    }
}
