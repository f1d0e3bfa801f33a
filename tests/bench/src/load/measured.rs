//! The result of one run of a load.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::failure::{Failure, Result};

/// The longest latency that is told apart, in nanoseconds.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// The number of replies, the time that they took, and the latency of each.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How many requests were answered.
    pub requests: u64,
    /// The time from the first request to the last reply.
    pub elapsed: Duration,
    /// The latencies in nanoseconds.
    latencies: Histogram<u64>,
}

impl Measured {
    /// A result without a reply yet.
    pub(super) fn empty() -> Result<Self> {
        let latencies = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3)
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self {
            requests: 0,
            elapsed: Duration::ZERO,
            latencies,
        })
    }

    /// Counts replies of one latency.
    pub(super) fn record(&mut self, latency: Duration, replies: u64) {
        let ns = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_NS_MAX);
        self.latencies.saturating_record_n(ns.max(1), replies);
        self.requests += replies;
    }

    /// Requests that were answered in a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency in microseconds that so large a part of the replies did not exceed.
    pub fn latency_us(&self, part: f64) -> f64 {
        self.latencies.value_at_quantile(part) as f64 / 1e3
    }

    /// The longest latency in microseconds.
    pub fn longest_us(&self) -> f64 {
        self.latencies.max() as f64 / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_told_by_their_part() {
        let mut measured = Measured::empty().unwrap();
        measured.record(Duration::from_micros(100), 99);
        measured.record(Duration::from_millis(50), 1);
        measured.elapsed = Duration::from_secs(2);
        assert_eq!(measured.requests, 100);
        assert!((measured.rate() - 50.0).abs() < 1e-9);
        assert!((measured.latency_us(0.5) - 100.0).abs() < 1.0);
        assert!((measured.latency_us(0.999) - 50_000.0).abs() < 100.0);
        assert!((measured.longest_us() - 50_000.0).abs() < 100.0);
    }

    #[test]
    fn a_latency_beyond_the_bound_is_counted_at_the_bound() {
        let mut measured = Measured::empty().unwrap();
        measured.record(Duration::from_hours(1), 1);
        measured.record(Duration::ZERO, 1);
        assert_eq!(measured.requests, 2);
        assert!(measured.longest_us() > 59e6);
    }
}
