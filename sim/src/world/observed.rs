//! The notes of a run for an observer from outside; none if there is no observer.
//!
//! A world never reads its own notes, so that a run is the same whether it is watched or not.

use std::cell::RefCell;

use bytes::Bytes;
use seedis::node::witness::Witnessed;

use super::World;
use super::columns::What;
use crate::goals::Fault;
use crate::workload::Request;

/// How much is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watch {
    Off,
    /// The events and their causes.
    Causes,
    Everything,
}

/// One thing that was noted.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// An event has begun; the event that planned it, or 0.
    Began {
        cause: u64,
        what: What,
    },
    /// A member has something to do because of this event.
    Woken {
        member: usize,
    },
    /// A line for people.
    Line(String),
    Fired(Fault),
    /// A member has sent a frame.
    Sent {
        from: usize,
        to: usize,
        frame: Bytes,
        is_lost: bool,
    },
    /// A frame has come, and was heard or not.
    Came {
        frame: Bytes,
        is_heard: bool,
    },
    /// A client asks.
    Asked {
        client: usize,
        conn: u64,
        words: Request,
    },
    /// A member has decided the next answer on a connection.
    Decided {
        member: usize,
        conn: u64,
    },
    /// An answer has reached its client.
    Replied {
        conn: u64,
        value: String,
    },
    /// A client wants to know nothing more of a connection.
    HungUp {
        conn: u64,
    },
}

impl Watch {
    /// The moments at which requests were answered: there they took effect.
    pub(super) fn note_answers(
        self,
        seen: &RefCell<Vec<Seen>>,
        member: usize,
        records: &[Witnessed],
    ) {
        if self < Self::Everything {
            return;
        }
        let answered = records.iter().filter_map(|record| match record {
            Witnessed::Answered { conn, .. } => Some(conn.0),
            _ => None,
        });
        let decided = answered.map(|conn| Seen::Decided { member, conn });
        seen.borrow_mut().extend(decided);
    }
}

impl World {
    /// Notes something, where everything is wanted.
    pub(super) fn note(&self, seen: impl FnOnce() -> Seen) {
        if self.watch == Watch::Everything {
            self.seen.borrow_mut().push(seen());
        }
    }

    /// An event begins.
    pub(super) fn happens(&self, cause: u64, what: What) {
        if self.watch > Watch::Off {
            self.seen.borrow_mut().push(Seen::Began { cause, what });
        }
    }

    /// A member has something to do.
    pub(super) fn wakes(&self, member: usize) {
        if self.watch > Watch::Off {
            self.seen.borrow_mut().push(Seen::Woken { member });
        }
    }

    /// The notes since the last time.
    pub(crate) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(self.seen.get_mut())
    }
}
