//! How far the manifest has come that names the debt of an open log.

use crate::ids::Ticket;
use crate::time::Mono;

/// The manifest that is to be written, or is.
#[derive(Clone, Debug, Default)]
pub(super) struct Owing {
    /// The debt is not in the manifest yet, and nothing on its way brings it there.
    pub(super) is_wanted: bool,
    pub(super) retry_at: Mono,
    pub(super) on_its_way: Option<(Stage, Ticket)>,
}

/// The operation that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Creating,
    Writing,
    Syncing,
    Renaming,
    SyncingName,
}

impl Owing {
    /// Returns true while a manifest is being written.
    pub(super) fn is_busy(&self) -> bool {
        self.on_its_way.is_some()
    }

    /// Returns true if a later life will find the debt in the directory.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_wanted && !self.is_busy()
    }

    /// When to try again what found no space.
    pub(super) fn retry_at(&self) -> Option<Mono> {
        (self.is_wanted && !self.is_busy()).then_some(self.retry_at)
    }

    /// Returns true if an operation is one of its own.
    pub(super) fn awaits(&self, ticket: Ticket) -> bool {
        self.on_its_way.is_some_and(|(_, own)| own == ticket)
    }
}
