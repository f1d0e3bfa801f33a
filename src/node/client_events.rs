//! Clients as the node serves them: they come, are heard, wait, are woken and go.

use alloc::boxed::Box;
use alloc::string::String;

use crate::command::error::Error;
use crate::command::verb::Topic;
use crate::ids::{ConnId, NodeId};
use crate::session::Blocked;

use super::clients::Origin;
use super::effect::{Effect, Effects, Note, Wrong};
use super::replica::telling;
use super::witness::Answer;
use super::{Node, Phase};

impl Node {
    /// Lets a client wait; nothing that it sent is looked at before the wait ends. A transaction
    /// cannot wait, nor a client for a time that is over: there, false.
    pub(super) fn block(&mut self, slot: u32, why: Blocked) -> bool {
        !self.requests.is_in_transaction() && self.clients.block(slot, why, self.now.mono)
    }

    /// Ends a wait with its reply, or with an error; what stood behind it goes on.
    pub(super) fn unblock(&mut self, slot: u32, error: Option<&Error>) {
        let is_leaving = self.clients.is_leaving(slot);
        // That its key holds nothing only a leader may say.
        let error = if is_leaving {
            Some(&Error::UNBLOCKED)
        } else {
            error
        };
        let mark = self.clients.get(slot);
        let mark = mark.map_or(0, |session| session.outbox.end());
        let raft = self.replica.raft();
        let holders = |index| raft.map_or(0, |raft| raft.holders(index));
        let Some(ended) = self.clients.end_wait(slot, error, self.now.mono, holders) else {
            return;
        };
        let conn = ended.conn;
        if ended.is_answered {
            let answer = match error {
                Some(error) if ended.looked && *error == Error::UNBLOCKED => Answer::Elsewhere,
                _ if ended.looked => Answer::Waited,
                _ => Answer::Other,
            };
            self.note_answer(conn, answer);
        }
        // Nothing behind the command that waits has been looked at.
        if let Some(error) = error {
            self.metrics.failed(ended.row, error);
        }
        if let Some(times) = ended.slept {
            let session = self.clients.same(slot, conn);
            self.metrics.slept(self.now, &self.config, session, times);
        }
        // What a leader says it must have led for.
        if ended.looked && error.is_none() && self.replica.is_grouped() {
            self.hold_reply(slot, mark);
        }
        // Nothing may have come while it waited: then only the driver can bring more.
        self.effects.push(Effect::Resume { conn });
        self.run_parked(slot);
        self.clients.mark_dirty(slot);
        if is_leaving && self.carries_clients() {
            self.clients.close(slot);
        }
    }

    /// Tells other members of a message.
    pub(super) fn tell_members(&mut self, (topic, channel, message): (Topic, &[u8], &[u8])) {
        if self.replica.is_grouped() && !self.replica.telling.add(topic, channel, message) {
            self.metrics.not_told(1);
        }
    }

    /// A member has told of messages. A frame of a stranger, or one that cannot be read, is
    /// nothing.
    pub(super) fn told(&mut self, from: NodeId, frame: &[u8]) {
        let is_member = self.replica.speaks_to(from);
        let messages = telling::read(frame)
            .filter(|_| is_member)
            .unwrap_or_default();
        self.metrics.was_told(messages.len() as u64);
        for message in messages {
            if self.clients.are_too_many_told() {
                self.metrics.not_told(1);
            } else {
                self.clients.publish(Origin::Member, message);
            }
        }
    }

    /// Goes on with the messages that are on their way to subscribers.
    pub(super) fn go_on_publishing(&mut self) {
        while let Some(slot) = self.clients.go_on_publishing() {
            self.unblock(slot, None);
        }
        self.tell_events();
        if self.clients.have_events_caught_up() {
            self.requests.let_go();
        }
    }

    /// Ends the waits for members that hold an entry.
    pub(super) fn end_waits_for_members(&mut self) {
        while let Some(slot) = self.next_held() {
            self.unblock(slot, None);
        }
    }

    fn next_held(&self) -> Option<u32> {
        let raft = self.replica.raft()?;
        let most = raft.in_force().members().count();
        self.clients.next_held(most, |index| raft.holders(index))
    }

    /// Tells some of those that wait in vain, because this member leads no more; not those to whom
    /// something is on its way.
    pub(super) fn tell_leaving(&mut self) {
        for _ in 0..self.config.bounds.told_at_once {
            let Some(slot) = self.clients.next_leaving() else {
                break;
            };
            self.unblock(slot, Some(&Error::UNBLOCKED));
        }
    }

    /// Ends the wait for a key of a client that will send nothing more: it may be gone, and what it
    /// was given would be lost. It is told so at the end of the turn, or of a later one if many go.
    pub(super) fn end_wait_of_ending(&mut self, conn: ConnId) {
        if let Some(slot) = self.clients.slot(conn)
            && let Some(session) = self.clients.get(slot)
            && matches!(session.blocked, Some(Blocked::Keys { .. }))
        {
            self.clients.waits_in_vain(slot, self.now.mono);
        }
    }

    /// Ends the waits for something that has happened.
    pub(super) fn end_waits(&mut self, why: Blocked) {
        self.end_waits_with(why, None);
    }

    /// Ends the waits for something with an error, where there is one.
    pub(super) fn end_waits_with(&mut self, why: Blocked, error: Option<&Error>) {
        while let Some(slot) = self.clients.next_wait_for(why) {
            self.unblock(slot, error);
        }
    }

    /// Closes a client at once that has done wrong, and says so.
    pub(super) fn send_away(&mut self, slot: u32, wrong: Wrong) {
        if self.clients.get(slot).is_none() {
            return;
        }
        self.metrics.sent_away(wrong);
        let is_stopping = self.phase == Phase::Stopping;
        let now = self.now.mono;
        if let Some(complaint) = self.clients.send_away(slot, wrong, now, is_stopping) {
            self.note(Note::ClientClosed(Box::new(complaint)));
        }
    }

