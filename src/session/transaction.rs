//! The requests that a client has queued since MULTI, and the keys that it watches.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::vec::Vec;

/// A transaction that is being put together.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The queued commands, encoded as they will stand in the entry.
    pub commands: Vec<u8>,
    /// Those of them that hold secrets, as they came: `commands` has them without.
    pub withheld: Vec<u8>,
    /// True if one of them changes how later requests are answered.
    pub turns: bool,
    /// How many there are.
    pub count: u32,
    /// The database that SELECT inside the transaction has chosen for what follows.
    pub db: u32,
    /// True if one of them may take more memory.
    pub grows: bool,
    /// True if one of them changes keys.
    pub writes: bool,
    /// True if one of them runs a script.
    pub runs_scripts: bool,
    /// True if other members may be told of one of them, though it changes no key.
    pub tells: bool,
    /// True if one of them looks at keys, or changes them.
    pub looks: bool,
    /// True if a request could not be queued, so that EXEC must refuse.
    pub failed: bool,
}

impl Transaction {
    /// The transaction that MULTI opens on a connection that has selected `db`.
    pub fn new(db: u32) -> Self {
        Self {
            commands: Vec::new(),
            withheld: Vec::new(),
            turns: false,
            count: 0,
            db,
            grows: false,
            writes: false,
            runs_scripts: false,
            tells: false,
            looks: false,
            failed: false,
        }
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.commands.len() + self.withheld.len()
    }
}

/// The keys that one client watches, by database and name.
#[derive(Clone, Debug, Default)]
pub struct Watches {
    /// For each key, whether it was alive when WATCH named it: if it expires before EXEC, it has
    /// changed.
    keys: BTreeMap<(u32, Box<[u8]>), bool>,
    bytes: usize,
}

impl Watches {
    /// Returns true if no key is watched.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Adds a key; false where it is watched already, and stays as it is.
    pub fn add(&mut self, db: u32, key: &[u8], alive: impl FnOnce() -> bool) -> bool {
        let Entry::Vacant(vacant) = self.keys.entry((db, key.into())) else {
            return false;
        };
        vacant.insert(alive());
        self.bytes += WATCH_BYTES + 2 * key.len();
        true
    }

    /// Returns true if a key is watched.
    pub fn has(&self, db: u32, key: &[u8]) -> bool {
        self.keys.contains_key(&(db, key.into()))
    }

    /// Returns true if a key is watched that was alive when WATCH named it.
    pub fn has_living(&self, db: u32, key: &[u8]) -> bool {
        self.keys.get(&(db, key.into())) == Some(&true)
    }

    /// Each key with its database, and whether it was alive when WATCH named it.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8], bool)> {
        self.keys
            .iter()
            .map(|((db, key), alive)| (*db, &key[..], *alive))
    }

    /// The memory that they take, in bytes: here, and where the node finds who watches a key.
    pub fn memory(&self) -> usize {
        self.bytes
    }
}

/// About what a watched key takes besides its name, which stands here and there.
const WATCH_BYTES: usize = 240;
