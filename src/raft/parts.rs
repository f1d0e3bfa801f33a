//! Large entries in parts: what is too long for one append goes to a member piece by piece.
//!
//! A part names the place before its entry and the whole entry but its payload, of which it holds a
//! piece. The receiver puts pieces in order and says after each how many bytes it has; when it
//! has all of them the entry is taken as one append with it would be. So no frame is longer than a
//! piece, nothing that is decisive waits behind a long one, and a large entry that takes longer
//! than an election timeout to arrive is seen to move. An entry is one thing wherever it is found
//! (thesis 3.5: index and term name it), so that pieces of several leaders go together.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ids::LogIndex;
use crate::time::Mono;

use super::entry::{Entry, EntryKind};
use super::log::TermAt;
use super::member::Raft;
use super::membership::Member;
use super::message::{Append, EntryId, Message, Part};
use super::part::Arriving;
use super::progress::{Peer, Progress};
use super::settings::Settings;
use super::wire::WireError;

impl Settings {
    /// Returns true if an entry goes in parts. Raft's own entries are never so long.
    pub(super) fn is_large(&self, entry: &Entry) -> bool {
        entry.kind == EntryKind::Normal
            && entry.encoded_bytes() > self.append_bytes.max(self.chunk_bytes)
    }
}

impl Peer {
    /// The large entry that is on its way to it.
    pub(super) fn parted(&self) -> Option<LogIndex> {
        match &self.progress {
            Progress::Replicate { parting, .. } => parting.map(|parting| parting.index),
            _ => None,
        }
    }

    /// It has so many bytes of a large entry's payload.
    fn part_came(&mut self, index: LogIndex, bytes: u64, now: Mono) {
        let Progress::Replicate {
            parting: Some(parting),
            ..
        } = &mut self.progress
        else {
            return;
        };
        // Where it has all it may have had it before: then nothing more is sent of it.
        if parting.index == index && bytes > parting.come {
            // What another leader has sent before need not be sent again.
            (parting.come, parting.sent) = (bytes, parting.sent.max(bytes));
            self.moved = now;
        }
    }
}

impl Raft {
    /// A member has so many bytes of a large entry.
    pub(super) fn on_part_reply(&mut self, from: Member, place: EntryId, bytes: u64) {
        let (now, term_at) = (self.now, self.log.term_at(place.0));
        if term_at == TermAt::Known(place.1)
            && let Some(peer) = self.peer(from)
        {
            peer.part_came(place.0, bytes, now);
        }
    }

    /// Takes a piece of a large entry of the leader, and the entry with its last one. Of the log
    /// before it says what an append without entries would say.
    pub(super) fn on_part(&mut self, from: Member, part: &Part) -> Result<(), WireError> {
        let index = part.prev.0.0.checked_add(1).ok_or(WireError::Corrupt)?;
        let place = (LogIndex(index), part.term);
        let is_here = self.log.term_at(place.0) == TermAt::Known(place.1);
        let known = if is_here { place } else { part.prev };
        self.on_append(from, &mut part.as_append(known, Vec::new()))?;
        if is_here {
            let bytes = part.length;
            self.send(from, &Message::PartReply { place, bytes }, self.term_seq);
        }
        let goes_on = self.log.term_at(part.prev.0) == TermAt::Known(part.prev.1);
        if is_here || !goes_on || self.is_installing() {
            return Ok(());
        }
        let mut arriving = self
            .arriving
            .take_if(|arriving| {
                (arriving.place, arriving.stamp, arriving.length)
                    == (place, part.stamp, part.length)
            })
            .unwrap_or_else(|| Box::new(Arriving::new(place, part)));
        arriving.take(part.offset, &part.data);
        let bytes = arriving.come();
        self.send(from, &Message::PartReply { place, bytes }, self.term_seq);
        if bytes < part.length {
            self.arriving = Some(arriving);
            return Ok(());
        }
        self.arriving = None;
        let entries = [arriving.into_entry()].into();
        self.on_append(from, &mut part.as_append(part.prev, entries))
    }
}

impl Part {
    /// The append that says the same of the leader's log, with these entries.
    fn as_append(&self, prev: EntryId, entries: Vec<Entry>) -> Append {
        Append {
            prev,
            commit: self.commit,
            round: self.round,
            entries,
        }
    }
}
