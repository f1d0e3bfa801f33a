//! A string that is being made and that no key holds yet.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::kind_of_written;
use super::rope::{CHUNK_BYTES, Rope};
use crate::store::big::{Kept, Made};
use crate::store::encoding::Encoding;
use crate::store::value::Large;

/// A string of its own, which takes the place of a key's value when it is done.
#[derive(Clone, Debug, Default)]
pub struct NewText(Rope);

impl NewText {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if it has no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends some bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.write(self.0.len(), bytes);
    }

    /// The value that it is now: one that was written in part.
    pub(super) fn into_made(self, epoch: u8) -> Made {
        let len = self.len();
        let kept = if len > CHUNK_BYTES {
            Kept::Large(Large::Rope(Box::new(self.0)), Encoding::default())
        } else {
            let mut bytes = Vec::with_capacity(len);
            self.0
                .chunks()
                .for_each(|chunk| bytes.extend_from_slice(chunk));
            Kept::Small(kind_of_written(len), bytes)
        };
        Made { kept, epoch }
    }
}
