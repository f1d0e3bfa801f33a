//! What a client has said between MULTI and EXEC, and the keys that it watches.

use alloc::vec::Vec;

/// A transaction that is being put together.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The queued commands, encoded as they will stand in the entry.
    pub commands: Vec<u8>,
    /// Those of them that hold secrets, as they came: `commands` has them without.
    pub withheld: Vec<u8>,
    /// Whether one of them changes how later requests are answered.
    pub turns: bool,
    /// How many there are.
    pub count: u32,
    /// The database that SELECT inside the transaction has chosen for what follows.
    pub db: u32,
    /// Whether one of them may take more memory.
    pub grows: bool,
    /// Whether a request could not be queued, so that EXEC must refuse.
    pub failed: bool,
}

impl Transaction {
    /// What MULTI opens on a connection that has selected `db`.
    pub fn new(db: u32) -> Self {
        Self {
            commands: Vec::new(),
            withheld: Vec::new(),
            turns: false,
            count: 0,
            db,
            grows: false,
            failed: false,
        }
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.commands.len() + self.withheld.len()
    }
}

/// One watched key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The key's database.
    pub db: u32,
    /// The key.
    pub key: Vec<u8>,
    /// Whether the key was alive when WATCH named it: if its time comes before EXEC, it has
    /// changed.
    pub alive: bool,
}
