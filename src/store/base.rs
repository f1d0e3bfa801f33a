//! A base under way: the state as it was at one moment, written while the store goes on changing.
//!
//! A walk goes through all tables in their order and stamps what it has written with the
//! base's epoch. Whatever is about to be changed and does not bear that epoch is written first, and
//! what is new bears it from the start. So each key is written exactly once, as it was. What is
//! large is never copied for this: a table that is emptied out and a box that is removed are kept
//! for the walk, and a hash with a table is walked field by field in the same manner.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use super::big::{Big, BigValue, Origin};
use super::dict::{Dict, Item, Place};
use super::digest::{PART_BYTES, Tally};
use super::entry::{Draft, Stored, View};
use super::garbage::Garbage;
use super::record::{self, Name};
use super::{DbId, Store};
use crate::limits::DATABASES;
use crate::time::Stamp;

/// Old states wait for the walk in chunks of about this many bytes.
const CHUNK_BYTES: usize = 64 << 10;
/// What a look at a segment counts against the budget of a step, in bytes.
const SEGMENT_COST: usize = 1 << 10;
/// So many bases may be given up in a row before stamps could be mistaken for later ones.
const GIVEN_UP_MAX: u8 = 250;

#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    /// How far the walk has come: the database, and the place in it.
    db: DbId,
    from: u64,
    /// Records of old states, and the bytes of all.
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Boxes that were removed.
    retired: VecDeque<Retired>,
    /// The bytes of those that were copied because they were about to be changed.
    copied_bytes: usize,
    /// Tables that were emptied out.
    detached: VecDeque<Detached>,
    /// A bit for each database that was emptied out before the walk was through with it.
    flushed: u32,
    /// Where boxes stand that were renamed, perhaps to where the walk has been already.
    moved: BTreeSet<(DbId, Box<[u8]>)>,
    /// The time at which the state stands, until that is written.
    opening: Option<Stamp>,
    /// The digest of what is written.
    tally: Tally,
}

/// A box that was removed.
#[derive(Clone, Debug)]
struct Retired {
    db: DbId,
    big: Box<Big>,
    /// The bytes that it takes beside the original, where it is a copy; otherwise 0.
    copied: usize,
}

/// A table that was emptied out.
#[derive(Clone, Debug)]
struct Detached {
    db: DbId,
    dict: Dict,
    /// The place from which on it is not written.
    from: u64,
}

impl Store {
    /// Begins a base: the state as it is at `at`, which is now, will be handed out in pieces while
    /// the store goes on changing. A base that was under way is aborted.
    pub fn base_begin(&mut self, at: Stamp) {
        self.base_abort();
        if self.given_up >= GIVEN_UP_MAX {
            // An unbounded walk, after hundreds of bases of which none came to its end.
            for dict in &mut self.databases {
                dict.restamp(self.epoch);
            }
            self.given_up = 0;
        }
        self.epoch = self.epoch.wrapping_add(1);
        self.base = Some(Box::new(Base {
            opening: Some(at),
            tally: Tally::new(at),
            ..Base::default()
        }));
    }

    /// Whether a base is under way.
    #[must_use]
    pub fn base_running(&self) -> bool {
        self.base.is_some()
    }

    /// Appends the next piece of the base to `sink`, about `budget` bytes of it; whether more will
    /// come. Where it returns false the base is complete (and no longer under way).
    pub fn base_step(&mut self, sink: &mut Vec<u8>, budget: usize) -> bool {
        let Some(mut base) = self.base.take() else {
            return false;
        };
        let begun = sink.len();
        if let Some(at) = base.opening.take() {
            record::opening(sink, at);
        }
        let mut pen = Pen {
            epoch: self.epoch,
            end: begun.saturating_add(budget.max(1)),
            sink,
        };
        let is_whole = base.step(&mut pen, &mut self.databases, &mut self.garbage);
        let mut written = &sink[begun..];
        while let Ok(record) = record::take(&mut written) {
            base.tally.add(&record);
        }
        if is_whole {
            record::closing(sink, base.tally.sum());
            self.base_digest = Some(base.tally.sum());
            self.given_up = 0;
            return false;
        }
        self.base = Some(base);
        true
    }

