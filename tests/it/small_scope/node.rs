//! One member of the small scope: a real core, known by what has happened to it.
//!
//! A core is no value that can be copied or compared. So a member is the disk that it started from
//! and its inputs since; each step plays them again. Two members are the same if the core's `Debug`
//! output is, without what no later event can tell apart: the clock, and how often a timeout was
//! drawn or something handed over.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use seedis::ids::{ClusterId, Incarnation, LogIndex, NodeId, PersistSeq, Term};
use seedis::raft::{
    Entry, EntryKind, KnownSum, Member, Membership, Outgoing, Raft, Restart, RoleName, Settings,
    Unpersisted,
};
use seedis::time::{Mono, Stamp};

pub(crate) const ELECTION_MS: u64 = 100;

/// An input of a member.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// Its time has come.
    Tick,
    Frame(NodeId, Arc<[u8]>),
    /// All that was handed over is durable.
    Persisted,
    Propose(u64),
}

/// The data that is on a disk for certain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Disk {
    pub(crate) term: u64,
    pub(crate) vote: Option<u64>,
    pub(crate) commit: u64,
    /// Term and payload of each entry from index 1 on.
    pub(crate) entries: Vec<Slot>,
}

/// An entry: its term, and what it says.
pub(crate) type Slot = (u64, Vec<u8>);

/// A frame on its way: from, to, bytes.
pub(crate) type Flight = (u64, u64, Arc<[u8]>);

/// A member between two events.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    id: u64,
    began: Arc<Disk>,
    inputs: Vec<Input>,
    pub(crate) disk: Disk,
    /// The disk once all that was handed over is durable.
    pub(crate) written: Disk,
    pub(crate) shown: Shown,
    print: u64,
}

/// The visible state of a member.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) term: u64,
    pub(crate) role: RoleName,
    pub(crate) commit: u64,
    pub(crate) log: Vec<Slot>,
}

pub(crate) fn member(id: u64) -> Member {
    Member {
        id: NodeId(id),
        incarnation: Incarnation(id),
    }
}

impl Disk {
    pub(crate) const EMPTY: Self = Self {
        term: 0,
        vote: None,
        commit: 0,
        entries: Vec::new(),
    };

    fn restart(&self) -> Restart {
        let entry = |(at, (term, payload)): (usize, &Slot)| Entry {
            term: Term(*term),
            index: LogIndex(at as u64 + 1),
            stamp: Stamp(0),
            kind: if payload.is_empty() {
                EntryKind::Noop
            } else {
                EntryKind::Normal
            },
            payload: Bytes::copy_from_slice(payload),
            known: KnownSum::default(),
        };
        Restart {
            term: Term(self.term),
            vote: self.vote.map(NodeId),
            commit: LogIndex(self.commit),
            base: (LogIndex(0), Term(0)),
            membership: Membership::of((1..4).map(member).collect()).unwrap(),
            tail: self.entries.iter().enumerate().map(entry).collect(),
            restate: false,
            owes: None,
        }
    }

    /// Term and index of the last entry, to be compared as logs are.
    pub(crate) fn last(&self) -> (u64, usize) {
        let term = self.entries.last().map_or(0, |(term, _)| *term);
        (term, self.entries.len())
    }
}

impl Node {
    /// A member that starts from a disk.
    pub(crate) fn start(id: u64, disk: Disk) -> Self {
        Self::played(id, Arc::new(disk), Vec::new()).0
    }

    /// The same disk, and all else forgotten.
    pub(crate) fn crashed(&self) -> Self {
        Self::start(self.id, self.disk.clone())
    }

    /// The member after one more event, and what it sends.
    pub(crate) fn after(&self, input: Input) -> (Self, Vec<Flight>) {
        let mut inputs = self.inputs.clone();
        inputs.push(input);
        Self::played(self.id, Arc::clone(&self.began), inputs)
    }

    pub(crate) fn has_unsynced(&self) -> bool {
        self.disk != self.written
    }

