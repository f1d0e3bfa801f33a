//! One key with its value as a table holds it: a block of bytes among its neighbours, or a box of
//! its own when it is big.
//!
//! A block is `kind and flags · epoch · key length · [value length] · [heat] · [expiry] · key ·
//! value`, the lengths in one or two bytes, the heat in three, the expiry in eight. An integer has
//! eight bytes of value and no value length. Most keys of a cache are such blocks: no allocation of
//! their own, no pointer to follow, no padding. Of what is in a box the table knows only what
//! `Boxed` tells.

use super::heat::Heat;
use super::kind::{KIND_BITS, Kind};
use crate::copying;
use crate::time::Stamp;

/// The longest block; what is longer gets a box.
pub(super) const BLOCK_BYTES_MAX: usize = 4096;

/// Flags, epoch, two lengths of two bytes, the heat, and the expiry.
const HEAD_BYTES_MAX: usize = 14 + Heat::BYTES;

const EXPIRES: u8 = 0x40;
const HEATED: u8 = 0x80;
/// With this begins what is between blocks and belongs to none: its length stands in two bytes
/// behind.
const GAP: u8 = 0xfe;
/// A gap of one byte.
const GAP_OF_ONE: u8 = 0xff;

/// A value that is too large for a block, and so has a box of its own.
pub(super) trait Boxed: Sized {
    fn key(&self) -> &[u8];

    fn expiry(&self) -> Option<Stamp>;

    /// The notes on its uses.
    fn heat(&self) -> Option<Heat> {
        None
    }

    /// The base that holds its key and expiry, or was made before it.
    fn epoch(&self) -> u8;

    /// Lets all of it bear `epoch`.
    fn restamp(&mut self, epoch: u8);

    /// The bytes of memory that it takes.
    fn memory(&self) -> usize;

    /// As `memory`, counted anew.
    #[cfg(test)]
    fn recount(&self) -> usize;
}

/// A thing that can expire.
pub(super) trait Expires: Boxed {
    fn set_expiry(&mut self, expiry: Option<Stamp>);

    fn set_heat(&mut self, heat: Option<Heat>);
}

/// A block as it shall be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'a> {
    pub(super) kind: Kind,
    pub(super) epoch: u8,
    pub(super) expiry: Option<Stamp>,
    pub(super) heat: Option<Heat>,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Draft<'_> {
    /// The length of the block.
    pub(super) fn len(&self) -> usize {
        let heat = if self.heat.is_some() { Heat::BYTES } else { 0 };
        self.cold_len() + heat
    }

    /// The length of the block without its heat.
    fn cold_len(&self) -> usize {
        let value_length = if self.kind == Kind::Integer {
            0
        } else {
            short_len(self.value.len())
        };
        let expiry = if self.expiry.is_some() { 8 } else { 0 };
        2 + short_len(self.key.len()) + value_length + expiry + self.key.len() + self.value.len()
    }

    /// Returns true if it can be a block, whether or not anything is noted of its uses.
    pub(super) fn fits(&self) -> bool {
        self.key.len() <= BLOCK_BYTES_MAX
            && self.value.len() <= BLOCK_BYTES_MAX
            && self.cold_len() <= BLOCK_BYTES_MAX
    }

    /// All that stands before the key, and its length.
    fn head(&self) -> ([u8; HEAD_BYTES_MAX], usize) {
        let mut head = [0; HEAD_BYTES_MAX];
        let expires = if self.expiry.is_some() { EXPIRES } else { 0 };
        let heated = if self.heat.is_some() { HEATED } else { 0 };
        head[0] = self.kind.byte() | expires | heated;
        head[1] = self.epoch;
        let mut at = 2;
        put_short(&mut head, &mut at, self.key.len());
        if self.kind != Kind::Integer {
            put_short(&mut head, &mut at, self.value.len());
        }
        if let Some(Heat(bytes)) = self.heat {
            head[at..at + Heat::BYTES].copy_from_slice(&bytes);
            at += Heat::BYTES;
        }
        if let Some(time) = self.expiry {
            head[at..at + 8].copy_from_slice(&time.0.to_le_bytes());
            at += 8;
        }
        (head, at)
    }

    /// Writes the block into so many bytes as it has.
    pub(super) fn write(&self, block: &mut [u8]) {
        let (head, length) = self.head();
        let (front, rest) = block.split_at_mut(length);
        front.copy_from_slice(&head[..length]);
        let (key, value) = rest.split_at_mut(self.key.len());
        key.copy_from_slice(self.key);
        copying::copy(value, self.value);
    }
}

