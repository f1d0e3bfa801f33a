//! The parts of a table whose keys begin alike in more bits than the directory has.
//!
//! Under the keyed hash that does not happen; should somebody find keys that collide, it costs no
//! more than this. A cell names a group instead of a segment where the directory would become far
//! too sparse: segments one behind the other, each of which begins at some place in the order of
//! the table, found by that place in logarithmic time. The order is that of both hashes, and of the
//! keys themselves where both are the same: so a segment with two keys can always be split, and
//! none grows beyond its bounds, whatever the keys are.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::entry::Boxed;
use super::group::{Group, Start};
use super::hasher::{order, place, place_begin};
use super::segment::{DEEP, Segment};
use super::{Dict, IN_GROUP};

fn start_of<L>(segment: &Segment<L>) -> Start {
    (segment.prefix, segment.edge.clone())
}

impl<L: Boxed> Dict<L> {
    /// The segment of a key in a group, and the hash under which it finds it there.
    #[cold]
    pub(super) fn locate_deep(&self, group: u32, hash: u64, key: &[u8]) -> (usize, u64) {
        let second = self.hasher.second(key);
        let group = &self.groups[(group & !IN_GROUP) as usize];
        (group.find(order(hash, second), key), second)
    }

    /// The segment with which the place of an order begins.
    pub(super) fn at(&self, order: u64) -> usize {
        let cell = self.directory[self.index(order)];
        if cell & IN_GROUP == 0 {
            return cell as usize;
        }
        self.groups[(cell & !IN_GROUP) as usize].find(order, &[])
    }

    fn group(&self, number: usize) -> usize {
        let cell = self.directory[self.index(self.segment(number).prefix)];
        (cell & !IN_GROUP) as usize
    }

    /// The segment behind one, in order.
    pub(super) fn behind(&self, number: usize) -> Option<usize> {
        let segment = self.segment(number);
        let (mut prefix, mut depth) = (segment.prefix, segment.depth);
        if segment.is_deep() {
            let group = &self.groups[self.group(number)];
            let behind = group.behind(start_of(segment));
            if behind.is_some() {
                return behind;
            }
            (prefix, depth) = (group.prefix, group.depth);
        }
        if depth == 0 {
            return None;
        }
        Some(self.at(prefix.checked_add(1 << (64 - depth))?))
    }

    /// Returns the memory of the groups in bytes, the segments not included.
    pub(super) fn group_memory(&self) -> usize {
        let entry = size_of::<Start>() + size_of::<u32>();
        // A node of a tree is between half full and full.
        self.groups.capacity() * size_of::<Group>()
            + self.of_depth[usize::from(DEEP)] as usize * entry * 3 / 2
            + self.edge_bytes
    }

    /// Lets a group begin where a segment is that the directory cannot split.
    pub(super) fn begin_group(&mut self, number: usize) {
        let empty = Segment::new(0, 0);
        let segment = self.replace(number, empty);
        let (prefix, depth) = (segment.prefix, segment.depth);
        self.count_moved(segment.len());
        let deep = Segment::new(prefix, DEEP);
        let deep = Segment::unite([segment], deep, &mut self.pool, self.hasher);
        self.replace(number, deep);
        self.of_depth[usize::from(depth)] += 1;
        self.groups.push(Group {
            prefix,
            depth,
            ..Group::default()
        });
        self.enter_group(self.groups.len() - 1);
        self.enter(number);
    }

    /// Lets every cell of a group name it.
    fn enter_group(&mut self, group: usize) {
        let Group { prefix, depth, .. } = self.groups[group];
        self.fill(prefix, depth, group as u32 | IN_GROUP);
    }

    /// Lets a group name one of its segments.
    pub(super) fn enter_deep(&mut self, number: usize) {
        let start = start_of(self.segment(number));
        let (group, edge) = (self.group(number), start.1.len());
        let group = &mut self.groups[group];
        if group.starts.insert(start, number as u32).is_none() && edge > 0 {
            group.edges += 1;
            self.edge_bytes += edge;
        }
    }

