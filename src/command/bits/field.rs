//! BITFIELD and BITFIELD_RO: bits of a string read and written as numbers.
//!
//! All words are read before anything is done. A short string is changed on the side and written
//! once; in a long one each field is written where it stands.

use alloc::boxed::Box;
use core::mem;

use super::number::{WINDOW, Width};
use super::place::{PIECE_BYTES, bit_offset};
use crate::command::args::Args;
use crate::command::bit_work::{Fields, Overflow};
use crate::command::context::{Change, Query};
use crate::command::error::{Error, Outcome};
use crate::command::key::{Access, CHANGED, READ};
use crate::command::pace::{Kept, Pace};
use crate::command::strings::{current, text};
use crate::limits::{BULK_BYTES_MAX, BYTES_PER_WORK};
use crate::store::Text;

/// The use of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Get,
    Set(i64),
    Add(i64),
}

/// A field, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Field {
    wanted: Use,
    width: Width,
    offset: u64,
}

impl Field {
    /// The place of its first byte.
    fn place(&self) -> usize {
        (self.offset / 8) as usize
    }

    /// The length that a string has at least when it is written.
    fn least_bytes(&self) -> u64 {
        (self.offset + u64::from(self.width.bits)).div_ceil(8)
    }
}

/// A word that begins something, with how many words it takes.
enum Word {
    Overflow(Overflow),
    Field(Field, usize),
}

/// The place of a field: a bit, or behind `#` so many widths.
fn field_offset(text: &[u8], width: Width) -> Result<u64, Error> {
    let Some(nth) = text.strip_prefix(b"#") else {
        return bit_offset(text);
    };
    let nth = bit_offset(nth)?;
    let offset = nth * u64::from(width.bits);
    if offset / 8 < BULK_BYTES_MAX {
        Ok(offset)
    } else {
        Err(Error::BIT_OFFSET)
    }
}

fn read_word(args: Args<'_>, place: usize) -> Result<Word, Error> {
    let behind = args.len() - place - 1;
    if args.is(place, "overflow") && behind >= 1 {
        let overflow = match () {
            () if args.is(place + 1, "wrap") => Overflow::Wrap,
            () if args.is(place + 1, "sat") => Overflow::Saturate,
            () if args.is(place + 1, "fail") => Overflow::Fail,
            () => return Err(Error::OVERFLOW_TYPE),
        };
        return Ok(Word::Overflow(overflow));
    }
    let words = match () {
        () if args.is(place, "get") && behind >= 2 => 3,
        () if args.is(place, "set") && behind >= 3 => 4,
        () if args.is(place, "incrby") && behind >= 3 => 4,
        () => return Err(Error::SYNTAX),
    };
    let width = Width::read(args.at(place + 1))?;
    let offset = field_offset(args.at(place + 2), width)?;
    let wanted = match () {
        () if words == 3 => Use::Get,
        () if args.is(place, "set") => Use::Set(args.integer(place + 3)?),
        () => Use::Add(args.integer(place + 3)?),
    };
    let field = Field {
        wanted,
        width,
        offset,
    };
    if wanted != Use::Get && field.least_bytes() > BULK_BYTES_MAX {
        return Err(Error::BIT_OFFSET);
    }
    Ok(Word::Field(field, words))
}

/// The access to the key in a request: only one that reads nothing but fields is sure to read.
pub(super) fn access(args: Args<'_>) -> Access {
    let mut place = 2;
    while place < args.len() {
        let behind = args.len() - place - 1;
        place += match () {
            () if args.is(place, "get") && behind >= 2 => 3,
            () if args.is(place, "overflow") && behind >= 1 => 2,
            () => return CHANGED,
        };
    }
    READ
}

impl Fields {
    /// Reads all words. Returns true if that was not done before.
    fn read(&mut self, pace: &mut Pace, args: Args<'_>) -> Result<bool, Error> {
        if self.is_read {
            return Ok(false);
        }
        self.word = self.word.max(2);
        while self.word < args.len() {
            pace.step(0, 1)?;
            match read_word(args, self.word)? {
                Word::Overflow(_) => self.word += 2,
                Word::Field(field, words) => {
                    self.count += 1;
                    self.word += words;
                    if field.wanted != Use::Get {
                        self.least_bytes = self.least_bytes.max(field.least_bytes() as usize);
                    }
                }
            }
        }
        (self.is_read, self.word) = (true, 2);
        Ok(true)
    }

