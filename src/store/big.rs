//! A key whose value is too large for a block of its table: a box of its own.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::DbId;
use super::dict::Dict;
use super::entry::{Kind, Stored};
use super::record::Name;
use super::value::string::format_i64;
use super::value::string::rope::{CHUNK_BYTES, Rope};
use crate::time::Stamp;

/// A key whose value is too large for a block.
#[derive(Clone, Debug)]
pub(super) struct Big {
    pub(super) key: Box<[u8]>,
    pub(super) expiry: Option<Stamp>,
    /// The base that holds its key and expiry, or was made before it.
    pub(super) head_epoch: u8,
    /// The base that holds all of its value, or was made before it.
    pub(super) done_epoch: u8,
    /// How far the base has come in the value, once it holds the head: a string's bytes, or the
    /// place up to which fields were visited.
    pub(super) progress: u64,
    /// Where it stood when the base began, if it was renamed before the base was done with it.
    pub(super) origin: Option<Box<Origin>>,
    pub(super) value: BigValue,
}

/// The name under which a base must write a value that was renamed meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) epoch: u8,
    pub(super) db: DbId,
    pub(super) key: Box<[u8]>,
}

#[derive(Clone, Debug)]
pub(super) enum BigValue {
    /// An integer whose key is too long for a block.
    Integer(i64),
    Bytes(Vec<u8>),
    /// A string as `Stored::Raw` whose key is too long for a block.
    Raw(Vec<u8>),
    /// A string of more than one chunk.
    Rope(Rope),
    Packed(Vec<u8>),
    Table(Box<Dict>),
}

impl BigValue {
    /// A string too long for a block.
    pub(super) fn text(bytes: &[u8]) -> Self {
        if bytes.len() > CHUNK_BYTES {
            Self::Rope(Rope::of(bytes))
        } else {
            Self::Bytes(bytes.to_vec())
        }
    }

    /// Writes into a string at `offset`, with zeros in between where it is shorter; a string that
    /// grows beyond one chunk is kept in chunks from then on.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        let mut text = match self {
            Self::Integer(number) => format_i64(*number, &mut [0; 20]).to_vec(),
            Self::Bytes(text) | Self::Raw(text) => mem::take(text),
            Self::Rope(rope) => return rope.write(offset, bytes),
            Self::Packed(_) | Self::Table(_) => return,
        };
        *self = if end > CHUNK_BYTES {
            let mut rope = Rope::of(&text);
            rope.write(offset, bytes);
            Self::Rope(rope)
        } else {
            overwrite(&mut text, offset, bytes);
            match Kind::of_written(text.len()) {
                Kind::Raw => Self::Raw(text),
                _ => Self::Bytes(text),
            }
        };
    }

    /// The value as it is kept.
    pub(super) fn stored(&self) -> Stored<'_> {
        match self {
            Self::Integer(number) => Stored::Integer(*number),
            Self::Bytes(bytes) => Stored::Bytes(bytes),
            Self::Raw(bytes) => Stored::Raw(bytes),
            Self::Rope(rope) => Stored::Rope(rope),
            Self::Packed(packed) => Stored::Packed(packed),
            Self::Table(fields) => Stored::Table(fields),
        }
    }

    /// Whether a base holds all of it in the record that begins its key.
    pub(super) fn is_whole_at_once(&self) -> bool {
        match self {
            Self::Integer(_) | Self::Raw(_) | Self::Packed(_) => true,
            Self::Bytes(_) | Self::Rope(_) | Self::Table(_) => false,
        }
    }

    /// The same value, of which fields bear `epoch`.
    fn copy(&self, epoch: u8) -> Self {
        match self {
            Self::Integer(number) => Self::Integer(*number),
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Raw(bytes) => Self::Raw(bytes.clone()),
            Self::Rope(rope) => Self::Rope(rope.clone()),
            Self::Packed(packed) => Self::Packed(packed.clone()),
            Self::Table(fields) => Self::Table(Box::new(fields.copy(epoch))),
        }
    }
}

impl Big {
    /// A value that no base under way need write.
    pub(super) fn new(key: &[u8], expiry: Option<Stamp>, epoch: u8, value: BigValue) -> Box<Self> {
        Box::new(Self {
            key: key.into(),
            expiry,
            head_epoch: epoch,
            done_epoch: epoch,
            progress: 0,
            origin: None,
            value,
        })
    }

    /// The same value under another key, which no base under way need write.
    pub(super) fn copy(&self, key: &[u8], epoch: u8) -> Box<Self> {
        let value = self.value.copy(epoch);
        Self::new(key, self.expiry, epoch, value)
    }

    /// Lets a copy share what is long.
    pub(super) fn share(&mut self) {
        if let BigValue::Rope(rope) = &mut self.value {
            rope.share();
        }
    }

    /// The same value under the same key, with all that a base knows of it. Not for tables.
    pub(super) fn duplicate(&mut self) -> Box<Self> {
        self.share();
        let value = self.value.copy(self.done_epoch);
        Box::new(Self {
            key: self.key.clone(),
            expiry: self.expiry,
            head_epoch: self.head_epoch,
            done_epoch: self.done_epoch,
            progress: self.progress,
            origin: self.origin.clone(),
            value,
        })
    }

    /// Under which name the base `epoch` writes it while it stands in `db`.
    pub(super) fn name(&self, epoch: u8, db: DbId) -> Name<'_> {
        match &self.origin {
            Some(origin) if origin.epoch == epoch => Name {
                db: origin.db,
                key: &origin.key,
            },
            _ => Name { db, key: &self.key },
        }
    }

    /// Lets it bear `epoch` throughout.
    pub(super) fn restamp(&mut self, epoch: u8) {
        self.head_epoch = epoch;
        self.done_epoch = epoch;
        self.origin = None;
        if let BigValue::Table(fields) = &mut self.value {
            fields.restamp(epoch);
        }
    }

    /// Whether it was renamed during the base `epoch`, which is not done with it.
    pub(super) fn moved(&self, epoch: u8) -> bool {
        self.origin
            .as_ref()
            .is_some_and(|origin| origin.epoch == epoch)
    }

    /// As `memory`, counted anew.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        match &self.value {
            BigValue::Table(fields) => _ = fields.recount(),
            BigValue::Rope(rope) => assert_eq!(rope.memory(), rope.recount()),
            BigValue::Integer(_) | BigValue::Bytes(_) | BigValue::Raw(_) | BigValue::Packed(_) => {}
        }
        self.memory()
    }

    /// The bytes of memory that it takes where it shares all chunks with another.
    pub(super) fn memory_unshared(&self) -> usize {
        match &self.value {
            BigValue::Rope(rope) => self.memory() - rope.len(),
            _ => self.memory(),
        }
    }

    /// The bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        let value = match &self.value {
            BigValue::Integer(_) => 0,
            BigValue::Bytes(bytes) | BigValue::Raw(bytes) | BigValue::Packed(bytes) => {
                bytes.capacity()
            }
            BigValue::Rope(rope) => rope.memory(),
            BigValue::Table(fields) => size_of::<Dict>() + fields.memory(),
        };
        size_of::<Self>() + self.key.len() + value
    }
}

/// Writes `bytes` at `offset`, with zeros in between where the text is shorter.
pub(super) fn overwrite(text: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if text.len() < end {
        text.resize(end, 0);
    }
    text[offset..end].copy_from_slice(bytes);
}
