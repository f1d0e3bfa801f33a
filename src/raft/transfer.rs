//! Leadership transfer: the target catches up, is told to campaign at once, and is voted for by
//! those who would otherwise keep to the leader (thesis 3.10).

use crate::ids::NodeId;

use super::member::Raft;
use super::membership::Member;
use super::message::Message;
use super::role::{GivenUp, Role, Transfer};

/// Why leadership is not transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferRefused {
    /// Another member leads, or none.
    NotLeader {
        /// The leader, if it is known.
        leader: Option<NodeId>,
    },
    /// It is being given away already.
    Transferring,
    /// There is no such voter beside the leader.
    Unknown,
}

impl Raft {
    /// Transfers leadership to this voter, or to the one that has most of the log. Proposals are
    /// refused until another leads or an election timeout has passed.
    pub fn transfer(&mut self, to: Option<NodeId>) -> Result<(), TransferRefused> {
        let Role::Leader(leadership) = &self.role else {
            let leader = self.leader();
            return Err(TransferRefused::NotLeader { leader });
        };
        if leadership.transfer.is_some() {
            return Err(TransferRefused::Transferring);
        }
        let target = match to {
            None => self.most_advanced(),
            Some(id) if id == self.settings.id || !self.in_force().stays_voter(id) => None,
            Some(id) => self.in_force().get(id).copied(),
        };
        let target = target.ok_or(TransferRefused::Unknown)?;
        let until = self.now + self.settings.election_max();
        if let Role::Leader(leadership) = &mut self.role {
            leadership.transfer = Some(Transfer {
                target,
                until,
                told: false,
            });
        }
        self.transfer_on();
        Ok(())
    }

    /// Steps down, whatever is on its way: others may lead, and commit it or not. Nothing
    /// is done where nobody else votes.
    pub fn resign(&mut self) {
        if self.is_leader() && !self.in_force().is_sole_voter(self.settings.id) {
            self.follow(None);
        }
    }

    /// Returns true while this leader is transferring leadership.
    pub fn is_transferring(&self) -> bool {
        match &self.role {
            Role::Leader(leadership) => leadership.transfer.is_some(),
            _ => false,
        }
    }

    /// The last transfer of this leader that has come to nothing in its time.
    pub fn given_up(&self) -> Option<GivenUp> {
        match &self.role {
            Role::Leader(leadership) => leadership.given_up,
            _ => None,
        }
    }

    /// Returns true if this leader would refuse a proposal that it may take later: it is
    /// transferring leadership, or too much waits for its commit.
    pub fn is_holding_back(&self) -> bool {
        match &self.role {
            Role::Leader(leadership) => {
                let most = self.settings.uncommitted_bytes;
                leadership.transfer.is_some() || leadership.uncommitted_bytes >= most
            }
            _ => false,
        }
    }

    /// The owner says whether its disk has no room, or keeps it waiting.
    pub fn set_strained(&mut self, is_strained: bool) {
        self.is_strained = is_strained;
    }

    /// Returns true if the disk of this member has no room, or keeps it waiting.
    pub fn is_strained(&self) -> bool {
        self.is_strained
    }

    /// A member has said whether it is strained.
    pub(super) fn hear_of_strain(&mut self, from: Member, is_strained: bool) {
        if let Some(peer) = self.peer(from) {
            peer.is_fit = !is_strained;
        }
    }

    /// The voter that had better lead in the place of this strained leader: the one with the most
    /// of the log, where a majority of all voters is heard of and not strained. Without such a
    /// majority nobody could commit more than this leader can.
    pub fn unstrained_voter(&self) -> Option<NodeId> {
        if self.is_strained {
            self.fittest()
        } else {
            None
        }
    }

    /// Returns true if some other voter could lead in its place, were it strained.
    pub fn has_unstrained_voter(&self) -> bool {
        self.fittest().is_some()
    }

    fn fittest(&self) -> Option<NodeId> {
        let Role::Leader(leadership) = &self.role else {
            return None;
        };
        let in_force = self.in_force();
        if in_force.is_joint() {
            return None;
        }
        let fit = leadership.peers.iter().filter(|peer| {
            let is_heard = self.now.since(peer.heard) < self.settings.election_min();
            peer.is_fit && is_heard && in_force.stays_voter(peer.member.id)
        });
        let is_majority = fit.clone().count() > in_force.voters().count() / 2;
        let target = fit.max_by_key(|peer| peer.matched)?;
        is_majority.then_some(target.member.id)
    }

    /// Tells the target as soon as it has all and nothing is open; gives up when it is too late.
    /// Requests that are not committed by then would be in doubt for their clients.
    pub(super) fn transfer_on(&mut self) {
        let (now, last) = (self.now, self.last());
        let is_settled = self.commit == last;
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        let Some(transfer) = &mut leadership.transfer else {
            return;
        };
        if now >= transfer.until {
            leadership.given_up = Some(GivenUp {
                target: transfer.target.id,
                told: transfer.told,
            });
            leadership.transfer = None;
            return;
        }
        let target = transfer.target;
        let peer = leadership.peers.iter().find(|peer| peer.member == target);
        let has_all = peer.is_some_and(|peer| peer.matched == last);
        if !transfer.told && has_all && is_settled {
            transfer.told = true;
            // From here on voters no longer wait for this leader to fall silent.
            leadership.reads.no_lease = true;
            self.send(target, &Message::TimeoutNow, self.term_seq);
        }
    }

    /// The leader wants this member to lead.
    pub(super) fn on_timeout_now(&mut self) {
        if matches!(self.role, Role::Follower(_)) && self.may_campaign() {
            self.campaign(true);
        }
    }
}
