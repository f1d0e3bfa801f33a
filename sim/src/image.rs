//! The bytes of a file, as a fake disk keeps them: zeros at the end are only counted, since files
//! are made at their full size long before they are written.

/// A file's content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    /// The bytes before the zeros at the end.
    bytes: Vec<u8>,
    len: usize,
}

impl Image {
    /// The length of the file, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Cuts the file, or adds zeros.
    pub(crate) fn resize(&mut self, len: usize) {
        self.bytes.truncate(len);
        self.len = len;
    }

    /// Writes bytes somewhere; the file grows as needed.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[offset..end].copy_from_slice(bytes);
        self.len = self.len.max(end);
    }

    /// The bytes between two places; fewer, if the file ends before.
    pub(crate) fn read(&self, from: usize, to: usize) -> Vec<u8> {
        let to = to.min(self.len);
        let from = from.min(to);
        let mut read = Vec::with_capacity(to - from);
        let stored = self.bytes.len();
        read.extend_from_slice(&self.bytes[from.min(stored)..to.min(stored)]);
        read.resize(to - from, 0);
        read
    }

    /// The bytes before the zeros at the end.
    pub(crate) fn written(&self) -> &[u8] {
        let end = self.bytes.iter().rposition(|byte| *byte != 0);
        &self.bytes[..end.map_or(0, |at| at + 1)]
    }

    /// Flips one bit, if the file is so long.
    pub(crate) fn flip(&mut self, offset: usize, bit: u8) {
        if offset < self.len {
            let byte = self.read(offset, offset + 1)[0];
            self.write(offset, &[byte ^ 1 << bit]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_are_there_without_being_kept() {
        let mut image = Image::default();
        image.resize(1 << 40);
        assert_eq!(image.len(), 1 << 40);
        image.write(3, b"abc");
        assert_eq!(image.read(2, 8), b"\0abc\0\0");
        assert_eq!(image.written(), b"\0\0\0abc");
        image.flip(9, 1);
        assert_eq!(image.read(8, 10), [0, 2]);
        image.resize(5);
        assert_eq!(image.read(0, 9), b"\0\0\0ab");
        image.resize(7);
        assert_eq!(image.read(4, 9), b"b\0\0");
        image.write(7, b"z");
        assert_eq!(image.len(), 8);
    }
}
