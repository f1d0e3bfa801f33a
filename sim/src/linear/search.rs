//! The search for an order: depth first, what is answered before what may never have happened.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hash};

use foldhash::quality::FixedState;

use super::{Action, Cell, Operation, Reply};

/// An operation whose cells have numbers.
struct Task<'a> {
    asked: u64,
    end: Option<u64>,
    steps: Vec<(usize, &'a Action)>,
    replies: Option<&'a [Reply]>,
    /// It is the only one of its connection that was never answered, and the last: a number that it
    /// shares with those that do the same, as far as anybody can see.
    twin: Option<usize>,
}

/// Operations of one connection in order, those never answered last, and how many of them have
/// happened or been left out.
struct Line<'a> {
    tasks: Vec<Task<'a>>,
    done: usize,
    /// When the next one was answered, by which time it must have happened.
    due: u64,
}

impl Line<'_> {
    fn go_to(&mut self, done: usize) {
        self.done = done;
        let answered = self.tasks.get(done).and_then(|task| task.end);
        self.due = answered.unwrap_or(u64::MAX);
    }

    /// Those that may come next: the next one, or, where that was never answered, any behind it.
    fn candidates(&self) -> impl Iterator<Item = (usize, &Task<'_>)> {
        let left = &self.tasks[self.done..];
        let is_answered = left.first().is_some_and(|task| task.end.is_some());
        let count = if is_answered { 1 } else { left.len() };
        (self.done..).zip(&left[..count])
    }
}

impl Task<'_> {
    /// Returns true if it leaves something in several cells.
    fn spreads(&self) -> bool {
        let mut written = self.steps.iter().filter(|(_, action)| !action.is_read());
        let first = written.next().map(|(cell, _)| *cell);
        written.any(|(cell, _)| Some(*cell) != first)
    }

    /// Returns true if both touch one cell.
    fn meets(&self, other: &Task<'_>) -> bool {
        let own = |cell: &usize| self.steps.iter().any(|(own, _)| own == cell);
        other.steps.iter().any(|(cell, _)| own(cell))
    }

    /// Returns true if it adds to a cell that another touches.
    fn adds_to(&self, other: &Task<'_>) -> bool {
        self.steps.iter().any(|(cell, action)| {
            let touches = other.steps.iter().any(|(touched, _)| touched == cell);
            matches!(action, Action::Add(_)) && touches
        })
    }

    /// Returns true if the answers of another task can tell that this one has happened just before.
    /// If sums are `summed` up in between, what was set shows in another value.
    fn shows_in(&self, other: &Task<'_>, summed: bool) -> bool {
        self.steps.iter().any(|(cell, action)| {
            let of_cell = other.steps.iter().zip(other.replies.unwrap_or_default());
            let first = of_cell.into_iter().find(|((own, _), _)| own == cell);
            first.is_some_and(|((_, next), reply)| match next {
                // What is written over here may show in another cell.
                Action::Set(_) => self.spreads(),
                _ if summed => true,
                _ => {
                    let mut value = None;
                    // What a sum leaves nobody can tell; what it leaves may show anywhere.
                    let is_known =
                        action.run(&mut value).is_some() && !matches!(action, Action::Add(_));
                    !is_known || next.run(&mut value).as_ref() == Some(reply)
                }
            })
        })
    }
}

type Value = Option<Vec<u8>>;

/// One step of the search: what was done, how to take it back, what may be tried instead.
struct Move {
    line: usize,
    done_before: usize,
    undo: Vec<(usize, Value)>,
    left: Vec<(usize, usize)>,
}

/// The place where a search stands.
struct Search<'a> {
    lines: Vec<Line<'a>>,
    values: Vec<Value>,
    /// A number for all of that, to know it again.
    mark: u64,
    /// Something was added that was never answered.
    summed: bool,
}

/// Returns true if the operations have an order; `None` if more than `budget` states would have to
/// be looked at.
pub(super) fn order(part: &[Operation], budget: usize) -> Option<bool> {
    order_within(part, budget).0
}

