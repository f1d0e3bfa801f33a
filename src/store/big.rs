//! A key whose value does not fit a block of its table: a box of its own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::encoding::Encoding;
use super::entry::{Boxed, Expires, Held, View};
use super::heat::Heat;
use super::kind::Kind;
use super::record::Name;
use super::value::{Large, Value};
use crate::ids::DbId;
use crate::time::Stamp;

/// A key whose value does not fit a block.
#[derive(Clone, Debug)]
pub(super) struct Big {
    pub(super) head: Head,
    pub(super) kept: Kept,
}

/// All that there is to say of a key but its value.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) key: Box<[u8]>,
    pub(super) expiry: Option<Stamp>,
    /// The base that holds its key and expiry, or was made before it.
    pub(super) epoch: u8,
    /// The notes on its uses.
    pub(super) heat: Option<Heat>,
    /// The base that holds all of its value, or was made before it.
    pub(super) done_epoch: u8,
    /// The place in the value up to which the base has come, once it holds the head.
    pub(super) progress: u64,
    /// Its place when the base began, if it was renamed before the base was done with it.
    pub(super) origin: Option<Box<Origin>>,
}

/// The name under which a base must write a value that was renamed meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) epoch: u8,
    pub(super) db: DbId,
    pub(super) key: Box<[u8]>,
}

/// How the value of a box is kept.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// A small value that is longer than a block, or whose key is.
    Small(Kind, Vec<u8>),
    Large(Large, Encoding),
}

/// A value that was made on the side, and that no key holds yet.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) kept: Kept,
    /// The last base when it was begun: its parts bear that one's number.
    pub(super) epoch: u8,
}

/// A copy of a large value that is being made and that no key holds yet.
#[derive(Clone, Debug)]
pub struct NewCopy {
    pub(super) large: Large,
    pub(super) encoding: Encoding,
    pub(super) epoch: u8,
}

impl Kept {
    /// The byte with which it begins in a base.
    pub(super) fn byte(&self) -> u8 {
        match self {
            Self::Small(kind, _) => kind.byte(),
            Self::Large(large, encoding) => encoding.begin_byte(large.byte()),
        }
    }

    /// The bytes of its first record in a base: all of a small value, nothing of a large one.
    pub(super) fn begun(&self) -> &[u8] {
        match self {
            Self::Small(_, bytes) => bytes,
            Self::Large(..) => &[],
        }
    }
}

impl Big {
    /// A value that no base under way need write.
    pub(super) fn new(key: &[u8], expiry: Option<Stamp>, epoch: u8, kept: Kept) -> Box<Self> {
        let head = Head {
            key: key.into(),
            expiry,
            epoch,
            heat: None,
            done_epoch: epoch,
            progress: 0,
            origin: None,
        };
        Box::new(Self { head, kept })
    }

    /// The same value under another key, which no base under way need write.
    pub(super) fn copy(&mut self, key: &[u8], epoch: u8) -> Box<Self> {
        self.share();
        let mut kept = self.kept.clone();
        if let Kept::Large(large, _) = &mut kept {
            large.restamp(epoch);
        }
        Self::new(key, self.head.expiry, epoch, kept)
    }

    /// Lets the clones that are made from now on share what can be shared.
    pub(super) fn share(&mut self) {
        if let Kept::Large(large, _) = &mut self.kept {
            large.share();
        }
    }

    /// The bytes of memory that are its own where all that can be shared is.
    pub(super) fn unshared_memory(&self) -> usize {
        let shared = match &self.kept {
            Kept::Small(..) => 0,
            Kept::Large(large, _) => large.memory() - large.unshared_memory(),
        };
        self.memory() - shared
    }
}

impl Head {
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

    /// Returns true if it was renamed during the base `epoch`, which is not done with it.
    pub(super) fn moved(&self, epoch: u8) -> bool {
        self.origin
            .as_ref()
            .is_some_and(|origin| origin.epoch == epoch)
    }

    /// The base `epoch` holds all of it.
    pub(super) fn done(&mut self, epoch: u8) {
        self.epoch = epoch;
        self.done_epoch = epoch;
        self.origin = None;
    }
}

impl Boxed for Big {
    fn key(&self) -> &[u8] {
        &self.head.key
    }

    fn expiry(&self) -> Option<Stamp> {
        self.head.expiry
    }

    fn epoch(&self) -> u8 {
        self.head.epoch
    }

    fn heat(&self) -> Option<Heat> {
        self.head.heat
    }

    fn restamp(&mut self, epoch: u8) {
        self.head.done(epoch);
        if let Kept::Large(large, _) = &mut self.kept {
            large.restamp(epoch);
        }
    }

    fn memory(&self) -> usize {
        let value = match &self.kept {
            Kept::Small(_, bytes) => bytes.capacity(),
            Kept::Large(large, _) => large.memory(),
        };
        size_of::<Self>() + self.head.key.len() + value
    }

    #[cfg(test)]
    fn recount(&self) -> usize {
        if let Kept::Large(large, _) = &self.kept {
            large.check();
            assert_eq!(large.recount(), large.memory());
        }
        self.memory()
    }
}

impl Expires for Big {
    fn set_expiry(&mut self, expiry: Option<Stamp>) {
        self.head.expiry = expiry;
    }

    fn set_heat(&mut self, heat: Option<Heat>) {
        self.head.heat = heat;
    }
}

impl<'a> View<'a, Big> {
    /// The value.
    pub(super) fn value(&self) -> Value<'a> {
        match self.held {
            Held::Block(kind, bytes) => Value::small(kind, bytes),
            Held::Box(big) => match &big.kept {
                Kept::Small(kind, bytes) => Value::small(*kind, bytes),
                Kept::Large(large, _) => large.value(),
            },
        }
    }

    /// The encoding of a collection.
    pub(super) fn encoding(&self) -> Encoding {
        match self.held {
            Held::Block(kind, _) => kind.encoding(),
            Held::Box(big) => match &big.kept {
                Kept::Small(kind, _) => kind.encoding(),
                Kept::Large(_, encoding) => *encoding,
            },
        }
    }
}
