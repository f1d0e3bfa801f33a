//! Members in the order of their scores: a B+ tree that counts what lies under each node.
//!
//! Leaves hold runs of entries; inner nodes hold, for each child, how many entries lie under it and
//! a key that none of them is below. So a rank, and the entry at a rank, are found on one way down.
//! Nodes stand in a slab, by number, in chunks that are never moved.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::leaf::{Entries, Entry, LEAF_BYTES_MAX, LEAF_ENTRIES_MAX, Leaf, order};

/// The most inner nodes on a way: more than 2^40 entries need.
const HEIGHT_MAX: usize = 24;
/// The nodes of a chunk of the slab. The first has room for a power of two of them.
const CHUNK_NODES: usize = 64;
/// Inner nodes grow by so many children.
const STEP_CHILDREN: usize = 4;
/// The number of no node.
const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
enum Node {
    Leaf(Leaf),
    Inner(Vec<Child>),
    /// The place is free, and this one is the next that is.
    Free(u32),
}

impl Node {
    /// The bytes of memory that it takes beside the slab.
    fn memory(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.memory(),
            Self::Inner(children) => children.iter().map(Child::memory).sum(),
            Self::Free(_) => 0,
        }
    }
}

/// A node under an inner node.
#[derive(Clone, Debug)]
struct Child {
    node: u32,
    /// How many entries lie under it.
    count: usize,
    /// A key that no entry under it is below, and all entries before it are.
    score: f64,
    member: Box<[u8]>,
}

impl Child {
    fn key(&self) -> Entry<'_> {
        (self.score, &self.member)
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.member.len()
    }
}

/// The inner nodes on the way to a leaf, each with the number of the child that was chosen.
struct Way {
    steps: [(u32, usize); HEIGHT_MAX],
    len: usize,
}

impl Way {
    fn steps(&self) -> &[(u32, usize)] {
        &self.steps[..self.len]
    }
}

/// Members in the order of their scores.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    chunks: Vec<Vec<Node>>,
    free: u32,
    root: u32,
    /// How many inner nodes there are between the root and a leaf, the root included.
    height: u32,
    /// An inner node with more children than this is split.
    children_max: u32,
    len: usize,
    /// The bytes of memory of leaves and of inner nodes, beside the slab.
    bytes: usize,
}

