//! A large list: blocks of items, in groups.
//!
//! A group is some hundred blocks and is shared as one by clones, so that a copy and a base cost a
//! count for each group. An end is reached at once; an item in the middle is found by walking the
//! counts of groups, then those of blocks.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::block::{Block, RUN_BYTES_MAX};
use super::end::End;
use crate::store::dict::Tables;
use crate::store::value::parts::{Parts, Show};
use crate::store::value::run::{self, Encoded, Items};
use crate::store::value::string::Text;
use crate::varint;

/// The bytes that one step of `dismantle` frees, or a few more.
const BYTES_FREED_AT_ONCE: usize = 1 << 20;
/// The bytes of memory that a group takes beside its blocks.
const GROUP_BYTES: usize = size_of::<Group>() + 3 * size_of::<usize>();

/// Blocks that clones share.
#[derive(Clone, Debug, Default)]
struct Group {
    blocks: VecDeque<Block>,
    count: usize,
    /// The bytes of memory of all blocks.
    bytes: usize,
}

/// The items of a large list.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Blocks {
    groups: VecDeque<Arc<Group>>,
    count: usize,
    /// The bytes of memory of all groups; what others share counts in full.
    bytes: usize,
    /// The most blocks of a group.
    group_blocks_max: usize,
    /// The most bytes of a small list.
    small_bytes_max: usize,
}

/// How many items a block has, and the bytes of memory that it takes.
fn weight(block: &Block) -> (usize, usize) {
    (block.count(), block.memory() + size_of::<Block>())
}

impl Group {
    fn of(blocks: VecDeque<Block>) -> Self {
        let mut group = Self::default();
        for block in &blocks {
            group.weigh_more(weight(block));
        }
        Self { blocks, ..group }
    }

    fn weigh_more(&mut self, (count, bytes): (usize, usize)) {
        self.count += count;
        self.bytes += bytes;
    }

    fn weigh_less(&mut self, (count, bytes): (usize, usize)) {
        self.count -= count;
        self.bytes -= bytes;
    }
}

/// The place of an item.
#[derive(Clone, Copy, Debug)]
struct Place {
    group: usize,
    block: usize,
    nth: usize,
}

impl Blocks {
    /// The list of these items, which are a run.
    pub(super) fn of_run(items: &[u8], tables: Tables) -> Self {
        let mut blocks = Self::empty(tables);
        blocks.append_run(items);
        blocks
    }

    fn append_run(&mut self, items: &[u8]) {
        for item in Items(items) {
            self.push(&item.as_bytes(&mut [0; 20]), End::Back);
        }
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds an item at one end.
    pub(in crate::store) fn push(&mut self, item: &[u8], end: End) {
        let item = Encoded::of(item);
        let most = self.group_blocks_max;
        let full = |group: &Arc<Group>| group.blocks.len() >= most;
        let taken = self.change_end(end, |blocks| match end {
            End::Front => blocks
                .front_mut()
                .is_some_and(|block| block.push(&item, end)),
            End::Back => blocks
                .back_mut()
                .is_some_and(|block| block.push(&item, end)),
        });
        if taken == Some(true) {
            return;
        }
        let last = match end {
            End::Front => self.groups.front(),
            End::Back => self.groups.back(),
        };
        if last.is_none_or(full) {
            self.bytes += GROUP_BYTES;
            match end {
                End::Front => self.groups.push_front(Arc::default()),
                End::Back => self.groups.push_back(Arc::default()),
            }
        }
        self.change_end(end, |blocks| match end {
            End::Front => blocks.push_front(Block::of(&item, end)),
            End::Back => blocks.push_back(Block::of(&item, end)),
        });
    }

    /// Takes an item off one end; whether there was one.
    pub(in crate::store) fn pop(&mut self, end: End) -> bool {
        let there = self.change_end(end, |blocks| match end {
            End::Front => {
                if !blocks.front_mut().is_some_and(|block| block.pop(end)) {
                    blocks.pop_front();
                }
            }
            End::Back => {
                if !blocks.back_mut().is_some_and(|block| block.pop(end)) {
                    blocks.pop_back();
                }
            }
        });
        let number = match end {
            End::Front => 0,
            End::Back => self.groups.len().saturating_sub(1),
        };
        self.drop_empty(number);
        there.is_some()
    }

    /// Changes the blocks of the group at one end; `None` where there is no group.
    fn change_end<R>(
        &mut self,
        end: End,
        change: impl FnOnce(&mut VecDeque<Block>) -> R,
    ) -> Option<R> {
        let group = match end {
            End::Front => self.groups.front_mut(),
            End::Back => self.groups.back_mut(),
        }?;
        let group = Arc::make_mut(group);
        // Only the blocks at that end change, and one may come or go.
        let weigh = |group: &Group| {
            let near = match end {
                End::Front => group.blocks.front(),
                End::Back => group.blocks.back(),
            };
            near.map_or((0, 0), weight)
        };
        let (blocks, before) = (group.blocks.len(), weigh(group));
        let done = change(&mut group.blocks);
        let after = weigh(group);
        match group.blocks.len().cmp(&blocks) {
            Ordering::Equal => {
                group.weigh_less(before);
                group.weigh_more(after);
                self.count = self.count + after.0 - before.0;
                self.bytes = self.bytes + after.1 - before.1;
            }
            Ordering::Greater => {
                group.weigh_more(after);
                self.count += after.0;
                self.bytes += after.1;
            }
            Ordering::Less => {
                group.weigh_less(before);
                self.count -= before.0;
                self.bytes -= before.1;
            }
        }
        Some(done)
    }

    /// Drops a group that has no block.
    fn drop_empty(&mut self, number: usize) {
        let empty = |group: &Arc<Group>| group.blocks.is_empty();
        if self.groups.get(number).is_some_and(empty) {
            self.groups.remove(number);
            self.bytes -= GROUP_BYTES;
        }
    }

    /// The item at an index.
    pub(super) fn get(&self, index: usize) -> Option<Text<'_>> {
        let place = self.place(index)?;
        self.groups[place.group].blocks[place.block].get(place.nth)
    }

