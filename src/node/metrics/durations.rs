//! How long the calls of a command took: counts in classes that grow with the duration, so that
//! their number is bounded and each is known to an eighth.

use alloc::boxed::Box;
use core::time::Duration;

/// The classes of one doubling.
const PER_DOUBLING: usize = 8;
/// The upper end of the first class, in nanoseconds: below it the clock says little.
const FIRST: u64 = 1024;
/// The doublings that are told apart: the last ends at more than half an hour.
const DOUBLINGS: usize = 32;

/// The durations of the calls of one command.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Durations {
    counts: Option<Box<[u64; CLASSES]>>,
}

/// The first class, and those of each doubling behind it.
const CLASSES: usize = 1 + PER_DOUBLING * (DOUBLINGS - 1);

impl Durations {
    /// A call took so long.
    pub(super) fn add(&mut self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let counts = self.counts.get_or_insert_with(|| Box::new([0; CLASSES]));
        if let Some(count) = counts.get_mut(class_of(nanoseconds)) {
            *count += 1;
        }
    }

    /// How many there are.
    pub(in crate::node) fn count(&self) -> u64 {
        self.counts.iter().flat_map(|counts| counts.iter()).sum()
    }

    /// How many took no longer than the end of a doubling, which is given in microseconds; only
    /// doublings in which there are some.
    pub(in crate::node) fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut before = 0;
        let mut all = self.counts.iter().flat_map(|counts| counts.iter());
        (0..DOUBLINGS).filter_map(move |doubling| {
            let classes = if doubling == 0 { 1 } else { PER_DOUBLING };
            let own: u64 = all.by_ref().take(classes).sum();
            before += own;
            (own > 0).then(|| {
                let end = FIRST << doubling;
                // The end as it is known to one part in 128, which is how Redis tells it.
                ((end + end / 128 - 1) / 1000, before)
            })
        })
    }

    /// The duration that so many in a hundred calls do not exceed, in nanoseconds.
    pub(in crate::node) fn percentile(&self, percent: f64) -> u64 {
        let count = self.count();
        let wanted = (count as f64 * percent / 100.0) as u64;
        let mut seen = 0;
        let all = self.counts.iter().flat_map(|counts| counts.iter());
        for (class, own) in all.enumerate() {
            seen += own;
            if *own > 0 && seen >= wanted.max(1) {
                return end_of(class);
            }
        }
        0
    }
}

/// The class of a duration in nanoseconds; the last is for all that are longer.
fn class_of(nanoseconds: u64) -> usize {
    if nanoseconds < FIRST {
        return 0;
    }
    let doubling = (nanoseconds / FIRST).ilog2() as usize;
    let within = (nanoseconds >> doubling) - FIRST;
    let eighth = within as usize * PER_DOUBLING / FIRST as usize;
    (1 + doubling * PER_DOUBLING + eighth).min(CLASSES - 1)
}

/// The end of a class, in nanoseconds.
fn end_of(class: usize) -> u64 {
    let Some(behind) = class.checked_sub(1) else {
        return FIRST;
    };
    let (doubling, eighth) = (behind / PER_DOUBLING, behind % PER_DOUBLING);
    (FIRST + FIRST / PER_DOUBLING as u64 * (eighth as u64 + 1)) << doubling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_lies_below_the_end_of_its_class_and_not_below_that_before() {
        for nanoseconds in (0..200).flat_map(|power| {
            let about = 1.17f64.powi(power) as u64;
            [about, about + 1, about.saturating_sub(1)]
        }) {
            let class = class_of(nanoseconds);
            if class < CLASSES - 1 {
                assert!(nanoseconds < end_of(class), "{nanoseconds}");
            }
            assert!(
                class == 0 || nanoseconds >= end_of(class - 1),
                "{nanoseconds}"
            );
        }
    }

    #[test]
    fn doublings_are_told_with_all_that_came_before() {
        let mut durations = Durations::default();
        for microseconds in [0, 1, 3, 3, 40, 1000] {
            durations.add(Duration::from_micros(microseconds));
        }
        durations.add(Duration::MAX);
        let told: Vec<(u64, u64)> = durations.cumulative().collect();
        assert_eq!(told[..4], [(1, 2), (4, 4), (66, 5), (1056, 6)]);
        assert_eq!(durations.count(), 7);
        assert_eq!(durations.percentile(0.0), FIRST);
        assert!(durations.percentile(50.0) >= 3000);
        assert!(durations.percentile(50.0) <= 3500);
        assert_eq!(Durations::default().percentile(99.0), 0);
    }
}
