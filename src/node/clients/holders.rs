//! The clients that keep a key: mostly one.

use alloc::collections::BTreeSet;

use crate::ids::ConnId;

/// About what several of them take, and what each of those does, in bytes.
const SET_BYTES: usize = 200;
const HOLDER_BYTES: usize = 40;

/// A client, by slot and connection.
pub(super) type Client = (u32, ConnId);

/// The clients that keep a key, by slot.
#[derive(Clone, Debug)]
pub(super) enum Holders {
    /// This one.
    One(Client),
    /// These, or none.
    Many(BTreeSet<Client>),
}

impl Holders {
    /// Nobody.
    pub(super) fn none() -> Self {
        Self::Many(BTreeSet::new())
    }

    /// One more keeps the key; false where it does already.
    pub(super) fn insert(&mut self, client: Client) -> bool {
        match self {
            Self::One(known) if *known == client => false,
            Self::One(known) => {
                *self = Self::Many(BTreeSet::from([*known, client]));
                true
            }
            Self::Many(all) => all.insert(client),
        }
    }

    /// The first of them, which keeps the key no more.
    pub(super) fn pop_first(&mut self) -> Option<Client> {
        match self {
            Self::One(client) => {
                let client = *client;
                *self = Self::none();
                Some(client)
            }
            Self::Many(all) => all.pop_first(),
        }
    }

    /// How many they are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(all) => all.len(),
        }
    }

    /// The memory that they take beside the key, in bytes.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(all) => SET_BYTES + all.len() * HOLDER_BYTES,
        }
    }
}
