//! Majorities: how far one holds, and whether a vote has one (thesis 3.3, 4.3).
//!
//! Everything that a majority decides is asked of a `Membership`, never of a list of names, so that
//! nobody can forget that a joint membership needs a majority of both halves. Commit indexes, read
//! rounds and times of acknowledgement are all the same question: which value has a quorum reached?

use crate::ids::NodeId;

use super::membership::Membership;
use super::membership::{MEMBERS_MAX, Member};

/// How a vote stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A quorum is for it.
    Won,
    /// No quorum can come about any more.
    Lost,
    /// Too few have answered.
    Open,
}

impl Membership {
    /// The highest value that a quorum has reached, where `reached` says how far each voter is.
    ///
    /// A member that has reached a value has reached all below it.
    pub fn reached(&self, reached: &dyn Fn(NodeId) -> u64) -> u64 {
        let (first, second) = self.halves();
        let both = second.map_or(u64::MAX, |second| reached_by_majority(second, reached));
        let value = both.min(reached_by_majority(first, reached));
        #[cfg(debug_assertions)]
        assert_eq!(value, self.reached_naively(reached));
        value
    }

    /// How a vote stands, where `vote` says what each voter has answered.
    pub fn tally(&self, vote: &dyn Fn(NodeId) -> Option<bool>) -> Tally {
        let (first, second) = self.halves();
        let first = tally_of_half(first, vote);
        let second = second.map_or(Tally::Won, |second| tally_of_half(second, vote));
        match (first, second) {
            (Tally::Won, Tally::Won) => Tally::Won,
            (Tally::Lost, _) | (_, Tally::Lost) => Tally::Lost,
            _ => Tally::Open,
        }
    }

    /// The same as `reached`, by counting instead of sorting: each value is held against every
    /// voter.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn reached_naively(&self, reached: &dyn Fn(NodeId) -> u64) -> u64 {
        let (first, second) = self.halves();
        let holds = |half: &[Member], value: u64| {
            let count = half.iter().filter(|m| reached(m.id) >= value).count();
            count * 2 > half.len()
        };
        let values = self.voters().map(reached);
        values
            .filter(|value| holds(first, *value) && second.is_none_or(|half| holds(half, *value)))
            .max()
            .unwrap_or(0)
    }
}

/// The value that a majority of one half has reached: of n values in descending order, the one
/// behind the first n/2.
fn reached_by_majority(half: &[Member], reached: &dyn Fn(NodeId) -> u64) -> u64 {
    if let [only] = half {
        return reached(only.id);
    }
    let mut values = [0; MEMBERS_MAX];
    let mut count = 0;
    for (value, member) in values.iter_mut().zip(half) {
        *value = reached(member.id);
        count += 1;
    }
    let values = &mut values[..count];
    values.sort_unstable_by(|a, b| b.cmp(a));
    values.get(count / 2).copied().unwrap_or(0)
}

fn tally_of_half(half: &[Member], vote: &dyn Fn(NodeId) -> Option<bool>) -> Tally {
    let (mut granted, mut refused) = (0, 0);
    for member in half {
        match vote(member.id) {
            Some(true) => granted += 1,
            Some(false) => refused += 1,
            None => {}
        }
    }
    if granted * 2 > half.len() {
        Tally::Won
    } else if refused * 2 >= half.len() {
        Tally::Lost
    } else {
        Tally::Open
    }
}
