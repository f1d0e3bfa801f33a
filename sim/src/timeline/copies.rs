//! Copies of the world: close together near the present, far apart long before it, and never more
//! than so many.

use std::collections::BTreeMap;

use super::Keep;
use crate::world::World;

/// How many events lie between two copies on the way.
const SPACING: u64 = 2_000;
/// And where somebody arrives, who may want to go back from there.
const SPACING_NEAR: u64 = 500;
/// How many copies there are at most, besides that of the beginning.
const COPIES_MAX: usize = 16;

/// The copies, by the event behind which they stand.
#[derive(Debug)]
pub(super) struct Copies {
    keep: Keep,
    worlds: BTreeMap<u64, World>,
}

impl Copies {
    /// With a copy of the beginning.
    pub(super) fn new(keep: Keep, world: &World) -> Self {
        let mut worlds = BTreeMap::new();
        if keep == Keep::Sparse {
            worlds.insert(0, world.clone());
        }
        Self { keep, worlds }
    }

    /// A copy from which an event can be reached, unless the present is nearer.
    pub(super) fn before(&self, event: u64, present: Option<u64>) -> Option<World> {
        let (at, world) = self.worlds.range(..event).next_back()?;
        present
            .is_none_or(|present| present < *at)
            .then(|| world.clone())
    }

    /// Takes a copy where one is due on the way to an event.
    pub(super) fn offer(&mut self, world: &World, target: u64) {
        let now = world.events;
        let is_near = target.saturating_sub(now) <= SPACING;
        let spacing = if is_near { SPACING_NEAR } else { SPACING };
        let is_due = now.is_multiple_of(spacing) && !self.worlds.contains_key(&now);
        if self.keep == Keep::Nothing || !is_due {
            return;
        }
        self.worlds.insert(now, world.clone());
        if self.worlds.len() > COPIES_MAX + 1 {
            self.thin(now);
        }
    }

    /// Lets the copy go whose neighbours are closest together for how far they are from the
    /// present: then the gaps grow with the distance, and so does what must be done again.
    fn thin(&mut self, now: u64) {
        let at: Vec<u64> = self.worlds.keys().copied().collect();
        let worth = |three: &&[u64]| {
            let gap = three[2] - three[0];
            let distance = now.abs_diff(three[1]) + SPACING_NEAR;
            gap * 1_000_000 / distance
        };
        if let Some([_, middle, _]) = at.windows(3).min_by_key(worth) {
            self.worlds.remove(middle);
        }
    }

    /// Behind which events there are copies.
    #[cfg(test)]
    pub(super) fn events(&self) -> Vec<u64> {
        self.worlds.keys().copied().collect()
    }
}
