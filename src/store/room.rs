//! Runs of bytes with a little room, in the sizes that allocators have.
//!
//! A run never doubles: one that becomes too long is copied into the next size, a quarter longer at
//! most, and what is counted is what the allocator holds.

use alloc::vec::Vec;

/// The least size of at least so many bytes: four for each power of two.
fn size_of_run(bytes: usize) -> usize {
    let step = match bytes.saturating_sub(1).checked_ilog2() {
        Some(log @ 5..) => 1 << (log - 2),
        _ => 8,
    };
    bytes.next_multiple_of(step)
}

/// A run that holds these bytes.
pub(super) fn of(bytes: &[u8]) -> Vec<u8> {
    let mut run = Vec::with_capacity(size_of_run(bytes.len()));
    run.extend_from_slice(bytes);
    run
}

/// Writes `bytes` at `offset` of a run, with zeros in between where it is shorter.
pub(super) fn write(run: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if run.capacity() < end {
        let mut longer = Vec::with_capacity(size_of_run(end));
        longer.extend_from_slice(run);
        *run = longer;
    }
    if run.len() < offset {
        run.resize(offset, 0);
    }
    let (over, behind) = bytes.split_at(bytes.len().min(run.len() - offset));
    run[offset..offset + over.len()].copy_from_slice(over);
    run.extend_from_slice(behind);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_quarter_longer_than_its_bytes_at_most() {
        let (mut run, mut moves) = (of(b""), 0);
        for length in 1..=64 << 10 {
            let before = run.capacity();
            let at = run.len();
            write(&mut run, at, b"x");
            moves += usize::from(run.capacity() != before);
            assert_eq!(run.len(), length);
            assert!(run.capacity() <= length + (length / 4).max(8), "{length}");
        }
        assert_eq!(run.capacity(), 64 << 10);
        assert!(moves < 64, "it was moved {moves} times");
    }

    #[test]
    fn a_gap_is_zeros_and_what_is_there_is_written_over() {
        let mut run = of(b"abcdef");
        write(&mut run, 4, b"XYZ");
        write(&mut run, 9, b"!");
        write(&mut run, 1, b"-");
        assert_eq!(run, b"a-cdXYZ\0\0!");
    }
}
