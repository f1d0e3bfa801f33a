//! Integers in as few bytes as they need, the lowest first; the highest bears the sign.

/// How many bytes an integer needs: one to eight.
pub(in crate::store) fn bytes_of(number: i64) -> usize {
    let bits = 65 - (number ^ number >> 63).leading_zeros();
    bits.div_ceil(8) as usize
}

/// The integer that at most eight bytes are.
pub(in crate::store) fn read(bytes: &[u8]) -> i64 {
    let mut wide = [0; 8];
    wide[8 - bytes.len()..].copy_from_slice(bytes);
    // The bytes stand at the top; what is shifted in is the sign.
    i64::from_le_bytes(wide)
        .checked_shr(64 - 8 * bytes.len() as u32)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_integer_is_read_from_the_bytes_that_it_needs_and_from_no_fewer(
            number: i64,
            shift in 0u32..64,
        ) {
            let number = number >> shift;
            let (bytes, needed) = (number.to_le_bytes(), bytes_of(number));
            for len in 1..=8 {
                prop_assert_eq!(read(&bytes[..len]) == number, len >= needed);
            }
        }
    }
}
