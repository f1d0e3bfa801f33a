//! How recently, or how often, a key was used: three bytes beside it, which eviction goes by.
//!
//! Each member notes this for itself: it is no part of the state, of a base or of a digest, and a
//! key has room for it only while something asks for it. The bytes are those of Redis in meaning:
//! either a moment, in units of a quarter of a second (which begin anew after 49 days), or the
//! minute of the last use in two bytes and a logarithmic count of uses in one.

use crate::rng;
use crate::time::Stamp;

/// A moment is counted in units of so many bits of a millisecond.
const UNIT_BITS: u32 = 8;
/// The numbers of moments; behind the last comes the first.
const MOMENTS: u64 = 1 << 24;
const MINUTE_MS: u64 = 60_000;
/// The count of uses of a new key: it must not be the first to go.
const COUNT_OF_NEW: u8 = 5;

/// The things that are noted of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracking {
    /// Nothing: keys take no room for it.
    #[default]
    Nothing,
    /// When a key was last read or written.
    Uses,
    /// When a key was last written.
    Writes,
    /// How often a key is read or written.
    Frequency {
        /// The larger, the more uses it takes to be counted once more.
        log_factor: u32,
        /// The count of a key that is not used becomes less by one in so many minutes; 0: never.
        decay_minutes: u32,
    },
}

/// The notes on one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heat(pub(super) [u8; 3]);

impl Heat {
    /// How many bytes it takes.
    pub(super) const BYTES: usize = 3;

    fn moment(now: Stamp) -> Self {
        let [one, two, three, ..] = (now.0 >> UNIT_BITS).to_le_bytes();
        Self([one, two, three])
    }

    fn counted(now: Stamp, count: u8) -> Self {
        let [low, high, ..] = (now.0 / MINUTE_MS).to_le_bytes();
        Self([low, high, count])
    }

    /// How long ago its moment was, in milliseconds.
    pub(super) fn idle_ms(self, now: Stamp) -> u64 {
        let [one, two, three] = self.0;
        let then = u64::from(u32::from_le_bytes([one, two, three, 0]));
        // Members' clocks differ a little: what lies ahead by little is now.
        let ago = (now.0 >> UNIT_BITS).wrapping_sub(then) % MOMENTS;
        if ago > MOMENTS - MOMENTS / 64 {
            0
        } else {
            ago << UNIT_BITS
        }
    }

    /// The count of uses, less what time has taken of it.
    pub(super) fn count(self, now: Stamp, decay_minutes: u32) -> u8 {
        let [low, high, count] = self.0;
        let then = u16::from_le_bytes([low, high]);
        let minutes = ((now.0 / MINUTE_MS) as u16).wrapping_sub(then);
        let lost = u32::from(minutes).checked_div(decay_minutes).unwrap_or(0);
        count.saturating_sub(lost.min(255) as u8)
    }
}

impl Tracking {
    /// Returns true if a read is noted.
    pub(super) fn notes_reads(self) -> bool {
        matches!(self, Self::Uses | Self::Frequency { .. })
    }

    /// Returns true if anything is noted.
    pub fn is_on(self) -> bool {
        self != Self::Nothing
    }

    /// The notes on a key that is used now, and of which this was noted before. `draw` decides
    /// whether a use is counted.
    pub(super) fn used(self, before: Option<Heat>, now: Stamp, draw: u64) -> Option<Heat> {
        match self {
            Self::Nothing => None,
            Self::Uses | Self::Writes => Some(Heat::moment(now)),
            Self::Frequency {
                log_factor,
                decay_minutes,
            } => {
                let Some(before) = before else {
                    return Some(Heat::counted(now, COUNT_OF_NEW));
                };
                let count = before.count(now, decay_minutes);
                let above = u64::from(count.saturating_sub(COUNT_OF_NEW));
                let is_counted = rng::below(draw, above * u64::from(log_factor) + 1) == 0;
                let count = count.saturating_add(u8::from(is_counted));
                Some(Heat::counted(now, count))
            }
        }
    }

    /// The notes on a key that was not used for so long, if that is noted.
    pub(super) fn idle(self, now: Stamp, idle_ms: u64) -> Option<Heat> {
        let then = Stamp(now.0.saturating_sub(idle_ms));
        matches!(self, Self::Uses | Self::Writes).then(|| Heat::moment(then))
    }

    /// The notes on a key that is used so often, if that is noted.
    pub(super) fn frequency(self, now: Stamp, count: u8) -> Option<Heat> {
        matches!(self, Self::Frequency { .. }).then(|| Heat::counted(now, count))
    }

    /// How well a key may be missed: the larger, the sooner it goes. One of which nothing was noted
    /// was not used since this began.
    pub(super) fn coldness(self, heat: Option<Heat>, now: Stamp) -> u64 {
        match (self, heat) {
            (Self::Nothing, _) => 0,
            (_, None) => u64::MAX,
            (Self::Uses | Self::Writes, Some(heat)) => heat.idle_ms(now),
            (Self::Frequency { decay_minutes, .. }, Some(heat)) => {
                u64::from(u8::MAX - heat.count(now, decay_minutes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp(1_700_000_000_000);
    const LFU: Tracking = Tracking::Frequency {
        log_factor: 10,
        decay_minutes: 1,
    };

    fn later(ms: u64) -> Stamp {
        Stamp(NOW.0 + ms)
    }

    #[test]
    fn the_time_since_the_last_use_is_known_to_a_quarter_of_a_second() {
        let heat = Tracking::Uses.used(None, NOW, 0).unwrap();
        for ms in [0, 1, 255, 256, 1000, 86_400_000, 40 * 86_400_000] {
            let idle = heat.idle_ms(later(ms));
            assert!(idle.abs_diff(ms) <= 256, "{ms} is shown as {idle}");
        }
        assert_eq!(heat.idle_ms(Stamp(NOW.0 - 3000)), 0, "a clock that lags");
    }

    #[test]
    fn uses_are_counted_the_more_rarely_the_more_there_are() {
        let mut heat = LFU.used(None, NOW, 0);
        assert_eq!(heat.unwrap().count(NOW, 1), 5);
        let mut counts = Vec::new();
        for nth in 1..=100_000 {
            heat = LFU.used(heat, NOW, rng::draw(0, 0, nth, 0));
            if [100, 1000, 100_000].contains(&nth) {
                counts.push(heat.unwrap().count(NOW, 1));
            }
        }
        // Redis's own table: 10, 18 and 142 for 100, 1,000 and 100,000 hits.
        assert!((8..=14).contains(&counts[0]), "{counts:?}");
        assert!((15..=25).contains(&counts[1]), "{counts:?}");
        assert!((130..=155).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn a_count_falls_with_time_and_stays_where_it_shall_not() {
        let heat = Heat::counted(NOW, 9);
        assert_eq!(heat.count(later(3 * MINUTE_MS), 1), 6);
        assert_eq!(heat.count(later(3 * MINUTE_MS), 2), 8);
        assert_eq!(heat.count(later(300 * MINUTE_MS), 1), 0);
        assert_eq!(heat.count(later(300 * MINUTE_MS), 0), 9);
    }

    #[test]
    fn what_is_cold_goes_first() {
        let used = |at: u64| Tracking::Uses.used(None, later(at), 0);
        let cold = |heat| Tracking::Uses.coldness(heat, later(10_000));
        assert!(cold(used(0)) > cold(used(5000)));
        assert!(cold(None) > cold(used(0)));
        let counted = |count| LFU.coldness(Some(Heat::counted(NOW, count)), NOW);
        assert!(counted(2) > counted(3));
    }
}
