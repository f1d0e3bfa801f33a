//! The effect of a frame: which senders count, and what their terms mean (thesis 3.3).

use bytes::Bytes;

use crate::ids::{LogIndex, NodeId};
use crate::time::Mono;

use super::member::Raft;
use super::membership::Member;
use super::message::{Envelope, Message};
use super::role::{Following, Role};
use super::wire::{self, Frame, WireError};

impl Raft {
    /// Takes a peer's frame; what it has to keep of that it copies.
    pub fn step(&mut self, now: Mono, from: NodeId, frame: &[u8]) -> Result<(), WireError> {
        self.step_frame(now, from, Frame::Copied(frame))
    }

    /// Takes a peer's frame; entries go on sharing its memory. An error says why nothing was done.
    pub fn step_shared(&mut self, now: Mono, from: NodeId, frame: &Bytes) -> Result<(), WireError> {
        self.step_frame(now, from, Frame::Shared(frame))
    }

    fn step_frame(&mut self, now: Mono, from: NodeId, frame: Frame<'_>) -> Result<(), WireError> {
        let (envelope, message) = wire::decode_in(&mut self.spare_entries, frame)?;
        if envelope.cluster != self.settings.cluster {
            return Err(WireError::WrongCluster);
        }
        if envelope.to != self.settings.me() {
            return Err(WireError::WrongAddressee);
        }
        if envelope.from.id != from || from == self.settings.id {
            return Err(WireError::WrongSender);
        }
        self.now = self.now.max(now);
        if self.adopt_term(&envelope, &message) {
            self.take(envelope.from, message)
        } else {
            Ok(())
        }
    }

    /// Compares the sender's term with this member's, and steps down or ignores; returns true if
    /// the message is to be looked at.
    fn adopt_term(&mut self, envelope: &Envelope, message: &Message) -> bool {
        let Envelope { from, term, .. } = *envelope;
        // There would be no term left to campaign in.
        let is_last = term.0 >= u64::MAX >> 1;
        match message {
            // Both have their term in a field of its own, and a question disturbs nobody.
            Message::PreVote { .. } => return true,
            Message::PreVoteReply { .. } if term <= self.term => return true,
            // Whoever hears a leader does not let others disturb it (thesis 4.2.3).
            Message::Vote { transfer, .. } if term > self.term && self.is_sticky() && !transfer => {
                return false;
            }
            _ => {}
        }
        if term > self.term && !is_last {
            self.enter_term(term);
            self.follow(None);
        }
        if term < self.term {
            self.answer_late(from, message);
        }
        term == self.term
    }

    /// Tells a sender whose term is over that it is.
    fn answer_late(&mut self, to: Member, message: &Message) {
        let reply = match message {
            Message::Append(_)
            | Message::Part(_)
            | Message::Heartbeat { .. }
            | Message::SnapshotOffer { .. } => Message::HeartbeatReply {
                round: 0,
                received: LogIndex(0),
                durable: LogIndex(0),
                token: 0,
                is_strained: self.is_strained,
                contradicts: false,
            },
            Message::Vote { .. } => Message::VoteReply { granted: false },
            // A reply is owed no reply, and a pre-vote has its term in a field of its own.
            Message::PreVote { .. }
            | Message::PreVoteReply { .. }
            | Message::VoteReply { .. }
            | Message::Accepted { .. }
            | Message::Rejected { .. }
            | Message::PartReply { .. }
            | Message::HeartbeatReply { .. }
            | Message::Reminder { .. }
            | Message::TimeoutNow
            | Message::SnapshotChunk(_)
            | Message::ChunkReply { .. } => return,
        };
        self.send(to, &reply, self.term_seq);
    }

    /// Returns true if an answer of this sender counts: it is a member, in this life.
    fn counts(&self, from: Member) -> bool {
        self.history.in_force().get(from.id) == Some(&from)
    }

    /// Takes a message of the present term.
    fn take(&mut self, from: Member, message: Message) -> Result<(), WireError> {
        match message {
            Message::PreVote { prospective, last } => self.on_pre_vote(from, prospective, last),
            Message::Vote { last, transfer } => self.on_vote(from, last, transfer),
            Message::Append(mut append) => {
                // Nobody leads in a term with entries of a later one.
                if append.entries.last().is_some_and(|e| e.term > self.term) {
                    return Err(WireError::Contradiction);
                }
                self.hear_leader(from)?;
                let taken = self.on_append(from, &mut append);
                append.entries.clear();
                self.spare_entries = append.entries;
                return taken;
            }
            Message::Part(part) => {
                if part.term > self.term {
                    return Err(WireError::Contradiction);
                }
                self.hear_leader(from)?;
                return self.on_part(from, &part);
            }
            Message::Heartbeat {
                commit,
                round,
                echo,
                led_before,
            } => {
                self.hear_leader(from)?;
                self.learn_commit(commit);
                self.learn_freshness(echo, led_before);
                self.answer_round(from, round);
            }
            Message::Reminder { held, last } => {
                self.hear_leader(from)?;
                return self.on_reminder(from, held, last);
            }
            Message::TimeoutNow => {
                self.hear_leader(from)?;
                self.on_timeout_now();
            }
            Message::SnapshotOffer { id, membership } => {
                self.hear_leader(from)?;
                self.on_snapshot_offer(id, membership);
            }
            Message::SnapshotChunk(chunk) => {
                self.hear_leader(from)?;
                self.on_snapshot_chunk(chunk);
            }
            Message::PreVoteReply {
                prospective,
                granted,
            } => {
                if self.counts(from) {
                    self.on_pre_vote_reply(from, prospective, granted);
                }
            }
            Message::VoteReply { granted } => {
                if self.counts(from) {
                    self.on_vote_reply(from, granted);
                }
            }
            Message::Accepted { index } => {
                self.hear_peer(from);
                self.on_accepted(from, index);
            }
            Message::Rejected { at, hint } => {
                self.hear_peer(from);
                self.on_rejected(from, at, hint);
            }
            Message::PartReply { place, bytes } => {
                self.hear_peer(from);
                self.on_part_reply(from, place, bytes);
            }
            Message::HeartbeatReply {
                round,
                received,
                durable,
                token,
                is_strained,
                contradicts,
            } => {
                self.hear_peer(from);
                self.hear_of_strain(from, is_strained);
                self.hear_of_conflict(from, contradicts);
                self.on_heartbeat_reply(from, round, token, received, durable);
            }
            Message::ChunkReply { id, offset } => {
                self.hear_peer(from);
                self.on_chunk_reply(from, &id, offset);
            }
        }
        Ok(())
    }

    /// The sender leads in the present term; there can be no other (thesis 3.4).
    fn hear_leader(&mut self, from: Member) -> Result<(), WireError> {
        match &mut self.role {
            Role::Leader(_) => return Err(WireError::Contradiction),
            Role::Follower(Following {
                leader: Some(leader),
                ..
            }) if *leader != from => return Err(WireError::Contradiction),
            Role::Follower(Following {
                leader: Some(_), ..
            }) => {}
            Role::Follower(following) => following.leader = Some(from),
            Role::PreCandidate(_) | Role::Candidate(_) => self.follow(Some(from)),
        }
        self.heard = self.now;
        self.is_needed = false;
        self.put_off = 0;
        self.reset_election_timer();
        Ok(())
    }

    /// A member has answered this leader.
    fn hear_peer(&mut self, from: Member) {
        let now = self.now;
        if let Some(peer) = self.peer(from) {
            (peer.heard, peer.has_answered) = (now, true);
        }
    }
}
