//! Arithmetic, comparison and concatenation beyond the plain cases.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::access::Found;
use super::state::{Event, State, Thrown};
use crate::lua::heap::thread::Give;
use crate::lua::number::{arithmetic, format, parse};
use crate::lua::value::Value;

/// A text that is longer is not copied once more.
const COPIED_MAX: usize = 4096;

/// The result of an operation of two numbers.
#[inline]
pub(in crate::lua) fn compute(event: Event, one: f64, other: f64) -> f64 {
    match event {
        Event::Add => one + other,
        Event::Subtract => one - other,
        Event::Multiply => one * other,
        Event::Divide => one / other,
        Event::Modulo => arithmetic::modulo(one, other),
        Event::Power => arithmetic::power(one, other),
        _ => -one,
    }
}

impl State {
    /// The number that a value is, or that its text says.
    pub(in crate::lua) fn to_number(&mut self, value: Value) -> Option<f64> {
        match value {
            Value::Number(number) => Some(number),
            Value::String(string) => {
                let length = self.bytes(string).len();
                self.charge(length as u64 / 16);
                parse::parse(self.bytes(string))
            }
            _ => None,
        }
    }

    /// Arithmetic of values of which one is no number; registers are for the error.
    pub(in crate::lua) fn arithmetic(
        &mut self,
        event: Event,
        operands: [Value; 2],
        registers: [Option<u8>; 2],
        at: usize,
    ) -> Result<Found, Thrown> {
        let numbers = operands.map(|operand| self.to_number(operand));
        if let [Some(one), Some(other)] = numbers {
            return Ok(Found::Value(Value::Number(compute(event, one, other))));
        }
        let handler = self.handler_of_two(event, operands);
        if handler.is_nil() {
            let [one, other] = operands;
            let [of_one, of_other] = registers;
            // The first is at fault, unless it is a number.
            return Err(if numbers[0].is_some() {
                Thrown::Type("perform arithmetic on", other, of_other)
            } else {
                Thrown::Type("perform arithmetic on", one, of_one)
            });
        }
        let give = Give::Registers {
            at: at as u32,
            want: 1,
        };
        self.call_with(handler, &operands, give)?;
        Ok(Found::Called)
    }

    fn handler_of_two(&mut self, event: Event, [one, other]: [Value; 2]) -> Value {
        let handler = self.handler(one, event);
        if handler.is_nil() {
            return self.handler(other, event);
        }
        handler
    }

    /// The length of a value that is no string.
    pub(in crate::lua) fn length_of(
        &mut self,
        value: Value,
        register: Option<u8>,
        at: usize,
    ) -> Result<Found, Thrown> {
        match value {
            Value::Table(table) => {
                let length = self.heap.table(table).length();
                Ok(Found::Value(Value::Number(length as f64)))
            }
            Value::String(string) => {
                Ok(Found::Value(Value::Number(self.bytes(string).len() as f64)))
            }
            _ => {
                let handler = self.handler(value, Event::Length);
                if handler.is_nil() {
                    return Err(Thrown::Type("get length of", value, register));
                }
                let give = Give::Registers {
                    at: at as u32,
                    want: 1,
                };
                self.call_with(handler, &[value], give)?;
                Ok(Found::Called)
            }
        }
    }

    /// Equality of two values that are not the same; a function that is asked decides the jump.
    pub(in crate::lua) fn equal(
        &mut self,
        one: Value,
        other: Value,
        wanted: bool,
    ) -> Result<Option<bool>, Thrown> {
        let are_alike = matches!(
            (one, other),
            (Value::Table(_), Value::Table(_)) | (Value::Userdata(_), Value::Userdata(_))
        );
        if !are_alike {
            return Ok(Some(false));
        }
        let handler = self.shared_handler(Event::Equal, one, other);
        if handler.is_nil() {
            return Ok(Some(false));
        }
        self.call_with(handler, &[one, other], Give::Test { wanted })?;
        Ok(None)
    }

    /// The function that both have for an event, if it is the same.
    fn shared_handler(&mut self, event: Event, one: Value, other: Value) -> Value {
        let handler = self.handler(one, event);
        if handler.is_nil() || self.handler(other, event) != handler {
            return Value::Nil;
        }
        handler
    }

    /// The order of two strings.
    pub(in crate::lua) fn order(&self, one: Value, other: Value) -> Option<Ordering> {
        match (one, other) {
            (Value::String(one), Value::String(other)) => {
                Some(self.bytes(one).cmp(self.bytes(other)))
            }
            (Value::Number(one), Value::Number(other)) => one.partial_cmp(&other),
            _ => None,
        }
    }

