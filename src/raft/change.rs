//! Changes of membership: joint consensus, in force at append, one at a time (thesis 4).

use bytes::Bytes;

use crate::ids::{LogIndex, NodeId};
use crate::time::Mono;

use super::entry::{EntryKind, KnownSum};
use super::member::Raft;
use super::membership::{Member, Membership, MembershipChange, Unfit};
use super::message::Message;
use super::progress::{Peer, Progress};
use super::role::{Leadership, Role};

/// Why a change of membership was refused; it has certainly not happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRefused {
    /// Another member leads, or none.
    NotLeader {
        /// The leader, if it is known.
        leader: Option<NodeId>,
    },
    /// This leader has not committed in its own term yet, so that it does not know which membership
    /// is.
    TooEarly,
    /// The one before is not over.
    Pending,
    /// Leadership is being transferred.
    Transferring,
    /// A learner that is to vote lacks what is committed.
    Lagging(NodeId),
    /// Too few of those who would vote then have been heard of lately, so that the group would
    /// stand still: this one is silent.
    TooFew(NodeId),
    /// It makes no sense for the present membership.
    Unfit(Unfit),
}

impl Raft {
    /// Begins a change of membership; gives the index of the entry that puts it in force. If the
    /// voters change, the leader ends the change with another entry.
    pub fn change(&mut self, changes: &[MembershipChange]) -> Result<LogIndex, ChangeRefused> {
        let Role::Leader(leadership) = &self.role else {
            let leader = self.leader();
            return Err(ChangeRefused::NotLeader { leader });
        };
        if leadership.transfer.is_some() {
            return Err(ChangeRefused::Transferring);
        }
        if !self.has_committed_own_term() {
            return Err(ChangeRefused::TooEarly);
        }
        if self.is_changing() {
            return Err(ChangeRefused::Pending);
        }
        for change in changes {
            if let MembershipChange::Promote(id) = change
                && !self.keeps_up(*id)
            {
                return Err(ChangeRefused::Lagging(*id));
            }
        }
        let next = self.in_force().enter_joint(changes);
        let next = next.map_err(ChangeRefused::Unfit)?;
        if let Some(silent) = self.missed(&next) {
            return Err(ChangeRefused::TooFew(silent));
        }
        Ok(self.put_in_force(&next))
    }

    /// The membership in force: the last one in the log, committed or not (thesis 4.1).
    pub fn in_force(&self) -> &Membership {
        self.history.in_force()
    }

    /// Returns true while a change of membership is under way: the one in force is joint, or not
    /// committed.
    pub fn is_changing(&self) -> bool {
        self.in_force().is_joint() || !self.is_in_force_committed()
    }

    pub(super) fn is_in_force_committed(&self) -> bool {
        let index = self.history.unsettled();
        index.is_none_or(|index| index <= self.commit)
    }

    /// Returns true if a member has been sent all that is committed, so that its vote would not
    /// hold up the group (thesis 4.2.1). Of whom nothing is known it is not this question's to say.
    fn keeps_up(&self, id: NodeId) -> bool {
        self.is_leader()
            && self.peer_by_id(id).is_none_or(|peer| match &peer.progress {
                Progress::Replicate { next, .. } => *next > self.commit,
                Progress::Probe { .. } | Progress::Snapshot(_) => false,
            })
    }

    fn put_in_force(&mut self, membership: &Membership) -> LogIndex {
        let payload = Bytes::from(membership.encode());
        let index = self.append(
            self.last_stamp(),
            EntryKind::Membership,
            payload,
            KnownSum::default(),
        );
        if let Some(entry) = self.log.get(index) {
            self.history.appended(entry);
        }
        self.meet_members(index);
        index
    }

    /// Begins to care for members that have come with the entry at `index`, and takes leave of
    /// those that have gone: they are sent that entry, so that they know.
    fn meet_members(&mut self, index: LogIndex) {
        let (me, now) = (self.settings.id, self.now);
        let until = now + self.settings.election_max() * 2;
        let in_force = self.history.in_force();
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        let Leadership { peers, .. } = &mut **leadership;
        let replaced = |peer: &Peer| {
            in_force
                .get(peer.member.id)
                .is_some_and(|m| *m != peer.member)
        };
        peers.retain(|peer| !replaced(peer));
        for peer in &mut *peers {
            let stays = in_force.get(peer.member.id).is_some();
            peer.leaving = (!stays).then_some(peer.leaving.unwrap_or((index, until)));
        }
        for member in in_force.members().filter(|member| member.id != me) {
            if !peers.iter().any(|peer| peer.member == *member) {
                peers.push(Peer::new(*member, index, now));
            }
        }
    }

    /// Acts on the commit of a change of membership: a joint membership is left, members that have
    /// gone are forgotten, and a leader that is no longer a voter ceases to lead (thesis 4.2.2,
    /// 4.3).
    pub(super) fn membership_committed(&mut self) {
        let (now, commit) = (self.now, self.commit);
        if let Role::Leader(leadership) = &mut self.role {
            leadership.peers.retain(|peer| !peer.has_left(commit, now));
        }
        if !self.has_committed_own_term() || !self.is_in_force_committed() {
            return;
        }
        if let Some(next) = self.in_force().leave_joint() {
            self.put_in_force(&next);
        } else if !self.in_force().is_voter(self.settings.id) {
            self.hand_over_leadership();
        }
    }

    /// Ceases to lead a group of which it is no voter; the member that has most is told to take
    /// over, so that nobody has to wait for an election timeout.
    fn hand_over_leadership(&mut self) {
        self.replicate();
        self.send_heartbeats(true);
        if let Some(target) = self.most_advanced() {
            self.send(target, &Message::TimeoutNow, self.term_seq);
        }
        self.follow(None);
    }

    /// The voter that has most of the log, this member left aside.
    pub(super) fn most_advanced(&self) -> Option<Member> {
        let Role::Leader(leadership) = &self.role else {
            return None;
        };
        let in_force = self.in_force();
        let voters = leadership.peers.iter();
        let voters = voters.filter(|peer| in_force.stays_voter(peer.member.id));
        voters
            .max_by_key(|peer| (peer.matched, peer.is_fit))
            .map(|peer| peer.member)
    }
}

impl Peer {
    /// Returns true if a former member has been told of its removal, or could not be told in time.
    fn has_left(&self, commit: LogIndex, now: Mono) -> bool {
        self.leaving.is_some_and(|(index, until)| {
            now >= until || (commit >= index && self.told_commit >= index)
        })
    }
}
