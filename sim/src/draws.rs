//! Chance by name: every decision of a run is drawn from the seed, a stream and a key of its own.
//!
//! A draw depends on nothing that was drawn before it, so that a decision taken away leaves all
//! others as they were. Streams have names and versions: a new class of faults takes a new stream,
//! and old seeds stay what they were.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;
use seedis::rng;

use crate::guide;

/// A family of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stream(u64);

impl Stream {
    const fn new(name: [u8; 6], version: u16) -> Self {
        let mut number = version as u64;
        let mut at = 0;
        while at < name.len() {
            number |= (name[at] as u64) << (16 + 8 * at);
            at += 1;
        }
        Self(number)
    }

    /// The scenario of a run: faults that are on, intensities, workloads.
    pub(crate) const SCENARIO: Self = Self::new(*b"scenar", 1);
    /// The requests of a client, by client and request.
    pub(crate) const CLIENT: Self = Self::new(*b"client", 1);
    /// How bytes travel, by pipe and segment.
    pub(crate) const PIPE: Self = Self::new(*b"pipe..", 1);
    /// The operating system's actions between two turns of a member, by member and turn.
    pub(crate) const TURN: Self = Self::new(*b"turn..", 1);
    /// Crashes, by member and ordinal.
    pub(crate) const CRASH: Self = Self::new(*b"crash.", 1);
    /// Jumps and freezes of clocks, by member and ordinal.
    pub(crate) const CLOCK: Self = Self::new(*b"clock.", 1);
    /// Latencies and failures of disks, by member and operation.
    pub(crate) const DISK: Self = Self::new(*b"disk..", 1);
    /// Phases without space, by member and ordinal.
    pub(crate) const SPACE: Self = Self::new(*b"space.", 1);
    /// Which bytes are sent to twins, and how they are cut, by client and act.
    pub(crate) const TWINS: Self = Self::new(*b"twins.", 1);
    /// How frames travel between members, by pair and frame.
    pub(crate) const FRAME: Self = Self::new(*b"frame.", 1);
    /// Which members are cut off from each other, by member and ordinal.
    pub(crate) const CUT: Self = Self::new(*b"cut...", 1);
    /// Which members never come back, once.
    pub(crate) const CORE: Self = Self::new(*b"core..", 1);
    /// When somebody new asks to be taken in, by member and ordinal.
    pub(crate) const WISH: Self = Self::new(*b"wish..", 1);
    /// The damage at rest, by member and life.
    pub(crate) const DAMAGE: Self = Self::new(*b"damage", 1);
    /// When a client asks because the leader is in trouble, by client and act.
    pub(crate) const HURRY: Self = Self::new(*b"hurry.", 1);
    /// The fate of a process that joins its group, by member and ordinal.
    pub(crate) const ARRIVAL: Self = Self::new(*b"arrive", 1);
    /// The success of writing a configuration file, by member, life and wish.
    pub(crate) const CONFIGURATION: Self = Self::new(*b"config", 1);
    /// Which versions of entries a process knows, by member and life.
    pub(crate) const VERSION: Self = Self::new(*b"versio", 1);
    /// Identities that a driver would take from the system.
    pub(crate) const IDENTITY: Self = Self::new(*b"ident.", 1);
}

/// Dice for one decision and what hangs on it.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng, u64);

impl Dice {
    /// The dice of one key.
    pub(crate) fn new(seed: u64, stream: Stream, a: u64, b: u64) -> Self {
        Self(
            rng::keyed(seed, stream.0, a, b),
            guide::mask(stream.0, a, b),
        )
    }

    /// The next 64 bits.
    pub(crate) fn draw(&mut self) -> u64 {
        // The upper bits decide; of the mask each draw takes the lowest byte.
        let turned = self.1 << 56;
        self.1 = self.1.rotate_right(8);
        self.0.next_u64() ^ turned
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        rng::below(self.draw(), bound)
    }

    /// A number in `low..=high`.
    pub(crate) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in so many cases of a thousand.
    pub(crate) fn permille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// True half of the time.
    pub(crate) fn coin(&mut self) -> bool {
        self.draw() >> 63 == 1
    }

    /// One of the items, each as likely as any other.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// A number with this mean, exponentially distributed, at most forty times the mean.
    pub(crate) fn exponential(&mut self, mean: u64) -> u64 {
        // The logarithm to base 2 in 32.32 bits: the leading zeros, and a straight line between two
        // powers. Integers alone, so that every platform draws the same.
        let bits = self.draw() | 1;
        let zeros = u64::from(bits.leading_zeros());
        let mantissa = (bits << zeros << 1) >> 32;
        let log = ((zeros + 1) << 32) - mantissa;
        let natural = (u128::from(log) * 2_977_044_472) >> 32;
        u64::try_from((u128::from(mean) * natural) >> 32).unwrap_or(u64::MAX)
    }
}

/// Mixes 64 bits so that each bit of the input reaches each bit of the output: for ties in the
/// order of events, where a keyed generator would cost more than the event.
pub(crate) const fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_has_its_mean_and_no_wild_values() {
        let mut dice = Dice::new(1, Stream::SCENARIO, 0, 0);
        let drawn: Vec<u64> = (0..20_000).map(|_| dice.exponential(1_000_000)).collect();
        let mean = drawn.iter().sum::<u64>() / 20_000;
        assert!((950_000..1_080_000).contains(&mean), "{mean}");
        assert!(drawn.iter().all(|d| *d < 45_000_000));
    }

    #[test]
    fn streams_do_not_share_draws() {
        let first = Dice::new(1, Stream::CLIENT, 2, 3).draw();
        assert_eq!(first, Dice::new(1, Stream::CLIENT, 2, 3).draw());
        for other in [Stream::PIPE, Stream::TURN, Stream::DISK] {
            assert_ne!(first, Dice::new(1, other, 2, 3).draw());
        }
    }
}
