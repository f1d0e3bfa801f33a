//! The most that one turn does, and the order in which clients have their turns.
//!
//! Work is counted and never timed, so that a run can be replayed: one for a request, and one more
//! for each `limits::BYTES_PER_WORK` bytes that it brings or writes. A client that has had its
//! share waits in a queue behind all others that do; the driver looks at sockets and timers before
//! the queue goes on. So a client that floods the server makes another wait for a share and no
//! longer.

use alloc::collections::VecDeque;

use crate::ids::ConnId;
use crate::limits::BYTES_PER_WORK;
use crate::node::clients::Clients;

/// The work that the present turn may still do for clients, and the clients that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    /// How many turns have ended.
    number: u64,
    /// Work that is left for all clients.
    left: usize,
    queue: VecDeque<(u32, ConnId)>,
}

impl Turn {
    /// A first turn.
    pub(super) fn new(work: usize) -> Self {
        Self {
            left: work,
            ..Self::default()
        }
    }

    /// Returns true if clients wait for their turn.
    pub(super) fn is_awaited(&self) -> bool {
        !self.queue.is_empty()
    }

    /// A client comes to the end of the queue.
    pub(super) fn push(&mut self, slot: u32, conn: ConnId) {
        self.queue.push_back((slot, conn));
    }

    /// The rest of a client's share of this turn, of which a client has `own` work.
    pub(super) fn share_of(&self, clients: &Clients, slot: u32, own: usize) -> Share {
        let used = match clients.get(slot) {
            Some(session) if session.turn == self.number => session.work,
            _ => 0,
        };
        let own = own.saturating_sub(used);
        Share {
            left: own.min(self.left),
            used: 0,
        }
    }

    /// Takes note of what a client has had; one that has had all of its share waits its turn.
    pub(super) fn end_share(
        &mut self,
        clients: &mut Clients,
        slot: u32,
        share: Share,
        waits: bool,
    ) {
        self.left = self.left.saturating_sub(share.used);
        let Some(session) = clients.get_mut(slot) else {
            return;
        };
        if session.turn != self.number {
            (session.turn, session.work) = (self.number, 0);
        }
        session.work = session.work.saturating_add(share.used);
        if waits {
            self.wait(clients, slot);
        }
    }

    /// Lets a client wait for its turn.
    pub(super) fn wait(&mut self, clients: &mut Clients, slot: u32) {
        if let Some(session) = clients.get_mut(slot)
            && !session.queued
        {
            session.queued = true;
            self.push(slot, session.conn);
        }
    }

    /// There is so much work left at least.
    pub(super) fn reserve(&mut self, work: usize) {
        self.left = self.left.max(work);
    }

    /// Returns true if the turn has done all that it may.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// How many clients wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The client that has waited longest.
    pub(super) fn next(&mut self) -> Option<(u32, ConnId)> {
        self.queue.pop_front()
    }

    /// Ends a turn; the next one may do so much.
    pub(super) fn end(&mut self, work: usize) {
        self.number += 1;
        self.left = work;
    }
}

/// The part of a turn that a client has had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    left: usize,
    used: usize,
}

impl Share {
    /// Returns true if nothing is left of it.
    pub(super) fn is_used_up(self) -> bool {
        self.left == 0
    }

    /// A request was run that has brought and written so many bytes, and has done so much besides.
    pub(super) fn spend(&mut self, bytes: usize, work: usize) {
        let work = 1 + bytes / BYTES_PER_WORK + work;
        self.left = self.left.saturating_sub(work);
        self.used = self.used.saturating_add(work);
    }
}