    /// A member after all its inputs, and what the last one makes it send.
    fn played(id: u64, began: Arc<Disk>, inputs: Vec<Input>) -> (Self, Vec<Flight>) {
        let settings = Settings {
            id: NodeId(id),
            incarnation: Incarnation(id),
            cluster: ClusterId(7),
            election_ms_min: ELECTION_MS,
            election_ms_max: ELECTION_MS,
            heartbeat_ms: ELECTION_MS / 4,
            append_entries: 1,
            in_flight_appends: 2,
            ..Settings::default()
        };
        let mut now = Mono::from_millis(1000);
        let mut raft = Raft::new(settings, began.restart(), now);
        let (mut out, mut seq) = (Vec::new(), PersistSeq(0));
        let (mut disk, mut written) = (Disk::clone(&began), Disk::clone(&began));
        for input in &inputs {
            out.clear();
            // So long after the last event that nobody relies on anybody; a leader that has just
            // heard of somebody is not deposed yet.
            now.0 += ELECTION_MS * 1_000_000 - u64::from(raft.is_leader());
            match input {
                Input::Tick => raft.tick(now),
                Input::Frame(from, frame) => {
                    let _ = raft.step(now, *from, frame);
                }
                Input::Persisted => {
                    disk = written.clone();
                    raft.persisted(seq);
                }
                Input::Propose(value) => {
                    let payload = Bytes::copy_from_slice(&value.to_le_bytes());
                    let _ = raft.propose(Stamp(0), payload);
                }
            }
            while let Some(new) = raft.unpersisted() {
                seq = new.seq;
                written.take(&new);
            }
            while raft.next_committed().is_some() {}
            raft.messages(&mut out);
        }
        let flight = |out: Outgoing| (id, out.to.0, Arc::from(out.frame));
        let log = raft.entries_after(LogIndex(0));
        let shown = Shown {
            term: raft.term().0,
            role: raft.role(),
            commit: raft.commit().0,
            log: log.map(|e| (e.term.0, e.payload.to_vec())).collect(),
        };
        let node = Self {
            id,
            print: print(&raft, now),
            began,
            inputs,
            disk,
            written,
            shown,
        };
        (node, out.into_iter().map(flight).collect())
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        (self.print, &self.disk, &self.written) == (other.print, &other.disk, &other.written)
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.print, &self.disk, &self.written).hash(state);
    }
}

/// The core's `Debug` output, hashed: times as far as a leader's next event sees them, the numbers
/// of hand-overs from the last one back.
fn print(raft: &Raft, now: Mono) -> u64 {
    let text = format!("{raft:?}");
    let (_, text) = text.split_once(", now: ").unwrap();
    let (text, _) = text.rsplit_once(", draws: ").unwrap();
    let number = |text: &str| -> u64 {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        text[..digits].parse().unwrap_or(0)
    };
    let (_, seq) = text.split_once(", seq: PersistSeq(").unwrap();
    let seq = number(seq);
    let mut hasher = DefaultHasher::new();
    for (at, piece) in text.split('(').enumerate() {
        let before = text_before(text, piece);
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        if at > 0 && before.ends_with("Mono(") {
            let age = now.0.saturating_sub(number(piece));
            let age = age.min(ELECTION_MS * 1_000_000);
            (if raft.is_leader() { age } else { 0 }, rest).hash(&mut hasher);
        } else if at > 0 && before.ends_with("PersistSeq(") {
            (seq.wrapping_sub(number(piece)), rest).hash(&mut hasher);
        } else {
            piece.hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn text_before<'a>(text: &'a str, piece: &str) -> &'a str {
    &text[..piece.as_ptr() as usize - text.as_ptr() as usize]
}

impl Disk {
    fn take(&mut self, new: &Unpersisted<'_>) {
        self.term = new.term.0;
        self.vote = new.vote.map(|vote| vote.0);
        self.commit = new.commit.0;
        for entry in new.entries {
            self.entries.truncate(entry.index.0 as usize - 1);
            self.entries.push((entry.term.0, entry.payload.to_vec()));
        }
    }
}