/// The places of a block's parts in the bytes that it begins in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    flags: u8,
    epoch: u8,
    at: usize,
    key: usize,
    value: usize,
    end: usize,
}

impl Header {
    /// Reads the header of the block at `at`.
    pub(super) fn read(bytes: &[u8], at: usize) -> Self {
        let head = bytes[at..].first_chunk();
        let [flags, epoch, first, second] = *head.expect("a block has four bytes at least");
        let is_integer = flags & KIND_BITS == Kind::Integer.byte();
        let (mut next, key_length, value_length);
        if first < 0x80 && (is_integer || second < 0x80) {
            key_length = usize::from(first);
            value_length = if is_integer { 8 } else { usize::from(second) };
            next = at + if is_integer { 3 } else { 4 };
        } else {
            next = at + 2;
            key_length = take_short(bytes, &mut next);
            value_length = if is_integer {
                8
            } else {
                take_short(bytes, &mut next)
            };
        }
        if flags & EXPIRES != 0 {
            next += 8;
        }
        if flags & HEATED != 0 {
            next += Heat::BYTES;
        }
        let value = next + key_length;
        Self {
            flags,
            epoch,
            at,
            key: next,
            value,
            end: value + value_length,
        }
    }

    pub(super) fn epoch(&self) -> u8 {
        self.epoch
    }

    /// The length of the block.
    pub(super) fn len(&self) -> usize {
        self.end - self.at
    }

    pub(super) fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.key..self.value]
    }

    pub(super) fn kind(&self) -> Kind {
        Kind::of_byte(self.flags & KIND_BITS).expect("blocks are written from a Kind")
    }

    pub(super) fn expiry(&self, bytes: &[u8]) -> Option<Stamp> {
        (self.flags & EXPIRES != 0).then(|| {
            let raw = bytes[..self.key]
                .last_chunk::<8>()
                .expect("the expiry stands before the key");
            Stamp(u64::from_le_bytes(*raw))
        })
    }

    /// The offset of the heat, where there is one.
    fn heat_at(&self) -> Option<usize> {
        let expiry = if self.flags & EXPIRES != 0 { 8 } else { 0 };
        (self.flags & HEATED != 0).then(|| self.key - expiry - Heat::BYTES)
    }

    /// The notes on its uses.
    pub(super) fn heat(&self, bytes: &[u8]) -> Option<Heat> {
        let at = self.heat_at()?;
        bytes[at..].first_chunk().map(|bytes| Heat(*bytes))
    }

    /// Notes something else of its uses; false where the block has no room for it.
    pub(super) fn set_heat(&self, bytes: &mut [u8], heat: Heat) -> bool {
        let at = self.heat_at();
        if let Some(at) = at {
            bytes[at..at + Heat::BYTES].copy_from_slice(&heat.0);
        }
        at.is_some()
    }

    pub(super) fn draft<'a>(&self, bytes: &'a [u8]) -> Draft<'a> {
        Draft {
            kind: self.kind(),
            epoch: self.epoch,
            expiry: self.expiry(bytes),
            heat: self.heat(bytes),
            key: self.key(bytes),
            value: &bytes[self.value..self.end],
        }
    }

    /// Replaces an expiry by another; false where the block has no place for one, or one too many.
    pub(super) fn overwrite_expiry(&self, bytes: &mut [u8], expiry: Option<Stamp>) -> bool {
        match (self.flags & EXPIRES != 0, expiry) {
            (true, Some(time)) => {
                bytes[self.key - 8..self.key].copy_from_slice(&time.0.to_le_bytes());
                true
            }
            (false, None) => true,
            (true, None) | (false, Some(_)) => false,
        }
    }

    /// The block as a whole.
    pub(super) fn block<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.at..self.end]
    }

    pub(super) fn set_epoch(&self, bytes: &mut [u8], epoch: u8) {
        bytes[self.at + 1] = epoch;
    }
}

/// Lets so many bytes belong to no block, of which there are less than 64 KiB.
pub(super) fn put_gap(gap: &mut [u8]) {
    let length = gap.len() as u16;
    if let [first, low, high, ..] = gap {
        *first = GAP;
        [*low, *high] = length.to_le_bytes();
    } else {
        gap.fill(GAP_OF_ONE);
    }
}

