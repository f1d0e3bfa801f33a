//! Agreement: terms, votes, the log and its commit; knows bytes and indexes, not Redis.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;
use crc64fast::Digest;

use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, PersistSeq, Term};
use crate::time::{Mono, Stamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Noop,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub term: Term,
    pub index: LogIndex,
    pub stamp: Stamp,
    pub kind: Kind,
    pub payload: Bytes,
}

#[derive(Debug)]
pub struct Corrupt;

impl Entry {
    pub fn encode(&self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(&self.term.0.to_le_bytes());
        out.extend_from_slice(&self.index.0.to_le_bytes());
        out.extend_from_slice(&self.stamp.0.to_le_bytes());
        out.extend_from_slice(&(self.payload.len() as u32).to_le_bytes());
        out.push(u8::from(self.kind == Kind::Noop));
        out.extend_from_slice(&self.payload);
        let mut d = Digest::new();
        d.write(&out[from..]);
        out.extend_from_slice(&d.sum64().to_le_bytes());
    }
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, Corrupt> {
        let n = |at: usize| -> Result<u64, Corrupt> {
            Ok(u64::from_le_bytes(
                bytes
                    .get(at..at + 8)
                    .ok_or(Corrupt)?
                    .try_into()
                    .map_err(|_| Corrupt)?,
            ))
        };
        let len = u32::from_le_bytes(
            bytes
                .get(24..28)
                .ok_or(Corrupt)?
                .try_into()
                .map_err(|_| Corrupt)?,
        ) as usize;
        let kind = if *bytes.get(28).ok_or(Corrupt)? == 1 {
            Kind::Noop
        } else {
            Kind::Normal
        };
        let payload = bytes.get(29..29 + len).ok_or(Corrupt)?;
        let mut d = Digest::new();
        d.write(&bytes[..29 + len]);
        if n(29 + len)? != d.sum64() {
            return Err(Corrupt);
        }
        let e = Self {
            term: Term(n(0)?),
            index: LogIndex(n(8)?),
            stamp: Stamp(n(16)?),
            kind,
            payload: Bytes::copy_from_slice(payload),
        };
        *bytes = &bytes[37 + len..];
        Ok(e)
    }
    pub fn membership(&self) -> Option<Membership> {
        None
    }
}

#[derive(Clone, Debug)]
pub struct Membership(NodeId);
impl Membership {
    pub fn alone(id: NodeId) -> Self {
        Self(id)
    }
    pub fn encode(&self) -> Vec<u8> {
        self.0.0.to_le_bytes().to_vec()
    }
    pub fn decode(b: &[u8]) -> Result<Self, Corrupt> {
        Ok(Self(NodeId(u64::from_le_bytes(
            b.try_into().map_err(|_| Corrupt)?,
        ))))
    }
}
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub id: NodeId,
    pub incarnation: Incarnation,
    pub cluster: ClusterId,
    pub seed: u64,
}
#[derive(Debug)]
pub struct Restart {
    pub term: Term,
    pub vote: Option<NodeId>,
    pub commit: LogIndex,
    pub base: (LogIndex, Term),
    pub membership: Membership,
    pub tail: Vec<Entry>,
}
#[derive(Debug)]
pub enum Refused {
    NotLeader { leader: Option<NodeId> },
    Full,
}
#[derive(Debug)]
pub struct Unpersisted<'a> {
    pub seq: PersistSeq,
    pub term: Term,
    pub vote: Option<NodeId>,
    pub commit: LogIndex,
    pub must_sync: bool,
    pub entries: &'a [Entry],
}
#[derive(Debug)]
pub struct Raft {
    id: NodeId,
    term: Term,
    base: (LogIndex, Term),
    membership: Membership,
    log: VecDeque<Entry>,
    handed: LogIndex,
    seq: PersistSeq,
    seqs: VecDeque<(PersistSeq, LogIndex)>,
    commit: LogIndex,
    applied: LogIndex,
    new_term: bool,
    leader: bool,
}
impl Raft {
    pub fn new(s: Settings, r: Restart, _now: Mono) -> Self {
        let mut log: VecDeque<Entry> = r.tail.into();
        let last = log.back().map_or(r.base.0, |e| e.index);
        let term = r.term.next();
        log.push_back(Entry {
            term,
            index: last.next(),
            stamp: log.back().map_or(Stamp(0), |e| e.stamp),
            kind: Kind::Noop,
            payload: Bytes::new(),
        });
        Self {
            id: s.id,
            term,
            base: r.base,
            membership: r.membership,
            handed: last,
            log,
            seq: PersistSeq(0),
            seqs: VecDeque::new(),
            commit: r.commit,
            applied: r.base.0,
            new_term: true,
            leader: true,
        }
    }
    pub fn tick(&mut self, _now: Mono) {}
    pub fn deadline(&self) -> Option<Mono> {
        None
    }
    pub fn step(&mut self, _now: Mono, _from: NodeId, _frame: &[u8]) -> Result<(), Corrupt> {
        Err(Corrupt)
    }
    pub fn propose(&mut self, stamp: Stamp, payload: Bytes) -> Result<LogIndex, Refused> {
        let index = self.last().next();
        self.log.push_back(Entry {
            term: self.term,
            index,
            stamp,
            kind: Kind::Normal,
            payload,
        });
        Ok(index)
    }
    pub fn unpersisted(&mut self) -> Option<Unpersisted<'_>> {
        let last = self.last();
        if last == self.handed {
            return None;
        }
        let from = (self.handed.0 - self.base.0.0) as usize;
        self.handed = last;
        self.seq = self.seq.next();
        self.seqs.push_back((self.seq, last));
        let must_sync = core::mem::take(&mut self.new_term);
        let (term, commit, seq, id) = (self.term, self.commit, self.seq, self.id);
        Some(Unpersisted {
            seq,
            term,
            vote: Some(id),
            commit,
            must_sync,
            entries: &self.log.make_contiguous()[from..],
        })
    }
    pub fn persisted(&mut self, seq: PersistSeq) {
        while let Some((_, last)) = self.seqs.pop_front_if(|(s, _)| *s <= seq) {
            self.commit = last;
        }
    }
    pub fn next_committed(&mut self) -> Option<Entry> {
        if self.applied >= self.commit {
            return None;
        }
        let e = self.log.pop_front()?;
        self.base = (e.index, e.term);
        self.applied = e.index;
        Some(e)
    }
    pub fn last(&self) -> LogIndex {
        self.log.back().map_or(self.base.0, |e| e.index)
    }
    pub fn is_leader(&self) -> bool {
        self.leader
    }
    pub fn term(&self) -> Term {
        self.term
    }
    pub fn vote(&self) -> Option<NodeId> {
        Some(self.id)
    }
    pub fn commit(&self) -> LogIndex {
        self.commit
    }
    pub fn term_of(&self, i: LogIndex) -> Option<Term> {
        (i == self.base.0).then_some(self.base.1)
    }
    pub fn membership_at(&self, _i: LogIndex) -> &Membership {
        &self.membership
    }
    pub fn entries_after(&self, i: LogIndex) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(move |e| e.index > i)
    }
    pub fn compacted(&mut self, _i: LogIndex, _t: Term) {}
}
