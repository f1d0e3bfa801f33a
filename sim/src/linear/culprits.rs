//! The smallest part of an illegal history that is still illegal: no operation of it can be left
//! out.
//!
//! Not everything may be left out. A read of `a` is illegal as soon as the write of `a` is hidden,
//! and that would show nothing. So whoever may have seen what an operation left goes with it: then
//! an order of the whole history, without what has gone, is one of the rest, as each that stays
//! finds what it found. An illegal rest therefore shows that the whole is illegal.

use super::search;
use super::{Action, Operation, Reply};

/// How many states a search may look at for each attempt to leave something out.
const BUDGET: usize = 50_000;
/// And all attempts together: what is left then is good enough.
const BUDGET_OF_ALL: usize = 1_000_000;
/// As many attempts as well, for each takes its time.
const ATTEMPTS_MAX: usize = 3000;

/// The part of an illegal history that shows it, the last answer being the one that cannot be.
pub(super) fn culprits(part: &[Operation], budget: usize) -> Vec<Operation> {
    let mut shown = least(upto_first(part, budget));
    shown.sort_by_key(|operation| (operation.end().unwrap_or(u64::MAX), operation.asked));
    shown
}

/// The history up to the first answer that no order explains. An operation that was answered later
/// counts as never answered.
fn upto_first(part: &[Operation], budget: usize) -> Vec<Operation> {
    let mut ends: Vec<u64> = part.iter().filter_map(Operation::end).collect();
    ends.sort_unstable();
    let upto = |end: u64| -> Vec<Operation> {
        let known = part.iter().filter(|operation| operation.asked <= end);
        let known = known.map(|operation| {
            let mut operation = operation.clone();
            operation.answered = operation.answered.filter(|(at, _)| *at <= end);
            operation
        });
        known.collect()
    };
    let is_illegal = |part: &[Operation]| search::order(part, budget) == Some(false);
    let first = ends.partition_point(|end| !is_illegal(&upto(*end)));
    ends.get(first).map_or(part.to_vec(), |end| upto(*end))
}

/// Leaves out what can be left out, half of it first, then ever smaller pieces (Zeller 2002).
fn least(mut part: Vec<Operation>) -> Vec<Operation> {
    let (mut attempts, mut states) = (0, 0);
    let mut length = part.len().div_ceil(2);
    while length > 0 {
        let (mut at, mut is_less) = (0, false);
        while at < part.len() && attempts < ATTEMPTS_MAX && states < BUDGET_OF_ALL {
            let piece = at..part.len().min(at + length);
            let rest = without(&part, |place| piece.contains(&place));
            let (has_order, looked_at) = search::order_within(&rest, BUDGET);
            (attempts, states) = (attempts + 1, states + looked_at);
            if has_order == Some(false) {
                (part, is_less) = (rest, true);
            } else {
                at += length;
            }
        }
        // What could not go alone may go now.
        if length > 1 || !is_less {
            length /= 2;
        }
    }
    part
}

/// The operations without some, and without whoever may have seen what those left.
pub(super) fn without(part: &[Operation], goes: impl Fn(usize) -> bool) -> Vec<Operation> {
    let mut gone: Vec<bool> = (0..part.len()).map(goes).collect();
    let mut left: Vec<usize> = (0..part.len()).filter(|at| gone[*at]).collect();
    while let Some(source) = left.pop() {
        // Most are reads, which leave nothing.
        if part[source]
            .steps
            .iter()
            .all(|(_, action)| action.is_read())
        {
            continue;
        }
        for (at, operation) in part.iter().enumerate() {
            if !gone[at] && may_see(operation, &part[source]) {
                gone[at] = true;
                left.push(at);
            }
        }
    }
    let stays = part.iter().zip(&gone).filter(|(_, gone)| !**gone);
    stays.map(|(operation, _)| operation.clone()).collect()
}

/// Returns true if an operation may have found what another left.
fn may_see(operation: &Operation, source: &Operation) -> bool {
    let found = operation.steps.iter().enumerate();
    let mut found = found.map(|(place, (cell, action))| {
        let reply = operation.answered.as_ref().map(|(_, all)| &all[place]);
        (cell, Found::by(action, reply))
    });
    let left = || {
        source
            .steps
            .iter()
            .enumerate()
            .map(|(place, (cell, action))| {
                let reply = source.answered.as_ref().map(|(_, all)| &all[place]);
                (cell, Left::by(action, reply))
            })
    };
    found.any(|(cell, found)| left().any(|(other, left)| cell == other && found.may_be(&left)))
}

/// The value that an answer shows to have been there.
enum Found {
    /// It does not depend on that.
    Unknown,
    /// The value that was there matters, whatever it is.
    Any,
    /// There was something.
    Something,
    /// There was this, or nothing.
    Exactly(Option<Vec<u8>>),
    /// There was this number, or nothing for a zero.
    Number(i64),
}

/// The value that an action leaves.
enum Left {
    /// The value that was there.
    Same,
    /// A number that nobody was told.
    Sum,
    Exactly(Option<Vec<u8>>),
}

impl Found {
    fn by(action: &Action, reply: Option<&Reply>) -> Self {
        match (action, reply) {
            (Action::Add(by), Some(Reply::Number(sum))) => {
                sum.checked_sub(*by).map_or(Self::Any, Self::Number)
            }
            (Action::Add(_), _) => Self::Any,
            (Action::Get | Action::GetSet(_), Some(Reply::Value(value))) => {
                Self::Exactly(Some(value.clone()))
            }
            (Action::Get | Action::GetSet(_), Some(Reply::Nothing))
            | (Action::Delete, Some(Reply::Number(0)))
            | (Action::Put(_), Some(Reply::Number(1))) => Self::Exactly(None),
            (Action::Delete | Action::Put(_), Some(Reply::Number(_))) => Self::Something,
            // A write is answered the same whatever was there, and what was never answered tells
            // nothing. Nor does what no state answers: nothing explains that, whatever is left out.
            _ => Self::Unknown,
        }
    }

    fn may_be(&self, left: &Left) -> bool {
        match (self, left) {
            (Self::Unknown, _) | (_, Left::Same) => false,
            (Self::Something, Left::Exactly(value)) => value.is_some(),
            (Self::Exactly(found), Left::Exactly(value)) => found == value,
            (Self::Exactly(found), Left::Sum) => found.is_some(),
            (Self::Any, _) | (Self::Something | Self::Number(_), Left::Sum) => true,
            (Self::Number(found), Left::Exactly(None)) => *found == 0,
            (Self::Number(found), Left::Exactly(Some(text))) => {
                let number = std::str::from_utf8(text).ok().map(str::parse);
                number == Some(Ok(*found))
            }
        }
    }
}

impl Left {
    fn by(action: &Action, reply: Option<&Reply>) -> Self {
        match (action, reply) {
            (Action::Get, _) => Self::Same,
            (Action::Set(value) | Action::GetSet(value) | Action::Put(value), _) => {
                Self::Exactly(Some(value.clone()))
            }
            (Action::Delete, _) => Self::Exactly(None),
            (Action::Add(_), Some(Reply::Number(sum))) => {
                Self::Exactly(Some(sum.to_string().into_bytes()))
            }
            (Action::Add(_), _) => Self::Sum,
        }
    }
}
