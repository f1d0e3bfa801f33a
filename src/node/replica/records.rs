//! Raft's entries as records of the log.

use alloc::vec::Vec;
use core::{iter, mem};

use crate::aof::{BodyPart, Log, Restated};
use crate::ids::{LogIndex, PersistSeq};
use crate::raft::Entry;

/// Appends entries to the log, behind which it will hold all up to `last`: as one record, but for
/// large ones, which have records of their own and share the memory of their payloads.
pub(super) fn put_entries(
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
pub(super) fn one_body<'a>(
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