    /// The digest of the state in the base that was written or loaded last, as `digest` would have
    /// given it at its beginning; `None` while one is being loaded, and where there was none.
    #[must_use]
    pub fn base_digest(&self) -> Option<u128> {
        self.base_digest
    }

    /// Gives up a base that is under way.
    pub fn base_abort(&mut self) {
        let Some(base) = self.base.take() else {
            return;
        };
        self.given_up += 1;
        for retired in base.retired {
            self.garbage.big(retired.big);
        }
        for detached in base.detached {
            self.garbage.table(detached.dict);
        }
    }

    /// The bytes of old states that wait for `base_step` because their keys were changed before the
    /// base came to them. Where they are too many, writes should pause.
    ///
    /// What was removed and is only kept longer is not counted: it takes no more memory than it
    /// did.
    #[must_use]
    pub fn base_preimage_bytes(&self) -> usize {
        let bytes = |base: &Box<Base>| base.waiting_bytes + base.copied_bytes;
        self.base.as_ref().map_or(0, bytes)
    }
}

impl Base {
    /// The bytes that it keeps from being freed, and those that it waits to write.
    pub(super) fn memory(&self) -> usize {
        let retired: usize = self
            .retired
            .iter()
            .map(|retired| match retired.copied {
                0 => retired.big.memory(),
                copied => copied,
            })
            .sum();
        let detached: usize = self.detached.iter().map(|table| table.dict.memory()).sum();
        self.waiting_bytes + retired + detached
    }

    /// Keeps one record until the next step.
    fn wait(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self
            .waiting
            .back()
            .is_none_or(|chunk| chunk.len() >= CHUNK_BYTES)
        {
            self.waiting.push_back(Vec::new());
        }
        if let Some(chunk) = self.waiting.back_mut() {
            let before = chunk.len();
            write(chunk);
            self.waiting_bytes += chunk.len() - before;
        }
    }

    /// Keeps what a block holds.
    pub(super) fn cover_view(&mut self, db: DbId, view: &View<'_>) {
        let name = Name { db, key: view.key };
        self.wait(|out| record::begin(out, name, view.expiry, view.stored));
    }

    /// Keeps what a block holds.
    pub(super) fn cover_draft(&mut self, db: DbId, draft: &Draft<'_>) {
        let name = Name { db, key: draft.key };
        self.wait(|out| record::begin(out, name, draft.expiry, draft.stored()));
    }

    /// Keeps key and expiry of a box that is still owed.
    pub(super) fn cover_head(&mut self, epoch: u8, db: DbId, big: &mut Big) {
        if big.head_epoch == epoch {
            return;
        }
        let stored = match big.value.stored() {
            // The text itself comes in parts.
            Stored::Bytes(_) | Stored::Rope(_) => Stored::Bytes(&[]),
            stored => stored,
        };
        self.wait(|out| record::begin(out, big.name(epoch, db), big.expiry, stored));
        big.head_epoch = epoch;
        big.progress = 0;
        if big.value.is_whole_at_once() {
            big.done_epoch = epoch;
        }
    }

    /// Keeps what a box holds of a string or a packed hash. A long string is copied for that, once;
    /// of a rope the list of its chunks is.
    pub(super) fn cover_value(&mut self, epoch: u8, db: DbId, big: &mut Big) {
        if big.done_epoch == epoch {
            return;
        }
        match &big.value {
            BigValue::Bytes(_) | BigValue::Rope(_) => {
                let copy = big.duplicate();
                let copied = copy.memory_unshared();
                self.copied_bytes += copied;
                self.retired.push_back(Retired {
                    db,
                    big: copy,
                    copied,
                });
                big.head_epoch = epoch;
                big.done_epoch = epoch;
                big.origin = None;
            }
            BigValue::Integer(_) | BigValue::Raw(_) | BigValue::Packed(_) => {
                self.cover_head(epoch, db, big);
            }
            BigValue::Table(_) => {}
        }
    }