    /// Returns the place of the item at an index, looked for from the nearer end.
    fn place(&self, index: usize) -> Option<Place> {
        if index >= self.count {
            return None;
        }
        let sizes = self.groups.iter().map(|group| group.count);
        let (group, index) = find(sizes, index, self.count);
        let blocks = &self.groups[group];
        let sizes = blocks.blocks.iter().map(Block::count);
        let (block, nth) = find(sizes, index, blocks.count);
        Some(Place { group, block, nth })
    }

    /// The items from an index on towards one end.
    pub(super) fn walk(&self, from: usize, towards: End) -> Walk<'_> {
        let mut walk = Walk {
            list: self,
            group: 0,
            block: 0,
            items: Items::default(),
            towards,
        };
        if let Some(place) = self.place(from) {
            let block = &self.groups[place.group].blocks[place.block];
            (walk.group, walk.block) = (place.group, place.block);
            walk.items = Items(block.items());
            let skipped = match towards {
                End::Back => place.nth,
                End::Front => block.count() - place.nth - 1,
            };
            for _ in 0..skipped {
                walk.items.take_at(towards.other());
            }
        }
        walk
    }

    /// Lets the item at an index, which there is, be another one.
    pub(super) fn set(&mut self, index: usize, item: &[u8]) {
        self.rewrite(index, |before, _, behind| {
            let mut items = before.to_vec();
            Encoded::of(item).push_to(&mut items);
            items.extend_from_slice(behind);
            items
        });
    }

    /// Puts an item in front of the one at an index, which there is.
    pub(super) fn insert(&mut self, index: usize, item: &[u8]) {
        self.rewrite(index, |before, old, behind| {
            let mut items = before.to_vec();
            Encoded::of(item).push_to(&mut items);
            items.extend_from_slice(old);
            items.extend_from_slice(behind);
            items
        });
    }

    /// Writes the block anew that holds the item at an index: `write` is shown what stands before
    /// the item, it, and what stands behind.
    fn rewrite(&mut self, index: usize, write: impl FnOnce(&[u8], &[u8], &[u8]) -> Vec<u8>) {
        let Some(place) = self.place(index) else {
            return;
        };
        let old = self.groups[place.group].blocks[place.block].items();
        let mut behind = Items(old);
        for _ in 0..place.nth {
            behind.next();
        }
        let start = old.len() - behind.0.len();
        behind.next();
        let end = old.len() - behind.0.len();
        let items = write(&old[..start], &old[start..end], &old[end..]);
        self.replace(place.group, place.block, &items);
    }

    /// Removes the items at these indices, which rise and lie in one block.
    pub(super) fn remove(&mut self, indices: &[usize]) {
        let Some(place) = indices.first().and_then(|first| self.place(*first)) else {
            return;
        };
        let first = indices[0] - place.nth;
        let block = &self.groups[place.group].blocks[place.block];
        let (mut kept, mut rest) = (Vec::new(), Items(block.items()));
        let mut gone = indices.iter().peekable();
        for nth in 0..block.count() {
            let before = rest.0;
            rest.next();
            if gone.next_if(|gone| **gone == first + nth).is_none() {
                kept.extend_from_slice(&before[..before.len() - rest.0.len()]);
            }
        }
        self.replace(place.group, place.block, &kept);
    }

    /// The range of indices in whose block an item stands.
    pub(super) fn block_of(&self, index: usize) -> Option<Range<usize>> {
        let place = self.place(index)?;
        let first = index - place.nth;
        let count = self.groups[place.group].blocks[place.block].count();
        Some(first..first + count)
    }

    /// The items as a run, where they are so few that a small list can hold them with room to
    /// grow. It does not matter in how many blocks they stand: blocks are cut elsewhere in a list
    /// that was loaded, and the form of a list is to follow from its items on every member.
    pub(super) fn small_run(&self) -> Option<Vec<u8>> {
        let most = self.small_bytes_max / 2;
        let bytes = self.run_bytes(most);
        (bytes <= most).then(|| {
            let mut run = Vec::with_capacity(bytes);
            let blocks = self.groups.iter().flat_map(|group| &group.blocks);
            blocks.for_each(|block| run.extend_from_slice(block.items()));
            run
        })
    }

    /// The bytes of all runs; those of the first ones where they are more than `most`.
    pub(super) fn run_bytes(&self, most: usize) -> usize {
        let mut bytes = 0;
        for block in self.groups.iter().flat_map(|group| &group.blocks) {
            bytes += block.items().len();
            if bytes > most {
                break;
            }
        }
        bytes
    }

    /// Lets the items of one block be these; they may need more blocks, or none.
    fn replace(&mut self, group: usize, block: usize, items: &[u8]) {
        let (number, at) = (group, block);
        let group = Arc::make_mut(&mut self.groups[number]);
        let (count, bytes) = (group.count, group.bytes);
        let old = group.blocks.remove(at);
        group.weigh_less(old.as_ref().map_or((0, 0), weight));
        let mut new = Block::cut(items);
        // A neighbour takes the items of a block that has become small.
        if let Some(next) = group.blocks.get(at)
            && let [only] = new.as_slice()
            && only.items().len() + next.items().len() <= RUN_BYTES_MAX / 2
        {
            new = Block::cut(&[only.items(), next.items()].concat());
            let next = group.blocks.remove(at);
            group.weigh_less(next.as_ref().map_or((0, 0), weight));
        }
        for (at, new) in (at..).zip(new) {
            group.weigh_more(weight(&new));
            group.blocks.insert(at, new);
        }
        self.count = self.count + group.count - count;
        self.bytes = self.bytes + group.bytes - bytes;
        if group.blocks.len() > self.group_blocks_max {
            let half = Group::of(group.blocks.split_off(self.group_blocks_max / 2));
            group.weigh_less((half.count, half.bytes));
            self.groups.insert(number + 1, Arc::new(half));
            self.bytes += GROUP_BYTES;
        }
        self.drop_empty(number);
    }

    /// Takes `count` items off one end; they are returned but for a few, to be freed.
    pub(super) fn cut(&mut self, count: usize, end: End) -> Self {
        let mut gone = Self::default();
        let mut left = count;
        while let Some(group) = self.end_group(end)
            && group.count <= left
        {
            left -= group.count;
            let group = match end {
                End::Front => self.groups.pop_front(),
                End::Back => self.groups.pop_back(),
            };
            let group = group.expect("it was looked at");
            let bytes = GROUP_BYTES + group.bytes;
            self.bytes -= bytes;
            self.count -= group.count;
            gone.bytes += bytes;
            gone.count += group.count;
            gone.groups.push_back(group);
        }
        while left > 0 && self.count > 0 {
            let block = self.end_group(end).and_then(|group| match end {
                End::Front => group.blocks.front(),
                End::Back => group.blocks.back(),
            });
            let whole = block.map(Block::count).filter(|count| *count <= left);
            if let Some(count) = whole {
                left -= count;
                self.change_end(end, |blocks| match end {
                    End::Front => blocks.pop_front(),
                    End::Back => blocks.pop_back(),
                });
            } else {
                left -= 1;
                self.pop(end);
            }
        }
        gone
    }

    fn end_group(&self, end: End) -> Option<&Arc<Group>> {
        match end {
            End::Front => self.groups.front(),
            End::Back => self.groups.back(),
        }
    }
}

