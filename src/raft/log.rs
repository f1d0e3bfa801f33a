//! The log as memory holds it: a window behind a base, in one piece.
//!
//! An entry is appended behind the last one or not at all, so that there is no gap to check for.
//! Durability follows from what was handed over to be written: entries that a new leader supersedes
//! take their part of every hand-over in flight with them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::ids::{LogIndex, PersistSeq, Term};
use crate::time::Stamp;

use super::entry::{Entry, EntryKind, KnownSum};
use super::message::{Append, EntryId};

/// Fewer dead slots than this are never worth moving the window for.
const SLACK_MIN: usize = 64;

/// The term of the entry at an index, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermAt {
    /// It is this.
    Known(Term),
    /// The entry is part of the base: it was committed, and nothing else is known.
    Compacted,
    /// The log ends before it.
    Beyond,
}

/// The effect of a leader's append on the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// The log agrees with the leader's up to `matched`.
    Matched {
        /// The last index that is known to agree.
        matched: LogIndex,
        /// The index of the first entry put in, which replaced all from there on; `None` if all
        /// were there already.
        from: Option<LogIndex>,
    },
    /// The place before the entries is not in this log.
    Unknown {
        /// The last entry that may still agree.
        hint: EntryId,
    },
    /// The leader contradicts what is committed: it cannot be one.
    Contradiction {
        /// The place in this log.
        own: EntryId,
        /// The leader's term at its index.
        leaders: Term,
    },
}

/// The log behind its base.
#[derive(Clone, Debug)]
pub struct Log {
    /// The entry before the first of the window.
    base: EntryId,
    /// Slots up to `start` are dead: their payloads are gone.
    slots: Vec<Entry>,
    start: usize,
    /// The encoded size of the window, in bytes.
    bytes: usize,
    /// Up to here the log has been handed over to be written, as it now is.
    handed_over: LogIndex,
    /// For each hand-over in flight, the last entry it will have made durable of those still in the
    /// log.
    in_flight: VecDeque<(PersistSeq, LogIndex)>,
    /// Up to here the log is durable on this member.
    durable: LogIndex,
}

impl Log {
    /// The log that a disk remembers. Entries that do not follow on each other end it: indexes are
    /// without a gap, and terms never fall (thesis 3.5).
    pub fn new(base: EntryId, mut tail: Vec<Entry>) -> Self {
        let (mut index, mut term) = base;
        let follows = |entry: &&Entry| {
            let follows = Some(entry.index.0) == index.0.checked_add(1) && entry.term >= term;
            (index, term) = (entry.index, entry.term);
            follows
        };
        let good = tail.iter().take_while(follows).count();
        tail.truncate(good);
        let last = LogIndex(base.0.0 + good as u64);
        Self {
            base,
            bytes: tail.iter().map(Entry::encoded_bytes).sum(),
            slots: tail,
            start: 0,
            handed_over: last,
            in_flight: VecDeque::new(),
            durable: last,
        }
    }

    /// The entries of the window, in order.
    pub fn window(&self) -> &[Entry] {
        &self.slots[self.start..]
    }

    /// The entry before the window.
    pub fn base(&self) -> EntryId {
        self.base
    }

    /// The last entry.
    pub fn last(&self) -> EntryId {
        let last = self.window().last();
        last.map_or(self.base, |entry| (entry.index, entry.term))
    }

    /// The encoded size of the window, in bytes.
    pub fn bytes(&self) -> usize {
        #[cfg(debug_assertions)]
        assert!(self.window().len() > 64 || self.bytes == self.bytes_naively());
        self.bytes
    }

    #[cfg(debug_assertions)]
    fn bytes_naively(&self) -> usize {
        self.window().iter().map(Entry::encoded_bytes).sum()
    }

    /// Up to where the log is durable on this member.
    pub fn durable(&self) -> LogIndex {
        self.durable
    }