    /// `one < other`, or `one <= other` if `or_equal`; none if a function was called that decides.
    pub(in crate::lua) fn less(
        &mut self,
        one: Value,
        other: Value,
        or_equal: bool,
        give: impl Fn(bool) -> Give,
    ) -> Result<Option<bool>, Thrown> {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => {
                return Ok(Some(if or_equal { one <= other } else { one < other }));
            }
            (Value::String(text), Value::String(with)) => {
                let length = self.bytes(text).len().min(self.bytes(with).len());
                self.charge(length as u64 / 64);
                let order = self.order(one, other);
                return Ok(Some(match order {
                    Some(Ordering::Less) => true,
                    Some(Ordering::Equal) => or_equal,
                    _ => false,
                }));
            }
            _ => {}
        }
        if one.type_name() != other.type_name() {
            return Err(incomparable(one, other));
        }
        if or_equal {
            let handler = self.shared_handler(Event::LessEqual, one, other);
            if !handler.is_nil() {
                self.call_with(handler, &[one, other], give(true))?;
                return Ok(None);
            }
            let handler = self.shared_handler(Event::Less, other, one);
            if !handler.is_nil() {
                self.call_with(handler, &[other, one], give(false))?;
                return Ok(None);
            }
            return Err(incomparable(one, other));
        }
        let handler = self.shared_handler(Event::Less, one, other);
        if handler.is_nil() {
            return Err(incomparable(one, other));
        }
        self.call_with(handler, &[one, other], give(true))?;
        Ok(None)
    }

    /// Appends the text of a string or number; false for other values.
    pub(in crate::lua) fn append_text(&self, value: Value, out: &mut Vec<u8>) -> bool {
        match value {
            Value::String(string) => out.extend_from_slice(self.bytes(string)),
            Value::Number(number) => format::append(number, out),
            _ => return false,
        }
        true
    }

    fn text_length(&self, value: Value) -> Option<usize> {
        match value {
            Value::String(string) => Some(self.bytes(string).len()),
            // No number is longer.
            Value::Number(_) => Some(32),
            _ => None,
        }
    }

    /// Joins what stands from slot `first` to slot `last`, from the right, into slot `to`.
    pub(in crate::lua) fn concat(
        &mut self,
        first: usize,
        mut last: usize,
        to: usize,
    ) -> Result<(), Thrown> {
        while last > first {
            let (one, other) = (self.slot(last - 1), self.slot(last));
            let lengths = (self.text_length(one), self.text_length(other));
            let (Some(_), Some(mut length)) = lengths else {
                let handler = self.handler_of_two(Event::Concat, [one, other]);
                if handler.is_nil() {
                    let base = self
                        .thread
                        .frames
                        .last()
                        .map_or(0, |frame| frame.base as usize);
                    // The first is at fault, unless it can be joined.
                    let (value, slot) = match lengths.0 {
                        Some(_) => (other, last),
                        None => (one, last - 1),
                    };
                    let register = u8::try_from(slot.wrapping_sub(base)).ok();
                    return Err(Thrown::Type("concatenate", value, register));
                }
                let give = Give::Concat {
                    at: (last - 1) as u32,
                    first: first as u32,
                    to: to as u32,
                };
                return self.call_with(handler, &[one, other], give);
            };
            let mut from = last;
            while from > first
                && let Some(more) = self.text_length(self.slot(from - 1))
            {
                length += more;
                from -= 1;
            }
            self.check_room(length)?;
            self.charge(length as u64 / 64);
            let joined = if length > COPIED_MAX {
                let mut text = Vec::with_capacity(length);
                for at in from..=last {
                    self.append_text(self.slot(at), &mut text);
                }
                self.interned_owned(text)
            } else {
                let mut text = core::mem::take(&mut self.buffer);
                text.clear();
                for at in from..=last {
                    self.append_text(self.slot(at), &mut text);
                }
                let joined = self.interned(&text);
                self.buffer = text;
                joined
            };
            self.set_slot(from, joined);
            last = from;
        }
        let joined = self.slot(first);
        self.set_slot(to, joined);
        Ok(())
    }
}

/// The error of a comparison that no one can decide.
pub(in crate::lua) fn incomparable(one: Value, other: Value) -> Thrown {
    let (one, other) = (one.type_name(), other.type_name());
    let text = if one == other {
        alloc::format!("attempt to compare two {one} values")
    } else {
        alloc::format!("attempt to compare {one} with {other}")
    };
    Thrown::Text(text.into_bytes(), 1)
}
