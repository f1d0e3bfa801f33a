//! The basic functions that need no other function.

use alloc::vec::Vec;

use super::making::{function, set, upvalue};
use crate::lua::heap::objects::Userdata;
use crate::lua::heap::thread::Give;
use crate::lua::machine::{Call, Definition, Event, Outcome, Resumed, State, Thrown};
use crate::lua::number::parse;
use crate::lua::value::{TableRef, Value};

type Result<T = Outcome> = core::result::Result<T, Thrown>;

/// The most values that `unpack` gives, with its own arguments.
const UNPACKED_MAX: i64 = 8000;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition::new("assert", assert),
    Definition::new("collectgarbage", collect_garbage),
    Definition::new("error", error),
    Definition::new("gcinfo", garbage_information),
    Definition::new("getfenv", get_environment),
    Definition::new("getmetatable", get_metatable),
    Definition::new("newproxy", new_proxy),
    Definition::new("next", next),
    Definition::new("rawequal", raw_equal),
    Definition::new("rawget", raw_get),
    Definition::new("rawset", raw_set),
    Definition::new("select", select),
    Definition::new("setfenv", set_environment),
    Definition::new("setmetatable", set_metatable),
    Definition::new("tonumber", to_number),
    Definition::waiting("tostring", to_string, to_string_resumed),
    Definition::new("type", type_of),
    Definition::new("unpack", unpack),
];

/// `pairs` and `ipairs`, which hand out another function.
pub(super) fn install_walks(state: &mut State, globals: TableRef) {
    let next = function(state, Definition::new("next", next), &[]);
    let pairs = function(state, Definition::new("pairs", pairs), &[next]);
    set(state, globals, "pairs", pairs);
    let step = function(state, Definition::new("ipairs_step", indexed_next), &[]);
    let ipairs = function(state, Definition::new("ipairs", indexed_pairs), &[step]);
    set(state, globals, "ipairs", ipairs);
}

fn assert(state: &mut State, call: Call) -> Result {
    if state.any_argument(call, 0)?.is_true() {
        return Ok(Outcome::Stack(call.base, call.count));
    }
    if call.count < 2 || state.argument(call, 1).is_nil() {
        return Err(state.error("assertion failed!"));
    }
    let message = state.string_argument(call, 1)?;
    Err(state.text_error(message, 1))
}

fn error(state: &mut State, call: Call) -> Result {
    let level = state.int_or(call, 1, 1)?;
    let value = state.argument(call, 0);
    if let (Value::String(text), 1..) = (value, level) {
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        return Err(state.text_error(text, level));
    }
    if let (Value::Number(_), 1..) = (value, level) {
        let text = state.string_argument(call, 0)?;
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        return Err(state.text_error(text, level));
    }
    Err(Thrown::Value(value))
}

fn collect_garbage(state: &mut State, call: Call) -> Result {
    let option = if state.argument(call, 0).is_nil() {
        b"collect".to_vec()
    } else {
        let option = state.string_argument(call, 0)?;
        state.bytes(option).to_vec()
    };
    state.integer_or(call, 1, 0)?;
    match &option[..] {
        b"collect" => {
            state.heap.collect_soon();
            Ok(Outcome::One(Value::Number(0.0)))
        }
        b"count" => Ok(Outcome::One(Value::Number(
            state.heap.bytes() as f64 / 1024.0,
        ))),
        b"step" => {
            state.heap.collect_soon();
            Ok(Outcome::One(Value::Boolean(true)))
        }
        b"stop" | b"restart" => Ok(Outcome::One(Value::Number(0.0))),
        b"setpause" | b"setstepmul" => Ok(Outcome::One(Value::Number(200.0))),
        _ => {
            let mut why = b"invalid option '".to_vec();
            why.extend_from_slice(&option);
            why.push(b'\'');
            Err(Thrown::Argument(0, why))
        }
    }
}

fn garbage_information(state: &mut State, _: Call) -> Result {
    Ok(Outcome::One(Value::Number(
        (state.heap.bytes() / 1024) as f64,
    )))
}

