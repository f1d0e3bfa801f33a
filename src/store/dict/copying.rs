//! Copies of a table, whole or part by part.

use alloc::vec::Vec;

use super::super::entry::Boxed;
use super::minima::Minima;
use super::segment::DEEP;
use super::{CHUNK, Dict};

/// The bytes whose copying costs about as much as stamping a key.
const KEY_BYTES: usize = 16;

impl<L: Boxed + Clone> Dict<L> {
    /// A copy without pages and segments: it is no table before `copy_on` has added them all.
    ///
    /// It may have less room to grow than the original, so memory is counted anew.
    pub(in super::super) fn hollow(&self) -> Self {
        let mut of_depth = [0; DEEP as usize + 1];
        for group in &self.groups {
            of_depth[usize::from(group.depth)] += 1;
        }
        Self {
            hasher: self.hasher,
            keys_max: self.keys_max,
            empty_segments_max: self.empty_segments_max,
            depth: self.depth,
            directory: self.directory.clone(),
            chunks: Vec::new(),
            pool: self.pool.hollow(),
            emptying: self.emptying,
            groups: self.groups.clone(),
            edge_bytes: self.edge_bytes,
            of_depth,
            earliest: Minima::default(),
            len: self.len,
            volatile: self.volatile,
            times: self.times,
            segment_bytes: 0,
            #[cfg(test)]
            moved: 0,
        }
    }

    /// Adds the next pages or the next segment to a copy that `hollow` has made; its keys bear
    /// `epoch`, or what they bear here. Returns how many bytes that has cost; `None` if the copy is
    /// whole. The table must not change before it is, but for the epochs of its keys.
    pub(in super::super) fn copy_on(&self, copy: &mut Self, epoch: Option<u8>) -> Option<usize> {
        if let Some(bytes) = self.pool.copy_on(&mut copy.pool) {
            return Some(bytes);
        }
        let number = copy.segments();
        if number == self.segments() {
            return None;
        }
        let segment = self.segment(number).clone();
        let bytes = segment.memory() + segment.len() * KEY_BYTES;
        copy.push(segment);
        if let Some(epoch) = epoch {
            let segment = &mut copy.chunks[number / CHUNK][number % CHUNK];
            segment.stamp(&mut copy.pool, epoch, &mut |_| true);
            for big in segment.bigs_mut() {
                big.restamp(epoch);
            }
        }
        Some(bytes)
    }
}

impl<L: Boxed + Clone> Clone for Dict<L> {
    fn clone(&self) -> Self {
        let mut clone = self.hollow();
        while self.copy_on(&mut clone, None).is_some() {}
        clone
    }
}
