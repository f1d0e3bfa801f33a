//! The chain of digests over all that went into the nodes and came out: equal for equal runs.

/// A running digest of 128 bits. It must be quick and the same everywhere; nobody attacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    low: u64,
    high: u64,
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Digest {
    /// The digest of nothing.
    pub(crate) const fn new() -> Self {
        Self {
            low: 0x243f_6a88_85a3_08d3,
            high: 0x1319_8a2e_0370_7344,
        }
    }

    /// All 128 bits.
    pub(crate) fn bits(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    /// Adds a word.
    pub(crate) fn word(&mut self, word: u64) {
        let product = u128::from(self.low ^ word) * u128::from(ODD | self.high);
        self.low = product as u64 ^ self.high.rotate_left(29) ^ word;
        self.high = (product >> 64) as u64 ^ self.high.wrapping_mul(ODD) ^ word.rotate_left(17);
    }

    /// Adds bytes and their length.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let word = |word, byte: &u8| word << 8 | u64::from(*byte);
            self.word(rest.iter().rev().fold(0, word));
        }
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_length_and_every_byte_count() {
        let of = |parts: &[&[u8]]| {
            let mut digest = Digest::new();
            for part in parts {
                digest.bytes(part);
            }
            digest
        };
        assert_eq!(of(&[b"one", b"two"]), of(&[b"one", b"two"]));
        assert_ne!(of(&[b"one", b"two"]), of(&[b"two", b"one"]));
        assert_ne!(of(&[b"on", b"etwo"]), of(&[b"one", b"two"]));
        assert_ne!(of(&[b"a\0"]), of(&[b"a"]));
    }
}
