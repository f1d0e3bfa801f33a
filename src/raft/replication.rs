//! A leader's part in replication: what it sends, what it hears, and when an entry is committed
//! (thesis 3.5, 3.6.2, 10.2.1).

use bytes::Bytes;

use crate::ids::{LogIndex, NodeId, PersistSeq};
use crate::time::Stamp;

use super::entry::{EntryKind, KnownSum, bytes};
use super::log::TermAt;
use super::member::Raft;
use super::membership::Member;
use super::message::{Class, EntryId, Envelope, Message, Part};
use super::part::Piece;
use super::progress::{Progress, Want};
use super::role::{Leadership, Role};
use super::settings::Refused;
use super::wire;

impl Raft {
    /// Appends an entry to the log, where this member leads (thesis 3.5).
    pub fn propose(&mut self, stamp: Stamp, payload: Bytes) -> Result<LogIndex, Refused> {
        self.propose_summed(stamp, payload, KnownSum::default())
    }

    /// The same, where the sum of the payload may be known.
    pub fn propose_summed(
        &mut self,
        stamp: Stamp,
        payload: Bytes,
        known: KnownSum,
    ) -> Result<LogIndex, Refused> {
        let Role::Leader(leadership) = &self.role else {
            let leader = self.leader();
            return Err(Refused::NotLeader { leader });
        };
        if u32::try_from(payload.len()).is_err() {
            return Err(Refused::TooLong);
        }
        if leadership.transfer.is_some() {
            return Err(Refused::Transferring);
        }
        if leadership.uncommitted_bytes >= self.settings.uncommitted_bytes {
            return Err(Refused::Full);
        }
        Ok(self.append(stamp, EntryKind::Normal, payload, known))
    }

    /// Appends an entry of this leader.
    pub(super) fn append(
        &mut self,
        stamp: Stamp,
        kind: EntryKind,
        payload: Bytes,
        known: KnownSum,
    ) -> LogIndex {
        let index = self.log.append(self.term, stamp, kind, payload, known);
        if let (Role::Leader(leadership), Some(entry)) = (&mut self.role, self.log.get(index)) {
            leadership.uncommitted_bytes += entry.encoded_bytes();
        }
        index
    }

    /// Sends every member what it lacks, within the limits of what may be on its way. It waits for
    /// no disk, its own included (thesis 10.2.1).
    pub(super) fn replicate(&mut self) {
        let Self {
            role: Role::Leader(leadership),
            log,
            outbox,
            settings,
            ..
        } = self
        else {
            return;
        };
        let Leadership { peers, reads, .. } = &mut **leadership;
        for peer in peers {
            let envelope = Envelope {
                cluster: settings.cluster,
                from: settings.me(),
                to: peer.member,
                term: self.term,
            };
            loop {
                let (round, commit) = (reads.round, self.commit);
                let frame = match peer.next_append(log, settings, self.now) {
                    Want::Nothing => break,
                    Want::Append(prev, entries) => {
                        let buffer = outbox.buffer();
                        wire::encode_append(buffer, &envelope, prev, commit, round, entries)
                    }
                    Want::Part(prev, entry, Piece { offset, end }) => {
                        let part = Part {
                            prev,
                            commit,
                            round,
                            term: entry.term,
                            stamp: entry.stamp,
                            length: entry.payload.len() as u64,
                            offset: offset as u64,
                            data: entry.payload.slice(offset..end),
                        };
                        wire::encode_in(outbox.buffer(), &envelope, &Message::Part(part))
                    }
                };
                peer.told = round;
                outbox.send(peer.member.id, Class::Append, frame);
            }
        }
        self.send_heartbeats(false);
    }

    /// Shows members that this one leads, and how far the log is committed: all of them, or those
    /// that no append has told of the latest round.
    pub(super) fn send_heartbeats(&mut self, all: bool) {
        let led_before = self.led_before();
        let Self {
            role: Role::Leader(leadership),
            outbox,
            settings,
            ..
        } = self
        else {
            return;
        };
        let round = leadership.reads.round;
        for peer in &mut leadership.peers {
            if !all && peer.told == round {
                continue;
            }
            peer.told = round;
            peer.told_commit = peer.told_commit.max(self.commit.min(peer.matched));
            let envelope = Envelope {
                cluster: settings.cluster,
                from: settings.me(),
                to: peer.member,
                term: self.term,
            };
            let commit = self.commit;
            let message = Message::Heartbeat {
                commit,
                round,
                echo: peer.token,
                led_before,
            };
            let frame = wire::encode_in(outbox.buffer(), &envelope, &message);
            outbox.send(peer.member.id, Class::Control, frame);
        }
    }

