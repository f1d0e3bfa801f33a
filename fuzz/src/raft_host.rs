//! One Raft member with a disk in memory, and what it must keep whatever it is told.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes as Payload;
use seedis::ids::{LogIndex, NodeId, Term};
use seedis::raft::message::{EntryId, Message};
use seedis::raft::{ChunkWanted, Member, Membership, Outgoing, Raft, Settings, wire};
use seedis::time::Mono;

use crate::bytes::Bytes;
use crate::frames::{self, Near};
use crate::raft_disk::{RaftDisk, Write};

const MS: u64 = 1_000_000;

/// A member and its surroundings.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) raft: Raft,
    settings: Settings,
    now: u64,
    disk: RaftDisk,
    writes: VecDeque<Write>,
    /// The last entry that was applied.
    applied: LogIndex,
    /// The term, vote and commit that this life has shown.
    shown: (Term, Option<NodeId>, LogIndex),
    /// The terms of committed entries, as this life has shown them.
    committed: BTreeMap<LogIndex, Term>,
    /// Votes that were spoken of, in all lives.
    votes: BTreeMap<Term, NodeId>,
    /// The latest term that was spoken of.
    spoken: Term,
    /// How many reads were asked for, and have an outcome.
    reads: (u64, u64),
    /// A state that is to be put in force.
    whole: Option<(EntryId, Membership)>,
}

impl Host {
    /// A voter among three, with any log that a disk could hold.
    pub(crate) fn new(bytes: &mut Bytes<'_>) -> Self {
        let founders = (1..4).map(frames::member).collect();
        let settings = Settings {
            id: NodeId(1),
            incarnation: frames::member(1).incarnation,
            cluster: frames::CLUSTER,
            seed: u64::from(bytes.byte()),
            append_entries: 3,
            append_bytes: 200,
            in_flight_appends: 2,
            in_flight_bytes: 300,
            uncommitted_bytes: 1000,
            pending_reads: 4,
            retained_bytes: 50 * bytes.below(8),
            fed_bytes: 100,
            chunk_bytes: 5,
            ..Settings::default()
        };
        let base = Term(u64::from(bytes.byte() % 4));
        let base = (LogIndex(base.0 * 3), base);
        let mut disk = RaftDisk {
            term: base.1,
            vote: None,
            commit: base.0,
            base,
            membership: Membership::of(founders).unwrap_or(Membership::alone(NodeId(1))),
            entries: Vec::new(),
        };
        let mut index = base.0;
        for _ in 0..bytes.below(5) {
            index = index.next();
            disk.term.0 += u64::from(bytes.byte() % 2);
            disk.entries.push(frames::entry(bytes, index, disk.term));
        }
        let now = 1000 * MS;
        Self {
            raft: Raft::new(settings, disk.restart(), Mono(now)),
            settings,
            now,
            writes: VecDeque::new(),
            applied: base.0,
            shown: (disk.term, None, base.0),
            committed: BTreeMap::new(),
            votes: BTreeMap::new(),
            spoken: Term(0),
            reads: (0, 0),
            whole: None,
            disk,
        }
    }

    pub(crate) fn me() -> Member {
        frames::member(1)
    }

    /// The numbers near which frames are drawn.
    pub(crate) fn near(&self) -> Near {
        let last = self.raft.last();
        let term = self.raft.term_of(last).unwrap_or_default();
        Near {
            term: self.raft.term().0,
            last: (last, term),
            commit: self.raft.commit().0,
        }
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now = self.now.saturating_add(ms.saturating_mul(MS));
        self.raft.tick(Mono(self.now));
        let _ = self.raft.deadline();
        let _ = self.raft.has_lease(Mono(self.now));
    }

    /// A frame arrives; what it says may be nonsense.
    pub(crate) fn hear(&mut self, from: NodeId, frame: &[u8]) {
        let before = (self.raft.last(), self.raft.commit());
        if self.raft.step(Mono(self.now), from, frame).is_err() {
            let after = (self.raft.last(), self.raft.commit());
            assert_eq!(after, before, "what is refused is not done");
        }
    }

