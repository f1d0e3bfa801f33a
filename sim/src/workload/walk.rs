//! A walk with a cursor that a client follows.

/// The database of those who walk.
pub(super) const DATABASE: u32 = 7;

/// A walk that is under way.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// The words before the cursor, and those behind it.
    pub(super) before: Vec<String>,
    pub(super) behind: Vec<String>,
    /// The cursor of the next step, once it is known.
    pub(super) cursor: Option<String>,
}
