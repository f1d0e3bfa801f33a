//! Decides whether the history of clients is linearizable (Herlihy and Wing 1990).
//!
//! A history is a list of operations, each with the moment when it was asked and the one when its
//! answer came. It is linearizable if every operation can be given a moment in between, so that
//! executing them in that order gives the same answers. A request that was not answered may have
//! happened at any time since, or never. A request that was definitely refused is no part of a
//! history: if its effect is seen all the same, no order explains that.
//!
//! Operations of one connection happen in the order in which they were asked: that is promised, and
//! makes the search short. One that has no answer where a later one has is the exception: its
//! client was told that it may still happen. The search goes through the orders depth first and
//! remembers where it has been (Wing and Gong 1993; Lowe 2017). Cells that no operation touches
//! together are searched apart. No log and no witness is asked, so that one which lies is found
//! out.

mod cell;
mod culprits;
pub(crate) mod file;
mod line;
mod search;

use std::collections::BTreeMap;

pub use cell::{Action, Reply};
pub(crate) use line::unescaped;
pub use line::{parse, written};

/// The place of a value: a database, a key and, in a hash, a field.
pub type Cell = (u32, Vec<u8>, Vec<u8>);

/// The work that one client did at once: a command, or a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its connection.
    pub conn: u64,
    /// When it was asked, in any unit that only grows.
    pub asked: u64,
    /// When the answer came, and what it said of each step; nothing: it may have happened, later or
    /// never.
    pub answered: Option<(u64, Vec<Reply>)>,
    /// Its steps, one after the other, with nothing between.
    pub steps: Vec<(Cell, Action)>,
}

/// The verdict on a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order.
    Linearizable,
    /// There is none. These operations show it, the last answer being the one that cannot be, and
    /// none of them can be left out, unless that would have taken too long to find out.
    Illegal(Vec<Operation>),
    /// Nobody knows: the search became too long.
    GaveUp,
}

/// Operations of a connection must come in the order in which they were asked. `budget` is how many
/// states a search may look at.
pub fn judge(history: &[Operation], budget: usize) -> Verdict {
    let (loose, owners) = loosened(history);
    let mut gave_up = false;
    for part in apart(&loose) {
        match search::order(&part, budget) {
            Some(true) => {}
            Some(false) => {
                let mut shown = culprits::culprits(&part, budget);
                for one in &mut shown {
                    one.conn = owners.get(&one.conn).copied().unwrap_or(one.conn);
                }
                return Verdict::Illegal(shown);
            }
            None => gave_up = true,
        }
    }
    if gave_up {
        Verdict::GaveUp
    } else {
        Verdict::Linearizable
    }
}

/// The history in which each operation without an answer, where its connection had a later one, has
/// a connection of its own; and whose those are.
fn loosened(history: &[Operation]) -> (Vec<Operation>, BTreeMap<u64, u64>) {
    let answered = (0..).zip(history).filter(|(_, one)| one.answered.is_some());
    let last: BTreeMap<u64, usize> = answered.map(|(at, one)| (one.conn, at)).collect();
    let mut loose = history.to_vec();
    let mut owners = BTreeMap::new();
    let free = history.iter().map(|one| one.conn).max();
    let mut free = free.map_or(0, |most| most + 1);
    for (at, one) in loose.iter_mut().enumerate() {
        let is_told = last.get(&one.conn).is_some_and(|last| at < *last);
        if one.answered.is_none() && is_told {
            owners.insert(free, one.conn);
            one.conn = free;
            free += 1;
        }
    }
    (loose, owners)
}

/// The root of the tree that a cell stands in; the way there gets shorter.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

/// The parts of a history that have no cell in common.
fn apart(history: &[Operation]) -> Vec<Vec<Operation>> {
    let mut numbers: BTreeMap<&Cell, usize> = BTreeMap::new();
    let mut parents: Vec<usize> = Vec::new();
    for operation in history {
        let mut first = None;
        for (cell, _) in &operation.steps {
            let number = *numbers.entry(cell).or_insert(parents.len());
            if number == parents.len() {
                parents.push(number);
            }
            let own = root(&mut parents, number);
            let joined = *first.get_or_insert(own);
            let joined = root(&mut parents, joined);
            parents[own] = joined;
        }
    }
    let mut parts: BTreeMap<usize, Vec<Operation>> = BTreeMap::new();
    for operation in history {
        if let Some((cell, _)) = operation.steps.first() {
            let part = root(&mut parents, numbers[cell]);
            parts.entry(part).or_default().push(operation.clone());
        }
    }
    parts.into_values().collect()
}

impl Operation {
    /// Returns true if it may have added something, or not.
    pub fn may_add(&self) -> bool {
        let adds = |(_, action): &(Cell, Action)| matches!(action, Action::Add(_));
        self.answered.is_none() && self.steps.iter().any(adds)
    }

    fn end(&self) -> Option<u64> {
        self.answered.as_ref().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests;