    /// A frame arrives that is none.
    pub(crate) fn refuse(&mut self, from: NodeId, frame: &[u8]) {
        let before = format!("{:?}", self.raft);
        let answer = self.raft.step(Mono(self.now), from, frame);
        assert!(answer.is_err(), "garbage is refused");
        assert_eq!(format!("{:?}", self.raft), before, "and changes nothing");
    }

    /// Asks for a read.
    pub(crate) fn read(&mut self) {
        self.reads.0 += 1;
        self.raft.read(Mono(self.now), self.reads.0);
    }

    /// Gives what is new to the disk.
    pub(crate) fn hand_over(&mut self) {
        let Some(new) = self.raft.unpersisted() else {
            return;
        };
        self.writes.push_back(Write::of(&new));
        assert!(self.raft.unpersisted().is_none(), "handed over once");
    }

    /// The disk has done some of what it was given, and a state if there is one.
    pub(crate) fn sync(&mut self, bytes: &mut Bytes<'_>) {
        let count = bytes.byte() as usize % (self.writes.len() + 1);
        let done: Vec<Write> = self.writes.drain(..count).collect();
        let seq = done.last().map(|write| write.seq);
        for write in done {
            self.disk.take(write);
        }
        if let Some(seq) = seq {
            self.raft.persisted(seq);
        }
        if self.writes.is_empty()
            && let Some((base, membership)) = self.whole.take()
        {
            self.install(base, membership);
        }
    }

    fn install(&mut self, base: EntryId, membership: Membership) {
        let follows = self.raft.term_of(base.0) == Some(base.1);
        if !self.raft.installed(base, membership.clone()) {
            return;
        }
        self.disk.rebase(base, membership, follows);
        self.applied = base.0;
    }

    /// Applies what is committed, once what was handed over is known.
    pub(crate) fn apply(&mut self) {
        self.hand_over();
        while let Some(entry) = self.raft.next_committed() {
            assert_eq!(entry.index, self.applied.next(), "each once, in order");
            self.applied = entry.index;
        }
    }

    /// The process dies with what was not synced, and comes back.
    pub(crate) fn crash(&mut self, bytes: &mut Bytes<'_>) {
        for _ in 0..bytes.byte() as usize % (self.writes.len() + 1) {
            if let Some(write) = self.writes.pop_front() {
                self.disk.take(write);
            }
        }
        self.writes.clear();
        self.whole = None;
        self.settings.seed += 1;
        self.raft = Raft::new(self.settings, self.disk.restart(), Mono(self.now));
        self.applied = self.disk.base.0;
        self.shown = (self.disk.term, self.disk.vote, self.disk.base.0);
        self.committed.clear();
        self.reads = (0, 0);
    }

    /// The owner's base reaches as far as what is applied and durable.
    pub(crate) fn compact(&mut self) {
        let index = self.applied;
        let term = self.raft.term_of(index);
        if let Some(term) = term.filter(|term| self.disk.term_at(index) == Some(*term))
            && self.whole.is_none()
        {
            let membership = self.raft.membership().clone();
            self.disk.rebase((index, term), membership, true);
            self.raft.compacted(index, term);
        }
    }

    /// Offers states to those who wait for one, fit or not.
    pub(crate) fn supply(&mut self, bytes: &mut Bytes<'_>) {
        let wanted: Vec<_> = self.raft.snapshots_wanted().collect();
        for wanted in wanted {
            let mut id = frames::snapshot_id(bytes, self.near());
            if bytes.below(4) != 0 {
                let term = self.raft.term_of(self.applied).unwrap_or_default();
                (id.base, id.bytes) = ((self.applied, term), 7);
            }
            let membership = self.raft.membership().clone();
            let _ = self.raft.supply(wanted.to, id, membership);
        }
    }

