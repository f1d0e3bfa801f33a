//! S13: walks with a cursor, as one client follows them.
//!
//! A step shows what stands in one range of places, at one moment, and a name has its place for as
//! long as it is there, and again when it comes back. So a name that was there at every step of a
//! walk must have been shown by one of them.

use std::collections::BTreeSet;

use super::history::Words;
use super::invariant::{Id, Violation};
use crate::model::Want;
use crate::wire::{Value, shown};

/// How many walks of a client are followed.
const KEPT: usize = 8;

/// A step of a walk that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    cursor: Vec<u8>,
    /// The rest of the request, and the database: the steps of one walk have it in common.
    of: (u32, Vec<Vec<u8>>),
    /// The names that it might have shown.
    there: BTreeSet<Vec<u8>>,
    /// True if a value stands behind each name in the reply.
    has_values: bool,
}

/// A walk that is not at its end.
#[derive(Clone, Debug)]
struct Walk {
    of: (u32, Vec<Vec<u8>>),
    /// The cursor with which it goes on.
    next: Vec<u8>,
    /// The names that were there at each step so far and were not shown.
    missing: BTreeSet<Vec<u8>>,
    steps: u64,
}

/// The walks of one client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walks(Vec<Walk>);

/// The step of a walk that a request is, by what it may be answered.
pub(super) fn step_of(db: u32, words: &Words, want: &Want) -> Option<Step> {
    let (there, has_values) = names_of(want)?;
    let is_of_keys = words[0].eq_ignore_ascii_case(b"scan");
    let place = if is_of_keys { 1 } else { 2 };
    let mut rest = words.to_vec();
    let cursor = rest.remove(place);
    rest[0].make_ascii_lowercase();
    // Each step may ask for another number.
    let count = |word: &Vec<u8>| word.eq_ignore_ascii_case(b"count");
    while let Some(at) = rest.iter().skip(place).position(count) {
        let from = place + at;
        rest.drain(from..(from + 2).min(rest.len()));
    }
    Some(Step {
        cursor,
        of: (db, rest),
        there,
        has_values,
    })
}

/// The names that may be in the reply to a step.
fn names_of(want: &Want) -> Option<(BTreeSet<Vec<u8>>, bool)> {
    match want {
        Want::Scanned(names) => Some((names.iter().cloned().collect(), false)),
        Want::ScannedPairs(pairs) => Some((pairs.iter().map(|p| p.0.clone()).collect(), true)),
        Want::ScannedScored(pairs) => Some((pairs.iter().map(|p| p.0.clone()).collect(), true)),
        // In a group a read may turn out to be worth nothing.
        Want::OneOf(wants) => wants.iter().find_map(names_of),
        _ => None,
    }
}

impl Walks {
    /// The reply to a step has come: how many steps the walk had, if it is at its end.
    pub(super) fn take(&mut self, conn: u64, step: Step, value: &Value) -> Result<u64, Violation> {
        let known = self.0.iter().position(|walk| walk.of == step.of);
        let begun = known.map(|place| self.0.remove(place));
        let Value::Array(parts) = value else {
            return Ok(0);
        };
        let [Value::Bulk(next), Value::Array(items)] = &parts[..] else {
            return Ok(0);
        };
        let mut walk = match begun {
            _ if step.cursor == b"0" => Walk {
                of: step.of,
                next: Vec::new(),
                missing: step.there,
                steps: 0,
            },
            Some(mut walk) if walk.next == step.cursor => {
                walk.missing.retain(|name| step.there.contains(name));
                walk
            }
            // It begins anywhere.
            _ => return Ok(0),
        };
        walk.steps += 1;
        let each = if step.has_values { 2 } else { 1 };
        for name in items.iter().step_by(each).filter_map(Value::text) {
            walk.missing.remove(name);
        }
        if next != b"0" {
            walk.next.clone_from(next);
            self.0.truncate(KEPT - 1);
            self.0.insert(0, walk);
            return Ok(0);
        }
        match walk.missing.first() {
            None => Ok(walk.steps),
            Some(name) => {
                let (name, steps) = (shown(name), walk.steps);
                let text = format!("c{conn}: a walk of {steps} steps has never shown {name}");
                Err(Violation::new(Id::S13, text))
            }
        }
    }
}
