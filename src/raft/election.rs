//! Elections: when a member campaigns, whom it votes for, and when it begins and ceases to lead
//! (thesis 3.4, 9.6, 6.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::ids::{NodeId, PersistSeq, Term};
use crate::rng;
use crate::time::Mono;

use super::entry::{EntryKind, KnownSum, bytes};
use super::member::Raft;
use super::membership::{Member, Membership};
use super::message::{EntryId, Message};
use super::progress::Peer;
use super::quorum::Tally;
use super::role::{Ballot, Following, Leadership, Role};
use super::rounds::Reads;

/// Draws of election timeouts.
const TIMEOUT_STREAM: u64 = 0x656c_6563;

impl Raft {
    /// Draws when to campaign if no leader is heard of until then (thesis 3.4).
    pub(super) fn reset_election_timer(&mut self) {
        let (min, max) = (self.settings.election_min(), self.settings.election_max());
        self.draws += 1;
        let draw = rng::draw(
            self.settings.seed,
            TIMEOUT_STREAM,
            self.settings.id.0,
            self.draws,
        );
        let spread = max.saturating_sub(min).as_nanos() as u64;
        self.election_at = self.now + min + Duration::from_nanos(rng::below(draw, spread));
        // One that had better not lead lets the others try first.
        if self.is_strained {
            self.election_at = self.election_at + 2 * max;
        }
    }

    /// Returns true if a campaign of this member could make sense: it may have to lead, in this
    /// life, and its log is not about to be replaced.
    pub(super) fn may_campaign(&self) -> bool {
        let me = self.settings.me();
        let may_lead = self.history.may_lead(&me, self.commit)
            || self.is_needed && self.history.belongs(&me, self.commit);
        may_lead && !self.is_installing() && !self.is_repairing()
    }

    /// When to campaign, if at all. A candidate whose own vote is not durable yet has nothing to
    /// gain from another term.
    pub(super) fn campaign_at(&self) -> Option<Mono> {
        let waits = matches!(&self.role, Role::Candidate(ballot) if ballot.own > self.persisted);
        (self.may_campaign() && !waits).then_some(self.election_at)
    }

    /// Returns true while a leader may still rely on this member's silence: the leader was heard
    /// of, or this process began, less than the shortest election timeout ago (thesis 4.2.3,
    /// 6.4.1).
    pub(super) fn is_sticky(&self) -> bool {
        self.is_leader() || self.now.since(self.heard) < self.settings.election_min()
    }

    /// Asks whether a campaign would succeed, before it disturbs anybody (thesis 9.6).
    pub(super) fn pre_campaign(&mut self) {
        self.put_off = 0;
        self.reset_election_timer();
        let mut ballot = Ballot::new(PersistSeq(0));
        ballot.note(self.settings.id, true);
        self.role = Role::PreCandidate(ballot);
        let message = Message::PreVote {
            prospective: self.term.next(),
            last: self.log.last(),
        };
        self.ask_voters(&message);
        self.count_votes();
    }

    /// Votes for itself in a new term and asks for votes. The own vote counts, and the question
    /// leaves, when both are durable (thesis 3.4, 3.8).
    pub(super) fn campaign(&mut self, transfer: bool) {
        self.enter_term(self.term.next());
        self.vote = Some(self.settings.id);
        self.reset_election_timer();
        self.role = Role::Candidate(Ballot::new(self.term_seq));
        let last = self.log.last();
        self.ask_voters(&Message::Vote { last, transfer });
    }

    fn ask_voters(&mut self, message: &Message) {
        let (me, in_force) = (self.settings.id, self.history.in_force());
        let others = in_force.members().filter(|member| member.id != me);
        let voters: Vec<Member> = others
            .filter(|member| in_force.is_voter(member.id))
            .copied()
            .collect();
        let needs = self.present();
        for voter in voters {
            self.send(voter, message, needs);
        }
    }

    /// The own vote is durable.
    pub(super) fn own_vote_counts(&mut self) {
        let (me, persisted) = (self.settings.id, self.persisted);
        if let Role::Candidate(ballot) = &mut self.role
            && ballot.own <= persisted
        {
            ballot.note(me, true);
            self.reset_election_timer();
            self.count_votes();
        }
    }

    fn count_votes(&mut self) {
        let in_force = self.history.in_force();
        match &self.role {
            Role::PreCandidate(ballot) => match ballot.tally(in_force) {
                Tally::Won => self.campaign(false),
                Tally::Lost => self.follow(None),
                Tally::Open => {}
            },
            Role::Candidate(ballot) if ballot.own > self.persisted => {}
            Role::Candidate(ballot) => match ballot.tally(in_force) {
                Tally::Won => self.lead(),
                Tally::Lost => self.follow(None),
                Tally::Open => {}
            },
            Role::Follower(_) | Role::Leader(_) => {}
        }
    }

    /// Answers whether it would vote for the sender. Nothing changes by that.
    pub(super) fn on_pre_vote(&mut self, from: Member, prospective: Term, last: EntryId) {
        let is_covered = self.log.is_covered_by(last);
        // Whoever asks holds this member for a voter. It may know better; but then what it has more
        // could be what keeps the group standing still.
        self.is_needed |= !is_covered && !self.is_sticky();
        let granted =
            prospective > self.term && is_covered && !self.is_sticky() && !self.is_repairing();
        let message = Message::PreVoteReply {
            prospective,
            granted,
        };
        self.send(from, &message, self.term_seq);
    }

