//! The narrow place through which keys change: what a base still owes is given to it before.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::base::{Base, Covering};
use super::big::{Big, Kept, Made};
use super::dict::Place;
use super::encoding::Encoding;
use super::entry::Draft;
use super::value::Large;
use super::{DbId, Store, room};
use crate::time::Stamp;

/// The most bytes of scratch that are kept from one call to the next.
const SCRATCH_BYTES_MAX: usize = 64 << 10;

impl Store {
    pub(super) fn find(&self, db: DbId, key: &[u8]) -> Option<Place> {
        let dict = self.dict(db);
        dict.find(dict.hash(key), key)
    }

    /// Gives the scratch bytes back, unless one large value has made them large.
    pub(super) fn keep_scratch(&mut self, scratch: Vec<u8>) {
        if scratch.capacity() <= SCRATCH_BYTES_MAX {
            self.scratch = scratch;
        }
    }

    /// The place of a live key.
    pub(super) fn find_live(&self, db: DbId, key: &[u8], at: Stamp) -> Option<Place> {
        self.find(db, key)
            .filter(|place| self.dict(db).view(*place).live(at))
    }

    /// Frees `key` if it is dead.
    pub(super) fn drop_dead(&mut self, db: DbId, key: &[u8], at: Stamp) {
        if let Some(place) = self.find(db, key)
            && !self.dict(db).view(place).live(at)
        {
            self.take(db, place);
        }
    }

    /// Writes a key that stands at `place`, or nowhere: over what is there where that is possible.
    pub(super) fn put(&mut self, db: DbId, hash: u64, place: Option<Place>, draft: &Draft<'_>) {
        let heat = self.heat_of_written(db, place);
        self.put_warm(db, hash, place, &Draft { heat, ..*draft });
    }

    fn put_warm(&mut self, db: DbId, hash: u64, place: Option<Place>, draft: &Draft<'_>) {
        let fits = draft.fits();
        match place {
            Some(place) if fits && !place.is_boxed() => {
                self.note_end(db, place);
                self.cover_block(db, place);
                self.dict_mut(db).rewrite(place, draft);
            }
            Some(place) => {
                self.take(db, place);
                self.put_warm(db, hash, None, draft);
            }
            None if fits => self.dict_mut(db).insert(hash, draft),
            None => {
                let kept = Kept::Small(draft.kind, room::of(draft.value));
                let mut big = Big::new(draft.key, draft.expiry, draft.epoch, kept);
                big.head.heat = draft.heat;
                self.dict_mut(db).insert_big(hash, big);
            }
        }
    }

    /// Lets a large value stand at a key that stands at `place`, or nowhere.
    pub(super) fn put_large(
        &mut self,
        db: DbId,
        place: Option<Place>,
        key: &[u8],
        expiry: Option<Stamp>,
        (large, encoding): (Large, Encoding),
    ) {
        let heat = self.heat_of_written(db, place);
        if let Some(place) = place {
            self.take(db, place);
        }
        let mut big = Big::new(key, expiry, self.epoch, Kept::Large(large, encoding));
        big.head.heat = heat;
        let dict = self.dict_mut(db);
        let hash = dict.hash(key);
        dict.insert_big(hash, big);
    }

    /// Lets a key hold a value that was made on the side, whatever it held.
    pub(super) fn put_made(
        &mut self,
        (db, key): (DbId, &[u8]),
        expiry: Option<Stamp>,
        Made { kept, epoch }: Made,
    ) {
        self.changes += 1;
        let place = self.find(db, key);
        let hears_ends = self.touches.hears_ends();
        let is_over = |place| hears_ends && self.touches.is_end(self.dict(db).view(place).expiry);
        if place.is_none_or(is_over) {
            self.touches.new_key(db, key);
        } else {
            self.touches.key(db, key);
        }
        match kept {
            Kept::Small(kind, value) => {
                let draft = Draft {
                    kind,
                    epoch: self.epoch,
                    expiry,
                    heat: None,
                    key,
                    value: &value,
                };
                self.put(db, self.dict(db).hash(key), place, &draft);
            }
            Kept::Large(mut large, encoding) => {
                // A base that began meanwhile need not write it either.
                if epoch != self.epoch {
                    large.restamp(self.epoch);
                }
                self.put_large(db, place, key, expiry, (large, encoding));
            }
        }
    }