    /// Keeps one field of a hash's table, with key and expiry of the hash if need be.
    pub(super) fn cover_field(&mut self, epoch: u8, db: DbId, big: &mut Big, place: Place) {
        let BigValue::Table(fields) = &big.value else {
            return;
        };
        let view = fields.view(place);
        if view.epoch == epoch {
            return;
        }
        self.cover_head(epoch, db, big);
        let BigValue::Table(fields) = &big.value else {
            return;
        };
        let view = fields.view(place);
        let name = big.name(epoch, db);
        self.wait(|out| {
            let mut one = Vec::new();
            record::field(&mut one, view.key, view.field_value());
            record::fields(out, name, 1, &one);
        });
    }

    /// Keeps a box that was removed until it is written.
    pub(super) fn retire(&mut self, epoch: u8, db: DbId, big: Box<Big>) {
        if big.moved(epoch) {
            self.moved.remove(&(db, big.key.clone()));
        }
        self.retired.push_back(Retired { db, big, copied: 0 });
    }

    /// Remembers whence a box comes that is still owed and will stand under another key.
    pub(super) fn note_move(&mut self, epoch: u8, db: DbId, big: &mut Big, to_db: DbId, to: &[u8]) {
        if big.moved(epoch) {
            self.moved.remove(&(db, big.key.clone()));
        } else {
            let key = big.key.clone();
            big.origin = Some(Box::new(Origin { epoch, db, key }));
        }
        self.moved.insert((to_db, to.into()));
    }

    /// Takes over a table that was emptied out; to `garbage` with it if nothing in it is owed.
    pub(super) fn detach(&mut self, epoch: u8, db: DbId, mut dict: Dict, garbage: &mut Garbage) {
        let first = (db, Box::default());
        let here: Vec<_> = self
            .moved
            .range(first..)
            .take_while(|(held, _)| *held == db)
            .collect();
        let mut owed = Vec::new();
        for (_, key) in here {
            let place = dict.find(dict.hash(key), key);
            owed.extend(place.and_then(|place| dict.remove(place)));
        }
        for big in owed {
            self.retire(epoch, db, big);
        }
        let bit = 1 << db;
        if self.db > db || self.flushed & bit != 0 {
            garbage.table(dict);
            return;
        }
        let from = if self.db == db { self.from } else { 0 };
        self.detached.push_back(Detached { db, dict, from });
        self.flushed |= bit;
    }

    /// Writes until the step's part is done; whether all is written.
    fn step(&mut self, pen: &mut Pen<'_>, tables: &mut [Dict], garbage: &mut Garbage) -> bool {
        while self.write_some(pen, tables, garbage) {
            if pen.full() {
                return false;
            }
        }
        true
    }

    /// Writes one thing that waits, what waits longest first; whether there was one.
    fn write_some(
        &mut self,
        pen: &mut Pen<'_>,
        tables: &mut [Dict],
        garbage: &mut Garbage,
    ) -> bool {
        if let Some(chunk) = self.waiting.pop_front() {
            self.waiting_bytes -= chunk.len();
            pen.sink.extend_from_slice(&chunk);
        } else if let Some(retired) = self.retired.front_mut() {
            if pen.write_big(retired.db, &mut retired.big)
                && let Some(retired) = self.retired.pop_front()
            {
                self.copied_bytes -= retired.copied;
                garbage.big(retired.big);
            }
        } else if let Some(detached) = self.detached.front_mut() {
            match pen.write_segment(detached.db, &mut detached.dict, detached.from) {
                Some(next) => detached.from = next,
                None => {
                    if let Some(detached) = self.detached.pop_front() {
                        garbage.table(detached.dict);
                    }
                }
            }
        } else if self.db < DATABASES {
            // What came into an emptied database since then is new, or was renamed.
            let next = if self.flushed & 1 << self.db == 0 {
                pen.write_segment(self.db, &mut tables[self.db as usize], self.from)
            } else {
                None
            };
            self.from = next.unwrap_or(0);
            self.db += DbId::from(next.is_none());
        } else if let Some((db, key)) = self.moved.first() {
            let dict = &mut tables[*db as usize];
            let place = dict.find(dict.hash(key), key);
            let written = place
                .filter(|place| dict.view(*place).big.is_some())
                .is_none_or(|place| dict.change_big(place, |big| pen.write_big(*db, big)));
            if written {
                self.moved.pop_first();
            }
        } else {
            return false;
        }
        true
    }
}

