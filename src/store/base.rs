//! A base under way: the state as it was at one moment, written while the store goes on changing.
//!
//! A walk goes through all tables in their order and stamps what it has written with the base's
//! epoch. Every block that is about to be changed and does not bear that epoch is written first,
//! and new ones bear it from the start. So each key is written exactly once, as it was. Large
//! things are never copied for this: a table that is emptied out and a box that is removed are kept
//! for the walk, and a large value is walked part by part in the same manner.

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use super::big::{Big, Head, Kept, Origin};
use super::dict::{Dict, Item};
use super::digest::Tally;
use super::entry::{Boxed, Draft, Held, View};
use super::garbage::Garbage;
use super::record::{self, Name, Record};
use super::value::Large;
use super::value::parts::Cover;
use crate::ids::DbId;
use crate::limits::TABLES;
use crate::time::Stamp;

/// Old states wait for the walk in chunks of about this many bytes.
const CHUNK_BYTES: usize = 64 << 10;
/// The cost of a look at a segment, counted against the budget of a step, in bytes.
const SEGMENT_COST: usize = 1 << 10;

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
    /// The places of boxes that were renamed, perhaps to where the walk has been already.
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
    dict: Dict<Big>,
    /// The place from which on it is not written.
    from: u64,
}

impl Base {
    /// A base of the state as it is at `at`, which is now.
    pub(super) fn new(at: Stamp) -> Self {
        Self {
            opening: Some(at),
            tally: Tally::new(at),
            ..Self::default()
        }
    }

    /// Appends the next piece to `sink`, about `budget` bytes of it; the digest of all where that
    /// was the last one.
    pub(super) fn write(
        &mut self,
        sink: &mut Vec<u8>,
        budget: usize,
        epoch: u8,
        tables: &mut [Dict<Big>],
        garbage: &mut Garbage,
    ) -> Option<u128> {
        let begun = sink.len();
        if let Some(at) = self.opening.take() {
            Record::Opening { at }.put(sink);
        }
        let mut pen = Pen {
            epoch,
            end: begun.saturating_add(budget.max(1)),
            sink,
        };
        let is_whole = self.step(&mut pen, tables, garbage);
        let mut written = &sink[begun..];
        while let Ok(record) = record::take(&mut written) {
            self.tally.add(&record);
        }
        if !is_whole {
            return None;
        }
        let digest = self.tally.sum();
        Record::Closing { digest }.put(sink);
        Some(digest)
    }

    /// Frees what it keeps, now or later.
    pub(super) fn give_up(self, garbage: &mut Garbage) {
        for retired in self.retired {
            garbage.big(retired.big);
        }
        for detached in self.detached {
            garbage.table(detached.dict);
        }
    }

    /// The bytes of old states that wait because their keys were changed before the walk came to
    /// them. Removed values that are only kept longer are not counted: they take no more memory
    /// than before.
    pub(super) fn preimage_bytes(&self) -> usize {
        self.waiting_bytes + self.copied_bytes
    }

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

    /// How many tables that were emptied out it keeps, how many large values that were removed or
    /// copied, and how many that were renamed.
    pub(super) fn owes(&self) -> [usize; 3] {
        [self.detached.len(), self.retired.len(), self.moved.len()]
    }

    /// Keeps one record until the next step.
    fn wait(&mut self, record: &Record<'_>) {
        let has_room = |chunk: &Vec<u8>| chunk.len() < CHUNK_BYTES / 2;
        if !self.waiting.back().is_some_and(has_room) {
            self.waiting.push_back(Vec::new());
        }
        if let Some(chunk) = self.waiting.back_mut() {
            let before = chunk.len();
            record.put(chunk);
            self.waiting_bytes += chunk.len() - before;
        }
    }

    /// Keeps what a block holds.
    pub(super) fn cover_view(&mut self, db: DbId, view: &View<'_, Big>) {
        if let Held::Block(kind, body) = view.held {
            self.wait(&Record::Begin {
                name: Name { db, key: view.key },
                expiry: view.expiry,
                kind: kind.byte(),
                body,
            });
        }
    }

    /// Keeps what a block holds.
    pub(super) fn cover_draft(&mut self, db: DbId, draft: &Draft<'_>) {
        self.wait(&begin_block(db, draft));
    }

    /// Keeps key and expiry of a box that is still owed, and its value where that is small.
    pub(super) fn cover_head(&mut self, epoch: u8, db: DbId, head: &mut Head, kept: &Kept) {
        if head.epoch == epoch {
            return;
        }
        self.wait(&begin_box(epoch, db, head, kept.byte(), kept.begun()));
        match kept {
            Kept::Small(..) => head.done(epoch),
            Kept::Large(..) => head.begun(epoch),
        }
    }

    /// Keeps what a box holds. A large value is cloned for that, once, with as much shared as can
    /// be.
    pub(super) fn cover_whole(&mut self, epoch: u8, db: DbId, big: &mut Big) {
        if big.head.done_epoch == epoch {
            return;
        }
        if let Kept::Small(..) = big.kept {
            self.cover_head(epoch, db, &mut big.head, &big.kept);
            return;
        }
        big.share();
        let copy = Box::new(big.clone());
        let copied = copy.unshared_memory();
        self.copied_bytes += copied;
        self.retired.push_back(Retired {
            db,
            big: copy,
            copied,
        });
        big.head.done(epoch);
    }