    /// Reads the pieces that are wanted, or fails to.
    pub(crate) fn give_chunks(&mut self, bytes: &mut Bytes<'_>) {
        while let Some(wanted) = self.raft.chunk_wanted() {
            let ChunkWanted { id, offset, .. } = wanted;
            assert!(wanted.bytes > 0 && wanted.bytes <= self.settings.chunk_bytes);
            assert!(offset < id.bytes && wanted.bytes as u64 <= id.bytes - offset);
            if bytes.below(8) == 7 {
                self.raft.snapshot_lost(&id);
            } else {
                let data = Payload::from(vec![b's'; wanted.bytes]);
                self.raft.chunk(&wanted, data);
            }
        }
    }

    /// Keeps the pieces that came; a whole state is put in force, later, or refused.
    pub(crate) fn keep_chunks(&mut self, bytes: &mut Bytes<'_>) {
        while let Some(chunk) = self.raft.received_chunk() {
            let end = chunk.offset + chunk.data.len() as u64;
            assert!(end <= chunk.id.bytes, "a piece beyond the end");
            let Some(membership) = chunk.whole else {
                continue;
            };
            assert_eq!(end, chunk.id.bytes, "whole with its last piece");
            // A state's term is in its header, and an owner knows what it could have applied.
            let base = chunk.id.base;
            let possible = base.0.0 < 1 << 40 && base.1 <= self.raft.term();
            if !possible || bytes.below(4) == 3 {
                self.raft.snapshot_refused();
            } else {
                self.hand_over();
                self.whole = Some((base, membership));
            }
        }
    }

    /// Sends what may be sent, and asks what of it is true.
    pub(crate) fn speak(&mut self) {
        let (mut out, mut done) = (Vec::new(), Vec::new());
        self.raft.messages(&mut out);
        for outgoing in out {
            self.check_spoken(outgoing);
        }
        self.raft.ready_reads(&mut done);
        self.reads.1 += done.len() as u64;
        assert!(self.reads.1 <= self.reads.0, "a read has one outcome");
    }

    fn check_spoken(&mut self, outgoing: Outgoing) {
        let (envelope, message) =
            wire::decode(&outgoing.frame.into()).unwrap_or_else(|e| panic!("it sends {e:?}"));
        assert_eq!(envelope.to.id, outgoing.to);
        assert_eq!(envelope.from, Self::me());
        assert!(envelope.term >= self.spoken, "an older term than before");
        self.spoken = envelope.term;
        assert!(self.disk.term >= envelope.term, "the term is not durable");
        let me = Self::me().id;
        let mut voted = |candidate| {
            let durable = self.disk.term > envelope.term || self.disk.vote == Some(candidate);
            assert!(durable, "the vote is not durable");
            let first = *self.votes.entry(envelope.term).or_insert(candidate);
            assert_eq!(first, candidate, "one vote per term");
        };
        match message {
            Message::Vote { .. } => voted(me),
            Message::VoteReply { granted: true } => voted(envelope.to.id),
            Message::Accepted { index } | Message::HeartbeatReply { durable: index, .. } => {
                let own = self.raft.term_of(index);
                let durable = self.disk.term_at(index);
                let known = index <= self.disk.base.0 || durable.is_some();
                assert!(known && (own.is_none() || durable.is_none() || own == durable));
            }
            _ => {}
        }
    }

    /// The rules that hold after every event.
    pub(crate) fn check(&mut self) {
        let raft = &self.raft;
        let (term, vote, commit) = self.shown;
        assert!(raft.term() >= term, "terms only grow");
        assert!(raft.commit() >= commit, "the commit index only grows");
        let same = raft.term() > term || vote.is_none() || raft.vote() == vote;
        assert!(same, "a vote is given once");
        self.shown = (raft.term(), raft.vote(), raft.commit());
        assert!(self.applied <= raft.commit() && raft.commit() <= raft.last());
        for index in self.applied.0..=raft.commit().0.min(self.applied.0 + 20) {
            let index = LogIndex(index);
            if let Some(term) = raft.term_of(index) {
                let known = *self.committed.entry(index).or_insert(term);
                assert_eq!(known, term, "what is committed stays");
            }
        }
        for (index, known) in self.committed.iter().rev().take(20) {
            let term = raft.term_of(*index);
            assert!(term.is_none_or(|term| term == *known), "committed stays");
        }
    }
}
