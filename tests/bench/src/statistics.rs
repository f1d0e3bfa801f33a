//! Medians and spreads: one round is no evidence.

use crate::load::Measured;

/// The values of several rounds.
#[derive(Clone, Debug, Default)]
pub struct Rounds(pub Vec<f64>);

impl Rounds {
    /// The middle value; between the two middle ones if there is none.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let half = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[half],
            _ => f64::midpoint(sorted[half - 1], sorted[half]),
        }
    }

    /// The largest less the smallest value, as a part of the median.
    pub fn spread(&self) -> f64 {
        let smallest = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (largest - smallest) / self.median()
    }

    /// These rounds by others of the same moments, one by one.
    #[must_use]
    pub fn over(&self, others: &Self) -> Self {
        let pairs = self.0.iter().zip(&others.0);
        Self(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }
}

/// The latencies of several rounds, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// The median of each round.
    pub p50: Rounds,
    /// Its 99th percentile.
    pub p99: Rounds,
    /// Its 99.9th percentile.
    pub p999: Rounds,
    /// Its longest.
    pub longest: Rounds,
}

impl Latencies {
    /// Adds a round.
    pub fn add(&mut self, measured: &Measured) {
        self.p50.0.push(measured.latency_us(0.5));
        self.p99.0.push(measured.latency_us(0.99));
        self.p999.0.push(measured.latency_us(0.999));
        self.longest.0.push(measured.longest_us());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert!((Rounds(vec![3.0, 1.0, 2.0]).median() - 2.0).abs() < 1e-9);
        assert!((Rounds(vec![4.0, 1.0, 2.0, 3.0]).median() - 2.5).abs() < 1e-9);
        assert!(Rounds::default().median().is_nan());
    }

    #[test]
    fn the_spread_is_a_part_of_the_median() {
        assert!((Rounds(vec![90.0, 100.0, 120.0]).spread() - 0.3).abs() < 1e-9);
        assert!(Rounds(vec![5.0]).spread().abs() < 1e-9);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ratios = Rounds(vec![10.0, 40.0]).over(&Rounds(vec![5.0, 10.0]));
        assert_eq!(ratios.0, [2.0, 4.0]);
    }
}