/// The same, and how many states were looked at.
pub(super) fn order_within(part: &[Operation], budget: usize) -> (Option<bool>, usize) {
    let mut search = Search::new(part);
    let mut seen = BTreeSet::new();
    let mut path: Vec<Move> = Vec::new();
    let mut left = search.choices();
    loop {
        if search.lines.iter().all(|line| line.due == u64::MAX) {
            return (Some(true), seen.len());
        }
        let next = loop {
            let Some((line, at)) = left.pop() else {
                break None;
            };
            let Some((done_before, undo)) = search.go(line, at) else {
                continue;
            };
            if seen.insert(search.mark) {
                break Some((line, done_before, undo));
            }
            search.back(line, done_before, undo);
        };
        if seen.len() > budget {
            return (None, seen.len());
        }
        if let Some((line, done_before, undo)) = next {
            let left = std::mem::replace(&mut left, search.choices());
            path.push(Move {
                line,
                done_before,
                undo,
                left,
            });
        } else {
            let Some(last) = path.pop() else {
                return (Some(false), seen.len());
            };
            search.back(last.line, last.done_before, last.undo);
            left = last.left;
        }
    }
}

impl<'a> Search<'a> {
    fn new(part: &'a [Operation]) -> Self {
        let mut cells: BTreeMap<&Cell, usize> = BTreeMap::new();
        let mut lines: BTreeMap<u64, Vec<Task<'_>>> = BTreeMap::new();
        for operation in part {
            let steps = operation.steps.iter().map(|(cell, action)| {
                let next = cells.len();
                (*cells.entry(cell).or_insert(next), action)
            });
            let steps: Vec<_> = steps.collect();
            let is_read = steps.iter().all(|(_, action)| action.is_read());
            if is_read && operation.answered.is_none() {
                continue;
            }
            lines.entry(operation.conn).or_default().push(Task {
                asked: operation.asked,
                end: operation.end(),
                steps,
                replies: operation.answered.as_ref().map(|(_, replies)| &replies[..]),
                twin: None,
            });
        }
        let replies = part.iter().filter_map(|one| one.answered.as_ref());
        let values = replies.flat_map(|(_, replies)| replies);
        let values = values.filter_map(|reply| match reply {
            Reply::Value(value) => Some(&value[..]),
            _ => None,
        });
        let shown: BTreeSet<&[u8]> = values.collect();
        let mut steps = part.iter().flat_map(|one| &one.steps);
        let adds = steps.any(|(_, action)| matches!(action, Action::Add(_)));
        // What is set, added to by nobody and shown to nobody may be any value.
        let effect = |action: &Action| match action {
            Action::Set(value) | Action::GetSet(value) if !adds && !shown.contains(&value[..]) => {
                Action::Set(Vec::new())
            }
            action => action.clone(),
        };
        let mut twins: BTreeMap<Vec<(usize, Action)>, usize> = BTreeMap::new();
        for tasks in lines.values_mut() {
            let open = tasks.iter().filter(|task| task.end.is_none()).count();
            let last = tasks.last_mut().filter(|task| task.end.is_none());
            if let Some(task) = last.filter(|_| open == 1) {
                let next = twins.len();
                let steps = task.steps.iter().map(|(cell, act)| (*cell, effect(act)));
                task.twin = Some(*twins.entry(steps.collect()).or_insert(next));
            }
        }
        let lines = lines.into_values().map(|tasks| {
            let mut line = Line {
                tasks,
                done: 0,
                due: 0,
            };
            line.go_to(0);
            line
        });
        Self {
            lines: lines.collect(),
            values: vec![None; cells.len()],
            mark: 0,
            summed: part.iter().any(Operation::may_add),
        }
    }

