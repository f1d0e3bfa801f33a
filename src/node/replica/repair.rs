//! Damage that a member of a group lives through: what it owes is found out from the records that
//! are still there, written down, and taken again from whoever leads.
//!
//! The last record that a member synced tells it what it has said in its group: term and vote, and
//! how far its log was. Damage before that record leaves all three readable. Raft keeps the member
//! from voting until its log is as far again (`src/raft/repair.rs`).

use core::cmp::Ordering;

use crate::aof::{Debt, Restated};
use crate::ids::{LogIndex, NodeId, Term};
use crate::raft::{Entry, Membership};

/// The contents of the records that recovery could not come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Strays {
    /// The latest term, and the vote in it.
    spoken: Option<(Term, Option<NodeId>)>,
    /// The last entry of the log by the latest record.
    last: LogIndex,
    /// The latest entry that can be read.
    entry: (LogIndex, Term),
    /// The latest membership that can be read.
    pub(in crate::node) membership: Option<Membership>,
}

impl Strays {
    /// Takes note of the next record.
    pub(in crate::node) fn take(&mut self, restated: Restated, last: LogIndex, mut body: &[u8]) {
        let own = (restated.term, restated.vote);
        self.spoken = Some(self.spoken.map_or(own, |known| later(known, own)));
        self.last = last;
        while let Ok(entry) = Entry::decode(&mut body) {
            self.entry = (entry.index, entry.term);
            self.membership = entry.membership().or(self.membership.take());
            if body.is_empty() {
                break;
            }
        }
    }

    /// The latest term, and the vote in it, these records and another considered.
    pub(super) fn spoken(&self, known: (Term, Option<NodeId>)) -> (Term, Option<NodeId>) {
        self.spoken.map_or(known, |own| later(own, known))
    }

    /// The debt where all that these records say is lost; nothing where there are none.
    pub(in crate::node) fn debt(&self) -> Option<Debt> {
        let (term, vote) = self.spoken?;
        let (index, last_term) = self.entry;
        Some(Debt {
            term,
            vote,
            last: self.last,
            last_term: if index == self.last { last_term } else { term },
        })
    }
}

/// Of two terms the later one with its vote. A vote that is given in a term stays given.
pub(super) fn later(
    one: (Term, Option<NodeId>),
    other: (Term, Option<NodeId>),
) -> (Term, Option<NodeId>) {
    match one.0.cmp(&other.0) {
        Ordering::Less => other,
        Ordering::Equal => (one.0, one.1.or(other.1)),
        Ordering::Greater => one,
    }
}
