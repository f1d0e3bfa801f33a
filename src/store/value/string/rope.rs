//! A long string in chunks of one size, so that a change costs as much as what it changes.
//!
//! Appending never moves what is there, overwriting touches the chunks that it names, and a gap is
//! made of one chunk of zeros, however long it is. A copy shares the chunks; whoever changes one
//! first makes it its own.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::store::dict::Tables;
use crate::store::room;
use crate::store::value::parts::{Parts, Show};
use crate::varint;

/// The length of each chunk but the last, in bytes.
pub(in crate::store) const CHUNK_BYTES: usize = 64 << 10;

/// Chunks that count as one segment of a table where they are freed.
const CHUNKS_AT_ONCE: usize = 16;

static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

/// The bytes of one chunk.
#[derive(Clone, Debug)]
enum Chunk {
    /// May be changed in place.
    Own(Vec<u8>),
    /// Others may hold it too.
    Shared(Bytes),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    /// The bytes, to be changed: copied where others may hold them.
    fn own(&mut self) -> &mut Vec<u8> {
        if let Self::Shared(bytes) = self {
            *self = Self::Own(bytes.to_vec());
        }
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(_) => unreachable!("it was made our own above"),
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.capacity(),
            Self::Shared(bytes) => bytes.len(),
        }
    }
}

/// A string of any length. All of its chunks are full but the last, which is never empty.
#[derive(Clone, Debug, Default)]
pub struct Rope {
    chunks: Vec<Chunk>,
    len: usize,
    /// The bytes of memory of all chunks; those that others share count in full.
    chunk_bytes: usize,
}

impl Rope {
    /// A copy of these bytes.
    pub(in crate::store) fn of(bytes: &[u8]) -> Self {
        let mut rope = Self::default();
        rope.write(0, bytes);
        rope
    }

    /// These bytes, whose memory others hold too.
    pub(in crate::store) fn shared(bytes: &Bytes) -> Self {
        let starts = (0..bytes.len()).step_by(CHUNK_BYTES);
        let chunk = |start: usize| bytes.slice(start..bytes.len().min(start + CHUNK_BYTES));
        Self {
            chunks: starts.map(chunk).map(Chunk::Shared).collect(),
            len: bytes.len(),
            chunk_bytes: bytes.len(),
        }
    }

    /// How many bytes the string has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns true if the string is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, chunk by chunk.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks.iter().map(Chunk::bytes)
    }

    /// The bytes from `start` to `end`, in pieces; less where the string ends before.
    pub fn range(&self, start: usize, end: usize) -> impl Iterator<Item = &[u8]> {
        let end = end.min(self.len);
        let first = start / CHUNK_BYTES;
        let chunks = self.chunks.get(first..).unwrap_or_default();
        let mut at = first * CHUNK_BYTES;
        chunks.iter().map_while(move |chunk| {
            let bytes = chunk.bytes();
            let from = start.saturating_sub(at);
            let to = end.saturating_sub(at).min(bytes.len());
            at += bytes.len();
            bytes.get(from..to).filter(|piece| !piece.is_empty())
        })
    }

    /// Returns true if these bytes stand at `offset`.
    pub(in crate::store) fn holds(&self, offset: usize, bytes: &[u8]) -> bool {
        if self.len < offset + bytes.len() {
            return false;
        }
        let mut rest = bytes;
        self.range(offset, offset + bytes.len()).all(|piece| {
            let (front, behind) = rest.split_at(piece.len());
            rest = behind;
            piece == front
        })
    }

    /// Returns true if the string is just this.
    pub(in crate::store) fn is(&self, bytes: &[u8]) -> bool {
        self.len == bytes.len() && self.holds(0, bytes)
    }

    /// Writes `bytes` at `offset`, with zeros in between where the string is shorter.
    pub(in crate::store) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.fill(offset);
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let within = at % CHUNK_BYTES;
            let count = rest.len().min(CHUNK_BYTES - within);
            let (piece, behind) = rest.split_at(count);
            self.change(at / CHUNK_BYTES, |chunk| {
                room::write(chunk, within, piece);
            });
            at += count;
            rest = behind;
        }
        self.len = self.len.max(at);
    }

    /// Makes the string at least so long, with zeros.
    fn fill(&mut self, len: usize) {
        while self.len < len {
            let within = self.len % CHUNK_BYTES;
            let count = (len - self.len).min(CHUNK_BYTES - within);
            if within == 0 {
                let zeros = Chunk::Shared(Bytes::from_static(&ZEROS[..count]));
                self.chunk_bytes += zeros.memory();
                self.push(zeros);
            } else {
                self.change(self.len / CHUNK_BYTES, |chunk| {
                    room::write(chunk, within, &ZEROS[..count]);
                });
            }
            self.len += count;
        }
    }

    fn push(&mut self, chunk: Chunk) {
        if self.chunks.len() == self.chunks.capacity() {
            self.chunks.reserve_exact(1 + self.chunks.len() / 4);
        }
        self.chunks.push(chunk);
    }

    /// Changes one chunk, or the one that comes behind the last.
    fn change(&mut self, number: usize, change: impl FnOnce(&mut Vec<u8>)) {
        if number == self.chunks.len() {
            self.push(Chunk::Own(Vec::new()));
        }
        let chunk = &mut self.chunks[number];
        self.chunk_bytes -= chunk.memory();
        change(chunk.own());
        self.chunk_bytes += chunk.memory();
    }
}

/// A part is a chunk, with its offset in front. A rope that is about to change is cloned for the
/// base as a whole, which shares all chunks: so parts bear no epoch.
impl Parts for Rope {
    const TYPE: &'static str = "string";

