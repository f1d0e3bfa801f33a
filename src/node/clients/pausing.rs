//! CLIENT PAUSE: requests that are kept until a moment that a client has named, or until CLIENT
//! UNPAUSE.
//!
//! A pause is of one member and its own clients, and is lost when the process ends. A request that
//! it keeps stays where it is, among the bytes of its client: nothing behind it is looked at. When
//! the pause is over those clients go on in the order in which they began to wait, each with its
//! share of a turn.

use core::time::Duration;

use crate::session::Blocked;
use crate::time::Mono;

use super::Clients;
use super::pause::Paused;

impl Clients {
    /// The requests that wait for the end of a pause.
    pub(in crate::node) fn paused(&self) -> Paused {
        self.pause.paused
    }

    /// Keeps requests until `until`. A pause that is in force ends no earlier than it would have,
    /// and of all requests it stays one of all.
    pub(in crate::node) fn pause(&mut self, paused: Paused, until: Mono) {
        self.pause.until = match self.pause.paused {
            Paused::Nothing => until,
            Paused::Writes | Paused::All => until.max(self.pause.until),
        };
        self.pause.paused = self.pause.paused.max(paused);
    }

    /// Ends the pause in force, if there is one.
    pub(in crate::node) fn unpause(&mut self) {
        self.pause.paused = Paused::Nothing;
    }

    /// Ends the pause in force if its time is over.
    pub(in crate::node) fn tend_pause(&mut self, now: Mono) {
        if self.pause_ends().is_some_and(|until| until <= now) {
            self.unpause();
        }
    }

    /// When the pause in force ends.
    pub(super) fn pause_ends(&self) -> Option<Mono> {
        (self.pause.paused != Paused::Nothing).then_some(self.pause.until)
    }

    /// How much longer the pause in force takes; nothing where none is.
    pub(in crate::node) fn pause_left(&self, now: Mono) -> Duration {
        self.pause_ends()
            .map_or(Duration::ZERO, |until| until.since(now))
    }

    /// A client waits for the end of the pause. False where it cannot wait, since it sends nothing
    /// more and its time is over.
    pub(in crate::node) fn postpone(&mut self, slot: u32, now: Mono) -> bool {
        if !self.may_postpone(slot, now) {
            return false;
        }
        let place = self.pause.waited;
        self.pause.waited += 1;
        self.block(slot, Blocked::Paused { place }, now)
    }

    /// Returns true if a client may wait for the end of a pause.
    pub(in crate::node) fn may_postpone(&self, slot: u32, now: Mono) -> bool {
        let session = self.sessions.get(slot);
        session.is_some_and(|one| one.waits_until.is_none_or(|until| until > now))
    }

    /// Ends the wait of the client that has waited longest for the end of the pause, if that has
    /// come. The request that it waited with is looked at again.
    pub(in crate::node) fn take_postponed(&mut self) -> Option<u32> {
        if self.pause.paused != Paused::Nothing {
            return None;
        }
        let slot = self.waits.next_postponed()?;
        self.release(slot);
        Some(slot)
    }

    /// Closes a client that waits for the end of a pause, sends nothing more and has waited as long
    /// as it may: nothing behind what was answered is done. False where it does not wait so.
    pub(in crate::node) fn gives_up_postponed(&mut self, slot: u32, now: Mono) -> bool {
        let session = self.sessions.get(slot);
        let is_over = session.is_some_and(|session| {
            matches!(session.blocked, Some(Blocked::Paused { .. }))
                && session.gives_up_at().is_some_and(|at| at <= now)
        });
        if is_over {
            self.close(slot);
        }
        is_over
    }
}
