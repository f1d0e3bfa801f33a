//! The kind of requests about collections that a client sends for some time.

use super::items::Pool;

/// The type of a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Type {
    #[default]
    List,
    Set,
    Zset,
}

/// The direction in which collections go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    #[default]
    Mix,
    Grow,
    Shrink,
}

/// The kind of requests that a client sends for some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mood {
    pub(super) left: u64,
    pub(super) way: Way,
    pub(super) of: Type,
    pub(super) pool: Pool,
    /// Its requests have many items.
    pub(super) many: bool,
}
