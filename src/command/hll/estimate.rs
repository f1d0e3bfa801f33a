//! The cardinality that registers tell (Otmar Ertl, arXiv:1702.01284), in floats of 64 bits.

#![expect(clippy::float_cmp, reason = "the sums end when they no longer change")]

use libm::{round, sqrt};

use super::layout::REGISTERS;

/// The highest value that a register reaches, less one: the bits of a hash that are not its index.
const RANKS: usize = 50;
/// Half of the reciprocal of the natural logarithm of two.
const ALPHA: f64 = 0.721_347_520_444_481_7;

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = sqrt(x);
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

/// The cardinality, if so many registers have each value.
pub(super) fn estimated(histogram: &[u32; 64]) -> i64 {
    let all = REGISTERS as f64;
    let mut z = all * tau((all - f64::from(histogram[RANKS + 1])) / all);
    for registers in histogram[1..=RANKS].iter().rev() {
        z = (z + f64::from(*registers)) * 0.5;
    }
    z += all * sigma(f64::from(histogram[0]) / all);
    let estimated = round(ALPHA * all * all / z);
    if estimated.is_finite() {
        estimated as i64
    } else {
        // Registers that no element can have made; Redis answers this.
        i64::MIN
    }
}
