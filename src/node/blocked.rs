//! Clients that wait for something else than the log: WAIT, SAVE, DEBUG SLEEP, DEBUG
//! RELOAD.

use crate::command::error::Error;
use crate::session::Blocked;
use crate::time::Mono;

use super::Node;
use super::effect::Effect;
use super::route::write_error;
use super::witness::Answer;

impl Node {
    /// Lets a client wait; nothing that it sent is looked at before `unblock`. A transaction cannot
    /// wait: there, false.
    pub(super) fn block(&mut self, slot: u32, why: Blocked) -> bool {
        if self.applying {
            return false;
        }
        if let Some(session) = self.sessions.get_mut(slot)
            && session.blocked.replace(why).is_none()
        {
            self.blocked_clients += 1;
        }
        true
    }

    /// Ends a wait without a reply.
    pub(super) fn release(&mut self, slot: u32) -> Option<Blocked> {
        let why = self.sessions.get_mut(slot)?.blocked.take()?;
        self.blocked_clients -= 1;
        Some(why)
    }

    /// Ends a wait with its reply; what stood behind it goes on.
    fn unblock(&mut self, slot: u32) {
        self.unblock_with(slot, None);
    }

    fn unblock_with(&mut self, slot: u32, error: Option<&Error>) {
        let Some(why) = self.release(slot) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let conn = session.conn;
        if !session.is_silent() {
            match why {
                _ if error.is_some() => {
                    if let Some(error) = error {
                        write_error(&mut session.reply(), error);
                    }
                }
                Blocked::Wait { index, .. } => {
                    let raft = self.commit.raft.as_ref();
                    let held = raft.map_or(0, |raft| raft.holders(index));
                    session.reply().integer(held as i64);
                }
                Blocked::Sleep { .. }
                | Blocked::Reload
                | Blocked::Rewrite
                | Blocked::Change
                | Blocked::Transfer => session.reply().ok(),
            }
            self.note_answer(conn, Answer::Other);
        }
        // Nothing may have come while it waited: then only the driver can bring more.
        self.effects.push(Effect::Resume { conn });
        self.run_parked(slot);
        self.mark_dirty(slot);
    }

    /// Ends the waits whose time is up.
    pub(super) fn tend_blocked(&mut self) {
        if self.blocked_clients == 0 {
            return;
        }
        let now = self.now.mono;
        for slot in self.sessions.slots() {
            let why = self.sessions.get(slot).and_then(|session| session.blocked);
            if why.and_then(until).is_some_and(|at| at <= now) {
                self.unblock(slot);
            }
        }
    }

    /// Ends the waits for members that hold an entry; with an error, where this one leads no more.
    pub(super) fn end_waits_for_members(&mut self, error: Option<&Error>) {
        if self.blocked_clients == 0 {
            return;
        }
        for slot in self.sessions.slots() {
            let session = self.sessions.get(slot);
            if let Some(Blocked::Wait { wanted, index, .. }) = session.and_then(|s| s.blocked)
                && let Some(raft) = &self.commit.raft
                && (error.is_some() || raft.holders(index) >= wanted)
            {
                self.unblock_with(slot, error);
            }
        }
    }

    /// Ends the waits for something that has happened.
    pub(super) fn end_waits(&mut self, why: Blocked) {
        self.end_waits_with(why, None);
    }

    /// Ends the waits for something with an error, where there is one.
    pub(super) fn end_waits_with(&mut self, why: Blocked, error: Option<&Error>) {
        if self.blocked_clients == 0 {
            return;
        }
        for slot in self.sessions.slots() {
            let session = self.sessions.get(slot);
            if session.is_some_and(|session| session.blocked == Some(why)) {
                self.unblock_with(slot, error);
            }
        }
    }
}

/// When a wait ends by itself.
pub(super) fn until(why: Blocked) -> Option<Mono> {
    match why {
        Blocked::Wait { until, .. } => until,
        Blocked::Sleep { until } => Some(until),
        Blocked::Reload | Blocked::Rewrite | Blocked::Change | Blocked::Transfer => None,
    }
}
