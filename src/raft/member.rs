//! The state machine of one member.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, PersistSeq, Term};
use crate::time::{Mono, Stamp};

use super::{Corrupt, Entry, Kind, Membership};

/// Who a member is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Its number in the group.
    pub id: NodeId,
    /// Which life of its disk this is.
    pub incarnation: Incarnation,
    /// The group.
    pub cluster: ClusterId,
    /// Where its chance comes from.
    pub seed: u64,
}

/// What a member's disk remembers.
#[derive(Clone, Debug)]
pub struct Restart {
    /// The last term.
    pub term: Term,
    /// The vote in that term.
    pub vote: Option<NodeId>,
    /// Up to where the log is known to be committed.
    pub commit: LogIndex,
    /// The last entry that the state machine holds.
    pub base: (LogIndex, Term),
    /// The membership at that entry.
    pub membership: Membership,
    /// The entries behind it.
    pub tail: Vec<Entry>,
}

/// Why a proposal was refused; it has certainly not happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another member leads, or none.
    NotLeader {
        /// Who does, if that is known.
        leader: Option<NodeId>,
    },
}

/// What must be written to the log in this turn.
#[derive(Debug)]
pub struct Unpersisted<'a> {
    /// The number of this hand-over, to be given back to `persisted`.
    pub seq: PersistSeq,
    /// The present term.
    pub term: Term,
    /// The vote in it.
    pub vote: Option<NodeId>,
    /// The commit index.
    pub commit: LogIndex,
    /// Term or vote are new: nothing of this counts before it is synced.
    pub must_sync: bool,
    /// New entries, in order; one whose index was there before supersedes it and all behind.
    pub entries: &'a [Entry],
}

/// What a member is at this moment (thesis 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It knows no leader.
    Follower,
    /// It has voted for itself and waits until that vote is durable.
    Candidate {
        /// The hand-over that holds the vote.
        vote: PersistSeq,
    },
    /// It proposes.
    Leader,
}

/// One member's part in the agreement.
#[derive(Debug)]
pub struct Raft {
    id: NodeId,
    term: Term,
    vote: Option<NodeId>,
    role: Role,
    membership: Membership,
    /// The entry before the first in `entries`.
    base: (LogIndex, Term),
    /// Entries that are not applied yet.
    entries: VecDeque<Entry>,
    /// Up to here the log has been handed over to be written.
    handed_over: LogIndex,
    hard_state_changed: bool,
    seq: PersistSeq,
    /// What each hand-over in flight holds up to.
    in_flight: VecDeque<(PersistSeq, LogIndex)>,
    /// Up to here the log is durable on this member.
    durable: LogIndex,
    commit: LogIndex,
}

impl Raft {
    /// A member as its disk remembers it. A sole voter campaigns at once: there is nobody to wait
    /// for.
    pub fn new(settings: Settings, restart: Restart, now: Mono) -> Self {
        let last = restart
            .tail
            .last()
            .map_or(restart.base.0, |entry| entry.index);
        let mut membership = restart.membership;
        membership.name_incarnation(settings.id, settings.incarnation);
        let mut raft = Self {
            id: settings.id,
            term: restart.term,
            vote: restart.vote,
            role: Role::Follower,
            membership,
            base: restart.base,
            entries: restart.tail.into(),
            handed_over: last,
            hard_state_changed: false,
            seq: PersistSeq(0),
            in_flight: VecDeque::new(),
            durable: last,
            commit: restart.commit,
        };
        raft.tick(now);
        raft
    }

    /// Looks at the time: what is due happens.
    pub fn tick(&mut self, _now: Mono) {
        if self.role == Role::Follower && self.membership.is_alone(self.id) {
            self.campaign();
        }
    }

    /// When `tick` has something to do; never, for a sole voter.
    pub fn deadline(&self) -> Option<Mono> {
        None
    }

    /// Takes a peer's frame. A group of one has no peers, so that whatever comes is nothing.
    pub fn step(&mut self, _now: Mono, _from: NodeId, _frame: &[u8]) -> Result<(), Corrupt> {
        Err(Corrupt)
    }

