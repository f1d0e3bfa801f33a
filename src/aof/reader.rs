//! One file's bytes on their way through recovery.

use alloc::vec::Vec;

/// Bytes of one file, as far as they are read and not used.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    pub(super) length: u64,
    pub(super) buffer: Vec<u8>,
    /// The offset of the buffer's first byte in the file.
    pub(super) start: u64,
    /// How much of the buffer is used.
    pub(super) used: usize,
}

impl Reader {
    pub(super) fn open(length: u64) -> Self {
        Self {
            length,
            ..Self::default()
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.start + self.used as u64
    }

    pub(super) fn unused(&self) -> &[u8] {
        &self.buffer[self.used..]
    }

    pub(super) fn is_read(&self) -> bool {
        self.start + self.buffer.len() as u64 >= self.length
    }

    pub(super) fn take_in(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.used);
        self.start += self.used as u64;
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
        if bytes.is_empty() {
            // The file is shorter than it was listed.
            self.length = self.start + self.buffer.len() as u64;
        }
    }
}
