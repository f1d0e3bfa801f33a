//! `table.sort`: the quicksort of Lua's own library, so that equal elements end up alike.
//!
//! It stops at each comparison that a function decides, and goes on when that has answered.

use core::cmp::Ordering;

use crate::lua::heap::strings::Strings;
use crate::lua::heap::thread::{Give, Scratch};
use crate::lua::machine::{Call, Definition, Outcome, Resumed, State, Thrown};
use crate::lua::value::{TableRef, Value};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

pub(super) const FUNCTIONS: &[Definition] = &[Definition::waiting("sort", sort, sort_resumed)];

// The slots: table, function, and the pivot.
const TABLE: usize = 0;
const FUNCTION: usize = 1;
const PIVOT: usize = 2;
const SLOTS: usize = 3;

// The numbers: the part that is being sorted, two places within it, and what was compared last.
const LOW: usize = 0;
const HIGH: usize = 1;
const UP: usize = 2;
const DOWN: usize = 3;
const PHASE: usize = 4;

// What was compared last.
/// The last and the first.
const ENDS: usize = 1;
/// The middle and the first.
const MIDDLE_FIRST: usize = 2;
/// The last and the middle.
const LAST_MIDDLE: usize = 3;
/// One from below, and the pivot.
const FROM_BELOW: usize = 4;
/// The pivot, and one from above.
const FROM_ABOVE: usize = 5;

/// More work than this is not done at once: it is sorted step by step, with pauses.
const UNITS_AT_ONCE_MAX: u64 = 4_000_000;

/// A comparison that is wanted next, or the end of a part.
enum Next {
    Compare(usize),
    Part,
}

fn sort(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let has_function = !state.argument(call, 1).is_nil();
    if has_function {
        state.function_argument(call, 1)?;
    }
    state.open(table)?;
    let length = state.length(table);
    if !has_function && sort_alike(state, table) {
        return Ok(Outcome::Nothing);
    }
    let mut scratch = Scratch::default();
    scratch.numbers[LOW] = 1;
    scratch.numbers[HIGH] = length;
    state.wait(call, SLOTS, scratch)?;
    state.set_slot(call.base + PIVOT, Value::Nil);
    let outcome = go_on(state, call.base, Next::Part);
    state.end_if_done(call, outcome)
}

/// Sorts elements that are all numbers or all strings; false if they are not.
fn sort_alike(state: &mut State, table: TableRef) -> bool {
    let length = state.length(table) as u64;
    let rounds = u64::from(length.checked_ilog2().unwrap_or(0)) + 1;
    let State { heap, .. } = state;
    let (tables, strings) = (&mut heap.tables, &heap.strings);
    let elements = tables.at_mut(table.0).elements();
    if elements
        .iter()
        .all(|value| matches!(value, Value::Number(number) if !number.is_nan()))
    {
        state.left -= (length * rounds / 4) as i64;
        elements.sort_unstable_by(|one, other| match (one, other) {
            (Value::Number(one), Value::Number(other)) => {
                one.partial_cmp(other).unwrap_or(Ordering::Equal)
            }
            _ => Ordering::Equal,
        });
    } else if let Some(longest) = longest(strings, elements) {
        // How many pairs are compared, and how far, is the library's own affair.
        let units = length * rounds * (1 + longest as u64 / 64);
        if units > UNITS_AT_ONCE_MAX {
            return false;
        }
        state.left -= units as i64;
        elements.sort_unstable_by(|one, other| match (one, other) {
            (Value::String(one), Value::String(other)) => {
                strings.bytes(*one).cmp(strings.bytes(*other))
            }
            _ => Ordering::Equal,
        });
    } else {
        return false;
    }
    true
}

/// The length of the longest string, if all elements are strings.
fn longest(strings: &Strings, elements: &[Value]) -> Option<usize> {
    let mut lengths = elements.iter().map(|value| match value {
        Value::String(string) => Some(strings.bytes(*string).len()),
        _ => None,
    });
    lengths.try_fold(0, |longest, length| Some(longest.max(length?)))
}

fn sort_resumed(state: &mut State, resumed: Resumed) -> Result {
    if resumed.is_pause {
        let phase = state.scratch().numbers[PHASE];
        return go_on(state, resumed.base, Next::Compare(phase));
    }
    let is_less = state.first_result(resumed).is_true();
    let next = answered(state, resumed.base, is_less)?;
    go_on(state, resumed.base, next)
}

/// Compares until a function has to be asked, or all is sorted.
fn go_on(state: &mut State, base: usize, mut next: Next) -> Result {
    loop {
        match next {
            Next::Part => {
                let [low, high, ..] = state.scratch().numbers;
                if low < high {
                    next = Next::Compare(ENDS);
                } else if !take_part(state) {
                    return Ok(Outcome::Nothing);
                }
            }
            Next::Compare(phase) => {
                state.scratch().numbers[PHASE] = phase;
                if state.pauses() {
                    return Ok(Outcome::Later);
                }
                state.charge(2);
                let [one, other] = compared(state, base, phase);
                let function = state.slot(base + FUNCTION);
                if !function.is_nil() {
                    state.call_with(function, &[one, other], Give::Native)?;
                    return Ok(Outcome::Later);
                }
                let less = state.less(one, other, false, |_| Give::Native);
                match less.map_err(unplaced)? {
                    Some(is_less) => next = answered(state, base, is_less)?,
                    None => return Ok(Outcome::Later),
                }
            }
        }
    }
}