    /// Takes the answer to a pre-vote.
    pub(super) fn on_pre_vote_reply(&mut self, from: Member, prospective: Term, granted: bool) {
        if let Role::PreCandidate(ballot) = &mut self.role
            && prospective == self.term.next()
        {
            ballot.note(from.id, granted);
            self.count_votes();
        }
    }

    /// Votes for the sender if the term's vote is free and the sender's log has all that could be
    /// committed (thesis 3.4, 3.6.1).
    pub(super) fn on_vote(&mut self, from: Member, last: EntryId, transfer: bool) {
        let is_free = match (&self.role, self.vote) {
            (_, Some(vote)) => vote == from.id,
            (Role::Follower(following), None) => following.leader.is_none(),
            (Role::PreCandidate(_), None) => true,
            (Role::Candidate(_) | Role::Leader(_), None) => false,
        };
        // The term may have come from elsewhere than from a leader: that one may still be relied
        // on.
        let is_sticky = self.is_sticky() && !transfer && self.vote.is_none();
        let granted = is_free && !is_sticky && self.log.is_covered_by(last) && !self.is_repairing();
        if granted {
            if self.vote.is_none() {
                self.vote = Some(from.id);
                self.hard_state_changed();
                self.follow(None);
            }
            self.reset_election_timer();
        }
        let needs = self.present();
        self.send(from, &Message::VoteReply { granted }, needs);
    }

    /// Takes a vote.
    pub(super) fn on_vote_reply(&mut self, from: Member, granted: bool) {
        if let Role::Candidate(ballot) = &mut self.role {
            ballot.note(from.id, granted);
            self.count_votes();
        }
    }

    /// Passes to a later term, in which it has not voted yet.
    pub(super) fn enter_term(&mut self, term: Term) {
        self.term = term;
        self.vote = None;
        self.outbox.forget_held();
        self.hard_state_changed();
    }

    /// Ceases to be anything but a follower, of this leader if one is known (thesis 3.3).
    pub(super) fn follow(&mut self, leader: Option<Member>) {
        if let Role::Leader(leadership) = &mut self.role {
            leadership.reads.refuse(&mut self.reads_done);
            // It has slept through its own election timeout.
            self.reset_election_timer();
        }
        self.compares_anew();
        self.role = Role::Follower(Following {
            leader,
            ..Following::default()
        });
    }

    /// Begins to lead with an entry of its own term: only such an entry commits what is before it
    /// (thesis 3.6.2, 6.4).
    fn lead(&mut self) {
        let (me, now) = (self.settings.id, self.now);
        let members = self.history.in_force().members();
        let peers = members.filter(|member| member.id != me);
        let next = self.last().next();
        let peers = peers.map(|member| Peer::new(*member, next, now)).collect();
        let uncommitted = self.log.behind(self.commit, usize::MAX, usize::MAX);
        self.receiving = None;
        self.role = Role::Leader(Box::new(Leadership {
            first: next,
            peers,
            heartbeat_at: now,
            reads: Reads::default(),
            transfer: None,
            given_up: None,
            uncommitted_bytes: uncommitted.map_or(0, bytes),
        }));
        let (nothing, unknown) = (Bytes::new(), KnownSum::default());
        self.append(self.last_stamp(), EntryKind::Noop, nothing, unknown);
        self.tick_leader();
    }

    /// A leader's part of `tick`: shows itself to the others, and gives up where too few of them
    /// answer (thesis 3.4, 6.2).
    pub(super) fn tick_leader(&mut self) {
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        if leadership.peers.is_empty() {
            return;
        }
        if self.now >= leadership.heartbeat_at {
            leadership.heartbeat_at = self.now + self.settings.heartbeat();
            self.begin_round(true);
            self.send_heartbeats(true);
        }
        if self.leads_until(self.in_force()) <= self.now {
            self.follow(None);
            return;
        }
        self.transfer_on();
        self.membership_committed();
    }

    /// When a leader has last heard of a member, itself included.
    fn heard_of(&self, id: NodeId) -> Mono {
        if !self.is_leader() || id == self.settings.id {
            return self.now;
        }
        self.peer_by_id(id).map_or(Mono(0), |peer| peer.heard)
    }

    /// Until when a leader may lead these members, if it hears of none of them again (thesis 6.2).
    fn leads_until(&self, membership: &Membership) -> Mono {
        let heard = membership.reached(&|id| self.heard_of(id).0);
        Mono(heard) + self.settings.election_max()
    }

    /// A voter that is silent, where too few others would answer for this leader to lead with such
    /// a membership.
    ///
    /// A leader gives those an election timeout who have not answered it yet, or nobody could
    /// begin to lead. A change has no such haste: a leader that has only begun to lead does not
    /// know who is dead.
    pub(super) fn missed(&self, membership: &Membership) -> Option<NodeId> {
        let answered = |id: NodeId| match self.peer_by_id(id) {
            Some(peer) if !peer.has_answered => Mono(0),
            _ => self.heard_of(id),
        };
        let (now, patience) = (self.now, self.settings.election_max());
        let is_silent = |id: &NodeId| answered(*id) + patience <= now;
        let mut voters = membership.voters();
        let silent = voters.find(|id| membership.stays_voter(*id) && is_silent(id));
        let reached = Mono(membership.reached(&|id| answered(id).0));
        silent.filter(|_| reached + patience <= now)
    }

    pub(super) fn leader_deadline(&self, leadership: &Leadership) -> Option<Mono> {
        if leadership.peers.is_empty() {
            return None;
        }
        let deposed = self.leads_until(self.in_force());
        let due = deposed.min(leadership.heartbeat_at);
        Some(
            leadership
                .transfer
                .map_or(due, |transfer| due.min(transfer.until)),
        )
    }
}