    /// Votes for itself in a new term (thesis 3.4). It leads when the vote is durable, never
    /// before.
    fn campaign(&mut self) {
        self.term = self.term.next();
        self.vote = Some(self.id);
        self.hard_state_changed = true;
        let vote = self.seq.next();
        self.role = Role::Candidate { vote };
    }

    /// Begins to lead with an entry of its own term: only such an entry commits what is before it
    /// (thesis 3.6.2).
    fn lead(&mut self) {
        self.role = Role::Leader;
        let stamp = self.entries.back().map_or(Stamp(0), |entry| entry.stamp);
        self.append(stamp, Kind::Noop, Bytes::new());
    }

    fn append(&mut self, stamp: Stamp, kind: Kind, payload: Bytes) -> LogIndex {
        let index = self.last().next();
        self.entries.push_back(Entry {
            term: self.term,
            index,
            stamp,
            kind,
            payload,
        });
        index
    }

    /// Appends an entry to the log, where this member leads.
    pub fn propose(&mut self, stamp: Stamp, payload: Bytes) -> Result<LogIndex, Refused> {
        if self.role != Role::Leader {
            return Err(Refused::NotLeader { leader: None });
        }
        Ok(self.append(stamp, Kind::Normal, payload))
    }

    /// What is to be written to the log, if anything is new.
    pub fn unpersisted(&mut self) -> Option<Unpersisted<'_>> {
        let last = self.last();
        let must_sync = core::mem::take(&mut self.hard_state_changed);
        if last == self.handed_over && !must_sync {
            return None;
        }
        let new = (last.0 - self.handed_over.0) as usize;
        self.handed_over = last;
        self.seq = self.seq.next();
        self.in_flight.push_back((self.seq, last));
        let (term, vote, commit, seq) = (self.term, self.vote, self.commit, self.seq);
        let entries = self.entries.make_contiguous();
        Some(Unpersisted {
            seq,
            term,
            vote,
            commit,
            must_sync,
            entries: &entries[entries.len() - new..],
        })
    }

    /// All hand-overs up to this one are durable as the policy wants it.
    pub fn persisted(&mut self, seq: PersistSeq) {
        while let Some((_, last)) = self.in_flight.pop_front_if(|(own, _)| *own <= seq) {
            self.durable = last;
        }
        if let Role::Candidate { vote } = self.role
            && vote <= seq
        {
            self.lead();
        }
        self.advance_commit();
    }

    /// Commits what a quorum holds, if it is of the own term (thesis 3.6.2, figure 3.7).
    fn advance_commit(&mut self) {
        let quorum = self.durable;
        if self.role == Role::Leader && self.term_of(quorum) == Some(self.term) {
            self.commit = self.commit.max(quorum);
        }
    }

    /// The next committed entry, in order, each once.
    pub fn next_committed(&mut self) -> Option<Entry> {
        let commit = self.commit;
        let entry = self.entries.pop_front_if(|entry| entry.index <= commit)?;
        self.base = (entry.index, entry.term);
        if let Some(membership) = entry.membership() {
            self.membership = membership;
        }
        Some(entry)
    }

    /// The last entry of the log.
    pub fn last(&self) -> LogIndex {
        self.entries.back().map_or(self.base.0, |entry| entry.index)
    }

    /// Whether this member leads.
    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }

    /// The present term.
    pub fn term(&self) -> Term {
        self.term
    }

    /// The vote in it.
    pub fn vote(&self) -> Option<NodeId> {
        self.vote
    }

    /// Up to where the log is committed.
    pub fn commit(&self) -> LogIndex {
        self.commit
    }

    /// The term of an entry, where it is still known.
    pub fn term_of(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.0 {
            return Some(self.base.1);
        }
        let offset = index.0.checked_sub(self.base.0.0 + 1)?;
        self.entries.get(offset as usize).map(|entry| entry.term)
    }

    /// The membership at the last applied entry.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The entries behind an index that are not applied yet.
    pub fn entries_after(&self, index: LogIndex) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.index > index)
    }
}
