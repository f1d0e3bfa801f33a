//! Numbers that nobody can guess, from the operating system.

use std::io;

/// 128 bits: what keeps clients from choosing keys that collide, so nothing else will do for it.
///
/// # Errors
///
/// Errors if the operating system has none to give.
pub(crate) fn secret() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        io::Error::other(format!(
            "the operating system gives no random numbers: {error}"
        ))
    })?;
    Ok(u128::from_le_bytes(bytes))
}

/// 64 bits.
///
/// # Errors
///
/// Errors if the operating system has none to give.
pub(crate) fn number() -> io::Result<u64> {
    Ok(secret()? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_the_same() {
        let drawn: std::collections::BTreeSet<u128> =
            (0..1000).map(|_| secret().unwrap()).collect();
        assert_eq!(drawn.len(), 1000);
        // Each of the bits is drawn.
        assert_eq!(drawn.iter().fold(0, |sum, one| sum | one), u128::MAX);
        assert_eq!(drawn.iter().fold(u128::MAX, |sum, one| sum & one), 0);
    }
}
