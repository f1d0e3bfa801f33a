//! Records on their way to the segments: one write for the small ones of a turn, many for a large
//! one, whose pieces share the memory of its payload.
//!
//! All writes of a record are asked for in one turn, before any sync that could cover a part of it;
//! and it counts as written with its last piece. So every mark that a sync leaves stands between
//! two records, as if each were one write.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::checksum::{crc64, joined};
use crate::copying;
use crate::disk::{DiskDone, DiskError, DiskOp};
use crate::ids::{LogIndex, PersistSeq};
use crate::time::Mono;

use super::super::chunk::{BodyPart, Chunk, Content, Writing};
use super::super::failure::Failure;
use super::super::op::Op;
use super::super::record::{self, FRAME_BYTES, HEAD_BYTES, Head, Position, Restated};
use super::super::segment;
use super::{Log, Unsynced};

/// How long to wait before a write that found no space is tried again.
const WRITE_RETRY: Duration = Duration::from_millis(100);
/// The largest buffer that is kept for the next write, in bytes.
const BUFFER_BYTES_MAX: usize = 4 << 20;

impl Log {
    /// Adds one record; it leaves with the next `flush`. `last` is the last entry that the log then
    /// holds.
    pub fn append(&mut self, restated: &Restated, last: LogIndex, body: &[u8]) -> PersistSeq {
        self.next_record(restated, last);
        self.put(body);
        self.has_put()
    }

    /// Adds one record whose body is put together of parts; those that are shared are not copied.
    pub fn append_parts(
        &mut self,
        restated: &Restated,
        last: LogIndex,
        body: &[BodyPart],
    ) -> PersistSeq {
        self.next_record(restated, last);
        self.put_parts(body);
        self.has_put()
    }

    /// Payloads from this size on are worth an `append_parts`, in bytes.
    pub fn piece_bytes(&self) -> usize {
        self.settings.piece_bytes
    }

    fn next_record(&mut self, restated: &Restated, last: LogIndex) {
        self.appended = self.appended.next();
        self.restated = *restated;
        self.last_index = last;
        self.last_is_mark = false;
    }

    fn has_put(&mut self) -> PersistSeq {
        if core::mem::take(&mut self.must_sync_next) {
            // One damaged record must not make a member forget its vote: another says the same.
            self.put(&[]);
            self.must_sync = self.appended;
        }
        self.appended
    }

    pub(super) fn put(&mut self, body: &[u8]) {
        let (head, length) = self.begin(body.len());
        let (here, last) = (self.end, self.appended);
        let bytes = self.last_chunk(here, here.offset, last);
        self.predecessor = record::put_log(bytes, here, &head, body);
        self.end.offset += length;
    }

    fn put_parts(&mut self, body: &[BodyPart]) {
        let body_bytes = body.iter().map(BodyPart::len).sum();
        let (head, length) = self.begin(body_bytes);
        let (start, before) = (self.end, PersistSeq(self.appended.0 - 1));
        let bytes = self.last_chunk(start, start.offset, before);
        let from = bytes.len();
        let mut sum = record::begin_log(bytes, start, &head, HEAD_BYTES + body_bytes);
        let mut place = start;
        place.offset += (bytes.len() - from) as u64;
        for part in body {
            sum = match part {
                BodyPart::Own(own) => {
                    let bytes = self.last_chunk(place, start.offset, before);
                    copying::append(bytes, own);
                    joined(sum, crc64(&[], own), own.len())
                }
                BodyPart::Shared { bytes, sum: own } => {
                    self.put_shared(place, start.offset, bytes.clone(), before);
                    joined(sum, *own, bytes.len())
                }
            };
            place.offset += part.len() as u64;
        }
        let whole = self.appended;
        let bytes = self.last_chunk(place, start.offset, whole);
        record::end_log(bytes, sum);
        self.predecessor = sum;
        self.end.offset += length;
    }

    /// Puts a payload at `place`, in pieces that share its memory.
    fn put_shared(
        &mut self,
        mut place: Position,
        boundary: u64,
        mut left: Bytes,
        last: PersistSeq,
    ) {
        while !left.is_empty() {
            let piece = left.split_to(left.len().min(self.settings.piece_bytes.max(1)));
            let bytes = piece.len() as u64;
            self.pending.push_back(Chunk {
                place,
                boundary,
                content: Content::Shared(piece),
                last,
            });
            place.offset += bytes;
        }
    }

    /// The head and the length of the next record, whose body has so many bytes; it has room, or
    /// the segment grows.
    fn begin(&mut self, body: usize) -> (Head, u64) {
        let length = (FRAME_BYTES + HEAD_BYTES + body) as u64;
        if self.end.offset + length > self.capacity {
            self.change_segment();
        }
        let head = Head {
            predecessor: self.predecessor,
            synced: self.synced_place,
            restated: self.restated,
            last: self.last_index,
        };
        (head, length)
    }

