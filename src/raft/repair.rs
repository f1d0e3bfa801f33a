//! A member whose disk has lost entries that it once held: it takes them again, and neither votes
//! nor campaigns until its log is as far as it was.
//!
//! How far a log is goes by the order in which votes compare logs (thesis 3.6.1): by the term of
//! the last entry, then by its index. A log that is as far as the lost one holds whatever the lost
//! one held of what is committed, or will be, with this member's help. docs/RAFT.md proves it.
//!
//! A member finds out by itself what is lost if its files are damaged. An older copy of them is
//! whole, and knows nothing of what came later. Its leader does: an acknowledgement is given after
//! the entry is durable, so that whoever is reminded of one later in the same term, and does not
//! hold the entry, has lost it.

use crate::ids::{LogIndex, Term};

use super::log::TermAt;
use super::loss::Loss;
use super::member::Raft;
use super::membership::Member;
use super::message::{EntryId, Message};
use super::role::Role;
use super::wire::WireError;

impl Raft {
    /// Returns true while entries are missing that this member may have acknowledged.
    pub fn is_repairing(&self) -> bool {
        self.owes.is_some()
    }

    /// How far the log must come again, where entries are missing.
    pub fn owes(&self) -> Option<EntryId> {
        self.owes
    }

    /// Ends the repair once the log has durably come as far as was acknowledged.
    pub(super) fn pay(&mut self) {
        let Some((index, term)) = self.owes else {
            return;
        };
        let durable = self.log.durable();
        if let TermAt::Known(own) = self.log.term_at(durable)
            && (own, durable) >= (term, index)
        {
            self.owes = None;
            self.reset_election_timer();
        }
    }

    /// Reminds a member of all that it has acknowledged, if its answers look as if it did not hold
    /// that. An answer may have been given before, and come late: it is the member that looks, and
    /// one that holds all does nothing.
    pub(super) fn remind(&mut self, to: Member, received: LogIndex) {
        let Role::Leader(leadership) = &self.role else {
            return;
        };
        let first = leadership.first;
        let peers = &leadership.peers;
        let peer = peers.iter().find(|peer| peer.member == to);
        let Some(peer) = peer.filter(|peer| peer.has_shrunk(received)) else {
            return;
        };
        let index = peer.acknowledged;
        let term = match self.log.term_at(index) {
            TermAt::Known(term) => term,
            _ if index >= first => self.term,
            _ => Term(0),
        };
        let (held, last) = ((index, term), self.log.last());
        self.send(to, &Message::Reminder { held, last }, self.term_seq);
    }

    /// The leader says what this member has acknowledged to it in this term. If that is gone, the
    /// member is under repair from now on, and the vote of this term is the leader's, whoever had
    /// it: no other can lead in it.
    pub(super) fn on_reminder(
        &mut self,
        leader: Member,
        held: EntryId,
        last: EntryId,
    ) -> Result<(), WireError> {
        if last.0 < held.0 || last.1 < held.1 || last.1 > self.term {
            return Err(WireError::Contradiction);
        }
        let holds = match self.log.term_at(held.0) {
            TermAt::Known(term) => held.1 == Term(0) || held.1 == term,
            TermAt::Compacted => true,
            TermAt::Beyond => false,
        };
        let further = |place: &EntryId| (place.1, place.0);
        let is_known = self
            .owes
            .is_some_and(|owes| further(&owes) >= further(&held));
        if holds || is_known || self.is_installing() {
            return Ok(());
        }
        self.owes = Some(last);
        self.lost = Some(Loss {
            leader,
            acknowledged: held.0,
            last: self.last(),
            owes: last,
        });
        if self.vote.is_none() {
            self.vote = Some(leader.id);
            self.hard_state_changed();
        }
        Ok(())
    }

    /// The loss that a leader has shown, once: the owner is to make it durable, with term and vote,
    /// so that a later life of this member knows it too.
    pub fn take_loss(&mut self) -> Option<Loss> {
        self.lost.take()
    }
}
