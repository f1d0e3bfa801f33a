//! A request with a large argument, put together while it arrives.
//!
//! The bytes of a large argument go past the parser, straight to where they stay: the log, the
//! other members and the store share that memory afterwards. Nothing is set aside on the word of a
//! length: until an eighth of what is announced has come, the bytes are kept in small pieces; then
//! there is room for all of it, and the pieces are moved there step by step.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

use crate::checksum::Running;
use crate::command::args::Args;
use crate::copying;

/// Room is made for so many times what has come.
pub(super) const AHEAD: usize = 8;
/// The size of a piece, in bytes.
const PIECE_BYTES: usize = 256 << 10;
/// Room for short arguments behind the large one, in bytes.
const SPARE_BYTES: usize = 1 << 10;
/// For each byte that comes so many are moved.
const MOVED_PER_BYTE: usize = 4;

/// Bytes that become one piece of memory.
#[derive(Debug, Default)]
pub struct Gathering {
    /// The beginning, where it stays.
    whole: Vec<u8>,
    /// The pieces that follow it, each with how much of it is moved.
    pieces: VecDeque<(Vec<u8>, usize)>,
    /// The bytes in `pieces` that are not moved.
    waiting: usize,
    /// How many bytes there will be at least.
    expected: usize,
    sum: Running,
}

impl Clone for Gathering {
    /// A copy with the same room: what is made of it later must not depend on who was copied.
    fn clone(&self) -> Self {
        let mut whole = Vec::with_capacity(self.whole.capacity());
        whole.extend_from_slice(&self.whole);
        Self {
            whole,
            pieces: self.pieces.clone(),
            waiting: self.waiting,
            expected: self.expected,
            sum: self.sum.clone(),
        }
    }
}

impl Gathering {
    /// How many bytes have come.
    pub fn len(&self) -> usize {
        self.whole.len() + self.waiting
    }

    /// Returns true if nothing has come.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.len()
    }

    /// So many bytes more will come.
    pub fn expect(&mut self, bytes: usize) {
        self.expected = self.len() + bytes;
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.sum.add(bytes);
        let room = self.whole.capacity() - self.whole.len();
        if self.pieces.is_empty() && bytes.len() <= room {
            copying::append(&mut self.whole, bytes);
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let last = self.pieces.back_mut().map(|(piece, _)| piece);
            match last.filter(|piece| piece.len() < PIECE_BYTES) {
                Some(piece) => {
                    let (now, later) = rest.split_at(rest.len().min(PIECE_BYTES - piece.len()));
                    copying::append(piece, now);
                    rest = later;
                }
                None => self.pieces.push_back((Vec::new(), 0)),
            }
        }
        self.waiting += bytes.len();
        self.step(bytes.len() * MOVED_PER_BYTE);
    }

    /// Moves so many bytes at most to where they stay.
    pub fn step(&mut self, mut budget: usize) {
        if self.whole.capacity() < self.len() && !self.make_room() {
            return;
        }
        while budget > 0
            && let Some((piece, moved)) = self.pieces.front_mut()
        {
            let rest = &piece[*moved..];
            let count = rest.len().min(budget);
            copying::append(&mut self.whole, &rest[..count]);
            (*moved, budget) = (*moved + count, budget - count);
            self.waiting -= count;
            if *moved == piece.len() {
                self.pieces.pop_front();
            }
        }
    }

    fn make_room(&mut self) -> bool {
        let needed = self.expected.max(self.len());
        let most = self.len().saturating_mul(AHEAD);
        if most < needed {
            return false;
        }
        // Several large arguments behind one another must not each move all before them.
        let wanted = (self.whole.capacity().saturating_mul(2)).clamp(needed, most);
        let mut whole = Vec::new();
        if whole.try_reserve_exact(wanted + SPARE_BYTES).is_err() {
            return false;
        }
        let before = core::mem::replace(&mut self.whole, whole);
        if !before.is_empty() {
            self.waiting += before.len();
            self.pieces.push_front((before, 0));
        }
        true
    }

    /// Returns true if all that has come is in one piece.
    pub fn is_whole(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The part that is in one piece already.
    pub fn front(&self) -> &[u8] {
        &self.whole
    }

    /// The bytes, and their checksum.
    pub fn into_whole(mut self) -> (Vec<u8>, u64) {
        self.expected = 0;
        self.step(usize::MAX);
        (self.whole, self.sum.sum())
    }
}

/// A request with a large argument.
#[derive(Clone, Debug, Default)]
pub struct Large {
    /// The request in the form that an entry of the log gives it.
    pub gathering: Gathering,
    /// The ranges of its arguments in that.
    pub ranges: Vec<Range<u32>>,
    /// So many bytes of the last of them are still to come.
    pub missing: usize,
}

impl Large {
    /// The memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.gathering.memory() + self.ranges.len() * size_of::<Range<u32>>()
    }

    /// The request, where all of it stands in one piece.
    pub fn request(&self) -> Option<Args<'_>> {
        let is_whole = self.gathering.is_whole();
        is_whole.then(|| Args::new(self.gathering.front(), &self.ranges))
    }

    /// Takes what is missing of a large argument off the front of a client's bytes; gives how many
    /// bytes that was.
    pub fn feed(&mut self, bytes: &mut &[u8]) -> usize {
        let (own, rest) = bytes.split_at(bytes.len().min(self.missing));
        self.gathering.push(own);
        self.missing -= own.len();
        *bytes = rest;
        own.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::crc64;

    #[test]
    fn what_comes_in_any_pieces_becomes_one_piece_step_by_step() {
        for (total, cut) in [(1000, 7), (5 << 20, 64 << 10), (3 << 20, 1 << 20)] {
            let bytes: Vec<u8> = (0..total).map(|n| ((n * 31) >> 3) as u8).collect();
            let mut gathering = Gathering::default();
            gathering.expect(total);
            for piece in bytes.chunks(cut) {
                gathering.push(piece);
                let room = gathering.whole.capacity();
                let ahead = AHEAD * gathering.len() + SPARE_BYTES;
                assert!(room <= ahead, "room for {room} of {}", gathering.len());
            }
            while !gathering.is_whole() {
                gathering.step(100);
            }
            assert_eq!(gathering.into_whole(), (bytes.clone(), crc64(&[], &bytes)));
        }
    }

    #[test]
    fn more_large_arguments_than_were_expected_are_gathered_too() {
        let mut gathering = Gathering::default();
        let mut all = Vec::new();
        for number in 0..200_u8 {
            let bytes = [number; 3000];
            gathering.expect(bytes.len());
            gathering.push(&bytes);
            all.extend_from_slice(&bytes);
        }
        assert_eq!(gathering.into_whole().0, all);
    }
}
