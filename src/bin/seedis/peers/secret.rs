//! The secret that all members share and nobody else knows: read once, and never shown.

use std::fmt;
use std::path::Path;

/// Below this length, in bytes, somebody who has overheard a connection may find it by trying.
const GOOD_BYTES: usize = 16;

/// The secret; empty where there is none.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a secret)")
    }
}

impl Secret {
    /// The secret in the options, or in the file that they name. An error is the options' fault.
    pub(crate) fn read(given: &[u8], file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = file else {
            return Ok(Self(given.to_vec()));
        };
        let shown = file.display();
        if !given.is_empty() {
            return Err(
                "both --cluster-secret and --cluster-secret-file are given: give one".into(),
            );
        }
        let text = std::fs::read(file)
            .map_err(|error| format!("cannot read the cluster-secret-file {shown}: {error}"))?;
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(format!(
                "the cluster-secret-file {shown} is empty: fill it with openssl rand -hex 32 > \
                 {shown}"
            ));
        }
        Ok(Self(text.to_vec()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns true if it is short enough to be guessed.
    pub(crate) fn is_short(&self) -> bool {
        (1..GOOD_BYTES).contains(&self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_one_place_and_is_never_shown() {
        let file = std::env::temp_dir().join(format!("seedis-secret-{}", std::process::id()));
        std::fs::write(&file, "  5e1f00d\n").unwrap();
        let read = Secret::read(b"", Some(&file)).unwrap();
        assert_eq!(read, Secret::read(b"5e1f00d", None).unwrap());
        assert!(!format!("{read:?}").contains("5e1f"));
        assert!(read.is_short() && !Secret::read(b"", None).unwrap().is_short());
        assert!(Secret::read(b"x", Some(&file)).is_err());
        std::fs::write(&file, "\n").unwrap();
        assert!(
            Secret::read(b"", Some(&file))
                .unwrap_err()
                .contains("openssl")
        );
        std::fs::remove_file(&file).unwrap();
        assert!(Secret::read(b"", Some(&file)).is_err());
    }
}