    /// Takes a key out. A large value is freed later; one that a base still has to write is kept
    /// for it.
    pub(super) fn take(&mut self, db: DbId, place: Place) {
        self.note_end(db, place);
        self.cover_block(db, place);
        if let Some(big) = self.dict_mut(db).remove(place) {
            self.retire(db, big);
        }
    }

    /// Takes note of a dead key that is taken out or written over.
    fn note_end(&mut self, db: DbId, place: Place) {
        if !self.touches.hears_ends() {
            return;
        }
        let view = self.databases[db as usize].view(place);
        if self.touches.is_end(view.expiry) {
            self.touches.ended(db, view.key);
        }
    }

    /// Frees a box that was taken out, now or when a base has no more need of it.
    pub(super) fn retire(&mut self, db: DbId, big: Box<Big>) {
        match &mut self.base {
            Some(base) if big.head.done_epoch != self.epoch => base.retire(self.epoch, db, big),
            _ => self.garbage.big(big),
        }
    }

    /// Gives a block to the base that still owes it; a box is left alone.
    pub(super) fn cover_block(&mut self, db: DbId, place: Place) {
        let Self {
            databases,
            base: Some(base),
            epoch,
            ..
        } = self
        else {
            return;
        };
        let dict = &mut databases[db as usize];
        let view = dict.view(place);
        if !view.is_boxed() && view.epoch != *epoch {
            base.cover_view(db, &view);
            dict.set_epoch(place, *epoch);
        }
    }

    /// Gives what a base owes of a box's key and expiry to it.
    pub(super) fn cover_head(&mut self, db: DbId, place: Place) {
        if self.base.is_none() {
            return;
        }
        self.in_box(db, place, |base, epoch, big| {
            if let Some(base) = base {
                base.cover_head(epoch, db, &mut big.head, &big.kept);
            }
        });
    }

    /// Changes a box beside the base that is under way, and its epoch.
    fn in_box<R>(
        &mut self,
        db: DbId,
        place: Place,
        change: impl FnOnce(Option<&mut Base>, u8, &mut Big) -> R,
    ) -> R {
        self.warm(db, place);
        let (base, epoch) = (self.base.as_deref_mut(), self.epoch);
        self.databases[db as usize].change_big(place, |big| change(base, epoch, big))
    }

    /// Changes a value in a box, after the base that is under way got it as it was.
    pub(super) fn change_whole<R>(
        &mut self,
        db: DbId,
        place: Place,
        change: impl FnOnce(&mut Kept) -> R,
    ) -> R {
        if self.base.is_some() {
            self.upkeep.happened();
        }
        self.in_box(db, place, |base, epoch, big| {
            if let Some(base) = base {
                base.cover_whole(epoch, db, big);
            }
            change(&mut big.kept)
        })
    }

    /// Lets a boxed collection have an encoding: a base under way need not know which it had.
    pub(super) fn set_encoding(&mut self, db: DbId, place: Place, encoding: Encoding) {
        self.in_box(db, place, |_, _, big| match &mut big.kept {
            Kept::Large(_, held) => *held = encoding,
            Kept::Small(kind, _) => *kind = kind.with(encoding),
        });
    }

    /// Changes parts of a large value: `change` covers each of them before. `None` where the value
    /// is small.
    pub(super) fn change_parts<R>(
        &mut self,
        db: DbId,
        place: Place,
        change: impl FnOnce(&mut Large, &mut Covering<'_>) -> R,
    ) -> Option<R> {
        self.in_box(db, place, |base, epoch, big| {
            let begins = big.kept.byte();
            let Kept::Large(large, _) = &mut big.kept else {
                return None;
            };
            let kinds = (begins, large.byte());
            let mut cover = Covering::new(base, epoch, db, &mut big.head, kinds);
            Some(change(large, &mut cover))
        })
    }
}
