//! Long copies at the speed of memory, wherever the two places stand.
//!
//! From some KiB on a C library copies with one instruction of the processor (`rep movsb`). AMD's
//! Zen 3 and 4 execute that at a fifth of the speed where the destination stands a few bytes behind
//! the source, counted from the starts of their pages (bug 30994 of glibc, mended in 2.39): so
//! stands a value that begins a page and is answered behind `$65536`. Of 64 KiB the copy took 20 µs
//! instead of 5. Shorter pieces are copied by loops, which mind nothing of that.

use alloc::vec::Vec;

/// The length of a piece, in bytes; the instruction is taken from 2 KiB on.
const PIECE_BYTES: usize = 1 << 10;

/// Appends bytes.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() <= PIECE_BYTES {
        return out.extend_from_slice(bytes);
    }
    out.reserve(bytes.len());
    for piece in bytes.chunks(PIECE_BYTES) {
        out.extend_from_slice(piece);
    }
}

/// Copies bytes over others, of which there must be as many.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    assert_eq!(to.len(), from.len(), "as many bytes as places for them");
    for (to, from) in to.chunks_mut(PIECE_BYTES).zip(from.chunks(PIECE_BYTES)) {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_are_copied_in_their_order_whatever_the_length() {
        let bytes: Vec<u8> = (0..5000_u32).map(|n| ((n * 7) >> 3) as u8).collect();
        for length in [0, 1, 1023, 1024, 1025, 2048, 2049, 5000] {
            let mut out = alloc::vec![1, 2, 3];
            append(&mut out, &bytes[..length]);
            assert_eq!(out, [&[1, 2, 3], &bytes[..length]].concat());
            let mut over = alloc::vec![0; length];
            copy(&mut over, &bytes[..length]);
            assert_eq!(over, bytes[..length]);
        }
    }
}
