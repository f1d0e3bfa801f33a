//! A member whose disk has lost entries that it once held: it takes them again, and neither votes
//! nor campaigns until its log is as far as it was.
//!
//! How far a log is goes by the order in which votes compare logs (thesis 3.6.1): by the term of
//! the last entry, then by its index. A log that is as far as the lost one holds whatever the lost
//! one held of what is committed, or will be, with this member's help. docs/RAFT.md proves it.

use super::Raft;
use super::log::TermAt;
use super::message::Place;

impl Raft {
    /// Whether entries are missing that this member may have acknowledged.
    pub fn is_repairing(&self) -> bool {
        self.owes.is_some()
    }

    /// How far the log must come again, where entries are missing.
    pub fn owes(&self) -> Option<Place> {
        self.owes
    }

    /// What is owed is paid when the log has durably come as far.
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
}
