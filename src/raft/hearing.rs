//! Of whom a member hears, and of whom it does not: for those who only look.

use core::time::Duration;

use crate::ids::NodeId;
use crate::time::Mono;

use super::member::Raft;
use super::progress::Progress;
use super::role::Role;

/// After so many election timeouts without a word a member counts as gone. One is enough to lose
/// leadership by; it is not enough to tell clients and operators that a machine is dead.
const PATIENCE: u32 = 3;

impl Raft {
    /// For how long nothing was heard of another member, as far as this one listens for it: a
    /// leader does for all others, one that follows for its leader.
    pub fn unheard(&self, id: NodeId, now: Mono) -> Option<Duration> {
        let heard = match &self.role {
            Role::Leader(_) => self.peer_by_id(id)?.heard,
            Role::Follower(following) => {
                following.leader.filter(|leader| leader.id == id)?;
                self.heard
            }
            Role::PreCandidate(_) | Role::Candidate(_) => return None,
        };
        Some(now.since(heard))
    }

    /// Returns true if a member has been silent for so long that it counts as gone.
    pub fn is_silent(&self, id: NodeId, now: Mono) -> bool {
        let unheard = self.unheard(id, now);
        unheard.is_some_and(|unheard| unheard >= self.settings.election_max() * PATIENCE)
    }

    /// Returns true if this member leads, and another has said anything to it in this term.
    pub fn has_answered(&self, id: NodeId) -> bool {
        self.peer_by_id(id).is_some_and(|peer| peer.has_answered)
    }

    /// Returns true if this member leads, and another is being sent a state.
    pub fn is_supplying(&self, id: NodeId) -> bool {
        let peer = self.peer_by_id(id);
        peer.is_some_and(|peer| matches!(peer.progress, Progress::Snapshot(_)))
    }
}