    /// The entry at an index, where the window holds it.
    pub fn get(&self, index: LogIndex) -> Option<&Entry> {
        self.window().get(self.offset(index)?)
    }

    fn offset(&self, index: LogIndex) -> Option<usize> {
        let offset = index.0.checked_sub(self.base.0.0)?.checked_sub(1)?;
        usize::try_from(offset).ok()
    }

    /// The term of the entry at an index.
    pub fn term_at(&self, index: LogIndex) -> TermAt {
        if index == self.base.0 {
            return TermAt::Known(self.base.1);
        }
        match self.offset(index) {
            None => TermAt::Compacted,
            Some(at) => self
                .window()
                .get(at)
                .map_or(TermAt::Beyond, |entry| TermAt::Known(entry.term)),
        }
    }

    /// Returns true if a log that ends there has all that this one could have committed (thesis
    /// 3.6.1).
    pub fn is_covered_by(&self, last: EntryId) -> bool {
        let (index, term) = self.last();
        (last.1, last.0) >= (term, index)
    }

    /// Entries behind an index: as many as fit in both limits, but one at least if there is one.
    /// Nothing where the window no longer reaches back so far.
    pub fn behind(&self, index: LogIndex, count: usize, bytes: usize) -> Option<&[Entry]> {
        let from = self.window().get(self.offset(index.next())?..)?;
        let mut left = bytes;
        let fits = from.iter().take(count).take_while(|entry| {
            let fits = left.checked_sub(entry.encoded_bytes());
            left = fits.unwrap_or(0);
            fits.is_some()
        });
        let fit = fits.count().max(1).min(from.len());
        Some(&from[..fit])
    }

    /// Appends an entry of the leader itself.
    pub fn append(
        &mut self,
        term: Term,
        stamp: Stamp,
        kind: EntryKind,
        payload: Bytes,
        known: KnownSum,
    ) -> LogIndex {
        let index = self.last().0.next();
        self.push(Entry {
            term,
            index,
            stamp,
            kind,
            payload,
            known,
        });
        index
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.encoded_bytes();
        self.slots.push(entry);
    }

    /// Takes entries from the leader, out of the append: those that are there already stay, and the
    /// first that is not supersedes whatever stands in its place and behind (thesis 3.5). Committed
    /// entries stay.
    pub fn accept(&mut self, append: &mut Append, commit: LogIndex) -> Accept {
        let (prev, prev_term) = append.prev;
        match self.term_at(prev) {
            TermAt::Known(term) if term == prev_term => {}
            TermAt::Known(term) if prev <= commit => {
                return Accept::Contradiction {
                    own: (prev, term),
                    leaders: prev_term,
                };
            }
            // What is compacted is committed, and whoever leads has it.
            TermAt::Compacted => {}
            TermAt::Known(_) | TermAt::Beyond => {
                let hint = self.last_not_after(prev, prev_term);
                return Accept::Unknown { hint };
            }
        }
        let matched = append.entries.last().map_or(prev, |entry| entry.index);
        let is_held = |entry: &Entry| {
            entry.index < self.base.0 || self.term_at(entry.index) == TermAt::Known(entry.term)
        };
        // One leader makes one entry of an index in a term (thesis 3.5).
        let is_other = |entry: &&Entry| {
            let own = self.get(entry.index);
            own.is_some_and(|own| own.term == entry.term && own != *entry)
        };
        if let Some(entry) = append.entries.iter().find(is_other) {
            let (own, leaders) = ((entry.index, entry.term), entry.term);
            return Accept::Contradiction { own, leaders };
        }
        let held = append.entries.iter().take_while(|e| is_held(e)).count();
        let new = append.entries.get(held);
        let new = new.map(|entry| (entry.index, entry.term));
        let from = new.map(|(index, _)| index);
        if let Some((from, leaders)) = new {
            if from <= commit
                && let TermAt::Known(own) = self.term_at(from)
            {
                let own = (from, own);
                return Accept::Contradiction { own, leaders };
            }
            self.truncate(from);
            for entry in append.entries.drain(held..) {
                self.push(entry);
            }
        }
        let matched = matched.max(self.base.0);
        Accept::Matched { matched, from }
    }