/// The number of children before the last whose key is `before`; the first child, where none is.
fn choose(children: &[Child], before: &dyn Fn(Entry<'_>) -> bool) -> usize {
    children[1..].partition_point(|child| before(child.key()))
}

/// For how many nodes there is room in the last of so many chunks, which has so many.
fn room(chunks: usize, nodes: usize) -> usize {
    match chunks {
        0 => 0,
        1 => nodes.next_power_of_two(),
        _ => CHUNK_NODES,
    }
}

impl Tree {
    /// One without entries, whose inner nodes have at most so many children.
    pub(super) fn new(children_max: usize) -> Self {
        let mut tree = Self {
            chunks: Vec::new(),
            free: NONE,
            root: 0,
            height: 0,
            children_max: children_max.max(4) as u32,
            len: 0,
            bytes: 0,
        };
        tree.root = tree.add(Node::Leaf(Leaf::default()));
        tree
    }

    /// A copy without nodes: it is no tree before `copy_on` has added them all.
    pub(super) fn hollow(&self) -> Self {
        Self {
            chunks: Vec::with_capacity(self.chunks.len()),
            ..*self
        }
    }

    /// Adds the next chunk of nodes to such a copy. Returns how many bytes that has cost; `None` if
    /// the copy is whole.
    pub(super) fn copy_on(&self, copy: &mut Self) -> Option<usize> {
        let chunk = self.chunks.get(copy.chunks.len())?;
        let mut nodes = Vec::with_capacity(room(self.chunks.len(), chunk.len()));
        nodes.extend_from_slice(chunk);
        copy.chunks.push(nodes);
        let bytes: usize = chunk.iter().map(Node::memory).sum();
        Some(bytes + size_of_val(&**chunk))
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The bytes of memory that it takes beside itself.
    pub(super) fn memory(&self) -> usize {
        let chunks = self.chunks.len();
        let last = self.chunks.last().map_or(0, Vec::len);
        let nodes = room(chunks, last) + chunks.saturating_sub(1) * CHUNK_NODES;
        self.bytes + nodes * size_of::<Node>() + chunks * size_of::<Vec<Node>>()
    }

    fn node(&self, number: u32) -> &Node {
        &self.chunks[number as usize / CHUNK_NODES][number as usize % CHUNK_NODES]
    }

    fn node_mut(&mut self, number: u32) -> &mut Node {
        &mut self.chunks[number as usize / CHUNK_NODES][number as usize % CHUNK_NODES]
    }

    fn leaf(&self, number: u32) -> &Leaf {
        match self.node(number) {
            Node::Leaf(leaf) => leaf,
            _ => unreachable!("the height says that it is a leaf"),
        }
    }

    fn children(&self, number: u32) -> &[Child] {
        match self.node(number) {
            Node::Inner(children) => children,
            _ => unreachable!("the height says that it is an inner node"),
        }
    }

    /// Changes a leaf, and counts its memory.
    fn change_leaf<R>(&mut self, number: u32, change: impl FnOnce(&mut Leaf) -> R) -> R {
        let Node::Leaf(leaf) = self.node_mut(number) else {
            unreachable!("the height says that it is a leaf");
        };
        let before = leaf.memory();
        let done = change(leaf);
        let after = leaf.memory();
        self.bytes = self.bytes - before + after;
        done
    }

    /// Changes an inner node, and counts its memory.
    fn change_inner<R>(&mut self, number: u32, change: impl FnOnce(&mut Vec<Child>) -> R) -> R {
        let Node::Inner(children) = self.node_mut(number) else {
            unreachable!("the height says that it is an inner node");
        };
        let weigh = |children: &[Child]| children.iter().map(Child::memory).sum::<usize>();
        let before = weigh(children);
        let done = change(children);
        let after = weigh(children);
        self.bytes = self.bytes - before + after;
        done
    }

    /// Takes a node in, whose memory is counted.
    fn add(&mut self, node: Node) -> u32 {
        self.bytes += node.memory();
        if self.free != NONE {
            let number = self.free;
            if let Node::Free(next) = self.node(number) {
                self.free = *next;
            }
            *self.node_mut(number) = node;
            return number;
        }
        if self
            .chunks
            .last()
            .is_none_or(|chunk| chunk.len() == CHUNK_NODES)
        {
            self.chunks.push(Vec::new());
        }
        let chunks = self.chunks.len();
        let chunk = &mut self.chunks[chunks - 1];
        let room = room(chunks, chunk.len() + 1);
        chunk.reserve_exact(room - chunk.len());
        chunk.push(node);
        ((chunks - 1) * CHUNK_NODES + chunk.len() - 1) as u32
    }

    /// Lets a node go, and hands it out.
    fn take(&mut self, number: u32) -> Node {
        let free = Node::Free(self.free);
        let node = core::mem::replace(self.node_mut(number), free);
        self.free = number;
        self.bytes -= node.memory();
        node
    }

    /// How many entries lie in front of the first that is not `before`. An entry that is before
    /// comes ahead of all that are not.
    pub(super) fn partition(&self, before: &dyn Fn(Entry<'_>) -> bool) -> usize {
        let (mut number, mut rank) = (self.root, 0);
        for _ in 0..self.height {
            let children = self.children(number);
            let nth = choose(children, before);
            rank += children[..nth]
                .iter()
                .map(|child| child.count)
                .sum::<usize>();
            number = children[nth].node;
        }
        rank + self.leaf(number).partition(before).0
    }

    /// The leaf with the entry at a rank, and how many entries of it come before that.
    fn find(&self, rank: usize) -> Option<(&Leaf, usize)> {
        if rank >= self.len {
            return None;
        }
        let (mut number, mut rest) = (self.root, rank);
        for _ in 0..self.height {
            for child in self.children(number) {
                number = child.node;
                if rest < child.count {
                    break;
                }
                rest -= child.count;
            }
        }
        Some((self.leaf(number), rest))
    }

    /// The entries from a rank on, in order.
    pub(super) fn walk(&self, rank: usize) -> Walk<'_> {
        Walk {
            tree: self,
            rank,
            entries: Entries::default(),
        }
    }

    /// The entries before a rank, the last first.
    pub(super) fn walk_back(&self, rank: usize) -> WalkBack<'_> {
        WalkBack {
            tree: self,
            rank: rank.min(self.len),
            leaf: &[],
            starts: [0; LEAF_ENTRIES_MAX],
            left: 0,
        }
    }

    /// The inner nodes on the way to where an entry belongs, each with the child that was chosen,
    /// and the leaf.
    fn way(&self, entry: Entry<'_>) -> (Way, u32) {
        let before = |held: Entry<'_>| order(held, entry).is_le();
        let mut way = Way {
            steps: [(NONE, 0); HEIGHT_MAX],
            len: self.height as usize,
        };
        let mut number = self.root;
        for step in &mut way.steps[..self.height as usize] {
            let children = self.children(number);
            let nth = choose(children, &before);
            *step = (number, nth);
            number = children[nth].node;
        }
        (way, number)
    }

    /// Counts entries that came or went under the children of a way.
    fn count(&mut self, way: &Way, more: isize) {
        for (number, nth) in way.steps() {
            if let Node::Inner(children) = self.node_mut(*number) {
                let count = &mut children[*nth].count;
                *count = count.wrapping_add_signed(more);
            }
        }
    }

    /// Lets a node go with all under it.
    fn drop_under(&mut self, number: u32) {
        if let Node::Inner(children) = self.take(number) {
            for child in children {
                self.drop_under(child.node);
            }
        }
    }

    /// Adds an entry, which is not there.
    pub(super) fn insert(&mut self, entry: Entry<'_>) {
        let (mut way, mut leaf) = self.way(entry);
        // A long member may have to be split off on both sides.
        while !self.leaf(leaf).has_room(entry) {
            let before = self.leaf(leaf).count();
            let mut steps = way.steps().iter();
            let is_last = steps.all(|(number, nth)| nth + 1 == self.children(*number).len());
            let (half, (score, member)) = self.change_leaf(leaf, |leaf| leaf.split(entry, is_last));
            let mut new = Child {
                node: 0,
                count: half.count(),
                score,
                member,
            };
            new.node = self.add(Node::Leaf(half));
            self.grow(&way, new, is_last);
            (way, leaf) = self.way(entry);
            let after = self.leaf(leaf).count();
            assert!(after < before, "a leaf that is split has fewer entries");
        }
        self.change_leaf(leaf, |leaf| leaf.insert(entry));
        self.len += 1;
        self.count(&way, 1);
    }

    /// Puts a node behind the child that each inner node of the way has chosen, from below. At the
    /// end of the tree full nodes are left behind.
    fn grow(&mut self, way: &Way, mut new: Child, is_last: bool) {
        let most = self.children_max as usize;
        let kept = if is_last { most } else { most / 2 };
        for &(number, nth) in way.steps().iter().rev() {
            let half = self.change_inner(number, |children| {
                children[nth].count -= new.count;
                if children.len() == children.capacity() {
                    children.reserve_exact(STEP_CHILDREN);
                }
                children.insert(nth + 1, new);
                let is_full = children.len() > most;
                is_full.then(|| {
                    let half = children.split_off(kept);
                    children.shrink_to(kept + STEP_CHILDREN);
                    half
                })
            });
            let Some(half) = half else {
                return;
            };
            new = Child {
                node: 0,
                count: half.iter().map(|child| child.count).sum(),
                score: half[0].score,
                member: half[0].member.clone(),
            };
            new.node = self.add(Node::Inner(half));
        }
        let first = Child {
            node: self.root,
            count: self.len - new.count,
            score: f64::NEG_INFINITY,
            member: Box::default(),
        };
        self.root = self.add(Node::Inner(alloc::vec![first, new]));
        self.height += 1;
    }

    /// Removes an entry; whether it was there.
    pub(super) fn remove(&mut self, entry: Entry<'_>) -> bool {
        let (way, leaf) = self.way(entry);
        if !self.change_leaf(leaf, |leaf| leaf.remove(entry)) {
            return false;
        }
        self.len -= 1;
        self.count(&way, -1);
        for (number, nth) in way.steps().iter().rev() {
            self.join(*number, *nth);
        }
        while self.height > 0 && self.children(self.root).len() == 1 {
            let Node::Inner(only) = self.take(self.root) else {
                unreachable!("it was looked at");
            };
            self.root = only[0].node;
            self.height -= 1;
        }
        true
    }

    /// Joins a child that has become small with a neighbour, where both fit into one.
    fn join(&mut self, number: u32, nth: usize) {
        let most = self.children_max as usize;
        let children = self.children(number);
        if children[nth].count == 0 && children.len() > 1 {
            let gone = self.change_inner(number, |children| {
                let gone = children.remove(nth);
                // What was below the key of a first child is now below the next one's.
                if nth == 0 {
                    children[0].score = gone.score;
                    children[0].member = gone.member;
                }
                gone.node
            });
            self.drop_under(gone);
            return;
        }
        let left = nth.min(children.len().saturating_sub(2));
        let [one, other] = match children.get(left..left + 2) {
            Some([one, other]) => [one.node, other.node],
            _ => return,
        };
        let fits = match (self.node(one), self.node(other)) {
            (Node::Leaf(one), Node::Leaf(other)) => {
                let smaller = one.len().min(other.len());
                smaller < LEAF_BYTES_MAX / 4 && one.len() + other.len() <= LEAF_BYTES_MAX / 4 * 3
            }
            (Node::Inner(one), Node::Inner(other)) => {
                let smaller = one.len().min(other.len());
                smaller <= most / 4 && one.len() + other.len() <= most / 4 * 3
            }
            _ => false,
        };
        if !fits {
            return;
        }
        let gone = self.change_inner(number, |children| {
            let gone = children.remove(left + 1);
            children[left].count += gone.count;
            gone
        });
        match self.take(other) {
            Node::Leaf(leaf) => self.change_leaf(one, |own| own.append(&leaf)),
            Node::Inner(mut more) => {
                // A first child's key is never looked at, and may be lower than that of its node.
                more[0].score = gone.score;
                more[0].member = gone.member;
                self.change_inner(one, |own| own.append(&mut more));
            }
            Node::Free(_) => {}
        }
    }

    /// Frees a chunk of nodes; whether any is left. The remainder is no tree any more.
    pub(super) fn dismantle(&mut self) -> bool {
        let gone = self.chunks.pop().unwrap_or_default();
        self.bytes -= gone.iter().map(Node::memory).sum::<usize>();
        self.len = 0;
        !self.chunks.is_empty()
    }

    /// As `memory`, counted anew.
    #[cfg(test)]
    pub(super) fn recount(&self) -> usize {
        let bytes: usize = self.chunks.iter().flatten().map(Node::memory).sum();
        bytes + self.memory() - self.bytes
    }

    /// Asserts what must be so of it.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.check_under(self.root, self.height, None, None);
        let all: Vec<_> = self.walk(0).collect();
        assert_eq!(all.len(), self.len);
        assert!(all.windows(2).all(|pair| order(pair[0], pair[1]).is_lt()));
    }

    #[cfg(test)]
    fn check_under(
        &self,
        number: u32,
        height: u32,
        low: Option<Entry<'_>>,
        high: Option<Entry<'_>>,
    ) -> usize {
        if height == 0 {
            let leaf = self.leaf(number);
            for entry in leaf.iter() {
                assert!(low.is_none_or(|low| order(low, entry).is_le()));
                assert!(high.is_none_or(|high| order(entry, high).is_lt()));
            }
            assert_eq!(leaf.iter().count(), leaf.count());
            assert!(leaf.count() <= 1 || leaf.len() <= LEAF_BYTES_MAX);
            return leaf.count();
        }
        let children = self.children(number);
        assert!(children.len() <= self.children_max as usize);
        let mut total = 0;
        for (nth, child) in children.iter().enumerate() {
            let low = if nth == 0 { low } else { Some(child.key()) };
            let high = children.get(nth + 1).map(Child::key).or(high);
            let count = self.check_under(child.node, height - 1, low, high);
            assert_eq!(child.count, count);
            total += count;
        }
        total
    }
}

