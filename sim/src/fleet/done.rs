//! Which runs have been done, where many are done side by side.

use std::collections::BTreeSet;

/// A set of numbers of which most are the first ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// All below this have been done,
    pub(super) below: u64,
    /// and these.
    pub(super) also: BTreeSet<u64>,
}

impl Done {
    /// One more has been done.
    pub(super) fn add(&mut self, number: u64) {
        self.also.insert(number);
        while self.also.remove(&self.below) {
            self.below += 1;
        }
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        number < self.below || self.also.contains(&number)
    }

    /// The first that has not been done.
    pub(super) fn first_left(&self) -> u64 {
        self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_out_of_order_is_kept_until_the_gap_is_closed() {
        let mut done = Done::default();
        for number in [1, 3, 0] {
            done.add(number);
        }
        assert_eq!((done.first_left(), done.also.len()), (2, 1));
        assert!(done.contains(3) && !done.contains(2));
        done.add(2);
        assert_eq!((done.first_left(), done.also.len()), (4, 0));
    }
}
