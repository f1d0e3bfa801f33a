//! The disk of a Raft member, in memory: the data that it holds for certain, and writes on their
//! way to it.

use seedis::ids::{LogIndex, NodeId, PersistSeq, Term};
use seedis::raft::message::EntryId;
use seedis::raft::{Entry, Membership, Restart, Unpersisted};

/// The data that is on the disk for certain.
#[derive(Clone, Debug)]
pub struct RaftDisk {
    /// The term of the member.
    pub term: Term,
    /// Its vote in that term.
    pub vote: Option<NodeId>,
    /// The entries up to this one are committed.
    pub commit: LogIndex,
    /// The last entry that the base covers.
    pub base: EntryId,
    /// The membership at the base.
    pub membership: Membership,
    /// The entries after the base, without a gap.
    pub entries: Vec<Entry>,
}

/// A write that was handed over and is not synced.
#[derive(Debug)]
pub struct Write {
    /// The number of the hand-over.
    pub seq: PersistSeq,
    term: Term,
    vote: Option<NodeId>,
    commit: LogIndex,
    entries: Vec<Entry>,
}

impl Write {
    /// The write of a member's new data.
    pub fn of(new: &Unpersisted<'_>) -> Self {
        Self {
            seq: new.seq,
            term: new.term,
            vote: new.vote,
            commit: new.commit,
            entries: new.entries.to_vec(),
        }
    }
}

impl RaftDisk {
    /// An empty one, which knows the founders.
    pub fn new(membership: Membership) -> Self {
        Self {
            term: Term(0),
            vote: None,
            commit: LogIndex(0),
            base: (LogIndex(0), Term(0)),
            membership,
            entries: Vec::new(),
        }
    }

    /// The memory of a process that starts from it.
    pub fn restart(&self) -> Restart {
        Restart {
            term: self.term,
            vote: self.vote,
            commit: self.commit,
            base: self.base,
            membership: self.membership.clone(),
            tail: self.entries.clone(),
            restate: false,
            owes: None,
        }
    }

    /// A write is synced.
    pub fn take(&mut self, write: Write) {
        (self.term, self.vote, self.commit) = (write.term, write.vote, write.commit);
        for entry in write.entries {
            if entry.index <= self.base.0 {
                continue;
            }
            let at = (entry.index.0 - self.base.0.0 - 1) as usize;
            assert!(at <= self.entries.len(), "a gap on the disk");
            self.entries.truncate(at);
            self.entries.push(entry);
        }
    }

    /// Another base takes the place of the present one. Entries after it stay if they follow it.
    pub fn rebase(&mut self, base: EntryId, membership: Membership, follows: bool) {
        self.entries.retain(|entry| follows && entry.index > base.0);
        (self.base, self.membership) = (base, membership);
    }

    /// The term of the entry at an index, if the disk has that.
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.0 {
            return Some(self.base.1);
        }
        let at = index.0.checked_sub(self.base.0.0 + 1)?;
        self.entries.get(at as usize).map(|entry| entry.term)
    }
}
