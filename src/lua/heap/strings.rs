//! Strings, each held once: two strings are equal if their places are.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::slab::Slab;
use crate::lua::value::StringRef;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// How many buckets there are at first.
const BUCKETS_MIN: usize = 1 << 10;
/// So many strings of a bucket are passed without being counted.
const PASSED_FREE: u64 = 32;

/// One string, and the next of its bucket.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Text {
    bytes: Box<[u8]>,
    hash: u32,
    next: u32,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: Box::default(),
            hash: 0,
            next: NONE,
        }
    }
}

/// All strings of a machine.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Strings {
    texts: Slab<Text>,
    buckets: Vec<u32>,
    /// How many buckets a reset leaves.
    buckets_kept: usize,
    count: usize,
    hasher: FixedState,
    /// How many strings were passed that only share a bucket with one that was sought.
    passed: u64,
}

/// The memory that a string of so many bytes is reckoned to take.
pub(in crate::lua) const fn bytes_of(length: usize) -> u64 {
    40 + length as u64
}

impl Strings {
    pub(super) fn new(key: u64) -> Self {
        Self {
            texts: Slab::default(),
            buckets: alloc::vec![NONE; BUCKETS_MIN],
            buckets_kept: BUCKETS_MIN,
            count: 0,
            passed: 0,
            hasher: FixedState::with_seed(key),
        }
    }

    #[inline]
    fn hash(&self, bytes: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(bytes);
        // The length is not part of what is hashed, and tells strings of zeros apart.
        (hasher.finish() as u32).wrapping_add(bytes.len() as u32)
    }

    #[inline]
    fn bucket(&self, hash: u32) -> usize {
        hash as usize & (self.buckets.len() - 1)
    }

    /// The string of these bytes, if it is there.
    pub(in crate::lua) fn find(&self, bytes: &[u8]) -> Option<StringRef> {
        self.find_hashed(bytes, self.hash(bytes)).0
    }

    /// The string of these bytes, if it is there, and how many of its bucket were passed.
    #[inline]
    fn find_hashed(&self, bytes: &[u8], hash: u32) -> (Option<StringRef>, u64) {
        let mut passed = 0;
        let mut place = self.buckets.get(self.bucket(hash)).copied().unwrap_or(NONE);
        while place != NONE {
            let text = self.texts.at(place);
            if text.hash == hash && *text.bytes == *bytes {
                return (Some(StringRef(place)), passed);
            }
            passed += 1;
            place = text.next;
        }
        (None, passed)
    }

    /// As `find_hashed`, and notes what was passed beyond what chance brings.
    #[inline]
    fn seek(&mut self, bytes: &[u8], hash: u32) -> Option<StringRef> {
        let (found, passed) = self.find_hashed(bytes, hash);
        if passed > PASSED_FREE {
            self.passed += passed;
        }
        found
    }

    /// How many strings were passed since this was last asked.
    #[inline]
    pub(in crate::lua) fn take_passed(&mut self) -> u64 {
        core::mem::take(&mut self.passed)
    }

    /// The string of these bytes, and whether it is new.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> (StringRef, bool) {
        let hash = self.hash(bytes);
        match self.seek(bytes, hash) {
            Some(found) => (found, false),
            None => (self.insert(Box::from(bytes), hash), true),
        }
    }

    /// As `intern`, of bytes that are given away.
    pub(super) fn intern_owned(&mut self, bytes: Vec<u8>) -> (StringRef, bool) {
        let hash = self.hash(&bytes);
        match self.seek(&bytes, hash) {
            Some(found) => (found, false),
            None => (self.insert(bytes.into_boxed_slice(), hash), true),
        }
    }

    /// How many places there are that are not permanent, free ones with them.
    pub(super) fn places(&self) -> usize {
        self.texts.unsealed_places()
    }

    /// How many places are free.
    pub(super) fn free_places(&self) -> usize {
        self.texts.free_places()
    }

    fn insert(&mut self, bytes: Box<[u8]>, hash: u32) -> StringRef {
        if self.count >= self.buckets.len() {
            self.rehash(self.buckets.len() * 2);
        }
        let bucket = self.bucket(hash);
        let next = self.buckets.get(bucket).copied().unwrap_or(NONE);
        let place = self.texts.add(Text { bytes, hash, next });
        if let Some(head) = self.buckets.get_mut(bucket) {
            *head = place;
        }
        self.count += 1;
        StringRef(place)
    }

    /// Chains all strings anew, over so many buckets.
    fn rehash(&mut self, size: usize) {
        self.buckets.clear();
        self.buckets.resize(size, NONE);
        for place in self.texts.places() {
            let text = self.texts.at_mut(place);
            if let Some(head) = self.buckets.get_mut(text.hash as usize & (size - 1)) {
                text.next = *head;
                *head = place;
            }
        }
    }

    /// The bytes of a string.
    #[inline]
    pub(in crate::lua) fn bytes(&self, string: StringRef) -> &[u8] {
        &self.texts.at(string.0).bytes
    }

    pub(super) fn reach(&mut self, string: StringRef) {
        self.texts.reach(string.0);
    }

    /// Frees the strings that were not reached; the memory that they took.
    pub(super) fn sweep(&mut self) -> u64 {
        let dead = self.texts.unreached();
        for place in &dead {
            self.unlink(*place);
        }
        self.count -= dead.len();
        let mut freed = 0;
        self.texts.sweep(|text| freed += bytes_of(text.bytes.len()));
        freed
    }

    /// Takes a string out of its chain.
    fn unlink(&mut self, place: u32) {
        let Text { hash, next, .. } = *self.texts.at(place);
        let bucket = self.bucket(hash);
        let Some(head) = self.buckets.get_mut(bucket) else {
            return;
        };
        if *head == place {
            *head = next;
            return;
        }
        let mut before = *head;
        while before != NONE {
            let text = self.texts.at_mut(before);
            if text.next == place {
                text.next = next;
                return;
            }
            before = text.next;
        }
    }

    pub(super) fn seal(&mut self) {
        self.texts.seal();
        self.buckets_kept = self.buckets.len();
    }

    /// Drops all that is not permanent.
    pub(super) fn reset(&mut self) {
        let fresh = self.texts.unsealed();
        self.count -= fresh.len();
        self.passed = 0;
        if self.buckets.len() > self.buckets_kept {
            // What a script passes must not depend on the one before.
            self.texts.reset();
            self.rehash(self.buckets_kept);
            return;
        }
        for place in fresh {
            self.unlink(place);
        }
        self.texts.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_are_chosen_for_one_bucket_are_counted() {
        let mut strings = Strings::new(0);
        let chosen = (0_u32..).map(u32::to_le_bytes);
        let chosen: Vec<_> = chosen
            .filter(|bytes| strings.hash(bytes) as usize % BUCKETS_MIN == 7)
            .take(200)
            .collect();
        for bytes in &chosen {
            strings.intern(bytes);
        }
        assert!(strings.take_passed() > 15_000);
        for number in 0_u32..800 {
            strings.intern(&(u64::from(number) << 32).to_le_bytes());
        }
        assert_eq!(strings.take_passed(), 0);
    }
}
