//! The operations that a log asks of the disk, by ticket.

use alloc::vec::Vec;

use crate::disk::DiskOp;
use crate::ids::Ticket;

/// One operation that the disk is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Under which its outcome is told.
    pub ticket: Ticket,
    /// The operation.
    pub op: DiskOp,
}

/// Draws tickets and gathers operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Tickets(pub(super) u64);

impl Tickets {
    pub(super) fn ask(&mut self, op: DiskOp, out: &mut Vec<Op>) -> Ticket {
        self.0 += 1;
        let ticket = Ticket(self.0);
        out.push(Op { ticket, op });
        ticket
    }
}