/// The function that `getfenv` and `setfenv` are asked about; none for the thread itself.
fn function_at(state: &mut State, call: Call, is_optional: bool) -> Result<Option<Value>> {
    match state.argument(call, 0) {
        function @ (Value::Function(_) | Value::Native(_)) => return Ok(Some(function)),
        Value::Nil if is_optional => {}
        _ => {
            state.number_argument(call, 0)?;
        }
    }
    let level = state.int_or(call, 0, 1)?;
    if level < 0 {
        return Err(state.argument_error(0, "level must be non-negative"));
    }
    if level == 0 {
        return Ok(None);
    }
    let level = u32::try_from(level).unwrap_or(u32::MAX);
    state.charge_walk(level);
    match state.running_at(level) {
        Some(Some(function)) => Ok(Some(function)),
        Some(None) => Err(state.error("no function environment for tail call at level 1")),
        None => Err(state.argument_error(0, "invalid level")),
    }
}

fn get_environment(state: &mut State, call: Call) -> Result {
    let environment = match function_at(state, call, true)? {
        Some(Value::Function(function)) => state.heap.closures.at(function.0).environment,
        None => state.environment(),
        Some(_) => state.globals,
    };
    Ok(Outcome::One(Value::Table(environment)))
}

fn set_environment(state: &mut State, call: Call) -> Result {
    let environment = state.table_argument(call, 1)?;
    match function_at(state, call, false)? {
        Some(Value::Function(function)) if !state.heap.closures.is_sealed(function.0) => {
            state.heap.closures.at_mut(function.0).environment = environment;
            Ok(Outcome::One(Value::Function(function)))
        }
        Some(_) => Err(state.error("'setfenv' cannot change environment of given object")),
        None => {
            state.thread.has_environment = Some(environment);
            Ok(Outcome::Nothing)
        }
    }
}

fn get_metatable(state: &mut State, call: Call) -> Result {
    let value = state.any_argument(call, 0)?;
    let Some(metatable) = state.metatable(value) else {
        return Ok(Outcome::One(Value::Nil));
    };
    let shown = state.handler_in(metatable, Event::Metatable);
    Ok(Outcome::One(if shown.is_nil() {
        Value::Table(metatable)
    } else {
        shown
    }))
}

fn set_metatable(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let metatable = match state.argument(call, 1) {
        Value::Nil if call.count > 1 => None,
        Value::Table(metatable) => Some(metatable),
        _ => return Err(state.argument_error(1, "nil or table expected")),
    };
    if !state
        .handler(Value::Table(table), Event::Metatable)
        .is_nil()
    {
        return Err(state.error("cannot change a protected metatable"));
    }
    state.set_metatable(table, metatable)?;
    Ok(Outcome::One(Value::Table(table)))
}

fn new_proxy(state: &mut State, call: Call) -> Result {
    let metatable = match state.argument(call, 0) {
        Value::Nil | Value::Boolean(false) => None,
        Value::Boolean(true) => Some(state.new_table()),
        other @ Value::Userdata(_) => state.metatable(other),
        _ => return Err(state.argument_error(0, "boolean or proxy expected")),
    };
    let proxy = state.heap.new_userdata(Userdata { metatable });
    Ok(Outcome::One(Value::Userdata(proxy)))
}

fn next(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    Ok(match state.next(table, state.argument(call, 1))? {
        Some((key, value)) => Outcome::Two(key, value),
        None => Outcome::One(Value::Nil),
    })
}

fn pairs(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let next = upvalue(state, call, 0);
    Ok(Outcome::Many(
        [next, Value::Table(table), Value::Nil].to_vec(),
    ))
}

fn indexed_next(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let index = state.integer_argument(call, 1)?.wrapping_add(1) as f64;
    let value = state.heap.table(table).get_number(index);
    Ok(if value.is_nil() {
        Outcome::Nothing
    } else {
        Outcome::Two(Value::Number(index), value)
    })
}

