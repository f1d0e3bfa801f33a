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

/// What is folded at once, in bytes.
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
}
