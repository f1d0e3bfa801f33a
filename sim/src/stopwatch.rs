//! How long something took, by the clock on the wall or of a core: for reports and for when to stop
//! alone, never for what a run decides.

#![expect(
    clippy::disallowed_types,
    reason = "the only real clock of the simulator; nothing in a run depends on it"
)]

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

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

/// A stopwatch that runs while its thread has a core: what else the machine does counts for
/// nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoreWatch(Duration);

impl CoreWatch {
    pub(crate) fn start() -> Self {
        Self(of_this_thread())
    }

    /// How long this thread, which has started it, has had a core since.
    pub(crate) fn elapsed(self) -> Duration {
        of_this_thread().saturating_sub(self.0)
    }
}

fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}
