//! CRC-64/XZ, as fast for the short messages of a log as for long ones.
//!
//! The crate `crc64fast` folds aligned blocks of 128 bytes with carry-less multiplication, and goes
//! through what is left over with tables, the last bytes one by one. Most entries of a log are
//! shorter than one block, so that the slow way would be the usual one: here a short message is
//! moved to the end of blocks that begin with zeros.
//!
//! Why that gives the same sum: a CRC is the remainder of a division, and its state before the
//! first byte is all ones. Eight bytes of ones take that state to zero. Zeros leave a state of zero
//! as it is, however many there are. Then the message may begin, with its first eight bytes
//! inverted: that is what a state of ones would have done to them.

use crc64fast::Digest;

/// The bytes that are folded at once.
const BLOCK: usize = 128;
/// The length of the CRC's state, in bytes.
const STATE: usize = 8;
/// Longer messages are not moved: what is left over of them is little beside the rest.
const MOVED_MAX: usize = 2 * BLOCK - STATE;

/// Blocks where the folding wants them.
#[repr(align(128))]
struct Blocks([u8; STATE + MOVED_MAX]);

/// The CRC-64/XZ of `prefix` and `message`, as if they were one piece.
#[must_use]
pub fn crc64(prefix: &[u8], message: &[u8]) -> u64 {
    let count = prefix.len() + message.len();
    if !(STATE..=MOVED_MAX).contains(&count) {
        return plainly(prefix, message);
    }
    let mut blocks = Blocks([0; STATE + MOVED_MAX]);
    let length = (STATE + count).next_multiple_of(BLOCK);
    let (before, moved) = blocks.0[..length].split_at_mut(length - count);
    let (first, second) = moved.split_at_mut(prefix.len());
    first.copy_from_slice(prefix);
    second.copy_from_slice(message);
    for byte in before[..STATE].iter_mut().chain(&mut moved[..STATE]) {
        *byte ^= 0xff;
    }
    let mut digest = Digest::new();
    digest.write(&blocks.0[..length]);
    digest.sum64()
}

/// The same without moving anything.
fn plainly(prefix: &[u8], message: &[u8]) -> u64 {
    let mut digest = Digest::new();
    digest.write(prefix);
    digest.write(message);
    digest.sum64()
}

/// The sum of two pieces behind one another, from the sums of both and the length of the second.
///
/// A sum is a remainder modulo a polynomial: bytes behind a message multiply it by a power of x,
/// and what those bytes add is their own sum. The ones with which both sums begin and end cancel
/// out. So a large piece is gone through once, however many sums it is a part of.
#[must_use]
pub fn joined(first: u64, second: u64, second_bytes: usize) -> u64 {
    let mut bits = (second_bytes as u64) << 3;
    let (mut shifted, mut power) = (first, X);
    while bits > 0 {
        if bits & 1 == 1 {
            shifted = product(shifted, power);
        }
        power = product(power, power);
        bits >>= 1;
    }
    shifted ^ second
}

/// The polynomial of CRC-64/XZ; the highest bit is the coefficient of 1.
const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;
/// The polynomial x.
const X: u64 = 1 << 62;

/// The product of two polynomials, modulo that of the sum.
fn product(first: u64, mut second: u64) -> u64 {
    let mut product = 0;
    for place in (0..64).rev() {
        if (first >> place) & 1 == 1 {
            product ^= second;
        }
        let carry = second & 1;
        second = (second >> 1) ^ (carry * POLYNOMIAL);
    }
    product
}

/// The sum of bytes that come in pieces.
#[derive(Clone)]
pub struct Running(Digest);

impl Running {
    /// The sum of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Digest::new())
    }

    /// Adds the next piece.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// The CRC-64/XZ of all pieces so far.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.sum64()
    }
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Running {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Running({:#x})", self.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_standard() {
        assert_eq!(crc64(b"", b"123456789"), 0x995d_c9bb_df19_39fa);
        assert_eq!(crc64(b"1234567", b"89"), 0x995d_c9bb_df19_39fa);
        assert_eq!(crc64(b"", b""), 0);
    }

    #[test]
    fn every_length_and_every_cut_gives_the_plain_sum() {
        let bytes: Vec<u8> = (0..1100_u32).map(|n| (n * n + 7 * n) as u8).collect();
        for length in 0..600 {
            let message = &bytes[length % 37..][..length];
            let wanted = plainly(b"", message);
            for prefix in [0, 1, 7, 8, 9, 16, 200] {
                if let Some((prefix, rest)) = message.split_at_checked(prefix) {
                    assert_eq!(crc64(prefix, rest), wanted, "{length} bytes");
                }
            }
        }
    }

    #[test]
    fn sums_of_pieces_are_joined_to_the_sum_of_the_whole() {
        let bytes: Vec<u8> = (0..1100_u32).map(|n| (n * n + 7 * n) as u8).collect();
        for length in [0, 1, 2, 77, 128, 1100] {
            let message = &bytes[..length];
            for cut in [0, 1, 8, 30, 76, 127, 1000] {
                if let Some((first, second)) = message.split_at_checked(cut) {
                    let (before, behind) = (crc64(b"", first), crc64(b"", second));
                    let wanted = crc64(b"", message);
                    assert_eq!(joined(before, behind, second.len()), wanted);
                    let mut running = Running::new();
                    running.add(first);
                    running.add(second);
                    assert_eq!(running.sum(), wanted);
                }
            }
        }
    }
}
