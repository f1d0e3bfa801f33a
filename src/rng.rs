//! Chance that can be replayed: keyed draws from ChaCha8.
//!
//! A draw depends on its key alone and not on how many draws were made before it, so that taking
//! one decision away leaves all others as they were.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One 64-bit draw for the key `(seed, stream, a, b)`; the same on every platform.
#[must_use]
pub fn draw(seed: u64, stream: u64, a: u64, b: u64) -> u64 {
    keyed(seed, stream, a, b).next_u64()
}

/// A generator of its own for the key `(seed, stream, a, b)`.
#[must_use]
pub fn keyed(seed: u64, stream: u64, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, word) in key.chunks_exact_mut(8).zip([seed, stream, a, b]) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A number in `0..below` from the 64 bits of `draw`; 0 where `below` is 0.
///
/// Multiplying and keeping the high half (Lemire 2019) has a bias of at most `below / 2^64`, and
/// unlike a library's distribution its output can never change between versions.
#[must_use]
pub fn below(draw: u64, below: u64) -> u64 {
    ((u128::from(draw) * u128::from(below)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_every_part_of_its_key_and_on_nothing_else() {
        let first = draw(1, 2, 3, 4);
        assert_eq!(first, draw(1, 2, 3, 4));
        for other in [
            draw(0, 2, 3, 4),
            draw(1, 0, 3, 4),
            draw(1, 2, 0, 4),
            draw(1, 2, 3, 0),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn draws_do_not_change_between_versions() {
        assert_eq!(draw(0, 0, 0, 0), 15_438_444_565_445_410_878);
    }

    #[test]
    fn below_stays_below_and_reaches_both_ends() {
        assert_eq!(below(u64::MAX, 10), 9);
        assert_eq!(below(0, 10), 0);
        assert_eq!(below(u64::MAX, 0), 0);
    }
}