/// What a step writes with.
struct Pen<'a> {
    epoch: u8,
    sink: &'a mut Vec<u8>,
    /// The length of `sink` at which the step ends. Work that writes nothing draws it nearer.
    end: usize,
}

impl Pen<'_> {
    fn full(&self) -> bool {
        self.sink.len() >= self.end
    }

    /// Writes what is owed of the segment at the place `from`. Returns where to go on: `None`
    /// behind the last.
    fn write_segment(&mut self, db: DbId, dict: &mut Dict, from: u64) -> Option<u64> {
        self.end = self.end.saturating_sub(SEGMENT_COST);
        dict.stamp(from, self.epoch, &mut |item| {
            let written = match item {
                Item::Big(big) if big.done_epoch == self.epoch => return true,
                Item::Block(draft) => {
                    let name = Name { db, key: draft.key };
                    record::begin(self.sink, name, draft.expiry, draft.stored());
                    true
                }
                Item::Big(big) => self.write_big(db, big),
            };
            written && !self.full()
        })
    }

    /// Writes what is owed of a box; whether it is done with.
    fn write_big(&mut self, db: DbId, big: &mut Big) -> bool {
        if big.done_epoch == self.epoch {
            return true;
        }
        if big.head_epoch != self.epoch {
            let stored = match big.value.stored() {
                Stored::Bytes(text) => Stored::Bytes(&text[..text.len().min(PART_BYTES)]),
                stored => stored,
            };
            record::begin(self.sink, big.name(self.epoch, db), big.expiry, stored);
            big.head_epoch = self.epoch;
            big.progress = match stored {
                Stored::Bytes(part) => part.len() as u64,
                Stored::Rope(_) => PART_BYTES as u64,
                _ => 0,
            };
        }
        let done = match big.value {
            BigValue::Bytes(_) | BigValue::Rope(_) => self.write_text(db, big),
            BigValue::Integer(_) | BigValue::Raw(_) | BigValue::Packed(_) => true,
            BigValue::Table(_) => self.write_fields(db, big),
        };
        if done {
            big.done_epoch = self.epoch;
            big.origin = None;
        }
        done
    }

    fn write_text(&mut self, db: DbId, big: &mut Big) -> bool {
        let len = match &big.value {
            BigValue::Bytes(text) => text.len(),
            BigValue::Rope(rope) => rope.len(),
            _ => return true,
        };
        let name = big.name(self.epoch, db);
        let mut progress = big.progress as usize;
        while progress < len {
            let end = len.min(progress + PART_BYTES);
            // The parts of a rope are its chunks.
            let part = match &big.value {
                BigValue::Bytes(text) => text.get(progress..end),
                BigValue::Rope(rope) => rope.range(progress, end).next(),
                _ => None,
            };
            let part = part.unwrap_or_default();
            record::more(self.sink, name, progress as u64, part);
            progress = end;
            if self.full() {
                break;
            }
        }
        big.progress = progress as u64;
        progress == len
    }

    fn write_fields(&mut self, db: DbId, big: &mut Big) -> bool {
        let mut batch = Vec::new();
        loop {
            let room = self.end.saturating_sub(self.sink.len());
            let mut count = 0;
            batch.clear();
            let BigValue::Table(fields) = &mut big.value else {
                return true;
            };
            let next = fields.stamp(big.progress, self.epoch, &mut |item| {
                match item {
                    Item::Block(draft) => record::field(&mut batch, draft.key, draft.value),
                    Item::Big(field) if field.head_epoch == self.epoch => return true,
                    Item::Big(field) => {
                        if let BigValue::Bytes(value) = &field.value {
                            record::field(&mut batch, &field.key, value);
                        }
                        field.restamp(self.epoch);
                    }
                }
                count += 1;
                batch.len() < room
            });
            if count > 0 {
                record::fields(self.sink, big.name(self.epoch, db), count, &batch);
            }
            self.end = self.end.saturating_sub(SEGMENT_COST);
            let Some(next) = next else {
                return true;
            };
            big.progress = next;
            if self.full() {
                return false;
            }
        }
    }
}
