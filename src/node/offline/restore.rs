//! A server of its own that is made from a backup: another disk and another group, with the state
//! of the one that was backed up.
//!
//! The members of the former group, whichever it was, are none of the new one: entries that said
//! who they are become empty ones, at the same place, so that the state comes out the same. The
//! name of the group and the life of the disk are drawn anew, so that no member of the former group
//! goes on with it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::aof::manifest::format_of;
use crate::aof::record::{self, Found, Position};
use crate::aof::{Image, Restated};
use crate::disk::DiskOp;
use crate::ids::{ClusterId, Incarnation, LogIndex, NodeId, Term};
use crate::node::offline::backup::{
    END, ENTRIES, HEAD, IDENTITY, MAGIC, NAME, NEWEST, PIECE, START,
};
use crate::node::replica::base::{BaseHead, Identity, NoHead};
use crate::raft::{Entry, EntryKind, Membership};
use crate::rng;
use crate::take;

/// Draws what names the new group and its disk.
const STREAM: u64 = 0x7265_7374;
/// The number of a server of its own.
const OWN: NodeId = NodeId(1);

/// Why bytes are no backup that can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBackup {
    /// They are damaged or cut short, or were never one.
    Damaged {
        /// The place in the file, in bytes from its beginning.
        offset: u64,
    },
    /// They are of a version that this code does not know, in words for the operator.
    Newer(String),
}

/// The contents that were found in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The member that it was made of.
    pub member: NodeId,
    /// The group that this one belonged to.
    pub from: ClusterId,
    /// True if this one had other members, by the last that the backup says of them.
    pub had_others: bool,
    /// The new group.
    pub cluster: ClusterId,
    /// The last entry.
    pub last: LogIndex,
}

/// A restoration on its way.
#[derive(Debug)]
pub struct Restore {
    seed: u64,
    /// The bytes that have come and are not understood yet.
    kept: Vec<u8>,
    place: Position,
    identity: Option<Identity>,
    /// The members of the former group.
    members: Option<Membership>,
    image: Image,
    term: Term,
    last: LogIndex,
    /// The end has come, and says this of itself.
    end: Option<(LogIndex, Term)>,
}

impl Restore {
    /// A restoration into an empty directory, and what it asks of its disk, one operation after the
    /// other. The seed must be one that nobody has used.
    pub fn new(seed: u64, out: &mut Vec<DiskOp>) -> Self {
        Self {
            seed,
            kept: Vec::new(),
            place: START,
            identity: None,
            members: None,
            image: Image::new(out),
            term: Term(0),
            last: LogIndex(0),
            end: None,
        }
    }

