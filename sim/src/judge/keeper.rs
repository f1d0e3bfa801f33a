//! The values that a client keeps of its reads, and the keys that its member has touched since.

use std::collections::BTreeMap;

use crate::wire::Value;

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
    /// Its member knows that it does.
    pub(super) tracks: bool,
    /// It may track in a way that is not followed here.
    pub(super) is_unsure: bool,
    pub(super) kept: BTreeMap<Vec<u8>, Kept>,
}

impl Keeper {
    /// Returns true if it hears of what is written, or may.
    pub(super) fn may_track(&self) -> bool {
        self.tracks || self.is_unsure
    }
}

/// The keys that a member has touched, each with the steps that have done so.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    pub(super) steps: usize,
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

    /// Returns true if a step between these two has touched a key.
    pub(super) fn has(&self, key: &[u8], from: usize, to: usize) -> bool {
        let steps = self.of.get(key).map_or(&[][..], |steps| &steps[..]);
        let next = steps.partition_point(|step| *step < from);
        steps.get(next).is_some_and(|step| *step < to)
    }
}
