//! A backup: what stands in a data directory, as one file.
//!
//! ```text
//! "seedis backup 1\n", then records as docs/PERSISTENCE.md draws them; the first byte says:
//! i  whose directory it was   p  a piece of the base     e  the end: 8 the last entry, 8 the term
//! h  the head of the base     n  entries, in order
//! ```
//!
//! It holds all that the directory knows, also what was not known to be committed: a member cannot
//! tell which of its last entries its group has acknowledged, and must not be the one that forgets
//! them.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::aof::record::{self, Position};
use crate::aof::{Debt, Event, Recovery};
use crate::disk::{DiskDone, DiskError};
use crate::ids::{LogIndex, Term, Ticket};
use crate::node::offline::inspect::{Asked, first, reading};
use crate::node::replica::base::BaseHead;
use crate::raft::Entry;

/// The bytes with which a backup begins.
pub(in crate::node) const MAGIC: &[u8] = b"seedis backup 1\n";
/// The bytes with which a backup of any version begins; the version of its format stands behind
/// them.
pub(in crate::node) const NAME: &str = "seedis backup ";
/// The version that this code writes, and the last that it reads.
pub(in crate::node) const NEWEST: u64 = 1;
/// The position of its first record; no segment and no base has this number.
pub(in crate::node) const START: Position = Position {
    segment: u64::MAX - 1,
    offset: MAGIC.len() as u64,
};
/// How many bytes of entries one record gathers.
const GATHERED_BYTES: usize = 1 << 20;

pub(in crate::node) const IDENTITY: u8 = b'i';
pub(in crate::node) const HEAD: u8 = b'h';
pub(in crate::node) const PIECE: u8 = b'p';
pub(in crate::node) const ENTRIES: u8 = b'n';
pub(in crate::node) const END: u8 = b'e';

/// A backup that is being made.
#[derive(Debug)]
pub struct Backup {
    recovery: Recovery,
    is_over: bool,
    writing: Writing,
}

#[derive(Debug)]
struct Writing {
    out: Vec<u8>,
    place: Position,
    /// Entries that a later record may supersede.
    open: VecDeque<Entry>,
    gathered: Vec<u8>,
    /// The last entry that is part of the base or gathered.
    last: LogIndex,
    last_term: Term,
    term: Term,
    /// The debt of the directory: the entries that it had lost, and may have got back.
    debt: Option<Debt>,
    refused: Option<String>,
}

impl Backup {
    /// A backup, and the first operation that it asks for. The disk is only read.
    pub fn new() -> (Self, Option<Asked>) {
        let (recovery, asked) = reading();
        let writing = Writing {
            out: MAGIC.to_vec(),
            place: START,
            open: VecDeque::new(),
            gathered: Vec::new(),
            last: LogIndex(0),
            last_term: Term(0),
            term: Term(0),
            debt: None,
            refused: None,
        };
        let backup = Self {
            recovery,
            is_over: false,
            writing,
        };
        (backup, asked)
    }

    /// Takes an operation's outcome and asks for the next; nothing at the end.
    pub fn completed(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskDone, DiskError>,
    ) -> Option<Asked> {
        let mut ops = Vec::new();
        let (is_over, writing) = (&mut self.is_over, &mut self.writing);
        self.recovery
            .completed(ticket, outcome, &mut ops, &mut |event| match event {
                Event::Done => *is_over = true,
                event => writing.take(event),
            });
        if self.is_over {
            self.writing.end();
        }
        let is_over = self.is_over || self.writing.refused.is_some();
        if is_over { None } else { first(ops) }
    }

    /// Takes the bytes that the file goes on with.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        mem::take(&mut self.writing.out)
    }

    /// The last entry in it, once nothing more is asked for.
    ///
    /// # Errors
    ///
    /// Errors if no server would start from the directory: the reason, in a server's words.
    pub fn outcome(&self) -> Result<LogIndex, &str> {
        match &self.writing.refused {
            Some(why) => Err(why),
            None => Ok(self.writing.last),
        }
    }
}

impl Writing {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Identity(bytes) => self.put(IDENTITY, bytes),
            Event::BaseHead(bytes) => match BaseHead::decode(bytes) {
                Ok(head) => {
                    (self.last, self.last_term, self.term) = (head.index, head.term, head.term);
                    self.put(HEAD, bytes);
                }
                Err(refused) => self.refuse(&refused.text()),
            },
            Event::BasePiece(piece) => self.put(PIECE, piece),
            Event::Record { restated, body, .. } => {
                self.term = self.term.max(restated.term);
                self.supersede(body);
                let settled = |entry: &mut Entry| entry.index <= restated.commit;
                while let Some(entry) = self.open.pop_front_if(settled) {
                    self.gather(&entry);
                }
            }
            Event::Refused(why) => self.refused = Some(why),
            Event::Damaged { why, advice, .. } => self.refused = Some(why + advice),
            Event::InDebt(debt) => self.debt = Some(debt),
            Event::Done | Event::Note(_) | Event::Stray { .. } => {}
        }
    }

    fn refuse(&mut self, why: &str) {
        self.refused.get_or_insert_with(|| why.into());
    }

    /// Adds the entries of a record; one whose index is taken supersedes what stood there and
    /// behind.
    fn supersede(&mut self, mut body: &[u8]) {
        while !body.is_empty() {
            let Ok(entry) = Entry::decode(&mut body) else {
                return self.refuse("a record of the log holds an invalid entry");
            };
            if entry.index <= self.last {
                continue;
            }
            while self.open.back().is_some_and(|e| e.index >= entry.index) {
                self.open.pop_back();
            }
            let before = self.open.back().map_or(self.last, |e| e.index);
            if entry.index != before.next() {
                return self.refuse("entries are missing from the log");
            }
            self.open.push_back(entry);
        }
    }

    fn gather(&mut self, entry: &Entry) {
        (self.last, self.last_term) = (entry.index, entry.term);
        entry.encode(&mut self.gathered);
        if self.gathered.len() >= GATHERED_BYTES {
            self.put_gathered();
        }
    }

    fn put_gathered(&mut self) {
        let entries = mem::take(&mut self.gathered);
        if !entries.is_empty() {
            self.put(ENTRIES, &entries);
        }
    }

    fn end(&mut self) {
        while let Some(entry) = self.open.pop_front() {
            self.gather(&entry);
        }
        self.put_gathered();
        let has = (self.last_term, self.last);
        if self
            .debt
            .is_some_and(|debt| has < (debt.last_term, debt.last))
        {
            self.refuse("this member is under repair and lacks entries: back up another member");
        }
        let numbers = [self.last.0, self.term.0].map(u64::to_le_bytes);
        self.put(END, numbers.as_flattened());
    }

    fn put(&mut self, kind: u8, payload: &[u8]) {
        let from = self.out.len();
        record::put(&mut self.out, self.place, &[&[kind], payload]);
        self.place.offset += (self.out.len() - from) as u64;
    }
}

#[cfg(test)]
mod tests;
