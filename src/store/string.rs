//! Strings: set, appended to, and overwritten in part.

use core::mem;

use super::entry::{BigValue, Draft, Kind, Stored, View};
use super::{DbId, NewExpiry, Store, Text, WrongType};
use crate::time::Stamp;

impl Store {
    /// Makes `key` a string with this value, whatever it was; a canonical integer is kept as an
    /// integer.
    pub fn set_string(&mut self, db: DbId, key: &[u8], value: &[u8], expiry: NewExpiry, at: Stamp) {
        match Text::of(value) {
            Text::Integer(number) => self.set_integer(db, key, number, expiry, at),
            Text::Bytes(bytes) => self.assign(db, key, Kind::Bytes, bytes, expiry, at),
        }
    }

    /// Makes `key` an integer, whatever it was.
    pub fn set_integer(&mut self, db: DbId, key: &[u8], value: i64, expiry: NewExpiry, at: Stamp) {
        self.assign(db, key, Kind::Integer, &value.to_le_bytes(), expiry, at);
    }

    fn assign(
        &mut self,
        db: DbId,
        key: &[u8],
        kind: Kind,
        value: &[u8],
        expiry: NewExpiry,
        at: Stamp,
    ) {
        let dict = self.dict(db);
        let hash = dict.hash(key);
        let place = dict.find(hash, key);
        let live = place
            .map(|place| dict.view(place))
            .filter(|view| view.live(at));
        let before = live.and_then(|view| view.expiry);
        let expiry = match expiry {
            NewExpiry::Keep => before,
            NewExpiry::Never => None,
            NewExpiry::At(time) => Some(time),
        };
        if live.is_some_and(|view| before == expiry && holds(&view, kind, value)) {
            return;
        }
        // What is dead at once was never there, unless something else was.
        let seen = live.is_some() || expiry.is_none_or(|time| time > at);
        self.changes += u64::from(seen);
        let draft = Draft {
            kind,
            epoch: self.epoch,
            expiry,
            key,
            value,
        };
        self.put(db, hash, place, &draft);
    }

    /// Appends to the string at `key`, which is made where it is absent; returns its new length in
    /// bytes.
    ///
    /// The caller has checked that the length stays within `limits::BULK_BYTES_MAX`.
    pub fn append(
        &mut self,
        db: DbId,
        key: &[u8],
        bytes: &[u8],
        at: Stamp,
    ) -> Result<usize, WrongType> {
        let text = self.text(db, key, at)?;
        if let Some(text) = text
            && bytes.is_empty()
        {
            return Ok(text.len());
        }
        let offset = text.map_or(0, Text::len);
        Ok(self.splice(db, key, offset, bytes, at))
    }

    /// Overwrites the string at `key` from `offset` on, with zeros in between where it is shorter
    /// or absent; returns its new length in bytes. With no `bytes` nothing changes.
    ///
    /// The caller has checked that the length stays within `limits::BULK_BYTES_MAX`.
    pub fn set_range(
        &mut self,
        db: DbId,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
        at: Stamp,
    ) -> Result<usize, WrongType> {
        let text = self.text(db, key, at)?;
        if bytes.is_empty() {
            return Ok(text.map_or(0, Text::len));
        }
        Ok(self.splice(db, key, offset, bytes, at))
    }

    /// Writes `bytes` at `offset` of a string, which may be absent; its new length.
    fn splice(&mut self, db: DbId, key: &[u8], offset: usize, bytes: &[u8], at: Stamp) -> usize {
        let end = offset + bytes.len();
        if let Some(place) = self.find_live(db, key, at)
            && let Stored::Bytes(old) = self.dict(db).view(place).stored
            && self.dict(db).view(place).big.is_some()
        {
            let length = old.len().max(end);
            if old.get(offset..end) == Some(bytes) {
                return length;
            }
            self.changes += 1;
            self.cover_big(db, place, true);
            self.dict_mut(db).change_big(place, |big| {
                if let BigValue::Bytes(text) = &mut big.value {
                    overwrite(text, offset, bytes);
                }
            });
            return length;
        }
        let mut text = mem::take(&mut self.scratch);
        text.clear();
        if let Ok(Some(old)) = self.text(db, key, at) {
            old.write_to(&mut text);
        }
        overwrite(&mut text, offset, bytes);
        self.set_string(db, key, &text, NewExpiry::Keep, at);
        let length = text.len();
        self.keep_scratch(text);
        length
    }
}

/// Whether a key holds just this.
fn holds(view: &View<'_>, kind: Kind, value: &[u8]) -> bool {
    match (view.stored, kind) {
        (Stored::Integer(number), Kind::Integer) => number.to_le_bytes() == value,
        // An integer under a key too long for a block is kept as text.
        (Stored::Bytes(text), Kind::Integer) => match Text::of(text) {
            Text::Integer(number) => number.to_le_bytes() == value,
            Text::Bytes(_) => false,
        },
        (Stored::Bytes(text), Kind::Bytes) => text == value,
        _ => false,
    }
}

fn overwrite(text: &mut alloc::vec::Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if text.len() < end {
        text.resize(end, 0);
    }
    text[offset..end].copy_from_slice(bytes);
}