    /// The next field.
    fn next(&mut self, pace: &mut Pace, args: Args<'_>) -> Result<Option<Field>, Error> {
        while self.word < args.len() {
            pace.step(0, 1)?;
            match read_word(args, self.word)? {
                Word::Overflow(overflow) => {
                    self.overflow = overflow;
                    self.word += 2;
                }
                Word::Field(field, words) => {
                    self.word += words;
                    return Ok(Some(field));
                }
            }
        }
        Ok(None)
    }
}

/// The bytes of a text from a place on.
fn window(text: Text<'_>, place: usize) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    let end = text.len().min(place + WINDOW);
    if place < end {
        let mut at = 0;
        text.for_each_piece_of(place..end, &mut |piece| {
            window[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        });
    }
    window
}

pub(super) fn bitfield_ro(query: &mut Query<'_>, args: Args<'_>) -> Outcome {
    let mut own = match mem::take(&mut query.pace.kept) {
        Kept::Fields(own) => own,
        _ => Box::default(),
    };
    let done = read_fields(query, args, &mut own);
    query.pace.keep(Kept::Fields, done, own).map(drop)
}

fn read_fields(query: &mut Query<'_>, args: Args<'_>, own: &mut Fields) -> Outcome {
    let is_new = own.read(query.pace, args)?;
    if own.least_bytes > 0 {
        return Err(Error::FIELD_READ_ONLY);
    }
    let text = text(query, args.at(1))?.unwrap_or(Text::Bytes(b""));
    if is_new {
        query.reply.array(own.count);
    }
    while let Some(field) = own.next(query.pace, args)? {
        let window = window(text, field.place());
        query.reply.integer(field.width.load(&window, field.offset));
    }
    Ok(())
}

pub(super) fn bitfield(change: &mut Change<'_>, args: Args<'_>) -> Outcome {
    let mut own = match mem::take(&mut change.pace.kept) {
        Kept::Fields(own) => own,
        _ => Box::default(),
    };
    let done = change_fields(change, args, &mut own);
    change.pace.keep(Kept::Fields, done, own).map(drop)
}

fn change_fields(change: &mut Change<'_>, args: Args<'_>, own: &mut Fields) -> Outcome {
    let (key, db, at) = (args.at(1), change.db, change.at);
    if own.read(change.pace, args)? {
        begin(change, key, own)?;
        change.reply.array(own.count);
    }
    while let Some(field) = own.next(change.pace, args)? {
        let place = field.place();
        let mut window = match &own.text {
            Some(text) => window(Text::Bytes(text), place),
            None => window(current(change, key)?.unwrap_or(Text::Bytes(b"")), place),
        };
        let old = field.width.load(&window, field.offset);
        let (new, answer) = match field.wanted {
            Use::Get => (None, Some(old)),
            Use::Set(given) => {
                let new = field.width.fit(None, given, own.overflow);
                (new, new.map(|_| old))
            }
            Use::Add(given) => {
                let new = field.width.fit(Some(old), given, own.overflow);
                (new, new)
            }
        };
        match answer {
            Some(number) => change.reply.integer(number),
            None => change.reply.null(),
        }
        let Some(new) = new else {
            continue;
        };
        own.has_changed |= new != old;
        field.width.keep(&mut window, field.offset, new);
        let bytes = field.least_bytes() as usize - place;
        if let Some(text) = &mut own.text {
            text[place..place + bytes].copy_from_slice(&window[..bytes]);
        } else {
            let bytes = &window[..bytes];
            change.store.overwrite(db, key, place, bytes, at)?;
        }
    }
    if let Some(text) = &own.text {
        change.store.overwrite(db, key, 0, text, at)?;
    }
    if own.has_changed {
        change.store.touch(db, key);
    }
    Ok(())
}

/// Looks at the key, and makes the string as long as it will be: on the side if it is short.
fn begin(change: &mut Change<'_>, key: &[u8], own: &mut Fields) -> Outcome {
    let found = current(change, key)?;
    if own.least_bytes == 0 {
        return Ok(());
    }
    let len = found.map_or(0, Text::len);
    let bytes = len.max(own.least_bytes);
    own.has_changed = bytes > len;
    if bytes <= PIECE_BYTES {
        let mut copy = found.map(Text::to_vec).unwrap_or_default();
        copy.resize(bytes, 0);
        own.text = Some(copy);
        change.pace.pay(bytes / BYTES_PER_WORK);
        return Ok(());
    }
    // What is there stays; a longer string ends with a zero from the start.
    let last = found.map_or(0, |text| text.byte(bytes - 1));
    let (db, at) = (change.db, change.at);
    change.store.overwrite(db, key, bytes - 1, &[last], at)?;
    Ok(())
}
