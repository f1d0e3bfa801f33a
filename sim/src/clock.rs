//! A member's clocks: a monotonic one that drifts and freezes, a wall clock that also jumps.

use seedis::time::{Mono, Now};

/// The wall clock's reading at the start of every run, in microseconds since the Unix epoch.
const WALL_ORIGIN_US: i64 = 1_900_000_000_000_000;

/// One member's clocks, as a function of true time, which is in nanoseconds since the start of the
/// run.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// True time at which the figures below hold.
    anchor: u64,
    /// The monotonic reading at the anchor, in nanoseconds.
    mono: u64,
    /// The wall clock's distance from the monotonic one, in microseconds.
    wall_us: i64,
    /// By how much the clock runs too fast, in parts per million.
    drift_ppm: i64,
}

impl Clock {
    /// A clock that starts at true time 0, off by `offset_us` and drifting.
    pub(crate) fn new(offset_us: i64, drift_ppm: i64) -> Self {
        Self {
            anchor: 0,
            mono: 1_000_000_000,
            wall_us: WALL_ORIGIN_US + offset_us,
            drift_ppm,
        }
    }

    fn mono_at(&self, time: u64) -> u64 {
        let passed = time.saturating_sub(self.anchor);
        let extra = i128::from(passed) * i128::from(self.drift_ppm) / 1_000_000;
        self.mono + (i128::from(passed) + extra).max(0) as u64
    }

    /// Both readings at a true time.
    pub(crate) fn read(&self, time: u64) -> Now {
        let mono = self.mono_at(time);
        let wall_us = self.wall_us.saturating_add((mono / 1000) as i64).max(0) as u64;
        Now {
            mono: Mono(mono),
            wall_us,
        }
    }

    /// The first true time at which the monotonic clock reads `mono`, and not before `now`.
    pub(crate) fn when(&self, mono: Mono, now: u64) -> u64 {
        let wanted = i128::from(mono.0.saturating_sub(self.mono));
        if mono.0 > 1 << 60 {
            // Never: decades away.
            return 1 << 60;
        }
        let passed = wanted * 1_000_000 / i128::from(1_000_000 + self.drift_ppm);
        let time = self
            .anchor
            .saturating_add(u64::try_from(passed.max(0)).unwrap_or(u64::MAX));
        // Both divisions round down: step over what is missing.
        let late = (0..4).map(|step| time.saturating_add(step));
        let found = late.into_iter().find(|time| self.mono_at(*time) >= mono.0);
        found.unwrap_or(time.saturating_add(4)).max(now)
    }

    fn anchor_at(&mut self, time: u64) {
        self.mono = self.mono_at(time);
        self.anchor = time;
    }

    /// How far the wall clock is from true time.
    pub(crate) fn wrong_us(&self, time: u64) -> i64 {
        let right = WALL_ORIGIN_US.saturating_add((time / 1000) as i64 + 1_000_000);
        (self.read(time).wall_us as i64).saturating_sub(right)
    }

    /// The wall clock jumps.
    pub(crate) fn jump(&mut self, by_us: i64) {
        self.wall_us = self.wall_us.saturating_add(by_us);
    }

    /// Both clocks run at another speed from now on.
    pub(crate) fn set_drift(&mut self, time: u64, drift_ppm: i64) {
        self.anchor_at(time);
        self.drift_ppm = drift_ppm;
    }

    /// The monotonic clock stood still for so long (a suspended machine); the wall clock did not.
    pub(crate) fn freeze(&mut self, from: u64, lasted: u64) {
        self.anchor_at(from);
        self.anchor = from + lasted;
        self.wall_us += (lasted / 1000) as i64;
    }

    /// The machine starts again: its monotonic clock begins anew, its wall clock goes on.
    pub(crate) fn reboot(&mut self, time: u64, mono: u64) {
        self.anchor_at(time);
        self.wall_us += self.mono as i64 / 1000 - mono as i64 / 1000;
        self.mono = mono;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_met_at_the_first_moment_whatever_the_drift() {
        for drift in [-200_000, -200, 0, 200, 200_000] {
            let clock = Clock::new(-5, drift);
            for mono in [1_000_000_001, 1_234_567_891, 9_999_999_999] {
                let time = clock.when(Mono(mono), 0);
                assert!(clock.read(time).mono.0 >= mono);
                assert!(clock.read(time - 1).mono.0 < mono);
            }
        }
    }

    #[test]
    fn jumps_freezes_and_reboots_touch_the_clock_that_they_are_about() {
        let mut clock = Clock::new(0, 0);
        let before = clock.read(5_000_000_000);
        clock.jump(-3_600_000_000);
        let after = clock.read(5_000_000_000);
        assert_eq!(after.mono, before.mono);
        assert_eq!(after.wall_us, before.wall_us - 3_600_000_000);
        clock.freeze(5_000_000_000, 1_000_000_000);
        let thawed = clock.read(6_000_000_000);
        assert_eq!(thawed.mono, before.mono);
        assert_eq!(thawed.wall_us, after.wall_us + 1_000_000);
        clock.reboot(6_000_000_000, 77);
        let rebooted = clock.read(6_000_000_000);
        assert_eq!(rebooted.mono, Mono(77));
        assert!(rebooted.wall_us.abs_diff(thawed.wall_us) <= 1);
    }
}