/// How long the gap is that begins at `at`; `None` where a block does.
pub(super) fn gap(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes[at..] {
        [GAP, low, high, ..] => Some(usize::from(u16::from_le_bytes([low, high]))),
        [GAP_OF_ONE, ..] => Some(1),
        _ => None,
    }
}

/// The content of a table's slot.
#[derive(Debug)]
pub(super) struct View<'a, L> {
    pub(super) key: &'a [u8],
    pub(super) expiry: Option<Stamp>,
    pub(super) epoch: u8,
    pub(super) heat: Option<Heat>,
    pub(super) held: Held<'a, L>,
    /// The length of the block, where it is one.
    block: usize,
}

/// The place of a value.
#[derive(Debug)]
pub(super) enum Held<'a, L> {
    Block(Kind, &'a [u8]),
    Box(&'a L),
}

impl<'a, L: Boxed> View<'a, L> {
    pub(super) fn of_block(header: &Header, bytes: &'a [u8]) -> Self {
        let draft = header.draft(bytes);
        Self {
            key: draft.key,
            expiry: draft.expiry,
            epoch: draft.epoch,
            heat: draft.heat,
            held: Held::Block(draft.kind, draft.value),
            block: header.len(),
        }
    }

    pub(super) fn of_box(boxed: &'a L) -> Self {
        Self {
            key: boxed.key(),
            expiry: boxed.expiry(),
            epoch: boxed.epoch(),
            heat: boxed.heat(),
            held: Held::Box(boxed),
            block: 0,
        }
    }

    /// The bytes that the key takes with its value.
    pub(super) fn bytes(&self) -> usize {
        match self.held {
            Held::Block(..) => self.block,
            Held::Box(boxed) => boxed.memory(),
        }
    }

    /// Returns true if it is not a block.
    pub(super) fn is_boxed(&self) -> bool {
        matches!(self.held, Held::Box(_))
    }

    /// Returns true if the key has not expired at `at`.
    pub(super) fn live(&self, at: Stamp) -> bool {
        self.expiry.is_none_or(|time| time > at)
    }
}

/// How many bytes a length takes in a block.
const fn short_len(length: usize) -> usize {
    if length < 0x80 { 1 } else { 2 }
}

fn put_short(head: &mut [u8], at: &mut usize, length: usize) {
    if length >= 0x80 {
        head[*at] = 0x80 | (length >> 8) as u8;
        *at += 1;
    }
    head[*at] = length as u8;
    *at += 1;
}

fn take_short(bytes: &[u8], at: &mut usize) -> usize {
    let first = usize::from(bytes[*at]);
    *at += 1;
    if first < 0x80 {
        return first;
    }
    let second = usize::from(bytes[*at]);
    *at += 1;
    (first & 0x7f) << 8 | second
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_block_shows_what_was_drafted(
            key in proptest::collection::vec(any::<u8>(), 0..300),
            value in proptest::collection::vec(any::<u8>(), 0..300),
            expiry: Option<u64>,
            heat: Option<[u8; 3]>,
            packed: bool,
            epoch: u8,
        ) {
            let kind = if packed { Kind::PackedHash } else { Kind::Bytes };
            let (expiry, heat) = (expiry.map(Stamp), heat.map(Heat));
            let draft = Draft { kind, epoch, expiry, heat, key: &key, value: &value };
            let mut bytes = b"before".to_vec();
            bytes.resize(6 + draft.len(), 0);
            draft.write(&mut bytes[6..]);
            bytes.push(7);
            let header = Header::read(&bytes, 6);
            let read = header.draft(&bytes);
            prop_assert_eq!(header.len(), draft.len());
            prop_assert_eq!((read.kind, read.epoch, read.expiry), (kind, epoch, expiry));
            prop_assert_eq!(read.heat, heat);
            prop_assert_eq!((read.key, read.value), (key.as_slice(), value.as_slice()));
            let other = Heat([1, 2, 3]);
            prop_assert_eq!(header.set_heat(&mut bytes, other), heat.is_some());
            let read = Header::read(&bytes, 6);
            prop_assert_eq!(read.heat(&bytes), heat.map(|_| other));
            prop_assert_eq!((read.expiry(&bytes), read.key(&bytes)), (expiry, key.as_slice()));
            prop_assert_eq!(gap(&bytes, 6), None);
        }
    }
}
