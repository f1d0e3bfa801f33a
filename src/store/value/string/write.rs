//! Strings: set, appended to, and overwritten in part.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use super::made::NewText;
use super::rope::{CHUNK_BYTES, Rope};
use super::{Text, kind_of_written, parse_i64};
use crate::store::big::Kept;
use crate::store::encoding::Encoding;
use crate::store::entry::Draft;
use crate::store::kind::Kind;
use crate::store::value::{Large, Value};
use crate::store::{DbId, NewExpiry, Store, WrongType, room};
use crate::time::Stamp;

impl Store {
    /// The string at `key`; an error where it holds another type.
    pub fn text(&self, db: DbId, key: &[u8], at: Stamp) -> Result<Option<Text<'_>>, WrongType> {
        self.get_as(db, key, at, Value::as_text)
    }

    /// Until the next call, the values that are set may stand in this memory. One that is most of
    /// it is not copied but shares it; a smaller one would keep all of it from being freed.
    pub fn lend(&mut self, memory: Option<Bytes>) {
        self.lent = memory;
    }

    /// A value as a part of the memory that was lent, where it is most of that.
    fn lent_part(&self, value: &[u8]) -> Option<Bytes> {
        let lent = self.lent.as_ref()?;
        let (all, own) = (lent.as_ptr_range(), value.as_ptr_range());
        let is_within = all.start <= own.start && own.end <= all.end;
        let is_most = value.len() > CHUNK_BYTES && value.len() >= lent.len() / 2;
        (is_within && is_most).then(|| lent.slice_ref(value))
    }

    /// Makes `key` a string with this value, whatever it was; a canonical integer is kept as an
    /// integer.
    pub fn set_string(&mut self, db: DbId, key: &[u8], value: &[u8], expiry: NewExpiry, at: Stamp) {
        match parse_i64(value) {
            Some(number) => self.set_integer(db, key, number, expiry, at),
            None => self.assign(db, key, Kind::Bytes, value, expiry, at),
        }
    }

    /// Makes `key` a string with this value, whatever it was, and never an integer.
    pub fn set_text(&mut self, db: DbId, key: &[u8], value: &[u8], expiry: NewExpiry, at: Stamp) {
        self.assign(db, key, Kind::Bytes, value, expiry, at);
    }

    /// Makes `key` a string that was written in part, and keeps the time that it has.
    pub fn set_raw(&mut self, db: DbId, key: &[u8], value: &[u8], at: Stamp) {
        let kind = kind_of_written(value.len());
        self.assign(db, key, kind, value, NewExpiry::Keep, at);
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
        let dict = &self.databases[db as usize];
        let hash = dict.hash(key);
        let place = dict.find(hash, key);
        let live = place
            .map(|place| dict.view(place))
            .filter(|view| view.live(at));
        if live.is_none() {
            self.touches.new_key(db, key);
        } else {
            self.touches.key(db, key);
        }
        let before = live.as_ref().and_then(|view| view.expiry);
        let expiry = match expiry {
            NewExpiry::Keep => before,
            NewExpiry::Never => None,
            NewExpiry::At(time) => Some(time),
        };
        if live
            .as_ref()
            .is_some_and(|view| before == expiry && holds(view.value(), kind, value))
        {
            if let Some(place) = place {
                self.warm(db, place);
            }
            return;
        }
        // What is dead at once was never there, unless something else was.
        let seen = live.is_some() || expiry.is_none_or(|time| time > at);
        self.changes += u64::from(seen);
        if value.len() > CHUNK_BYTES {
            let rope = match self.lent_part(value) {
                Some(part) => Rope::shared(&part),
                None => Rope::of(value),
            };
            let large = (Large::Rope(Box::new(rope)), Encoding::default());
            self.put_large(db, place, key, expiry, large);
            return;
        }
        let draft = Draft {
            kind,
            epoch: self.epoch,
            expiry,
            heat: None,
            key,
            value,
        };
        self.put(db, hash, place, &draft);
    }

    /// Appends to the string at `key`, which is set where it is absent; returns its new length in
    /// bytes. A string that was there is `raw` from then on, also with no `bytes`.
    ///
    /// The caller has checked that the length stays within `limits::BULK_BYTES_MAX`.
    pub fn append(
        &mut self,
        db: DbId,
        key: &[u8],
        bytes: &[u8],
        at: Stamp,
    ) -> Result<usize, WrongType> {
        let Some(text) = self.text(db, key, at)? else {
            self.set_string(db, key, bytes, NewExpiry::Never, at);
            return Ok(bytes.len());
        };
        let offset = text.len();
        Ok(self.splice(db, key, offset, bytes, at))
    }

    /// Overwrites the string at `key` from `offset` on, with zeros in between where it is shorter
    /// or absent; returns its new length in bytes. It is `raw` from then on. With no `bytes`
    /// nothing changes.
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

    /// As `set_range`, for a command that counts as a write only where it changes a byte: the key
    /// is not touched if all of them stand there. The string is `raw` from then on in any case.
    pub fn overwrite(
        &mut self,
        db: DbId,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
        at: Stamp,
    ) -> Result<(), WrongType> {
        let text = self.text(db, key, at)?;
        if text.is_some_and(|text| text.holds(offset, bytes)) {
            self.make_raw(db, key, at);
        } else {
            self.splice(db, key, offset, bytes, at);
        }
        Ok(())
    }

    /// Lets a string be kept as one that was written in part.
    fn make_raw(&mut self, db: DbId, key: &[u8], at: Stamp) {
        let Some(place) = self.find_live(db, key, at) else {
            return;
        };
        let view = self.dict(db).view(place);
        let (expiry, is_boxed) = (view.expiry, view.is_boxed());
        let Value::String(text) = view.value() else {
            return;
        };
        if is_written(text, 0, &[]) {
            return;
        }
        if is_boxed {
            self.changes += 1;
            self.change_whole(db, place, |kept| write_into(kept, 0, &[]));
            return;
        }
        let bytes = text.to_vec();
        self.changes += 1;
        let draft = Draft {
            kind: kind_of_written(bytes.len()),
            epoch: self.epoch,
            expiry,
            heat: None,
            key,
            value: &bytes,
        };
        let hash = self.dict(db).hash(key);
        self.put(db, hash, Some(place), &draft);
    }

    /// A command has written at a key, if only the same again: those who watch it are told.
    pub fn touch(&mut self, db: DbId, key: &[u8]) {
        self.touches.key(db, key);
    }

    /// Lets a key hold a string that was made on the side, whatever it held, for good. If that is
    /// empty, the key goes away.
    pub fn put_text(&mut self, db: DbId, key: &[u8], made: NewText, at: Stamp) {
        if made.is_empty() {
            self.remove(db, key, at);
            return;
        }
        let made = made.into_made(self.epoch);
        self.put_made((db, key), None, made);
    }

    /// Writes `bytes` at `offset` of a string, which may be absent; its new length.
    fn splice(&mut self, db: DbId, key: &[u8], offset: usize, bytes: &[u8], at: Stamp) -> usize {
        let end = offset + bytes.len();
        if let Some(place) = self.find_live(db, key, at)
            && let view = self.dict(db).view(place)
            && view.is_boxed()
        {
            let Value::String(old) = view.value() else {
                return end;
            };
            let len = old.len();
            let is_other = !is_written(old, offset, bytes);
            self.touches.key(db, key);
            if is_other {
                self.changes += 1;
                self.change_whole(db, place, |kept| write_into(kept, offset, bytes));
            }
            return len.max(end);
        }
        if end > CHUNK_BYTES {
            return self.splice_long(db, key, offset, bytes, at);
        }
        let mut text = mem::take(&mut self.scratch);
        text.clear();
        if let Ok(Some(old)) = self.text(db, key, at) {
            old.write_to(&mut text);
        }
        room::write(&mut text, offset, bytes);
        let kind = kind_of_written(text.len());
        self.assign(db, key, kind, &text, NewExpiry::Keep, at);
        let length = text.len();
        self.keep_scratch(text);
        length
    }

    /// As `splice`, of a string that is short or absent and grows beyond one chunk.
    fn splice_long(
        &mut self,
        db: DbId,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
        at: Stamp,
    ) -> usize {
        let live = self.live(db, key, at);
        let is_new = live.is_none();
        let expiry = live.and_then(|view| view.expiry);
        let mut old = Vec::new();
        if let Ok(Some(text)) = self.text(db, key, at) {
            text.write_to(&mut old);
        }
        let mut rope = Rope::of(&old);
        rope.write(offset, bytes);
        self.changes += 1;
        if is_new {
            self.touches.new_key(db, key);
        } else {
            self.touches.key(db, key);
        }
        let place = self.find(db, key);
        let large = (Large::Rope(Box::new(rope)), Encoding::default());
        self.put_large(db, place, key, expiry, large);
        offset + bytes.len()
    }
}

