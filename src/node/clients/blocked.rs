//! Clients that wait for something else than the log: WAIT, SAVE, DEBUG SLEEP, DEBUG
//! RELOAD.

use crate::command::error::Error;
use crate::node::Node;
use crate::node::effect::Effect;
use crate::node::requests::outcome::write_error;
use crate::node::witness::Answer;
use crate::session::Blocked;

impl Node {
    /// Lets a client wait; nothing that it sent is looked at before `unblock`. A transaction cannot
    /// wait, nor a client for a time that is over: there, false.
    pub(in crate::node) fn block(&mut self, slot: u32, why: Blocked) -> bool {
        if self.applying {
            return false;
        }
        let now = self.now.mono;
        if let Some(session) = self.sessions.get_mut(slot)
            && session.blocked.is_none()
        {
            let why = why.at_most_until(session.waits_until);
            if why.is_for_a_time() && session.waits_until.is_some_and(|until| until <= now) {
                return false;
            }
            session.blocked = Some(why);
            self.blocked_clients += u32::from(why != Blocked::Store);
            self.waits.add(slot, why);
        }
        true
    }

    /// A client's wait ends no later than the client may wait.
    pub(in crate::node) fn shorten_wait(&mut self, slot: u32) {
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
        let why = self.sessions.get_mut(slot)?.blocked.take()?;
        self.blocked_clients -= u32::from(why != Blocked::Store);
        self.waits.remove(slot, why);
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
        let (conn, row) = (session.conn, session.last_command);
        let slept = match why {
            Blocked::Sleep { until, length } => Some((length, length + self.now.mono.since(until))),
            _ => None,
        };
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
                // A read that is at its end has answered itself.
                Blocked::Store => {}
                Blocked::Sleep { .. }
                | Blocked::Reload
                | Blocked::Rewrite
                | Blocked::Change
                | Blocked::Transfer
                | Blocked::Configuration { .. } => session.reply().ok(),
            }
            self.note_answer(conn, Answer::Other);
        }
        // Nothing behind the command that waits has been looked at.
        if let Some(error) = error {
            self.metrics.failed(row, error);
        }
        if let Some((length, took)) = slept {
            let session = self.sessions.get(slot).filter(|session| !session.killed);
            let times = (length, took);
            self.metrics.slept(self.now, &self.config, session, times);
        }
        // Nothing may have come while it waited: then only the driver can bring more.
        self.effects.push(Effect::Resume { conn });
        self.run_parked(slot);
        self.mark_dirty(slot);
    }

    /// Ends the waits whose time is up.
    pub(in crate::node) fn tend_blocked(&mut self) {
        while let Some(slot) = self.waits.due(self.now.mono) {
            self.unblock(slot);
        }
    }

    /// Ends the wait of a client that will send nothing more, where its time is over. Those for a
    /// time end by themselves; what becomes of a change or a transfer is not known yet.
    pub(in crate::node) fn end_wait_of_ended(&mut self, slot: u32) {
        let now = self.now.mono;
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        if session.gives_up_at().is_none_or(|at| at > now) {
            return;
        }
        let error = match session.blocked {
            Some(Blocked::Change) => Error::CHANGE_GOES_ON,
            Some(Blocked::Transfer) => Error::TRANSFER_GOES_ON,
            _ => return,
        };
        self.unblock_with(slot, Some(&error));
    }

    /// Ends the waits for members that hold an entry; with an error, where this one leads no more.
    pub(in crate::node) fn end_waits_for_members(&mut self, error: Option<&Error>) {
        while let Some(slot) = self.next_held(error.is_some()) {
            self.unblock_with(slot, error);
        }
    }

    fn next_held(&self, in_any_case: bool) -> Option<u32> {
        if in_any_case {
            return self.waits.for_members();
        }
        let raft = self.commit.raft.as_ref()?;
        let most = raft.in_force().members().count();
        self.waits.held(most, |index| raft.holders(index))
    }

    /// Ends the waits for something that has happened.
    pub(in crate::node) fn end_waits(&mut self, why: Blocked) {
        self.end_waits_with(why, None);
    }

    /// Ends the waits for something with an error, where there is one.
    pub(in crate::node) fn end_waits_with(&mut self, why: Blocked, error: Option<&Error>) {
        while let Some(slot) = self.waits.of(why) {
            self.unblock_with(slot, error);
        }
    }
}
