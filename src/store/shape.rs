//! The make-up of a store, for a simulation that counts which rare states it has met.

use super::Store;
use super::dict::Dict;

/// The make-up of a store at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The segments of the tables of all databases.
    pub segments: usize,
    /// By how many bits the largest directory goes.
    pub depth: u8,
    /// Tables that were emptied out and are kept for a base.
    pub detached: usize,
    /// Large values that were removed, or changed as a whole, and are kept for a base.
    pub retired: usize,
    /// Large values that were renamed before a base held them.
    pub renamed: usize,
    /// Bytes of what waits to be freed.
    pub garbage_bytes: usize,
}

impl Store {
    /// Its present make-up.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let [detached, retired, renamed] = self.base.as_ref().map_or([0; 3], |base| base.owes());
        Shape {
            segments: self.databases.iter().map(Dict::segments).sum(),
            depth: self.databases.iter().map(Dict::depth).max().unwrap_or(0),
            detached,
            retired,
            renamed,
            garbage_bytes: self.garbage.memory(),
        }
    }
}
