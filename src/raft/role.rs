//! The role of a member at one moment, and the knowledge that it has only in that role (thesis
//! 3.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ids::{LogIndex, NodeId, PersistSeq};
use crate::time::Mono;

use super::membership::{Member, Membership};
use super::progress::Peer;
use super::quorum::Tally;
use super::rounds::Reads;

/// The role of a member.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// It follows a leader, or waits for one.
    Follower(Following),
    /// It asks whether it would be voted for.
    PreCandidate(Ballot),
    /// It asks for votes.
    Candidate(Ballot),
    /// It proposes.
    Leader(Box<Leadership>),
}

/// A member's role, for those who only look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleName {
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks whether it would be voted for.
    PreCandidate,
    /// It asks for votes.
    Candidate,
    /// It proposes.
    Leader,
}

/// A follower's knowledge of the present term's leader.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Following {
    /// The leader, once it has spoken.
    pub(super) leader: Option<Member>,
    /// Up to here the log is known to agree with the leader's.
    pub(super) matched: LogIndex,
    /// Up to here the leader has said that the log is committed, whether it has come or not.
    pub(super) told_commit: LogIndex,
    /// The latest round of the leader's questions that was answered.
    pub(super) round: u64,
    /// The token of all answers since one of the former token's is known to have come, and when the
    /// first of them was given.
    pub(super) token: Option<(u64, Mono)>,
    /// The leader has told all that was committed before this moment: no other led until then.
    pub(super) fresh: Option<Mono>,
    /// The index that was last reported to the leader.
    pub(super) answered: LogIndex,
    /// An append was taken that is not answered to its end.
    pub(super) owes_answer: bool,
}

/// The members that have answered.
#[derive(Clone, Debug)]
pub(super) struct Ballot {
    votes: Vec<(NodeId, bool)>,
    /// The hand-over after which the member's own vote counts.
    pub(super) own: PersistSeq,
}

impl Ballot {
    pub(super) fn new(own: PersistSeq) -> Self {
        Self {
            votes: Vec::new(),
            own,
        }
    }

    /// Notes an answer; the first one stands, but for a refusal that became consent.
    pub(super) fn note(&mut self, from: NodeId, granted: bool) {
        match self.votes.iter_mut().find(|(id, _)| *id == from) {
            Some((_, vote)) => *vote |= granted,
            None => self.votes.push((from, granted)),
        }
    }

    pub(super) fn tally(&self, membership: &Membership) -> Tally {
        membership.tally(&|id| {
            let answer = self.votes.iter().find(|(from, _)| *from == id);
            answer.map(|(_, granted)| *granted)
        })
    }
}

/// The knowledge that only a leader has.
#[derive(Clone, Debug)]
pub(super) struct Leadership {
    /// The first entry of its own term: before that is committed, nothing may be read and no
    /// member may come or go (thesis 6.4, 4.1).
    pub(super) first: LogIndex,
    pub(super) peers: Vec<Peer>,
    pub(super) heartbeat_at: Mono,
    pub(super) reads: Reads,
    /// Leadership is being transferred.
    pub(super) transfer: Option<Transfer>,
    /// The last time that came to nothing.
    pub(super) given_up: Option<GivenUp>,
    /// The encoded size of the entries behind the commit index.
    pub(super) uncommitted_bytes: usize,
}

/// A leader's wish to be followed by another member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) target: Member,
    /// When the leader goes on leading, if nobody has taken over.
    pub(super) until: Mono,
    pub(super) told: bool,
}

/// A transfer that this leader waits for no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The member that was to lead.
    pub target: NodeId,
    /// It was told to campaign, and may do so still: the word may come late, and an election may
    /// take its time.
    pub told: bool,
}
