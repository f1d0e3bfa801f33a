//! Items on their way into order, from piece to piece of a long command.

mod arena;
mod order;

use alloc::vec::Vec;

pub(in crate::command) use arena::{Arena, Span};
pub(in crate::command) use order::Merging;

/// The arguments as they were read. Patterns are named by their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) descends: bool,
    pub(super) is_alpha: bool,
    pub(super) by: Option<usize>,
    pub(super) gets: Vec<usize>,
    pub(super) offset: i64,
    /// How many items; below zero: all.
    pub(super) count: Option<i64>,
    /// The place of the key that is to hold the outcome.
    pub(super) target: Option<usize>,
    /// The place of the word that is read next, less the first.
    pub(super) read: usize,
}

impl Wanted {
    /// The first of the items that are wanted of so many, and how many.
    pub(super) fn range(&self, len: usize) -> (usize, usize) {
        let start = usize::try_from(self.offset.max(0)).map_or(len, |offset| offset.min(len));
        let left = len - start;
        let count = match self.count {
            Some(count @ 0..) => usize::try_from(count).map_or(left, |count| count.min(left)),
            Some(_) | None => left,
        };
        (start, count)
    }
}

/// The weight by which an item is put in order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weight {
    /// By a number, which is one.
    Number(f64),
    /// By a text, or by none, which comes first.
    Text(Option<Span>),
}

/// An item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) item: Span,
    pub(super) weight: Weight,
}

/// The stages of the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Arguments are read.
    #[default]
    Read,
    /// Items are taken.
    Take,
    /// They are put in order.
    Order,
    /// They, or others, are answered or gathered.
    Answer,
    /// The first is about to be stored.
    Replace,
    /// They are stored.
    Store,
    /// The texts are freed.
    Free,
}

/// A command of this family at its work.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorting {
    pub(super) stage: Stage,
    pub(super) wanted: Wanted,
    /// The first item that is wanted of those that are taken, and how many are wanted.
    pub(super) range: (usize, usize),
    /// The place at which the walk over the source goes on.
    pub(super) cursor: u64,
    /// The number of items that are taken in all.
    pub(super) taken: usize,
    /// True if items that weigh the same are put in order by themselves: those of a set stand in
    /// none.
    pub(super) is_set: bool,
    /// The number of answers that are given.
    pub(super) given: usize,
    pub(super) texts: Arena,
    pub(super) merging: Merging<Entry>,
    /// The texts to be stored; `None` where they are the items themselves.
    pub(super) found: Option<Vec<Span>>,
    /// A key that a pattern makes.
    pub(super) key: Vec<u8>,
}