/// The part in which an index lies, and the index in it; found from the nearer end.
fn find(
    sizes: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator,
    index: usize,
    total: usize,
) -> (usize, usize) {
    let parts = sizes.len();
    if index < total / 2 {
        let mut start = 0;
        for (part, size) in sizes.enumerate() {
            if index < start + size {
                return (part, index - start);
            }
            start += size;
        }
    } else {
        let mut start = total;
        for (part, size) in sizes.rev().enumerate() {
            start -= size;
            if index >= start {
                return (parts - part - 1, index - start);
            }
        }
    }
    unreachable!("the caller has seen that the index is within")
}

/// Items one behind the other, towards one end.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    list: &'a Blocks,
    group: usize,
    block: usize,
    items: Items<'a>,
    towards: End,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        let near = self.towards.other();
        if let Some(item) = self.items.take_at(near) {
            return Some(item);
        }
        let groups = &self.list.groups;
        match self.towards {
            End::Back => {
                self.block += 1;
                if self.block >= groups.get(self.group)?.blocks.len() {
                    (self.group, self.block) = (self.group + 1, 0);
                }
            }
            End::Front => {
                if let Some(block) = self.block.checked_sub(1) {
                    self.block = block;
                } else {
                    self.group = self.group.checked_sub(1)?;
                    self.block = groups.get(self.group)?.blocks.len() - 1;
                }
            }
        }
        self.items = Items(groups.get(self.group)?.blocks.get(self.block)?.items());
        self.items.take_at(near)
    }
}