/// An error of the comparison itself, which is made by no line of a script.
fn unplaced(thrown: Thrown) -> Thrown {
    match thrown {
        Thrown::Text(text, _) => Thrown::Text(text, 0),
        other => other,
    }
}

fn element(state: &State, base: usize, index: usize) -> Value {
    match state.slot(base + TABLE) {
        Value::Table(table) => state.heap.table(table).get_number(index as f64),
        _ => Value::Nil,
    }
}

fn swap(state: &mut State, base: usize, one: usize, other: usize) -> Result<()> {
    let (first, second) = (element(state, base, one), element(state, base, other));
    if let Value::Table(table) = state.slot(base + TABLE) {
        state.raw_set(table, Value::Number(one as f64), second)?;
        state.raw_set(table, Value::Number(other as f64), first)?;
    }
    Ok(())
}

/// The values that are compared.
fn compared(state: &mut State, base: usize, phase: usize) -> [Value; 2] {
    let [low, high, up, down, ..] = state.scratch().numbers;
    let pivot = state.slot(base + PIVOT);
    let at = |index| element(state, base, index);
    match phase {
        ENDS => [at(high), at(low)],
        MIDDLE_FIRST => [at(up), at(low)],
        LAST_MIDDLE => [at(high), at(up)],
        FROM_BELOW => [at(up), pivot],
        _ => [pivot, at(down)],
    }
}

/// Goes on with what a comparison has decided.
fn answered(state: &mut State, base: usize, is_less: bool) -> Result<Next> {
    let [low, high, up, down, phase, _] = state.scratch().numbers;
    match phase {
        ENDS => {
            if is_less {
                swap(state, base, low, high)?;
            }
            if high - low == 1 {
                return Ok(part_done(state));
            }
            let middle = usize::midpoint(low, high);
            state.scratch().numbers[UP] = middle;
            Ok(Next::Compare(MIDDLE_FIRST))
        }
        MIDDLE_FIRST if !is_less => Ok(Next::Compare(LAST_MIDDLE)),
        MIDDLE_FIRST | LAST_MIDDLE => {
            if is_less {
                swap(
                    state,
                    base,
                    up,
                    if phase == MIDDLE_FIRST { low } else { high },
                )?;
            }
            if high - low == 2 {
                return Ok(part_done(state));
            }
            let pivot = element(state, base, up);
            state.set_slot(base + PIVOT, pivot);
            swap(state, base, up, high - 1)?;
            state.scratch().numbers[DOWN] = high - 1;
            Ok(look_up(state, low))
        }
        FROM_BELOW => {
            if !is_less {
                return Ok(look_down(state, down));
            }
            if up > high {
                return Err(state.error("invalid order function for sorting"));
            }
            Ok(look_up(state, up))
        }
        _ => {
            if is_less {
                if down < low {
                    return Err(state.error("invalid order function for sorting"));
                }
                return Ok(look_down(state, down));
            }
            if down >= up {
                swap(state, base, up, down)?;
                return Ok(look_up(state, up));
            }
            swap(state, base, high - 1, up)?;
            split(state, low, high, up);
            Ok(Next::Part)
        }
    }
}

/// Compares the next element from below with the pivot.
fn look_up(state: &mut State, up: usize) -> Next {
    state.scratch().numbers[UP] = up + 1;
    Next::Compare(FROM_BELOW)
}

/// Compares the pivot with the next element from above.
fn look_down(state: &mut State, down: usize) -> Next {
    state.scratch().numbers[DOWN] = down.saturating_sub(1);
    Next::Compare(FROM_ABOVE)
}

/// Leaves nothing of the part to be sorted.
fn part_done(state: &mut State) -> Next {
    let numbers = &mut state.scratch().numbers;
    numbers[HIGH] = numbers[LOW];
    Next::Part
}

/// Goes on with the smaller side of the pivot, and keeps the other for later.
fn split(state: &mut State, low: usize, high: usize, pivot: usize) {
    let (first, later) = if pivot - low < high - pivot {
        ((low, pivot - 1), (pivot + 1, high))
    } else {
        ((pivot + 1, high), (low, pivot - 1))
    };
    let scratch = state.scratch();
    scratch
        .bytes
        .extend_from_slice(&(later.0 as u64).to_le_bytes());
    scratch
        .bytes
        .extend_from_slice(&(later.1 as u64).to_le_bytes());
    (scratch.numbers[LOW], scratch.numbers[HIGH]) = first;
}

/// Takes the part that was kept last; false if there is none.
fn take_part(state: &mut State) -> bool {
    let scratch = state.scratch();
    let Some(kept) = scratch.bytes.len().checked_sub(16) else {
        return false;
    };
    let mut ends = scratch.bytes[kept..].chunks_exact(8).map(|bytes| {
        bytes
            .try_into()
            .map_or(0, |bytes| u64::from_le_bytes(bytes) as usize)
    });
    let (low, high) = (ends.next().unwrap_or(0), ends.next().unwrap_or(0));
    scratch.bytes.truncate(kept);
    (scratch.numbers[LOW], scratch.numbers[HIGH]) = (low, high);
    true
}
