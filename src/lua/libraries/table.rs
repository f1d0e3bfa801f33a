//! The library `table`, but for `sort`.

use alloc::vec::Vec;

use crate::lua::heap::thread::{Give, Scratch};
use crate::lua::machine::{Call, Definition, Outcome, Resumed, State, Thrown};
use crate::lua::value::{TableRef, Value};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("concat", concat),
    Definition::waiting("foreach", for_each, for_each_resumed),
    Definition::waiting("foreachi", for_each_index, for_each_index_resumed),
    Definition::new("getn", |state, call| {
        let table = state.table_argument(call, 0)?;
        Ok(Outcome::One(Value::Number(state.length(table) as f64)))
    }),
    Definition::new("insert", insert),
    Definition::new("maxn", greatest_index),
    Definition::new("remove", remove),
    Definition::new("setn", |state, _| Err(state.error("'setn' is obsolete"))),
];

fn concat(state: &mut State, call: Call) -> Result {
    let separator = match state.argument(call, 1) {
        Value::Nil => None,
        _ => Some(state.string_argument(call, 1)?),
    };
    let table = state.table_argument(call, 0)?;
    let first = state.int_or(call, 2, 1)?;
    let last = match state.argument(call, 3) {
        Value::Nil => state.length(table) as i64,
        _ => state.int_argument(call, 3)?,
    };
    let mut out = Vec::new();
    let mut index = first;
    while index <= last {
        let value = state.heap.table(table).get_number(index as f64);
        if !state.append_text(value, &mut out) {
            let read = out.len() as u64 / 32 + index.saturating_sub(first) as u64 / 2;
            state.charge(read);
            let name = value.type_name();
            return Err(state.error(&alloc::format!(
                "invalid value ({name}) at index {index} in table for 'concat'"
            )));
        }
        if let (Some(separator), true) = (separator, index != last) {
            out.extend_from_slice(state.bytes(separator));
        }
        state.check_room(out.len())?;
        index += 1;
    }
    state.charge(out.len() as u64 / 32 + index.saturating_sub(first) as u64 / 2);
    state.new_string_owned(out).map(Outcome::One)
}

fn insert(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let end = state.length(table) as i64 + 1;
    let (place, value) = match call.count {
        2 => (end, state.argument(call, 1)),
        3 => (state.int_argument(call, 1)?, state.argument(call, 2)),
        _ => return Err(state.error("wrong number of arguments to 'insert'")),
    };
    state.open(table)?;
    if place == end || !(1..end).contains(&place) {
        return insert_outside(state, table, place, end, value);
    }
    state.charge((end - place) as u64 / 32);
    let grown = state
        .heap
        .table_mut(table)
        .insert_element(place as usize - 1, value);
    state.heap.take(grown);
    Ok(Outcome::Nothing)
}

/// Inserts at the end, or at an index that is no place of the array.
fn insert_outside(
    state: &mut State,
    table: TableRef,
    place: i64,
    end: i64,
    value: Value,
) -> Result {
    if place < 1 {
        // All elements move up, from the last to the one at that index.
        let mut index = end;
        while index > place {
            let before = state.heap.table(table).get_number((index - 1) as f64);
            state.raw_set(table, Value::Number(index as f64), before)?;
            state.charge(1);
            index -= 1;
            if end.saturating_sub(index) > MOVES_MAX {
                return Err(state.error("too many elements to move"));
            }
        }
    }
    state.raw_set(table, Value::Number(place as f64), value)?;
    Ok(Outcome::Nothing)
}

/// The most elements that are moved one by one.
const MOVES_MAX: i64 = 1 << 20;

fn remove(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let end = state.length(table) as i64;
    let place = state.int_or(call, 1, end)?;
    state.open(table)?;
    if !(1..=end).contains(&place) {
        return Ok(Outcome::Nothing);
    }
    state.charge((end - place) as u64 / 32);
    let removed = state
        .heap
        .table_mut(table)
        .remove_element(place as usize - 1);
    Ok(Outcome::One(removed))
}

fn greatest_index(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let mut greatest = 0.0;
    let places = state.heap.table(table).places() as u64;
    state.charge(places / 4);
    state.heap.table(table).each_pair(|key, _| {
        if let Value::Number(number) = key
            && number > greatest
        {
            greatest = number;
        }
    });
    Ok(Outcome::One(Value::Number(greatest)))
}

// The slots of a walk: table, function, and the key at which it stands.
const TABLE: usize = 0;
const FUNCTION: usize = 1;
const KEY: usize = 2;
const SLOTS: usize = 3;

fn for_each(state: &mut State, call: Call) -> Result {
    state.table_argument(call, 0)?;
    state.function_argument(call, 1)?;
    state.wait(call, SLOTS, Scratch::default())?;
    state.set_slot(call.base + KEY, Value::Nil);
    let outcome = for_each_on(state, call.base);
    state.end_if_done(call, outcome)
}

fn for_each_on(state: &mut State, base: usize) -> Result {
    let Value::Table(table) = state.slot(base + TABLE) else {
        return Ok(Outcome::Nothing);
    };
    match state.next(table, state.slot(base + KEY))? {
        Some((key, value)) => {
            state.set_slot(base + KEY, key);
            let function = state.slot(base + FUNCTION);
            state.call_with(function, &[key, value], Give::Native)?;
            Ok(Outcome::Later)
        }
        None => Ok(Outcome::Nothing),
    }
}

fn for_each_resumed(state: &mut State, resumed: Resumed) -> Result {
    let result = state.first_result(resumed);
    if !result.is_nil() {
        return Ok(Outcome::One(result));
    }
    for_each_on(state, resumed.base)
}

fn for_each_index(state: &mut State, call: Call) -> Result {
    state.table_argument(call, 0)?;
    state.function_argument(call, 1)?;
    state.wait(call, SLOTS, Scratch::default())?;
    state.set_slot(call.base + KEY, Value::Number(0.0));
    let outcome = for_each_index_on(state, call.base);
    state.end_if_done(call, outcome)
}

fn for_each_index_on(state: &mut State, base: usize) -> Result {
    let (Value::Table(table), Value::Number(index)) =
        (state.slot(base + TABLE), state.slot(base + KEY))
    else {
        return Ok(Outcome::Nothing);
    };
    let index = index + 1.0;
    if index > state.length(table) as f64 {
        return Ok(Outcome::Nothing);
    }
    state.set_slot(base + KEY, Value::Number(index));
    let value = state.heap.table(table).get_number(index);
    let function = state.slot(base + FUNCTION);
    state.call_with(function, &[Value::Number(index), value], Give::Native)?;
    Ok(Outcome::Later)
}

fn for_each_index_resumed(state: &mut State, resumed: Resumed) -> Result {
    let result = state.first_result(resumed);
    if !result.is_nil() {
        return Ok(Outcome::One(result));
    }
    for_each_index_on(state, resumed.base)
}
