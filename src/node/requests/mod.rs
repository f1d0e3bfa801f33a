//! From a client's request to its reply: routing, the batch of a turn, entries and their
//! application.

mod admit;
mod ahead;
mod apply;
mod applying;
mod batch;
pub mod entry;
mod evicting;
mod hold;
mod large;
mod listening;
pub(super) mod lookup;
mod offers;
mod old_exec;
mod old_transaction;
pub(super) mod outcome;
mod pieces;
mod propose;
mod route;
pub(super) mod secrets;
mod serving;
mod transaction;
mod turn;
mod verbs;

use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::command::scripting::run::RunningFunction;
use crate::ids::ConnId;
use crate::node::clients::Clients;
use crate::resp::parse::Parser;

use batch::{Batch, Encoded};
use evicting::Evicting;
use hold::Hold;
use offers::Offers;
use turn::Turn;

pub(super) use batch::{Gathered, Waiter};

/// The state between requests: the writes of the turn, the holder of the store, the clients that
/// wait for their turn, and buffers that are used again.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    batch: Batch,
    turn: Turn,
    hold: Hold,
    /// The work that the last read was.
    read_work: usize,
    /// This member's client whose command of an entry is being run.
    runs_for: Option<(u32, ConnId)>,
    /// Reads that were run since this node started.
    reads: u64,
    /// A command about the server is being run inside a transaction, where no client can wait.
    in_transaction: bool,
    /// The request that is being looked at, where it was put together as an entry holds it.
    in_hand: Option<Encoded>,
    /// Clients whose requests are being put together.
    assembling: Vec<(u32, ConnId)>,
    /// Keys that may hold something for those who wait for them.
    offers: Offers,
    evicting: Evicting,
    /// Looks at the requests of a client that are still to come.
    ahead: Parser,
    ranges: Vec<Range<u32>>,
    ranges_parked: Vec<Range<u32>>,
    sink: Vec<u8>,
}

impl Requests {
    /// No request has come yet, and a turn may do so much.
    pub(super) fn new(turn_work: usize) -> Self {
        Self {
            batch: Batch::default(),
            turn: Turn::new(turn_work),
            hold: Hold::new(turn_work),
            read_work: 0,
            runs_for: None,
            reads: 0,
            in_transaction: false,
            in_hand: None,
            assembling: Vec::new(),
            offers: Offers::default(),
            evicting: Evicting::default(),
            ahead: Parser::new(),
            ranges: Vec::new(),
            ranges_parked: Vec::new(),
            sink: Vec::new(),
        }
    }

    /// Ends a turn; the next one may do so much.
    pub(super) fn end_turn(&mut self, work: usize) {
        self.turn.end(work);
        self.hold.left = work;
    }

    /// The work that was done to apply things since this was last asked for.
    pub(super) fn take_unfreed_work(&mut self) -> usize {
        mem::take(&mut self.hold.unfreed_work)
    }

    /// How many reads were run since this node started.
    pub(super) fn reads(&self) -> u64 {
        self.reads
    }

    /// The bytes of memory that scripts take beside their texts.
    pub(super) fn script_memory(&self) -> usize {
        self.hold.scripts.memory()
    }

    /// The bytes that libraries take of that.
    pub(super) fn library_memory(&self) -> usize {
        self.hold.scripts.library_memory()
    }

    /// The function that is being run.
    pub(super) fn running_function(&self) -> Option<RunningFunction<'_>> {
        self.hold.scripts.function()
    }

    /// Returns true if a command of a transaction is being run, where no client can wait.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Returns true if there is nothing to make an entry of.
    pub(super) fn is_batch_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Returns true if an entry is being applied.
    pub(super) fn is_applying(&self) -> bool {
        self.hold.applying.is_some()
    }

    /// Returns true if the state is one between two that an entry leads from and to.
    pub(super) fn is_mid_command(&self) -> bool {
        self.hold.is_mid_command
    }

    /// Returns true if the store is held, so that nobody else may look at it or change it.
    pub(super) fn is_held(&self) -> bool {
        self.hold.is_held()
    }

    /// Returns true if an entry, a read or what stands behind them is not at its end.
    pub(super) fn is_midway(&self) -> bool {
        self.hold.is_midway()
    }

    /// Returns true if something waits for a turn in which it may go on.
    pub(super) fn wants_turn(&self) -> bool {
        self.hold.is_midway() || self.hold.is_left_over
    }

    /// Lets a client wait for its turn.
    pub(super) fn wait_for_turn(&mut self, clients: &mut Clients, slot: u32) {
        self.turn.wait(clients, slot);
    }

    /// Returns true if clients wait for their turn.
    pub(super) fn is_turn_awaited(&self) -> bool {
        self.turn.is_awaited()
    }

    /// The store is free, or more may be written: clients that wait for that are looked at again.
    pub(super) fn let_go(&mut self) {
        for (slot, conn) in self.hold.take_awaited() {
            self.turn.push(slot, conn);
        }
    }
}