    /// A member has all up to an index, durably.
    pub(super) fn on_accepted(&mut self, from: Member, index: LogIndex) {
        if index > self.last() {
            // It speaks of a log that is not this one.
            self.claims_too_much(from, index);
            return;
        }
        let (now, floor, commit) = (self.now, self.log.base().0, self.commit);
        let entry = self.log.get(index);
        let is_small = entry.is_some_and(|entry| !self.settings.is_large(entry));
        if let Some(peer) = self.peer(from) {
            if index <= peer.beyond && peer.beyond > LogIndex(0) {
                return;
            }
            peer.beyond = LogIndex(0);
            let was_sought = matches!(peer.progress, Progress::Probe { .. });
            peer.accepted(index, floor, commit, now);
            if was_sought && is_small && peer.matched == index {
                peer.compare_once();
            }
            self.advance_commit();
            self.transfer_on();
        }
    }

    /// A member lacks the place before what it was sent: the last place that both may have is
    /// sought by terms, from both sides (thesis 3.5).
    pub(super) fn on_rejected(&mut self, from: Member, at: LogIndex, hint: EntryId) {
        let now = self.now;
        let (agreed, _) = self.log.last_not_after(hint.0.min(at), hint.1);
        if let Some(peer) = self.peer(from) {
            peer.rejected(at, agreed, now);
            self.remind(from, agreed);
        }
    }

    /// A member follows this leader still.
    pub(super) fn on_heartbeat_reply(
        &mut self,
        from: Member,
        round: u64,
        token: u64,
        received: LogIndex,
        durable: LogIndex,
    ) {
        let (now, settings) = (self.now, self.settings);
        let received = received.min(self.last());
        if let Some(peer) = self.peer(from) {
            (peer.round, peer.token) = (peer.round.max(round), token);
            peer.heartbeat_answered(received, &settings, now);
            if durable > peer.matched {
                self.on_accepted(from, durable);
            }
            self.close_rounds();
            self.remind(from, received);
        }
    }

    /// This leader's knowledge of a member; `None` if this is not the leader, or the member is
    /// unknown.
    pub(super) fn peer(&mut self, member: Member) -> Option<&mut super::progress::Peer> {
        let Role::Leader(leadership) = &mut self.role else {
            return None;
        };
        leadership
            .peers
            .iter_mut()
            .find(|peer| peer.member == member)
    }

    /// This leader's knowledge of the member with this number; `None` if this is not the leader.
    pub(super) fn peer_by_id(&self, id: NodeId) -> Option<&super::progress::Peer> {
        let Role::Leader(leadership) = &self.role else {
            return None;
        };
        leadership.peers.iter().find(|peer| peer.member.id == id)
    }

    /// Commits what a quorum holds durably, if it is of the own term: the only place where a
    /// leader's commit index moves (thesis 3.6.2, figure 3.7). The leader is one voice among
    /// others, and may be the last to have it on its disk (thesis 10.2.1).
    pub(super) fn advance_commit(&mut self) {
        let Role::Leader(leadership) = &mut self.role else {
            return;
        };
        let (me, durable) = (self.settings.id, self.log.durable());
        let peers = &leadership.peers;
        let held = |id| {
            if id == me {
                return durable.0;
            }
            let peer = peers.iter().find(|peer| peer.member.id == id);
            peer.map_or(0, |peer| peer.matched.0)
        };
        let quorum = LogIndex(self.history.in_force().reached(&held));
        if quorum <= self.commit || self.log.term_at(quorum) != TermAt::Known(self.term) {
            return;
        }
        let count = (quorum.0 - self.commit.0) as usize;
        let committed = self.log.behind(self.commit, count, usize::MAX);
        let committed = committed.unwrap_or_default();
        leadership.uncommitted_bytes -= bytes(committed);
        self.commit = quorum;
        debug_assert_eq!(
            leadership.uncommitted_bytes,
            self.log
                .behind(quorum, usize::MAX, usize::MAX)
                .map_or(0, bytes)
        );
        self.membership_committed();
        self.transfer_on();
    }

    /// Returns true if this leader has committed an entry of its own term: before that it does not
    /// know what is committed (thesis 6.4).
    pub(super) fn has_committed_own_term(&self) -> bool {
        matches!(&self.role, Role::Leader(leadership) if self.commit >= leadership.first)
    }

    /// All hand-overs up to this one are durable as the policy wants it.
    pub fn persisted(&mut self, seq: PersistSeq) {
        self.persisted = self.persisted.max(seq.min(self.seq));
        self.log.persisted(self.persisted);
        self.outbox.persisted(self.persisted);
        self.pay();
        match &self.role {
            Role::Leader(_) => self.advance_commit(),
            Role::Candidate(_) => self.own_vote_counts(),
            Role::Follower(_) => self.answer_append(),
            Role::PreCandidate(_) => {}
        }
    }
}
