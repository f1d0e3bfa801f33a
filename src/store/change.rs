//! The narrow place through which keys change: what a base still owes is given to it before.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::big::{Big, BigValue};
use super::dict::Place;
use super::entry::{Draft, Kind};
use super::value::string::rope::Rope;
use super::{DbId, Store};
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

    /// Where a live key stands.
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
        let fits = draft.fits();
        if let Some(place) = place {
            let boxed = self.dict(db).view(place).big.is_some();
            if fits && !boxed {
                self.cover_block(db, place);
                self.dict_mut(db).rewrite(place, draft);
                return;
            }
            self.take(db, place);
        }
        if fits {
            self.dict_mut(db).insert(hash, draft);
            return;
        }
        let value = match draft.kind {
            Kind::Integer => {
                let number = draft
                    .value
                    .first_chunk()
                    .map_or(0, |raw| i64::from_le_bytes(*raw));
                BigValue::Integer(number)
            }
            Kind::Bytes => match self.lent_part(draft.value) {
                Some(part) => BigValue::Rope(Rope::shared(&part)),
                None => BigValue::text(draft.value),
            },
            Kind::Packed => BigValue::Packed(draft.value.to_vec()),
            Kind::Raw => BigValue::Raw(draft.value.to_vec()),
        };
        let big = Big::new(draft.key, draft.expiry, draft.epoch, value);
        self.dict_mut(db).insert_big(hash, big);
    }

    /// Takes a key out. What is large is freed later; what a base owes, it keeps.
    pub(super) fn take(&mut self, db: DbId, place: Place) {
        self.cover_block(db, place);
        if let Some(big) = self.dict_mut(db).remove(place) {
            self.retire(db, big);
        }
    }

    /// Frees a box that was taken out, now or when a base has no more need of it.
    pub(super) fn retire(&mut self, db: DbId, big: Box<Big>) {
        match &mut self.base {
            Some(base) if big.done_epoch != self.epoch => base.retire(self.epoch, db, big),
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
        if view.big.is_none() && view.epoch != *epoch {
            base.cover_view(db, &view);
            dict.set_epoch(place, *epoch);
        }
    }

    /// Gives what a base owes of a box's key and expiry to it; of its value too where `value` says
    /// that it will change, other than field by field.
    pub(super) fn cover_big(&mut self, db: DbId, place: Place, value: bool) {
        let Self {
            databases,
            base: Some(base),
            epoch,
            ..
        } = self
        else {
            return;
        };
        databases[db as usize].change_big(place, |big| {
            if value {
                base.cover_value(*epoch, db, big);
            } else {
                base.cover_head(*epoch, db, big);
            }
        });
    }
}
