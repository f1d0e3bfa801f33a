//! What one turn does at most, and whose turn it is.
//!
//! Work is counted and never timed, so that a run can be replayed: one for a request, and one more
//! for each `limits::BYTES_PER_WORK` bytes that it brings or writes. A client that has had its
//! share waits in a queue behind all others that do; the driver looks at sockets and timers before
//! the queue goes on. So a client that floods the server makes another wait for a share and no
//! longer.

use alloc::collections::VecDeque;

use crate::ids::ConnId;
use crate::limits::BYTES_PER_WORK;
use crate::node::Node;
use crate::node::effect::Effect;

/// What the present turn may still do for clients, and who waits for the next one.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Turn {
    /// How many turns have ended.
    number: u64,
    /// Work that is left for all clients.
    left: usize,
    queue: VecDeque<(u32, ConnId)>,
}

impl Turn {
    /// A first turn.
    pub(in crate::node) fn new(work: usize) -> Self {
        Self {
            left: work,
            ..Self::default()
        }
    }

    /// Whether clients wait for their turn.
    pub(in crate::node) fn is_awaited(&self) -> bool {
        !self.queue.is_empty()
    }

    /// A client comes to the end of the queue.
    pub(in crate::node) fn push(&mut self, slot: u32, conn: ConnId) {
        self.queue.push_back((slot, conn));
    }

    /// Ends a turn; the next one may do so much.
    pub(in crate::node) fn end(&mut self, work: usize) {
        self.number += 1;
        self.left = work;
    }
}

/// What a client has had of a turn.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct Share {
    left: usize,
    used: usize,
}

impl Share {
    /// Whether nothing is left of it.
    pub(in crate::node) fn is_used_up(self) -> bool {
        self.left == 0
    }

    /// A request was run that has brought and written so many bytes, and has done so much besides.
    pub(in crate::node) fn spend(&mut self, bytes: usize, work: usize) {
        let work = 1 + bytes / BYTES_PER_WORK + work;
        self.left = self.left.saturating_sub(work);
        self.used = self.used.saturating_add(work);
    }
}

impl Node {
    /// What is left of a client's share of this turn.
    pub(in crate::node) fn share_of(&self, slot: u32) -> Share {
        let used = match self.clients.get(slot) {
            Some(session) if session.turn == self.turn.number => session.work,
            _ => 0,
        };
        let own = self.config.client_work.saturating_sub(used);
        Share {
            left: own.min(self.turn.left),
            used: 0,
        }
    }

    /// Takes note of what a client has had; one that has had all of its share waits its turn.
    pub(in crate::node) fn end_share(&mut self, slot: u32, share: Share, waits: bool) {
        let turn = &mut self.turn;
        turn.left = turn.left.saturating_sub(share.used);
        let Some(session) = self.clients.get_mut(slot) else {
            return;
        };
        if session.turn != turn.number {
            (session.turn, session.work) = (turn.number, 0);
        }
        session.work = session.work.saturating_add(share.used);
        if waits {
            self.await_turn(slot);
        }
    }

    /// Lets a client wait for its turn.
    pub(in crate::node) fn await_turn(&mut self, slot: u32) {
        if let Some(session) = self.clients.get_mut(slot)
            && !session.queued
        {
            session.queued = true;
            self.turn.push(slot, session.conn);
        }
    }

    /// Looks again at the bytes of those who wait for their turn, in order, as far as the turn
    /// goes.
    pub(in crate::node) fn take_turns(&mut self) {
        // Whatever others have taken, the first has its share, or it might wait for ever.
        self.turn.left = self.turn.left.max(self.config.client_work);
        for _ in 0..self.turn.queue.len() {
            let Some((slot, conn)) = self.turn.queue.pop_front() else {
                break;
            };
            let Some(session) = self.clients.get_same(slot, conn) else {
                continue;
            };
            session.queued = false;
            self.received(slot, &[]);
            let session = self.clients.get(slot);
            if session.is_some_and(|session| !session.queued && !session.closing) {
                self.effects.push(Effect::Resume { conn });
            }
            if self.turn.left == 0 {
                break;
            }
        }
        self.readers_were_first();
    }
}
