//! The two clocks of the machine.
#![expect(
    clippy::disallowed_types,
    reason = "this is the one place that reads the clocks"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use seedis::time::{Mono, Now};

/// Reads both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock whose monotonic side starts now, a second from zero, so that "a while ago" is never
    /// before it.
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// The time of both clocks.
    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            mono: Mono::default() + self.origin.elapsed() + Duration::from_secs(1),
            wall_us: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// The moment of the runtime's clock that a reading of ours means.
    pub(crate) fn instant(&self, mono: Mono) -> tokio::time::Instant {
        let since = mono.since(Mono::from_millis(1000));
        tokio::time::Instant::from_std(self.origin + since)
    }
}
