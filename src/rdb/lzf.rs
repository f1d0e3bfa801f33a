//! Strings that were compressed by LZF.

use alloc::vec::Vec;

/// The most bytes that one byte can stand for: three make a reference to 264.
const GROWTH_MAX: usize = 88;

/// The most bytes that the compressed strings of one payload hold together: as many as the longest
/// string.
pub(super) const UNPACKED_MAX: usize = 512 << 20;

/// The bytes that were compressed, if they are so many.
pub(super) fn decompressed(bytes: &[u8], len: usize) -> Option<Vec<u8>> {
    if len == 0 || len > bytes.len().saturating_mul(GROWTH_MAX) {
        return None;
    }
    // It is not believed at once how many they are.
    let mut out = Vec::with_capacity(len.min(bytes.len().saturating_mul(4)));
    let mut rest = bytes;
    while let Some((control, behind)) = rest.split_first() {
        rest = behind;
        let control = usize::from(*control);
        if control < 32 {
            let (literal, behind) = rest.split_at_checked(control + 1)?;
            out.extend_from_slice(literal);
            rest = behind;
        } else {
            let mut count = control >> 5;
            if count == 7 {
                let (more, behind) = rest.split_first()?;
                count += usize::from(*more);
                rest = behind;
            }
            let (low, behind) = rest.split_first()?;
            rest = behind;
            let back = ((control & 31) << 8 | usize::from(*low)) + 1;
            let from = out.len().checked_sub(back)?;
            // What is repeated may be what has just been written.
            for place in from..from + count + 2 {
                out.push(out[place]);
            }
        }
        if out.len() > len {
            return None;
        }
    }
    (out.len() == len).then_some(out)
}
