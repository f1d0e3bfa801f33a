//! The name of a script: the SHA-1 digest of its text, in hexadecimal digits.

use sha1::{Digest, Sha1};

/// The name of a script.
pub(super) type Name = [u8; 40];

/// The digest of a text in small hexadecimal digits.
pub(super) fn of(text: &[u8]) -> Name {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut name = [0; 40];
    for (pair, byte) in name.chunks_exact_mut(2).zip(Sha1::digest(text)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    name
}

/// A name as a client gives it, in any case; `None` where no script can have it.
pub(super) fn given(word: &[u8]) -> Option<Name> {
    let name: &Name = word.try_into().ok()?;
    Some(name.map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_digest_of_the_text() {
        let known = b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        assert_eq!(&of(b"return 1"), known);
        assert_eq!(given(&known.to_ascii_uppercase()), Some(*known));
        assert_eq!(given(b"e0e1"), None);
    }
}
