//! The least of many times, each of which may change: a tree of minima with 64 children to a node.

use alloc::vec::Vec;

/// Stands for "never".
pub(super) const NEVER: u64 = u64::MAX;

const FANOUT: usize = 64;

/// One time per place. Places that were never set, or lie beyond the last one, hold `NEVER`: a
/// table in which nothing expires spends nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Minima {
    /// The places first; each further level holds the minima of 64 of the one before.
    levels: Vec<Vec<u64>>,
}

impl Minima {
    /// The least of all.
    pub(super) fn least(&self) -> u64 {
        self.levels.last().map_or(NEVER, |top| least(top))
    }

    pub(super) fn get(&self, place: usize) -> u64 {
        let places = self.levels.first();
        places
            .and_then(|places| places.get(place))
            .map_or(NEVER, |time| *time)
    }

    /// Sets the time of a place.
    pub(super) fn set(&mut self, place: usize, time: u64) {
        if self.get(place) == time {
            return;
        }
        if self
            .levels
            .first()
            .is_none_or(|places| places.len() <= place)
        {
            self.reserve(place);
        }
        let (mut place, mut time) = (place, time);
        for level in 0..self.levels.len() {
            let nodes = &mut self.levels[level];
            nodes[place] = time;
            let first = place - place % FANOUT;
            let last = nodes.len().min(first + FANOUT);
            time = least(&nodes[first..last]);
            place /= FANOUT;
        }
    }

    /// Makes room for a place, and for as many again, so that this is rare.
    fn reserve(&mut self, place: usize) {
        self.levels.truncate(1);
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        let places = (place + 1).next_power_of_two();
        let bottom = &mut self.levels[0];
        bottom.reserve_exact(places - bottom.len());
        bottom.resize(places, NEVER);
        while let Some(below) = self.levels.last()
            && below.len() > FANOUT
        {
            let above = below.chunks(FANOUT).map(least).collect();
            self.levels.push(above);
        }
    }

    /// Some place whose time is at or before `now`: the first one on the way down.
    pub(super) fn due(&self, now: u64) -> Option<usize> {
        let mut place = 0;
        for (above, nodes) in self.levels.iter().rev().enumerate() {
            let first = if above == 0 { 0 } else { place * FANOUT };
            let last = if above == 0 {
                nodes.len()
            } else {
                nodes.len().min(first + FANOUT)
            };
            place = first + nodes[first..last].iter().position(|time| *time <= now)?;
        }
        (!self.levels.is_empty()).then_some(place)
    }

    pub(super) fn memory(&self) -> usize {
        let levels: usize = self.levels.iter().map(|level| level.capacity() * 8).sum();
        levels + self.levels.capacity() * size_of::<Vec<u64>>()
    }
}

fn least(times: &[u64]) -> u64 {
    times.iter().copied().min().unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_knows_the_least_and_finds_what_is_due(
            steps in proptest::collection::vec((0usize..9000, 0u64..100, any::<bool>()), 1..200),
            now in 0u64..100,
        ) {
            let mut tree = Minima::default();
            let mut model = std::collections::BTreeMap::new();
            for (place, time, away) in steps {
                let time = if away { NEVER } else { time };
                tree.set(place, time);
                model.insert(place, time);
                let least = model.values().copied().min().unwrap_or(NEVER);
                prop_assert_eq!(tree.least(), least);
                match tree.due(now) {
                    None => prop_assert!(least > now),
                    Some(place) => prop_assert!(model[&place] <= now),
                }
            }
        }
    }
}