    /// Ends the waits whose time is up, and the silence of those who said nothing for too long.
    pub(super) fn tend_clients(&mut self) {
        self.tell_leaving();
        let mut left = self.config.bounds.told_at_once;
        while left > 0
            && let Some(slot) = self.clients.next_due_wait(self.now.mono)
        {
            self.unblock(slot, None);
            left -= 1;
        }
        self.clients.tells_later(left == 0);
        self.clients.tend_pause(self.now.mono);
        while let Some(slot) = self.clients.take_postponed() {
            self.requests.wait_for_turn(&mut self.clients, slot);
        }
        self.clients.follow_timeout(self.config.timeout_s);
        self.clients.end_silences(self.now.mono);
    }

    /// Ends the clients whose time is over.
    pub(super) fn tend_due(&mut self) {
        let now = self.now.mono;
        while let Some((slot, is_late)) = self.clients.next_due(now) {
            if is_late {
                self.send_away(slot, Wrong::Unauthenticated);
            }
            self.give_up(slot);
            self.clients.mark_dirty(slot);
        }
    }

    /// Ends the wait of a client that will send nothing more and has waited as long as it may, and
    /// those that follow from what is parked behind it. False where it was not waiting so.
    fn give_up(&mut self, slot: u32) -> bool {
        let mut any = self.clients.gives_up_postponed(slot, self.now.mono);
        while let Some(error) = self.clients.gives_up(slot, self.now.mono) {
            self.unblock(slot, Some(&error));
            any = true;
        }
        any
    }

    /// Looks again at requests that were kept while their client could not be served.
    pub(super) fn resume_paused(&mut self) {
        // One that is resumed may end the wait of another, which comes to the end of the list.
        let mut looked_at = 0;
        while let Some(slot) = self.clients.nth_dirty(looked_at) {
            looked_at += 1;
            self.give_up(slot);
            // A client whose time is over may ask for something that waits, and for more behind it.
            // One that is paused again at once, by what it has had of the turn, waits for the next.
            while self.resume_client(slot) && self.give_up(slot) {}
        }
    }

    /// Looks again at the requests of one client; false where there are none, or it has to wait.
    fn resume_client(&mut self, slot: u32) -> bool {
        let paused = self.clients.get(slot).is_some_and(|client| client.paused);
        if !paused || !self.may_take(slot) {
            return false;
        }
        if let Some(session) = self.clients.get_mut(slot) {
            session.paused = false;
            self.effects.push(Effect::Resume { conn: session.conn });
        }
        self.received(slot, &[]);
        true
    }

    /// Takes note of how much a client has at hand: of requests beside what is kept of them, and of
    /// replies.
    pub(super) fn see_buffers(&mut self, slot: u32, arrived: usize) {
        if let Some(session) = self.clients.get(slot) {
            let sizes = [session.inbound.len() + arrived, session.unread()];
            self.metrics.see_buffers(self.now.mono, sizes);
        }
    }

    /// Closes a client whose unfinished request is too large; as in Redis without a word, since the
    /// client is still busy with its request.
    pub(super) fn enforce_query_limit(&mut self, slot: u32) {
        if self.clients.asks_too_much(slot, &self.config) {
            self.send_away(slot, Wrong::Query);
        }
    }

    /// The most bytes that all clients together may take, if there is a limit.
    fn clients_memory_max(&self) -> Option<u64> {
        self.config.clients_memory.most(self.config.memory_max)
    }

    /// Closes the clients that take most, where all together take more than they may.
    fn enforce_clients_memory(&mut self) {
        let Some(most) = self.clients_memory_max() else {
            return;
        };
        self.clients.count_dirty();
        for slot in self.clients.too_much(most) {
            self.send_away(slot, Wrong::Memory);
        }
    }

    /// The end of a turn for all clients that have had to do with it.
    pub(super) fn settle_clients(&mut self, out: &mut Effects) {
        self.enforce_clients_memory();
        let mut dirty = self.clients.take_dirty();
        for slot in dirty.drain(..) {
            let now = self.now.mono;
            let data = self.store.memory();
            if self.clients.leaves_too_much(slot, now, data, &self.config) {
                self.send_away(slot, Wrong::Output);
            }
            self.see_buffers(slot, 0);
            self.queue_paused(slot);
            self.clients.settle(slot, now, &self.config, out);
            self.clients.is_tended(slot);
        }
        self.clients.give_back_dirty(dirty);
    }

    /// A client that may go on and was not looked at again in this turn, because another has ended
    /// its wait behind that, waits for the next: nothing else may ever come to remind of it.
    fn queue_paused(&mut self, slot: u32) {
        // One that is busy is looked at when its writes end: its next request may wait for them,
        // and would be looked at in vain in every turn until then.
        let client = self.clients.get(slot);
        let is_paused = client.is_some_and(|client| client.paused && !client.is_busy());
        if is_paused && self.may_take(slot) {
            if let Some(session) = self.clients.get_mut(slot) {
                session.paused = false;
            }
            self.requests.wait_for_turn(&mut self.clients, slot);
        }
    }

    /// Lets every client whose appetite may have come back be read again.
    pub(super) fn wake_all(&mut self) {
        for session in self.clients.iter() {
            self.effects.push(Effect::Resume { conn: session.conn });
        }
    }

    /// Checks how clients are kept, when the effects of a turn are done, for a judge.
    pub fn check_clients(&self) -> Result<(), String> {
        self.clients.check(self.now.mono, self.clients_memory_max())
    }
}
