//! Lists: small ones within one value, large ones as blocks.

pub(in crate::store) mod block;
pub(in crate::store) mod blocks;
mod end;
pub(in crate::store) mod packed;
pub(in crate::store) mod write;

use alloc::vec::Vec;

use super::parts::Show;
use super::run::Items;
use super::string::Text;
use blocks::{Blocks, Walk};

pub use end::End;

/// A list, to be read. It is cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct List<'a>(Kept<'a>);

#[derive(Clone, Copy, Debug)]
enum Kept<'a> {
    Packed(&'a [u8]),
    Blocks(&'a Blocks),
}

impl<'a> List<'a> {
    pub(in crate::store) fn packed(packed: &'a [u8]) -> Self {
        Self(Kept::Packed(packed))
    }

    pub(in crate::store) fn blocks(blocks: &'a Blocks) -> Self {
        Self(Kept::Blocks(blocks))
    }

    /// How many items it has; never 0.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Kept::Packed(packed) => packed::len(packed),
            Kept::Blocks(blocks) => blocks.len(),
        }
    }

    /// Returns true if it has no item.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The item at an index, counted from the front.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Text<'a>> {
        match self.0 {
            Kept::Packed(packed) => packed::items(packed).nth(index),
            Kept::Blocks(blocks) => blocks.get(index),
        }
    }

    /// The item at one end.
    #[must_use]
    pub fn at(self, end: End) -> Option<Text<'a>> {
        match self.0 {
            Kept::Packed(packed) => packed::items(packed).take_at(end),
            Kept::Blocks(blocks) => match end {
                End::Front => blocks.get(0),
                End::Back => blocks.get(blocks.len() - 1),
            },
        }
    }

    /// The items from an index on, one behind the other towards one end.
    pub fn walk(self, from: usize, towards: End) -> impl Iterator<Item = Text<'a>> {
        match self.0 {
            Kept::Packed(packed) => {
                let mut items = packed::items(packed);
                let skipped = match towards {
                    End::Back => from,
                    End::Front => packed::len(packed).saturating_sub(from + 1),
                };
                for _ in 0..skipped {
                    items.take_at(towards.other());
                }
                Steps::Packed(items, towards)
            }
            Kept::Blocks(blocks) => Steps::Blocks(blocks.walk(from, towards)),
        }
    }

    /// The bytes of its items, each with its length; a few more than `most` where they are more.
    fn run_bytes(self, most: usize) -> usize {
        match self.0 {
            Kept::Packed(packed) => packed::items(packed).0.len(),
            Kept::Blocks(blocks) => blocks.run_bytes(most),
        }
    }

    /// Shows its items, each with its index, as the parts of a base hold them.
    pub(in crate::store) fn show_items(self, show: Show<'_>) {
        blocks::show_items(0, self.walk(0, End::Back), show);
    }

    /// The indices of items that are equal to `wanted`, at most `most`, from the index `from` on
    /// towards an end, in one block of the list; with them the index at which to look on, `None` at
    /// the end. Of the nearest ones where there are too many; in rising order.
    fn matching(
        self,
        wanted: Text<'_>,
        most: usize,
        from: usize,
        towards: End,
    ) -> (Vec<usize>, Option<usize>) {
        let block = match self.0 {
            Kept::Packed(packed) => Some(0..packed::len(packed)),
            Kept::Blocks(blocks) => blocks.block_of(from),
        };
        let Some(block) = block else {
            return (Vec::new(), None);
        };
        let near = self.walk(from, towards);
        let mut indices = Vec::new();
        let next = match towards {
            End::Back => {
                for (index, item) in (from..block.end).zip(near) {
                    if item.is(wanted) && indices.len() < most {
                        indices.push(index);
                    }
                }
                Some(block.end).filter(|next| *next < self.len())
            }
            End::Front => {
                for (index, item) in (block.start..=from).rev().zip(near) {
                    if item.is(wanted) && indices.len() < most {
                        indices.push(index);
                    }
                }
                indices.reverse();
                block.start.checked_sub(1)
            }
        };
        (indices, next)
    }

    /// The packed form, where it has that.
    fn as_packed(self) -> Option<&'a [u8]> {
        match self.0 {
            Kept::Packed(packed) => Some(packed),
            Kept::Blocks(_) => None,
        }
    }
}

enum Steps<'a> {
    Packed(Items<'a>, End),
    Blocks(Walk<'a>),
}

impl<'a> Iterator for Steps<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        match self {
            Self::Packed(items, towards) => items.take_at(towards.other()),
            Self::Blocks(walk) => walk.next(),
        }
    }
}
