//! Long commands hold the store, not the loop.
//!
//! A command that is long by nature, and a transaction of many, are run in pieces: one each turn,
//! with all else between them that does not touch the store: sockets, the disk, other members,
//! elections, PING, INFO, and the proposing and committing of writes. All that looks at the store,
//! or changes it, waits until it is let go: nobody sees the middle of a command. Between two
//! commands of an entry the store is free; an entry of a thousand commands is applied in pieces all
//! the same.
//!
//! Two can hold the store, and never at once: the entry that is being applied, in the middle of a
//! command or transaction, and a client's long read. Those that waited come first when an entry has
//! let go, and the log goes on first when a read has: so neither keeps the other out.
//!
//! When leadership is lost in the middle, what is committed is applied to its end and answered as
//! it would have been; only then those are told whose entries may or may not be, in their order.
//! After a crash the log is applied again from the beginning of the entry. A script that runs long
//! holds the store in the same way.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::command::error::Error;
use crate::command::pace::Pace;
use crate::command::row::Row;
use crate::command::scripting::run::{ScriptBounds, Scripts};
use crate::ids::ConnId;
use crate::resp::reply::Protocol;
use crate::time::Stamp;

use super::applying::Applying;
use super::batch::Waiter;
use super::old_transaction::OldTransaction;

/// The command that holds the store, and the clients that wait for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hold {
    /// How far the command has come that is run in pieces.
    pub(super) pace: Pace,
    /// The machine that runs scripts, and the script that is being run.
    pub(super) scripts: Scripts,
    /// The bounds of scripts in the entry that is being applied.
    pub(super) bounds: ScriptBounds,
    /// The ordinal of the last script that was proposed.
    pub(super) last_script: u64,
    /// A client whose EXEC waits until it is known what scripts have written. No script is proposed
    /// before it.
    pub(super) ahead: Option<(u32, ConnId)>,
    /// How much of what is committed may still be applied in this turn.
    pub(super) left: usize,
    /// The work that was done to apply things since memory was last freed.
    pub(super) unfreed_work: usize,
    /// More may be committed than the last turn has applied.
    pub(super) is_left_over: bool,
    /// The entry that is being applied.
    pub(super) applying: Option<Applying>,
    /// It stands in the middle of a command or transaction.
    pub(super) is_mid_command: bool,
    /// A client's long read.
    pub(super) reading: Option<Reading>,
    /// Clients with parked requests that are to be run before anything else is applied.
    pub(super) behind: VecDeque<(u32, ConnId)>,
    /// Clients whose next request looks at the store, or writes while too much is on its way.
    pub(super) awaited: Vec<(u32, ConnId)>,
    /// Those that waited for an entry come before the next command of the log.
    pub(super) readers_first: bool,
    /// Clients whose entries may or may not be committed, and what they are told.
    pub(super) owed: VecDeque<(Waiter, Error)>,
}

/// A read that is not at its end, for which its client waits.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    One(Box<LongRead>),
    Transaction(Box<OldTransaction>),
}

impl Reading {
    pub(super) fn client(&self) -> (u32, ConnId) {
        match self {
            Self::One(read) => (read.slot, read.conn),
            Self::Transaction(transaction) => transaction.client(),
        }
    }

    /// The reply so far.
    pub(super) fn reply(&self) -> &[u8] {
        match self {
            Self::One(read) => &read.reply,
            Self::Transaction(transaction) => &transaction.out,
        }
    }
}

/// A read that is run in pieces.
#[derive(Clone, Debug)]
pub(super) struct LongRead {
    pub(super) slot: u32,
    pub(super) conn: ConnId,
    pub(super) request: Long,
    /// Which of this member's reads it is.
    pub(super) nth: u64,
    pub(super) buffer: Vec<u8>,
    pub(super) ranges: Vec<Range<u32>>,
    pub(super) reply: Vec<u8>,
}

/// The request of a read that was found to be long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long {
    pub(super) row: &'static Row,
    pub(super) db: u32,
    pub(super) protocol: Protocol,
    pub(super) silent: bool,
    /// The leader's clock when it began.
    pub(super) clock: Stamp,
    /// It looks at the state of a member that does not lead, as its client wished.
    pub(super) is_old: bool,
}

impl Hold {
    /// Nobody holds the store, and a turn may do so much.
    pub(super) fn new(work: usize) -> Self {
        Self {
            left: work,
            ..Self::default()
        }
    }

    /// Returns true if the store is held, so that nobody else may look at it or change it.
    pub(super) fn is_held(&self) -> bool {
        self.is_mid_command || self.reading.is_some()
    }

    /// Returns true if an entry, a read or what stands behind them is not at its end.
    pub(super) fn is_midway(&self) -> bool {
        self.applying.is_some()
            || self.reading.is_some()
            || !self.behind.is_empty()
            || !self.owed.is_empty()
    }

    /// Forgets a command that shall never come to its end, with the script that has called it.
    pub(super) fn forget(&mut self) {
        self.pace.forget();
        self.scripts.give_up();
    }

    /// Takes note of work on the store.
    pub(super) fn pay(&mut self, work: usize) {
        self.left = self.left.saturating_sub(work);
        self.unfreed_work = self.unfreed_work.saturating_add(work);
    }

    /// Returns true if parked requests must wait: the store is held, or the turn has done enough.
    pub(super) fn has_done_enough(&self) -> bool {
        self.is_held() || self.left == 0
    }

    /// Returns true if a client is to be served before the next command of the log.
    pub(super) fn is_anyone_first(&self) -> bool {
        self.readers_first || !self.behind.is_empty()
    }

    /// An entry has let the store go.
    pub(super) fn entry_lets_go(&mut self) {
        self.is_mid_command = false;
        self.readers_first = !self.awaited.is_empty();
    }

    /// The clients that wait for the store, or until more may be written.
    pub(super) fn take_awaited(&mut self) -> Vec<(u32, ConnId)> {
        mem::take(&mut self.awaited)
    }
}