fn indexed_pairs(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let step = upvalue(state, call, 0);
    Ok(Outcome::Many(
        [step, Value::Table(table), Value::Number(0.0)].to_vec(),
    ))
}

fn raw_equal(state: &mut State, call: Call) -> Result {
    let (one, other) = (state.any_argument(call, 0)?, state.any_argument(call, 1)?);
    Ok(Outcome::One(Value::Boolean(one == other)))
}

fn raw_get(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let key = state.any_argument(call, 1)?;
    Ok(Outcome::One(state.raw_get(table, key)))
}

fn raw_set(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let (key, value) = (state.any_argument(call, 1)?, state.any_argument(call, 2)?);
    // The error is one of the machine, not of the function that asks.
    let refused = |text: &[u8]| Err(Thrown::Text(text.to_vec(), 0));
    match key {
        Value::Nil => return refused(b"table index is nil"),
        Value::Number(number) if number.is_nan() => return refused(b"table index is NaN"),
        _ => {}
    }
    state.raw_set(table, key, value)?;
    Ok(Outcome::One(Value::Table(table)))
}

fn select(state: &mut State, call: Call) -> Result {
    if let Value::String(text) = state.argument(call, 0)
        && state.bytes(text).first() == Some(&b'#')
    {
        return Ok(Outcome::One(Value::Number((call.count - 1) as f64)));
    }
    let place = state.int_argument(call, 0)?;
    let count = call.count as i64;
    let place = if place < 0 {
        count.saturating_add(place)
    } else {
        place.min(count)
    };
    if place < 1 {
        return Err(state.argument_error(0, "index out of range"));
    }
    let place = place as usize;
    Ok(Outcome::Stack(call.base + place, call.count - place))
}

fn to_number(state: &mut State, call: Call) -> Result {
    let base = state.int_or(call, 1, 10)?;
    if base == 10 {
        let value = state.any_argument(call, 0)?;
        let number = state.to_number(value);
        return Ok(Outcome::One(number.map_or(Value::Nil, Value::Number)));
    }
    let text = state.string_argument(call, 0)?;
    if !(2..=36).contains(&base) {
        return Err(state.argument_error(1, "base out of range"));
    }
    let read = state.bytes(text).len() as u64 / 16;
    state.charge(read);
    let number = parse::parse_in_base(state.bytes(text), base as u32);
    Ok(Outcome::One(number.map_or(Value::Nil, Value::Number)))
}

fn to_string(state: &mut State, call: Call) -> Result {
    let value = state.any_argument(call, 0)?;
    if let Value::String(_) = value {
        return Ok(Outcome::One(value));
    }
    let handler = state.handler(value, Event::ToString);
    if !handler.is_nil() {
        state.wait(call, call.count, <_>::default())?;
        state.call_with(handler, &[value], Give::Native)?;
        return Ok(Outcome::Later);
    }
    let mut text = Vec::new();
    state.append_shown(value, &mut text);
    state.new_string_owned(text).map(Outcome::One)
}

fn to_string_resumed(state: &mut State, resumed: Resumed) -> Result {
    Ok(Outcome::One(state.first_result(resumed)))
}

fn type_of(state: &mut State, call: Call) -> Result {
    let value = state.any_argument(call, 0)?;
    Ok(Outcome::One(state.type_of(value)))
}

fn unpack(state: &mut State, call: Call) -> Result {
    let table = state.table_argument(call, 0)?;
    let first = state.int_or(call, 1, 1)?;
    let last = state.int_or(call, 2, state.length(table) as i64)?;
    if first > last {
        return Ok(Outcome::Nothing);
    }
    let count = last.saturating_sub(first).saturating_add(1);
    if count.saturating_add(call.count as i64) > UNPACKED_MAX {
        return Err(state.error("too many results to unpack"));
    }
    state.charge(count as u64 / 8);
    let values = (first..=last).map(|index| state.heap.table(table).get_number(index as f64));
    Ok(Outcome::Many(values.collect()))
}