    /// The bytes that leave for `place`, behind what leaves for the places before it.
    fn last_chunk(&mut self, place: Position, boundary: u64, last: PersistSeq) -> &mut Vec<u8> {
        let fits = self.pending.back().is_some_and(|chunk| {
            chunk.place.segment == place.segment && matches!(chunk.content, Content::Own(_))
        });
        if !fits {
            let content = Content::Own(self.spare.pop().unwrap_or_default());
            self.pending.push_back(Chunk {
                place,
                boundary,
                content,
                last,
            });
        }
        match self.pending.back_mut() {
            Some(Chunk {
                content: Content::Own(bytes),
                last: newest,
                ..
            }) => {
                *newest = last;
                bytes
            }
            _ => unreachable!("such a chunk was put there"),
        }
    }

    pub(super) fn write(&mut self, chunk: Chunk, out: &mut Vec<Op>) {
        let Chunk {
            place,
            boundary,
            content,
            last,
        } = chunk;
        let end = place.offset + content.len() as u64;
        let at = self
            .unsynced
            .partition_point(|span| span.segment < place.segment);
        match self.unsynced.get_mut(at) {
            Some(span) if span.segment == place.segment => (span.end, span.last) = (end, last),
            _ => self.unsynced.insert(
                at,
                Unsynced {
                    segment: place.segment,
                    end,
                    last,
                },
            ),
        }
        let (file, offset) = (segment::file(place.segment), place.offset);
        let (op, shared) = match content {
            Content::Own(bytes) => {
                let op = DiskOp::WriteAt {
                    file,
                    offset,
                    bytes,
                };
                (op, None)
            }
            Content::Shared(bytes) => {
                let shared = Some(bytes.clone());
                let op = DiskOp::WriteShared {
                    file,
                    offset,
                    bytes: bytes.into(),
                };
                (op, shared)
            }
        };
        let ticket = self.tickets.ask(op, out);
        self.writing.push_back(Writing {
            ticket,
            place,
            boundary,
            shared,
            last,
        });
    }

    pub(super) fn retry_write(&mut self, now: Mono, out: &mut Vec<Op>) {
        if self.writing.is_empty() && self.retry_at <= now {
            self.retried = self.refused.len();
            while let Some(chunk) = self.refused.pop_front() {
                self.write(chunk, out);
            }
        }
    }

    /// The oldest write has ended. It may have done so some time ago, where one that was asked for
    /// before it took longer: what it found out about room is as old as that.
    pub(super) fn written(
        &mut self,
        now: Mono,
        ended_at: Mono,
        outcome: Result<DiskDone, DiskError>,
    ) -> Result<(), Failure> {
        let Some(writing) = self.writing.pop_front() else {
            return Ok(());
        };
        self.retried = self.retried.saturating_sub(1);
        let (bytes, has_failed) = match outcome {
            Ok(DiskDone::Written { bytes }) => (bytes, false),
            Ok(_) => (Vec::new(), false),
            Err(error) if error.is_shortage() => {
                self.refused_for = error.words();
                self.retry_at = self.retry_at.max(ended_at + WRITE_RETRY);
                (error.into_bytes(), true)
            }
            Err(error) => return Err(Failure::Write(error)),
        };
        if has_failed || !self.refused.is_empty() {
            // What stands behind a hole is made once more when the next attempt has filled it.
            self.refuse(writing, bytes);
            return Ok(());
        }
        self.written = writing.last;
        if bytes.capacity() > 0 && bytes.capacity() <= BUFFER_BYTES_MAX && self.spare.len() < 4 {
            let mut bytes = bytes;
            bytes.clear();
            self.spare.push(bytes);
        }
        self.release(now);
        Ok(())
    }

    /// Keeps a write for another attempt. A later sync covers neither it nor what follows it, in
    /// later segments too; nor a record of which a piece is missing.
    fn refuse(&mut self, writing: Writing, bytes: Vec<u8>) {
        let (segment, boundary, written) = (writing.place.segment, writing.boundary, self.written);
        let cut = |span: &mut Unsynced| {
            if span.segment == segment {
                span.end = span.end.min(boundary);
                span.last = span.last.min(written);
            }
            // The beginning of a segment lies behind the end of the one before: it is no mark.
            span.segment <= segment && span.end > 0
        };
        self.unsynced.retain_mut(cut);
        self.sync_covers.take_if(|span| !cut(span));
        self.refused.push_back(Chunk {
            place: writing.place,
            boundary,
            content: writing.shared.map_or(Content::Own(bytes), Content::Shared),
            last: writing.last,
        });
    }
}
