//! Texts that are kept until a command has come to its end: in pieces, so that none is ever moved.

use alloc::vec::Vec;

/// The most bytes of a chunk that holds several texts.
const CHUNK_BYTES: usize = 256 << 10;

/// The place of a text.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) struct Span {
    chunk: u32,
    start: u32,
    len: u32,
}

/// Texts, each of which is found again by its place.
#[derive(Clone, Debug, Default)]
pub(in crate::command) struct Arena(Vec<Vec<u8>>);

impl Arena {
    /// Keeps a text, which is at most as long as a bulk string.
    pub(in crate::command) fn push(&mut self, text: &[u8]) -> Span {
        let has_room = |chunk: &Vec<u8>| chunk.len() + text.len() <= CHUNK_BYTES;
        if !self.0.last().is_some_and(has_room) {
            self.0.push(Vec::with_capacity(text.len()));
        }
        let chunk = self.0.len() - 1;
        let bytes = &mut self.0[chunk];
        let start = bytes.len();
        bytes.extend_from_slice(text);
        Span {
            chunk: chunk as u32,
            start: start as u32,
            len: text.len() as u32,
        }
    }

    /// The text at a place.
    pub(in crate::command) fn get(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        &self.0[span.chunk as usize][start..start + span.len as usize]
    }

    /// Frees a chunk. Returns false if there is none any more.
    pub(in crate::command) fn free(&mut self) -> bool {
        self.0.pop().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_all_lengths_are_found_again() {
        let mut arena = Arena::default();
        let lengths = [
            0,
            1,
            7,
            100_000,
            300_000,
            3,
            255 << 10,
            2 << 10,
            0,
            256 << 10,
        ];
        let text = |place: usize| alloc::vec![place as u8; lengths[place]];
        let spans: Vec<Span> = (0..10).map(|place| arena.push(&text(place))).collect();
        for (place, span) in spans.iter().enumerate() {
            assert_eq!(arena.get(*span), text(place));
        }
        let mut chunks = 0;
        while arena.free() {
            chunks += 1;
        }
        assert!((4..8).contains(&chunks), "{chunks}");
    }
}
