//! Clients that wait: how WAIT, BLPOP, SAVE, DEBUG SLEEP and their kin begin and end.

use core::time::Duration;

use crate::command::error::Error;
use crate::command::row::Row;
use crate::ids::{ConnId, LogIndex};
use crate::node::requests::outcome::write_error;
use crate::session::Blocked;
use crate::time::Mono;

use super::Clients;

/// A client's wait that has ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::node) struct EndedWait {
    pub(in crate::node) conn: ConnId,
    /// The command that waited.
    pub(in crate::node) row: Option<&'static Row>,
    /// A reply was written.
    pub(in crate::node) is_answered: bool,
    /// It waited for a key.
    pub(in crate::node) looked: bool,
    /// Of DEBUG SLEEP: how long it was to be, and how long it was.
    pub(in crate::node) slept: Option<(Duration, Duration)>,
}

impl Clients {
    /// How many clients wait for something else than a long read of their own.
    pub(in crate::node) fn blocked(&self) -> u32 {
        self.blocked
    }

    /// Returns true if a client waits.
    pub(in crate::node) fn is_blocked(&self, slot: u32) -> bool {
        let session = self.sessions.get(slot);
        session.is_some_and(|session| session.blocked.is_some())
    }

    /// Lets a client wait; nothing that it sent is looked at before the wait ends. False where it
    /// cannot wait, because it waits for a time and that is over.
    pub(in crate::node) fn block(&mut self, slot: u32, why: Blocked, now: Mono) -> bool {
        if let Some(session) = self.sessions.get_mut(slot)
            && session.blocked.is_none()
        {
            let why = why.at_most_until(session.waits_until);
            if why.is_for_a_time() && session.waits_until.is_some_and(|until| until <= now) {
                return false;
            }
            session.blocked = Some(why);
            self.blocked += u32::from(why != Blocked::Store);
            self.waits.add(slot, why);
        }
        true
    }

    /// A client's wait ends no later than the client may wait.
    pub(super) fn shorten_wait(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        if let Some(why) = session.blocked {
            let shorter = why.at_most_until(session.waits_until);
            session.blocked = Some(shorter);
            self.waits.remove(slot, why);
            self.waits.add(slot, shorter);
        }
    }

    /// Ends a wait without a reply.
    pub(in crate::node) fn release(&mut self, slot: u32) -> Option<Blocked> {
        self.leave_queues(slot);
        let why = self.sessions.get_mut(slot)?.blocked.take()?;
        self.blocked -= u32::from(why != Blocked::Store);
        self.waits.remove(slot, why);
        Some(why)
    }

    /// Ends a wait with its reply, or with an error. `holders` says how many members hold an entry.
    pub(in crate::node) fn end_wait(
        &mut self,
        slot: u32,
        error: Option<&Error>,
        now: Mono,
        holders: impl Fn(LogIndex) -> usize,
    ) -> Option<EndedWait> {
        let why = self.release(slot)?;
        let session = self.sessions.get_mut(slot)?;
        let slept = match why {
            Blocked::Sleep { until, length } => Some((length, length + now.since(until))),
            _ => None,
        };
        let is_answered = !session.is_silent();
        if is_answered {
            match why {
                _ if error.is_some() => {
                    if let Some(error) = error {
                        write_error(&mut session.reply(), error);
                    }
                }
                Blocked::Wait { index, .. } => session.reply().integer(holders(index) as i64),
                Blocked::Publishing { receivers } => session.reply().integer(receivers as i64),
                Blocked::Keys { .. } => session.reply().null_array(),
                // What is at its end has answered itself, and what was paused is looked at again.
                Blocked::Store | Blocked::Served | Blocked::Paused { .. } => {}
                Blocked::Sleep { .. }
                | Blocked::Reload
                | Blocked::Rewrite
                | Blocked::Change
                | Blocked::Transfer
                | Blocked::Configuration { .. } => session.reply().ok(),
            }
        }
        session.outbox.end_reply();
        Some(EndedWait {
            conn: session.conn,
            row: session.last_command,
            is_answered,
            looked: matches!(why, Blocked::Keys { .. }),
            slept,
        })
    }

    /// A client whose wait ends by now.
    pub(in crate::node) fn next_due_wait(&self, now: Mono) -> Option<u32> {
        self.waits.due(now)
    }

    /// Takes note of whether a turn has ended as many waits as a turn may.
    pub(in crate::node) fn tells_later(&mut self, tells_later: bool) {
        self.tells_later = tells_later;
    }

    /// How many clients wait no longer than until some time.
    pub(in crate::node) fn timed(&self) -> usize {
        self.waits.timed()
    }

    /// A client that waits for this.
    pub(in crate::node) fn next_wait_for(&self, event: Blocked) -> Option<u32> {
        self.waits.of(event)
    }

    /// All that wait for keys or members are to be told that they wait in vain.
    pub(in crate::node) fn all_leave(&mut self) {
        self.waits.all_leave();
    }

    /// A client that is to be told so.
    pub(in crate::node) fn next_leaving(&self) -> Option<u32> {
        self.waits.next_leaving()
    }

    /// Returns true if a client is to be told so.
    pub(in crate::node) fn is_leaving(&self, slot: u32) -> bool {
        self.waits.is_leaving(slot)
    }

    /// A client whose entry is held by as many of `most` members as it waits for.
    pub(in crate::node) fn next_held(
        &self,
        most: usize,
        holders: impl Fn(LogIndex) -> usize,
    ) -> Option<u32> {
        self.waits.held(most, holders)
    }

    /// The error for a client that will send nothing more and has waited as long as it may; nothing
    /// where it goes on. Waits for a time end by themselves; of a change or a transfer the outcome
    /// is not known yet.
    pub(in crate::node) fn gives_up(&self, slot: u32, now: Mono) -> Option<Error> {
        let session = self.sessions.get(slot)?;
        if session.gives_up_at().is_none_or(|at| at > now) {
            return None;
        }
        match session.blocked {
            Some(Blocked::Change) => Some(Error::CHANGE_GOES_ON),
            Some(Blocked::Transfer) => Some(Error::TRANSFER_GOES_ON),
            _ => None,
        }
    }
}
