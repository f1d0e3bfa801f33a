//! When a campaign ends that has seeds without end.

use std::time::Duration;

use super::tally::Tally;

/// How long a campaign lasts, earlier sessions included.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// By the clock on the wall.
    Wall(Duration),
    /// In time of all cores together.
    Cores(Duration),
}

impl Limit {
    /// Returns true if it is time to end.
    pub(super) fn is_reached(self, tally: &Tally) -> bool {
        self.part(tally) >= 1.0
    }

    /// How much of it has passed: 1 is all.
    pub(super) fn part(self, tally: &Tally) -> f64 {
        let (spent, all) = match self {
            Self::Wall(all) => (tally.wall, all),
            Self::Cores(all) => (Duration::from_micros(tally.total().busy_us), all),
        };
        spent.as_secs_f64() / all.as_secs_f64().max(1e-9)
    }
}