    fn empty(_: Tables) -> Self {
        Self::default()
    }

    fn memory(&self) -> usize {
        self.unshared_memory() + self.chunk_bytes
    }

    #[cfg(test)]
    fn recount(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Chunk::memory).sum();
        self.unshared_memory() + chunks
    }

    #[cfg(test)]
    fn check(&self) {
        let full = self.chunks().take(self.chunks.len().saturating_sub(1));
        assert!(full.into_iter().all(|chunk| chunk.len() == CHUNK_BYTES));
        assert_eq!(self.len, self.chunks().map(<[u8]>::len).sum::<usize>());
    }

    fn share(&mut self) {
        for chunk in &mut self.chunks {
            if let Chunk::Own(bytes) = chunk {
                self.chunk_bytes -= bytes.capacity();
                self.chunk_bytes += bytes.len();
                *chunk = Chunk::Shared(Bytes::from(core::mem::take(bytes)));
            }
        }
    }

    fn unshared_memory(&self) -> usize {
        self.chunks.capacity() * size_of::<Chunk>()
    }

    fn restamp(&mut self, _: u8) {}

    fn write_part(&mut self, from: u64, _: u8, _: usize, part: &mut Vec<u8>) -> Option<u64> {
        let chunk = self.chunks.get(from as usize / CHUNK_BYTES)?.bytes();
        varint::put(part, from);
        part.extend_from_slice(chunk);
        let next = from as usize + chunk.len();
        (next < self.len).then_some(next as u64)
    }

    fn load_part(&mut self, part: &[u8], _: u8) -> Option<()> {
        let (offset, chunk) = offset_and_chunk(part)?;
        if offset != self.len as u64 || !self.len.is_multiple_of(CHUNK_BYTES) {
            return None;
        }
        self.write(self.len, chunk);
        Some(())
    }

    fn show_part(part: &[u8], show: Show<'_>) {
        if let Some((offset, chunk)) = offset_and_chunk(part) {
            show(&[&offset.to_le_bytes(), chunk]);
        }
    }

    fn dismantle(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 && !self.chunks.is_empty() {
            *budget -= 1;
            let kept = self.chunks.len().saturating_sub(CHUNKS_AT_ONCE);
            for chunk in self.chunks.drain(kept..) {
                self.chunk_bytes -= chunk.memory();
                self.len -= chunk.bytes().len();
            }
        }
        !self.chunks.is_empty()
    }
}

fn offset_and_chunk(mut part: &[u8]) -> Option<(u64, &[u8])> {
    let offset = varint::take(&mut part)?;
    let fits = !part.is_empty() && part.len() <= CHUNK_BYTES;
    fits.then_some((offset, part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A place near a border of chunks, or anywhere.
    fn offsets() -> impl Strategy<Value = usize> {
        let borders = (0..4usize, 0..9usize);
        let near = borders.prop_map(|(chunk, off)| (chunk * CHUNK_BYTES + off).saturating_sub(4));
        prop_oneof![near, 0..4 * CHUNK_BYTES]
    }

    /// Draws the offset at which something is written, its length and first byte, and whether a
    /// copy is kept before.
    fn writes() -> impl Strategy<Value = (usize, usize, u8, bool)> {
        (offsets(), 1..3 * CHUNK_BYTES, any::<u8>(), any::<bool>())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_rope_is_the_string_that_was_written(
            writes in proptest::collection::vec(writes(), 1..6),
            start in offsets(),
            len in 0..2 * CHUNK_BYTES,
        ) {
            let (mut rope, mut plain) = (Rope::default(), Vec::new());
            let mut copies = Vec::new();
            for (offset, len, byte, shares) in writes {
                if shares {
                    rope.share();
                    copies.push((rope.clone(), plain.clone()));
                }
                let bytes: Vec<u8> = (0..len).map(|at| byte.wrapping_add(at as u8)).collect();
                rope.write(offset, &bytes);
                if plain.len() < offset + len {
                    plain.resize(offset + len, 0);
                }
                plain[offset..offset + len].copy_from_slice(&bytes);
                prop_assert!(rope.holds(offset, &bytes));
            }
            copies.push((rope, plain));
            for (mut rope, plain) in copies {
                rope.check();
                prop_assert_eq!(rope.recount(), rope.memory());
                prop_assert_eq!(rope.chunks().collect::<Vec<_>>().concat(), &plain[..]);
                prop_assert!(rope.is(&plain));
                let end = (start + len).min(plain.len());
                let expected = plain.get(start..end).unwrap_or_default();
                let pieces: Vec<&[u8]> = rope.range(start, start + len).collect();
                prop_assert_eq!(pieces.concat(), expected);
                while rope.dismantle(&mut 1) {
                    prop_assert_eq!(rope.recount(), rope.memory());
                }
                prop_assert!(rope.is_empty());
            }
        }
    }

    #[test]
    fn a_long_gap_takes_no_memory_of_its_own() {
        let mut rope = Rope::default();
        rope.write(512 << 20, b"x");
        let own = rope
            .chunks
            .iter()
            .filter(|chunk| matches!(chunk, Chunk::Own(_)));
        assert_eq!(own.count(), 1);
    }

    #[test]
    fn what_is_appended_is_not_moved() {
        let mut rope = Rope::of(&alloc::vec![7; 10 * CHUNK_BYTES]);
        let before: Vec<*const u8> = rope.chunks().map(<[u8]>::as_ptr).collect();
        for _ in 0..3 * CHUNK_BYTES {
            rope.write(rope.len(), b"x");
        }
        let after = rope.chunks().map(<[u8]>::as_ptr);
        assert!(before.into_iter().eq(after.take(10)));
    }
}
