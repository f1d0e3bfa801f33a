//! The pause that CLIENT PAUSE has begun.

use crate::time::Mono;

/// The requests that wait for the end of a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::node) enum Paused {
    /// None.
    #[default]
    Nothing,
    /// Those that change something, or tell other members of something.
    Writes,
    /// All.
    All,
}

/// The pause in force, and how many requests have waited for the end of one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    pub(super) paused: Paused,
    pub(super) until: Mono,
    pub(super) waited: u64,
}
