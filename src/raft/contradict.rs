//! A leader's log that contradicts what is committed here: nothing is taken from it, and both say
//! so.
//!
//! While disks keep synced bytes there is no such thing: committed entries are in the log of
//! whoever leads (thesis 3.6.3). An older copy of a member's directory that was put back may leave
//! two members with different entries of one index, both committed. Neither can be undone, and
//! nobody but an operator can say which of the two is to stay. So the member takes nothing from
//! that leader, and both say so.

use crate::ids::{LogIndex, NodeId, Term};

use super::conflict::Conflict;
use super::member::Raft;
use super::membership::Member;
use super::message::EntryId;

impl Raft {
    /// The leader's entry, or the place before its entries, contradicts what is committed here.
    pub(super) fn contradicted(&mut self, leader: Member, own: EntryId, leaders: Term) {
        let conflict = Conflict {
            leader: leader.id,
            index: own.0,
            own: own.1,
            leaders,
        };
        let conflicts = &mut self.conflicts;
        // The same leader in a later term says the same of the same entries.
        let known = conflicts.last.map(|last| (last.leader, last.leaders));
        if !conflicts.present && known != Some((conflict.leader, conflict.leaders)) {
            (conflicts.last, conflicts.is_untold) = (Some(conflict), true);
        }
        conflicts.present = true;
        conflicts.is_lasting |= conflict.own == conflict.leaders;
    }

    /// The logs agree up to where they were compared.
    pub(super) fn agrees(&mut self) {
        self.conflicts.present = false;
    }

    /// Another leads, or nobody, or a state takes the place of the log.
    pub(super) fn compares_anew(&mut self) {
        (self.conflicts.present, self.conflicts.is_lasting) = (false, false);
    }

    /// Returns true while this member takes nothing from the leader, whose log contradicts what is
    /// committed here.
    pub fn contradicts_leader(&self) -> bool {
        self.conflicts.present
    }

    /// The contradiction that was found, once.
    pub fn take_conflict(&mut self) -> Option<Conflict> {
        let is_untold = core::mem::take(&mut self.conflicts.is_untold);
        self.conflicts.last.filter(|_| is_untold)
    }

    /// A member has said whether its log contradicts this leader's.
    pub(super) fn hear_of_conflict(&mut self, from: Member, contradicts: bool) {
        let Some(peer) = self.peer(from) else {
            return;
        };
        let is_news = contradicts && !peer.contradicts;
        peer.contradicts = contradicts;
        if is_news {
            self.conflicts.untold_member = Some(from.id);
        }
    }

    /// A member claims to hold entries of this leader's log that do not exist: it holds others.
    pub(super) fn claims_too_much(&mut self, from: Member, index: LogIndex) {
        let Some(peer) = self.peer(from) else {
            return;
        };
        let is_news = peer.beyond == LogIndex(0) && !peer.contradicts;
        peer.beyond = peer.beyond.max(index);
        if is_news {
            self.conflicts.untold_member = Some(from.id);
        }
    }

    /// Returns true if this leader knows that the log of a member contradicts its own.
    pub fn is_contradicted_by(&self, id: NodeId) -> bool {
        self.peer_by_id(id)
            .is_some_and(|peer| peer.contradicts || peer.beyond > LogIndex(0))
    }

    /// The member that was found to contradict this leader, once.
    pub fn take_contradicting(&mut self) -> Option<NodeId> {
        self.conflicts.untold_member.take()
    }
}