/// Returns true if a key holds just this.
fn holds(held: Value<'_>, kind: Kind, value: &[u8]) -> bool {
    match (held, kind) {
        (Value::String(Text::Integer(number)), Kind::Integer) => number.to_le_bytes() == value,
        (Value::String(Text::Bytes(text)), Kind::Bytes)
        | (Value::String(Text::Raw(text)), Kind::Raw) => text == value,
        (Value::String(Text::Rope(rope)), Kind::Bytes) => rope.is(value),
        _ => false,
    }
}

/// Returns true if a string holds `bytes` at `offset`, and is kept as one that was written in part.
fn is_written(text: Text<'_>, offset: usize, bytes: &[u8]) -> bool {
    let holds = |held: &[u8]| held.get(offset..offset + bytes.len()) == Some(bytes);
    match text {
        Text::Integer(_) => false,
        Text::Bytes(held) => kind_of_written(held.len()) == Kind::Bytes && holds(held),
        Text::Raw(held) => holds(held),
        Text::Rope(rope) => rope.holds(offset, bytes),
    }
}

/// Writes into a string in a box at `offset`, with zeros in between where it is shorter; one that
/// grows beyond a chunk is kept in chunks from then on.
fn write_into(kept: &mut Kept, offset: usize, bytes: &[u8]) {
    let mut text = match kept {
        Kept::Small(Kind::Integer, number) => Text::stored_integer(number).to_vec(),
        Kept::Small(_, text) => mem::take(text),
        Kept::Large(Large::Rope(rope), _) => return rope.write(offset, bytes),
        Kept::Large(..) => return,
    };
    *kept = if offset + bytes.len() > CHUNK_BYTES {
        let mut rope = Rope::of(&text);
        rope.write(offset, bytes);
        Kept::Large(Large::Rope(Box::new(rope)), Encoding::default())
    } else {
        room::write(&mut text, offset, bytes);
        Kept::Small(kind_of_written(text.len()), text)
    };
}