/// A part is the index of its first item, and items as a run. A list that is about to change is
/// cloned for the base as a whole, which shares all groups: so parts bear no epoch.
impl Parts for Blocks {
    const TYPE: &'static str = "list";

    fn empty(tables: Tables) -> Self {
        Self {
            group_blocks_max: tables.list_group_blocks_max.max(1),
            small_bytes_max: tables.small_list_bytes_max,
            ..Self::default()
        }
    }

    fn memory(&self) -> usize {
        self.unshared_memory() + self.bytes
    }

    #[cfg(test)]
    fn recount(&self) -> usize {
        let blocks = self.groups.iter().flat_map(|group| &group.blocks);
        let blocks: usize = blocks
            .map(|block| block.memory() + size_of::<Block>())
            .sum();
        self.unshared_memory() + blocks + self.groups.len() * GROUP_BYTES
    }

    #[cfg(test)]
    fn check(&self) {
        for group in &self.groups {
            assert!(!group.blocks.is_empty() && group.blocks.len() <= self.group_blocks_max);
            group.blocks.iter().for_each(Block::check);
            let anew = Group::of(group.blocks.clone());
            assert_eq!((group.count, group.bytes), (anew.count, anew.bytes));
        }
        let count: usize = self.groups.iter().map(|group| group.count).sum();
        assert_eq!(self.count, count);
    }

    fn share(&mut self) {}

    fn unshared_memory(&self) -> usize {
        self.groups.len() * size_of::<Arc<Group>>()
    }

    fn restamp(&mut self, _: u8) {}

    fn write_part(&mut self, from: u64, _: u8, room: usize, part: &mut Vec<u8>) -> Option<u64> {
        let mut place = self.place(from as usize)?;
        varint::put(part, from);
        let mut next = from as usize;
        let group = &self.groups[place.group];
        while let Some(block) = group.blocks.get(place.block) {
            let mut items = Items(block.items());
            for _ in 0..place.nth {
                items.next();
            }
            part.extend_from_slice(items.0);
            next += block.count() - place.nth;
            place.nth = 0;
            place.block += 1;
            if part.len() >= room {
                break;
            }
        }
        (next < self.count).then_some(next as u64)
    }

    fn load_part(&mut self, mut part: &[u8], _: u8) -> Option<()> {
        let from = varint::take(&mut part)?;
        if from != self.count as u64 {
            return None;
        }
        run::count_sound(part)?;
        self.append_run(part);
        Some(())
    }

    fn show_part(mut part: &[u8], show: Show<'_>) {
        if let Some(from) = varint::take(&mut part) {
            show_items(from, Items(part), show);
        }
    }

    fn dismantle(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 && self.count > 0 {
            *budget -= 1;
            let goal = self.bytes.saturating_sub(BYTES_FREED_AT_ONCE);
            while self.bytes > goal && self.count > 0 {
                self.change_end(End::Back, VecDeque::pop_back);
                self.drop_empty(self.groups.len() - 1);
            }
        }
        self.count > 0
    }
}

/// Shows items, each with its index.
pub(super) fn show_items<'a>(from: u64, items: impl Iterator<Item = Text<'a>>, show: Show<'_>) {
    for (index, item) in (from..).zip(items) {
        show(&[&index.to_le_bytes(), &item.as_bytes(&mut [0; 20])]);
    }
}
