//! A look at a data directory that no server has open: what stands in it, and what is damaged.
//!
//! It reads as recovery does, with recovery's own code, and never asks for a change.

use alloc::string::String;
use alloc::vec::Vec;

use crate::aof::{self, Event, Recovery};
use crate::disk::{DiskDone, DiskError, DiskOp, FileName};
use crate::ids::{LogIndex, NodeId, Term, Ticket};
use crate::raft::Entry;

use super::base::{BaseHead, Identity};
use super::config::{Config, Fsync};
use super::recovery::policy;

pub use crate::aof::Damage;

/// What a data directory holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The member that it belongs to; nothing where no manifest says so.
    pub member: Option<NodeId>,
    /// The entry at which the base stands, and the entry's term; nothing where there is no base.
    pub base: Option<(LogIndex, Term)>,
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
    /// Where the log ends: the file, and the offset behind its last record.
    pub end: Option<(FileName, u64)>,
    /// Up to where the last record knew the log to be synced.
    pub synced: Option<(FileName, u64)>,
    /// Where it is damaged or torn.
    pub damage: Option<Damage>,
    /// Why a server would refuse to start, in its words.
    pub refused: Option<String>,
}

/// A look on its way.
#[derive(Debug)]
pub struct Inspection {
    recovery: Recovery,
    found: Found,
    is_over: bool,
}

/// An operation that a look asks for.
pub type Asked = (Ticket, DiskOp);

impl Inspection {
    /// A look, and the first operation that it asks for.
    pub fn new() -> (Self, Option<Asked>) {
        let mut recovery = Recovery::read_only(aof::Settings {
            policy: policy(Fsync::Always),
            segment_bytes: Config::default().segment_bytes,
            identity: Vec::new(),
        });
        let mut ops = Vec::new();
        recovery.start(&mut ops);
        let inspection = Self {
            recovery,
            found: Found::default(),
            is_over: false,
        };
        (inspection, first(ops))
    }

    /// Takes an operation's outcome and asks for the next; nothing at the end.
    pub fn completed(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskDone, DiskError>,
    ) -> Option<Asked> {
        let (found, is_over) = (&mut self.found, &mut self.is_over);
        let mut ops = Vec::new();
        self.recovery
            .completed(ticket, outcome, &mut ops, &mut |event| match event {
                Event::Identity(bytes) => found.member = Identity::decode(bytes).map(|i| i.id),
                Event::BaseHead(head) => {
                    found.base = BaseHead::decode(head).map(|head| (head.index, head.term));
                }
                Event::Record { restated, body, .. } => {
                    found.records += 1;
                    found.term = found.term.max(restated.term);
                    found.vote = restated.vote;
                    found.commit = found.commit.max(restated.commit);
                    found.count(body);
                }
                Event::Refused(why) => {
                    found.refused = Some(why);
                    *is_over = true;
                }
                Event::Done => *is_over = true,
                Event::BasePiece(_) | Event::Note(_) => {}
            });
        if self.is_over { None } else { first(ops) }
    }

    /// What was found, once nothing more is asked for.
    pub fn found(self) -> Found {
        let mut found = self.found;
        found.damage = self.recovery.damage();
        if found.member.is_some() {
            found.end = Some(self.recovery.end());
            found.synced = Some(self.recovery.known_synced());
        }
        found
    }
}

impl Found {
    fn count(&mut self, mut body: &[u8]) {
        while !body.is_empty() {
            let Ok(entry) = Entry::decode(&mut body) else {
                return;
            };
            self.entries += 1;
            let first = self.span.map_or(entry.index, |(first, _)| first);
            self.span = Some((first, entry.index));
        }
    }
}

fn first(ops: Vec<aof::Op>) -> Option<Asked> {
    ops.into_iter().next().map(|op| (op.ticket, op.op))
}