    /// Forgets the entry at an index and all behind it.
    fn truncate(&mut self, from: LogIndex) {
        let Some(at) = self.offset(from) else {
            return;
        };
        for entry in self.slots.drain((self.start + at).min(self.slots.len())..) {
            self.bytes -= entry.encoded_bytes();
        }
        let last = self.last().0;
        self.handed_over = self.handed_over.min(last);
        self.durable = self.durable.min(last);
        for (_, held) in &mut self.in_flight {
            *held = last.min(*held);
        }
    }

    /// The last entry at or before an index whose term is no later than `term`: where two logs may
    /// agree, seen from one of them (thesis 3.5, backtracking by terms). The base, where all of the
    /// window is later.
    pub fn last_not_after(&self, index: LogIndex, term: Term) -> EntryId {
        let upto = index.0.saturating_sub(self.base.0.0);
        let upto = usize::try_from(upto).unwrap_or(usize::MAX);
        let window = self.window();
        let window = &window[..upto.min(window.len())];
        let count = window.partition_point(|entry| entry.term <= term);
        let found = count.checked_sub(1).and_then(|at| window.get(at));
        found.map_or(self.base, |entry| (entry.index, entry.term))
    }

    /// Returns true if entries wait to be handed over.
    pub fn has_unwritten(&self) -> bool {
        self.last().0 != self.handed_over
    }

    /// Hands over what is not yet on its way to the disk.
    pub fn hand_over(&mut self, seq: PersistSeq) -> &[Entry] {
        let last = self.last().0;
        let from = mem::replace(&mut self.handed_over, last);
        self.in_flight.push_back((seq, self.handed_over));
        let at = self.offset(from.next()).unwrap_or(0);
        self.window().get(at..).unwrap_or_default()
    }

    /// All hand-overs up to this one are durable.
    pub fn persisted(&mut self, seq: PersistSeq) {
        while let Some((_, held)) = self.in_flight.pop_front_if(|(own, _)| *own <= seq) {
            self.durable = self.durable.max(held);
        }
    }

    /// Lets all entries up to an index go, as far as they are on their way to the disk.
    pub fn compact(&mut self, to: LogIndex) {
        self.trim(to, 0);
    }

    /// Lets the oldest entries up to an index go until no more than `kept` bytes are left, as far
    /// as they are on their way to the disk. Their memory is used again when half of the window is
    /// dead, so that letting go costs no more than taking did.
    pub fn trim(&mut self, to: LogIndex, kept: usize) {
        let to = to.min(self.handed_over);
        while let Some(entry) = self.slots.get_mut(self.start) {
            if entry.index > to || self.bytes <= kept {
                break;
            }
            self.bytes -= entry.encoded_bytes();
            self.base = (entry.index, entry.term);
            entry.payload = Bytes::new();
            self.start += 1;
        }
        if self.start == self.slots.len() {
            self.slots.clear();
            self.start = 0;
        } else if self.start >= SLACK_MIN.max(self.slots.len() / 2) {
            self.slots.drain(..self.start);
            self.start = 0;
        }
    }

    /// A state stands in for all up to its base, durably. Entries behind it stay if they follow on
    /// it (thesis 5.3); otherwise the log is empty, true.
    pub fn install(&mut self, base: EntryId) -> bool {
        let follows = self.term_at(base.0) == TermAt::Known(base.1);
        if follows {
            self.handed_over = self.handed_over.max(base.0);
            self.compact(base.0);
        } else {
            self.slots.clear();
            (self.start, self.bytes) = (0, 0);
            self.base = base;
            self.handed_over = base.0;
            for (_, held) in &mut self.in_flight {
                *held = base.0;
            }
            self.durable = base.0;
        }
        self.durable = self.durable.max(base.0);
        !follows
    }
}