/// Entries in order.
#[derive(Clone, Debug)]
pub(in crate::store) struct Walk<'a> {
    tree: &'a Tree,
    /// The rank of the first entry behind those of the leaf that it stands in.
    rank: usize,
    entries: Entries<'a>,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if let Some(entry) = self.entries.next() {
            return Some(entry);
        }
        let (leaf, nth) = self.tree.find(self.rank)?;
        self.rank += leaf.count() - nth;
        self.entries = leaf.iter();
        self.entries.nth(nth)
    }
}

/// Entries, the last first.
#[derive(Clone, Debug)]
pub(in crate::store) struct WalkBack<'a> {
    tree: &'a Tree,
    /// The rank of the first entry of the leaf that it stands in.
    rank: usize,
    leaf: &'a [u8],
    /// The offsets in bytes at which the entries of that leaf begin, and how many are left.
    starts: [u16; LEAF_ENTRIES_MAX],
    left: usize,
}

impl<'a> Iterator for WalkBack<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.left == 0 {
            let (leaf, nth) = self.tree.find(self.rank.checked_sub(1)?)?;
            let mut entries = leaf.iter();
            self.leaf = entries.0;
            for start in &mut self.starts[..=nth] {
                *start = (self.leaf.len() - entries.0.len()) as u16;
                entries.next();
            }
            self.left = nth + 1;
            self.rank -= self.left;
        }
        self.left -= 1;
        let start = usize::from(self.starts[self.left]);
        Entries(&self.leaf[start..]).next()
    }
}

#[cfg(test)]
mod tests;
