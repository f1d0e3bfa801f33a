//! How one segment becomes two, and several become one.

use super::super::entry::{Boxed, Header};
use super::blocks::{At, at};
use super::hasher::Hasher;
use super::pool::Pool;
use super::segment::{Segment, Walk, turned};

impl<L: Boxed> Segment<L> {
    /// Splits it by the next bit of the hash.
    pub(super) fn split(self, pool: &mut Pool, hasher: Hasher) -> (Self, Self) {
        let bit = 1 << (63 - self.depth);
        let low = Self::new(self.prefix, self.depth + 1);
        let high = Self::new(self.prefix | bit, self.depth + 1);
        self.divide(pool, hasher, low, high, |_, hash| hash & bit != 0)
    }

    /// Gives what it holds to two others, to the second where `is_high` says so of a key and the
    /// hash under which they find it.
    pub(super) fn divide(
        self,
        pool: &mut Pool,
        hasher: Hasher,
        mut low: Self,
        mut high: Self,
        is_high: impl Fn(&[u8], u64) -> bool,
    ) -> (Self, Self) {
        let (keys, expected) = (self.len() / 2, self.used().map(|used| used / 2));
        for half in [&mut low, &mut high] {
            half.table.reserve(pool, keys);
        }
        let choose = |key: &[u8], hash| usize::from(is_high(key, hash));
        self.pour(pool, hasher, choose, &mut [&mut low, &mut high], expected);
        (low, high)
    }

    /// The union of some in their order, as one that begins and is found otherwise.
    pub(super) fn unite<const N: usize>(
        parts: [Self; N],
        mut whole: Self,
        pool: &mut Pool,
        hasher: Hasher,
    ) -> Self {
        let used = parts.each_ref().map(Self::used);
        let expected = [0, 1].map(|kind| used.iter().map(|used| used[kind]).sum());
        whole.table.reserve(pool, parts.iter().map(Self::len).sum());
        for part in parts {
            part.pour(pool, hasher, |_, _| 0, &mut [&mut whole], expected);
        }
        whole
    }

    /// Gives all to others, each of which expects so many bytes; its pages go back one by one.
    fn pour(
        mut self,
        pool: &mut Pool,
        hasher: Hasher,
        choose: impl Fn(&[u8], u64) -> usize,
        into: &mut [&mut Self],
        expected: [usize; 2],
    ) {
        let is_deep = into.iter().any(|target| target.is_deep());
        let mut from = Walk::default();
        while let Some((place, behind)) = self.next(pool, from) {
            let (bytes, begin) = self.at(pool, place);
            let header = Header::read(bytes, begin);
            let (key, length) = (header.key(bytes), header.len());
            let hash = hasher.slot(is_deep, key);
            let target = &mut *into[choose(key, hash)];
            let new = target.add(pool, length, expected);
            pool.copy(self.locate(place), target.locate(new), length);
            target.table.insert(pool, turned(hash), new);
            // A page that is done with goes back at once, so that the next one may take it.
            match (at(place), &mut self.wide) {
                (At::Wide, Some(wide)) => wide.left(pool, place, behind.at),
                _ => self.narrow.left(pool, place, behind.at),
            }
            from = behind;
        }
        self.narrow.clear(pool);
        if let Some(wide) = &mut self.wide {
            wide.clear(pool);
        }
        self.table.clear(pool);
        for big in self.bigs {
            let hash = hasher.slot(is_deep, big.key());
            into[choose(big.key(), hash)].insert_big(pool, hash, big);
        }
    }
}
