//! How long the runs last in which clients ask for anything, and how much goes wrong in that time.
//!
//! Most of what breaks in a run breaks soon after a fault, whatever came before it, while logs and
//! stores that have grown make each later second dearer. So most runs are short and have their
//! faults close together; one in eight is long, for what takes time: growth, expiry, many bases.

use crate::draws::Dice;
use crate::scenario::{SECOND, Scenario};

/// The lengths, in seconds, each as likely as any other.
const LENGTHS_S: [u64; 8] = [6, 8, 8, 10, 12, 15, 20, 60];
/// The length that the means between two faults are made for, in seconds.
const USUAL_S: u64 = 60;
/// In a short run faults come so many times as often, and no more: what they break needs some time
/// to be seen.
const CLOSER_MAX: u64 = 3;

impl Scenario {
    /// Draws how long the run is.
    pub(crate) fn draw_length(&mut self, dice: &mut Dice) {
        let seconds = *dice.pick(&LENGTHS_S);
        self.duration = seconds * SECOND;
        let closer = (USUAL_S / seconds).clamp(1, CLOSER_MAX);
        if closer > 1 {
            // As many bases as in a long run, of a log that does not come so far.
            self.config.rewrite_min_bytes /= 8;
        }
        for every in self.intervals() {
            *every = every.map(|mean| mean / closer);
        }
    }
}