    /// Splits a segment of a group about its middle; returns its two parts.
    pub(super) fn split_deep(&mut self, number: usize) -> (usize, usize) {
        let hasher = self.hasher;
        let segment = self.replace(number, Segment::new(0, 0));
        let (prefix, edge) = middle(
            segment
                .iter(&self.pool)
                .map(|view| (hasher.order(view.key), view.key)),
        );
        let mut low = Segment::new(segment.prefix, DEEP);
        low.edge.clone_from(&segment.edge);
        let mut high = Segment::new(prefix, DEEP);
        high.edge = edge;
        let (from, edge) = (high.prefix, high.edge.clone());
        let (low, high) = segment.divide(&mut self.pool, hasher, low, high, |key, _| {
            (hasher.order(key), key) >= (from, &*edge)
        });
        self.replace(number, low);
        let high = self.push(high);
        self.enter_deep(high);
        (number, high)
    }

    /// The neighbour with which a segment of a group should be joined, the lower one first.
    pub(super) fn joinable_deep(&self, number: usize) -> Option<(usize, usize)> {
        let segment = self.segment(number);
        let (keys_few, start) = (self.keys_few(), start_of(segment));
        if !segment.is_few(keys_few / 2) {
            return None;
        }
        let group = &self.groups[self.group(number)];
        let before = group.before(start.clone()).map(|before| (before, number));
        let behind = group.behind(start).map(|behind| (number, behind));
        before.into_iter().chain(behind).find(|(low, high)| {
            let [low, high] = [*low, *high].map(|number| self.segment(number));
            low.is_few_with(high, keys_few)
        })
    }

    /// Joins two neighbours in a group; returns what became of both.
    pub(super) fn join_deep(&mut self, low: usize, high: usize) -> usize {
        let group = self.group(low);
        let one = self.replace(low, Segment::new(0, 0));
        let two = self.replace(high, Segment::new(0, 0));
        self.count_moved(one.len() + two.len());
        if self.groups[group].starts.remove(&start_of(&two)).is_some() && !two.edge.is_empty() {
            self.groups[group].edges -= 1;
            self.edge_bytes -= two.edge.len();
        }
        let mut whole = Segment::new(one.prefix, DEEP);
        whole.edge.clone_from(&one.edge);
        let whole = Segment::unite([one, two], whole, &mut self.pool, self.hasher);
        self.replace(low, whole);
        let last = self.segments() - 1;
        self.drop_segment(high);
        let number = if low == last { high } else { low };
        if self.groups[group].starts.len() == 1 {
            self.end_group(group, number);
        }
        number
    }

    /// Lets the directory name the only segment of a group again.
    fn end_group(&mut self, group: usize, number: usize) {
        let gone = self.groups.swap_remove(group);
        if group < self.groups.len() {
            self.enter_group(group);
        }
        self.of_depth[usize::from(gone.depth)] -= 1;
        let segment = self.replace(number, Segment::new(0, 0));
        self.count_moved(segment.len());
        let whole = Segment::new(gone.prefix, gone.depth);
        let whole = Segment::unite([segment], whole, &mut self.pool, self.hasher);
        self.replace(number, whole);
        self.enter(number);
    }
}

/// Returns where the upper half of some keys begins: best at a place that a cursor can name, else
/// at one that tells them apart, and where there is none, at a key.
fn middle<'a>(keys: impl Iterator<Item = (u64, &'a [u8])>) -> Start {
    let mut keys: Vec<(u64, &[u8])> = keys.collect();
    keys.sort_unstable();
    let nearest = |differ: &dyn Fn(u64, u64) -> bool| {
        (1..keys.len())
            .filter(|at| differ(keys[at - 1].0, keys[*at].0))
            .min_by_key(|at| at.abs_diff(keys.len() / 2))
    };
    if let Some(at) = nearest(&|one, other| place(one) != place(other)) {
        let (order, _) = keys[at];
        return (place_begin(order), Box::default());
    }
    if let Some(at) = nearest(&|one, other| one != other) {
        return (keys[at].0, Box::default());
    }
    let at = keys.len() / 2;
    let (order, key) = keys[at];
    // So many bytes of it as tell it from the one in front.
    let shared = keys[at - 1].1.iter().zip(key).take_while(|(a, b)| a == b);
    let shared = shared.count();
    (order, key[..=shared].into())
}
