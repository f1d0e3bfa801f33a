//! The make-up of a store, for a simulation that counts which rare states it has met.

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
