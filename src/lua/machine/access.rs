//! Reading and writing fields, with what metatables say to it.

use super::state::{Event, State, Thrown, out_of_memory};
use crate::lua::heap::thread::Give;
use crate::lua::value::{TableRef, Value};

/// How often a table may stand for another.
const CHAIN_MAX: usize = 100;

/// A value that was found, or a call that gives it later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::lua) enum Found {
    Value(Value),
    Called,
}

impl State {
    /// `object[key]`; a function that is asked for it gives to `give`.
    pub(in crate::lua) fn index(
        &mut self,
        mut object: Value,
        key: Value,
        mut register: Option<u8>,
        give: Give,
    ) -> Result<Found, Thrown> {
        for _ in 0..CHAIN_MAX {
            let handler = if let Value::Table(table) = object {
                let table = self.heap.table(table);
                let value = table.get(key);
                let metatable = table.metatable;
                match metatable {
                    Some(metatable) if value.is_nil() => {
                        let handler = self.handler_in(metatable, Event::Index);
                        if handler.is_nil() {
                            return Ok(Found::Value(Value::Nil));
                        }
                        handler
                    }
                    _ => return Ok(Found::Value(value)),
                }
            } else {
                let handler = self.handler(object, Event::Index);
                if handler.is_nil() {
                    return Err(Thrown::Type("index", object, register));
                }
                handler
            };
            if let Value::Function(_) | Value::Native(_) = handler {
                self.call_with(handler, &[object, key], give)?;
                return Ok(Found::Called);
            }
            self.charge(1);
            object = handler;
            register = None;
        }
        Err(Thrown::Text(b"loop in gettable".to_vec(), 1))
    }

    /// `object[key] = value`; true if a function was called to do it.
    pub(in crate::lua) fn set_index(
        &mut self,
        mut object: Value,
        key: Value,
        value: Value,
        mut register: Option<u8>,
    ) -> Result<bool, Thrown> {
        for _ in 0..CHAIN_MAX {
            let handler = if let Value::Table(table) = object {
                let metatable = self.heap.table(table).metatable;
                let handler = match metatable {
                    Some(metatable) if self.heap.table(table).get(key).is_nil() => {
                        // What is no key is none for a handler either, as in C.
                        check_key(key)?;
                        self.handler_in(metatable, Event::NewIndex)
                    }
                    _ => Value::Nil,
                };
                if handler.is_nil() {
                    self.raw_set(table, key, value)?;
                    return Ok(false);
                }
                handler
            } else {
                let handler = self.handler(object, Event::NewIndex);
                if handler.is_nil() {
                    return Err(Thrown::Type("index", object, register));
                }
                handler
            };
            if let Value::Function(_) | Value::Native(_) = handler {
                let give = Give::Registers { at: 0, want: 0 };
                self.call_with(handler, &[object, key, value], give)?;
                return Ok(true);
            }
            self.charge(1);
            object = handler;
            register = None;
        }
        Err(Thrown::Text(b"loop in settable".to_vec(), 1))
    }

    /// Sets a key of a table as it is.
    #[inline]
    pub(in crate::lua) fn raw_set(
        &mut self,
        table: TableRef,
        key: Value,
        value: Value,
    ) -> Result<(), Thrown> {
        self.open(table)?;
        check_key(key)?;
        if !value.is_nil() && !self.heap.has_room_for_key(table, key) {
            self.refuse_growth(table, key)?;
        }
        self.heap.set(table, key, value);
        Ok(())
    }
}

impl State {
    /// Lets the script change a table, or fails if it may not.
    #[inline]
    pub(in crate::lua) fn open(&mut self, table: TableRef) -> Result<(), Thrown> {
        match self.heap.open(table) {
            Some(0) => Ok(()),
            Some(copied) => {
                self.charge(copied / 64);
                Ok(())
            }
            None => Err(sealed()),
        }
    }

    /// Fails if a key is not there, for which there is no room.
    #[cold]
    fn refuse_growth(&self, table: TableRef, key: Value) -> Result<(), Thrown> {
        if self.heap.table(table).get(key).is_nil() {
            return Err(out_of_memory());
        }
        Ok(())
    }
}

/// Fails if a value can be no key of a table.
#[inline]
fn check_key(key: Value) -> Result<(), Thrown> {
    match key {
        Value::Nil => Err(Thrown::Text(b"table index is nil".to_vec(), 1)),
        Value::Number(number) if number.is_nan() => {
            Err(Thrown::Text(b"table index is NaN".to_vec(), 1))
        }
        _ => Ok(()),
    }
}

/// The error of a script that changes what only the host may change.
pub(in crate::lua) fn sealed() -> Thrown {
    Thrown::Text(b"Attempt to modify a readonly table".to_vec(), 1)
}