    /// The operations that may happen next, the best guess last: nothing comes behind an answer
    /// that was given before it was asked. An operation that was never answered need not happen
    /// before anything that it does not touch: it may as well happen later.
    fn choices(&self) -> Vec<(usize, usize)> {
        let due = self.lines.iter().map(|line| line.due).min();
        let due = due.unwrap_or(u64::MAX);
        let (mut found, mut unsure, mut due_tasks) = (Vec::new(), Vec::new(), Vec::new());
        for (number, line) in self.lines.iter().enumerate() {
            for (at, task) in line.candidates().filter(|(_, task)| task.asked <= due) {
                if let Some(end) = task.end {
                    due_tasks.push(task);
                    found.push((end, number, at));
                } else {
                    unsure.push((number, at, task));
                }
            }
        }
        // Of twins, the one that was asked first can stand for any other.
        unsure.sort_by_key(|(_, _, task)| task.asked);
        let mut tried = BTreeSet::new();
        unsure.retain(|(_, _, task)| task.twin.is_none_or(|twin| tried.insert(twin)));
        let is_needed = |(number, at, task): &(usize, usize, &Task<'_>)| {
            let shows = |other: &&Task<'_>| task.shows_in(other, self.summed);
            // What was not answered either and writes over a part of it must not leave it unseen.
            let is_hidden = |(line, place, other): &(usize, usize, &Task<'_>)| {
                (line, place) != (number, at) && task.meets(other)
            };
            let is_hidden = task.spreads() && unsure.iter().any(is_hidden);
            is_hidden || due_tasks.iter().any(shows)
        };
        let (mut needed, mut rest): (Vec<_>, Vec<_>) =
            unsure.iter().copied().partition(|one| is_needed(one));
        // What is needed may add to what another has left, which is needed then too.
        let mut at = 0;
        while let Some((_, _, task)) = needed.get(at).copied().filter(|_| self.summed) {
            let adds = |(_, _, base): &(usize, usize, &Task<'_>)| task.adds_to(base);
            let (bases, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(adds);
            needed.extend(bases);
            (rest, at) = (others, at + 1);
        }
        let places = needed
            .into_iter()
            .map(|(number, at, _)| (u64::MAX, number, at));
        found.extend(places);
        found.sort_by_key(|(end, number, at)| Reverse((*end, *at, *number)));
        let places = found.into_iter().map(|(_, number, at)| (number, at));
        places.collect()
    }

    /// Lets a task happen, if it then gives its answers; how to take it back.
    fn go(&mut self, line: usize, at: usize) -> Option<(usize, Vec<(usize, Value)>)> {
        let task = &self.lines[line].tasks[at];
        let mut undo = Vec::new();
        for (place, (cell, action)) in task.steps.iter().enumerate() {
            let value = &mut self.values[*cell];
            undo.push((*cell, value.clone()));
            let reply = action.run(value);
            let fits = match task.replies {
                Some(replies) => reply.is_some() && reply.as_ref() == replies.get(place),
                None => reply.is_some(),
            };
            if !fits {
                for (cell, value) in undo.into_iter().rev() {
                    self.values[cell] = value;
                }
                return None;
            }
        }
        let done_before = self.lines[line].done;
        self.mark ^= mark(&(line, done_before)) ^ mark(&(line, at + 1));
        self.lines[line].go_to(at + 1);
        self.mark_values(&undo);
        Some((done_before, undo))
    }

    fn back(&mut self, line: usize, done: usize, undo: Vec<(usize, Value)>) {
        self.mark ^= mark(&(line, self.lines[line].done)) ^ mark(&(line, done));
        self.lines[line].go_to(done);
        self.mark_values(&undo);
        for (cell, value) in undo.into_iter().rev() {
            self.values[cell] = value;
        }
    }

    /// Lets the mark follow from the values before a task to those behind it, or back.
    fn mark_values(&mut self, undo: &[(usize, Value)]) {
        for (place, (cell, before)) in undo.iter().enumerate() {
            // A cell that a task touches twice counts once, with its first value.
            if undo[..place].iter().all(|(other, _)| other != cell) {
                let now = &self.values[*cell];
                self.mark ^= mark(&("value", cell, before)) ^ mark(&("value", cell, now));
            }
        }
    }
}

fn mark(what: &impl Hash) -> u64 {
    FixedState::with_seed(0).hash_one(what)
}
