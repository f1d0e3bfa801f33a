//! A look at a data directory that no server has open: what stands in it, and what is damaged.
//!
//! It reads as recovery does, with recovery's own code, and never asks for a change.

use alloc::string::String;
use alloc::vec::Vec;

use crate::aof::manifest::Manifest;
use crate::aof::{self, Event, Recovery};
use crate::disk::{DiskDone, DiskError, DiskOp, FileName};
use crate::ids::{LogIndex, NodeId, Term, Ticket};
use crate::limits::DATABASES;
use crate::node::config::Config;
use crate::node::replica::base::{BaseHead, Identity};
use crate::raft::{Entry, EntryKind, Membership};
use crate::store::{Store, Tables};

pub use crate::aof::Damage;

/// The contents of a data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The member that it belongs to; nothing where no manifest says so.
    pub member: Option<NodeId>,
    /// That member has others in its group, or had: what it has promised them must not be cut.
    pub grouped: bool,
    /// The entry at which the base stands, and the entry's term; nothing where there is no base.
    pub base: Option<(LogIndex, Term)>,
    /// Keys in the base.
    pub base_keys: u64,
    /// Records of the log that are whole and in order.
    pub records: u64,
    /// Entries in them.
    pub entries: u64,
    /// The first and the last of those.
    pub span: Option<(LogIndex, LogIndex)>,
    /// The last term.
    pub term: Term,
    /// The vote in it.
    pub vote: Option<NodeId>,
    /// Up to where the log knows itself to be committed.
    pub commit: LogIndex,
    /// The end of the log: the file, and the offset in bytes behind its last record.
    pub end: Option<(FileName, u64)>,
    /// Up to where the last record knew the log to be synced.
    pub synced: Option<(FileName, u64)>,
    /// The place where it is damaged or torn.
    pub damage: Option<Damage>,
    /// Why a server would refuse to start, in its words.
    pub refused: Option<String>,
    /// The disk could not be read, so that nothing is known of what it holds.
    pub unreadable: bool,
}

/// A look on its way.
#[derive(Debug)]
pub struct Inspection {
    recovery: Recovery,
    found: Found,
    store: Store,
    is_over: bool,
}

/// An operation that a look asks for.
pub type Asked = (Ticket, DiskOp);

impl Inspection {
    /// A look, and the first operation that it asks for.
    pub fn new() -> (Self, Option<Asked>) {
        let (recovery, asked) = reading();
        let inspection = Self {
            recovery,
            found: Found::default(),
            store: Store::new(Tables::new(None)),
            is_over: false,
        };
        (inspection, asked)
    }

    /// Takes an operation's outcome and asks for the next; nothing at the end.
    pub fn completed(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskDone, DiskError>,
    ) -> Option<Asked> {
        self.found.unreadable |= matches!(outcome, Err(DiskError::Io { .. }));
        let Self {
            recovery,
            found,
            store,
            is_over,
        } = self;
        let mut ops = Vec::new();
        recovery.completed(ticket, outcome, &mut ops, &mut |event| match event {
            Event::Done => *is_over = true,
            event => found.take(event, store),
        });
        let is_over = *is_over || found.refused.is_some();
        if is_over { None } else { first(ops) }
    }

    /// Returns the contents that were found, once nothing more is asked for.
    pub fn found(self) -> Found {
        let mut found = self.found;
        found.damage = self.recovery.damage();
        if self.is_over && found.base.is_some() && self.store.base_digest().is_none() {
            found.refuse("the base is truncated");
        }
        if found.records > 0 {
            found.end = Some(self.recovery.end());
            found.synced = Some(self.recovery.known_synced());
        }
        found.base_keys = (0..DATABASES).map(|db| self.store.len(db)).sum();
        found
    }
}

impl Found {
    /// Takes what recovery shows, and refuses what a node would refuse.
    fn take(&mut self, event: Event<'_>, store: &mut Store) {
        match event {
            Event::Identity(bytes) => match Identity::decode(bytes) {
                Some(identity) => {
                    self.member = Some(identity.id);
                    self.meets(&identity.founders);
                }
                None => self.refuse("the manifest names no member"),
            },
            Event::BaseHead(bytes) => match BaseHead::decode(bytes) {
                Ok(head) if Membership::decode(&head.membership).is_ok() => {
                    *store = Store::new(Tables::new(head.hash_seed));
                    self.base = Some((head.index, head.term));
                    self.grouped |= head.grouped;
                    self.meets(&head.membership);
                    (self.term, self.commit) = (head.term, head.index);
                }
                Ok(_) => self.refuse("the base names no members"),
                Err(refused) => self.refuse(&refused.text()),
            },
            Event::BasePiece(piece) => {
                if store.load_piece(piece).is_err() {
                    self.refuse("a part of the base is invalid");
                }
            }
            Event::Record { restated, body, .. } => {
                self.records += 1;
                self.term = self.term.max(restated.term);
                self.vote = restated.vote;
                self.commit = self.commit.max(restated.commit);
                self.count(body);
            }
            Event::Refused(why) => self.refused = Some(why),
            Event::Damaged { why, advice, .. } => self.refused = Some(why + advice),
            Event::Done | Event::Note(_) | Event::Stray { .. } | Event::InDebt(_) => {}
        }
    }

    /// A membership is named, in its own encoding.
    fn meets(&mut self, membership: &[u8]) {
        let members = Membership::decode(membership).map_or(0, |all| all.members().count());
        self.grouped |= members > 1;
    }

    fn refuse(&mut self, why: &str) {
        self.refused.get_or_insert_with(|| why.into());
    }

    fn count(&mut self, mut body: &[u8]) {
        while !body.is_empty() {
            let Ok(entry) = Entry::decode(&mut body) else {
                return self.refuse("a record of the log holds an invalid entry");
            };
            self.entries += 1;
            if entry.kind == EntryKind::Membership {
                self.meets(&entry.payload);
            }
            let first = self.span.map_or(entry.index, |(first, _)| first);
            self.span = Some((first, entry.index));
        }
    }
}

/// A recovery that changes nothing, and the first operation that it asks for.
pub(in crate::node) fn reading() -> (Recovery, Option<Asked>) {
    let mut recovery = Recovery::read_only(aof::Settings {
        policy: aof::Policy::Always,
        segment_bytes: Config::default().segment_bytes,
        piece_bytes: Config::default().log_piece_bytes,
        read_bytes: crate::limits::READ_BYTES,
        identity: Vec::new(),
    });
    let mut ops = Vec::new();
    recovery.start(&mut ops);
    (recovery, first(ops))
}

pub(in crate::node) fn first(ops: Vec<aof::Op>) -> Option<Asked> {
    ops.into_iter().next().map(|op| (op.ticket, op.op))
}

/// The manifest's bytes once its first segment has been emptied on purpose; nothing where they are
/// damaged.
pub fn manifest_of_an_emptied_log(manifest: &[u8]) -> Option<Vec<u8>> {
    let manifest = Manifest::decode(manifest).ok()?;
    Some(manifest.with_nothing_behind_the_base().encode())
}
