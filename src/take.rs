//! Numbers and bytes off the front of a slice, which lacks them afterwards; numbers are
//! little-endian.
//!
//! Each function gives `None`, and takes nothing, if the slice is too short.

/// Takes the first `N` bytes.
pub fn array<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*array)
}

/// Takes the first `length` bytes.
pub fn bytes<'a>(from: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (bytes, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(bytes)
}

/// Takes a byte.
pub fn byte(from: &mut &[u8]) -> Option<u8> {
    array(from).map(|[byte]| byte)
}

/// Takes a number of two bytes.
pub fn u16(from: &mut &[u8]) -> Option<u16> {
    array(from).map(u16::from_le_bytes)
}

/// Takes a number of four bytes.
pub fn u32(from: &mut &[u8]) -> Option<u32> {
    array(from).map(u32::from_le_bytes)
}

/// Takes a number of eight bytes.
pub fn u64(from: &mut &[u8]) -> Option<u64> {
    array(from).map(u64::from_le_bytes)
}

/// Takes a number of sixteen bytes.
pub fn u128(from: &mut &[u8]) -> Option<u128> {
    array(from).map(u128::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_is_not_taken() {
        let whole = [1, 2, 3, 4, 5, 6, 7, 8];
        let mut rest = &whole[..];
        assert_eq!(byte(&mut rest), Some(1));
        assert_eq!(u16(&mut rest), Some(0x0302));
        assert_eq!(u32(&mut rest), Some(0x0706_0504));
        assert_eq!((u64(&mut rest), u128(&mut rest)), (None, None));
        assert_eq!(bytes(&mut rest, 2), None);
        assert_eq!(rest, [8]);
        assert_eq!(bytes(&mut rest, 1), Some(&[8][..]));
        assert_eq!(byte(&mut rest), None);
    }
}
