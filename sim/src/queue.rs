//! The coming events, in the order of time; ties are broken by a keyed draw and not by insertion.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::draws::mixed;

#[derive(Clone, Debug)]
struct Entry<T> {
    at: u64,
    tie: u64,
    ordinal: u64,
    what: T,
}

impl<T> Entry<T> {
    fn key(&self) -> (u64, u64, u64) {
        (self.at, self.tie, self.ordinal)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    /// The earliest is the greatest, as the heap gives out the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// The events that are to come.
#[derive(Clone, Debug)]
pub(crate) struct Queue<T> {
    seed: u64,
    heap: BinaryHeap<Entry<T>>,
    ordinal: u64,
}

impl<T> Queue<T> {
    /// An empty queue whose ties are broken by this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            heap: BinaryHeap::new(),
            ordinal: 0,
        }
    }

    /// Something will happen at `at`, in nanoseconds of true time. `key` says what it is, whatever
    /// else is in the queue.
    pub(crate) fn push(&mut self, at: u64, key: u64, what: T) {
        self.ordinal += 1;
        self.heap.push(Entry {
            at,
            tie: mixed(self.seed ^ mixed(key)),
            ordinal: self.ordinal,
            what,
        });
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// The next event, and its time.
    pub(crate) fn pop(&mut self) -> Option<(u64, T)> {
        self.heap.pop().map(|entry| (entry.at, entry.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_comes_first_and_ties_do_not_follow_insertion() {
        let mut queue = Queue::new(3);
        for number in 0..16 {
            queue.push(7, number, number);
        }
        queue.push(1, 99, 99);
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop().map(|e| e.1)).collect();
        assert_eq!(order[0], 99);
        let tied = &order[1..];
        assert_ne!(tied, (0..16).collect::<Vec<_>>());
        let mut again = Queue::new(3);
        for number in (0..16).rev() {
            again.push(7, number, number);
        }
        let other: Vec<u64> = std::iter::from_fn(|| again.pop().map(|e| e.1)).collect();
        assert_eq!(tied, other);
    }
}
