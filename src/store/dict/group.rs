//! Segments one behind the other where the directory of a table cannot tell them apart, see `deep`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::ops::Bound;

/// The beginning of a segment: a place in the order of the table, and the key from which on keys of
/// that very place belong to it; the key is empty unless there are segments full of such.
pub(super) type Start = (u64, Box<[u8]>);

/// The segments of one cell of the directory, or of several that once were one.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) prefix: u64,
    pub(super) depth: u8,
    /// The segments; the first one begins at the prefix.
    pub(super) starts: BTreeMap<Start, u32>,
    /// How many of them begin within a place of the order.
    pub(super) edges: usize,
}

impl Group {
    /// The segment to which a key of this order belongs.
    pub(super) fn find(&self, order: u64, key: &[u8]) -> usize {
        // Only where edges tell segments apart does the key matter.
        let key = if self.edges == 0 {
            Box::default()
        } else {
            key.into()
        };
        let found = self.starts.range(..=(order, key)).next_back();
        *found.expect("a group begins at its prefix").1 as usize
    }

    pub(super) fn behind(&self, start: Start) -> Option<usize> {
        let behind = (Bound::Excluded(start), Bound::Unbounded);
        Some(*self.starts.range(behind).next()?.1 as usize)
    }

    pub(super) fn before(&self, start: Start) -> Option<usize> {
        Some(*self.starts.range(..start).next_back()?.1 as usize)
    }
}
