//! Recovery: from a listing of the directory to a log that can be appended to.
//!
//! The base must be whole. The log is read record by record, each naming its predecessor's
//! checksum. If no record follows, everything behind is searched: a record there that knew the
//! missing place to be synced means that acknowledged data are damaged, and nothing is served
//! unless the owner can take them again from elsewhere; otherwise a crash has torn off what was not
//! durable, and the rest is cut. A crash in the middle of any of this leaves a directory that is
//! recovered to the same state.

mod prepare;
mod repair;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::disk::{DiskDone, DiskError, DiskOp, FileKind, FileName};
use crate::ids::{LogIndex, Ticket};
use crate::time::Now;

use super::log::{Log, Resume};
use super::manifest::{Debt, Manifest};
use super::op::{Op, Tickets};
use super::reader::Reader;
use super::record::{self, Found, Head, Position, Restated};
use super::settings::Settings;
use super::step::Step;
use super::{rewriting, scan, segment};

/// The longest manifest that is read, in bytes.
const MANIFEST_BYTES: u32 = 64 << 10;

/// A finding of recovery, in the order of the files.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The owner of the directory.
    Identity(&'a [u8]),
    /// The head of the base.
    BaseHead(&'a [u8]),
    /// A piece of the base's state.
    BasePiece(&'a [u8]),
    /// The next record of the log.
    Record {
        /// Term, vote and commit.
        restated: Restated,
        /// The last entry that the log holds with it.
        last: LogIndex,
        /// Entries, in their owner's encoding.
        body: &'a [u8],
    },
    /// A record that the log does not come to: behind damage, or behind a torn place. Its entries
    /// do not count; what it says again of term and vote does, and what the log held with it.
    Stray {
        /// Term, vote and commit.
        restated: Restated,
        /// The last entry that the log held with it.
        last: LogIndex,
        /// Entries, in their owner's encoding.
        body: &'a [u8],
    },
    /// The loss of the directory that has not been repaired yet.
    InDebt(Debt),
    /// Worth telling the operator.
    Note(String),
    /// Acknowledged data are damaged: it ends here, unless the owner calls `repair`.
    Damaged {
        /// In words for the operator.
        why: String,
        /// The remedy if nobody else has the data.
        advice: &'static str,
        /// The base is: nothing of the state is left.
        all: bool,
    },
    /// The directory cannot be served from, and why.
    Refused(String),
    /// All is read and durable: `into_log` may be called.
    Done,
}

/// The place where a log is damaged although it was synced, or where its torn tail begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub file: FileName,
    /// The first byte that is no record.
    pub offset: u64,
    /// True if it was known to be synced, so that acknowledged writes are lost.
    pub acknowledged: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Listing,
    Manifest,
    /// There is no manifest: is the first segment really unused?
    Fresh,
    Base,
    Log,
    /// No record follows in this segment: the rest of it is read and searched.
    Rest,
    /// The next segment, whose first record may go on from here; else it is searched.
    Next,
    /// Acknowledged data are damaged, and the owner decides.
    Damaged,
    /// Preparing the directory, one operation after the other.
    Script,
    Over,
}

/// A recovery on its way.
#[derive(Clone, Debug)]
pub struct Recovery {
    settings: Settings,
    /// Nothing is changed on the disk.
    read_only: bool,
    tickets: Tickets,
    awaited: Option<Ticket>,
    /// The file that the awaited operation is about; nothing where that is the directory.
    about: Option<FileName>,
    stage: Stage,
    files: BTreeMap<FileName, u64>,
    manifest: Manifest,
    file: FileName,
    reader: Reader,
    base_ended: bool,
    base_bytes: u64,
    /// The segment that is read.
    number: u64,
    /// The end of the log, as far as it is known.
    end: Position,
    end_length: u64,
    earlier_bytes: u64,
    predecessor: u64,
    restated: Restated,
    last: LogIndex,
    torn: bool,
    /// The offset at which the base is damaged: of the log only the restated values are of use
    /// then.
    base_damage: Option<u64>,
    /// The first record behind the end that knew it to be synced.
    witness: Option<Position>,
    /// Up to where the last record knew the log to be synced.
    known_synced: Position,
    script: VecDeque<Step>,
    damage: Option<Damage>,
    done_bytes: u64,
    total_bytes: u64,
}

impl Recovery {
    /// A recovery that has not begun.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            read_only: false,
            tickets: Tickets::default(),
            awaited: None,
            about: None,
            stage: Stage::Listing,
            files: BTreeMap::new(),
            manifest: Manifest::default(),
            file: FileName::MANIFEST,
            reader: Reader::default(),
            base_ended: false,
            base_bytes: 0,
            number: 0,
            end: Position::default(),
            end_length: 0,
            earlier_bytes: 0,
            predecessor: 0,
            restated: Restated::default(),
            last: LogIndex(0),
            torn: false,
            base_damage: None,
            witness: None,
            known_synced: Position::default(),
            script: VecDeque::new(),
            damage: None,
            done_bytes: 0,
            total_bytes: 0,
        }
    }

    /// A recovery that only looks: it never asks for a change of the disk.
    pub fn read_only(settings: Settings) -> Self {
        Self {
            read_only: true,
            ..Self::new(settings)
        }
    }

    /// Tickets up to this one are taken.
    pub fn number_from(&mut self, ticket: u64) {
        self.tickets = Tickets(ticket);
    }

    /// Asks for the first operation.
    pub fn start(&mut self, out: &mut Vec<Op>) {
        self.ask(DiskOp::List, out);
    }

    /// Bytes that are read, of how many.
    pub fn progress(&self) -> (u64, u64) {
        (self.done_bytes, self.total_bytes)
    }

    /// The end of the log, as far as it was read: after the last record that is whole and in order.
    pub fn end(&self) -> (FileName, u64) {
        (segment::file(self.end.segment), self.end.offset)
    }

    /// Up to where the last of those records knew the log to be synced.
    pub fn known_synced(&self) -> (FileName, u64) {
        let Position { segment, offset } = self.known_synced;
        (segment::file(segment), offset)
    }

    /// The place where the log is damaged or torn, if it is.
    pub fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// An operation has ended: what became readable by it is shown, and the next operation asked
    /// for.
    pub fn completed(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskDone, DiskError>,
        out: &mut Vec<Op>,
        show: &mut dyn FnMut(Event<'_>),
    ) {
        if self.awaited != Some(ticket) {
            return;
        }
        self.awaited = None;
        let done = match outcome {
            Ok(done) => done,
            Err(error) => return self.refuse(self.explain(&error), show),
        };
        match (&self.stage, done) {
            (Stage::Listing, DiskDone::Listed { files }) => {
                self.files = files.into_iter().collect();
                self.listed(out, show);
            }
            (Stage::Manifest, DiskDone::Read { bytes }) => self.read_manifest(&bytes, out, show),
            (Stage::Fresh, DiskDone::Read { bytes }) => {
                if scan::is_zero(&bytes) {
                    self.make(out, show);
                } else {
                    self.refuse(
                        "there is a log but no manifest: put the manifest back".into(),
                        show,
                    );
                }
            }
            (Stage::Script, DiskDone::Read { bytes }) => self.read_again(bytes, out),
            (_, DiskDone::Read { bytes }) => {
                self.done_bytes += bytes.len() as u64;
                self.reader.take_in(&bytes);
                self.go_on(out, show);
            }
            _ => self.next_of_script(out, show),
        }
    }

    /// The log, ready to be appended to; to be called after `Event::Done`.
    pub fn into_log(self, now: Now) -> Log {
        let resume = Resume {
            tickets: self.tickets.0,
            settings: Settings {
                identity: self.manifest.identity,
                ..self.settings
            },
            end: self.end,
            capacity: self.end_length,
            predecessor: self.predecessor,
            restated: self.restated,
            last_index: self.last,
            base: self.manifest.base,
            base_bytes: self.base_bytes,
            first_segment: self.manifest.first_segment,
            first_predecessor: self.manifest.predecessor,
            earlier_bytes: self.earlier_bytes,
            debt: self.manifest.debt,
        };
        Log::resume(resume, now.mono)
    }

    pub(super) fn ask(&mut self, op: DiskOp, out: &mut Vec<Op>) {
        self.about = op.file();
        self.awaited = Some(self.tickets.ask(op, out));
    }

    pub(super) fn refuse(&mut self, why: String, show: &mut dyn FnMut(Event<'_>)) {
        self.stage = Stage::Over;
        show(Event::Refused(why));
    }

    fn explain(&self, error: &DiskError) -> String {
        let directory = || "the data directory".into();
        let about: String = self.about.map_or_else(directory, |file| format!("{file}"));
        match error {
            DiskError::NoSpace { .. } => {
                let segment = self.settings.segment_bytes;
                format!(
                    "there is not enough space for the log in the data directory: it needs {} MiB \
                     at first, in segments of {} MiB, and room for a copy of all data when it is \
                     rewritten",
                    (2 * segment).div_ceil(1 << 20),
                    segment.div_ceil(1 << 20)
                )
            }
            DiskError::NotFound => format!("{about} is gone from the data directory"),
            DiskError::Short { .. } | DiskError::Io { .. } => {
                format!("{about} cannot be read or written: {}", error.words())
            }
        }
    }

    fn read_front(&mut self, file: FileName, len: u32, out: &mut Vec<Op>) {
        let offset = 0;
        self.ask(DiskOp::Read { file, offset, len }, out);
    }

    fn listed(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        if self.files.contains_key(&FileName::MANIFEST) {
            self.stage = Stage::Manifest;
            return self.read_front(FileName::MANIFEST, MANIFEST_BYTES, out);
        }
        let others = |file: &FileName| {
            file.kind() == FileKind::Base || file.kind() == FileKind::Log && file.number() != 1
        };
        if self.files.keys().any(others) {
            return self.refuse(
                "there is a log but no manifest: put the manifest back".into(),
                show,
            );
        }
        if self.files.contains_key(&segment::file(1)) {
            // A first start that was cut short leaves a segment without a byte of use in it.
            self.stage = Stage::Fresh;
            return self.read_front(segment::file(1), self.settings.read_bytes, out);
        }
        self.make(out, show);
    }

    fn read_manifest(&mut self, bytes: &[u8], out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        let manifest = match Manifest::decode(bytes) {
            Ok(manifest) => manifest,
            Err(unreadable) => return self.refuse(unreadable.text(), show),
        };
        self.predecessor = manifest.predecessor;
        self.manifest = manifest;
        show(Event::Identity(&self.manifest.identity));
        if let Some(debt) = self.manifest.debt {
            show(Event::InDebt(debt));
        }
        let counts = |file: &FileName| match file.kind() {
            FileKind::Base => file.number() == self.manifest.base,
            FileKind::Log => file.number() >= self.manifest.first_segment,
            _ => false,
        };
        let lengths = self.files.iter().filter(|(file, _)| counts(file));
        self.total_bytes = lengths.map(|(_, length)| length).sum();
        if self.manifest.base == 0 {
            return self.open_segment(self.manifest.first_segment, Stage::Log, out, show);
        }
        self.stage = Stage::Base;
        self.open(rewriting::base(self.manifest.base), out, show);
    }

    fn open(&mut self, file: FileName, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        self.file = file;
        let Some(length) = self.files.get(&file) else {
            return self.refuse(
                format!("{file} is missing, and the manifest lists it"),
                show,
            );
        };
        self.reader = Reader::open(*length);
        self.read_more(out);
    }

    fn open_segment(
        &mut self,
        number: u64,
        stage: Stage,
        out: &mut Vec<Op>,
        show: &mut dyn FnMut(Event<'_>),
    ) {
        self.number = number;
        self.stage = stage;
        self.open(segment::file(number), out, show);
        if self.stage == Stage::Log {
            self.end = Position {
                segment: number,
                offset: 0,
            };
            self.end_length = self.reader.length;
        }
    }

    fn read_more(&mut self, out: &mut Vec<Op>) {
        let offset = self.reader.start + self.reader.buffer.len() as u64;
        let read = DiskOp::Read {
            file: self.file,
            offset,
            len: self.settings.read_bytes,
        };
        self.ask(read, out);
    }

    fn go_on(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        match self.stage {
            Stage::Base => self.parse_base(out, show),
            Stage::Log => self.parse_log(out, show),
            Stage::Rest => self.search_rest(out, show),
            Stage::Next => self.try_next(out, show),
            _ => {}
        }
    }

    fn parse_base(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        while !self.base_ended {
            let place = Position::in_base(self.manifest.base, self.reader.offset());
            match record::find(self.reader.unused(), place) {
                Found::Record {
                    payload, length, ..
                } => {
                    match payload.split_first() {
                        Some((&rewriting::HEAD, head)) => show(Event::BaseHead(head)),
                        Some((&rewriting::PIECE, piece)) => show(Event::BasePiece(piece)),
                        _ => self.base_ended = true,
                    }
                    self.reader.used += length;
                }
                Found::Partial(_) if !self.reader.is_read() => return self.read_more(out),
                Found::Partial(_) | Found::Nothing => {
                    self.base_damage = Some(self.reader.offset());
                    break;
                }
            }
        }
        self.base_bytes = self.reader.length;
        self.open_segment(self.manifest.first_segment, Stage::Log, out, show);
    }

    /// The record at the reader's place, if it goes on from the one before.
    fn parse_log(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        loop {
            let place = Position {
                segment: self.number,
                offset: self.reader.offset(),
            };
            match record::find(self.reader.unused(), place) {
                Found::Record {
                    payload,
                    sum,
                    length,
                } => {
                    let Some((head, body)) =
                        Head::decode(payload).filter(|(h, _)| h.predecessor == self.predecessor)
                    else {
                        break;
                    };
                    (self.restated, self.last) = (head.restated, head.last);
                    self.known_synced = self.known_synced.max(head.synced);
                    let Head { restated, last, .. } = head;
                    show(if self.base_damage.is_some() {
                        Event::Stray {
                            restated,
                            last,
                            body,
                        }
                    } else {
                        Event::Record {
                            restated,
                            last,
                            body,
                        }
                    });
                    self.predecessor = sum;
                    self.reader.used += length;
                    self.end.offset = self.reader.offset();
                }
                Found::Partial(needed) => {
                    let fits = place.offset + needed as u64 <= self.reader.length;
                    if fits && !self.reader.is_read() {
                        return self.read_more(out);
                    }
                    break;
                }
                Found::Nothing if self.reader.unused().is_empty() && !self.reader.is_read() => {
                    return self.read_more(out);
                }
                Found::Nothing => break,
            }
        }
        self.stage = Stage::Rest;
        self.search_rest(out, show);
    }

    /// Searches what stands behind the last record in its segment.
    fn search_rest(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        if !self.reader.is_read() {
            return self.read_more(out);
        }
        self.search(self.end, show);
        self.look_at_next(self.number + 1, out, show);
    }

    /// Looks for records in what is left of a segment, which stands at `from`.
    fn search(&mut self, from: Position, show: &mut dyn FnMut(Event<'_>)) {
        let (missing, rest) = (self.end, self.reader.unused());
        self.torn |= !scan::is_zero(rest);
        let mut witness = self.witness;
        scan::strays(rest, from, &mut |stray| {
            let Head {
                restated,
                last,
                synced,
                ..
            } = stray.head;
            if synced > missing {
                witness.get_or_insert(stray.place);
            }
            let body = stray.body;
            show(Event::Stray {
                restated,
                last,
                body,
            });
        });
        self.witness = witness;
    }

    /// Looks into the next segment that is there. One may be missing before it: a crash while
    /// segments that no longer count were being removed leaves any of them, and so does a helping
    /// hand that removed one that counts.
    fn look_at_next(&mut self, from: u64, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        let mut later = self.files.range(segment::file(from)..);
        let next = later.find(|(file, _)| file.kind() == FileKind::Log);
        match next.map(|(file, _)| file.number()) {
            Some(number) => self.open_segment(number, Stage::Next, out, show),
            None => self.log_is_read(out, show),
        }
    }

    /// Goes on in the next segment if its first record names our last as its predecessor; else it
    /// is searched.
    fn try_next(&mut self, out: &mut Vec<Op>, show: &mut dyn FnMut(Event<'_>)) {
        let start = Position {
            segment: self.number,
            offset: 0,
        };
        let found = record::find(self.reader.unused(), start);
        match found {
            Found::Partial(_) if !self.reader.is_read() => return self.read_more(out),
            Found::Record { payload, .. }
                if Head::decode(payload)
                    .is_some_and(|(h, _)| h.predecessor == self.predecessor)
                    && self.number == self.end.segment + 1
                    && self.witness.is_none() =>
            {
                self.earlier_bytes += self.end.offset;
                self.end = start;
                self.end_length = self.reader.length;
                self.torn = false;
                self.stage = Stage::Log;
                return self.parse_log(out, show);
            }
            _ => {}
        }
        if !self.reader.is_read() {
            return self.read_more(out);
        }
        self.search(start, show);
        self.look_at_next(self.number + 1, out, show);
    }
}
