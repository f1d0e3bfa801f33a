//! Time as the core is told it: a monotonic reading, a wall reading, and the replicated stamp.
//!
//! The core never reads a clock. Each call brings a `Now`; what expires does so by a `Stamp`, which
//! travels in the log.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A reading of a monotonic clock, in nanoseconds since a moment of the driver's choosing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Mono {
    /// The reading `millis` milliseconds after the driver's origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Whole milliseconds since the driver's origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time that passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub for Mono {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06}s",
            self.0 / 1_000_000_000,
            self.0 / 1000 % 1_000_000
        )
    }
}

/// Replicated time in milliseconds, as the leader stamped an entry: since the Unix epoch, as long
/// as no clock has jumped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub u64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// How far the wall clock is ahead of replicated time, in milliseconds, as an entry has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The offset of a wall clock that says `wall_ms` at a stamp.
    #[must_use]
    pub const fn between(wall_ms: u64, stamp: Stamp) -> Self {
        Self((wall_ms as i64).saturating_sub(stamp.0 as i64))
    }

    /// Replicated time at the moment when the wall clock says so many milliseconds.
    #[must_use]
    pub const fn stamp_of(self, wall_ms: i64) -> i64 {
        wall_ms.saturating_sub(self.0)
    }

    /// The wall-clock time at a stamp, in milliseconds.
    #[must_use]
    pub const fn wall_of(self, stamp: Stamp) -> u64 {
        stamp.0.saturating_add_signed(self.0)
    }
}

/// The time of a driver's clocks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: never runs back, may drift.
    pub mono: Mono,
    /// The wall clock in microseconds since the Unix epoch: may jump either way.
    pub wall_us: u64,
}

impl Now {
    /// The wall clock in milliseconds, as stamps count.
    #[must_use]
    pub const fn wall_ms(self) -> u64 {
        self.wall_us / 1000
    }
}

/// When a node wants to be woken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The reading of the monotonic clock at which `Input::Timer` is wanted.
    pub at: Mono,
    /// The work that is due then.
    pub reason: Reason,
}

/// Why a node wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Work was left over when a turn reached its bound.
    LeftOver,
    /// The log waits a moment for more writers before it syncs.
    SyncLinger,
    /// `appendfsync everysec` wants its sync.
    SyncEverySecond,
    /// An election, a heartbeat or another duty of Raft.
    Raft,
    /// Keys are due to expire.
    Expiry,
    /// A held or blocked client's time is up.
    Client,
    /// A failed append is to be tried again.
    DiskRetry,
    /// Periodic housekeeping.
    Housekeeping,
}

impl Deadline {
    /// The earlier of two deadlines that may be absent.
    #[must_use]
    pub fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}
