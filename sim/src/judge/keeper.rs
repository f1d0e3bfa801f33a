//! The values that a client keeps of its reads, and the keys that its member has touched since.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use caching::Caching;

use crate::wire::Value;
use crate::workload::KEPT;

pub(super) mod caching;

/// A value that a client keeps.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) value: Value,
    pub(super) db: u32,
    pub(super) resp3: bool,
    /// How many steps its member had applied when it was read.
    pub(super) since: usize,
}

/// A client as one that tracks.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeper {
    pub(super) caching: Caching,
    pub(super) kept: BTreeMap<Vec<u8>, Kept>,
    /// Reads of which it is to hear, and has not heard: by keys, with how many steps its member had
    /// applied then.
    pub(super) reads: BTreeMap<Vec<u8>, VecDeque<usize>>,
    /// The steps that were its own.
    pub(super) own: BTreeSet<usize>,
    /// How often it has heard of keys with its prefixes.
    pub(super) of_prefixes: BTreeMap<Vec<u8>, usize>,
    /// It may have read by other words than are followed here.
    pub(super) reads_otherwise: bool,
}

impl Keeper {
    /// Returns true if it hears of what is written, or may.
    pub(super) fn may_track(&self) -> bool {
        self.caching.tracks() || self.caching.is_unsure
    }

    /// It hears of a key once more; true if its prefixes are a reason for that: each step that has
    /// touched the key since is one for each of them. Of other keys than clients keep it is not
    /// known when they die.
    pub(super) fn hears_of_prefix(&mut self, key: &[u8], touches: &Touches) -> bool {
        let prefixes = self.caching.prefixes.iter();
        let of_key = prefixes.filter(|prefix| key.starts_with(&prefix.bytes));
        // A word of a step that was applied shortly before it began may be on its way.
        let sinces: Vec<usize> = of_key
            .map(|prefix| prefix.since.saturating_sub(2))
            .collect();
        if !key.starts_with(KEPT.as_bytes()) {
            return !sinces.is_empty();
        }
        let without = self.caching.was_never_in_loop().then_some(&self.own);
        let reasons = sinces
            .iter()
            .map(|since| touches.count(key, *since, without));
        let heard = self.of_prefixes.entry(key.to_vec()).or_default();
        *heard += 1;
        *heard <= reasons.sum()
    }
}

/// The keys that a member has touched, each with the steps that have done so.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    pub(super) steps: usize,
    /// The member says of keys that nobody has touched that they may be so no more, for want of
    /// room.
    pub(super) makes_room: bool,
    /// Keys that were given a time to live.
    mortal: BTreeSet<Vec<u8>>,
    /// The member stands in the middle of a step, or did when it was last listened to.
    pub(super) is_midway: bool,
    stands_midway: bool,
    of: BTreeMap<Vec<u8>, Vec<usize>>,
}

impl Touches {
    /// The member stands in the middle of a step, or does not.
    pub(super) fn stands(&mut self, is_midway: bool) {
        let was_midway = std::mem::replace(&mut self.stands_midway, is_midway);
        self.is_midway = is_midway || was_midway;
    }

    /// A step was applied that has touched these keys.
    pub(super) fn step(&mut self, keys: Vec<Vec<u8>>) {
        for key in keys {
            self.of.entry(key).or_default().push(self.steps);
        }
        self.steps += 1;
    }

    /// A key has a time to live.
    pub(super) fn dies(&mut self, key: &[u8]) {
        if !self.mortal.contains(key) {
            self.mortal.insert(key.to_vec());
        }
    }

    /// Returns true if a key has, or has had, a time to live.
    pub(super) fn may_die(&self, key: &[u8]) -> bool {
        self.mortal.contains(key)
    }

    /// Returns true if a client may hear of a key that it has read when so many steps were applied:
    /// another step than its own has touched it, or it may have died, or had to make room.
    pub(super) fn has_reason(&self, key: &[u8], from: usize, own: &BTreeSet<usize>) -> bool {
        self.makes_room || self.mortal.contains(key) || self.count(key, from, Some(own)) > 0
    }

    /// The steps that have touched a key since so many were applied.
    fn steps_since(&self, key: &[u8], from: usize) -> &[usize] {
        let steps = self.of.get(key).map_or(&[][..], |steps| &steps[..]);
        &steps[steps.partition_point(|step| *step < from)..]
    }

    /// How many steps have touched a key since so many were applied, but for those of `without`.
    fn count(&self, key: &[u8], from: usize, without: Option<&BTreeSet<usize>>) -> usize {
        let counts = |step: &&usize| without.is_none_or(|without| !without.contains(step));
        self.steps_since(key, from).iter().filter(counts).count()
    }

    /// Returns true if a step between these two has touched a key.
    pub(super) fn has(&self, key: &[u8], from: usize, to: usize) -> bool {
        let steps = self.steps_since(key, from);
        steps.first().is_some_and(|step| *step < to)
    }
}
