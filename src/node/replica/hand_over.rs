//! From Raft to the log and back: what is to last is handed over, and Raft is told how far the disk
//! has come.

use alloc::vec::Vec;
use core::{iter, mem};

use crate::aof::{BodyPart, Log, Restated};
use crate::ids::{LogIndex, PersistSeq};
use crate::limits;
use crate::node::Node;
use crate::node::replica::commit::Commit;
use crate::raft::Entry;

impl Node {
    /// Hands to the log what Raft wants to last.
    pub(in crate::node) fn hand_over(&mut self) {
        let Commit {
            raft: Some(raft),
            log,
            appended,
            body,
            ..
        } = &mut self.commit
        else {
            return;
        };
        loop {
            let last = raft.last();
            let Some(unpersisted) = raft.unpersisted() else {
                break;
            };
            let Some(log) = log.as_mut() else {
                let seq = unpersisted.seq;
                raft.persisted(seq);
                continue;
            };
            if unpersisted.must_sync {
                log.must_sync();
            }
            let head = Restated {
                term: unpersisted.term,
                vote: unpersisted.vote,
                commit: unpersisted.commit,
            };
            let seq = unpersisted.seq;
            let newest = put_entries(log, &head, last, unpersisted.entries, body);
            appended.push_back((newest, seq));
        }
        body.shrink_to(limits::ENTRY_BYTES_SOFT_MAX * 2);
    }

    /// Tells Raft how far the log has come.
    pub(in crate::node) fn learn_persisted(&mut self) {
        let Commit {
            raft: Some(raft),
            log: Some(log),
            appended,
            ..
        } = &mut self.commit
        else {
            return;
        };
        let persisted = log.persisted();
        let mut newest = None;
        while let Some((_, raft_seq)) = appended.pop_front_if(|(seq, _)| *seq <= persisted) {
            newest = Some(raft_seq);
        }
        if let Some(seq) = newest {
            raft.persisted(seq);
        }
    }
}

/// Appends entries to the log, behind which it will hold all up to `last`: as one record, but for
/// large ones, which have records of their own and share the memory of their payloads.
fn put_entries(
    log: &mut Log,
    head: &Restated,
    last: LogIndex,
    entries: &[Entry],
    body: &mut Vec<u8>,
) -> PersistSeq {
    let large = log.piece_bytes();
    body.clear();
    let mut newest = None;
    for (place, entry) in entries.iter().enumerate() {
        if entry.payload.len() < large {
            entry.encode(body);
            continue;
        }
        if !body.is_empty() {
            log.append(head, entries[place - 1].index, body);
            body.clear();
        }
        let record = one_body(iter::once(entry), large);
        newest = Some(log.append_parts(head, entry.index, &record));
    }
    match newest {
        Some(newest) if body.is_empty() => newest,
        _ => log.append(head, last, body),
    }
}

/// The body of one record that holds all these entries; payloads from `large` bytes on are shared.
pub(in crate::node) fn one_body<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    large: usize,
) -> Vec<BodyPart> {
    let (mut body, mut own) = (Vec::new(), Vec::new());
    for entry in entries {
        if entry.payload.len() < large {
            entry.encode(&mut own);
            continue;
        }
        own.extend_from_slice(&entry.head());
        body.push(BodyPart::Own(mem::take(&mut own)));
        let sum = entry.payload_sum();
        let bytes = entry.payload.clone();
        body.push(BodyPart::Shared { bytes, sum });
        own.extend_from_slice(&entry.tail(sum));
    }
    body.push(BodyPart::Own(own));
    body
}
