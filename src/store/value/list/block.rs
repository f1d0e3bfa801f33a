//! A block of a large list: some items in one run, or one long item by itself.
//!
//! Clones share their bytes until one of them is changed.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::end::End;
#[cfg(test)]
use crate::store::value::run::count_sound;
use crate::store::value::run::{Encoded, Items, take_first, take_last};
use crate::store::value::string::Text;

/// The most bytes of a run.
pub(super) const RUN_BYTES_MAX: usize = 4096;
/// The fewest bytes that a run has room for.
const RUN_BYTES_MIN: usize = 512;
/// An item that takes more than this stands by itself, so that no run is left mostly empty.
const ITEM_BYTES_MAX: usize = RUN_BYTES_MAX / 4;
/// The memory that the counts of owners take in front of shared memory, in bytes.
const SHARED_BYTES: usize = 2 * size_of::<usize>();

/// A block, which is never empty.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// Items in a run.
    Run(Arc<Run>),
    /// The run of one long item. A slice would be one allocation less, but made by a copy of all.
    Single(Arc<Vec<u8>>),
}

impl Block {
    /// A block with one item.
    pub(super) fn of(item: &Encoded<'_>, end: End) -> Self {
        if item.len() > ITEM_BYTES_MAX {
            let mut bytes = Vec::with_capacity(item.len());
            item.push_to(&mut bytes);
            return Self::Single(Arc::new(bytes));
        }
        let mut run = Run::with_room(RUN_BYTES_MIN.max(item.len()), end);
        run.push(item, end);
        Self::Run(Arc::new(run))
    }

    /// The blocks that hold these items, which were one block but for a few more bytes.
    pub(super) fn cut(items: &[u8]) -> Vec<Self> {
        let mut blocks: Vec<Self> = Vec::new();
        let mut rest = items;
        while let before = rest
            && take_first(&mut rest).is_some()
        {
            let item = &before[..before.len() - rest.len()];
            let taken = item.len() <= ITEM_BYTES_MAX
                && blocks.last_mut().is_some_and(|last| last.push_raw(item));
            if !taken {
                blocks.push(Self::of_raw(item));
            }
        }
        blocks
    }

    fn of_raw(item: &[u8]) -> Self {
        if item.len() > ITEM_BYTES_MAX {
            return Self::Single(Arc::new(item.to_vec()));
        }
        let mut run = Run::with_room(RUN_BYTES_MIN.max(item.len()), End::Back);
        run.push_raw(item);
        Self::Run(Arc::new(run))
    }

    /// Adds an item as it stands in a run behind the others; whether there was room.
    fn push_raw(&mut self, item: &[u8]) -> bool {
        match self {
            Self::Run(run) => {
                let run = Arc::make_mut(run);
                run.make_room(item.len(), End::Back) && {
                    run.push_raw(item);
                    true
                }
            }
            Self::Single(_) => false,
        }
    }

    /// Adds an item at one end; whether there was room.
    pub(super) fn push(&mut self, item: &Encoded<'_>, end: End) -> bool {
        match self {
            Self::Run(run) if item.len() <= ITEM_BYTES_MAX && run.may_take(item.len(), end) => {
                let run = Arc::make_mut(run);
                run.make_room(item.len(), end) && {
                    run.push(item, end);
                    true
                }
            }
            Self::Run(_) | Self::Single(_) => false,
        }
    }

    /// Takes an item off one end; whether any is left.
    pub(super) fn pop(&mut self, end: End) -> bool {
        match self {
            Self::Run(run) if run.count > 1 => {
                Arc::make_mut(run).pop(end);
                true
            }
            Self::Run(_) | Self::Single(_) => false,
        }
    }

    /// Its items as one run.
    pub(super) fn items(&self) -> &[u8] {
        match self {
            Self::Run(run) => run.items(),
            Self::Single(bytes) => bytes,
        }
    }

