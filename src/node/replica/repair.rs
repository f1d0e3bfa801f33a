//! Damage that a member of a group lives through: what it owes is found out from the records that
//! are still there, written down, and taken again from whoever leads.
//!
//! What a member has said in its group it knows by the last record that it synced: term and vote,
//! and how far its log was. Damage before that record leaves all three readable. Raft keeps the
//! member from voting until its log is as far again (`src/raft/repair.rs`).

use core::cmp::Ordering;
use core::mem;

use crate::aof::{Debt, Restated};
use crate::ids::{LogIndex, NodeId, Term};
use crate::node::Node;
use crate::node::effect::Note;
use crate::raft::{Entry, Loss, Membership};

/// What the records say that recovery could not come to.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Strays {
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
    pub(in crate::node) fn spoken(&self, known: (Term, Option<NodeId>)) -> (Term, Option<NodeId>) {
        self.spoken.map_or(known, |own| later(own, known))
    }

    /// What is owed where all that these records say is lost; nothing where there are none.
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

/// Of two terms the later one with its vote. What is given in a term stays given.
pub(in crate::node) fn later(
    one: (Term, Option<NodeId>),
    other: (Term, Option<NodeId>),
) -> (Term, Option<NodeId>) {
    match one.0.cmp(&other.0) {
        Ordering::Less => other,
        Ordering::Equal => (one.0, one.1.or(other.1)),
        Ordering::Greater => one,
    }
}

impl Node {
    /// Whether others may hold what this member has lost: it is not the only voter.
    pub(in crate::node) fn has_peers(&self, membership: &Membership) -> bool {
        let mut voters = membership.voters();
        voters.any(|id| id != self.config.id)
    }

    /// Tells the operator of logs that contradict each other.
    pub(in crate::node) fn tend_conflicts(&mut self) {
        let Some(raft) = &mut self.commit.raft else {
            return;
        };
        let (conflict, member) = (raft.take_conflict(), raft.take_contradicting());
        let conflict = conflict.map(Note::Contradicted);
        let member = member.map(|member| Note::Contradicting { member });
        for note in conflict.into_iter().chain(member) {
            self.note(note);
        }
    }

    /// Tells the operator and the log when this member has lost something, and when it is whole
    /// again.
    pub(in crate::node) fn tend_repair(&mut self) {
        let (Some(raft), Some(log)) = (&mut self.commit.raft, &mut self.commit.log) else {
            return;
        };
        let owes = raft.owes();
        let loss = raft.take_loss();
        if let Some(Loss {
            owes: (last, last_term),
            ..
        }) = loss
        {
            log.owe(Debt {
                term: raft.term(),
                vote: raft.vote(),
                last,
                last_term,
            });
            log.flush(self.now, &mut self.commit.ops);
        } else if owes.is_none() {
            log.debt_is_paid();
        }
        let is_durable = log.debt_is_durable();
        if let Some(loss) = loss {
            self.leadership.lacks = true;
            self.note(Note::Lost {
                leader: loss.leader.id,
                acknowledged: loss.acknowledged,
                last: loss.last,
            });
        }
        let index = self.commit.applied;
        let Some((until, term)) = owes else {
            let said = mem::take(&mut self.leadership.repairing);
            if mem::take(&mut self.leadership.lacks) || said {
                self.note(Note::Repaired { index });
            }
            return;
        };
        // What a crash could make untrue is not said.
        if is_durable && !mem::replace(&mut self.leadership.repairing, true) {
            self.note(Note::Repairing { until, term });
        }
    }
}
