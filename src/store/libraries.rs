//! Libraries of functions, by name, and the functions in them, in tables of their own beside those
//! of scripts.
//!
//! They are a part of the state like keys: every base has them, and digests too. The store does not
//! know what a library says; who changes one tells which functions it has.

use alloc::vec::Vec;

use super::{DbId, NewExpiry, Store};
use crate::limits::DATABASES;
use crate::time::Stamp;

/// The table of libraries.
const LIBRARIES: DbId = DATABASES + 2;
/// The table of functions, each with the digest and the name of its library.
const FUNCTIONS: DbId = DATABASES + 3;
/// The bytes of a digest.
const DIGEST_BYTES: usize = 40;

impl Store {
    /// The bytes that were kept of a library.
    #[must_use]
    pub fn library(&self, name: &[u8]) -> Option<Vec<u8>> {
        let view = self.view(LIBRARIES, name)?;
        Some(view.value().as_text()?.to_vec())
    }

    /// Returns true if there is a library of this name.
    #[must_use]
    pub fn has_library(&self, name: &[u8]) -> bool {
        self.view(LIBRARIES, name).is_some()
    }

    /// The names of all libraries, in their order.
    #[must_use]
    pub fn library_names(&self) -> Vec<Vec<u8>> {
        let all = self.dict(LIBRARIES).iter();
        let mut names: Vec<Vec<u8>> = all.map(|view| view.key.to_vec()).collect();
        names.sort();
        names
    }

    /// The library of a function: the digest of its text, and its name.
    #[must_use]
    pub fn function(&self, key: &[u8]) -> Option<([u8; DIGEST_BYTES], Vec<u8>)> {
        let view = self.view(FUNCTIONS, key)?;
        let mut name = view.value().as_text()?.to_vec();
        let digest = *name.first_chunk::<DIGEST_BYTES>()?;
        name.drain(..DIGEST_BYTES);
        Some((digest, name))
    }

    /// Keeps a library, which is not there yet, with its functions.
    pub fn keep_library<'k>(
        &mut self,
        (name, body): (&[u8], &[u8]),
        digest: &[u8; DIGEST_BYTES],
        functions: impl Iterator<Item = &'k [u8]>,
        at: Stamp,
    ) {
        self.set_text(LIBRARIES, name, body, NewExpiry::Never, at);
        let of = [digest, name].concat();
        for key in functions {
            self.set_text(FUNCTIONS, key, &of, NewExpiry::Never, at);
        }
    }

    /// Removes a library with its functions.
    pub fn remove_library<'k>(&mut self, name: &[u8], functions: impl Iterator<Item = &'k [u8]>) {
        if let Some(place) = self.find(LIBRARIES, name) {
            self.take(LIBRARIES, place);
        }
        for key in functions {
            if let Some(place) = self.find(FUNCTIONS, key) {
                self.take(FUNCTIONS, place);
            }
        }
    }

    /// Removes all libraries.
    pub fn flush_libraries(&mut self) {
        self.flush(LIBRARIES);
        self.flush(FUNCTIONS);
    }

    /// How many libraries there are.
    #[must_use]
    pub fn libraries(&self) -> u64 {
        self.len(LIBRARIES)
    }

    /// How many functions there are.
    #[must_use]
    pub fn functions(&self) -> u64 {
        self.len(FUNCTIONS)
    }

    /// The bytes of memory that libraries take.
    #[must_use]
    pub fn library_memory(&self) -> usize {
        self.dict(LIBRARIES).memory() + self.dict(FUNCTIONS).memory()
    }
}