    /// Takes the next bytes of the backup.
    ///
    /// # Errors
    ///
    /// Errors if they are not those of a backup.
    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<DiskOp>) -> Result<(), NoBackup> {
        let mut kept = core::mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let mut rest = &kept[..];
        if self.place == START && self.identity.is_none() {
            if rest.len() < MAGIC.len() {
                self.kept = kept;
                return Ok(());
            }
            if let Some(version) = format_of(rest, NAME).filter(|version| *version > NEWEST) {
                return Err(NoBackup::Newer(format!(
                    "the backup is of format {version}, and this version of seedis knows formats \
                     up to {NEWEST}: use the version that wrote it, or a later one"
                )));
            }
            rest = rest
                .strip_prefix(MAGIC)
                .ok_or(NoBackup::Damaged { offset: 0 })?;
        }
        while !rest.is_empty() {
            match record::find(rest, self.place) {
                Found::Record {
                    payload, length, ..
                } => {
                    let refusal = self.refusal();
                    self.understand(payload, out).ok_or(refusal)??;
                    self.place.offset += length as u64;
                    rest = &rest[length..];
                }
                Found::Partial(_) => break,
                Found::Nothing => return Err(self.refusal()),
            }
        }
        let done = kept.len() - rest.len();
        // Where not even the first record is whole, its beginning is looked at again.
        let is_begun = self.identity.is_some();
        kept.drain(..if is_begun { done } else { 0 });
        self.kept = kept;
        Ok(())
    }

    fn refusal(&self) -> NoBackup {
        let offset = self.place.offset;
        NoBackup::Damaged { offset }
    }

    fn understand(
        &mut self,
        payload: &[u8],
        out: &mut Vec<DiskOp>,
    ) -> Option<Result<(), NoBackup>> {
        let (kind, body) = payload.split_first()?;
        match (*kind, &self.identity, &self.end) {
            (IDENTITY, None, None) => {
                let identity = Identity::decode(body)?;
                self.members = Membership::decode(&identity.founders).ok();
                self.identity = Some(identity);
            }
            (HEAD, Some(_), None) if self.last == LogIndex(0) => {
                let head = match BaseHead::decode(body) {
                    Ok(head) => head,
                    Err(refused @ NoHead::Newer(_)) => {
                        return Some(Err(NoBackup::Newer(refused.text())));
                    }
                    Err(NoHead::Malformed) => return None,
                };
                (self.last, self.term) = (head.index, head.term);
                self.members = Membership::decode(&head.membership).ok();
                let alone = BaseHead {
                    grouped: false,
                    membership: Membership::alone(OWN).encode(),
                    ..head
                };
                self.image.base_head(&alone.encode(), out);
            }
            (PIECE, Some(_), None) => self.image.base_piece(body, out),
            (ENTRIES, Some(_), None) => self.entries(body, out)?,
            (END, Some(_), None) => {
                let body = &mut &*body;
                self.end = Some((LogIndex(take::u64(body)?), Term(take::u64(body)?)));
            }
            _ => return None,
        }
        Some(Ok(()))
    }

    fn entries(&mut self, mut body: &[u8], out: &mut Vec<DiskOp>) -> Option<()> {
        let mut again = Vec::with_capacity(body.len());
        while !body.is_empty() {
            let mut entry = Entry::decode(&mut body).ok()?;
            if entry.index != self.last.next() {
                return None;
            }
            (self.last, self.term) = (entry.index, self.term.max(entry.term));
            if entry.kind == EntryKind::Membership {
                self.members = entry.membership();
                (entry.kind, entry.payload) = (EntryKind::Noop, bytes::Bytes::new());
            }
            entry.encode(&mut again);
        }
        self.record(&again, out);
        Some(())
    }

    /// All that is in the log is committed: nobody else is there to say otherwise.
    fn record(&mut self, body: &[u8], out: &mut Vec<DiskOp>) {
        let restated = Restated {
            term: self.term,
            vote: None,
            commit: self.last,
        };
        self.image.record(restated, self.last, body, out);
    }

    /// All has come: the directory is made to count.
    ///
    /// # Errors
    ///
    /// Errors if the backup lacks its end.
    pub fn finish(mut self, out: &mut Vec<DiskOp>) -> Result<Restored, NoBackup> {
        let refusal = self.refusal();
        let (Some(former), Some((last, term))) = (self.identity.take(), self.end) else {
            return Err(refusal);
        };
        if last != self.last || !self.kept.is_empty() {
            return Err(refusal);
        }
        self.term = self.term.max(term);
        self.record(&[], out);
        let cluster = ClusterId(rng::draw(self.seed, STREAM, 1, former.cluster.0));
        let identity = Identity {
            id: OWN,
            cluster,
            incarnation: Incarnation(rng::draw(self.seed, STREAM, 2, former.incarnation.0)),
            founders: Membership::alone(OWN).encode(),
        };
        self.image.finish(identity.encode(), out);
        Ok(Restored {
            member: former.id,
            from: former.cluster,
            // Whoever cannot be read may have been many.
            had_others: self
                .members
                .is_none_or(|members| !members.is_alone(former.id)),
            cluster,
            last,
        })
    }
}
