//! The clients: sessions, watched keys, waits, limits, and how a client ends.

mod blocked;
pub(super) mod closing;
mod connections;
pub mod relay;
pub(super) mod sessions;
pub(super) mod waits;
pub(super) mod watchers;