    /// How many items it has.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Run(run) => run.count as usize,
            Self::Single(_) => 1,
        }
    }

    /// The item at a place.
    pub(super) fn get(&self, nth: usize) -> Option<Text<'_>> {
        let count = self.count();
        let mut items = Items(self.items());
        if nth < count / 2 {
            items.nth(nth)
        } else {
            items.nth_back(count.checked_sub(nth + 1)?)
        }
    }

    /// The bytes of memory that it shares with its clones.
    pub(super) fn memory(&self) -> usize {
        SHARED_BYTES
            + match self {
                Self::Run(run) => size_of::<Run>() + run.bytes.len(),
                Self::Single(bytes) => size_of::<Vec<u8>>() + bytes.len(),
            }
    }

    /// Asserts what must be so of it.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(count_sound(self.items()), Some(self.count()));
        if let Self::Run(run) = self {
            assert!(run.bytes.len() <= RUN_BYTES_MAX);
        }
    }
}

/// Items with room for more at either end.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The offset in `bytes` at which the items begin; `end` is the one behind the last of them.
    start: u32,
    end: u32,
    count: u32,
    bytes: Box<[u8]>,
}

impl Run {
    /// One without items, which has all of its room at one end.
    fn with_room(bytes: usize, end: End) -> Self {
        let at = if end == End::Front { bytes as u32 } else { 0 };
        Self {
            start: at,
            end: at,
            count: 0,
            bytes: alloc::vec![0; bytes].into(),
        }
    }

    fn items(&self) -> &[u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }

    /// The bytes that are free at one end.
    fn gap(&self, end: End) -> usize {
        match end {
            End::Front => self.start as usize,
            End::Back => self.bytes.len() - self.end as usize,
        }
    }

    /// Returns true if so many bytes more can be put at one end. Items are moved to make room where
    /// that is a quarter of all at least, so that moving them is paid by many additions.
    fn may_take(&self, len: usize, end: End) -> bool {
        let used = self.items().len();
        self.gap(end) >= len
            || used + len <= RUN_BYTES_MAX && self.bytes.len() < RUN_BYTES_MAX
            || used + len.max(RUN_BYTES_MAX / 4) <= RUN_BYTES_MAX
    }

    /// Makes room for so many bytes at one end; whether that is possible.
    fn make_room(&mut self, len: usize, end: End) -> bool {
        if self.gap(end) >= len {
            return true;
        }
        if !self.may_take(len, end) {
            return false;
        }
        let used = self.items().len();
        let mut room = self.bytes.len();
        while room < RUN_BYTES_MAX && used + len > room - room / 4 {
            room = (room * 2).min(RUN_BYTES_MAX);
        }
        let at = match end {
            End::Front => room - used,
            End::Back => 0,
        };
        let mut bytes = alloc::vec![0; room];
        bytes[at..at + used].copy_from_slice(self.items());
        self.bytes = bytes.into();
        self.start = at as u32;
        self.end = (at + used) as u32;
        true
    }

    fn push(&mut self, item: &Encoded<'_>, end: End) {
        let len = item.len();
        let at = match end {
            End::Front => self.start as usize - len,
            End::Back => self.end as usize,
        };
        item.write(&mut self.bytes[at..at + len]);
        match end {
            End::Front => self.start = at as u32,
            End::Back => self.end += len as u32,
        }
        self.count += 1;
    }

    fn push_raw(&mut self, item: &[u8]) {
        let at = self.end as usize;
        self.bytes[at..at + item.len()].copy_from_slice(item);
        self.end += item.len() as u32;
        self.count += 1;
    }

    fn pop(&mut self, end: End) {
        let mut items = self.items();
        let before = items.len();
        let _ = match end {
            End::Front => take_first(&mut items),
            End::Back => take_last(&mut items),
        };
        let gone = (before - items.len()) as u32;
        match end {
            End::Front => self.start += gone,
            End::Back => self.end -= gone,
        }
        self.count -= 1;
    }
}