    /// Keeps a box that was removed until it is written.
    pub(super) fn retire(&mut self, epoch: u8, db: DbId, big: Box<Big>) {
        if big.head.moved(epoch) {
            self.moved.remove(&(db, big.head.key.clone()));
        }
        self.retired.push_back(Retired { db, big, copied: 0 });
    }

    /// Remembers whence a box comes that is still owed and will stand under another key.
    pub(super) fn note_move(
        &mut self,
        epoch: u8,
        db: DbId,
        head: &mut Head,
        to_db: DbId,
        to: &[u8],
    ) {
        if head.moved(epoch) {
            self.moved.remove(&(db, head.key.clone()));
        } else {
            let key = head.key.clone();
            head.origin = Some(Box::new(Origin { epoch, db, key }));
        }
        self.moved.insert((to_db, to.into()));
    }

    /// Takes over a table that was emptied out; to `garbage` with it if nothing in it is owed.
    pub(super) fn detach(
        &mut self,
        epoch: u8,
        db: DbId,
        mut dict: Dict<Big>,
        garbage: &mut Garbage,
    ) {
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
    fn step(&mut self, pen: &mut Pen<'_>, tables: &mut [Dict<Big>], garbage: &mut Garbage) -> bool {
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
        tables: &mut [Dict<Big>],
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
        } else if self.db < TABLES {
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
                .filter(|place| place.is_boxed())
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

/// The record with which a block's key begins, which is all of it.
fn begin_block<'a>(db: DbId, draft: &Draft<'a>) -> Record<'a> {
    Record::Begin {
        name: Name { db, key: draft.key },
        expiry: draft.expiry,
        kind: draft.kind.byte(),
        body: draft.value,
    }
}

/// The record with which a box's key begins.
fn begin_box<'a>(epoch: u8, db: DbId, head: &'a Head, kind: u8, body: &'a [u8]) -> Record<'a> {
    Record::Begin {
        name: head.name(epoch, db),
        expiry: head.expiry,
        kind,
        body,
    }
}

impl Head {
    /// The base `epoch` holds the record with which its key begins.
    fn begun(&mut self, epoch: u8) {
        self.epoch = epoch;
        self.progress = 0;
    }
}

/// Gives the parts of a large value to the base that still owes them, before they are changed.
#[derive(Debug)]
pub(super) struct Covering<'a> {
    base: Option<&'a mut Base>,
    epoch: u8,
    db: DbId,
    head: &'a mut Head,
    /// The byte with which the value begins, and that of its form.
    kinds: (u8, u8),
}

impl<'a> Covering<'a> {
    /// For the box in `db` with this head and a value of this form, while `base` may be under way.
    pub(super) fn new(
        base: Option<&'a mut Base>,
        epoch: u8,
        db: DbId,
        head: &'a mut Head,
        kinds: (u8, u8),
    ) -> Self {
        Self {
            base,
            epoch,
            db,
            head,
            kinds,
        }
    }
}

impl Cover for Covering<'_> {
    fn epoch(&self) -> u8 {
        self.epoch
    }

    fn part(&mut self, epoch: u8, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(base) = &mut self.base else {
            return;
        };
        if epoch == self.epoch {
            return;
        }
        if self.head.epoch != self.epoch {
            base.wait(&begin_box(
                self.epoch,
                self.db,
                self.head,
                self.kinds.0,
                &[],
            ));
            self.head.begun(self.epoch);
        }
        let mut part = Vec::new();
        write(&mut part);
        base.wait(&Record::Part {
            name: self.head.name(self.epoch, self.db),
            kind: self.kinds.1,
            body: &part,
        });
    }
}

/// The state with which a step writes.
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
    fn write_segment(&mut self, db: DbId, dict: &mut Dict<Big>, from: u64) -> Option<u64> {
        self.end = self.end.saturating_sub(SEGMENT_COST);
        dict.stamp(from, self.epoch, &mut |item| {
            let written = match item {
                Item::Box(big) if big.head.done_epoch == self.epoch => return true,
                Item::Block(draft) => {
                    begin_block(db, draft).put(self.sink);
                    true
                }
                Item::Box(big) => self.write_big(db, big),
            };
            written && !self.full()
        })
    }

    /// Writes what is owed of a box; whether it is done with.
    fn write_big(&mut self, db: DbId, big: &mut Big) -> bool {
        let Big { head, kept } = big;
        if head.done_epoch == self.epoch {
            return true;
        }
        if head.epoch != self.epoch {
            begin_box(self.epoch, db, head, kept.byte(), kept.begun()).put(self.sink);
            head.begun(self.epoch);
        }
        if let Kept::Large(large, _) = kept
            && !self.write_parts(db, head, large)
        {
            return false;
        }
        head.done(self.epoch);
        true
    }

    /// Writes what is owed of a large value; whether it is done with.
    fn write_parts(&mut self, db: DbId, head: &mut Head, large: &mut Large) -> bool {
        let (mut part, kind) = (Vec::new(), large.byte());
        loop {
            let room = self.end.saturating_sub(self.sink.len());
            part.clear();
            let next = large.write_part(head.progress, self.epoch, room, &mut part);
            if !part.is_empty() {
                let (name, body) = (head.name(self.epoch, db), &part);
                Record::Part { name, kind, body }.put(self.sink);
            }
            self.end = self.end.saturating_sub(SEGMENT_COST);
            let Some(next) = next else {
                return true;
            };
            head.progress = next;
            if self.full() {
                return false;
            }
        }
    }
}
