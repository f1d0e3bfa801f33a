//! How long a run took by the clock on the wall: for reports alone, never for decisions.

#![expect(
    clippy::disallowed_types,
    reason = "the only real clock of the simulator; nothing in a run depends on it"
)]

use std::time::{Duration, Instant};

/// A stopwatch that runs from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
